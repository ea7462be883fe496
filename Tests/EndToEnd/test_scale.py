"""A long queue: the start, the memory, the windows. EPOST_QUEUED makes it longer."""
import json
import os
import socket
import sqlite3
import time

from support.waiting import until

QUEUED = int(os.environ.get("EPOST_QUEUED", "20000"))


def fill(server, count):
    """Deferred messages as EPSTDS leaves them, one recipient each."""
    (database,) = server.root.glob("spool/*/queue.db")
    with sqlite3.connect(database, timeout=20) as link:
        first = link.execute("SELECT coalesce(max(row), 0) + 1 FROM message").fetchone()[0]
        due = int(time.time() * 1000) + 86_400_000
        rows = range(first, first + count)
        link.executemany(
            "INSERT INTO message (row, id, received, sender, size, flags, protocol) VALUES (?, ?, ?, ?, 500, 0, 'ESMTP')",
            ((row, f"Z{row:013d}", due - 90_000_000, f"s{row}@client{row % 997}.example") for row in rows))
        link.executemany(
            "INSERT INTO recipient (key, address, notify, state, due, tries, failure, first_failure, reply, route) "
            "VALUES (?, ?, 0, 1, ?, 3, 2, ?, '451 4.7.1 greylisted, come back later', 'mx mx.far.example [192.0.2.1]')",
            ((row << 20, f"user{row}@far{row % 499}.example", due + row, due - 80_000_000) for row in rows))
        link.executemany("INSERT INTO content VALUES (?, ?)", ((row, b"Subject: x\n\nhello\n") for row in rows))
    link.close()


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


class Control:
    def __init__(self, server):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(server.root / "run" / "control.sock"))

    def list(self, **more):
        question = {"method": "org.epost.Queue.List", "parameters": {"offset": 0, "limit": 200, **more}}
        start = time.perf_counter()
        self.socket.sendall(json.dumps(question).encode() + b"\0")
        answer = b""
        while not answer.endswith(b"\0"):
            answer += self.socket.recv(1 << 20)
        return json.loads(answer[:-1])["parameters"], time.perf_counter() - start


def test_a_long_queue_is_taken_over_quickly_in_little_memory(server):
    empty = resident(server.service("epstds")["pid"])
    server.do("service", "stop", "epstds")
    fill(server, QUEUED)
    start = time.monotonic()
    server.do("service", "start", "epstds")
    until(lambda: server.service("epstds")["state"] == "running", "EPSTDS runs with the long queue", 60)
    assert time.monotonic() - start < 10
    control = Control(server)
    asked = {
        "window": {}, "far end": {"offset": QUEUED - 100}, "by next try": {"sort": "next"}, "by recipient": {"sort": "to"},
        "text": {"filter": f"user{QUEUED - 7}"}, "nothing found": {"filter": "no-such-text"}, "state": {"state": "deferred"}}
    for what, question in asked.items():
        found, seconds = min((control.list(**question) for _ in range(3)), key=lambda pair: pair[1])
        print(f"{what}: {found['total']} of {QUEUED} in {seconds * 1000:.0f} ms")
        assert found["total"] == {"text": 1, "nothing found": 0}.get(what, QUEUED)
        assert seconds < 2
    grown = resident(server.service("epstds")["pid"]) - empty
    print(f"memory: {grown / QUEUED:.0f} octets a recipient ({grown >> 10} KiB)")
    # A fixed part for the database's page cache, and no more than 300 octets for each that waits.
    assert grown < 300 * QUEUED + (24 << 20)

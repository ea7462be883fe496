"""A long queue, written as EPSTDS leaves it, and questions about it with their time."""
import json
import pathlib
import socket
import sqlite3
import time


def fill(root, count, listed=0):
    """Deferred messages with one recipient each; of them, `listed` with ten and of those one in ten held."""
    (database,) = pathlib.Path(root).glob("spool/*/queue.db")
    with sqlite3.connect(database, timeout=20) as link:
        first = link.execute("SELECT coalesce(max(row), 0) + 1 FROM message").fetchone()[0]
        due = int(time.time() * 1000) + 86_400_000
        rows = range(first, first + count)

        def recipients():
            for row in rows:
                number = 10 if row < first + listed else 1
                for index in range(number):
                    # Not in the order of arrival, as after days of retries.
                    later = (row * 7919 + index * 104_729) % 3_600_000
                    state = 2 if number > 1 and row % 10 == 0 else 1
                    yield (row << 20 | index, f"user{row}{'abcdefghij'[index] if index else ''}@far{row % 499}.example",
                           state, due + later, 1 + row % 7, due - 80_000_000, int(number > 1))
        link.executemany(
            "INSERT INTO message (row, id, received, sender, size, flags, protocol) VALUES (?, ?, ?, ?, ?, 0, 'ESMTP')",
            ((row, f"Z{row:013d}", due - 90_000_000, f"s{row}@client{row % 997}.example", 500 + row * 31 % 9000)
             for row in rows))
        link.executemany(
            "INSERT INTO recipient (key, address, notify, state, due, tries, failure, first_failure, reply, route, siblings) "
            "VALUES (?, ?, 0, ?, ?, ?, 2, ?, '451 4.7.1 greylisted, come back later', 'mx mx.far.example [192.0.2.1]', ?)",
            recipients())
        link.executemany("INSERT INTO content VALUES (?, ?)", ((row, b"Subject: x\n\nhello\n") for row in rows))
    link.close()


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


class Control:
    """A connection to the control socket."""

    def __init__(self, root):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(pathlib.Path(root) / "run" / "control.sock"))

    def call(self, method, **parameters):
        """The answer's parameters, and seconds."""
        start = time.perf_counter()
        self.socket.sendall(json.dumps({"method": method, "parameters": parameters}).encode() + b"\0")
        answer = b""
        while not answer.endswith(b"\0"):
            part = self.socket.recv(1 << 20)
            if not part:
                raise AssertionError("the daemon closed the connection")
            answer += part
        answer = json.loads(answer[:-1])
        if "error" in answer:
            raise AssertionError(answer)
        return answer["parameters"], time.perf_counter() - start

    def list(self, **more):
        return self.call("org.epost.Queue.List", **{"offset": 0, "limit": 200, **more})

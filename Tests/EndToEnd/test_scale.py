"""A long queue: the start, the memory, the windows. EPOST_QUEUED makes it longer."""
import os
import time

from support.longqueue import Control, fill, resident
from support.waiting import until

QUEUED = int(os.environ.get("EPOST_QUEUED", "20000"))


def test_a_long_queue_is_taken_over_quickly_in_little_memory(server):
    empty = resident(server.service("epstds")["pid"])
    server.do("service", "stop", "epstds")
    fill(server.root, QUEUED)
    start = time.monotonic()
    server.do("service", "start", "epstds")
    until(lambda: server.service("epstds")["state"] == "running", "EPSTDS runs with the long queue", 60)
    assert time.monotonic() - start < 10
    control = Control(server.root)
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

"""kill -9 of each of the three processes, again and again, under mixed load: every message that got its 250 reaches its
end, and nothing comes twice but what was on its way to another server."""
import os
import random
import re
import signal

import pytest

from support.load import Load
from support.waiting import TimedOut, until

ACCOUNTS = ["a", "b", "c", "d"]
KILLS = int(os.environ.get("EPOST_KILLS", "9"))
# Messages that are accepted at least, each for one to three recipients: EPOST_KILLS=200 EPOST_KILLED_MESSAGES=10000.
MESSAGES = int(os.environ.get("EPOST_KILLED_MESSAGES", "0"))
THREADS = 4
# Local, far, both at once, refused for good (the sender a gets a report), deferred until the kills are over.
REFUSED, LATE = "refused@far.example", "late@far.example"
MIXED = [f"{account}@in.example" for account in ACCOUNTS] + [
    "u@far.example", ("a@in.example", "b@in.example", "v@far.example"), REFUSED, LATE, "w@far.example"]


def arrived(server, sink):
    """(number, address) -> how often; half-written files in tmp do not count. A report stands for the refused one."""
    found = {}
    for account in ACCOUNTS:
        for path in server.mail(account):
            text = path.read_bytes()
            match = re.search(rb"^X-Number: (\d+)\r?$", text, re.M)
            assert match, f"a damaged message: {path}"
            address = REFUSED if b"Content-Type: multipart/report" in text else f"{account}@in.example"
            key = int(match.group(1)), address
            found[key] = found.get(key, 0) + 1
    for got in list(sink.messages):
        number = int(re.search(r"^X-Number: (\d+)\r?$", got.text, re.M).group(1))
        for address in got.recipients:
            found[number, address] = found.get((number, address), 0) + 1
    return found


def pid_of(server, name):
    try:
        service = server.service(name)
    except Exception:
        return None
    return service.get("pid") if service["state"] == "running" else None


def kill(server, victim):
    if victim == "epostd":
        server.kill()
        server.start()
        server.greets()
        return
    pid = until(lambda: pid_of(server, victim), f"{victim} runs", 60)
    os.kill(pid, signal.SIGKILL)
    until(lambda: (new := pid_of(server, victim)) and new != pid, f"{victim} came back by itself", 60)


@pytest.mark.parametrize("victims", [["epstrs"], ["epstds"], ["epostd"], ["epstrs", "epstds", "epostd"]], ids="+".join)
def test_nothing_acknowledged_is_lost_by_kills(server, victims, sink, dns):
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.do("setting", "set", "delivery.port", sink.port)
    server.do("setting", "set", "delivery.threads", THREADS)
    sink.script[f"rcpt:{REFUSED}"] = b"550 5.1.1 no such user"
    sink.script[f"rcpt:{LATE}"] = b"451 4.7.1 greylisted"
    for account in ACCOUNTS:
        server.account(account)
    load = Load(server.port, MIXED, "a@in.example")
    random.seed(4)
    kills = max(3, KILLS // 3)
    try:
        round_number = -1
        while (round_number := round_number + 1) < kills or load.count() < MESSAGES:
            goal = load.count() + random.randrange(10, 60)
            until(lambda: load.count() >= goal, f"load flows, round {round_number}", 60)
            kill(server, victims[round_number % len(victims)])
        kills = round_number
        goal = load.count() + 20
        until(lambda: load.count() >= goal, "load flows after the last kill", 60)
    finally:
        accepted = load.stop()
    del sink.script[f"rcpt:{LATE}"]
    wanted = {(number, address) for number, to in accepted.items() for address in (to if isinstance(to, tuple) else (to,))}

    def complete():
        if wanted - arrived(server, sink).keys():
            server.run("queue", "retry", "--all")
            return False
        return True
    try:
        until(complete, "every accepted message reached its end", 120)
    except TimedOut:
        found = arrived(server, sink)
        missing = sorted(wanted - found.keys())
        odd = sorted((number, address) for number, address in found if address not in MIXED[number % len(MIXED)])
        ways = [server.run("trace", f"<{number}@load>").stdout for number, _ in missing[:3]]
        raise AssertionError(
            f"lost after {kills} kills: {missing[:20]} of {len(wanted)}; at a wrong place: {odd[:20]}; "
            f"queue {server.queue()[:5]}; " + "\n".join(ways)) from None
    until(lambda: not server.queue(), "the queue is empty", 60)
    local, far = 0, 0
    for (_, address), times in arrived(server, sink).items():
        if address.endswith("@far.example") and address != REFUSED:
            far += times - 1
        else:
            local += times - 1
    print(f"{kills} kills, {len(wanted)} recipients, twice: {local} local or reported, {far} far")
    # A mailbox knows what it has, a report is written with the end of its message: neither comes twice.
    assert local == 0, f"{local} came twice into a mailbox"
    # What another server had taken when the process died, before that was written down: with each kill of EPSTDS as
    # many transactions as may be under way, and as many whose end may be unwritten, each with one recipient here.
    fatal = sum(victims[number % len(victims)] != "epstrs" for number in range(kills))
    assert far <= 2 * THREADS * fatal, f"{far} duplicates after {fatal} kills of EPSTDS"


def test_a_service_that_cannot_start_is_throttled_and_shown_with_its_reason(server):
    """Killed at once again and again it is restarted each time, and the counter says so."""
    before = server.service("epstds")["restarts"]
    for _ in range(3):
        kill(server, "epstds")
    assert server.service("epstds")["restarts"] >= before + 3
    assert server.service("epstds")["state"] == "running"


def test_the_services_end_with_their_supervisor(server):
    pids = [pid_of(server, "epstrs"), pid_of(server, "epstds")]
    server.kill()

    def gone(pid):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True
    until(lambda: all(gone(pid) for pid in pids), "both children ended", 30)

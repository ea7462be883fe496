"""kill -9 of each of the three processes, again and again, under load: every message that got its 250 is delivered."""
import os
import random
import re
import signal

import pytest

from support.load import Load
from support.waiting import TimedOut, until

ACCOUNTS = ["a", "b", "c", "d"]
KILLS = int(os.environ.get("EPOST_KILLS", "9"))


def numbers(server):
    """number → how often it lies in a mailbox; half-written files in tmp do not count."""
    found = {}
    for account in ACCOUNTS:
        for path in server.mail(account):
            match = re.search(rb"^X-Number: (\d+)$", path.read_bytes(), re.M)
            assert match, f"a damaged message: {path}"
            found[int(match.group(1))] = found.get(int(match.group(1)), 0) + 1
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
    for account in ACCOUNTS:
        server.account(account)
    load = Load(server.port, [f"{account}@in.example" for account in ACCOUNTS] + ["u@far.example"], "a@in.example")
    random.seed(4)
    kills = max(3, KILLS // 3)
    try:
        for round_number in range(kills):
            goal = load.count() + random.randrange(10, 60)
            until(lambda: load.count() >= goal, f"load flows, round {round_number}", 60)
            kill(server, victims[round_number % len(victims)])
        goal = load.count() + 20
        until(lambda: load.count() >= goal, "load flows after the last kill", 60)
    finally:
        accepted = load.stop()

    def remote():
        return {int(m.group(1)) for got in list(sink.messages) if (m := re.search(r"^X-Number: (\d+)\r?$", got.text, re.M))}

    def missing():
        local = numbers(server)
        far = remote()
        return [n for n, to in accepted.items() if n not in (far if to.endswith("far.example") else local)]

    def complete():
        if missing():
            server.run("queue", "retry", "--all")
            return False
        return True
    try:
        until(complete, "every accepted message arrived", 120)
    except TimedOut:
        raise AssertionError(f"lost after {kills} kills: {missing()[:20]} of {len(accepted)}; queue {server.queue()[:5]}") from None
    until(lambda: not server.queue(), "the queue is empty", 60)
    local = numbers(server)
    duplicates = sum(times - 1 for times in local.values())
    # Only what was on its way at a kill may come twice.
    assert duplicates <= 25 * kills, f"{duplicates} duplicates after {kills} kills"


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

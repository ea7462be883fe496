"""epost-directory by itself: modules of PAM that hang or crash, and the socket that systemd passes."""
import os
import pathlib
import subprocess

import pytest

from support.helper import CHECK, FIND, FOUND, Helper, LIST, MISSING, PAGE, RIGHT, TEST, UNAVAILABLE, WRONG
from support.waiting import until

PASSWORD = "Secret-1"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="PAM lets only root ask about others")


@pytest.fixture
def users(tmp_path):
    """NSS with users of the test's own; returns what the helper needs in its environment."""
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True).stdout.strip()
    lines = [f"{name}:{hashed}:{uid}:5000:{name}:/home/{name}:/bin/false"
             for uid, name in enumerate(["ada", "hangs", "crashes"], start=5001)]
    (tmp_path / "passwd").write_text("\n".join(["root:x:0:0:root:/root:/bin/bash", *lines, ""]))
    (tmp_path / "group").write_text("root:x:0:\nmail-users:x:5000:\n")
    return {"LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": str(tmp_path / "passwd"),
            "NSS_WRAPPER_GROUP": str(tmp_path / "group")}


def stack(tmp_path, *lines):
    """The PAM service; a program that it runs waits for `hangs`, and ends whoever called it for `crashes`."""
    program = tmp_path / "module"
    program.write_text('#!/bin/bash\ncase "$PAM_USER" in\nhangs) read -r < "$(dirname "$0")/gate" ;;\n'
                       'crashes) kill -SEGV "$PPID" ;;\nesac\n')
    program.chmod(0o755)
    os.mkfifo(tmp_path / "gate")
    (tmp_path / "pam.d").mkdir()
    (tmp_path / "pam.d" / "epost").write_text(
        f"auth required pam_exec.so quiet {program}\nauth required pam_unix.so\naccount required pam_permit.so\n")


@pytest.fixture
def helper(tmp_path, users):
    stack(tmp_path)
    helper = Helper(tmp_path, "--patience", "2", environment=users).start()
    yield helper
    helper.stop()


def check(client, name, password=PASSWORD):
    return client.ask(CHECK, name, "in.example", password, "192.0.2.1")


def test_modules_that_hang_cost_their_question_and_nothing_else(helper):
    client = helper.client(group="mail-users")
    assert check(client, "ada")[0] == RIGHT
    assert check(client, "ada", "wrong")[0] == WRONG
    hung, others, answers = set(), set(), {}

    def take(seconds):
        if client.waits(seconds):
            number, kind, fields = client.receive()
            answers[number] = (kind, *fields)

    def hang():
        hung.update(client.send(CHECK, "hangs", "in.example", PASSWORD, "") for _ in range(8))
    hang()
    first = set(hung)
    until(lambda: len(helper.workers()) >= 8, "eight processes are stuck")
    # Look-ups go on beside it.
    assert helper.client(group="mail-users").ask(FIND, "ada", "in.example")[0] == FOUND
    # When all have been stuck for a while, nobody waits for the next answer.

    def refused():
        if hung <= answers.keys():
            hang()
        others.add(client.send(CHECK, "ada", "in.example", PASSWORD, ""))
        take(0.05)
        return any("no question of this kind" in answers[number][-1] for number in others & answers.keys())
    until(refused, "a question is refused at once")
    # Each of the eight ends by itself, and with it all that its module started.
    until(lambda: take(0.05) or hung | others <= answers.keys(), "every question is answered")
    assert all(answers[number][0] == UNAVAILABLE and "within 2 seconds" in answers[number][1] for number in first)
    until(lambda: len(helper.workers()) <= 4, "the processes are gone")
    # And log-ins go on without a restart.
    assert check(helper.client(group="mail-users"), "ada")[0] == RIGHT


def test_a_module_that_crashes_takes_nobody_along(helper):
    client = helper.client(group="mail-users")
    kind, fields = check(client, "crashes")
    assert kind == UNAVAILABLE and "crashed (signal 11)" in fields[0]
    assert check(client, "ada")[0] == RIGHT


def test_a_worker_that_was_killed_meanwhile_is_replaced(helper):
    client = helper.client(group="mail-users")
    assert client.ask(FIND, "ada", "in.example")[0] == FOUND
    [worker] = helper.workers()
    os.kill(worker, 9)
    until(lambda: pathlib.Path(f"/proc/{worker}/stat").read_text().split()[2] == "Z", "it is dead")
    assert client.ask(FIND, "ada", "in.example")[0] == FOUND
    assert client.ask(FIND, "nobody", "in.example")[0] == MISSING
    kind, fields = client.ask(LIST, "10")
    assert kind == PAGE and fields[0] == "0" and fields[1::4] == ["ada", "hangs", "crashes"]


def test_the_socket_that_systemd_passes_is_served(tmp_path, users):
    stack(tmp_path)
    helper = Helper(tmp_path, environment=users).start_by_descriptor("--system-only")
    try:
        client = helper.client(group="mail-users")
        assert check(client, "ada")[0] == RIGHT
        assert check(client, "ada", "wrong")[0] == WRONG
        kind, fields = client.ask(TEST, "ada", "in.example")
        assert "pam" in fields and str(tmp_path / "pam.d" / "epost") in fields
        # It has the privileges of root, and so opens no file and no connection that a client names.
        directory = helper.client(backend="ldap", urls=["ldap://127.0.0.1:9"])
        assert directory.ask(FIND, "ada", "in.example")[0] == UNAVAILABLE
    finally:
        helper.stop()


def test_a_socket_meant_for_another_process_is_not_taken(tmp_path):
    from support.daemon import BIN
    result = subprocess.run(
        [BIN / "epost-directory", "--systemd"], env={**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": "1"},
        capture_output=True, text=True, timeout=20)
    assert result.returncode == 69 and "cannot listen" in result.stderr


def test_the_units_are_sound(tmp_path):
    """systemd-analyze reads them, where it is installed."""
    import shutil
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("systemd is not installed")
    from support.daemon import BIN
    source = pathlib.Path(__file__).parents[2] / "assets" / "systemd"
    binaries = tmp_path / "usr" / "sbin"
    binaries.mkdir(parents=True)
    for name in ["epostd", "epost-directory"]:
        (binaries / name).symlink_to(BIN / name)
    for unit in source.iterdir():
        (tmp_path / unit.name).write_text(unit.read_text().replace("@PREFIX@", str(tmp_path / "usr")))
    result = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", *sorted(map(str, tmp_path.glob("*.s*")))],
        capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and "epost" not in result.stderr, result.stderr

"""Guessing is slow and seen: locks of addresses and accounts, written down, listed and released."""
import base64
import smtplib

import pytest

from support.mail import reference
from support.waiting import until

PASSWORD = "Secret-1"
EVE, ANN = "127.0.0.2", "127.0.0.3"


@pytest.fixture
def guarded(server):
    """Quick to lock, and the answers do not wait."""
    for key, value in {"auth_failure_delay": 0, "lock_address_failures": 3, "lock_account_failures": 0}.items():
        server.do("setting", "set", f"receiver.{key}", value)
    server.account("taro", PASSWORD)
    return server


def attempt(server, tls, source, user, password):
    """Code of the answer to AUTH; that of the greeting when there is no more."""
    try:
        client = smtplib.SMTP_SSL("127.0.0.1", server.smtps, "client.example", timeout=20, context=tls,
                                  source_address=(source, 0))
    except smtplib.SMTPConnectError as refused:
        return refused.smtp_code
    with client:
        client.ehlo()
        return client.docmd("AUTH PLAIN", base64.b64encode(f"\0{user}\0{password}".encode()).decode())[0]


def greeting(server, source):
    try:
        with smtplib.SMTP("127.0.0.1", server.port, "c", timeout=20, source_address=(source, 0)):
            return 220, b""
    except smtplib.SMTPConnectError as refused:
        return refused.smtp_code, refused.smtp_error


def locks(server):
    return {lock["subject"]: lock for lock in server.json("lock", "list")["locks"]}


def test_an_address_that_guesses_is_locked_and_released(guarded, client_tls):
    table = guarded.root / "conf" / "rejectsmtpip.dat"
    for number in range(3):
        assert attempt(guarded, client_tls, EVE, f"user{number}", "x") == 535
    code, text = greeting(guarded, EVE)
    assert code == 421 and text.startswith(b"4.7.0")
    explained = guarded.json("explain", reference(text))
    assert explained["reason"] == "connect.locked"
    assert greeting(guarded, ANN)[0] == 220
    until(lambda: EVE in locks(guarded), "the lock is written down")
    assert locks(guarded)[EVE]["state"] == "locked" and locks(guarded)[EVE]["cause"] == "failures"
    subject, stamp = table.read_text().split()
    assert subject == EVE and stamp.isdigit()
    assert "127.0.0.2 is locked after 3 failed authentications" in guarded.do("log", "search", "locked")
    guarded.do("lock", "release", EVE)
    assert greeting(guarded, EVE)[0] == 220
    assert EVE not in locks(guarded)


def test_this_machine_is_never_locked(guarded, client_tls):
    for _ in range(5):
        assert attempt(guarded, client_tls, "127.0.0.1", "nobody", "x") == 535
    assert attempt(guarded, client_tls, "127.0.0.1", "taro", PASSWORD) == 235
    assert locks(guarded) == {}


def test_an_account_is_locked_for_strangers_and_nobody_can_tell(guarded, client_tls):
    guarded.do("setting", "set", "receiver.lock_address_failures", 0)
    guarded.do("setting", "set", "receiver.lock_account_failures", 3)
    assert attempt(guarded, client_tls, ANN, "taro", PASSWORD) == 235
    for name in ("taro", "nobody"):
        for _ in range(3):
            assert attempt(guarded, client_tls, EVE, name, "x") == 535
        assert attempt(guarded, client_tls, EVE, name, PASSWORD) == 535, "locked: the right password helps nobody"
    assert attempt(guarded, client_tls, ANN, "taro", PASSWORD) == 235, "its user comes from where it always comes"
    until(lambda: "taro@in.example" in locks(guarded), "the lock is written down")
    assert "nobody@in.example" not in locks(guarded)
    guarded.do("lock", "release", "taro@in.example")
    assert attempt(guarded, client_tls, EVE, "taro", PASSWORD) == 235


def test_locks_by_hand_in_the_file_and_by_command(guarded, client_tls):
    table = guarded.root / "conf" / "rejectsmtpip.dat"
    table.write_text(f"{EVE}\nnonsense line here\n127.0.0.5 1000000000 iplock\n")
    until(lambda: greeting(guarded, EVE)[0] == 554, "a line without a time stamp locks for ever")
    assert greeting(guarded, "127.0.0.5")[0] == 220, "a lock that is over"
    guarded.do("lock", "add", ANN)
    assert greeting(guarded, ANN)[0] == 554
    guarded.do("lock", "allow", "127.0.0.0/8")
    assert greeting(guarded, ANN)[0] == 220
    guarded.do("lock", "release", "127.0.0.0/8")
    assert greeting(guarded, ANN)[0] == 554
    assert "nonsense line here" in table.read_text()
    refused = guarded.run("lock", "add", "nonsense")
    assert refused.returncode == 1 and "not an IP address" in refused.stderr


def test_a_locked_account_may_not_send_in_a_session_that_it_has(guarded, client_tls):
    with smtplib.SMTP_SSL("127.0.0.1", guarded.smtps, "client.example", timeout=20, context=client_tls) as client:
        client.login("taro@in.example", PASSWORD)
        assert client.mail("taro@in.example")[0] == 250
        client.rset()
        guarded.do("lock", "add", "taro@in.example")
        code, text = client.mail("taro@in.example")
        assert code == 550, text
        assert guarded.json("explain", reference(text))["reason"] == "sender.locked"
    assert attempt(guarded, client_tls, "127.0.0.1", "taro", PASSWORD) == 535


def test_too_many_connections(guarded):
    guarded.do("setting", "set", "receiver.lock_connections", 5)
    until(lambda: greeting(guarded, EVE)[0] == 421, "connections of one address lock it")
    until(lambda: EVE in locks(guarded), "written down")
    assert locks(guarded)[EVE]["cause"] == "connections"
    assert "iplock" in (guarded.root / "conf" / "rejectsmtpip.dat").read_text()


def test_a_lock_outlives_a_restart(guarded, client_tls):
    for _ in range(3):
        attempt(guarded, client_tls, EVE, "taro", "x")
    until(lambda: EVE in locks(guarded), "written down")
    guarded.do("service", "restart", "epstrs")
    guarded.greets()
    assert greeting(guarded, EVE)[0] == 421


def test_the_users_own_address_stays_open_to_a_locked_account_after_a_restart(server, client_tls):
    for key, value in {"auth_failure_delay": 0, "lock_address_failures": 0, "lock_account_failures": 3}.items():
        server.do("setting", "set", f"receiver.{key}", value)
    server.account("taro", PASSWORD)
    assert attempt(server, client_tls, ANN, "taro", PASSWORD) == 235
    for _ in range(3):
        assert attempt(server, client_tls, EVE, "taro", "x") == 535
    until(lambda: "taro@in.example" in locks(server), "the lock is written down")
    assert attempt(server, client_tls, EVE, "taro", PASSWORD) == 535
    assert attempt(server, client_tls, ANN, "taro", PASSWORD) == 235
    server.do("service", "restart", "epstrs")
    server.greets()
    until(lambda: attempt(server, client_tls, ANN, "taro", PASSWORD) == 235, "the sessions of before are remembered")
    assert attempt(server, client_tls, EVE, "taro", PASSWORD) == 535

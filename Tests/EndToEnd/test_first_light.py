"""The main path by the command lines of the manual: set-up, account, mail in, mail out."""
import re
import smtplib

import pytest


def message(sender="e@ext.example", to="taro@in.example", subject="first light", body="Hello.\r\n"):
    return f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{subject.replace(' ', '')}@t>\r\n\r\n{body}"


def test_an_empty_root_starts_unconfigured_and_says_so(empty):
    assert "setup" in (empty.run("account", "list", "in.example").stderr + empty.do("status"))


def test_setup_on_a_configured_root_is_refused_unless_change(server):
    result = server.run(
        "setup", "--domain", "x.example", "--address", "127.0.0.1", "--dns", "127.0.0.1", "--administrator", "a@x.example")
    assert result.returncode == 1
    assert "--change" in result.stderr


def test_a_mail_from_outside_arrives_in_the_maildir(server):
    server.account("taro")
    with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
        client.ehlo("client.example")
        client.sendmail("e@ext.example", ["taro@in.example"], message())
    (path,) = server.wait_for_mail("taro")
    text = path.read_bytes()
    assert text.startswith(b"Return-Path: <e@ext.example>\n")
    assert b"Received: from client.example" in text
    assert text.endswith(b"\n\nHello.\n")
    assert b"\r" not in text
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_unknown_user_is_refused_with_a_reference_that_explains(server):
    with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
        client.ehlo("client.example")
        client.mail("e@ext.example")
        code, text = client.rcpt("nobody@in.example")
    assert (code, text[:5]) == (550, b"5.1.1")
    reference = re.search(rb"\(ref ([0-9A-Z]{4}-[0-9A-Z]{4})\)", text).group(1).decode()
    explained = server.do("explain", reference)
    assert "nobody@in.example" in explained
    assert "127.0.0.1" in explained
    assert "recipient.unknown" in explained
    assert server.json("explain", reference)["reason"] == "recipient.unknown"


def test_a_mail_to_another_domain_leaves_for_its_mx(server, dns, sink):
    server.account("taro")
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.do("setting", "set", "delivery.port", sink.port)
    with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
        client.sendmail("taro@in.example", ["a@far.example", "b@far.example"], message("taro@in.example", "a@far.example"))
    (got,) = sink.wait_for(1)
    assert got.sender == "taro@in.example"
    assert sorted(got.recipients) == ["a@far.example", "b@far.example"]
    assert b"\r\n\r\nHello.\r\n" in got.content


def test_relaying_is_refused_to_strangers(server, dns):
    """The delivered effect.dat relays for the loopback address only through authentication-free defaults of matrix I."""
    verdict = server.json("explain", "--client", "192.0.2.7", "--from", "e@ext.example", "--to", "u@far.example")
    assert verdict["reason"] == "recipient.relay"
    verdict = server.json("explain", "--client", "192.0.2.7", "--from", "e@ext.example", "--to", "u%far.example@in.example")
    assert not verdict["isAccepted"]


def test_a_setting_changes_live_and_is_undone_by_history(server):
    server.do("setting", "set", "receiver.max_message_size", "1000")
    with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
        client.ehlo("x")
        assert client.esmtp_features["size"] == "1000"
        assert client.docmd("MAIL FROM:<e@ext.example> SIZE=1001")[0] == 552
    revision = server.json("history", "list")["revisions"][0]["revision"]
    server.do("history", "revert", revision)
    with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
        client.ehlo("x")
        assert client.esmtp_features["size"] != "1000"


@pytest.mark.parametrize("signal_name", ["stop"])
def test_an_orderly_stop_ends_with_zero(server, signal_name):
    assert server.stop() == 0

"""Gateways over the wire: passwords and TLS, tokens that end, a pure relay by gateway.dat alone."""
import smtplib
import subprocess

import pytest

from support.mail import message
from support.waiting import until


@pytest.fixture
def own_address():
    """An IPv4 address of this machine that is not the loopback: there a password needs TLS."""
    found = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    addresses = [each for each in found if "." in each and not each.startswith("127.")]
    if not addresses:
        pytest.skip("this machine has the loopback address only")
    return addresses[0]


@pytest.fixture
def relay(server):
    folder = server.root / "conf" / "credentials"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "relay").write_text("user = relay\npassword = Sesame-1\n")
    (folder / "relay").chmod(0o600)
    server.account("taro")
    return server


def gateways(server, text):
    server.do("table", "set", "gateway", "-", stdin=text)


def send(server, to, sender="taro@in.example"):
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=30) as client:
        client.sendmail(sender, [to], message(sender, to))


def waiting(server, word):
    return until(lambda: next((row for row in server.queue() if word in row["reply"]), None),
                 f"a message that waits with {word!r}; queue {server.queue()}")


def said(sink, verb):
    return [command for command in sink.commands if command.upper().startswith(verb)]


def test_no_password_without_tls(relay, sinks, own_address):
    """R-DLV-22: a gateway that takes passwords in clear gets none, nor the mail, until that is allowed."""
    sink = sinks(host=own_address, auth={"relay": "Sesame-1"}, auth_in_clear=True)
    gateways(relay, f"*,{own_address}|PLAIN|relay,{sink.port}\n")
    send(relay, "u@far.example")
    row = waiting(relay, "TLS is required here but not offered")
    assert not said(sink, b"AUTH") and not said(sink, b"MAIL") and sink.logins == []
    relay.do("setting", "set", "delivery.auth_in_clear", "true")
    relay.do("queue", "retry", row["id"])
    sink.wait_for(1)
    assert sink.logins == [("PLAIN", "relay")]


def test_tls_that_fails_does_not_bring_out_the_password(relay, sinks, server_tls, own_address):
    """Who spoils the handshake hears neither the password nor the mail, and the mail is not lost for it."""
    sink = sinks(host=own_address, auth={"relay": "Sesame-1"}, auth_in_clear=True, starttls=server_tls)
    sink.script["tls"] = "close"
    gateways(relay, f"*,{own_address}|PLAIN|relay,{sink.port}\n")
    send(relay, "u@far.example")
    row = waiting(relay, "TLS handshake failed")
    assert not said(sink, b"AUTH") and not said(sink, b"MAIL") and sink.logins == []
    del sink.script["tls"]
    relay.do("queue", "retry", row["id"])
    (got,) = sink.wait_for(1)
    assert got.tls and sink.logins == [("PLAIN", "relay")]


def test_a_token_of_the_settings_that_ran_out_is_got_anew(relay, sinks, server_tls, tmp_path):
    """Field notes A7: XOAUTH2 by a token command, without gateway.dat."""
    sink = sinks(tls=None, starttls=server_tls, auth={"oauth": "token-1"})
    token = tmp_path / "token"
    token.write_text("token-1\n")
    for name, value in [("server.smtp_gateway", "127.0.0.1"), ("delivery.port", sink.port),
                        ("delivery.auth_method", "XOAUTH2"), ("delivery.auth_user", "oauth"),
                        ("delivery.auth_token_command", f"/bin/cat {token}"), ("delivery.auth_enabled", "true")]:
        relay.do("setting", "set", name, value)
    send(relay, "u@far.example")
    sink.wait_for(1)
    token.write_text("token-2\n")
    sink.auth = {"oauth": "token-2"}
    sink.script["mail"] = b"421 4.3.2 this connection has done its work"
    send(relay, "u@far.example")
    until(lambda: said(sink, b"MAIL")[1:], "the second mail is offered")
    del sink.script["mail"]
    sink.wait_for(2)
    assert sink.logins == [("XOAUTH2", "oauth")] * 2
    assert relay.mail("taro") == []


def test_a_pure_relay_needs_gateway_dat_alone(relay, sinks):
    """Field notes A7: the box "SMTP gateway" stays empty, all mail goes on, and the table says where to (R-SRV-12)."""
    inner, outer = sinks(), sinks()
    gateways(relay, f"in.example,127.0.0.1,{inner.port}\n*,127.0.0.1,{outer.port}\n")
    relay.do("setting", "set", "server.forward_all_to_gateway", "true")
    send(relay, "taro@in.example", sender="e@ext.example")
    send(relay, "u@far.example")
    assert [each.recipients for each in inner.wait_for(1)] == [["taro@in.example"]]
    assert [each.recipients for each in outer.wait_for(1)] == [["u@far.example"]]
    assert relay.mail("taro") == []

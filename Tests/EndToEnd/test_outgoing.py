"""Mail that leaves: TLS, logging in at gateways, routes, notifications."""
import os
import smtplib

import pytest

from support.mail import message
from support.waiting import until


@pytest.fixture
def far(server, dns):
    """far.example by MX, and a gateway gw.example, both on this machine."""
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    dns.host("gw.example")
    server.account("taro")
    return server


def send(server, to, sender="taro@in.example", mail=(), rcpt=()):
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=30) as client:
        client.ehlo()
        client.mail(sender, mail)
        for address in [to] if isinstance(to, str) else to:
            code, text = client.rcpt(address, rcpt)
            assert code == 250, text
        code, text = client.data(message(sender, to if isinstance(to, str) else to[0]))
        assert code == 250, text


def waiting(server, word):
    """The row that waits with `word` in its last reply."""
    return until(lambda: next((row for row in server.queue() if word in row["reply"]), None),
                 f"a message that waits with {word!r}; queue {server.queue()}")


def events(server, **more):
    lines = server.json("log", "search", "--since", "1h")
    lines = lines["lines"] if isinstance(lines, dict) else lines
    return [line for line in lines if all(line.get(key) == value for key, value in more.items())]


def credentials(server, name, text, mode=0o600):
    folder = server.root / "conf" / "credentials"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(mode)


def gateways(server, text):
    server.do("table", "set", "gateway", "-", stdin=text)


def test_starttls_is_completed_and_logged_with_version_and_cipher(far, sinks, server_tls):
    sink = sinks(starttls=server_tls)
    far.do("setting", "set", "delivery.port", sink.port)
    send(far, "u@far.example")
    (got,) = sink.wait_for(1)
    assert got.tls
    sent = until(lambda: events(far, kind="send"), "the delivery is in the log")
    assert sent[0]["tls"].startswith("TLSv1.3 TLS_") and sent[0]["reply"] == "250 2.0.0 kept"
    seen = far.json("queue", "destinations")
    assert seen["destinations"][0]["name"] == "mx far.example"
    assert seen["destinations"][0]["tls"] == sent[0]["tls"] and seen["destinations"][0]["delivered"] == 1


def test_verified_tls_needs_an_authority_and_the_right_name(far, dns, sinks, server_tls, certificate):
    sink = sinks(starttls=server_tls)
    far.do("setting", "set", "delivery.port", sink.port)
    far.do("setting", "set", "delivery.tls", "verified")
    send(far, "u@far.example")
    row = waiting(far, "certificate refused")
    assert not sink.messages
    far.do("setting", "set", "delivery.tls_ca_file", certificate / "cert.pem")
    far.do("queue", "retry", row["id"])
    sink.wait_for(1)
    until(lambda: [line for line in events(far, kind="send") if line["tls"].endswith(" verified")], "verified in the log")
    # The same host under a name that the certificate does not hold.
    dns.mail("other.example", (10, "mx.other.example"))
    dns.host("mx.other.example")
    send(far, "u@other.example")
    assert "hostname mismatch" in waiting(far, "certificate refused")["reply"].lower()
    assert len(sink.messages) == 1


@pytest.mark.parametrize("trouble, mode, arrives", [
    ({"starttls": b"454 4.7.0 not now"}, "opportunistic", True), ({"starttls": b"454 4.7.0 not now"}, "required", False),
    ({"tls": "close"}, "required", False)], ids=["refused-opportunistic", "refused-required", "closed-after"])
def test_tls_that_fails_before_and_after_the_handshake(far, sinks, server_tls, trouble, mode, arrives):
    sink = sinks(starttls=server_tls)
    sink.script.update(trouble)
    far.do("setting", "set", "delivery.port", sink.port)
    far.do("setting", "set", "delivery.tls", mode)
    send(far, "u@far.example")
    if arrives:
        assert not sink.wait_for(1)[0].tls
    else:
        row = until(lambda: next((row for row in far.queue() if row["state"] == "deferred"), None), "it waits")
        assert row["reply"].startswith("4") and not sink.messages


def test_gateways_of_the_table_with_each_method_of_authentication(far, sinks, server_tls):
    sink = sinks(tls=server_tls, auth={"relay": "Sesame-1", "oauth": "token-77"})
    credentials(far, "relay", "# for gw.example\nuser = relay\npassword = Sesame-1\n")
    credentials(far, "oauth", "user = oauth\ntoken_command = /bin/echo token-77\n")
    gateways(far, f"""' by method, TLS from the first octet
*.plain.example,gw.example|PLAIN|relay,{sink.port}*
login.example , gw.example|LOGIN|relay , {sink.port}*
*cram*,gw.example|CRAM-MD5|relay,{sink.port}*
u@oauth.example|taro@in.example,gw.example|1XOAUTH2|oauth,{sink.port}*
*,127.0.0.1,{sink.port}*
""")
    for domain in ("a.plain.example", "login.example", "x-cram.example", "oauth.example"):
        send(far, f"u@{domain}")
    sink.wait_for(4)
    assert sorted(sink.logins) == [("CRAM-MD5", "relay"), ("LOGIN", "relay"), ("PLAIN", "relay"), ("XOAUTH2", "oauth")]
    # Another sender does not meet the condition: the last line, without credentials.
    far.account("hanako")
    send(far, "u@oauth.example", sender="hanako@in.example")
    sink.wait_for(5)
    assert len(sink.logins) == 4


def test_secrets_are_shown_nowhere(far, sinks, server_tls):
    sink = sinks(starttls=server_tls, auth={"relay": "Sesame-1"})
    far.do("setting", "set", "server.smtp_gateway", "gw.example")
    far.do("setting", "set", "delivery.port", sink.port)
    far.do("setting", "set", "delivery.auth_user", "relay")
    far.do("setting", "set", "delivery.auth_password", "--password-stdin", stdin="wrong-Horse\n")
    far.do("setting", "set", "delivery.auth_enabled", "true")
    send(far, "u@far.example")
    # The refusal is final by default; its report comes back with the gateway's words.
    (report,) = far.wait_for_mail("taro")
    assert b"535 5.7.8 bad credentials" in report.read_bytes()
    far.do("setting", "set", "delivery.auth_password", "--password-stdin", stdin="Sesame-1\n")
    send(far, "u@far.example")
    (got,) = sink.wait_for(1)
    assert got.tls and sink.logins == [("PLAIN", "relay")]
    shown = far.do("setting", "get", "delivery.auth_password") + far.do("setting", "list", "--json")
    shown += far.do("history", "list", "--json") + far.do("log", "search", "--since", "1h")
    for secret in ("Sesame", "wrong-Horse"):
        assert secret not in shown
        for path in far.root.rglob("*"):
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), path


def test_credentials_that_others_may_read_are_not_used(far, sinks, server_tls):
    sink = sinks(starttls=server_tls, auth={"relay": "Sesame-1"})
    credentials(far, "relay", "user = relay\npassword = Sesame-1\n", mode=0o644)
    gateways(far, f"*,gw.example|PLAIN|relay,{sink.port}\n")
    send(far, "u@far.example")
    row = waiting(far, "others may read it")
    assert sink.connections == 0 and "Sesame" not in row["reply"]
    os.chmod(far.root / "conf" / "credentials" / "relay", 0o600)
    far.do("queue", "retry", row["id"])
    sink.wait_for(1)


def test_a_method_that_the_gateway_does_not_announce_is_a_refusal(far, sinks):
    sink = sinks(auth={"relay": "Sesame-1"})  # no TLS, and so no AUTH
    credentials(far, "relay", "user = relay\npassword = Sesame-1\n")
    gateways(far, f"*,gw.example|PLAIN|relay,{sink.port}\n")
    send(far, "u@far.example")
    (report,) = far.wait_for_mail("taro")
    assert b"does not offer the authentication method" in report.read_bytes()
    assert not any(command.upper().startswith(b"AUTH") for command in sink.commands)


def test_a_route_back_to_this_server_is_named(far):
    gateways(far, f"far.example,127.0.0.1,{far.port}\n")
    send(far, "u@far.example")
    (report,) = far.wait_for_mail("taro")
    text = report.read_bytes()
    assert b"Status: 5.4.6" in text and b"loops back to this server" in text and b"gateway.dat:1" in text


def test_a_line_with_dns_is_an_exception_to_the_lines_behind_it(far, sinks):
    """R-DLV-10, R-DLV-12: the table before the gateway and MX; each way has its port."""
    direct, gateway = sinks(), sinks()
    far.do("setting", "set", "delivery.port", direct.port)
    gateways(far, f"far.example,<dns>\n*,gw.example,{gateway.port}\n")
    send(far, "u@far.example")
    direct.wait_for(1)
    send(far, "u@elsewhere.example")
    gateway.wait_for(1)


def test_delivery_waits_while_the_machine_does_not_own_the_logical_address(far):
    """R-DLV-04, vector 16."""
    far.do("setting", "set", "delivery.logical_ip", "192.0.2.77")
    send(far, "taro@in.example", sender="e@ext.example")
    until(lambda: events(far, service="EPSTDS", kind="system", text="this machine does not own 192.0.2.77: delivery waits"),
          "the wait is in the log")
    assert [row["tries"] for row in far.queue()] == [0] and not far.mail("taro")
    far.do("setting", "set", "delivery.logical_ip", "127.0.0.1")
    far.wait_for_mail("taro")


def test_notification_wishes_travel_on_or_are_answered_here(far, sinks):
    knows, ignores = sinks(extensions=("PIPELINING", "DSN")), sinks(extensions=("PIPELINING",))
    gateways(far, f"knows.example,gw.example,{knows.port}\nignores.example,gw.example,{ignores.port}\n")
    wishes = dict(mail=["RET=HDRS", "ENVID=QQ+2B314159"], rcpt=["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Bob+2B1@old.example"])
    send(far, "bob@knows.example", **wishes)
    knows.wait_for(1)
    (mail,) = [command for command in knows.commands if command.startswith(b"MAIL")]
    assert b" RET=HDRS" in mail and b" ENVID=QQ+2B314159" in mail
    (rcpt,) = [command for command in knows.commands if command.startswith(b"RCPT")]
    assert rcpt.endswith(b" NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2B1@old.example")
    assert not far.mail("taro")
    send(far, "bob@ignores.example", **wishes)
    (report,) = far.wait_for_mail("taro")
    text = report.read_text()
    for line in ("Action: relayed", "Original-Envelope-Id: QQ+314159", "Original-Recipient: rfc822; Bob+1@old.example",
                 "Final-Recipient: rfc822; bob@ignores.example", "Remote-MTA: dns; gw.example"):
        assert line in text, line
    assert b"NOTIFY" not in b"".join(ignores.commands)


def test_a_server_that_speaks_octet_by_octet_and_in_many_lines_gets_its_mail(far, sinks):
    sink = sinks()
    sink.slow = True
    sink.script["connect"] = b"220-sink.test\r\n220-says\r\n220 much"
    sink.script["content"] = b"250-2.0.0 kept\r\n250 2.0.0 and thanked for"
    far.do("setting", "set", "delivery.port", sink.port)
    send(far, ["u@far.example", "v@far.example"])
    sent = until(lambda: len(found := events(far, kind="send")) == 2 and found, "both are in the log")
    assert {line["reply"] for line in sent} == {"250 2.0.0 kept and thanked for"}

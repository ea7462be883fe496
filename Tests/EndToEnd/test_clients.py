"""Clients that are not ours: swaks, curl, Python smtplib, msmtp; plain, STARTTLS, implicit TLS; with and without AUTH."""
import base64
import smtplib
import subprocess

import pytest

from support.mail import message

# A client at this address may not relay by the delivered effect.dat; only authentication lets it.
STRANGER = "127.0.0.2"
PASSWORD = "Secret-1 with blank"
MODES = ["plain", "starttls", "tls"]


@pytest.fixture
def ready(server, dns, sink):
    server.account("taro", PASSWORD)
    server.account("hanako", PASSWORD)
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.do("setting", "set", "delivery.port", sink.port)
    server.do("setting", "set", "receiver.auth_requires_tls", "false")
    return server


def port(server, mode):
    return {"plain": server.port, "starttls": server.submission, "tls": server.smtps}[mode]


def run(*command, stdin=None):
    result = subprocess.run([str(c) for c in command], input=stdin, capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout + result.stderr


def with_smtplib(server, mode, auth, sender, to, tmp_path, tls):
    kind = smtplib.SMTP_SSL if mode == "tls" else smtplib.SMTP
    more = {"context": tls} if mode == "tls" else {}
    with kind("127.0.0.1", port(server, mode), "client.example", timeout=20, source_address=(STRANGER, 0), **more) as client:
        if mode == "starttls":
            client.starttls(context=tls)
        if auth:
            client.login(auth, PASSWORD)
        try:
            client.sendmail(sender, [to], message(sender, to, "smtplib"))
            return 0, ""
        except smtplib.SMTPException as trouble:
            return 1, str(trouble)


def with_swaks(server, mode, auth, sender, to, tmp_path, tls):
    options = {"plain": [], "starttls": ["--tls"], "tls": ["--tls-on-connect"]}[mode]
    if auth:
        options += ["--auth", "PLAIN", "--auth-user", auth, "--auth-password", PASSWORD]
    return run("swaks", "--server", "127.0.0.1", "--port", port(server, mode), "--local-interface", STRANGER,
               "--helo", "client.example", "--from", sender, "--to", to, "--header", "Subject: swaks", "--timeout", 20, *options)


def with_curl(server, mode, auth, sender, to, tmp_path, tls):
    file = tmp_path / "mail.eml"
    file.write_bytes(message(sender, to, "curl").encode())
    scheme = "smtps" if mode == "tls" else "smtp"
    options = [] if mode == "plain" else ["--insecure", "--ssl-reqd"]
    if auth:
        options += ["--user", f"{auth}:{PASSWORD}"]
    return run("curl", "--silent", "--show-error", "--max-time", 20, "--interface", STRANGER, *options,
               f"{scheme}://127.0.0.1:{port(server, mode)}/client.example", "--mail-from", sender, "--mail-rcpt", to,
               "--upload-file", file)


def with_msmtp(server, mode, auth, sender, to, tmp_path, tls):
    config = tmp_path / "msmtprc"
    lines = ["account default", "host 127.0.0.1", f"port {port(server, mode)}", f"source_ip {STRANGER}",
             "domain client.example", f"from {sender}", "timeout 20"]
    if mode == "plain":
        lines.append("tls off")
    else:
        lines += ["tls on", "tls_certcheck off", f"tls_starttls {'on' if mode == 'starttls' else 'off'}"]
    if auth:
        lines += ["auth login", f"user {auth}", f'password "{PASSWORD}"']
    config.write_text("\n".join(lines) + "\n")
    config.chmod(0o600)
    return run("msmtp", "-C", config, to, stdin=message(sender, to, "msmtp").replace("\r\n", "\n"))


CLIENTS = {"smtplib": with_smtplib, "swaks": with_swaks, "curl": with_curl, "msmtp": with_msmtp}


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_delivers_with_and_without_encryption_and_authentication(ready, sink, client, tmp_path, client_tls):
    """One daemon, six ways each: three kinds of connection, as stranger and as authenticated user."""
    local = 0
    for mode in MODES:
        send = CLIENTS[client]
        code, text = send(ready, mode, None, "e@ext.example", "taro@in.example", tmp_path, client_tls)
        assert code == 0, f"{mode}, no AUTH, to an account: {text}"
        local += 1
        ready.wait_for_mail("taro", local)

        code, text = send(ready, mode, None, "e@ext.example", "u@far.example", tmp_path, client_tls)
        assert code != 0, f"{mode}, no AUTH: a stranger relays"
        if client in ("smtplib", "swaks", "msmtp"):
            assert "550" in text and "relaying denied" in text, text

        sent = len(sink.messages)
        code, text = send(ready, mode, "taro@in.example", "taro@in.example", "u@far.example", tmp_path, client_tls)
        assert code == 0, f"{mode}, AUTH, to another domain: {text}"
        got = sink.wait_for(sent + 1)[-1]
        assert (got.sender, got.recipients) == ("taro@in.example", ["u@far.example"])
        assert f"Subject: {client}" in got.text
    trace = ready.mail("taro")[-1].read_text()
    assert "Received: from client.example" in trace


def test_no_password_is_asked_for_in_clear_by_default(server, client_tls):
    server.account("taro", PASSWORD)
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=10) as client:
        client.ehlo()
        assert "auth" not in client.esmtp_features
        assert client.docmd("AUTH PLAIN", "AHRhcm8AeA==")[0] == 538
        client.starttls(context=client_tls)
        client.ehlo()
        assert set(client.esmtp_features["auth"].split()) == {"PLAIN", "LOGIN"}
        client.login("taro@in.example", PASSWORD)


@pytest.mark.parametrize("user,password", [("taro@in.example", "wrong"), ("nobody@in.example", PASSWORD)])
def test_wrong_credentials_get_the_same_answer_whoever_it_is(server, client_tls, user, password):
    server.account("taro", PASSWORD)
    with smtplib.SMTP_SSL("127.0.0.1", server.smtps, "client.example", timeout=10, context=client_tls) as client:
        client.ehlo()
        code, text = client.docmd("AUTH PLAIN", base64.b64encode(f"\0{user}\0{password}".encode()).decode())
        assert code == 535
        assert text.startswith(b"5.7.8")


def test_an_authenticated_user_may_not_use_another_sender(ready, client_tls):
    with smtplib.SMTP_SSL("127.0.0.1", ready.smtps, "client.example", timeout=10, context=client_tls) as client:
        client.login("taro@in.example", PASSWORD)
        code, text = client.mail("hanako@in.example")
        if code == 250:
            code, text = client.rcpt("u@far.example")
        assert code in (550, 553), (code, text)


def test_no_plaintext_survives_starttls(server, client_tls):
    """CVE-2011-0411: what came in the same packet as STARTTLS must not be run inside TLS."""
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=10) as client:
        client.ehlo()
        client.sock.sendall(b"STARTTLS\r\nMAIL FROM:<evil@ext.example>\r\n")
        assert client.getreply()[0] in (220, 501, 503, 554)
        try:
            client.sock = client_tls.wrap_socket(client.sock)
        except OSError:
            return  # closed: as good
        client.file = None
        client.ehlo_resp = client.helo_resp = None
        client.ehlo()
        code, _ = client.rcpt("taro@in.example")
        assert code == 503


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n"])
def test_only_the_real_end_marker_ends_a_message(server, end):
    """SMTP smuggling (CVE-2023-51764 and its kind): nothing behind a false end is a second message."""
    server.account("taro")
    smuggled = (b"MAIL FROM:<ceo@in.example>\r\nRCPT TO:<taro@in.example>\r\nDATA\r\n"
                b"Subject: smuggled\r\n\r\nsmuggled\r\n.\r\n")
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=10) as client:
        client.ehlo()
        client.mail("e@ext.example")
        client.rcpt("taro@in.example")
        client.docmd("DATA")
        client.send(b"Subject: outer\r\n\r\nouter" + end + smuggled)
        code, text = client.getreply()
        assert code in (250, 550, 554, 521), text
        try:
            code, _ = client.docmd("NOOP")
            assert code in (250, 421), "the next reply belongs to NOOP: no second transaction ran"
        except smtplib.SMTPServerDisconnected:
            pass
    server.do("queue", "list")
    for path in server.mail("taro"):
        assert b"Return-Path: <ceo@in.example>" not in path.read_bytes()


def test_japanese_subject_and_utf8_addresses_come_through(server):
    server.account("taro")
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=10) as client:
        client.ehlo()
        text = message(subject="第一の光").encode()
        client.sendmail("用@ext.example", ["taro@in.example"], text, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    (path,) = server.wait_for_mail("taro")
    stored = path.read_bytes()
    assert "Subject: 第一の光".encode() in stored
    assert "Return-Path: <用@ext.example>".encode() in stored


def test_chunking_by_bdat(server):
    server.account("taro")
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=10) as client:
        client.ehlo()
        assert client.has_extn("chunking")
        client.mail("e@ext.example")
        client.rcpt("taro@in.example")
        content = message(subject="bdat", body="a\r\n.\r\nb\r\n").encode()
        client.send(b"BDAT %d\r\n" % 10 + content[:10])
        assert client.getreply()[0] == 250
        client.send(b"BDAT %d LAST\r\n" % len(content[10:]) + content[10:])
        assert client.getreply()[0] == 250
    (path,) = server.wait_for_mail("taro")
    assert path.read_bytes().endswith(b"\n\na\n.\nb\n")


def test_a_large_message_streams_through_unchanged(server, dns, sink):
    body = "".join(f"{n:08d} " + "y" * 60 + "\r\n" for n in range(70_000))  # 4.9 MB
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.account("taro")
    server.do("setting", "set", "delivery.port", sink.port)
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=30) as client:
        client.sendmail("taro@in.example", ["taro@in.example", "u@far.example"], message(body=body))
    (path,) = server.wait_for_mail("taro")
    assert path.read_bytes().endswith(body.replace("\r\n", "\n").encode())
    (got,) = sink.wait_for(1)
    assert got.content.endswith(body.encode())

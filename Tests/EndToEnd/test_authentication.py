"""Authentication: methods, forms of names, and what nobody may learn from the answers."""
import base64
import re
import smtplib
import stat
import subprocess

import pytest

from support import scram
from support.waiting import until

PASSWORD = "Secret-1"
ALL = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]


@pytest.fixture
def connect(server, client_tls):
    """Opens connections with TLS from the first octet, EHLO said."""
    opened = []

    def open_one(source="127.0.0.1", port=None, address="127.0.0.1"):
        client = smtplib.SMTP_SSL(address, port or server.smtps, "client.example", timeout=20, context=client_tls,
                                  source_address=(source, 0))
        opened.append(client)
        client.ehlo()
        return client
    yield open_one
    for client in opened:
        client.close()


def methods(server, *names):
    server.do("setting", "set", "receiver.auth_methods", *names)


def offered(client):
    client.ehlo()
    return client.esmtp_features.get("auth", "").split()


def test_all_methods_work_for_an_account_whose_password_is_set_now(server, connect):
    methods(server, *ALL)
    server.account("taro", PASSWORD)
    client = connect()
    assert offered(client) == ALL
    for name in ("PLAIN", "LOGIN", "CRAM-MD5"):
        client = connect()
        client.user, client.password = "taro@in.example", PASSWORD
        ask = {"PLAIN": client.auth_plain, "LOGIN": client.auth_login, "CRAM-MD5": client.auth_cram_md5}[name]
        assert client.auth(name, ask)[0] == 235, name
    assert scram.login(connect(), "taro@in.example", PASSWORD)[0] == 235
    client = connect()
    assert scram.login(client, "taro", PASSWORD, binding=scram.end_point(client))[0] == 235
    key = server.root / "conf" / "secrets.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert PASSWORD.encode() not in (server.root / "conf" / "store.db").read_bytes()


def test_wrong_proofs_are_refused_alike(server, connect):
    methods(server, *ALL)
    server.account("taro", PASSWORD)
    for user, password in (("taro@in.example", "wrong"), ("nobody@in.example", PASSWORD)):
        answers = set()
        client = connect()
        client.user, client.password = user, password
        with pytest.raises(smtplib.SMTPAuthenticationError) as trouble:
            client.auth("CRAM-MD5", client.auth_cram_md5)
        answers.add((trouble.value.smtp_code, trouble.value.smtp_error.split(b"(ref")[0]))
        code, text = scram.login(connect(), user, password)
        answers.add((code, text.split(b"(ref")[0]))
        assert answers == {(535, b"5.7.8 authentication failed ")}


def test_scram_tells_nothing_about_names(server, connect):
    """Who is not there has a salt like everybody, the same at each question and in each form of the name."""
    methods(server, "PLAIN", "SCRAM-SHA-256")
    server.account("taro", PASSWORD)
    client = connect()
    known, missing = scram.salt(client, "taro@in.example"), scram.salt(client, "nobody@in.example")
    assert len(known[0]) == len(missing[0]) and known[1] == missing[1]
    other = connect()
    assert scram.salt(other, "taro") == known == scram.salt(other, "TARO@in.example")
    assert scram.salt(connect(), "nobody") == missing


def test_a_binding_of_another_connection_is_refused(server, connect):
    methods(server, *ALL)
    server.account("taro", PASSWORD)
    code, text = scram.login(connect(), "taro", PASSWORD, binding=b"\0" * 32)
    assert code == 535, text
    # A client that was made to believe that we offer no binding.
    assert scram.login(connect(), "taro", PASSWORD, header=b"y,,")[0] == 535


def test_an_older_account_gets_its_keys_at_its_next_login_and_loses_them_with_the_method(server, connect):
    server.account("taro", PASSWORD)
    methods(server, *ALL)
    assert scram.login(connect(), "taro", PASSWORD)[0] == 535
    client = connect()
    client.user, client.password = "taro", PASSWORD
    assert client.auth("PLAIN", client.auth_plain)[0] == 235
    until(lambda: scram.login(connect(), "taro", PASSWORD)[0] == 235, "keys were kept")
    # A new password: the old keys do not count.
    server.do("account", "change", "taro@in.example", "--password-stdin", stdin="Other-2\n")
    assert scram.login(connect(), "taro", PASSWORD)[0] == 535
    assert scram.login(connect(), "taro", "Other-2")[0] == 235
    methods(server, "PLAIN")
    assert offered(connect()) == ["PLAIN"]
    methods(server, *ALL)

    def gone():
        return scram.login(connect(), "taro", "Other-2")[0] == 535
    until(gone, "keys of a method that was off are gone")


def test_method_no_and_methods_outside_tls(server, connect):
    """R-SVC-06, R-SVC-11, R-RCV-14."""
    server.account("taro", PASSWORD)
    methods(server, "")
    client = connect()
    assert offered(client) == []
    assert client.docmd("AUTH PLAIN")[0] == 502
    methods(server, "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")
    server.do("setting", "set", "receiver.auth_requires_tls", "false")
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=20) as plain:
        assert offered(plain) == ["CRAM-MD5", "SCRAM-SHA-256"]
        assert plain.docmd("AUTH PLAIN")[0] == 504
        server.do("account", "change", "taro@in.example", "--password-stdin", stdin=PASSWORD + "\n")
        assert scram.login(plain, "taro", PASSWORD)[0] == 235


def test_swaks_by_cram_md5(server):
    methods(server, "CRAM-MD5")
    server.account("taro", PASSWORD)
    result = subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port", str(server.smtps), "--tls-on-connect", "--helo", "client.example",
         "--auth", "CRAM-MD5", "--auth-user", "taro@in.example", "--auth-password", PASSWORD, "--from",
         "taro@in.example", "--to", "taro@in.example", "--timeout", "20"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    server.wait_for_mail("taro")


def test_forms_of_the_login_name(server, connect):
    """R-RCV-16: with domain; without, the domain of the connected address, then the first that has the account."""
    server.do("domain", "add", "second.example", "--address", "127.0.0.9", "--folder", "second")
    server.account("taro", "first-1")
    server.do("account", "add", "taro@second.example", "--password-stdin", stdin="second-2\n")
    server.do("account", "add", "jiro@second.example", "--password-stdin", stdin="second-3\n")
    listener = f"127.0.0.9:{server.smtps}*"
    server.do("setting", "set", "receiver.listen", f"127.0.0.1:{server.port}", f"127.0.0.1:{server.smtps}*", listener)

    def who(user, password, address):
        client = connect(address=address)
        code, text = client.docmd("AUTH PLAIN", base64.b64encode(f"\0{user}\0{password}".encode()).decode())
        if code != 235:
            return None
        return next(d for d in ("in.example", "second.example") if client.mail(f"{user.split('@')[0]}@{d}")[0] == 250)
    until(lambda: server.service("epstrs")["listeners"] and listener in server.service("epstrs")["listeners"], "listens")
    assert who("taro", "first-1", "127.0.0.1") == "in.example"
    assert who("taro", "second-2", "127.0.0.9") == "second.example"
    assert who("taro", "second-2", "127.0.0.1") is None
    assert who("jiro", "second-3", "127.0.0.1") == "second.example"
    assert who("taro@second.example", "second-2", "127.0.0.1") == "second.example"
    assert who("TARO@IN.EXAMPLE", "first-1", "127.0.0.9") == "in.example"


def test_names_and_passwords_are_prepared(server, connect):
    """RFC 4013 with RFC 4616 and RFC 5802: however a keyboard wrote it."""
    methods(server, "PLAIN", "SCRAM-SHA-256")
    typed, prepared = "\uff30\uff41ss-e\u0301\u3000\uff8a\uff9f", "Pass-\u00e9 \u30d1"
    server.account("taro", typed)
    assert scram.login(connect(), "taro", prepared)[0] == 235
    assert scram.login(connect(), "\uff54aro@in.example", prepared)[0] == 235
    assert scram.login(connect(), "taro", typed)[0] == 535, "a client prepares its side itself"
    for password in (typed, prepared):
        answer = base64.b64encode(f"\0taro\0{password}".encode()).decode()
        assert connect().docmd("AUTH PLAIN", answer)[0] == 235
    wrong = base64.b64encode("\0taro\0Pass-e \u30d1".encode()).decode()
    assert connect().docmd("AUTH PLAIN", wrong)[0] == 535


class OpenSSL:
    """`openssl s_client` on the port with TLS: the one common client that tells its exported keying material."""

    def __init__(self, port):
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_3", "-crlf", "-ign_eof", "-keymatexport",
             "EXPORTER-Channel-Binding", "-keymatexportlen", "32"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.exported = None
        assert self.reply()[0] == 220
        self.docmd("EHLO client.example")

    def reply(self):
        text = []
        for line in self.process.stdout:
            found = re.match(rb"\s*Keying material: ([0-9A-F]{64})", line)
            if found:
                self.exported = bytes.fromhex(found.group(1).decode())
            found = re.match(rb"(\d{3})([ -])(.*?)\r?\n", line)
            if found:
                text.append(found.group(3))
                if found.group(2) == b" ":
                    return int(found.group(1)), b"\n".join(text)
        return -1, b""

    def docmd(self, command, argument=""):
        self.process.stdin.write(f"{command} {argument}".rstrip().encode() + b"\n")
        self.process.stdin.flush()
        return self.reply()

    def close(self):
        self.process.kill()
        self.process.communicate()


def test_the_exporter_of_tls_1_3_binds_the_channel(server):
    """RFC 9266, by a client that is not ours."""
    methods(server, "SCRAM-SHA-256-PLUS")
    server.account("taro", PASSWORD)
    first, second = OpenSSL(server.smtps), OpenSSL(server.smtps)
    try:
        assert first.exported and second.exported and first.exported != second.exported
        header = b"p=tls-exporter,,"
        # The binding of another connection, as from somebody in between.
        assert scram.login(first, "taro", PASSWORD, binding=second.exported, header=header)[0] == 535
        assert scram.login(first, "taro", PASSWORD, binding=first.exported, header=header)[0] == 235
        assert first.docmd("MAIL FROM:<taro@in.example>")[0] == 250
    finally:
        first.close(), second.close()

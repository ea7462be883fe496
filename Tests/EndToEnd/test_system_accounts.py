"""Accounts of the system: real PAM modules, and NSS with files of the test's own (nss_wrapper)."""
import os
import smtplib
import subprocess

import pytest

from support.daemon import Daemon

PASSWORD = "Secret-1"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="PAM lets only root ask about others")


@pytest.fixture(scope="module")
def hashed():
    return subprocess.run(["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def server(tmp_path, dns, hashed, monkeypatch):
    users = [f"{name}:{hashed}:{uid}:{gid}:{full}:/home/{name}:/bin/false" for name, uid, gid, full in [
        ("ada", 5001, 5001, "Ada Lovelace,room 1"), ("grace", 5002, 5002, "Grace"), ("stranger", 5003, 5003, ""),
        ("expired", 5004, 5000, "")]]
    passwd, groups = tmp_path / "passwd", tmp_path / "group"
    passwd.write_text("\n".join(["root:x:0:0:root:/root:/bin/bash", *users, ""]))
    groups.write_text("root:x:0:\nmail-users:x:5000:ada,grace\nothers:x:5003:\n")
    for key, value in {"LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": passwd,
                       "NSS_WRAPPER_GROUP": groups}.items():
        monkeypatch.setenv(key, str(value))
    daemon = Daemon(tmp_path, dns.address).start().setup()
    services = tmp_path / "conf" / "pam.d"
    services.mkdir()
    # pam_unix asks for a pause of some two seconds after a failure.
    (services / "epost").write_text("auth required pam_unix.so\naccount required pam_succeed_if.so quiet user != expired\n")
    daemon.do("setting", "set", "receiver.auth_failure_delay", "0")
    daemon.do("setting", "set", "receiver.lock_address_failures", "0")
    daemon.do("setting", "set", "accounts.backend", "system")
    yield daemon
    daemon.stop()


def connect(server, client_tls):
    client = smtplib.SMTP_SSL("127.0.0.1", server.smtps, "client.example", timeout=30, context=client_tls)
    client.ehlo()
    return client


def login(server, client_tls, name, password=PASSWORD, mechanism="PLAIN"):
    with connect(server, client_tls) as client:
        client.user, client.password = name, password
        ask = {"PLAIN": client.auth_plain, "LOGIN": client.auth_login}[mechanism]
        try:
            return client.auth(mechanism, ask)[0]
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code


def test_users_of_the_system_get_mail_and_log_in(server, client_tls):
    client = connect(server, client_tls)

    def rcpt(address):
        client.rset()
        client.mail("sender@far.example")
        return client.rcpt(address)[0]
    # R-DOM-13: without a group nobody is a mail user.
    assert rcpt("ada@in.example") == 550
    assert login(server, client_tls, "ada") == 535
    server.do("setting", "set", "accounts.mail_group", "mail-users")
    assert [rcpt(f"{name}@in.example") for name in ("grace", "expired", "stranger", "nobody", "root")] \
        == [250, 250, 550, 550, 550]
    assert rcpt("ADA@in.example") == 250
    client.data("Subject: hello\r\n\r\nhello\r\n")
    server.wait_for_mail("ada")
    assert login(server, client_tls, "ada") == 235
    assert login(server, client_tls, "ada@in.example", mechanism="LOGIN") == 235
    assert login(server, client_tls, "Grace") == 235
    for name, password in [("ada", "wrong"), ("stranger", PASSWORD), ("expired", PASSWORD),
                           ("nobody", PASSWORD), ("../ada", PASSWORD), ("-ada", PASSWORD), ("ada:x", PASSWORD)]:
        assert login(server, client_tls, name, password, "LOGIN") == 535, name
    for password in ("", PASSWORD + "\0x"):
        assert login(server, client_tls, "ada", password, "LOGIN") in (501, 535)
    # A group that is not there is trouble of ours, and no reason to refuse for good.
    server.do("setting", "set", "accounts.mail_group", "missing")
    assert rcpt("ada@in.example") == 451

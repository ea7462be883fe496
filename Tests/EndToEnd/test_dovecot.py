"""Debian's Dovecot serves our mailboxes by the recipe of docs/dovecot.md."""
import grp
import imaplib
import os
import pathlib
import pwd
import re
import shutil
import signal
import smtplib
import subprocess
import tempfile

import pytest

from support.daemon import BIN, Daemon
from support.ports import free_ports
from support.waiting import until

PASSWORD = "Secret-1"
DOCS = pathlib.Path(__file__).parents[2] / "docs" / "dovecot.md"


class MailServer(Daemon):
    """As a user of its own: Dovecot serves no mailbox of root."""

    def start(self):
        self.log = open(self.root / "epostd.out", "ab")
        self.process = subprocess.Popen(
            [BIN / "epostd", "--root", self.root], stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            user="mail", group="mail", extra_groups=[])
        until(self.answers, "the control socket answers")
        return self


@pytest.fixture
def server(dns):
    if os.geteuid() != 0:
        pytest.skip("Dovecot is started by root")
    root = pathlib.Path(tempfile.mkdtemp(prefix="epost-dovecot-"))
    try:
        owner = pwd.getpwnam("mail")
        os.chown(root, owner.pw_uid, grp.getgrnam("mail").gr_gid)
        daemon = MailServer(root, dns.address).start().setup()
        yield daemon
        daemon.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)


def recipe(server):
    """The configuration as the page shows it, for this daemon."""
    text = re.search(r"```\n(mail_location.*?)```", DOCS.read_text(), re.S).group(1)
    text = text.replace("/usr/local/bin/epost-console", f"{BIN}/epost-console --root {server.root}")
    return text.replace("first_valid_uid = 100", f"first_valid_uid = {pwd.getpwnam('mail').pw_uid}")


@pytest.fixture
def dovecot(server):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="epost-imap-"))
    [port] = free_ports(1)
    (folder / "dovecot.conf").write_text(f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
listen = 127.0.0.1
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
""" + recipe(server))
    process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", folder / "dovecot.conf"], stdin=subprocess.DEVNULL)

    def connect():
        assert process.poll() is None, (folder / "log").read_text()
        try:
            return imaplib.IMAP4("127.0.0.1", port, timeout=20)
        except OSError:
            return None
    until(connect, "Dovecot greets").logout()
    yield connect
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    shutil.rmtree(folder, ignore_errors=True)


def refused(connect, name, password):
    with pytest.raises(imaplib.IMAP4.error) as error:
        connect().login(name, password)
    return str(error.value)


def test_dovecot_serves_our_mailboxes_and_accounts(server, dovecot):
    server.account("ada", PASSWORD, "--limit", "20K", "--no-smtp-auth")
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=20) as client:
        client.sendmail("sender@far.example", ["ada@in.example"], "Subject: hello\r\n\r\n" + "x" * 60 + "\r\n")
    server.wait_for_mail("ada")
    assert "AUTHENTICATIONFAILED" in refused(dovecot, "ada@in.example", "wrong")
    assert "AUTHENTICATIONFAILED" in refused(dovecot, "nobody@in.example", PASSWORD)
    imap = dovecot()
    imap.login("Ada@in.example", PASSWORD)
    assert imap.select()[1] == [b"1"]
    assert b"Subject: hello" in imap.fetch("1", "(RFC822)")[1][0][1]
    imap.store("1", "+FLAGS", r"(\Flagged)")
    assert any(path.name.endswith(":2,FS") for path in server.mail("ada"))

    def figures():
        text = imap.getquotaroot("INBOX")[1][1][0].decode()
        return [int(number) for number in re.search(r"STORAGE (\d+) (\d+)", text).groups()]
    assert figures()[1] == 20
    used = server.json("account", "show", "ada@in.example")
    assert used["usedMessages"] == 1 and figures()[0] == -(-used["usedOctets"] // 1024)
    # What comes in by IMAP counts for us, and what is too much is refused there too.
    body = b"Subject: kept\r\n\r\n" + b"x" * 70 + b"\r\n"
    assert imap.append("INBOX", None, None, body)[0] == "OK"
    assert server.json("account", "show", "ada@in.example")["usedMessages"] == 2
    answer = imap.append("INBOX", None, None, b"Subject: large\r\n\r\n" + b"y\r\n" * 9000)
    assert answer[0] == "NO" and b"OVERQUOTA" in answer[1][0]
    imap.store("1:2", "+FLAGS", r"(\Deleted)")
    imap.expunge()
    assert server.json("account", "show", "ada@in.example")["usedOctets"] == 0 == figures()[0]
    imap.logout()
    # Changes count at once.
    server.do("account", "change", "ada@in.example", "--disable")
    assert "AUTHENTICATIONFAILED" in refused(dovecot, "ada@in.example", PASSWORD)
    server.do("account", "change", "ada@in.example", "--enable", "--password-stdin", stdin="Other-2\n")
    assert "AUTHENTICATIONFAILED" in refused(dovecot, "ada", PASSWORD)
    assert dovecot().login("ada", "Other-2")[0] == "OK"
    # A lock that ends with its release ends this way of logging in too.
    server.do("lock", "add", "ada@in.example")
    assert "AUTHENTICATIONFAILED" in refused(dovecot, "ada", "Other-2")
    server.do("lock", "release", "ada@in.example")
    assert dovecot().login("ada", "Other-2")[0] == "OK"

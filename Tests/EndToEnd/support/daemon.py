"""The built programs in a scratch root."""
import json
import os
import pathlib
import signal
import socket
import subprocess

from .ports import free_ports
from .waiting import until

BIN = pathlib.Path(os.environ["EPOST_BIN"])


class Refused(AssertionError):
    def __init__(self, arguments, result):
        super().__init__(f"epost-console {' '.join(arguments)}: exit {result.returncode}: {result.stderr}{result.stdout}")
        self.result = result


class Daemon:
    def __init__(self, root, dns="127.0.0.1@9"):
        self.root = pathlib.Path(root)
        self.dns = dns
        self.domain = "in.example"
        self.process = None
        self.port, self.submission, self.smtps = free_ports(3)

    # life

    def start(self):
        self.log = open(self.root / "epostd.out", "ab")
        self.process = subprocess.Popen(
            [BIN / "epostd", "--root", self.root], stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        until(self.answers, f"the control socket answers; {self.root / 'epostd.out'}")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"epostd ended with {self.process.returncode}: {(self.root / 'epostd.out').read_text()}")
        return self.run("status").returncode == 0

    def stop(self, seconds=40):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(seconds)
        return self.process.returncode if self.process else None

    def kill(self):
        self.process.kill()
        self.process.wait()

    # commands

    def run(self, *arguments, stdin=None, language="en"):
        return subprocess.run(
            [BIN / "epost-console", "--root", self.root, "--language", language, *map(str, arguments)],
            input=stdin, capture_output=True, text=True, timeout=60)

    def do(self, *arguments, stdin=None):
        result = self.run(*arguments, stdin=stdin)
        if result.returncode != 0:
            raise Refused(arguments, result)
        return result.stdout

    def json(self, *arguments):
        return json.loads(self.do(*arguments, "--json"))

    def setup(self, *more):
        # Free ports of its own: addresses that are set before the set-up are kept by it.
        self.do(
            "setting", "set", "receiver.listen", f"127.0.0.1:{self.port}", f"127.0.0.1:{self.submission}",
            f"127.0.0.1:{self.smtps}*")
        self.do("setting", "set", "receiver.listen_mode", "list")
        self.do(
            "setup", "--domain", self.domain, "--address", "127.0.0.1", "--dns", self.dns,
            "--administrator", f"postmaster@{self.domain}", *more)
        self.greets()
        return self

    def greets(self):
        def greeting():
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as link:
                    return link.recv(512).startswith(b"220")
            except OSError:
                return False
        until(greeting, "EPSTRS greets")

    def account(self, name, password="Secret-1", *more):
        self.do("account", "add", f"{name}@{self.domain}", "--password-stdin", *more, stdin=password + "\n")

    # what can be seen

    def service(self, name):
        listed = self.json("service", "list")
        rows = listed["services"] if isinstance(listed, dict) else listed
        return next(row for row in rows if row["name"] == name)

    def mailbox(self, account, domain=None):
        return self.root / "mail" / (domain or self.domain) / account

    def mail(self, account, domain=None):
        found = []
        for folder in ("new", "cur"):
            place = self.mailbox(account, domain) / folder
            if place.is_dir():
                found += sorted(place.iterdir())
        return found

    def wait_for_mail(self, account, count=1, seconds=20, domain=None):
        return until(lambda: (m := self.mail(account, domain)) if len(self.mail(account, domain)) >= count else None,
                     f"{count} messages for {account}, has {len(self.mail(account, domain))}", seconds)

    def queue(self):
        listed = self.json("queue", "list")
        return listed["rows"] if isinstance(listed, dict) else listed

"""`explain --client` (Simulate) and the session give the same verdict: moment, code, enhanced code and words."""
import itertools
import json
import re
import smtplib
import socket

PASSWORD = "Secret-1"
ACCOUNTS = ["taro", "hanako", "off", "full"]


class Questions:
    """Asks on one connection of the control socket."""

    def __init__(self, server):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(20)
        self.link.connect(str(server.root / "run/control.sock"))
        self.buffer = b""

    def ask(self, **parameters):
        parameters = {name: value for name, value in parameters.items() if value is not None}
        self.link.sendall(json.dumps({"method": "org.epost.Policy.Evaluate", "parameters": parameters}).encode() + b"\0")
        while b"\0" not in self.buffer:
            more = self.link.recv(65536)
            assert more, "the control socket closed"
            self.buffer += more
        answer, self.buffer = self.buffer.split(b"\0", 1)
        answer = json.loads(answer)
        assert "error" not in answer, answer
        return answer["parameters"]


def plain(reply):
    """Without its reference."""
    return re.sub(r" \(ref [^)]*\)", "", reply)


class Wire:
    """What sessions are told; one session for each client and login."""

    def __init__(self, server, tls):
        self.server, self.tls, self.sessions = server, tls, {}

    def session(self, client, login):
        key = client, login
        if key not in self.sessions:
            if login:
                session = smtplib.SMTP_SSL(
                    "127.0.0.1", self.server.smtps, "c.example", timeout=20, context=self.tls, source_address=(client, 0))
                session.login(login, PASSWORD)
            else:
                session = smtplib.SMTP("127.0.0.1", self.server.port, "c.example", timeout=20, source_address=(client, 0))
                session.ehlo()
            self.sessions[key] = session
        return self.sessions[key]

    def verdict(self, client, sender, to, login, size):
        session = self.session(client, login)
        session.rset()
        moment, (code, text) = "MAIL", session.docmd(f"MAIL FROM:<{sender.strip('<>')}>" + (f" SIZE={size}" if size else ""))
        if code == 250:
            moment, (code, text) = "RCPT", session.docmd(f"RCPT TO:<{to}>")
        return moment, plain(f"{code} {text.decode()}")

    def close(self):
        for session in self.sessions.values():
            session.close()


CLIENTS = ["127.0.0.1", "127.0.0.2"]
SENDERS = ["e@ext.example", "taro@in.example", "hanako@in.example", "nobody@in.example", "<>"]
RECIPIENTS = ["hanako@in.example", "off@in.example", "full@in.example", "nobody@in.example", "f@far.example",
              "postmaster@in.example", "Postmaster", "f%far.example@in.example", "taro@[127.0.0.1]"]
# Each table and each level is met by every client, login and sender, and by some of the recipients.
CONFIGURATIONS = {
    "delivered": (None, {}),
    "strict": ("127.0.0.2 norelay,0\n", {"receiver.security_level": "auth_file",
                                         "receiver.sender_trust": "auth_id_envelope"}),
    "closed": ("127.0.0.1 norelay,2\n", {"receiver.security_level": "auth_only", "receiver.max_message_size": "1000"}),
    "only": ("ext.example false\n127.0.0.1 only\n", {"receiver.sender_trust": "auth_id", "receiver.mailbox_quota": "90"}),
}


def differences(server, tls, cases):
    questions, wire = Questions(server), Wire(server, tls)
    found, reasons = [], set()
    for client, sender, to, login, size in cases:
        told = wire.verdict(client, sender, to, login, size)
        asked = questions.ask(client=client, sender=sender, recipient=to, authenticatedID=login, size=size,
                              local="127.0.0.1", isTLS=bool(login), hello="c.example", asksLists=True)
        reasons.add(asked["reason"])
        reply = "250 " if asked["isAccepted"] else plain(asked["reply"])
        if told[0] != asked["moment"] or not told[1].startswith(reply):
            found.append(((client, sender, to, login, size), told, asked["moment"], asked["reply"]))
    wire.close()
    return found, reasons


def test_a_simulation_and_a_session_come_to_the_same(server, client_tls):
    """Some hundred mails under four configurations."""
    for name in ACCOUNTS:
        server.account(name, PASSWORD)
    server.account("postmaster", PASSWORD)
    server.do("account", "change", "off@in.example", "--disable")
    server.do("setting", "set", "receiver.max_errors", 10_000)
    with smtplib.SMTP("127.0.0.1", server.port, "c", timeout=20) as client:
        client.sendmail("e@ext.example", ["full@in.example"], "Subject: x\r\n\r\n" + "y" * 200 + "\r\n")
    server.wait_for_mail("full")
    server.do("account", "change", "full@in.example", "--limit", 100)
    reasons, count = set(), 0
    for name, (table, settings) in CONFIGURATIONS.items():
        if table:
            server.do("table", "set", "effect", "-", stdin=table)
        for key, value in settings.items():
            server.do("setting", "set", key, value)
        combinations = list(itertools.product(CLIENTS, SENDERS, [None, "taro@in.example"]))
        cases = [(client, sender, RECIPIENTS[(place + turn) % len(RECIPIENTS)], login, [None, None, 2000][place % 3])
                 for place, (client, sender, login) in enumerate(combinations) for turn in (0, 4)]
        found, met = differences(server, client_tls, cases)
        assert not found, (name, found[:5])
        reasons |= met
        count += len(cases)
    assert count >= 150
    assert reasons >= {"ok.recipient", "recipient.unknown", "recipient.relay", "recipient.disabled"}, reasons

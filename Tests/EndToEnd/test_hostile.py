"""Peers that mean harm: what they send ends at them, never at the queue and never at others."""
import os
import re
import socket
import ssl
import time

import pytest

from support.waiting import until


class Raw:
    """Octets out, replies in."""

    def __init__(self, port, source="127.0.0.1", hello=True):
        self.link = socket.create_connection(("127.0.0.1", port), 20, (source, 0))
        self.buffer = b""
        assert self.reply().startswith(b"220")
        if hello:
            assert self.say(b"EHLO c.example").startswith(b"250")

    def send(self, octets):
        self.link.sendall(octets)

    def reply(self):
        """One whole reply; empty when the server has closed."""
        while True:
            found = re.match(rb"(?:\d{3}-[^\n]*\r\n)*\d{3} [^\n]*\r\n", self.buffer)
            if found:
                self.buffer = self.buffer[found.end():]
                return found.group()
            try:
                more = self.link.recv(65536)
            except ConnectionError:
                more = b""
            if not more:
                return b""
            self.buffer += more

    def say(self, command):
        self.send(command + b"\r\n")
        return self.reply()

    def until_data(self, recipient=b"taro@in.example"):
        assert self.say(b"MAIL FROM:<e@ext.example>").startswith(b"250")
        assert self.say(b"RCPT TO:<" + recipient + b">").startswith(b"250")

    def close(self):
        self.link.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def memory(server):
    """Resident octets of EPSTRS."""
    pid = server.service("epstrs")["pid"]
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


FALSE_ENDS = [
    b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r.\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n",
    b"\r\r\n.\r\r\n", b"\r\n.\r\r\n", b"\r\n\n.\n\r\n", b"\x0b.\x0b", b"\x85.\x85", b"\r\n.\n\r\n", b"\n\r.\n\r", b"\r\n. \r\n",
    b"\r\n .\r\n", b"\r\n.\t\r\n", b"\xe2\x80\xa8.\xe2\x80\xa8", b"\r\n\r.\r\n", b"\r\n.\x1a\r\n",
    b"\r\n\0.\r", b"\r\n\0.\n", b"\r\n.\r\r\n", b"\n.\r\r\n", b"\r\r.\r\r", b"\n\n.\r\n",
]


def test_no_false_end_of_data_smuggles_a_second_message(server):
    server.account("taro")
    smuggled = (b"MAIL FROM:<admin@in.example>\r\nRCPT TO:<taro@in.example>\r\nDATA\r\n"
                b"Subject: SMUGGLED\r\n\r\nx\r\n.\r\n")
    server.do("setting", "set", "receiver.max_errors", 1000)
    kept = 0
    with Raw(server.port) as raw:
        for end in FALSE_ENDS:
            raw.until_data()
            assert raw.say(b"DATA").startswith(b"354")
            # Dots of the inner message are stuffed as a relay in front of us would do it.
            raw.send(b"Subject: first\r\n\r\nx" + end + smuggled.replace(b"\r\n.\r\n", b"\r\n..\r\n") + b"\r\n.\r\n")
            answer = raw.reply()
            assert answer[:3] in (b"250", b"550"), (end, answer)
            kept += answer.startswith(b"250")
            # One answer and no more: the next command gets its own, and the transaction is over.
            assert raw.say(b"NOOP").startswith(b"250"), end
            assert raw.say(b"DATA").startswith(b"503"), end
    server.wait_for_mail("taro", kept)
    assert len(server.mail("taro")) == kept
    for path in server.mail("taro"):
        head = path.read_bytes().split(b"\n\n", 1)[0]
        assert b"Subject: first" in head and b"SMUGGLED" not in head


def test_what_comes_in_clear_behind_starttls_is_never_read(server, client_tls):
    with Raw(server.port) as raw:
        raw.send(b"STARTTLS\r\nEHLO injected.example\r\nMAIL FROM:<e@ext.example>\r\n")
        assert raw.reply().startswith(b"220")
        link = client_tls.wrap_socket(raw.link)
        link.sendall(b"NOOP\r\n")
        assert link.recv(512).startswith(b"250 2.0.0 ")
        # All that was said before is forgotten, the name too (RFC 3207 §4.2).
        link.sendall(b"MAIL FROM:<e@ext.example>\r\n")
        assert link.recv(512).startswith(b"503")
        link.sendall(b"STARTTLS\r\n")
        assert link.recv(512).startswith(b"503")
        link.close()
    # A port with TLS from the first octet never speaks in clear.
    with socket.create_connection(("127.0.0.1", server.smtps), 20) as link:
        link.sendall(b"EHLO c.example\r\nMAIL FROM:<>\r\n")
        link.settimeout(20)
        heard = b""
        try:
            while more := link.recv(512):
                heard += more
        except ConnectionError:
            pass
        assert b"250" not in heard and b"220" not in heard


def test_octets_of_chunks_are_never_commands(server):
    server.account("taro")
    inner = b"RSET\r\nMAIL FROM:<x@ext.example>\r\n"
    with Raw(server.port) as raw:
        # Refused for its sequence, for its syntax, for its recipients: the octets are eaten each time.
        for command, code in [(b"BDAT %d", b"503"), (b"BDAT %d LAST", b"503"), (b"BDAT %d FIRST", b"501")]:
            raw.send(command % len(inner) + b"\r\n" + inner)
            assert raw.reply().startswith(code), command
            assert raw.say(b"NOOP").startswith(b"250")
        raw.until_data()
        raw.send(b"BDAT %d\r\n" % len(inner) + inner)
        assert raw.reply().startswith(b"250")
        assert raw.say(b"DATA").startswith(b"503"), "DATA must not follow BDAT (RFC 3030 §2)"
        raw.send(b"BDAT 9 LAST\r\n\r\n.\r\nx\r\n\r")
        assert raw.reply().startswith((b"250", b"550"))
        assert raw.say(b"NOOP").startswith((b"250", b"500"))
    for size in [b"-1", b"99999999999999999999", b"18446744073709551615", b"0x10", b"1e3", b""]:
        with Raw(server.port) as raw:
            raw.send(b"BDAT " + size + b"\r\n" + inner)
            heard = raw.reply()
            assert heard.startswith((b"501", b"503", b"552")), (size, heard)
            # A size that nobody can read leaves nothing to go on with: closed, not guessed.
            assert raw.reply() == b"", size


def test_lengths_nul_and_eight_bits(server):
    server.account("taro")
    before = memory(server)
    with Raw(server.port) as raw:
        for command in [
            b"NOOP " + b"x" * 5_000_000, b"MAIL FROM:<" + b"a" * 100_000 + b"@ext.example>",
            b"EHLO " + b"h" * 100_000, b"AUTH PLAIN " + b"A" * 1_000_000,
        ]:
            assert raw.say(command).startswith((b"500", b"501")), command[:20]
        for command in [
            b"MAIL FROM:<" + b"a" * 65 + b"@ext.example>", b"MAIL FROM:<a@" + b"b." * 130 + b"example>",
            b"MAIL FROM:<a@" + b"l" * 64 + b".example>", b"MAIL FROM:<\0@ext.example>", b"MAIL\0FROM:<>", b"\0", b"NO\0OP",
            b"MAIL FROM:<\xff\xfe@ext.example>", b"MAIL FROM:<\x80>", b"\xc3\xa9HLO x", b"MAIL FROM:<a\x01b@ext.example>",
            b"RCPT TO:<taro@in.example>" + b" X=1" * 200, b"MAIL FROM:<> SIZE=" + b"9" * 40, b"VRFY " + b"\x1b[2J",
        ]:
            heard = raw.say(command)
            assert re.match(rb"5\d\d ", heard), (command[:40], heard)
            assert re.fullmatch(rb"[\x20-\x7e]*\r\n", heard), "nothing foreign comes back"
    with Raw(server.port) as raw:
        raw.until_data()
        raw.say(b"DATA")
        line = b"y" * 65_536
        for _ in range(160):  # 10 MiB without a line end
            raw.send(line)
        raw.send(b"\r\n.\r\n")
        assert raw.reply().startswith(b"250")
        raw.until_data()
        raw.say(b"DATA")
        raw.send(b"Subject: \x80\xff\r\n\r\n\xe9\xe8 8 bits stay as they are\r\n.\r\n")
        assert raw.reply().startswith(b"250")
    server.wait_for_mail("taro", 2)
    assert any(b"\xe9\xe8 8 bits" in path.read_bytes() for path in server.mail("taro"))
    assert memory(server) - before < 32 << 20


def trickle(server, count):
    """`count` sessions that trickle: a third says nothing, a third a command octet by octet, a third content."""
    held = []
    for number in range(count):
        raw = Raw(server.port, source=f"127.0.0.1", hello=number % 3 == 2)
        if number % 3 == 2:
            raw.until_data()
            raw.say(b"DATA")
        held.append(raw)
    return held


@pytest.mark.parametrize("count", [
    150, pytest.param(2000, marks=pytest.mark.skipif("EPOST_SLOW" not in os.environ, reason="takes long: EPOST_SLOW=1"))])
def test_sessions_that_trickle_leave_the_others_in_peace(server, count):
    server.account("taro")
    before = memory(server)
    held = trickle(server, count)
    slowest = 0
    for turn in range(10):
        for number, raw in enumerate(held):
            if number % 3:
                raw.send(b"x")
        began = time.monotonic()
        with Raw(server.port) as raw:
            raw.until_data()
            raw.say(b"DATA")
            raw.send(b"Subject: in time\r\n\r\nx\r\n.\r\n")
            assert raw.reply().startswith(b"250")
        slowest = max(slowest, time.monotonic() - began)
    grown = memory(server) - before
    print(f"{count} sessions: slowest of 10 others {slowest:.3f} s, memory +{grown >> 20} MiB")
    for raw in held:
        raw.close()
    assert slowest < (1 if count > 1000 else 5)
    assert grown < (32 << 20) + count * (48 << 10)
    until(lambda: server.json("status") is not None and len(server.mail("taro")) == 10, "all of them arrive")


@pytest.mark.parametrize("tls", [False, True])
def test_the_last_reply_survives_what_the_client_goes_on_to_say(server, tls):
    """Octets that nobody reads would make a reset of the close, and take the reply away."""
    server.do("setting", "set", "receiver.max_errors", 2)
    with socket.create_connection(("127.0.0.1", server.smtps if tls else server.port), 20) as plain:
        link = plain
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            link = context.wrap_socket(plain, suppress_ragged_eofs=False)
        link.sendall(b"FOO\r\nFOO\r\n" + b"NOOP\r\n" * 20_000)
        heard = b""
        while piece := link.recv(65536):
            heard += piece
        assert heard.splitlines()[-1].startswith(b"421 4.7.0 too many errors"), heard[-200:]
        if tls:
            link = link.unwrap()  # close_notify came, and ours goes


@pytest.mark.parametrize("tls", [False, True])
def test_who_talks_on_behind_the_last_reply_is_cut(server, client_tls, tls):
    """By octets, and not only by time: within five seconds this machine could send gigabytes."""
    server.do("setting", "set", "receiver.max_errors", 2)
    with socket.create_connection(("127.0.0.1", server.smtps if tls else server.port), 20) as plain:
        link = client_tls.wrap_socket(plain) if tls else plain
        link.sendall(b"FOO\r\nFOO\r\nFOO\r\n")
        heard = b""
        while piece := link.recv(65536):
            heard += piece
        assert b"421 4.7.0 too many errors" in heard
        with pytest.raises(OSError):
            for _ in range(256):
                link.sendall(b"NOOP\r\n" * 40_000)

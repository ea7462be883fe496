"""Limits and lists of the receiver: who gets in, how much, how fast."""
import smtplib
import socket
import time

from support.dns import A
from support.mail import message, reference
from support.ports import free_ports
from support.waiting import until

TARO = "taro@in.example"


def session(port, source="127.0.0.1", host="127.0.0.1"):
    client = smtplib.SMTP(host, port, "client.example", timeout=20, source_address=(source, 0))
    client.ehlo()
    return client


def sender(port, source):
    """The answer to MAIL from a client address."""
    with session(port, source) as client:
        code, text = client.mail("e@ext.example")
        return code, text.decode()


def test_block_lists_refuse_exempt_and_never_hold_others_up(server, dns):
    """R-RTAB-05, R-RTAB-06, R-RTAB-10, R-RCV-11 to R-RCV-13."""
    server.account("taro")
    dns.lists("127.0.0.2", "zone.test", "127.0.0.4")
    dns.named("127.0.0.3", "friend.ext.example")
    # As large lists say that they refuse the question: no reason to refuse mail.
    dns.lists("127.0.0.6", "zone.test", "127.255.255.254")
    server.do("setting", "set", "receiver.dnsbl_zones", "zone.test", "other.test")
    code, text = sender(server.port, "127.0.0.2")
    assert code == 550 and text.startswith("5.7.1") and "zone.test" in text, (text, dns.queries)
    explained = server.json("explain", reference(text))
    assert explained["reason"] == "sender.dnsbl"
    assert any("zone.test lists 127.0.0.2 (127.0.0.4" in step["finding"] for step in explained["steps"])
    assert "receiver.dnsbl_exempt" in explained["remedy"]
    # The second time it is known already, and the record says for how long.
    asked = len(dns.queries)
    assert sender(server.port, "127.0.0.2")[0] == 550
    assert [name for name, _ in dns.queries[asked:] if name.endswith(".test")] == []
    assert sender(server.port, "127.0.0.6")[0] == 250
    assert sender(server.port, "127.0.0.1")[0] == 250
    assert not any(name.startswith("1.0.0.127.") for name, _ in dns.queries), "the machine itself is not looked up"
    # Not listed: mail comes in, and the trace field has the confirmed name once it is known.

    def named():
        with session(server.port, "127.0.0.3") as client:
            client.sendmail("e@ext.example", [TARO], message())
        server.wait_for_mail("taro")
        return any(b"(friend.ext.example [127.0.0.3])" in path.read_bytes() for path in server.mail("taro"))
    until(named, "the client's name is in the trace field")
    # A list that stays silent delays its own question only.
    dns.records[("5.0.0.127.zone.test", A)] = "SILENT"
    waiting = session(server.port, "127.0.0.5")
    waiting.putcmd("mail", "FROM:<e@ext.example>")
    until(lambda: ("5.0.0.127.zone.test", A) in dns.queries, "the silent list is asked")
    began = time.monotonic()
    assert sender(server.port, "127.0.0.3")[0] == 250
    assert time.monotonic() - began < 3
    waiting.close()
    server.do("setting", "set", "receiver.dnsbl_exempt", "127.0.0.2", "10.*.*.*")
    assert sender(server.port, "127.0.0.2")[0] == 250


def test_sizes_counts_sessions_and_pace(server):
    """R-RTAB-02, R-RTAB-04, R-RTAB-09, R-RCV-24, R-RCV-27, R-RCV-28, R-SVC-19."""
    server.account("taro")
    for key, value in [
        ("max_message_size", 1000), ("max_recipients", 3), ("max_sessions_per_client", 2), ("data_timeout", 1),
        ("min_rate", 1000),
    ]:
        server.do("setting", "set", f"receiver.{key}", value)
    with session(server.port) as client:
        assert client.docmd("MAIL FROM:<e@ext.example> SIZE=1001")[0] == 552
        assert client.docmd("MAIL FROM:<e@ext.example> SIZE=1000")[0] == 250
        answers = [client.rcpt(TARO)[0] for _ in range(4)]
        assert answers == [250, 250, 250, 452]
        client.rset()
        head = "Subject: exact\r\n\r\n"
        exact = head + "x" * (1000 - len(head) - 2) + "\r\n"
        assert client.sendmail("e@ext.example", [TARO], exact) == {}
        client.mail("e@ext.example"), client.rcpt(TARO)
        code, text = client.data(exact + "\r\n")
        assert code == 552 and text.startswith(b"5.3.4")
        assert client.noop()[0] == 250, "what was too much is read and dropped"
    # Sessions of one address; the machine itself is not counted.
    first, second = session(server.port, "127.0.0.9"), session(server.port, "127.0.0.9")
    with socket.create_connection(("127.0.0.1", server.port), 20, ("127.0.0.9", 0)) as third:
        assert third.recv(512).startswith(b"421 4.7.0")
        assert third.recv(512) == b""
    assert sender(server.port, "127.0.0.8")[0] == 250
    first.close(), second.close()
    # Content that trickles.
    slow = session(server.port)
    slow.mail("e@ext.example"), slow.rcpt(TARO), slow.docmd("DATA")
    slow.sock.settimeout(0.2)
    heard = b""
    end = time.monotonic() + 20
    while not heard and time.monotonic() < end:
        slow.sock.sendall(b"x")
        try:
            heard = slow.sock.recv(512)
        except TimeoutError:
            pass
    assert heard.startswith(b"421 4.4.2")
    assert server.json("explain", reference(heard))["reason"] == "content.too-slow"
    # All sessions.
    server.do("setting", "set", "receiver.max_sessions", 1)
    with session(server.port):
        with socket.create_connection(("127.0.0.1", server.port), 20) as more:
            assert more.recv(512).startswith(b"421 4.7.0")


def test_listeners_own_names_and_hidden_addresses(server):
    server.account("taro")
    (extra,) = free_ports(1)
    server.do("domain", "add", "two.example", "--address", "127.0.0.22")
    # R-RCV-02: one listener for every local IPv4 address.
    server.do("setting", "set", "receiver.listen", f"*.*.*.*:{extra}", f"127.0.0.1:{server.port}")

    def greeting(host, port):
        try:
            with socket.create_connection((host, port), 20) as link:
                return link.recv(512).decode()
        except ConnectionError:
            return ""

    # R-DOM-28: the name of the domain that the local address belongs to.
    until(lambda: greeting("127.0.0.22", extra).startswith("220 two.example "), "the second domain greets by its name")
    assert "two.example" not in greeting("127.0.0.1", extra)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.22", server.port)) != 0, "that port is on the other address only"
    # R-RCV-05, R-CLU-19: connected and closed without a word; changes take effect while running.
    hidden = server.root / "conf" / "hiddensmtpip.dat"
    hidden.write_text("127.0.0.22\n127.0.0.1\n")
    until(lambda: greeting("127.0.0.22", extra) == "", "the hidden address says nothing")
    assert greeting("127.0.0.1", extra).startswith("220"), "this machine itself is never hidden (A-55)"
    # A faulty file keeps the last good reading.
    hidden.write_text("127.0.0.22\nnonsense\n")
    until(lambda: "hiddensmtpip.dat:2" in (server.do("log", "search", "hiddensmtpip")), "the fault is in the log")
    assert greeting("127.0.0.22", extra) == ""
    assert server.run("table", "check", "hiddensmtpip").returncode == 1
    hidden.unlink()
    until(lambda: greeting("127.0.0.22", extra).startswith("220"), "shown again")


def test_many_rules_and_aliases_cost_no_speed(server, tmp_path):
    """1,000 lines of effect.dat and 10,000 aliases: look-ups are indexed. The bound is far above what is measured."""
    server.account("taro")
    server.do("setting", "set", "receiver.max_commands", 1000000)

    def seconds():
        """The best of some rounds of 300 senders and recipients, pipelined."""
        octets = b"MAIL FROM:<e@ext.example>\r\nRCPT TO:<taro@in.example>\r\nRSET\r\n" * 300
        times = []
        with session(server.port) as client:
            for _ in range(5):
                began = time.monotonic()
                client.sock.sendall(octets)
                answers = b""
                while answers.count(b"\r\n") < 900:
                    answers += client.sock.recv(65536)
                times.append(time.monotonic() - began)
                assert answers.count(b"250 ") == 900
        return min(times)

    before = seconds()
    aliases = tmp_path / "aliases.tsv"
    aliases.write_text("".join(f"alias{n}@in.example\ttaro@in.example\n" for n in range(10_000)))
    server.do("alias", "import", aliases)
    rules = tmp_path / "effect.dat"
    rules.write_text(
        "#<> default\n" + "".join(f"10.{n // 250}.{n % 250}.* false\ndomain{n}.example false\n" for n in range(500))
        + "127.0.0.1 default\n*.*.*.* norelay\n")
    server.do("table", "set", "effect", rules)
    until(lambda: server.json(
        "explain", "--client", "10.1.7.1", "--from", "e@ext.example", "--to", TARO)["reason"] == "sender.rule", "rules")
    after = seconds()
    print(f"300 recipients: {before * 1000:.1f} ms, with 1,000 rules and 10,000 aliases {after * 1000:.1f} ms")
    assert after < before * 3

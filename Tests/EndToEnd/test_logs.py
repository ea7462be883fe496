"""The logs of the original, what they hold and when; copies for the record."""
import datetime
import re
import smtplib

from support.mail import message
from support.waiting import until


def lines(server, log):
    found = [path for path in (server.root / "log" / log).rglob("*.log")]
    return [line for path in found for line in path.read_text().splitlines()]


def deliver(server, to, sender="e@ext.example", source="127.0.0.1"):
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=30, source_address=(source, 0)) as client:
        client.sendmail(sender, to, message(sender, to[0]))


def test_what_stands_in_which_log(server, sink, dns):
    """R-LOG-03 to R-LOG-07, R-LOG-14 to R-LOG-18, R-DLV-15: vectors 1 to 6 of spec file 12."""
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.do("setting", "set", "delivery.port", sink.port)
    server.account("taro")
    server.account("hanako")
    deliver(server, ["taro@in.example", "hanako@in.example"])
    server.wait_for_mail("hanako")
    deliver(server, ["u@far.example"], sender="taro@in.example")
    sink.wait_for(1)
    sink.script["rcpt"] = b"550 5.1.1 no such user"
    deliver(server, ["nobody@far.example"], sender="taro@in.example")
    server.wait_for_mail("taro", 2)
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=30) as client:
        client.ehlo()
        assert client.mail("no@such.user@at.all")[0] >= 500 or client.rcpt("x@elsewhere.example")[0] == 550
    with smtplib.SMTP("127.0.0.1", server.port, "quits.example", timeout=30) as client:
        client.ehlo()
    time = r"\[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d\]"
    received = until(lambda: len(found := lines(server, "inlog")) == 4 and found, "four recipients in inlog")
    assert re.fullmatch(
        rf"<\w{{14}}@[^>]+>\t{time}\t127\.0\.0\.1\tclient\.example\te@ext\.example\ttaro@in\.example", received[0])
    (sent,) = until(lambda: lines(server, "outlog"), "one line in outlog")
    assert re.fullmatch(
        rf"<\w{{14}}@[^>]+>\t{time}\t127\.0\.0\.1\tmx\.far\.example\ttaro@in\.example\tu@far\.example", sent)
    stored = until(lambda: len(found := lines(server, "outlocallog")) == 3 and found, "three mailboxes in outlocallog")
    senders = [re.fullmatch(rf"\w{{14}}@\S+ sent on {time} from (\S+) to \w+@in\.example", line)[1] for line in stored]
    assert sorted(senders) == ["-", "e@ext.example", "e@ext.example"]
    (failed,) = until(lambda: lines(server, "faillog"), "one line in faillog")
    assert re.fullmatch(
        rf"\w{{14}}@\S+ send fail on {time} from taro@in\.example to nobody@far\.example \[550 5\.1\.1 no such user\]", failed)
    accepted = until(lambda: len(found := lines(server, "acceptlog")) >= 3 and found, "each MAIL FROM in acceptlog")
    assert all(re.fullmatch(rf"{time}\t127\.0\.0\.1\tclient\.example\t\S+\t\d\d\d\t-", line) for line in accepted), accepted
    assert not lines(server, "senderlog") and not [line for line in accepted if "quits" in line]
    days = {path.name for path in (server.root / "log").rglob("2*.log")}
    today = datetime.datetime.now()
    assert days <= {(today - datetime.timedelta(days=n)).strftime("%Y%m%d.log") for n in (0, 1)}


def test_the_reason_is_the_same_in_queue_log_and_report(server, sink, dns):
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.do("setting", "set", "delivery.port", sink.port)
    server.do("setting", "set", "log.sender", "true")
    server.account("taro")
    words = "451 4.7.1 Greylisted, see http://postgrey.example/help"
    sink.script["rcpt"] = words.encode()
    deliver(server, ["u@far.example"], sender="taro@in.example")
    row = until(lambda: next((row for row in server.queue() if row["reply"]), None), "it waits with its reason")
    assert row["reply"] == words
    shown = server.json("queue", "show", row["id"])
    assert shown["recipients"][0]["reply"] == words and "\\x09" not in "".join(shown["header"])
    until(lambda: [line for line in lines(server, "senderlog") if row["id"] in line and line.endswith("s " + words)],
          "the words in senderlog")
    final = "550 5.7.1 Blocked, see https://list.example/?ip=192.0.2.1"
    sink.script["rcpt"] = final.encode()
    server.do("queue", "retry", row["id"])
    (report,) = server.wait_for_mail("taro")
    assert f"Diagnostic-Code: smtp; {final}" in report.read_text()
    until(lambda: [line for line in lines(server, "faillog") if line.endswith(f"[{final}]")], "the words in faillog")


def test_switched_off_logs_do_not_grow(server):
    """R-LOG-01, vector 7: without a restart."""
    server.account("taro")
    for name in ("receive", "send", "accept", "sender", "fail"):
        server.do("setting", "set", f"log.{name}", "false")
    deliver(server, ["taro@in.example"])
    server.wait_for_mail("taro")
    assert not any(lines(server, log) for log in ("inlog", "outlog", "outlocallog", "acceptlog", "senderlog", "faillog"))


def test_mail_is_accepted_while_a_log_cannot_be_written(server):
    """R-LOG-12, vector 8; the lines come when the log can be written again."""
    server.account("taro")
    folder = server.root / "log" / "inlog"
    assert not folder.exists()
    folder.write_text("in the way")
    deliver(server, ["taro@in.example"])
    server.wait_for_mail("taro")
    folder.unlink()
    deliver(server, ["taro@in.example"])
    until(lambda: len(lines(server, "inlog")) == 2, "both lines are there")


def test_copies_for_the_record(server, sink, dns):
    """R-RCV-42, R-LOG-13, vector 9: each copy address one copy, from the null sender; not twice to a recipient; exempt clients."""
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.do("setting", "set", "delivery.port", sink.port)
    for name in ("taro", "hanako", "jiro", "record"):
        server.account(name)
    server.do("setting", "set", "log.copy_addresses", "record@in.example", "archive@far.example")
    server.do("setting", "set", "log.copy_enabled", "true")
    deliver(server, ["taro@in.example", "hanako@in.example", "jiro@in.example"])
    (copy,) = server.wait_for_mail("record")
    assert copy.read_text().startswith("Return-Path: <>\n")
    (far,) = sink.wait_for(1)
    assert (far.sender, far.recipients) == ("", ["archive@far.example"])
    assert server.wait_for_mail("taro")[0].read_text().startswith("Return-Path: <e@ext.example>\n")
    assert len(until(lambda: len(found := lines(server, "inlog")) == 3 and found, "no line for the copies")) == 3
    # The copy address is a recipient anyway; a copy that fails is nobody's business.
    sink.script["rcpt"] = b"550 5.1.1 no such user"
    deliver(server, ["record@in.example"], sender="taro@in.example")
    server.wait_for_mail("record", 2)
    until(lambda: not server.queue(), "the queue is empty")
    assert len(server.mail("record")) == 2 and len(server.mail("taro")) == 1
    server.do("table", "set", "ccdisableip", "-", stdin="' the scanner\n127.0.0.9\n")
    deliver(server, ["jiro@in.example"], source="127.0.0.9")
    server.wait_for_mail("jiro", 2)
    until(lambda: not server.queue(), "the queue is empty")
    assert len(server.mail("record")) == 2

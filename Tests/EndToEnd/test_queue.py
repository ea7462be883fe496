"""What waits: retries, bounces, queue commands, gateway."""
import email
import smtplib

import pytest

from support.mail import message
from support.waiting import until


@pytest.fixture
def relay(server, dns, sink):
    server.account("taro")
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.do("setting", "set", "delivery.port", sink.port)
    return server


def send(server, to, sender="taro@in.example", subject="out"):
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=20) as client:
        client.sendmail(sender, [to] if isinstance(to, str) else to, message(sender, "list", subject))


def waiting(server, state="deferred"):
    return until(lambda: [row for row in server.queue() if row["state"] == state], f"a {state} message; {server.queue()}")


def test_a_temporary_refusal_waits_with_the_remotes_words_and_retry_delivers(relay, sink):
    sink.script["rcpt"] = b"451 4.7.1 greylisted, come back"
    send(relay, "u@far.example")
    (row,) = waiting(relay)
    assert "greylisted" in row["reply"]
    assert row["next"] > row["received"]
    shown = relay.json("queue", "show", row["id"])
    assert shown["recipients"][0]["reply"].startswith("451")
    assert "mx.far.example" in shown["recipients"][0]["route"]
    assert "greylisted" in relay.do("log", "search", row["id"])
    sink.script.clear()
    relay.do("queue", "retry", row["id"])
    sink.wait_for(1)
    until(lambda: not relay.queue(), "the queue is empty")


def test_a_final_refusal_is_reported_to_the_sender_as_rfc_3464(relay, sink):
    sink.script["rcpt:no@far.example"] = b"550 5.1.1 no such person"
    send(relay, ["no@far.example", "yes@far.example"])
    (got,) = sink.wait_for(1)
    assert got.recipients == ["yes@far.example"]
    (path,) = relay.wait_for_mail("taro")
    report = email.message_from_bytes(path.read_bytes())
    assert report["Return-Path"] == "<>"
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    status = next(part for part in report.walk() if part.get_content_type() == "message/delivery-status")
    blocks = status.get_payload()
    assert blocks[0]["Received-From-MTA"] == "dns; client.example ([127.0.0.1])"
    assert blocks[1]["Action"] == "failed"
    assert blocks[1]["Status"].startswith("5.1.1")
    assert "no@far.example" in blocks[1]["Final-Recipient"]
    assert "no such person" in blocks[1]["Diagnostic-Code"]
    until(lambda: not relay.queue(), "the queue is empty")


def test_what_is_known_of_destinations_outlives_a_restart(relay, sink):
    sink.script["rcpt:no@far.example"] = b"550 5.1.1 no such person"
    send(relay, ["no@far.example", "yes@far.example"])
    sink.wait_for(1)
    relay.wait_for_mail("taro")
    before = relay.json("queue", "destinations")
    assert before["causes"][0]["cause"] == "unknown-user"
    relay.do("service", "restart", "epstds")
    after = relay.json("queue", "destinations")
    assert after["causes"] == before["causes"]
    assert (after["destinations"][0]["delivered"], after["destinations"][0]["failed"]) == (1, 1)
    # Two recipients there, and the report here.
    until(lambda: relay.service("epstds")["counters"].get("delivered24h") == 2, "what was delivered is counted on")
    assert relay.service("epstds")["counters"]["failed24h"] == 1


def test_a_report_that_cannot_be_delivered_is_never_reported(relay, sink):
    sink.script["mail"] = b"421 4.3.2 not now"
    relay.account("hanako")
    send(relay, "u@far.example", sender="hanako@in.example")
    (row,) = waiting(relay)
    relay.do("account", "remove", "hanako@in.example")
    relay.do("queue", "bounce", row["id"])
    until(lambda: not relay.queue(), "message and report are both given up")
    assert not sink.messages
    assert relay.mail("taro") == [] and relay.mail("hanako") == []
    assert row["id"] in relay.do("log", "search", row["id"])


def test_hold_release_remove_and_bounce(relay, sink):
    sink.script["mail"] = b"421 4.3.2 not now"
    for subject in ("one", "two", "three"):
        send(relay, "u@far.example", subject=subject)
    until(lambda: len([r for r in relay.queue() if r["state"] == "deferred"]) == 3, "three messages wait")
    one, two, three = sorted(row["id"] for row in relay.queue())
    relay.do("queue", "hold", one)
    assert [r["id"] for r in relay.json("queue", "list", "--state", "held")["rows"]] == [one]
    relay.do("queue", "remove", two)
    relay.do("queue", "bounce", three)
    relay.wait_for_mail("taro")
    until(lambda: [r["id"] for r in relay.queue()] == [one], "one message is left")
    sink.script.clear()
    relay.do("queue", "retry", "--all")
    assert [r["state"] for r in relay.queue()] == ["held"]
    relay.do("queue", "release", one)  # due at once
    sink.wait_for(1)
    result = relay.run("queue", "show", one)
    assert result.returncode == 1 and "no such message" in result.stderr
    assert relay.run("queue", "remove", "NOSUCHID").returncode == 1


def test_everything_goes_to_the_gateway_when_one_is_set(relay, sink, dns):
    relay.do("setting", "set", "server.smtp_gateway", "127.0.0.1")
    relay.do("setting", "set", "server.forward_all_to_gateway", "true")
    asked = len(dns.queries)
    send(relay, "u@nowhere.example")
    (got,) = sink.wait_for(1)
    assert got.recipients == ["u@nowhere.example"]
    assert not any(kind == 15 for _, kind in dns.queries[asked:]), "no MX is looked up"


@pytest.mark.parametrize("records,reason", [
    ({}, "5.1.2"), ({("null.example", 15): [(0, "")]}, "5.1.10"),
])
def test_domains_that_take_no_mail_are_reported_at_once(relay, dns, records, reason):
    dns.records.update(records)
    send(relay, "u@null.example")
    (path,) = relay.wait_for_mail("taro")
    assert f"Status: {reason}" in path.read_text()


def test_the_next_mx_is_tried_when_the_first_does_not_answer(relay, dns, sink):
    dns.mail("two.example", (10, "dead.two.example"), (20, "live.two.example"))
    dns.host("dead.two.example", "127.0.0.9")  # nobody listens there
    dns.host("live.two.example")
    send(relay, "u@two.example")
    sink.wait_for(1)


def test_several_messages_to_one_host_share_a_connection(relay, sink):
    sink.script["mail"] = b"421 4.3.2 not now"
    for n in range(5):
        send(relay, "u@far.example", subject=str(n))
    until(lambda: len([r for r in relay.queue() if r["state"] == "deferred"]) == 5, "five messages wait")
    sink.script.clear()
    before = sink.connections
    relay.do("queue", "retry", "--all")
    sink.wait_for(5)
    assert sink.connections - before < 5


def test_mail_out_is_encrypted_when_the_next_host_offers_it(server, dns, server_tls):
    from support.sink import Sink
    sink = Sink(starttls=server_tls)
    server.account("taro")
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.do("setting", "set", "delivery.port", sink.port)
    send(server, "u@far.example")
    (got,) = sink.wait_for(1)
    assert got.tls
    sink.close()


def test_one_message_to_two_accounts_is_stored_once_for_each(relay):
    """R-DLV-01."""
    relay.account("hanako")
    send(relay, ["taro@in.example", "hanako@in.example"], sender="e@ext.example")
    (one,) = relay.wait_for_mail("taro")
    (two,) = relay.wait_for_mail("hanako")
    assert one.read_bytes().split(b"\n\n", 1)[1] == two.read_bytes().split(b"\n\n", 1)[1]


def test_a_full_mailbox_is_answered_452_at_rcpt(relay):
    relay.do("account", "change", "taro@in.example", "--limit", "4K")
    with smtplib.SMTP("127.0.0.1", relay.port, "client.example", timeout=20) as client:
        client.sendmail("e@ext.example", ["taro@in.example"], message(body="x" * 900 + "\r\n" + "y" * 900 + "\r\n"))
        relay.wait_for_mail("taro")
        client.sendmail("e@ext.example", ["taro@in.example"], message(body="x" * 900 + "\r\n"))
        relay.wait_for_mail("taro", 2)

        def full():
            client.rset()
            client.mail("e@ext.example", ["SIZE=1500"])
            return client.rcpt("taro@in.example")
        code, text = until(lambda: r if (r := full())[0] != 250 else None, "the mailbox is full")
    assert code == 452 and text.startswith(b"4.2.2")

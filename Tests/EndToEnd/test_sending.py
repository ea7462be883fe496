"""What an account may send: limits that hold mail, usage hours, permitted recipients."""
import base64
import smtplib
import time

import pytest

from support.mail import message, reference
from support.waiting import until

PASSWORD = "Secret-1"


@pytest.fixture
def sending(server, dns, sink):
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.do("setting", "set", "delivery.port", sink.port)
    server.account("taro", PASSWORD)
    server.account("postmaster", PASSWORD)
    return server


@pytest.fixture
def taro(sending, client_tls):
    client = smtplib.SMTP_SSL("127.0.0.1", sending.smtps, "client.example", timeout=20, context=client_tls)
    client.login("taro@in.example", PASSWORD)
    yield client
    client.close()


def sender(server, name="taro@in.example"):
    return server.json("sender", "show", name)


def test_past_a_limit_mail_is_held_and_the_administrator_decides(sending, taro, sink):
    sending.do("setting", "set", "receiver.account_messages_hour", 2)
    for number in range(4):
        taro.sendmail("taro@in.example", ["u@far.example"], message("taro@in.example", "u@far.example", f"n{number}"))
    assert len(sink.wait_for(2)) == 2
    shown = sender(sending)
    assert (shown["sender"]["messagesHour"], shown["sender"]["held"], len(shown["held"])) == (4, 2, 2)
    reason = shown["held"][0]["reason"]
    assert "messages within an hour, 2 are allowed" in reason
    session = shown["sessions"][0]
    assert (session["client"], session["messages"], session["held"]) == ("127.0.0.1", 4, 2)
    assert session["mechanism"] in ("PLAIN", "LOGIN")
    held = [row for row in sending.queue() if row["state"] == "held"]
    assert len(held) == 2
    explained = sending.json("explain", reference(held[0]["reply"]))
    assert explained["reason"] == "ok.held" and "receiver.account_messages_hour" in str(explained["steps"])
    assert sending.json("sender", "list")["senders"][0]["sender"] == "taro@in.example"
    # Told: in the log, and by mail to the administrator.
    assert "mail of taro@in.example is held" in sending.do("log", "search", "is held")
    (notice,) = sending.wait_for_mail("postmaster")
    assert "Subject: Held mail of taro@in.example" in notice.read_text()
    sending.do("sender", "release", "taro@in.example")
    assert len(sink.wait_for(4)) == 4
    assert sender(sending)["held"] == []


def test_held_mail_outlives_a_restart_and_can_be_dropped(sending, taro, sink):
    sending.do("setting", "set", "receiver.account_recipients_hour", 1)
    taro.sendmail("taro@in.example", ["u@far.example", "v@far.example"], message("taro@in.example", "u@far.example"))
    sending.do("service", "restart", "epstds")
    sending.do("service", "restart", "epstrs")
    sending.greets()
    assert sender(sending)["sender"]["held"] == 1
    assert sender(sending)["sender"]["recipientsHour"] == 2
    sending.do("sender", "drop", "taro@in.example")
    assert sending.queue() == [] or all(row["sender"] != "taro@in.example" for row in sending.queue())
    assert sink.messages == []
    sending.do("sender", "reset", "taro@in.example")
    assert sender(sending)["sender"]["recipientsHour"] == 0


def test_recipients_never_written_to_before(sending, taro, sink):
    sending.do("setting", "set", "receiver.account_new_recipients_hour", 1)
    for number, to in enumerate(["u@far.example", "u@far.example", "v@far.example", "u@far.example"]):
        taro.sendmail("taro@in.example", [to], message("taro@in.example", to, f"n{number}"))
    assert [m.recipients for m in sink.wait_for(3)] == [["u@far.example"]] * 3
    assert [mail["recipient"] for mail in sender(sending)["held"]] == ["v@far.example"]


def test_mail_from_other_servers_is_never_held(sending):
    sending.do("setting", "set", "receiver.account_messages_hour", 1)
    sending.do("setting", "set", "receiver.address_messages_hour", 1)
    with smtplib.SMTP("127.0.0.1", sending.port, "mx.ext.example", timeout=20, source_address=("127.0.0.2", 0)) as client:
        for number in range(3):
            client.sendmail("e@ext.example", ["taro@in.example"], message(subject=f"n{number}"))
    assert len(sending.wait_for_mail("taro", 3)) == 3


def mailbox(server, name):
    """The folder of an account, made by its first mail."""
    with smtplib.SMTP("127.0.0.1", server.port, "c", timeout=20) as client:
        client.sendmail("e@ext.example", [f"{name}@in.example"], message(to=f"{name}@in.example"))
    server.wait_for_mail(name)
    return server.mailbox(name)


def login(server, tls):
    with smtplib.SMTP_SSL("127.0.0.1", server.smtps, "client.example", timeout=20, context=tls) as client:
        client.ehlo()
        return client.docmd("AUTH PLAIN", base64.b64encode(f"\0taro@in.example\0{PASSWORD}".encode()).decode())


def test_usage_hours(sending, client_tls):
    """R-ACC-40: outside its hours the account can neither authenticate nor send; mail for it comes in."""
    folder = mailbox(sending, "taro")
    today = (time.localtime().tm_wday + 1) % 7
    days = {today, (today + 1) % 7, (today - 1) % 7}  # whatever midnight does to this test
    (folder / "usetime.dat").write_text("".join(f"{day},{0 if day in days else 1},,\n" for day in range(7)))
    code, text = login(sending, client_tls)
    assert code == 535
    assert "usage hours" in str(sending.json("explain", reference(text)))
    with smtplib.SMTP("127.0.0.1", sending.port, "c", timeout=20) as client:
        client.ehlo()
        until(lambda: client.docmd("MAIL FROM:<taro@in.example>")[0] == 550 or (client.rset() and False), "550 at MAIL")
        assert client.mail("e@ext.example")[0] == 250
        assert client.rcpt("taro@in.example")[0] == 250
    (folder / "usetime.dat").write_text("".join(f"{day},1,,\n" for day in range(7)))
    assert login(sending, client_tls)[0] == 235


def test_permitted_recipients(sending, taro):
    """R-ACC-42, spec file 04, vector 19."""
    (mailbox(sending, "taro") / "sender.dat").write_text("*@domain.co.jp\n")

    def answers():
        taro.rset()
        taro.mail("taro@in.example")
        good, bad = taro.rcpt("u@domain.co.jp")[0], taro.rcpt("u@other.jp")
        return (good, bad) if bad[0] == 550 else None
    good, (bad, text) = until(answers, "the restriction is in force")
    assert (good, bad) == (250, 550)
    assert "sender.dat" in str(sending.json("explain", reference(text)))

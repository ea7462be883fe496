"""What would be decided, asked for without a session: the receiver's own checks with what it knows now."""
import smtplib

from support.dns import A
from support.mail import message

TARO = "taro@in.example"


def judged(server, *more, client="127.0.0.9", sender="e@ext.example", to=TARO):
    return server.json("explain", "--client", client, "--from", sender, "--to", to, *more)


def findings(found, check):
    return [step["finding"] for step in found["steps"] if step["check"] == check]


def test_what_a_connection_would_meet_is_told(server):
    server.account("taro")
    found = judged(server)
    assert found["isAccepted"] and found["moment"] == "RCPT"
    assert findings(found, "connect.lock") == ["127.0.0.9 is not locked"]
    server.do("setting", "set", "receiver.max_sessions_per_client", 1)
    with smtplib.SMTP("127.0.0.1", server.port, timeout=20, source_address=("127.0.0.9", 0)) as client:
        client.ehlo()
        found = judged(server)
        assert (found["moment"], found["reason"]) == ("CONNECT", "connect.sessions-per-client")
        assert found["remedy"] == "raise receiver.max_sessions_per_client"
        assert judged(server, client="127.0.0.8")["isAccepted"]
    # Locks, by the table that the receiver follows.
    server.do("lock", "add", "192.0.2.7")
    found = judged(server, client="192.0.2.7")
    assert (found["moment"], found["reason"], found["reply"][:3]) == ("CONNECT", "connect.refused", "554")
    assert found["steps"][-1]["source"] == "rejectsmtpip.dat:1"
    # A hidden address of this machine answers nobody.
    (server.root / "conf/hiddensmtpip.dat").write_text("192.0.2.99\n")
    found = judged(server, "--at", "192.0.2.99", client="192.0.2.8")
    assert (found["reason"], found["reply"], found["steps"][-1]["source"]) == (
        "connect.hidden", "", "hiddensmtpip.dat:1")
    text = server.do("explain", "--client", "192.0.2.8", "--from", "<>", "--to", TARO, "--at", "192.0.2.99")
    assert "closed without a word" in text
    assert judged(server, "--at", "192.0.2.98", client="192.0.2.8")["isAccepted"]


def test_block_lists_are_asked_on_demand_and_mailboxes_looked_at(server, dns):
    server.account("taro")
    server.do("setting", "set", "receiver.dnsbl_zones", "zone.test")
    dns.lists("192.0.2.7", "zone.test", "127.0.0.4")
    name = "7.2.0.192.zone.test"
    found = judged(server, "--no-lists", client="192.0.2.7")
    assert found["isAccepted"] and (name, A) not in dns.queries, "nobody is asked"
    found = judged(server, client="192.0.2.7")
    assert (found["moment"], found["reason"]) == ("MAIL", "sender.dnsbl")
    assert "zone.test" in found["reply"] and (name, A) in dns.queries
    # Known now, and told with its age when it has one.
    assert judged(server, "--no-lists", client="192.0.2.7")["reason"] == "sender.dnsbl"
    # Mail that would not fit.
    server.account("full", "Secret-1", "--limit", "1000")
    with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
        client.ehlo()
        client.sendmail("e@ext.example", ["full@in.example"], message(to="full@in.example"))
    server.wait_for_mail("full")
    assert judged(server, to="full@in.example")["isAccepted"]
    found = judged(server, "--size", "900", to="full@in.example")
    assert (found["moment"], found["reason"], found["reply"][:9]) == ("RCPT", "recipient.mailbox-full", "452 4.2.2")
    assert "of 1000 octets, 900 more are announced" in findings(found, "recipient.quota")[0]


def test_addresses_that_are_not_ascii_and_a_receiver_that_is_stopped(server):
    server.account("taro")
    found = judged(server, sender="花子@ext.example", to="太郎@in.example")
    assert (found["moment"], found["reason"]) == ("RCPT", "recipient.unknown")
    assert found["sender"] == "花子@ext.example" and found["recipient"] == "太郎@in.example"
    assert "<太郎@in.example>" in findings(found, "recipient.class")[0]
    assert judged(server, sender="花子@ext.example")["isAccepted"]
    assert "太郎@in.example" in server.do(
        "explain", "--client", "192.0.2.7", "--from", "花子@ext.example", "--to", "太郎@in.example")
    # People read it in their language; scripts have one.
    told = server.run("explain", "--client", "192.0.2.7", "--from", "e@ext.example", "--to", "x@far.example",
                      language="ja").stdout
    assert "マトリックス IV は認証なしの Ext から Ext を拒否します" in told and "MAIL の前に認証する" in told
    server.do("service", "stop", "epstrs")
    found = judged(server)
    assert found["isAccepted"] and found["steps"][0]["check"] == "connect.receiver"

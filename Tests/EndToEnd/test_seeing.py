"""What the server tells about itself: matrices of rules, replay under a draft, the way of a message."""
import smtplib

from support.waiting import until


def mail(server, sender, to, message_id="<seen@out.example>"):
    with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
        client.ehlo("client.example")
        client.sendmail(sender, [to], f"From: {sender}\r\nMessage-ID: {message_id}\r\n\r\nHello.\r\n")


def test_the_matrix_of_a_client_names_the_deciding_line(server, tmp_path):
    draft = tmp_path / "effect.dat"
    draft.write_text("192.0.2.* default\n*.*.*.* norelay\n203.0.113.1\n")
    found = server.json("explain", "--client", "192.0.2.7", "--effect", draft)
    assert found["client"]["rule"] == {"line": 1, "text": "192.0.2.* default"}
    assert found["others"]["rule"]["line"] == 2
    cells = {(cell["from"], cell["to"]): cell for cell in found["client"]["cells"]}
    assert cells["Int+", "Ext"]["allowed"] and not cells["Ext", "Ext"]["allowed"]
    text = server.do("explain", "--client", "203.0.113.1", "--effect", draft)
    assert "effect.dat:3" in text or "line 2" in text


def test_a_draft_that_opens_a_relay_shows_in_the_replay(server, tmp_path):
    server.account("taro")
    with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
        client.ehlo("client.example")
        client.mail("e@ext.example")
        assert client.rcpt("x@far.example")[0] == 550
    mail(server, "e@ext.example", "taro@in.example")
    draft = tmp_path / "effect.dat"
    draft.write_text("127.0.0.1 true\n")
    until(
        lambda: server.json("replay", "--effect", draft)["examined"] >= 2, "the refusal and the mail are on disk")
    found = server.json("replay", "--effect", draft)
    assert (found["newlyRelayed"], found["newlyRefused"]) == (1, 0)
    assert found["changes"][0]["kind"] == "newly-relayed" and found["changes"][0]["source"] == "effect.dat:1"
    draft.write_text("127.0.0.1 false\n")
    found = server.json("replay", "--effect", draft)
    assert found["newlyRefused"] == 1 and found["newlyRelayed"] == 0


def test_a_message_is_traced_by_its_message_id_and_address(server):
    server.account("taro")
    mail(server, "e@ext.example", "taro@in.example", "<traced@out.example>")
    server.wait_for_mail("taro")

    def found():
        messages = server.json("trace", "traced@out.example")["messages"]
        return messages if messages and messages[0]["lines"][-1]["kind"] == "local" else None

    (message,) = until(found, "the way of the message is in the log")
    assert [line["kind"] for line in message["lines"]] == ["session", "accept", "receive", "local"]
    assert message["lines"][0]["text"] == f"connected to 127.0.0.1:{server.port}"
    assert server.json("trace", message["id"])["messages"][0]["id"] == message["id"]
    assert message["id"] in [each["id"] for each in server.json("trace", "TARO@in.example")["messages"]]


def test_the_busiest_senders_are_all_senders_and_outlive_a_restart(server):
    server.account("taro")
    for sender in ("news@ext.example", "news@ext.example", "one@ext.example"):
        mail(server, sender, "taro@in.example")

    def busiest():
        found = server.json("sender", "list")["busiest"]
        return [(each["sender"], each["messagesHour"]) for each in found] if len(found) == 2 else None
    expected = [("news@ext.example", 2), ("one@ext.example", 1)]
    assert until(busiest, "both are counted") == expected
    server.stop()
    server.start()
    assert until(busiest, "both are counted again") == expected

"""Aliases: from the command line over RCPT to the mailbox, outside, and the error mail."""
import smtplib

from support.mail import message


def send(server, *recipients, sender="e@ext.example"):
    with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
        client.ehlo("client.example")
        client.sendmail(sender, list(recipients), message(sender, recipients[0]))


def test_an_alias_is_accepted_and_its_mail_is_stored_under_the_real_name(server):
    server.account("def-info")
    server.account("taro")
    server.do("alias", "add", "info@in.example", "def-info@in.example")
    server.do("alias", "add", "sales@in.example", "def-info@in.example,1")
    server.do("alias", "add", "*@in.example", "taro@in.example,0")
    send(server, "info@in.example")
    (kept,) = server.wait_for_mail("def-info")
    assert b"\nDelivered-To: info@in.example\n" in kept.read_bytes()
    send(server, "sales@in.example", "Anybody@in.example")
    replaced = server.wait_for_mail("def-info", 2)
    assert any(b"\nDelivered-To: def-info@in.example\n" in path.read_bytes() for path in replaced)
    (caught,) = server.wait_for_mail("taro")
    assert b"\nDelivered-To: Anybody@in.example\n" in caught.read_bytes()


def test_several_real_addresses_inside_and_outside(server, dns, sink):
    """R-ALIAS-16, R-ALIAS-17: all of them, each once; the sender stays; a change counts for the next mail."""
    server.account("taro")
    server.account("hanako")
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.do("setting", "set", "delivery.port", sink.port)
    for target in ("taro@in.example", "more@in.example", "boss@far.example", "keep@far.example,0"):
        server.do("alias", "add", "team@in.example", target)
    server.do("alias", "add", "more@in.example", "hanako@in.example")
    server.do("alias", "add", "more@in.example", "taro@in.example")
    send(server, "team@in.example")
    (got,) = sink.wait_for(1)
    assert sorted(got.recipients) == ["boss@far.example", "team@in.example"]
    assert got.sender == "e@ext.example"
    for name in ("taro", "hanako"):
        (path,) = server.wait_for_mail(name)
        assert b"\nDelivered-To: team@in.example\n" in path.read_bytes()
    found = server.json("alias", "test", "team@in.example")
    assert [place["address"] for place in found["places"]] == [
        "taro@in.example", "hanako@in.example", "boss@far.example", "keep@far.example"]
    assert found["dead"] == [] and len(found["steps"]) >= 8
    # As if it were so already; in Japanese too.
    tried = server.json("alias", "test", "team@in.example", "--with", "team@in.example hanako@in.example,1", "--with",
                        "other@in.example")
    assert [place["envelope"] for place in tried["places"]] == ["hanako@in.example"]
    assert tried["edited"] == ["team@in.example"]
    said = server.do("--language", "ja", "alias", "test", "nobody@in.example")
    assert "nobody@in.example> という名前の" in said and "該当するアドレスがありません" in said
    assert {row["alias"]: row["state"] for row in server.json("alias", "list", "--filter", "more")["rows"]} == {
        "more@in.example": "ok", "team@in.example": "chain"}


def test_a_loop_gives_one_error_mail(server):
    server.account("taro")
    server.do("alias", "add", "a@in.example", "b@in.example")
    server.do("alias", "add", "b@in.example", "a@in.example")
    send(server, "a@in.example", sender="taro@in.example")
    (report,) = server.wait_for_mail("taro")
    assert b"5.4.6" in report.read_bytes()
    assert server.queue() == []
    assert server.json("alias", "test", "a@in.example")["dead"] == [{"address": "a@in.example", "fault": "loop"}]


def test_import_is_all_or_nothing_export_gives_it_back_and_history_undoes_it(server, tmp_path):
    good = tmp_path / "good.txt"
    good.write_bytes(b"info@in.example\tdef-info@in.example\r\n*@in.example\t*@far.example,1\r\n")
    bad = tmp_path / "bad.txt"
    bad.write_text("x@in.example\ty@in.example\nz@in.example\tnothing\nq@other.example\ty@in.example\n")
    refused = server.run("alias", "import", bad)
    assert refused.returncode == 1 and "line/2" in refused.stderr
    assert server.json("alias", "list")["total"] == 0
    assert server.json("alias", "import", "--dry-run", good)["added"] == 2
    assert server.json("alias", "list")["total"] == 0
    server.do("alias", "import", good)
    server.do("alias", "import", good)
    assert server.do("alias", "export", "-") == "*@in.example\t*@far.example,1\ninfo@in.example\tdef-info@in.example\n"
    revision = server.json("history", "list")["revisions"][0]["revision"]
    server.do("history", "revert", revision)
    assert server.json("alias", "list")["total"] == 0
    wrong = server.run("alias", "add", "in*@in.example", "taro@in.example")
    assert wrong.returncode == 1 and "whole account part" in wrong.stderr


def test_a_wildcard_lets_no_unknown_name_relay(server):
    server.account("taro")
    server.do("alias", "add", "*@in.example", "taro@in.example")
    server.do("table", "set", "effect", "-", stdin="*.*.*.* default\n")
    with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
        client.ehlo("client.example")
        client.mail("nobody@in.example")
        assert client.rcpt("x@far.example")[0] == 550
        client.rset()
        client.mail("e@ext.example")
        assert client.rcpt("nobody@in.example")[0] == 250

"""Account control by hand-written files: forwards, automatic replies, loops, and what must not get out."""
import os
import smtplib
import stat

from support.waiting import until

HEAD = "From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@t>\r\n{more}\r\n{body}\r\n"


def send(server, to, sender="u@ext.example", subject="hello", more="", body="Text."):
    with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
        client.ehlo("client.example")
        content = HEAD.format(sender=sender, to=to, subject=subject, more=more, body=body)
        client.sendmail(sender, [to], content.encode())


def control(server, account, text, **files):
    """Files as an editor leaves them, before the first mail of the account."""
    if not (server.mailbox(account)).exists():
        server.account(account)
    folder = server.mailbox(account)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "ims.ctl").write_text(text)
    for name, content in files.items():
        (folder / f"{name}.TXT").write_bytes(content if isinstance(content, bytes) else content.encode())


def outside(server, dns, sink):
    for domain in ("far.example", "ext.example"):
        dns.mail(domain, (10, "mx.far.example"))
    dns.host("mx.far.example")
    server.do("setting", "set", "delivery.port", sink.port)


def settled(server):
    until(lambda: server.queue() == [], "an empty queue")


def texts(server, account):
    return [path.read_bytes() for path in server.mail(account)]


def test_forward_inside_and_outside_and_the_way_back_of_a_report(server, dns, sink):
    """R-DLV-05, R-DLV-09, R-DLV-26."""
    outside(server, dns, sink)
    server.account("hanako")
    control(server, "taro", "[AutoForward]\r\nForwardTo = boss@far.example\r\n[Delivery]\r\nDiscard = Yes\r\n")
    control(server, "jiro", "[AutoForward]\nForwardTo=hanako@in.example\n")
    send(server, "taro@in.example")
    (got,) = sink.wait_for(1)
    assert got.recipients == ["boss@far.example"]
    assert got.sender.startswith("SRS0=") and got.sender.endswith("=ext.example=u@in.example")
    assert "X-Loop: taro@in.example" in got.text
    send(server, "jiro@in.example")
    assert b"X-Loop: jiro@in.example" in server.wait_for_mail("hanako")[0].read_bytes()
    assert b"Return-Path: <u@ext.example>" in texts(server, "hanako")[0]
    assert len(server.wait_for_mail("jiro")) == 1
    assert texts(server, "taro") == []
    # A report to the rewritten sender goes to whom it is about; a forged one goes nowhere.
    with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
        client.sendmail("<>", [got.sender], "Subject: report\r\n\r\nfailed\r\n")
        client.mail("<>")
        assert client.rcpt(got.sender.replace("=u@", "=v@"))[0] == 550
    report = sink.wait_for(2)[1]
    assert (report.sender, report.recipients) == ("", ["u@ext.example"])


def test_report_destinations_permit_list_and_lists_by_file(server, dns, sink, tmp_path):
    """R-CTL-01, 02, 06, 08 to 10, 15, 17; R-DLV-26, R-DOM-16."""
    outside(server, dns, sink)
    targets = tmp_path / "targets.txt"
    targets.write_text("x1@far.example\n# nobody\nx2@far.example\n")
    control(server, "taro", f"[AutoForward]\nForwardTo=fIlE:{targets}\nReportTo=None\nPermitFrom=Yes\n",
            PERMITFROM="ok@ext.example\n*@good.example\n")
    control(server, "jiro", "[AutoForward]\nForwardTo=boss@far.example\nReportTo=Admin\n[Delivery]\nDiscard=1\n")
    send(server, "taro@in.example", sender="other@ext.example")
    server.wait_for_mail("taro")
    send(server, "taro@in.example", sender="OK@ext.example")
    (got,) = sink.wait_for(1)
    assert (got.sender, sorted(got.recipients)) == ("", ["x1@far.example", "x2@far.example"])
    administrator = "chief@in.example"
    server.account("chief")
    server.do("setting", "set", "admin.account", administrator)
    send(server, "jiro@in.example")
    assert sink.wait_for(2)[1].sender == administrator
    # The guard of the original: its mail is kept, Discard or not, and the log says why.
    send(server, "jiro@in.example", sender=administrator)
    server.wait_for_mail("jiro")
    until(lambda: "administrator account" in server.do("log", "search", "not forwarded"), "the guard in the log")
    # A list that cannot be read keeps the mail.
    targets.unlink()
    send(server, "taro@in.example", sender="ok@ext.example", subject="kept")
    server.wait_for_mail("taro", 3)


def test_attachments_and_size(server, dns, sink):
    """R-CTL-11, 12; vectors 7 to 9 of spec file 11."""
    outside(server, dns, sink)
    control(server, "taro", "[AutoForward]\nForwardTo=a@far.example\nDeleteAttach=Yes\n")
    control(server, "jiro", "[AutoForward]\nForwardTo=b@far.example\nSizeLimit=100\n")
    control(server, "none", "[AutoForward]\nForwardTo=c@far.example\nSizeLimit=0\n")
    mime = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n"
    body = ("--b\r\nContent-Type: text/plain\r\n\r\nWords.\r\n--b\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n")
    send(server, "taro@in.example", more=mime, body=body)
    (got,) = sink.wait_for(1)
    assert "Words." in got.text and "JVBERg" not in got.text and "[removed: a.pdf, application/pdf]" in got.text
    send(server, "jiro@in.example", body="\r\n".join("line %04d" % n for n in range(100)))
    cut = sink.wait_for(2)[1].text.replace("\r\n", "\n").split("\n\n", 1)[1]
    assert cut.startswith("line 0000\n") and len(cut) <= 101 and cut.endswith("\n")
    send(server, "none@in.example")
    bare = sink.wait_for(3)[2].text
    assert "Subject: hello" in bare and "Text." not in bare


def test_reply_is_one_per_sender_and_speaks_japanese(server, dns, sink):
    """R-CTL-03 to 05, 19, 20, 26, 31."""
    outside(server, dns, sink)
    text = "休暇中です。\n"
    control(server, "taro", "[AutoReply]\nRecordReplies=Yes\nSubject=休暇のお知らせ\n",
            AUTORPLY=text.encode("iso2022_jp"), NOREPLY="abc@xxx.example\n")
    send(server, "taro@in.example", subject="first")
    (got,) = sink.wait_for(1)
    assert (got.sender, got.recipients) == ("", ["u@ext.example"])
    assert "charset=iso-2022-jp" in got.text and "Auto-Submitted: auto-replied" in got.text
    assert "In-Reply-To: <first@t>" in got.text and "=?utf-8?B?" in got.text
    until(lambda: (server.mailbox("taro") / "REPLIED.TXT").exists(), "REPLIED.TXT")
    assert (server.mailbox("taro") / "REPLIED.TXT").read_text() == "u@ext.example\n"
    for sender, more in (("u@ext.example", ""), ("abc@xxx.example", ""), ("x@ext.example", "Precedence: bulk\r\n"),
                         ("y@ext.example", "List-Id: <l.ext.example>\r\n"), ("<>", ""), ("owner-l@ext.example", ""),
                         ("z@ext.example", "Auto-Submitted: auto-generated\r\n"), ("taro@in.example", "")):
        send(server, "taro@in.example", sender=sender, more=more)
    server.wait_for_mail("taro", 9)
    settled(server)
    assert len(sink.wait_for(1)) == 1
    # 0 days: each mail is answered, as the original does.
    server.do("setting", "set", "delivery.reply_days", 0)
    send(server, "taro@in.example", subject="again")
    assert sink.wait_for(2)[1].recipients == ["u@ext.example"]


def test_no_reply_again_and_the_mail_in_the_reply(server, dns, sink):
    """R-CTL-24, 25 and 27; vectors 12 and 13 of spec file 11, and a reply with the whole mail."""
    outside(server, dns, sink)
    server.do("setting", "set", "delivery.reply_days", 0)
    control(server, "taro", "[AutoReply]\nSubject=once\nNoReplyAgain=Yes\n", AUTORPLY="away\n")
    control(server, "jiro", "[AutoReply]\nSubject=bare\nEchoMessage=Yes\nDeleteHeader=Yes\n", AUTORPLY="away\n")
    control(server, "saru", "[AutoReply]\nSubject=whole\nEchoMessage=Yes\n", AUTORPLY="away\n")
    send(server, "taro@in.example", subject="first")
    sink.wait_for(1)
    until(lambda: (server.mailbox("taro") / "NOREPLY.TXT").exists(), "NOREPLY.TXT")
    assert (server.mailbox("taro") / "NOREPLY.TXT").read_text() == "u@ext.example\n"
    send(server, "taro@in.example", subject="second")
    server.wait_for_mail("taro", 2)
    settled(server)
    send(server, "jiro@in.example", subject="third", body="Words of the mail.")
    bare = sink.wait_for(2)[1].text
    assert "away" in bare and "Words of the mail." in bare and "Message-ID: <third@t>" not in bare
    send(server, "saru@in.example", subject="fourth", body="Words of the mail.")
    whole = sink.wait_for(3)[2].text
    assert "away" in whole and "Words of the mail." in whole and "Message-ID: <fourth@t>" in whole
    assert len(sink.wait_for(3)) == 3


def test_a_kill_while_the_program_has_the_mail_loses_and_doubles_nothing(server, dns, sink, tmp_path):
    """The service dies after the program gave its output and before the delivery is settled: the mail is delivered by
    the next one, once."""
    outside(server, dns, sink)
    died = tmp_path / "died"
    program = tmp_path / "deadly"
    program.write_text(f"#!/bin/sh\ncat\nif [ ! -e {died} ]; then touch {died}; exec kill -9 $PPID; fi\n")
    program.chmod(0o755)
    control(server, "taro",
            f"[AutoForward]\nForwardTo=boss@far.example\n[AutoReply]\nSubject=away\n[Control]\nProgram={program}\n")
    send(server, "taro@in.example")
    (kept,) = server.wait_for_mail("taro", seconds=40)
    until(lambda: len(sink.wait_for(2)) == 2, "forward and reply", 40)
    settled(server)
    assert died.exists() and kept.read_bytes().endswith(b"\nText.\n")
    assert len(texts(server, "taro")) == 1
    assert sorted(one.recipients[0] for one in sink.wait_for(2)) == ["boss@far.example", "u@ext.example"]


def test_what_is_left_out_of_the_files_has_its_default(server, dns, sink):
    """R-CTL-13, 18, 21 to 23, 28, 30 and 36: the section alone answers, with an empty text; one Discard for both parts;
    another sender and another recipient of the reply."""
    outside(server, dns, sink)
    control(server, "bare", "[AutoReply]\n")
    control(server, "desk", "[AutoForward]\nForwardTo=boss@far.example\n[AutoReply]\nReplyFrom=help@in.example\n"
                            "ReplyTo=log@far.example\n[Delivery]\nDiscard=No\n", AUTORPLY="away\n")
    control(server, "gone", "[AutoReply]\nSubject=moved\n[Delivery]\nDiscard=Yes\n", AUTORPLY="away\n")
    send(server, "bare@in.example", subject="question")
    (got,) = sink.wait_for(1)
    head, body = got.text.replace("\r\n", "\n").split("\n\n", 1)
    assert "Subject: Re: question" in head and body.strip() == ""
    send(server, "desk@in.example", subject="second")
    sink.wait_for(3)
    reply = next(mail for mail in sink.wait_for(3) if mail.recipients == ["log@far.example"])
    assert "From: help@in.example" in reply.text.replace("<", "").replace(">", "")
    send(server, "gone@in.example", subject="third")
    assert "Subject: moved" in sink.wait_for(4)[3].text
    settled(server)
    assert [len(texts(server, name)) for name in ("bare", "desk", "gone")] == [1, 1, 0]


def test_robots_and_circles_end(server):
    for one, other in (("r1", "r2"), ("r2", "r1")):
        control(server, one, "[AutoReply]\nSubject=away\n", AUTORPLY="away\n")
    server.do("setting", "set", "delivery.reply_days", 0)
    send(server, "r1@in.example", sender="r2@in.example")
    # One reply; a robot's mail is not answered.
    (reply,) = server.wait_for_mail("r2")
    settled(server)
    assert b"Auto-Submitted: auto-replied" in reply.read_bytes()
    assert (len(texts(server, "r1")), len(texts(server, "r2"))) == (1, 1)
    for one, other in (("c1", "c2"), ("c2", "c3"), ("c3", "c1")):
        control(server, one, f"[AutoForward]\nForwardTo={other}@in.example\n[Delivery]\nDiscard=Yes\n")
    send(server, "c1@in.example")
    (kept,) = server.wait_for_mail("c1")
    settled(server)
    assert kept.read_bytes().count(b"\nX-Loop: ") == 3
    assert texts(server, "c2") == texts(server, "c3") == []


def test_lists_that_answer_themselves_end(server, tmp_path):
    """Two lists by FILE: that hold themselves and each other, all of them and their members with automatic replies."""
    members = {"all": ["all", "back", "r1", "r2"], "back": ["all", "back"]}
    for name, targets in members.items():
        (tmp_path / name).write_text("".join(f"{target}@in.example\n" for target in targets))
        control(server, name, f"[AutoForward]\nForwardTo=FILE:{tmp_path / name}\n[AutoReply]\nSubject=away\n",
                AUTORPLY="away\n")
    for name in ("r1", "r2"):
        control(server, name, "[AutoReply]\nSubject=away\n", AUTORPLY="away\n")
    server.do("setting", "set", "delivery.reply_days", 0)
    send(server, "all@in.example", sender="r1@in.example")
    # Its own copy, and the one that came round over the other list; no more.
    server.wait_for_mail("all", 2)
    settled(server)
    counts = {name: len(texts(server, name)) for name in ("all", "back", "r1", "r2")}
    assert (counts["all"], counts["back"], counts["r2"]) == (2, 1, 1)
    # One as a member; an answer of the list to each of its two copies, of the other list and of the other member.
    assert counts["r1"] == 5
    assert sum(b"Auto-Submitted: auto-replied" in text for text in texts(server, "r1")) == 4


def test_files_are_for_the_service_user(server):
    """0600 and 0700, but for what people read without being root."""
    server.account("taro")
    send(server, "taro@in.example")
    server.wait_for_mail("taro")
    server.do("account", "control", "taro@in.example", "--reply", "--record")
    server.do("account", "file", "taro@in.example", "hours", "--set", "-", stdin="1,1,22:00,06:00\n")
    server.do("table", "set", "effect", "-", stdin="*.*.*.* default\n")
    shared = {"conf", "conf/tls", "conf/effect.dat", "conf/header.dat", "conf/tls/certificate.pem", "run",
              "run/epostd.pid", "log", "epostd.out"}
    logs = {"acceptlog", "denylog", "inlog", "outlog", "outlocallog", "errlog", "events"}
    open_ones = set()
    for path in server.root.rglob("*"):
        name = str(path.relative_to(server.root))
        kind = path.lstat().st_mode
        if name in shared or name.startswith("log/") and name.split("/")[1] in logs:
            assert stat.S_IMODE(kind) & 0o022 == 0, name
        elif stat.S_IMODE(kind) & 0o077:
            open_ones.add(f"{name} {stat.S_IMODE(kind):o}")
    assert open_ones == set()


def test_the_program_filters_within_limits(server, tmp_path):
    def program(name, script):
        path = tmp_path / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        return path
    control(server, "taro", f"[Control]\nProgram={program('tag', 'echo X-Tag: $EPOST_ACCOUNT; cat')}\n")
    control(server, "jiro", f"[Control]\nProgram={program('drop', 'exit 99')}\n")
    control(server, "saru", f"[Control]\nProgram={program('fail', 'cat; exit 3')}\n")
    control(server, "wide", f"[Control]\nProgram={program('wide', 'cat')}\n")
    (tmp_path / "wide").chmod(0o777)
    for account in ("taro", "jiro", "saru", "wide"):
        send(server, f"{account}@in.example")
    assert b"X-Tag: taro@in.example\n" in server.wait_for_mail("taro")[0].read_bytes()
    for account in ("saru", "wide"):
        assert server.wait_for_mail(account)[0].read_bytes().endswith(b"\nText.\n")
    settled(server)
    assert texts(server, "jiro") == []


def test_planted_links_lead_nowhere(server, dns, sink, tmp_path):
    outside(server, dns, sink)
    secret = tmp_path / "secret"
    secret.write_text("[AutoForward]\nForwardTo=thief@far.example\n")
    server.account("taro")
    folder = server.mailbox("taro")
    folder.mkdir(mode=0o700, parents=True)
    (folder / "IMS.CTL").symlink_to(secret)
    send(server, "taro@in.example")
    server.wait_for_mail("taro")
    settled(server)
    (folder / "IMS.CTL").unlink()
    (folder / "IMS.CTL").write_text("[AutoReply]\nRecordReplies=Yes\n")
    (folder / "REPLIED.TXT").symlink_to(secret)
    server.account("another")  # a change by the console: control files are looked at anew at once
    send(server, "taro@in.example", sender="v@ext.example", subject="second")
    sink.wait_for(1)
    settled(server)
    assert "v@ext.example" not in secret.read_text()
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


def test_files_by_command_are_checked_and_in_force_and_the_test_tells_what_would_happen(server, dns, sink):
    outside(server, dns, sink)
    server.account("taro")
    plain = server.json("account", "test", "taro@in.example")
    assert (plain["isStored"], plain["forwardedTo"], plain.get("answered")) == (True, [], None)
    send(server, "taro@in.example")
    server.wait_for_mail("taro")
    text = "[AutoForward]\nForwardTo=boss@far.example\nFuture = kept\n[Delivery]\nDiscard=Yes\n"
    server.do("account", "file", "taro@in.example", "control", "--set", "-", stdin=text)
    path = server.mailbox("taro") / "IMS.CTL"
    assert path.read_text() == text and stat.S_IMODE(path.stat().st_mode) == 0o600
    send(server, "taro@in.example", subject="second")
    (got,) = sink.wait_for(1)
    assert got.recipients == ["boss@far.example"]
    found = server.json("account", "test", "taro@in.example", "--from", "u@ext.example")
    assert (found["isStored"], found["forwardedTo"]) == (False, ["boss@far.example"])
    assert any("SRS" in step["finding"] for step in found["steps"])
    assert "Forwarded to boss@far.example" in server.do("account", "test", "taro@in.example")
    # A list that names nobody is told before it keeps mail back.
    doubtful = server.run("account", "control", "taro@in.example", "--forward-to", "FILE:/nonexistent/list", "--dry-run")
    assert doubtful.returncode == 0 and "cannot be read" in doubtful.stderr
    for file, bad in (("control", "[AutoForward]\nForwardTo=taro@in.example\n"), ("hours", "9,1,,\n"),
                      ("recipients", "nobody\n"), ("../control", "x\n")):
        assert server.run("account", "file", "taro@in.example", file, "--set", "-", stdin=bad).returncode == 1
    server.do("account", "file", "taro@in.example", "hours", "--set", "-", stdin="1,1,22:00,06:00\n")
    assert (server.mailbox("taro") / "usetime.dat").read_text() == "1,1,22:00,06:00\n"
    # Field by field: what is not named stays octet for octet.
    path.write_bytes(b"; mine\r\n[AutoForward]\r\nForwardTo = boss@far.example\r\nFuture = kept\r\n")
    server.do("account", "control", "taro@in.example", "--report-to", "None", "--no-keep")
    assert path.read_bytes() == (b"; mine\r\n[AutoForward]\r\nForwardTo = boss@far.example\r\nFuture = kept\r\n"
                                 b"ReportTo=None\r\n[Delivery]\r\nDiscard=Yes\r\n")
    found = server.json("account", "control", "taro@in.example")
    assert (found["control"]["reportTo"], found["control"]["discard"]) == ("None", True)
    assert server.run("account", "control", "taro@in.example", "--forward-to", "taro@in.example").returncode == 1
    # The history has it, and brings the old file back; not over what somebody wrote by hand since then.
    newest = server.json("history", "list", "--limit", "1")["revisions"][0]
    assert [change["path"] for change in newest["changes"]] == ["file/taro@in.example/IMS.CTL"]
    server.do("history", "revert", newest["revision"])
    assert path.read_bytes() == b"; mine\r\n[AutoForward]\r\nForwardTo = boss@far.example\r\nFuture = kept\r\n"
    newest = server.json("history", "list", "--limit", "1")["revisions"][0]
    path.write_bytes(path.read_bytes() + b"; by hand\r\n")
    refused = server.run("history", "revert", newest["revision"])
    assert refused.returncode == 1 and "IMS.CTL" in refused.stderr
    server.do("account", "file", "taro@in.example", "control", "--set", "-", stdin="")
    assert not path.exists()
    send(server, "taro@in.example", subject="third")
    server.wait_for_mail("taro", 2)

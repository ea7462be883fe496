"""The console against the real daemon, as a newcomer uses it: wizard, account, first mail, seen in the log screen."""
import smtplib
import subprocess
import time
from email.message import EmailMessage

import pytest

from support.daemon import BIN
from support.tmux import Screen

WORDS = {
    "en": {
        "step": "step {} of 6", "confirm": "Nothing has been changed yet", "services": "EPSTRS and EPSTDS and start",
        "done": "Everything is set up.", "server": "SMTP gateway", "manager": "Account manager", "add": "Add an account",
        "log": "follow [on]", "running": "RUNNING", "conflict": "CONFLICT",
        "lost": "No connection to epostd", "again": "Connected to epostd again", "stop": "Stop EPSTRS",
        "stopped": "STOPPED",
    },
    "ja": {
        "step": "ステップ {} / 6", "confirm": "まだ何も変更していません", "services": "今すぐ開始しますか",
        "done": "セットアップが完了しました。", "server": "SMTPゲートウェイ", "manager": "アカウントマネージャ",
        "add": "アカウント追加", "log": "追従 [有効]", "running": "稼働中",
        "conflict": "競合", "lost": "epostd に接続できません", "again": "再接続しました", "stop": "EPSTRS (SMTP受信部) を停止",
        "stopped": "停止",
    },
}


@pytest.fixture
def screen(tmp_path):
    opened = []

    def start(root, language="en", **options):
        opened.append(Screen(tmp_path, root, language, **options))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def early():
    """A question ignores letters and Enter for its first 150 ms, so that typed-ahead keys never answer it."""
    time.sleep(0.25)


def go(console, area, digit=None):
    console.keys("Escape", area)
    if digit:
        console.keys("Escape", digit)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_wizard_account_and_first_mail(empty, screen, language):
    words = WORDS[language]
    # Ports of the test's own: what is set before the wizard is kept by it.
    empty.do("setting", "set", "receiver.listen", f"127.0.0.1:{empty.port}")
    empty.do("setting", "set", "receiver.listen_mode", "list")
    console = screen(empty.root, language)
    console.until(words["step"].format(1))
    console.keys("C-o")
    console.until(words["step"].format(2))
    console.type(empty.dns).keys("C-o")
    console.until(words["step"].format(3))
    console.type("example.jp").keys("Tab").type("127.0.0.1").keys("C-o")
    console.until(words["step"].format(4))
    console.type("postmaster@example.jp").keys("C-o")
    console.until(words["step"].format(5))
    console.keys("C-o")
    console.until(words["step"].format(6), words["confirm"], "example.jp  127.0.0.1")
    assert not empty.json("setting", "list") or "postmaster@example.jp" not in empty.do("setting", "get", "admin.account")
    console.keys("C-o")
    console.until(words["services"])
    early()
    console.keys("C-o")
    console.until(words["done"], seconds=40)
    console.keys("Enter")
    console.until(words["server"])
    empty.greets()

    go(console, "a")
    console.until(words["manager"], "example.jp")
    console.keys("a")
    console.until(words["add"])
    early()
    console.type("taro").keys("Tab").type("Secret-1").keys("C-o")
    console.until("> taro")

    go(console, "m", "3")
    console.until(words["log"])
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ito@example.net", "taro@example.jp", "見積書の件"
    message.set_content("hello\n")
    with smtplib.SMTP("127.0.0.1", empty.port) as link:
        link.send_message(message)
    console.until("ito@example.net -> taro@example.jp", "local")
    assert len(empty.wait_for_mail("taro", domain="example.jp")) == 1


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_change_by_command_appears_and_a_conflict_is_settled(server, screen, language):
    words = WORDS[language]
    console = screen(server.root, language)
    console.until(words["server"])
    server.do("setting", "set", "server.smtp_gateway", "gw1.example.net")
    console.until("[gw1.example.net")
    console.type("x").keys("Tab")
    server.do("setting", "set", "server.smtp_gateway", "gw2.example.net")
    console.keys("C-r")
    console.until(words["conflict"], "gw2.example.net", "gw1.example.netx")
    console.keys("Enter", "Enter", "C-o")  # to "keep mine", press it, apply
    console.until_gone(words["conflict"])
    assert "gw1.example.netx" in server.do("setting", "get", "server.smtp_gateway")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_service_control_is_live_and_asks(server, screen, language):
    words = WORDS[language]
    console = screen(server.root, language)
    console.until(words["server"])
    go(console, "c", "4")
    console.until("EPSTRS", words["running"], "pid")
    console.keys("Enter")
    console.until(words["stop"])
    early()
    console.keys("s")
    console.until("EPSTRS", words["stopped"])
    server.do("service", "start", "epstrs")
    console.until("2/2", seconds=30)


def test_the_console_survives_the_daemon_and_says_so(server, screen):
    words = WORDS["en"]
    console = screen(server.root)
    console.until(words["server"], "RUN 2/2")
    server.kill()
    console.until(words["lost"], "OFFLINE")
    console.type("x").keys("Tab")
    server.start()
    console.until("RUN 2/2", seconds=40)
    console.until("*1")  # what was staged meanwhile is still there


def test_management_password_is_asked_before_the_first_screen(server, screen):
    server.do("setting", "set", "admin.password_hash", "--password-stdin", stdin="open sesame\n")
    console = screen(server.root)
    console.until("asks for its management password")
    assert "SMTP gateway" not in console.text()
    console.type("wrong").keys("Enter")
    console.until("The password is not right.", seconds=30)
    console.type("open sesame").keys("Enter")
    console.until("SMTP gateway", seconds=30)


def test_a_hostile_line_reaches_no_terminal(server, screen):
    console = screen(server.root, columns=132, rows=43)
    console.until("SMTP gateway")
    go(console, "m", "3")
    console.until("follow [on]")
    with smtplib.SMTP("127.0.0.1", server.port) as link:
        link.docmd("HELO", "x")
        link.docmd("MAIL", "FROM:<\x1b[2J\x1b[Hx@evil.example>")
        link.docmd("MAIL", "FROM:<a@example.net>")
        link.docmd("RCPT", "TO:<nobody@in.example>")
    console.until("nobody@in.example")
    assert "Log" in console.text() and "Filter" in console.text()


def test_a_stop_that_waits_for_a_message_holds_up_nothing_else(server, screen):
    """One session is in the middle of its message: the stop waits for it, and lists go on coming meanwhile."""
    server.account("taro")
    console = screen(server.root)
    console.until("SMTP gateway", "RUN 2/2")
    link = smtplib.SMTP("127.0.0.1", server.port)
    link.ehlo()
    link.mail("a@ext.example")
    link.rcpt("taro@in.example")
    assert link.docmd("DATA")[0] == 354
    link.send(b"Subject: x\r\n\r\nhalf of it")
    go(console, "c", "4")
    console.until("EPSTRS", "pid")
    console.keys("Enter")
    console.until("Stop EPSTRS")
    early()
    console.keys("s")
    console.until("stopping")
    go(console, "a")
    console.until("> taro")  # asked for now, while the stop has no answer yet
    go(console, "c", "4")
    console.until("stopping")
    link.send(b"\r\n.\r\n")
    console.until("STOPPED")
    assert len(server.wait_for_mail("taro")) == 1


def test_accounts_go_out_and_come_in_by_files(server, screen, tmp_path):
    server.account("taro")
    console = screen(server.root)
    console.until("SMTP gateway")
    go(console, "a")
    console.until("> taro")
    console.keys("x")
    console.until("Export accounts")
    early()
    console.type(str(tmp_path / "out.tsv")).keys("C-o")
    console.until("1 accounts were written")
    exported = (tmp_path / "out.tsv").read_text()
    assert exported.startswith("taro\t{SCRYPT}")
    (tmp_path / "in.tsv").write_text("hanako\tSecret-2\tSuzuki, Hanako\tother.example\nno password\n")
    console.keys("i")
    console.until("Import accounts into")
    early()
    console.type(str(tmp_path / "in.tsv")).keys("C-o")
    console.until("Type 2 to confirm")
    console.type("2").keys("Tab", "i")
    console.until("1 new accounts, 0 changed, 1 lines skipped", seconds=30)
    assert server.json("account", "show", "hanako@in.example")["fullName"] == "Suzuki, Hanako"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_plain_dialogue_changes_a_setting_and_adds_an_account(server, language):
    """--plain: numbered lines in, sentences out, no control character; the same pages and commands behind it."""
    def number(text, wanted):
        found = [line.split(")")[0] for line in text.splitlines() if wanted in line and line.split(")")[0].isdigit()]
        assert found, f"{wanted} has no number in:\n{text}"
        return found[-1]

    def talk(*lines):
        ran = subprocess.run(
            [BIN / "epost-console", "--root", server.root, "--language", language, "--plain"],
            input="".join(line + "\n" for line in lines), capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        assert "\x1b" not in ran.stdout
        return ran.stdout

    gateway = {"en": "SMTP gateway", "ja": "SMTPゲートウェイ"}[language]
    first = talk("q")
    here = number(first, gateway + ":")
    told = talk(here, "gw.example.net", "a", "q")
    assert "gw.example.net" in told
    assert "gw.example.net" in server.do("setting", "get", "server.smtp_gateway")
    pages = talk("t", "q")
    accounts = number(pages, {"en": "Account manager", "ja": "アカウントマネージャ"}[language])
    actions = talk("t", accounts, "m", "q")
    add = number(actions, {"en": "Add account", "ja": "アカウント追加"}[language])
    dialog = talk("t", accounts, "m", add, "b", "q")
    name = number(dialog, {"en": "Account:", "ja": "アカウント:"}[language])
    password = number(dialog, {"en": "Password:", "ja": "パスワード:"}[language])
    ok = number(dialog, "[ OK ]")
    told = talk("t", accounts, "m", add, name, "taro", password, "Secret-1", ok, "q")
    assert "Secret-1" not in told and "taro" in told
    assert server.json("account", "show", "taro@in.example")["account"] == "taro"

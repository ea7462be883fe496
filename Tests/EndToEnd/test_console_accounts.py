"""The dialogs of one account's files and the page of aliases, against the real daemon."""
import pytest

from support.tmux import Screen
from test_console_screens import early, go, screen  # noqa: F401

WORDS = {
    "en": {"manager": "Account manager", "control": "Mail control (IMS.CTL)", "saved": "is in force",
           "stored": "Stored in the mailbox.", "forwarded": "Forwarded to", "hours": "Usage hours",
           "add": "Add an alias", "staged": "1 staged", "applied": "Applied: 1", "box": "mailbox hanako@in.example"},
    "ja": {"manager": "アカウントマネージャ", "control": "メール制御 (IMS.CTL)", "saved": "保存しました",
           "stored": "メールボックスに保存します。", "forwarded": "転送先:", "hours": "利用時間設定",
           "add": "エイリアスの追加", "staged": "未適用の変更 1件", "applied": "適用", "box": "メールボックス hanako@in.example"},
}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_mail_control_and_hours_of_an_account(server, screen, language):  # noqa: F811
    words = WORDS[language]
    server.account("taro")
    folder = server.mailbox("taro")
    folder.mkdir(mode=0o700, parents=True)
    (folder / "ims.ctl").write_bytes(b"; mine\r\n[Future]\r\nX = 1\r\n")
    console = screen(server.root, language)
    console.until("2/2")
    go(console, "a")
    console.until(words["manager"], "> taro")
    console.keys("c")
    console.until(words["control"], "; mine")
    early()
    console.type("boss@far.example")
    console.until("ForwardTo=boss@far.example")
    console.keys("C-o")
    console.until(words["saved"])
    assert (folder / "ims.ctl").read_bytes() == (
        b"; mine\r\n[Future]\r\nX = 1\r\n[AutoForward]\r\nForwardTo=boss@far.example\r\n")
    console.keys("w")
    console.until(words["stored"], words["forwarded"])
    early()
    console.keys("Escape")
    console.until_gone(words["stored"])
    console.keys("h")
    console.until(words["hours"], "|####")
    early()
    console.keys("Space", "C-o")
    console.until_gone("|####")
    assert (folder / "usetime.dat").read_text() == "0,1,,\n1,0,,\n2,1,,\n3,1,,\n4,1,,\n5,1,,\n6,1,,\n"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_an_alias_is_added_tested_and_applied(server, screen, language):  # noqa: F811
    words = WORDS[language]
    server.account("hanako")
    console = screen(server.root, language)
    console.until("2/2")
    go(console, "c", "6")
    console.keys("a")
    console.until(words["add"])
    early()
    console.type("info").keys("Tab").type("hanako@in.example").keys("C-o")
    console.until(words["staged"], "*info@in.example")
    assert server.json("alias", "list")["total"] == 0
    console.keys("C-o")
    console.until_gone("*info@in.example")
    assert [row["alias"] for row in server.json("alias", "list")["rows"]] == ["info@in.example"]
    console.keys("t")
    console.until("info@in.example -> hanako@in.example", words["box"])

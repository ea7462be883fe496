"""The dialogs of one account's files and the page of aliases, against the real daemon."""
import pytest

from support.tmux import Screen
from test_console_screens import early, go, screen  # noqa: F401

WORDS = {
    "en": {"manager": "Account manager", "control": "Mail control (IMS.CTL)", "saved": "is in force",
           "stored": "Stored in the mailbox.", "forwarded": "Forwarded to", "hours": "Usage hours",
           "add": "Add an alias", "staged": "1 staged", "applied": "Applied: 1", "box": "mailbox hanako@in.example",
           "trial": "With staged changes"},
    "ja": {"manager": "アカウントマネージャ", "control": "メール制御 (IMS.CTL)", "saved": "保存しました",
           "stored": "メールボックスに保存します。", "forwarded": "転送先:", "hours": "利用時間設定",
           "add": "エイリアスの追加", "staged": "未適用の変更 1件", "applied": "適用", "box": "メールボックス hanako@in.example",
           "trial": "未適用の変更を含む結果です"},
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


def test_hand_written_files_show_in_the_list_and_keep_their_character_set(server, screen, tmp_path):  # noqa: F811
    server.account("taro", "Secret-1", "--no-smtp-auth")
    folder = server.mailbox("taro")
    folder.mkdir(mode=0o700, parents=True)
    (tmp_path / "targets").write_text("a@far.example\nb@far.example\n")
    (folder / "Ims.Ctl").write_bytes(
        f"[AutoForward]\r\nForwardTo=FILE:{tmp_path}/targets\r\n[AutoReply]\r\nSubject=休暇\r\n".encode("cp932"))
    (folder / "autoreply.txt").write_bytes("休暇中です。\r\n敬具\r\n".encode("cp932"))
    (folder / "USETIME.DAT").write_text("1,1,22:00,06:00\n")
    (folder / "sender.dat").write_text("*@in.example\n")
    console = screen(server.root, "ja")
    console.until("2/2")
    go(console, "a")
    console.until("> taro", "転応時限", "転送先 2件、自動応答あり")
    console.keys("c")
    console.until("休暇")
    early()
    for _ in range(5):
        console.keys("Tab")
    console.keys("Enter")
    console.until("休暇中です。", "Shift_JIS")
    early()
    console.type("X").keys("C-o")
    console.until_gone("敬具")
    console.keys("C-o")
    console.until(WORDS["ja"]["saved"])
    assert (folder / "autoreply.txt").read_bytes() == "X休暇中です。\r\n敬具\r\n".encode("cp932")


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
    console.keys("t")
    console.until("info@in.example -> hanako@in.example", words["trial"])
    console.keys("Escape")
    console.until_gone(words["trial"])
    console.keys("C-o")
    console.until_gone("*info@in.example")
    assert [row["alias"] for row in server.json("alias", "list")["rows"]] == ["info@in.example"]
    console.keys("t")
    console.until("info@in.example -> hanako@in.example", words["box"])

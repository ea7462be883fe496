"""The one-line commands: exit codes, languages, JSON, history."""
import hashlib
import json
import os
import pathlib
import smtplib
import socket
import stat
import subprocess

import pytest

from support.daemon import BIN
from support.waiting import until as wait_until


def console(*arguments, **environment):
    return subprocess.run([BIN / "epost-console", *map(str, arguments)], capture_output=True, text=True, timeout=30,
                          env={**os.environ, "LC_ALL": "C", **environment})


def test_without_a_daemon_the_code_is_three(tmp_path):
    result = console("--root", tmp_path, "status")
    assert result.returncode == 3
    assert f"epostd --root {tmp_path}" in result.stderr


def test_the_language_follows_locale_and_option(tmp_path):
    assert "起動" in console("--root", tmp_path, "status", LC_ALL="ja_JP.UTF-8").stderr
    assert "起動" in console("--root", tmp_path, "status", LC_ALL="", LC_MESSAGES="ja_JP.UTF-8", LANG="C").stderr
    assert "起動" in console("--root", tmp_path, "status", "--language", "ja").stderr
    assert "Start it" in console("--root", tmp_path, "status", "--language", "en", LC_ALL="ja_JP.UTF-8").stderr


def test_english_needs_no_files(tmp_path):
    alone = tmp_path / "epost-console"
    alone.write_bytes((BIN / "epost-console").read_bytes())
    alone.chmod(0o755)
    result = subprocess.run([alone, "--root", tmp_path, "status"], capture_output=True, text=True, timeout=30,
                            env={**os.environ, "LC_ALL": "ja_JP.UTF-8"})
    assert result.returncode == 3 and "Start it" in result.stderr


@pytest.mark.parametrize("command", [
    ["status"], ["setting", "list"], ["setting", "get", "receiver.port"], ["domain", "list"], ["account", "list", "in.example"],
    ["account", "show", "taro@in.example"], ["service", "list"], ["queue", "list"], ["table", "show", "effect"],
    ["table", "check", "effect"], ["explain", "--client", "127.0.0.1", "--from", "a@b.example", "--to", "taro@in.example"],
    ["log", "tail"], ["log", "search", "EPSTRS"], ["trace", "--since", "1d"], ["history", "list"],
])
def test_every_reading_command_prints_one_json_document_and_text(server, command):
    server.account("taro")
    document = json.loads(server.do(*command, "--json"))
    assert isinstance(document, dict)
    server.do(*command)


def test_the_configuration_by_commands(server):
    server.do("domain", "add", "two.example", "--address", "127.0.0.1", "--folder", "two.example", "--limit", "2")
    names = [domain["name"] for domain in server.json("domain", "list")["domains"]]
    assert names == ["in.example", "two.example"]
    for name in ("a", "b"):
        server.do("account", "add", f"{name}@two.example", "--password-stdin", stdin="x-secret\n")
    result = server.run("account", "add", "c@two.example", "--password-stdin", stdin="x-secret\n")
    assert result.returncode == 1 and "2" in result.stderr  # R-ACC-12
    server.do("account", "change", "a@two.example", "--full-name", "Yamada, Taro", "--limit", "10M", "--no-smtp-auth")
    shown = server.json("account", "show", "a@two.example")
    assert (shown["fullName"], shown["mailboxLimit"], shown["smtpAuth"]) == ("Yamada, Taro", 10 << 20, False)
    server.do("account", "remove", "a@two.example")
    assert [row["account"] for row in server.json("account", "list", "two.example")["rows"]] == ["b"]
    server.do("domain", "change", "two.example", "--limit", "0")
    server.do("domain", "remove", "two.example")
    assert [d["name"] for d in server.json("domain", "list")["domains"]] == ["in.example"]


def test_a_removed_account_comes_back_by_history(server):
    server.account("taro", "Secret-1")
    server.do("account", "remove", "taro@in.example")
    newest = server.json("history", "list")["revisions"][0]
    assert newest["changes"][0]["path"] == "account/taro@in.example"
    server.do("history", "revert", newest["revision"], "--note", "a mistake")
    assert server.json("account", "show", "taro@in.example")["isEnabled"]


def test_bad_values_are_refused_with_their_place_and_nothing_changes(server):
    before = server.json("setting", "list")
    result = server.run("setting", "set", "delivery.threads", "0")
    assert result.returncode == 1
    assert "delivery.threads" in result.stderr
    result = server.run("setting", "set", "no.such_setting", "1")
    assert result.returncode == 1 and "no.such_setting" in result.stderr
    result = server.run("account", "add", "bad name@in.example", "--password-stdin", stdin="x\n")
    assert result.returncode == 1
    result = server.run("account", "add", "taro@other.example", "--password-stdin", stdin="x\n")
    assert result.returncode == 1
    assert server.json("setting", "list") == before


def test_a_table_with_faults_replaces_nothing(server, tmp_path):
    good = server.do("table", "show", "effect")
    assert "*.*.*.* norelay" in good and "::/0 norelay" in good
    bad = tmp_path / "effect.dat"
    bad.write_text(good + "999.1.1.1 default\n")
    result = server.run("table", "set", "effect", bad)
    assert result.returncode == 1
    assert f"effect.dat:{good.count(chr(10)) + 1}" in result.stderr
    assert server.do("table", "show", "effect") == good
    bad.write_text(good.replace("127.0.0.1 default", "127.0.0.1 default\n192.0.2.0/24 true"))
    server.do("table", "set", "effect", bad)
    assert server.json("explain", "--client", "192.0.2.9", "--from", "e@ext.example", "--to", "u@far.example")["isAccepted"]


def test_a_table_edited_by_hand_takes_effect_and_a_broken_one_keeps_the_last_good_reading(server):
    from support.waiting import until
    path = server.root / "conf" / "effect.dat"
    good = path.read_text()
    asked = ("explain", "--client", "198.51.100.1", "--from", "e@ext.example", "--to", "u@far.example")
    assert not server.json(*asked)["isAccepted"]
    path.write_text("198.51.100.1 true\n" + good)
    until(lambda: server.json(*asked)["isAccepted"], "the edited table is in force")
    path.write_text("this is no rule at all 999.999\n")
    until(lambda: server.run("table", "check", "effect").returncode == 1, "the broken table was looked at")
    assert server.json(*asked)["isAccepted"], "a table with errors never replaces the last good reading"


def test_explain_tries_a_table_without_setting_it(server, tmp_path):
    other = tmp_path / "other.dat"
    other.write_text("198.51.100.1 true\n*.*.*.* norelay\n")
    asked = ("explain", "--client", "198.51.100.1", "--from", "e@ext.example", "--to", "u@far.example")
    assert not server.json(*asked)["isAccepted"]
    assert server.json(*asked, "--effect", other)["isAccepted"]
    assert not server.json(*asked)["isAccepted"]


def test_accounts_are_imported_and_exported(server, tmp_path):
    # R-ACC-46 to R-ACC-50; test vectors 4 and 5 of spec file 03.
    table = tmp_path / "accounts.tsv"
    table.write_bytes(
        "taro\tSecret1\t山田 太郎\tin.example\t\t1\t0\t1048576\r\n"
        "bad name\tSecret\t\tin.example\r\n"
        "hanako\tSecret2\tSuzuki, Hanako\telsewhere.example\t\t0\t0\t0\t1\t1\r\n".encode("cp932"))
    result = server.run("account", "import", table)
    assert result.returncode == 1
    assert result.stdout == "1 added, 0 updated, 2 lines skipped.\n"
    assert "line 2, column 1: " in result.stderr and "line 3, column 4: " in result.stderr
    shown = server.json("account", "show", "taro@in.example")
    assert (shown["fullName"], shown["smtpAuth"], shown["mailboxLimit"]) == ("山田 太郎", True, 1048576)
    result = server.run("account", "import", "--domain", "in.example", table)
    assert result.stdout == "1 added, 1 updated, 1 lines skipped.\n"
    copy = tmp_path / "copy.tsv"
    server.do("account", "export", copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert "Secret1" not in copy.read_text()
    for name in ("taro", "hanako"):
        server.do("account", "remove", f"{name}@in.example")
    assert server.do("account", "import", copy) == "2 added, 0 updated, 0 lines skipped.\n"
    assert server.json("account", "show", "taro@in.example")["fullName"] == "山田 太郎"
    assert server.do("account", "export", "-", "--domain", "in.example") == copy.read_text()


def test_a_self_signed_certificate_is_made_shown_and_taken_back(server, client_tls):
    """R-SSL-04, R-SSL-05: the new pair is served without a restart, the old files stay, History goes back."""
    def served():
        with client_tls.wrap_socket(socket.create_connection(("127.0.0.1", server.smtps), 10)) as connection:
            return hashlib.sha256(connection.getpeercert(binary_form=True)).hexdigest()

    first = server.json("certificate", "show")
    assert first["keyMatches"] and first["certificate"]["isSelfSigned"] and first["certificate"]["daysLeft"] > 3600
    assert "in.example" in first["certificate"]["names"]
    assert served() == first["certificate"]["fingerprint"]
    server.do("certificate", "make")
    second = server.json("certificate", "show")
    assert second["certificateFile"] != first["certificateFile"]
    assert pathlib.Path(first["certificateFile"]).exists() and second["keyMatches"]
    assert stat.S_IMODE(os.stat(second["privateKeyFile"]).st_mode) == 0o600
    wait_until(lambda: served() == second["certificate"]["fingerprint"], "the new certificate is served")
    server.do("history", "revert", str(server.json("history", "list")["revisions"][0]["revision"]))
    assert server.json("certificate", "show")["certificateFile"] == first["certificateFile"]


def test_used_space_is_told_for_accounts_without_a_limit_too(server):
    server.account("taro")
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.sendmail("a@ext.example", ["taro@in.example"], "Subject: x\r\n\r\nhello\r\n")
    server.wait_for_mail("taro")
    wait_until(
        lambda: server.json("account", "show", "taro@in.example")["usedMessages"] == 1, "the mailbox is counted")


def test_help_speaks_the_readers_language(tmp_path):
    japanese = console("account", "add", "--help", LC_ALL="ja_JP.UTF-8").stdout
    assert japanese.startswith("概要: アカウントを追加します。") and "オプション:" in japanese
    assert "このルートで起動したデーモンに接続します。" in japanese and "--password-stdin" in japanese
    assert "(値: en, ja)" in japanese
    assert console("queue", "--help", "--language", "ja").stdout.startswith("概要:")
    assert console("account", "add", "--help", "--language", "en", LC_ALL="ja_JP.UTF-8").stdout.startswith("OVERVIEW:")

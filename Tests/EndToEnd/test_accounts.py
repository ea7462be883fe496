"""Accounts as a whole: import and synchronisation by file, protected domains."""
import json
import os
import smtplib
import socket
import subprocess
import time

from support.mail import message
from support.terminal import Terminal
from support.waiting import until



class Link:
    """A control connection that is not ours."""

    def __init__(self, server):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(server.root / "run" / "control.sock"))

    def call(self, method, **parameters):
        self.socket.sendall(json.dumps({"method": method, "parameters": parameters}).encode() + b"\0")
        answer = b""
        while not answer.endswith(b"\0"):
            part = self.socket.recv(1 << 16)
            assert part, "the daemon closed the connection"
            answer += part
        return json.loads(answer[:-1])

    def code(self, method, **parameters):
        return self.call(method, **parameters).get("parameters", {}).get("code", "")


def can_log_in(server, name, password):
    with smtplib.SMTP("127.0.0.1", server.submission, timeout=20) as client:
        client.starttls()
        try:
            client.login(f"{name}@{server.domain}", password)
            return True
        except smtplib.SMTPAuthenticationError:
            return False


def test_an_import_is_whole_or_not_at_all_and_its_passwords_work_at_once(server, tmp_path):
    file = tmp_path / "in.tsv"
    file.write_bytes("".join(f"u{n}\tSecret-{n}\t山田 {n}\t\t\t1\t0\t0\r\n" for n in range(120)).encode("shift_jis"))
    before = server.json("history", "list")["revisions"][0]["revision"]
    assert "120 added" in server.do("account", "import", "--domain", server.domain, file)
    assert server.json("history", "list")["revisions"][0]["revision"] == before + 1
    assert server.json("account", "show", f"u7@{server.domain}")["fullName"] == "山田 7"
    assert can_log_in(server, "u119", "Secret-119") and not can_log_in(server, "u119", "Secret-118")
    file.write_text("new\tSecret-1\t\t\nu1\tSecret-1\tX\t\t\tx\n")
    refused = server.run("account", "import", "--strict", "--domain", server.domain, file)
    assert refused.returncode == 1 and "line 2, column 6" in refused.stderr
    assert server.run("account", "show", f"new@{server.domain}").returncode == 1
    # No clear password is in any file of the server.
    for path in (server.root / "conf").rglob("*"):
        if path.is_file():
            assert b"Secret-1" not in path.read_bytes(), path


def test_postmaster_is_nobody_before_it_is_made(server):
    """R-ACC-01, R-ACC-02; vectors 6 and 7 of spec file 03, and an alias of that name."""
    def answer():
        with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=20) as client:
            client.ehlo("client.example")
            client.mail("e@ext.example")
            return client.rcpt("postmaster@in.example")[0]
    server.account("taro")
    assert answer() == 550
    server.do("alias", "add", "postmaster@in.example", "taro@in.example")
    assert answer() == 250
    server.do("alias", "remove", "postmaster@in.example")
    assert answer() == 550
    made = server.run("account", "add", "postmaster@in.example", "--password-stdin", stdin="Secret-1\n")
    assert made.returncode == 0 and "postmaster" in made.stderr
    assert answer() == 250


def test_the_last_login_is_shown(server):
    server.account("taro")
    assert server.json("account", "show", f"taro@{server.domain}").get("lastLogin") is None
    begun = time.time() * 1000
    assert can_log_in(server, "taro", "Secret-1") and not can_log_in(server, "taro", "wrong")
    shown = until(
        lambda: (found := server.json("account", "show", f"Taro@{server.domain}")).get("lastLogin") and found,
        "the login is noted")
    assert begun - 1000 <= shown["lastLogin"] <= time.time() * 1000 and shown["lastClient"] == "127.0.0.1"
    assert server.json("account", "list", server.domain)["rows"][0]["lastLogin"] == shown["lastLogin"]


def test_links_planted_in_the_mail_folder_lead_nowhere_and_files_are_private(server, tmp_path):
    for name in ("taro", "hanako"):
        server.account(name)
    outside = tmp_path / "outside"
    for folder in ("new", "cur", "tmp"):
        (outside / folder).mkdir(parents=True)
    (outside / "usetime.dat").write_text("".join(f"{day},0,,\n" for day in range(7)))
    domain = server.root / "mail" / server.domain
    domain.mkdir(mode=0o700, exist_ok=True)
    (domain / "taro").symlink_to(outside)
    # What lies behind the link rules nobody: taro may log in at any time.
    assert can_log_in(server, "taro", "Secret-1")
    with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
        client.sendmail("e@far.example", [f"taro@{server.domain}"], message("e@far.example", f"taro@{server.domain}"))
        client.sendmail(
            "e@far.example", [f"hanako@{server.domain}"], message("e@far.example", f"hanako@{server.domain}"))
    server.wait_for_mail("hanako")
    until(lambda: any(row["tries"] > 0 for row in server.queue()), "the mail for taro waits")
    refused = server.run("account", "file", f"taro@{server.domain}", "control", "--set", "-", stdin="[AutoForward]\n")
    assert refused.returncode == 1
    assert [path.name for path in outside.rglob("*") if path.is_file()] == ["usetime.dat"]
    (domain / "taro").unlink()
    assert server.run("account", "remove", f"taro@{server.domain}", "--delete-mailbox").returncode == 0
    assert (outside / "usetime.dat").exists()
    for path in [server.root / "conf" / "store.db", *(server.root / "mail").rglob("*")]:
        mode = path.stat().st_mode & 0o777
        assert mode == (0o700 if path.is_dir() else 0o600), (path, oct(mode))


def test_the_accounts_are_made_equal_to_a_file(server, tmp_path):
    for name in ("keep", "change", "leave"):
        server.account(name, "Secret-1", "--full-name", name)
    file = tmp_path / "all.tsv"
    file.write_text(
        f"keep\tSecret-1\tkeep\t{server.domain}\t\t1\t0\t0\n"
        f"change\t\tother\t{server.domain}\t\t1\t0\t1048576\nfresh\tSecret-9\t\t{server.domain}\t\t1\n")
    dry = server.json("account", "sync", "--dry-run", file)
    actions = {row["address"].split("@")[0]: row["action"] for row in dry["accounts"]}
    assert actions == {"keep": "kept", "change": "changed", "leave": "disabled", "fresh": "added"}
    assert server.json("account", "show", f"leave@{server.domain}")["isEnabled"]
    server.do("account", "sync", "--base", dry["report"]["revision"], file)
    assert not server.json("account", "show", f"leave@{server.domain}")["isEnabled"]
    assert server.json("account", "show", f"change@{server.domain}")["mailboxLimit"] == 1048576
    assert can_log_in(server, "fresh", "Secret-9") and not can_log_in(server, "leave", "Secret-1")
    again = server.run("account", "sync", "--base", dry["report"]["revision"], file)
    assert again.returncode == 1 and "changed it meanwhile" in again.stderr
    file.write_text(f"keep\tSecret-1\t\t{server.domain}\nnonsense\n")
    broken = server.run("account", "sync", file)
    assert broken.returncode == 1 and "line 2" in broken.stderr
    assert server.json("account", "show", f"fresh@{server.domain}")["isEnabled"]


def test_a_protected_domain_is_shut_on_every_way_in(server, tmp_path):
    """R-ACC-11, A-20: enforced by the daemon."""
    server.account("taro")
    server.do("alias", "add", f"info@{server.domain}", f"taro@{server.domain}")
    server.do("domain", "change", server.domain, "--operation-password-stdin", stdin="Sesame-1\n")
    assert "Sesame-1" not in server.do("history", "list", "--json")
    link = Link(server)
    address = f"taro@{server.domain}"
    file = dict(address=address, file="control")
    transfer = link.call(
        "org.epost.Directory.BeginTransfer", kind="import")["parameters"]["transfer"]
    link.call("org.epost.Directory.SendAccounts", transfer=transfer, text=f"x\tpw\t\t{server.domain}\n", firstLine=1)
    revision = server.json("history", "list")["revisions"][0]["revision"]
    directory = "org.epost.Directory"
    shut = {
        f"{directory}.ListAccounts": dict(domain=server.domain.upper(), offset=0, limit=10),
        f"{directory}.GetAccount": dict(address=address),
        f"{directory}.AccountUsage": dict(domain=server.domain, accounts=["taro"]),
        f"{directory}.AddAccount": dict(address=f"new@{server.domain}", values={"password": "x"}, note=""),
        f"{directory}.ChangeAccount": dict(address=address, values={"fullName": "X"}, note=""),
        f"{directory}.RemoveAccount": dict(address=address, deleteMailbox=True, note=""),
        f"{directory}.ExportAccounts": dict(domain=server.domain, offset=0, limit=10),
        f"{directory}.ChangeDomain": dict(name=server.domain, values={"operationPassword": ""}, note=""),
        f"{directory}.RemoveDomain": dict(name=server.domain, note=""),
        f"{directory}.FinishTransfer": dict(transfer=transfer, dryRun=True, strict=False, note=""),
        f"{directory}.GetAccountFile": file,
        f"{directory}.SetAccountFile": dict(file, text="", note=""),
        f"{directory}.TestAccount": dict(address=address, sender=""),
        "org.epost.Aliases.List": dict(domain=server.domain, offset=0, limit=10),
        "org.epost.Aliases.Get": dict(alias=f"info@{server.domain}"),
        "org.epost.Aliases.Export": dict(offset=0, limit=10),
        "org.epost.Aliases.Test": dict(address=f"info@{server.domain}"),
        "org.epost.Settings.History": dict(path=f"account/{address}", limit=10),
        "org.epost.Server.Setup": dict(
            backend="soft", dnsServers=[server.dns], domains=[dict(name=server.domain, address="127.0.0.1")],
            administrator=address, relayNetworks=[], registerServices=False, change=True),
        "org.epost.Aliases.Add": dict(alias=f"a@{server.domain}", target=address, note=""),
        "org.epost.Aliases.Import": dict(
            text=f"a@{server.domain}\t{address}\n", replaces=False, dryRun=True, note=""),
        "org.epost.Settings.Revert": dict(revision=revision, note="", dryRun=True),
        "org.epost.Settings.Apply": dict(
            changes=[dict(key="admin.password_hash", values=["mine"])], note="", dryRun=False),
    }
    for method, parameters in shut.items():
        assert link.code(method, **parameters) == "domain.locked", method
    assert link.code(f"{directory}.OpenDomain", domain=server.domain, password="wrong") == "domain.wrong-password"
    # Of lists that go over all domains, what is protected is left out, and that is said.
    listed = link.call("org.epost.Aliases.List", offset=0, limit=10)["parameters"]
    assert listed["rows"] == [] and listed["total"] == 0 and listed["protected"] == [server.domain]
    history = json.dumps(link.call("org.epost.Settings.History", limit=100))
    assert address not in history and "info@" not in history and f"domain/{server.domain}" in history
    opened = link.call(f"{directory}.OpenDomain", domain=server.domain, password="Sesame-1")
    assert link.call("org.epost.Aliases.List", offset=0, limit=10)["parameters"]["total"] == 1
    assert address in json.dumps(link.call("org.epost.Settings.History", limit=100))
    assert "error" not in link.call(f"{directory}.ListAccounts", domain=server.domain, offset=0, limit=10)
    other = Link(server)
    assert other.code(f"{directory}.GetAccount", address=address) == "domain.locked"
    other.call("org.epost.Server.Hello", client="test", keys=[opened["parameters"]["key"]])
    assert "error" not in other.call(f"{directory}.GetAccount", address=address)
    # A new password shuts what the old one opened.
    link.call(f"{directory}.ChangeDomain", name=server.domain, values={"operationPassword": "Sesame-2"}, note="")
    assert other.code(f"{directory}.GetAccount", address=address) == "domain.locked"


def test_commands_take_the_operation_password_from_the_environment_or_a_file(server, tmp_path):
    server.account("taro")
    server.do("setting", "set", "admin.password_hash", "--password-stdin", stdin="Master-1\n")
    server.do("domain", "change", server.domain, "--operation-password-stdin", stdin="Sesame-1\n")
    assert server.run("account", "list", server.domain).returncode == 1

    def listed(password):
        return subprocess.run(
            [os.environ["EPOST_BIN"] + "/epost-console", "--root", server.root, "account", "list", server.domain],
            env=dict(os.environ, EPOST_DOMAIN_PASSWORD=password), capture_output=True, text=True, timeout=60,
            stdin=subprocess.DEVNULL)
    assert "taro" in listed("Sesame-1").stdout
    assert "taro" in listed("Master-1").stdout, "the system management password opens every domain"
    assert listed("Sesame").returncode == 1
    secret = tmp_path / "secret"
    secret.write_text("Sesame-1\n")
    assert "taro" in server.do("account", "list", server.domain, "--domain-password-file", secret)
    refused = server.run("setting", "set", "admin.password_hash", "--password-stdin", stdin="Mine\n")
    assert refused.returncode == 1 and "system management password" in refused.stderr
    server.do(
        "domain", "change", server.domain, "--no-operation-password", "--domain-password-file", secret)
    assert "taro" in server.do("account", "list", server.domain)


def test_who_sits_at_a_terminal_is_asked_for_the_operation_password(server):
    server.account("taro")
    server.do("domain", "change", server.domain, "--operation-password-stdin", stdin="Sesame-1\n")
    for password, status, shown in (("Sesame-1", 0, "taro"), ("wrong", 1, "neither the operation password")):
        terminal = Terminal(server.root, "--language", "en", "account", "list", server.domain)
        try:
            terminal.until(f"Operation password of {server.domain}: ")
            mark = terminal.keys(password + "\n")
            assert terminal.wait() == status
            said = terminal.output[mark:].decode()
            assert shown in said and password not in said, "what is typed is not shown"
        finally:
            terminal.close()


def test_setting_up_again_asks_for_the_operation_password(server):
    server.do("domain", "change", server.domain, "--operation-password-stdin", stdin="Sesame-1\n")
    again = ["setup", "--change", "--domain", server.domain, "--address", "127.0.0.1", "--dns", server.dns,
             "--administrator", f"root@{server.domain}", "--no-services"]
    refused = server.run(*again)
    assert refused.returncode == 1 and "protected" in refused.stderr
    assert server.json("setting", "get", "admin.account")["values"] == [f"postmaster@{server.domain}"]
    done = subprocess.run(
        [os.environ["EPOST_BIN"] + "/epost-console", "--root", server.root, *again],
        env=dict(os.environ, EPOST_DOMAIN_PASSWORD="Sesame-1"), capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert server.json("setting", "get", "admin.account")["values"] == [f"root@{server.domain}"]


def test_aliases_are_imported_from_a_file_larger_than_a_frame(server, tmp_path):
    server.account("taro")
    file = tmp_path / "aliases.tsv"
    file.write_text("".join(f"alias-with-a-long-name-{n:06}@in.example\ttaro@in.example\n" for n in range(25_000)))
    assert file.stat().st_size > 1 << 20
    report = server.json("alias", "import", file)
    assert report["added"] == 25_000
    assert server.json("alias", "list", "--filter", "name-024999")["rows"][0]["target"] == "taro@in.example"

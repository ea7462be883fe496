"""Accounts of an LDAP directory: a real slapd."""
import smtplib
import subprocess

import pytest

from support.slapd import BASE, SEARCHER, Slapd, group, user
from support.waiting import until


@pytest.fixture(scope="session")
def directory_certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slapd-tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem",
         "-out", folder / "cert.pem"], check=True, capture_output=True)
    return folder


PEOPLE = [
    user("ada", full="Ada Lovelace", addresses=["ada.lovelace@in.example"]),
    user("grace"), user("off", control=514), user("late"), user("later"), user("later2"),
    group("mail", ["ada", "off", "late"])]


@pytest.fixture
def slapd(tmp_path, directory_certificate):
    server = Slapd(tmp_path / "slapd", PEOPLE, directory_certificate).start()
    yield server
    server.kill()


def use(server, slapd, **more):
    values = {
        "ldap.url": slapd.url, "ldap.ca_file": slapd.certificate / "cert.pem", "ldap.base": BASE,
        "ldap.bind_dn": SEARCHER, "ldap.password_file": slapd.password_file(server.root), "ldap.timeout": 2}
    values |= {key.replace("__", "."): value for key, value in more.items()}
    for key, value in values.items():
        server.do("setting", "set", key, value)
    server.do("setting", "set", "accounts.backend", "ldap")


@pytest.fixture
def connect_to(client_tls):
    opened = []

    def open_one(server):
        client = smtplib.SMTP_SSL("127.0.0.1", server.smtps, "client.example", timeout=30, context=client_tls)
        opened.append(client)
        client.ehlo()
        return client
    yield open_one
    for client in opened:
        client.close()


@pytest.fixture
def connect(server, connect_to):
    return lambda: connect_to(server)


def login(client, name, password="Secret-1", mechanism="PLAIN"):
    client.user, client.password = name, password
    ask = {"PLAIN": client.auth_plain, "LOGIN": client.auth_login}[mechanism]
    try:
        return client.auth(mechanism, ask)[0]
    except smtplib.SMTPAuthenticationError as error:
        return error.smtp_code


def rcpt(client, address):
    client.rset()
    client.mail("sender@far.example")
    return client.rcpt(address)[0]


def test_accounts_of_a_directory_get_mail_and_log_in(server, slapd, connect):
    use(server, slapd)
    client = connect()
    assert client.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]
    assert rcpt(client, "nobody@in.example") == 550
    assert rcpt(client, "off@in.example") == 550
    assert rcpt(client, "*@in.example") == 550
    assert rcpt(client, "a*@in.example") == 550
    assert rcpt(client, '"ada)(cn=*"@in.example') == 550
    assert rcpt(client, "ADA@IN.example") == 250
    assert rcpt(client, "ada.lovelace@in.example") == 250
    client.data("Subject: to another name\r\n\r\nhello\r\n")
    server.wait_for_mail("ada")
    assert login(connect(), "ada") == 235
    assert login(connect(), "ada@in.example", mechanism="LOGIN") == 235
    client = connect()
    assert login(client, "ada.lovelace@in.example") == 235
    # Whatever name the directory knows somebody by is theirs to send with.
    assert client.mail("ada.lovelace@in.example")[0] == 250
    assert client.rcpt("grace@in.example")[0] == 250
    client.data("Subject: hello\r\nFrom: ada.lovelace@in.example\r\n\r\nhello\r\n")
    server.wait_for_mail("grace")
    assert client.mail("grace@in.example")[0] == 553


def test_who_may_not_log_in_is_refused_alike(server, slapd, connect):
    use(server, slapd)
    server.do("setting", "set", "receiver.auth_failure_delay", "0")
    server.do("setting", "set", "receiver.lock_address_failures", "0")
    replies = set()
    for name, password in [("ada", "wrong"), ("nobody", "Secret-1"), ("off", "Secret-1"), ("*", "Secret-1"),
                           ("ada)(cn=*", "Secret-1"), ("ada,ou=people", "Secret-1"), ("ada\\", "Secret-1"),
                           ("ada@far.example", "Secret-1")]:
        client = connect()
        client.user, client.password = name, password
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.auth("PLAIN", client.auth_plain)
        replies.add((refused.value.smtp_code, refused.value.smtp_error.split(b" (ref")[0]))
    assert len(replies) == 1 and replies.pop()[0] == 535
    # A bind with a name and no password is an anonymous one, and succeeds at the directory (RFC 4513 5.1.2).
    assert login(connect(), "ada", "") in (501, 535)
    assert login(connect(), "ada", "", "LOGIN") in (501, 535)


def test_only_members_of_the_group_are_mail_users(server, slapd, connect):
    use(server, slapd, ldap__group=f"cn=mail,{BASE}")
    client = connect()
    assert rcpt(client, "ada@in.example") == 250
    assert rcpt(client, "grace@in.example") == 550
    assert login(connect(), "ada") == 235
    assert login(connect(), "grace") == 535


@pytest.mark.parametrize("membership", ["", f"cn=mail,{BASE}"])
def test_an_unknown_name_costs_the_directory_as_much_as_a_wrong_password(server, tmp_path, directory_certificate,
                                                                         connect, membership):
    """Counted by what the directory is asked, for its clock is not ours."""
    directory = Slapd(tmp_path / "counted", PEOPLE, directory_certificate).start("stats")
    try:
        use(server, directory, ldap__group=membership)
        server.do("setting", "set", "receiver.auth_failure_delay", "0")
        server.do("setting", "set", "accounts.missing_cache_time", "600")
        client, work = connect(), {}
        for name in ("ada", "nobody", "off"):
            # Who it is is known by now; what is counted is the check of the password.
            rcpt(client, f"{name}@in.example")
        # The first log-in of all makes the connection.
        assert login(connect(), "ada") == 235
        for name in ("ada", "nobody", "off"):
            before = len(directory.operations())
            assert login(connect(), name, "wrong") == 535
            work[name] = directory.operations()[before:]
        assert work["ada"] == work["nobody"] == work["off"]
        assert work["ada"].count("BIND dn") == 1
    finally:
        directory.kill()


def test_the_wizard_without_questions_brings_a_directory(empty, slapd, connect_to):
    """R-WIZ-06, with what the directory needs in the same call; nothing is written when that is wrong."""
    values = {"ldap.url": slapd.url, "ldap.ca_file": slapd.certificate / "cert.pem", "ldap.base": BASE,
              "ldap.bind_dn": SEARCHER, "ldap.password_file": slapd.password_file(empty.root)}
    sets = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
    wrong = empty.run("setup", "--domain", empty.domain, "--address", "127.0.0.1", "--dns", empty.dns,
                      "--administrator", "postmaster@in.example", "--backend", "ldap", *sets, "--set", "ldap.filter=x")
    assert wrong.returncode == 1 and "ldap.filter" in wrong.stderr
    other = empty.run("setup", "--domain", empty.domain, "--address", "127.0.0.1", "--dns", empty.dns,
                      "--administrator", "postmaster@in.example", "--set", "delivery.threads=1")
    assert other.returncode == 1 and "delivery.threads" in other.stderr
    empty.setup("--backend", "ldap", *sets)
    assert rcpt(connect_to(empty), "ada@in.example") == 250
    # What is not in force can be tried by who may change it.
    checked = empty.json("directory", "check", "ada")
    assert all(step["isRight"] for step in checked["steps"])


def test_users_can_log_in_by_a_template(server, slapd, connect):
    use(server, slapd, ldap__bind_template=f"cn={{name}},ou=people,{BASE}")
    assert login(connect(), "ada") == 235
    assert login(connect(), "ada", "wrong") == 535
    assert login(connect(), "ada,ou=people") == 535


def test_certificates_are_checked(server, slapd, connect, certificate):
    use(server, slapd, ldap__url=f"ldaps://127.0.0.1:{slapd.tls_port}")
    assert rcpt(connect(), "ada@in.example") == 250
    # An authority that has not signed this one.
    server.do("setting", "set", "ldap.ca_file", certificate / "cert.pem")
    assert rcpt(connect(), "grace@in.example") == 451
    server.do("setting", "set", "ldap.url", slapd.url)
    assert rcpt(connect(), "grace@in.example") == 451
    server.do("setting", "set", "ldap.ca_file", slapd.certificate / "cert.pem")
    assert rcpt(connect(), "grace@in.example") == 250
    # A name that the certificate does not have.
    server.do("setting", "set", "ldap.url", f"ldap://localhost:{slapd.port}")
    assert rcpt(connect(), "late@in.example") == 451


def test_a_directory_that_is_away_costs_time_and_no_mail(server, slapd, connect):
    use(server, slapd)
    client = connect()
    assert rcpt(client, "ada@in.example") == 250
    slapd.kill()
    # What was asked lately is known; the rest is asked for later.
    assert rcpt(client, "ada@in.example") == 250
    assert rcpt(client, "later@in.example") == 451
    assert login(connect(), "late") == 454
    slapd.start()
    until(lambda: rcpt(client, "later@in.example") == 250, "the directory is asked again")
    until(lambda: login(connect(), "late") == 235, "users log in again")


def test_the_helper_is_started_again(server, slapd, connect):
    use(server, slapd)
    client = connect()
    assert rcpt(client, "ada@in.example") == 250

    def helpers():
        found = subprocess.run(["pgrep", "-P", str(server.process.pid), "-f", "epost-directory"],
                               capture_output=True, text=True).stdout.split()
        return [int(pid) for pid in found]
    [first] = until(helpers, "the helper runs")
    subprocess.run(["kill", "-9", str(first)], check=True)
    assert rcpt(client, "later2@in.example") == 250
    assert login(connect(), "ada") == 235
    assert helpers() and first not in helpers()
    server.do("setting", "set", "accounts.backend", "soft")
    until(lambda: not helpers(), "nothing is left of it with accounts of our own")


def test_lists_and_checks_show_the_directory(server, slapd):
    use(server, slapd)
    listed = server.json("account", "list", "in.example")
    assert [row["account"] for row in listed["rows"]] == ["ada", "grace", "late", "later", "later2", "off"]
    assert [row["account"] for row in listed["rows"] if not row["isEnabled"]] == ["off"]
    assert listed["rows"][0]["fullName"] == "Ada Lovelace"
    # The size limit, and whether an account is in use here, are ours (R-ACC-34).
    server.do("account", "change", "ada@in.example", "--limit", "5M")
    server.do("account", "change", "grace@in.example", "--disable")
    assert server.json("account", "show", "ada@in.example")["mailboxLimit"] == 5 << 20
    assert server.json("account", "show", "grace@in.example")["isEnabled"] is False
    assert server.run("account", "change", "ada@in.example", "--full-name", "Ada").returncode == 1
    assert server.run("account", "show", "nobody@in.example").returncode == 1
    file = server.root / "accounts.tsv"
    file.write_text("new\tSecret-1\t\tin.example\n")
    imported = server.run("account", "import", "--domain", "in.example", file)
    assert imported.returncode == 1 and "kept elsewhere" in imported.stderr
    steps = {step["name"]: step for step in server.json("directory", "check", "ada")["steps"]}
    assert all(step["isRight"] for step in steps.values())
    assert steps["count"]["detail"] == "6" and steps["user"]["detail"] == "ada (Ada Lovelace)"
    slapd.kill()
    failed = server.run("directory", "check")
    assert failed.returncode == 1 and "ldap://127.0.0.1" in failed.stdout
    # With accounts of our own again, nothing of the directory is left in the way.
    server.do("setting", "set", "accounts.backend", "soft")
    assert server.run("directory", "check", "--backend", "ldap").returncode == 1

"""Nothing that a scanner calls an open relay, with the delivered settings; from outside and over the wire.

The combinations are those that scanners try: each sender form with each recipient form, before and after a refusal in
the same session. 127.0.0.2 stands for a client from outside.
"""
import shutil
import smtplib
import subprocess

import pytest

from support.mail import message, reference

OWN_IP, OWN, FAR, USER = "127.0.0.1", "in.example", "relaytest.example", "relaytest"

SENDERS = [
    "", f"antispam@{FAR}", "antispam", "antispam@localhost", f"antispam@{OWN}", f"antispam@[{OWN_IP}]",
    f"antispam@[IPv6:::1]", f"taro@{OWN}", f"postmaster@{OWN}", f"root@{OWN_IP}",
]
RECIPIENTS = [
    f"{USER}@{FAR}",
    # Percent hack.
    f"{USER}%{FAR}@[{OWN_IP}]", f"{USER}%{FAR}@{OWN}", f"{USER}%{FAR}", f"{USER}%{FAR}@localhost",
    f"{USER}%{FAR}%{OWN}@{OWN}", f"nobody%{USER}%{FAR}@{OWN}",
    # Quoted local parts.
    f'"{USER}@{FAR}"', f'"{USER}@{FAR}"@{OWN}', f'"{USER}@{FAR}"@[{OWN_IP}]', f'"{USER}%{FAR}"', f'"{USER}%{FAR}"@{OWN}',
    f'"{USER}"@{FAR}', f'"{USER}\\@{FAR}"@{OWN}', f'"{FAR}!{USER}"@{OWN}',
    # Several at signs.
    f"{USER}@{FAR}@{OWN}", f"{USER}@{FAR}@[{OWN_IP}]", f"{USER}@{FAR}@localhost",
    # Source routes.
    f"@{OWN}:{USER}@{FAR}", f"@[{OWN_IP}]:{USER}@{FAR}", f"@{OWN},@{FAR}:{USER}@{FAR}", f"@localhost:{USER}@{FAR}",
    f"@{FAR}:{USER}@{OWN}",
    # Bang paths.
    f"{FAR}!{USER}", f"{FAR}!{USER}@{OWN}", f"{FAR}!{USER}@[{OWN_IP}]", f"{OWN}!{FAR}!{USER}", f"{OWN}!{USER}@{FAR}",
    f"{FAR}!{USER}%{OWN}@{OWN}",
    # Literals, numbers, trailing dots, other ports and services.
    f"{USER}@[192.0.2.1]", f"{USER}@192.0.2.1", f"{USER}@[IPv6:2001:db8::1]", f"{USER}@{FAR}.", f"{USER}@{FAR}..",
    f"{USER}@[{FAR}]", f"{USER}@#3221225985", f"{USER}:{FAR}@{OWN}", f"{FAR}:25!{USER}@{OWN}",
    # Encodings of an at sign.
    f"IMCEASMTP-{USER}+40{FAR.replace('.', '+2E')}@{OWN}", f"=?US-ASCII?Q?{USER}=40{FAR}?=@{OWN}",
    f"{USER}+40{FAR}@{OWN}", f"{USER}=40{FAR}@{OWN}", f"{USER}=a={FAR}@{OWN}",
    # Our domain as a part of another.
    f"{USER}@{OWN}.{FAR}", f"{USER}@x{OWN}", f"{USER}@sub.{OWN}", f"{USER}@{OWN}%{FAR}", f"{USER}@{OWN},{USER}@{FAR}",
    f"taro@{OWN}> RCPT TO:<{USER}@{FAR}", f"taro@{OWN} {USER}@{FAR}", f"taro@{OWN}\t{USER}@{FAR}",
]


def refused(client, sender, recipient):
    """The answer that a probe gets in the end: to RCPT, or to MAIL when that is refused."""
    client.docmd("RSET")
    code, text = client.docmd(f"MAIL FROM:<{sender}>")
    if code == 250:
        code, text = client.docmd(f"RCPT TO:<{recipient}>")
    return code, text


@pytest.mark.parametrize("source", ["127.0.0.2", "127.0.0.1"])
def test_no_combination_of_a_scanner_is_relayed(server, source):
    server.account("taro")
    server.do("setting", "set", "receiver.max_errors", 100000)
    server.do("setting", "set", "receiver.max_commands", 1000000)
    with smtplib.SMTP("127.0.0.1", server.port, "scanner.example", timeout=20, source_address=(source, 0)) as client:
        client.ehlo()
        for sender in SENDERS:
            for recipient in RECIPIENTS:
                if source == "127.0.0.1" and sender == f"taro@{OWN}" and refused_by_name(recipient):
                    continue
                code, text = refused(client, sender, recipient)
                assert 500 <= code < 600, (sender, recipient, code, text)
        # The plain forms of other transports have no brackets.
        for recipient in [f"{USER}@{FAR}", f"SMTP:{USER}@{FAR}", f"<SMTP:{USER}@{FAR}>", f"X400:/S={USER}/PRMD={FAR}/"]:
            client.docmd("RSET")
            client.docmd(f"MAIL FROM:<antispam@{FAR}>")
            assert 500 <= client.docmd(f"RCPT TO:{recipient}")[0] < 600, recipient
        # After all that the session still takes what is for us.
        client.docmd("RSET")
        assert client.sendmail(f"antispam@{FAR}", [f"taro@{OWN}"], message()) == {}
    server.wait_for_mail("taro")
    assert server.queue() == []


def refused_by_name(recipient):
    """This machine itself relays for accounts that exist here (matrix I): forms that name an outside address."""
    return recipient.split("@")[-1].rstrip(".") != OWN and not recipient.endswith(f"@[{OWN_IP}]")


def test_routes_are_dropped_and_own_literals_are_local(server):
    """R-RCV-20, R-RCV-21. A source route is never followed (RFC 5321 appendix C); the own address literal is the own domain."""
    server.account("taro")
    with smtplib.SMTP("127.0.0.1", server.port, "c.example", timeout=20, source_address=("127.0.0.2", 0)) as client:
        client.ehlo()
        assert refused(client, f"a@{FAR}", f"@{FAR}:taro@{OWN}")[0] == 250
        assert refused(client, f"a@{FAR}", f"taro@[{OWN_IP}]")[0] == 250
        code, text = refused(client, f"a@{FAR}", f"{USER}%{FAR}@{OWN}")
        assert (code, text[:5]) == (550, b"5.7.1")
        explained = server.json("explain", reference(text))
        assert explained["reason"] == "recipient.relay"
        # A sender that exists here gives a stranger nothing.
        code, text = refused(client, f"taro@{OWN}", f"{USER}@{FAR}")
        assert code == 550
        explained = server.json("explain", reference(text))
        assert [step["source"] for step in explained["steps"] if step["decided"]] == ["effect.dat:5"]
        assert explained["remedy"]


@pytest.mark.skipif(not shutil.which("nmap"), reason="nmap is not installed")
def test_nmap_finds_no_open_relay(server):
    """The script of a scanner that many people run; the client is no friend here."""
    server.do("table", "set", "effect", "-", stdin="*.*.*.* norelay\n::/0 norelay\n")
    server.do("setting", "set", "receiver.max_errors", 1000)
    found = subprocess.run(
        ["nmap", "-Pn", "-n", "-p", str(server.port), "--script", "+smtp-open-relay", "--script-args",
         f"smtp-open-relay.domain={FAR},smtp-open-relay.ip=127.0.0.1", "127.0.0.1"],
        capture_output=True, text=True, timeout=120).stdout
    assert "smtp-open-relay: Server doesn't seem to be an open relay, all tests failed" in found, found

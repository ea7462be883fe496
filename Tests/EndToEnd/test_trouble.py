"""What goes wrong around a mail server: each trouble is temporary, named truly, and nothing is lost."""
import os
import shutil
import smtplib
import socket
import ssl
import subprocess

import pytest

from support.daemon import Daemon
from support.mail import message
from support.waiting import until


def send(server, to, sender="e@ext.example", **more):
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=30) as client:
        client.sendmail(sender, [to], message(sender, to, **more))


def deferred(server, seconds=30):
    return until(lambda: next((row for row in server.queue() if row["state"] == "deferred"), None), "a deferred message", seconds)


def test_a_mailbox_that_cannot_be_written_defers_with_its_reason(server):
    server.account("taro")
    mailbox = server.mailbox("taro")
    mailbox.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(mailbox, ignore_errors=True)
    mailbox.write_text("in the way")
    send(server, "taro@in.example")
    row = deferred(server)
    assert row["reply"].startswith("4"), row
    assert row["id"] in server.do("log", "search", row["id"])
    mailbox.unlink()
    server.do("queue", "retry", row["id"])
    server.wait_for_mail("taro")
    until(lambda: not server.queue(), "the queue is empty")


def test_a_mailbox_behind_a_symbolic_link_is_not_followed(server, tmp_path):
    server.account("taro")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    mailbox = server.mailbox("taro")
    mailbox.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(mailbox, ignore_errors=True)
    mailbox.symlink_to(elsewhere)
    send(server, "taro@in.example")
    assert deferred(server)["reply"].startswith("4")
    assert list(elsewhere.rglob("*")) == []


@pytest.mark.parametrize("answer", ["SERVFAIL", "REFUSED", "SILENT"])
def test_dns_that_fails_or_is_silent_defers_and_goes_on_when_it_is_back(server, dns, sink, answer):
    server.account("taro")
    server.do("setting", "set", "delivery.port", sink.port)
    dns.records[("far.example", 15)] = answer
    dns.records[("far.example", 1)] = answer
    dns.records[("far.example", 28)] = answer
    send(server, "u@far.example", "taro@in.example")
    row = deferred(server, 60)
    assert row["reply"].startswith("4"), row
    assert "4.4.3 name server" in row["reply"] and "far.example" in row["reply"], row
    # Another domain is not held up meanwhile.
    dns.mail("good.example", (10, "mx.good.example"))
    dns.host("mx.good.example")
    send(server, "u@good.example", "taro@in.example")
    sink.wait_for(1)
    dns.mail("far.example", (10, "mx.good.example"))
    dns.records.pop(("far.example", 1)), dns.records.pop(("far.example", 28))

    def delivered():
        server.run("queue", "retry", row["id"])
        return len(sink.messages) >= 2
    until(delivered, "delivered after DNS came back", 40)


@pytest.mark.parametrize("moment", ["connect", "ehlo", "mail", "data", "content"])
def test_a_remote_that_closes_in_mid_transaction_is_tried_again(server, dns, sink, moment):
    server.account("taro")
    server.do("setting", "set", "delivery.port", sink.port)
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    sink.script[moment] = "close"
    send(server, "u@far.example", "taro@in.example")
    row = deferred(server)
    assert row["reply"].startswith("4"), row
    assert "4.4.2 connection lost" in row["reply"], row
    sink.script.clear()
    server.do("queue", "retry", row["id"])
    sink.wait_for(1)


def test_a_remote_that_says_nothing_holds_up_nobody_else(server, dns, sink):
    from support.sink import Sink
    silent = Sink()
    silent.script["connect"] = "silent"
    server.account("taro")
    server.do("setting", "set", "delivery.command_timeout", "5")
    server.do("setting", "set", "delivery.port", silent.port)
    dns.mail("silent.example", (10, "mx.silent.example"))
    dns.host("mx.silent.example")
    send(server, "u@silent.example", "taro@in.example")
    send(server, "taro@in.example")
    server.wait_for_mail("taro")
    row = deferred(server, 40)
    assert row["reply"].startswith("4") and ("time" in row["reply"].lower()), row
    silent.close()


def test_a_remote_that_answers_garbage_is_no_success(server, dns, sink):
    server.account("taro")
    server.do("setting", "set", "delivery.port", sink.port)
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    sink.script["content"] = "garbage"
    send(server, "u@far.example", "taro@in.example")
    row = deferred(server)
    assert row["reply"].startswith("4")
    shown = server.json("queue", "show", row["id"])
    assert "\x00" not in shown["recipients"][0]["reply"]


def test_a_closed_port_defers(server, dns):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server.account("taro")
    server.do("setting", "set", "delivery.port", port)
    dns.mail("far.example", (10, "mx.far.example"))
    dns.host("mx.far.example")
    send(server, "u@far.example", "taro@in.example")
    assert "refused" in deferred(server)["reply"].lower()


def can_mount(folder):
    return os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", folder], capture_output=True).returncode == 0


def test_a_full_disk_is_answered_452_or_451_and_mail_flows_again_when_there_is_room(tmp_path, dns):
    volume = tmp_path / "volume"
    volume.mkdir()
    if not can_mount(volume):
        pytest.skip("FULL DISK IS NOT TESTED: needs root and mount")
    subprocess.run(["mount", "-o", "remount,size=24m", volume], check=True)
    root = volume / "root"
    root.mkdir()
    server = Daemon(root, dns.address).start()
    try:
        server.setup()
        server.account("taro")
        ballast = volume / "ballast"
        with open(ballast, "wb", 0) as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                pass
        answers = set()
        with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=30) as client:
            for n in range(5):
                try:
                    client.sendmail("e@ext.example", ["taro@in.example"], message(subject=f"full {n}", body="x" * 70000 + "\r\n"))
                    answers.add(250)
                except smtplib.SMTPRecipientsRefused as refused:
                    answers.add(next(iter(refused.recipients.values()))[0])
                except smtplib.SMTPResponseException as refused:
                    answers.add(refused.smtp_code)
        assert answers <= {451, 452}, answers
        ballast.unlink()

        def accepted():
            try:
                send(server, "taro@in.example", subject="room again")
                return True
            except smtplib.SMTPException:
                return False
        until(accepted, "mail is accepted again")
        server.wait_for_mail("taro")
        assert server.run("status").returncode == 0
    finally:
        server.stop()
        subprocess.run(["umount", "-l", volume], check=False)


# Certificates

def presented(server):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", server.smtps), 10) as link:
        with context.wrap_socket(link) as tls:
            return tls.getpeercert(True)


def make_certificate(folder, name):
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def test_a_new_certificate_is_served_without_restart_and_without_dropping_sessions(server, tmp_path):
    old = presented(server)
    pid = server.service("epstrs")["pid"]
    cert, key = make_certificate(tmp_path, "new.example")
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=20) as client:
        client.ehlo()
        keys = [entry["key"] for entry in server.json("setting", "list")["settings"]]
        cert_key = next(k for k in keys if "certificate" in k)
        key_key = next(k for k in keys if "private_key" in k or k.endswith("key_file"))
        set_both(server, {cert_key: cert, key_key: key})
        until(lambda: presented(server) != old, "the new certificate is served")
        assert client.noop()[0] == 250
    assert server.service("epstrs")["pid"] == pid


def set_both(server, values):
    """Both at once: a key without its certificate would be refused."""
    import json
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(f"{server.root}/run/control.sock")
    changes = [{"key": key, "values": [str(value)]} for key, value in values.items()]
    raw.sendall(json.dumps({"method": "org.epost.Settings.Apply",
                            "parameters": {"changes": changes, "note": "", "dryRun": False}}).encode() + b"\0")
    answer = b""
    while b"\0" not in answer:
        answer += raw.recv(65536)
    raw.close()
    answer = json.loads(answer.split(b"\0")[0])
    assert not answer.get("error"), answer


def test_a_broken_certificate_keeps_the_old_one(server):
    old = presented(server)
    settings = {entry["key"]: entry["values"] for entry in server.json("setting", "list")["settings"]}
    file = next(values[0] for key, values in settings.items() if "certificate" in key and values)
    with open(file, "w") as certificate:
        certificate.write("-----BEGIN CERTIFICATE-----\nbroken\n")
    server.process.send_signal(1)  # HUP: read everything again
    until(lambda: "certificate" in server.do("log", "search", "certificate").lower(), "the log says so")
    assert presented(server) == old


def test_without_a_certificate_mail_is_taken_in_clear_and_starttls_is_not_offered(server):
    server.account("taro")
    settings = {entry["key"]: entry["values"] for entry in server.json("setting", "list")["settings"]}
    file = next(values[0] for key, values in settings.items() if "certificate" in key and values)
    os.unlink(file)
    server.do("service", "restart", "epstrs")
    server.greets()
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=20) as client:
        client.ehlo()
        assert not client.has_extn("starttls")
        client.sendmail("e@ext.example", ["taro@in.example"], message())
    server.wait_for_mail("taro")


def test_a_slow_client_disturbs_nobody(server):
    server.account("taro")
    slow = []
    for _ in range(50):
        link = socket.create_connection(("127.0.0.1", server.port), 10)
        link.sendall(b"EHLO slow.example\r\nMAIL FROM:<e@ext.exa")
        slow.append(link)
    send(server, "taro@in.example")
    server.wait_for_mail("taro")
    for link in slow:
        link.close()

"""Services as the administrator sees them: stop, start, restart, sessions under way, ports that are taken."""
import smtplib
import socket
import threading

import pytest

from support.mail import message
from support.waiting import until


def running(server, name):
    return until(lambda: s if (s := server.service(name))["state"] == "running" and s.get("pid") else None, f"{name} runs")


def test_services_stop_and_start_one_by_one(server):
    server.account("taro")
    server.do("service", "stop", "epstds")
    assert server.service("epstds")["state"] == "stopped"
    assert server.service("epstrs")["state"] == "running"
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=10) as client:
        client.sendmail("e@ext.example", ["taro@in.example"], message())
    assert server.json("status")["services"]
    assert server.mail("taro") == []
    server.do("service", "start", "epstds")
    server.wait_for_mail("taro")


def test_a_restart_gives_a_new_process_and_loses_no_connection_attempt(server):
    before = running(server, "epstrs")["pid"]
    server.do("service", "restart", "epstrs")
    assert running(server, "epstrs")["pid"] != before
    server.greets()


def test_a_message_under_way_is_finished_before_the_receiver_stops(server):
    server.account("taro")
    client = smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=30)
    client.ehlo()
    client.mail("e@ext.example")
    client.rcpt("taro@in.example")
    client.docmd("DATA")
    client.send(message().encode())
    stopper = threading.Thread(target=server.do, args=("service", "stop", "epstrs"))
    stopper.start()
    until(lambda: server.service("epstrs")["state"] == "stopping", "the receiver is asked to stop")
    client.send(b".\r\n")
    code, _ = client.getreply()
    assert code == 250
    try:
        code, _ = client.getreply()
        assert code == 421
    except smtplib.SMTPServerDisconnected:
        pass
    client.close()
    stopper.join(60)
    assert server.service("epstrs")["state"] == "stopped"
    server.wait_for_mail("taro")


@pytest.mark.parametrize("name", ["epstrs", "epstds"])
def test_an_unregistered_service_stays_away_over_a_restart_of_the_daemon(server, name):
    server.do("service", "unregister", name)
    assert server.service(name)["state"] == "notRegistered"
    assert server.run("service", "start", name).returncode == 1
    assert server.stop() == 0
    server.start()
    assert server.service(name)["state"] == "notRegistered"
    server.do("service", "register", name)
    server.do("service", "start", name)
    running(server, name)


def test_a_second_daemon_on_the_same_root_says_that_one_runs(server):
    import subprocess
    from support.daemon import BIN
    second = subprocess.run([BIN / "epostd", "--root", server.root], capture_output=True, text=True, timeout=20)
    assert second.returncode == 69  # EX_UNAVAILABLE
    assert "another epostd runs" in second.stderr
    assert server.run("status").returncode == 0


def test_a_port_that_is_taken_is_named(server):
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    port = taken.getsockname()[1]
    result = server.run("setting", "set", "receiver.listen", f"127.0.0.1:{server.port}", f"127.0.0.1:{port}")
    said = result.stdout + result.stderr + server.do("status") + server.do("log", "tail", "-n", "50")
    assert str(port) in said and ("in use" in said or "used" in said or "taken" in said), said
    taken.close()
    # The other listener goes on.
    server.greets()


def test_settings_and_mail_survive_a_restart_of_the_daemon(server):
    server.account("taro")
    server.do("setting", "set", "receiver.max_recipients", "3")
    server.do("service", "stop", "epstds")
    with smtplib.SMTP("127.0.0.1", server.port, "client.example", timeout=10) as client:
        client.sendmail("e@ext.example", ["taro@in.example"], message())
    assert server.stop() == 0
    server.start()
    assert server.do("setting", "get", "receiver.max_recipients").strip() == "3"
    server.do("service", "start", "epstds")
    server.wait_for_mail("taro")


def test_check_reports_a_broken_table_with_its_line(server):
    import subprocess
    from support.daemon import BIN
    server.stop()
    good = subprocess.run([BIN / "epostd", "--root", server.root, "--check"], capture_output=True, text=True, timeout=20)
    assert good.returncode == 0, good
    with open(server.root / "conf" / "effect.dat", "a") as table:
        table.write("999.999.1.1 default\n")
    bad = subprocess.run([BIN / "epostd", "--root", server.root, "--check"], capture_output=True, text=True, timeout=20)
    assert bad.returncode == 78
    assert "effect.dat:" in bad.stdout + bad.stderr

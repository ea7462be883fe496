"""A power cut: the daemon lives on a file system of its own in an image; right after the last 250 its processes are
stopped, and what the device holds at that moment (the image, without what only the kernel's memory has) is mounted
in its place and started again. Everything that was acknowledged is there, whole. Needs root and loop devices."""
import os
import shutil
import signal
import smtplib
import subprocess
import threading

import pytest

from support.daemon import Daemon
from support.waiting import until

ACCOUNTS = ["a", "b", "c", "d"]
SENDERS = 4
EACH = 12


def run(*arguments):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=30)


class Disk:
    """An ext4 file system in a file."""

    def __init__(self, image, place):
        self.image, self.place = image, place
        self.is_mounted = False

    def mount(self):
        result = run("mount", "-o", "loop", self.image, self.place)
        if result.returncode != 0:
            pytest.skip(f"no loop mounts here: {result.stderr.strip()}")
        self.is_mounted = True

    def unmount(self):
        if self.is_mounted:
            until(lambda: run("umount", self.place).returncode == 0, f"{self.place} is free")
        self.is_mounted = False


@pytest.fixture
def disks(tmp_path):
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        pytest.skip("needs root and mkfs.ext4")
    place = tmp_path / "disk"
    place.mkdir()
    before, after = Disk(tmp_path / "before.img", place), Disk(tmp_path / "after.img", place)
    with open(before.image, "wb") as image:
        image.truncate(192 << 20)
    assert run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", before.image).returncode == 0
    before.mount()
    yield before, after
    for disk in (after, before):
        disk.unmount()


def send(server, sender, acknowledged):
    with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
        for number in range(EACH):
            name = f"{sender}-{number}"
            # Some are too large for the queue's table and lie in files of their own.
            filling = "x" * (200_000 if number % 6 == 5 else 3_000)
            text = f"Subject: power\r\nX-Name: {name}\r\n\r\n" + "\r\n".join(
                filling[at:at + 70] for at in range(0, len(filling), 70)) + "\r\nend\r\n"
            client.sendmail("e@ext.example", [f"{ACCOUNTS[number % 4]}@in.example"], text)
            acknowledged.append(name)


def names(server):
    found = {}
    for account in ACCOUNTS:
        for path in server.mail(account):
            content = path.read_bytes()
            assert content.endswith(b"\nend\n"), f"not whole: {path}"
            name = content.split(b"X-Name: ")[1].split(b"\n")[0].decode()
            found[name] = found.get(name, 0) + 1
    return found


def halt(server):
    server.stop()
    server.log.close()  # lies on the disk


def processes(server):
    listed = server.json("service", "list")
    return [server.process.pid] + [row["pid"] for row in listed["services"] if row.get("pid")]


def test_nothing_acknowledged_is_lost_by_a_power_cut(disks, dns):
    before, after = disks
    server = Daemon(before.place, dns.address).start()
    try:
        server.setup()
        for account in ACCOUNTS:
            server.account(account)
        stopped = processes(server)
        acknowledged = []
        threads = [threading.Thread(target=send, args=(server, n, acknowledged)) for n in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            shutil.copyfile(before.image, after.image)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
    finally:
        halt(server)
    assert len(acknowledged) == SENDERS * EACH
    before.unmount()
    after.mount()
    server.start()
    try:
        until(lambda: len(names(server)) == len(acknowledged), "everything lies in its mailbox", 40)
        until(lambda: not server.queue(), "the queue is empty")
        assert sorted(names(server)) == sorted(acknowledged)
        assert set(names(server).values()) == {1}, "a mailbox knows what it holds"
    finally:
        halt(server)

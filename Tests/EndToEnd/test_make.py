"""`make run` without a terminal, `make install`, and the scripts around them."""
import os
import pathlib
import subprocess

import pytest

from support.daemon import BIN
from support.waiting import until

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def run(tmp_path, **more):
    environment = {**os.environ, "EPOST_ROOT": str(tmp_path / "var"), "EPOST_BIN": str(BIN), **more}
    return subprocess.run(["scripts/run"], cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120)


def test_run_without_a_terminal_starts_the_daemon_and_says_what_to_type_next(tmp_path):
    first = run(tmp_path)
    pid = int((tmp_path / "var" / "run" / "epostd.pid").read_text())
    try:
        assert first.returncode == 0, first
        assert "setup --domain" in first.stdout
        assert f"kill {pid}" in first.stdout
        second = run(tmp_path)
        assert second.returncode == 0
        assert "already runs" in second.stdout
        assert int((tmp_path / "var" / "run" / "epostd.pid").read_text()) == pid
        # What it says works.
        line = next(line.strip() for line in first.stdout.splitlines() if " setup --domain" in line)
        done = subprocess.run(line.split(), capture_output=True, text=True, timeout=60)
        # The proposed ports may be another daemon's on this machine; then it says whose.
        assert done.returncode == 0 or "port is held by" in done.stderr, done
    finally:
        os.kill(pid, 15)
        until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the daemon ended", 60)


def test_install_puts_everything_below_destdir(tmp_path):
    environment = {**os.environ, "DESTDIR": str(tmp_path), "PREFIX": "/usr", "EPOST_BIN": str(BIN)}
    result = subprocess.run(["scripts/install"], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    for name in ("usr/sbin/epostd", "usr/bin/epost-console", "usr/share/epost/locale/ja.po",
                 "usr/share/epost/varlink/org.epost.Server.varlink", "usr/share/man/man8/epostd.8",
                 "usr/share/man/man1/epost-console.1", "usr/lib/systemd/system/epostd.service",
                 "usr/share/bash-completion/completions/epost-console"):
        assert (tmp_path / name).is_file(), name
    unit = (tmp_path / "usr/lib/systemd/system/epostd.service").read_text()
    assert "/usr/sbin/epostd" in unit and "@PREFIX@" not in unit
    console = subprocess.run([tmp_path / "usr/bin/epost-console", "status", "--root", tmp_path, "--language", "ja"],
                             capture_output=True, text=True, timeout=20)
    assert console.returncode == 3 and "起動" in console.stderr
    removed = subprocess.run(["scripts/install", "--remove"], cwd=PROJECT, env=environment, capture_output=True, timeout=60)
    assert removed.returncode == 0
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("script", sorted(p.name for p in (PROJECT / "scripts").iterdir()))
def test_scripts_are_well_formed(script):
    path = PROJECT / "scripts" / script
    assert os.access(path, os.X_OK)
    if "bash" in path.read_text().splitlines()[0]:
        assert subprocess.run(["bash", "-n", path]).returncode == 0

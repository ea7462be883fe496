"""epost-console in a pseudo terminal of our own: what it writes, octet by octet, and what it leaves behind."""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

from .daemon import BIN


class Terminal:
    def __init__(self, root, *arguments, columns=80, rows=24, term="xterm-256color", home=None, program=None,
                 **environment):
        self.output = b""
        self.status = None
        ready, go = os.pipe()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.read(ready, 1)
            values = {**os.environ, "TERM": term, "LC_ALL": "C.UTF-8", "HOME": str(home or root),
                      "EPOST_CONSOLE_WIDTH": "narrow", **environment}
            for name in ("TMUX", "STY", "NO_COLOR", "XDG_STATE_HOME"):
                if name not in environment:
                    values.pop(name, None)
            command = program or [str(BIN / "epost-console"), "--root", str(root), *arguments]
            os.execvpe(command[0], command, values)
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.fd)
        self.started = time.monotonic()
        os.write(go, b"x")
        os.close(ready)
        os.close(go)

    def resize(self, columns, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def take(self, seconds=0.05):
        """Reads what comes within this time; returns how much."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return 0
        try:
            chunk = os.read(self.fd, 65536)
        except OSError:
            return 0
        self.output += chunk
        return len(chunk)

    def until(self, text, seconds=10, since=0):
        """Waits until `text` has been written after the mark `since`; returns the time it took."""
        wanted = text.encode()
        start = time.monotonic()
        while wanted not in self.output[since:]:
            assert time.monotonic() - start < seconds, f"{text!r} did not come: {self.output[-2000:]!r}"
            self.take()
        return time.monotonic() - start

    def quiet(self, seconds=0.15):
        """Waits until nothing has come for this long."""
        while self.take(seconds):
            pass

    def keys(self, octets):
        mark = len(self.output)
        os.write(self.fd, octets if isinstance(octets, bytes) else octets.encode())
        return mark

    def send(self, number):
        os.kill(self.pid, number)

    def wait(self, seconds=10):
        """Waits for the end; returns the exit status, negative for a signal."""
        end = time.monotonic() + seconds
        while self.status is None:
            assert time.monotonic() < end, f"the console did not end: {self.output[-500:]!r}"
            self.take()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        while self.take():
            pass
        return self.status

    def mode(self):
        return termios.tcgetattr(self.fd)

    def memory(self):
        """Resident megabytes."""
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

"""epost-directory by itself, and its frames (a length, a number, a kind, fields)."""
import os
import select
import socket
import struct
import subprocess

from .daemon import BIN
from .waiting import until

CONFIGURE, FIND, CHECK, LIST, TEST = 1, 2, 3, 4, 5
FOUND, MISSING, RIGHT, WRONG, UNAVAILABLE, PAGE, REPORT = range(16, 23)


def frame(number, kind, *fields):
    body = struct.pack(">IB", number, kind)
    for field in fields:
        octets = field if isinstance(field, bytes) else str(field).encode()
        body += struct.pack(">I", len(octets)) + octets
    return struct.pack(">I", len(body)) + body


def profile(backend="system", group="", urls=()):
    return frame(0, CONFIGURE, backend, "", group, "off", "", "", "", "", "(uid={name})", "uid", "cn", "", "", "5", *urls)


class Client:
    def __init__(self, path, **what):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.socket.sendall(profile(**what))
        self.number = 0

    def send(self, kind, *fields):
        self.number += 1
        self.socket.sendall(frame(self.number, kind, *fields))
        return self.number

    def exactly(self, count):
        octets = b""
        while len(octets) < count:
            more = self.socket.recv(count - len(octets))
            assert more, "the helper has closed the connection"
            octets += more
        return octets

    def waits(self, seconds):
        """Whether an answer has come, or comes within the time."""
        return bool(select.select([self.socket], [], [], seconds)[0])

    def receive(self):
        """Number, kind and fields of the next answer, in whatever order they come."""
        body = self.exactly(struct.unpack(">I", self.exactly(4))[0])
        number, kind = struct.unpack(">IB", body[:5])
        fields, rest = [], body[5:]
        while rest:
            length = struct.unpack(">I", rest[:4])[0]
            fields.append(rest[4:4 + length].decode())
            rest = rest[4 + length:]
        return number, kind, fields

    def ask(self, kind, *fields):
        number = self.send(kind, *fields)
        while True:
            answer = self.receive()
            if answer[0] == number:
                return answer[1:]


class Helper:
    def __init__(self, folder, *options, environment=None):
        self.path = folder / "directory.sock"
        self.options = ["--pam-confdir", folder / "pam.d", *map(str, options)]
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [BIN / "epost-directory", "--socket", self.path, *self.options], env=self.environment,
            stdin=subprocess.DEVNULL)
        until(self.path.exists, "the helper listens")
        return self

    def start_by_descriptor(self, *options):
        """As systemd does: the socket is descriptor 3, and LISTEN_PID the process itself."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.path))
        listener.listen()
        # The shell's number stays that of the program that it becomes.
        script = 'exec 3<&"$0"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", script, str(listener.fileno()), BIN / "epost-directory", "--systemd", *options,
             *self.options],
            env=self.environment, stdin=subprocess.DEVNULL, pass_fds=[listener.fileno()])
        listener.close()
        return self

    def client(self, **what):
        return Client(self.path, **what)

    def workers(self):
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout
        return {int(pid) for pid in found.split()}

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

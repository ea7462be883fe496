"""A control socket in front of the daemon's: passes octets on and notes when a change was delivered to the console."""
import os
import select
import socket
import threading
import time


class Relay:
    def __init__(self, folder, target):
        self.path = f"{folder}/relay.sock"
        self.target = str(target)
        # (moment, octets) of each push that tells of a change, newest last.
        self.delivered = []
        # Client ends that asked for the live stream.
        self.watching = set()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        self.stop_reader, self.stop_writer = os.pipe()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        other, client_ends = {}, set()
        while True:
            ready, _, _ = select.select([self.listener, self.stop_reader, *other], [], [])
            if self.stop_reader in ready:
                if os.read(self.stop_reader, 1) == b"x":
                    for end in other:
                        end.close()
                    return
                for end in list(self.watching):
                    self._end(end, other, client_ends)
                continue
            for end in ready:
                if end is self.listener:
                    client = self.listener.accept()[0]
                    server = socket.socket(socket.AF_UNIX)
                    server.connect(self.target)
                    other[client], other[server] = server, client
                    client_ends.add(client)
                elif end in other:
                    self._pass(end, other, client_ends)

    def _pass(self, end, other, client_ends):
        try:
            octets = end.recv(65536)
        except OSError:
            octets = b""
        peer = other[end]
        if not octets:
            return self._end(end, other, client_ends)
        if end in client_ends and b"Server.Watch" in octets:
            self.watching.add(end)
        peer.sendall(octets)
        # The moment counts from when the socket has it, not from the change.
        if peer in client_ends and b'"changed"' in octets:
            self.delivered.append((time.perf_counter(), octets))

    def _end(self, end, other, client_ends):
        for one in (end, other[end]):
            other.pop(one, None)
            client_ends.discard(one)
            self.watching.discard(one)
            one.close()

    def cut_streams(self):
        """Closes the connections of live streams, and no others."""
        os.write(self.stop_writer, b"c")

    def close(self):
        os.write(self.stop_writer, b"x")
        self.thread.join(10)
        self.listener.close()

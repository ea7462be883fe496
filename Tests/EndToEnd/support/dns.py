"""A DNS server for the tests: UDP and TCP on one free loopback port, records from a dictionary."""
import socket
import socketserver
import struct
import threading

from .ports import free_ports

A, NS, SOA, PTR, MX, TXT, AAAA = 1, 2, 6, 12, 15, 16, 28
CODES = {"NXDOMAIN": 3, "SERVFAIL": 2, "REFUSED": 5}


def _name(text):
    out = b""
    for label in text.rstrip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode()
    return out + b"\0"


def _question(packet):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    kind, _ = struct.unpack("!HH", packet[at + 1:at + 5])
    return ".".join(labels).lower(), kind, packet[12:at + 5]


def _one_port_for_both(handler):
    """A port is free for UDP and TCP only once both are bound: a resolver asks from any UDP port of the machine."""
    for _ in range(100):
        (port,) = free_ports(1)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(("127.0.0.1", port))
            return udp, socketserver.ThreadingTCPServer(("127.0.0.1", port), handler), port
        except OSError:
            udp.close()
    raise OSError("no port is free for both UDP and TCP")


class DNSServer:
    """`records[(name, type)]` is a list of values, or a word of CODES, or "SILENT" (no answer at all)."""

    def __init__(self):
        self.records = {}
        self.queries = []
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                head = self.rfile.read(2)
                if len(head) == 2:
                    answer = owner.answer(self.rfile.read(struct.unpack("!H", head)[0]))
                    if answer:
                        self.wfile.write(struct.pack("!H", len(answer)) + answer)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._udp, self._tcp, self.port = _one_port_for_both(Handler)
        self._tcp.daemon_threads = True
        threading.Thread(target=self._serve_udp, daemon=True).start()
        threading.Thread(target=self._tcp.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1@{self.port}"

    def host(self, name, address="127.0.0.1"):
        self.records[(name, A)] = [address]

    def lists(self, client, zone, code="127.0.0.2"):
        """A block list's entry for an IPv4 client."""
        self.records[(".".join(reversed(client.split("."))) + "." + zone, A)] = [code]

    def named(self, client, name):
        """A client's reverse name, confirmed."""
        self.records[(".".join(reversed(client.split("."))) + ".in-addr.arpa", PTR)] = [name]
        self.host(name, client)

    def mail(self, domain, *hosts):
        """hosts: (preference, name)"""
        self.records[(domain, MX)] = list(hosts)

    def _serve_udp(self):
        while True:
            try:
                packet, peer = self._udp.recvfrom(4096)
            except OSError:
                return
            answer = self.answer(packet)
            if answer:
                self._udp.sendto(answer, peer)

    def answer(self, packet):
        try:
            name, kind, question = _question(packet)
        except (IndexError, struct.error, UnicodeDecodeError):
            return None
        self.queries.append((name, kind))
        found = self.records.get((name, kind))
        if found is None:
            found = self.records.get((name, "*"))
        if found == "SILENT":
            return None
        code, answers, authority = 0, b"", b""
        count = 0
        if isinstance(found, str):
            code = CODES[found]
        elif found is None:
            known = any(key[0] == name for key in self.records)
            code = 0 if known else 3
        else:
            for value in found:
                if kind == A:
                    data = socket.inet_aton(value)
                elif kind == AAAA:
                    data = socket.inet_pton(socket.AF_INET6, value)
                elif kind == PTR:
                    data = _name(value)
                elif kind == MX:
                    data = struct.pack("!H", value[0]) + _name(value[1])
                else:
                    data = bytes([len(value)]) + value.encode()
                answers += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data
                count += 1
        if not answers and code in (0, 3):
            data = _name("ns.test") + _name("root.test") + struct.pack("!IIIII", 1, 60, 60, 60, 1)
            zone = _name(name.split(".")[-1])
            authority = zone + struct.pack("!HHIH", SOA, 1, 1, len(data)) + data
        flags = 0x8180 | code
        return packet[:2] + struct.pack("!HHHHH", flags, 1, count, 1 if authority else 0, 0) + question + answers + authority

    def close(self):
        self._udp.close()
        self._tcp.shutdown()
        self._tcp.server_close()

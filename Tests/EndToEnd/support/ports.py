"""Free ports on the loopback address."""
import socket


def free_ports(count, kind=socket.SOCK_STREAM):
    held = []
    for _ in range(count):
        s = socket.socket(socket.AF_INET, kind)
        s.bind(("127.0.0.1", 0))
        held.append(s)
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports

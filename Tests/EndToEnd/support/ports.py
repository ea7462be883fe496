"""Free ports on the loopback address, outside the range from which the kernel takes ports of outgoing connections:
a client that tries a port of that range while nobody listens can meet itself and keep the port busy."""
import random
import socket

FIRST, LAST = 10_000, 32_000


def free_ports(count, kind=socket.SOCK_STREAM):
    held = []
    while len(held) < count:
        s = socket.socket(socket.AF_INET, kind)
        try:
            s.bind(("127.0.0.1", random.SystemRandom().randrange(FIRST, LAST)))
            held.append(s)
        except OSError:
            s.close()
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports

"""Fixtures: a configured daemon in a scratch root, a DNS server, sinks, a certificate."""
import pathlib
import ssl
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support.daemon import Daemon  # noqa: E402
from support.dns import DNSServer  # noqa: E402
from support.sink import Sink  # noqa: E402


@pytest.fixture
def dns():
    server = DNSServer()
    yield server
    server.close()


@pytest.fixture
def empty(tmp_path, dns):
    """A running daemon without configuration."""
    daemon = Daemon(tmp_path, dns.address).start()
    yield daemon
    daemon.stop()


@pytest.fixture
def server(empty):
    """A configured daemon with the domain in.example and no account."""
    return empty.setup()


@pytest.fixture
def sink():
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture
def sinks():
    """Makes sinks, as many as a test wants."""
    made = []

    def make(**more):
        made.append(Sink(**more))
        return made[-1]
    yield make
    for sink in made:
        sink.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate for sinks."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=sink.test", "-addext", "subjectAltName=DNS:sink.test,DNS:mx.far.example,DNS:gw.example", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


@pytest.fixture(scope="session")
def client_tls():
    """A client that takes any certificate, as a self-signed first-minute set-up needs."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

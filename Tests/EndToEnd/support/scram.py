"""A SCRAM-SHA-256 client of the tests' own (RFC 5802, RFC 7677), with and without channel binding."""
import base64
import hashlib
import hmac
import os


def _b64(octets):
    return base64.b64encode(octets).decode()


def _mac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


def end_point(client):
    """tls-server-end-point of a smtplib connection: the hash of the server's certificate (RFC 5929 §4)."""
    return hashlib.sha256(client.sock.getpeercert(binary_form=True)).digest()


def login(client, user, password, binding=None, header=None):
    """Authenticates a smtplib connection. Returns code and text of the last reply."""
    mechanism = "SCRAM-SHA-256" + ("-PLUS" if binding is not None else "")
    header = header or (b"p=tls-server-end-point,," if binding is not None else b"n,,")
    nonce = _b64(os.urandom(18))
    bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}".encode()
    code, text = client.docmd("AUTH", f"{mechanism} {_b64(header + bare)}")
    if code != 334:
        return code, text
    server_first = base64.b64decode(text)
    fields = dict(part.split("=", 1) for part in server_first.decode().split(","))
    assert fields["r"].startswith(nonce) and len(fields["r"]) > len(nonce)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    client_key = _mac(salted, b"Client Key")
    final = f"c={_b64(header + (binding or b''))},r={fields['r']}".encode()
    signed = bare + b"," + server_first + b"," + final
    proof = bytes(a ^ b for a, b in zip(client_key, _mac(hashlib.sha256(client_key).digest(), signed)))
    code, text = client.docmd(_b64(final + b",p=" + _b64(proof).encode()))
    if code != 334:
        return code, text
    signature = base64.b64decode(text)
    assert signature == b"v=" + _b64(_mac(_mac(salted, b"Server Key"), signed)).encode(), "this is not our server"
    return client.docmd("")


def salt(client, user):
    """What the server gives as salt and iterations; the exchange is cancelled."""
    code, text = client.docmd("AUTH", "SCRAM-SHA-256 " + _b64(f"n,,n={user},r=abc".encode()))
    assert code == 334, text
    fields = dict(part.split("=", 1) for part in base64.b64decode(text).decode().split(","))
    assert client.docmd("*")[0] == 501
    return fields["s"], fields["i"]

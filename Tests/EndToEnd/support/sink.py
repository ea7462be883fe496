"""An SMTP server that keeps what it gets and misbehaves as told."""
import base64
import hashlib
import hmac
import socket
import ssl
import threading


class Message:
    def __init__(self, sender, recipients, content, tls, hello):
        self.sender, self.recipients, self.content, self.tls, self.hello = sender, recipients, content, tls, hello

    @property
    def text(self):
        return self.content.decode("utf-8", "replace")


class Sink:
    """`script` maps a moment to what is answered there instead of yes:
    moments: connect, ehlo, starttls, tls (after the handshake), mail, rcpt, data, content; also rcpt:ADDRESS.
    values: a reply (b"451 4.7.1 later"; several lines with \\r\\n in between), "close", "silent" (until close()),
    "garbage".
    slow: octets go out one by one.
    auth: user -> password, or access token; all methods; offered inside TLS only, or always (auth_in_clear). `logins` says who came how.
    """

    def __init__(self, tls=None, starttls=None, extensions=("PIPELINING", "8BITMIME", "SIZE 50000000", "SMTPUTF8"),
                 auth=None, auth_in_clear=False, host="127.0.0.1"):
        self.auth_in_clear = auth_in_clear
        self.auth, self.logins, self.slow = auth, [], False
        self.messages, self.connections, self.script = [], 0, {}
        self.extensions = list(extensions)
        self.starttls, self.tls = starttls, tls
        self.commands = []
        self._changed = threading.Condition()
        self._silent = threading.Event()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, 0))
        self._listener.listen(128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._guarded, args=(link,), daemon=True).start()

    def _guarded(self, link):
        try:
            if self.tls:
                link = self.tls.wrap_socket(link, server_side=True)
            self._serve(link)
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            link.close()

    def _act(self, link, moment, normal):
        """Sends what the script says, else `normal`. True: go on as if accepted."""
        action = self.script.get(moment)
        if action is None:
            self._say(link, normal)
            return True
        if action == "close":
            link.shutdown(socket.SHUT_RDWR)
            raise OSError("told to close")
        if action == "silent":
            self._silent.wait()
            raise OSError("silent")
        if action == "garbage":
            link.sendall(b"\x00\xff garbage without a code\r\n")
            return False
        self._say(link, action)
        return action[:1] in b"23"

    def _say(self, link, text):
        octets = text + b"\r\n"
        if not self.slow:
            return link.sendall(octets)
        for octet in octets:
            link.sendall(bytes([octet]))

    def _authenticate(self, link, command, line):
        """RFC 4954 with PLAIN, LOGIN, CRAM-MD5 and XOAUTH2."""
        words = command.split()
        method = words[1].upper().decode()

        def ask(text):
            self._say(link, b"334 " + base64.b64encode(text))
            return base64.b64decode(line())
        if method == "PLAIN":
            _, user, secret = base64.b64decode(words[2]).decode().split("\0")
        elif method == "LOGIN":
            user, secret = ask(b"Username:").decode(), ask(b"Password:").decode()
        elif method == "CRAM-MD5":
            challenge = b"<1896.697170952@sink.test>"
            user, digest = ask(challenge).decode().split(" ")
            known = self.auth.get(user, "")
            right = hmac.new(known.encode(), challenge, hashlib.md5).hexdigest()
            secret = known if hmac.compare_digest(right, digest) else "wrong"
        else:
            fields = dict(part.split("=", 1) for part in base64.b64decode(words[2]).decode().split("\1") if part)
            user, secret = fields["user"], fields["auth"].removeprefix("Bearer ")
        if self.auth.get(user) == secret:
            self.logins.append((method, user))
            return self._say(link, b"235 2.7.0 ok")
        if method == "XOAUTH2":
            self._say(link, b"334 " + base64.b64encode(b'{"status":"401"}'))
            line()
        self._say(link, b"535 5.7.8 bad credentials")

    def _serve(self, link):
        buffer, hello, sender, recipients = b"", "", None, []
        tls = self.tls is not None

        def line():
            nonlocal buffer
            while b"\r\n" not in buffer:
                octets = link.recv(65536)
                if not octets:
                    raise OSError("closed")
                buffer += octets
            found, buffer = buffer.split(b"\r\n", 1)
            return found

        self._act(link, "connect", b"220 sink.test ESMTP")
        while True:
            command = line()
            verb = command[:4].upper()
            self.commands.append(command)
            if verb in (b"EHLO", b"HELO"):
                hello = command[5:].decode("ascii", "replace")
                extensions = list(self.extensions)
                if self.starttls and not tls:
                    extensions.append("STARTTLS")
                if self.auth and (tls or self.auth_in_clear):
                    extensions.append("AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2")
                if verb == b"HELO":
                    self._act(link, "helo", b"250 sink.test")
                else:
                    lines = ["sink.test"] + extensions
                    text = "\r\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{x}" for i, x in enumerate(lines))
                    self._act(link, "ehlo", text.encode())
            elif verb == b"STAR":
                if not self._act(link, "starttls", b"220 go ahead"):
                    continue
                link = self.starttls.wrap_socket(link, server_side=True)
                buffer, tls = b"", True
                if self.script.get("tls") == "close":
                    link.close()
                    raise OSError("told to close")
            elif verb == b"AUTH":
                if self.auth is None:
                    link.sendall(b"235 2.7.0 ok\r\n")
                else:
                    self._authenticate(link, command, line)
            elif verb == b"MAIL":
                sender = None
                if self._act(link, "mail", b"250 2.1.0 ok"):
                    sender, recipients = command[10:].split(b">")[0].decode().lstrip("<"), []
            elif verb == b"RCPT":
                address = command[8:].split(b">")[0].decode().lstrip("<")
                moment = f"rcpt:{address}" if f"rcpt:{address}" in self.script else "rcpt"
                if self._act(link, moment, b"250 2.1.5 ok"):
                    recipients.append(address)
            elif verb == b"DATA":
                if not recipients:
                    link.sendall(b"554 5.5.1 no valid recipients\r\n")
                    continue
                if not self._act(link, "data", b"354 go on"):
                    continue
                content = bytearray()  # bytes would be copied whole for each line
                while True:
                    part = line()
                    if part == b".":
                        break
                    content += (part[1:] if part[:1] == b"." else part) + b"\r\n"
                if self._act(link, "content", b"250 2.0.0 kept"):
                    with self._changed:
                        self.messages.append(Message(sender, recipients, bytes(content), tls, hello))
                        self._changed.notify_all()
                sender, recipients = None, []
            elif verb == b"RSET":
                sender, recipients = None, []
                link.sendall(b"250 2.0.0 ok\r\n")
            elif verb == b"QUIT":
                link.sendall(b"221 2.0.0 bye\r\n")
                return
            else:
                link.sendall(b"250 2.0.0 ok\r\n")

    def wait_for(self, count, seconds=20.0):
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.messages) >= count, seconds):
                raise AssertionError(f"{len(self.messages)} of {count} messages at the sink after {seconds} s")
            return self.messages

    def close(self):
        self._silent.set()
        self._listener.close()

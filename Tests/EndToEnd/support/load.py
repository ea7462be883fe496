"""Numbered messages from several threads; remembers which got their 250."""
import smtplib
import threading


class Load:
    """Sends until stopped. Each message carries its number in the subject and in `X-Number`.

    recipients: one address, or a tuple of them, is taken in turn for each message.
    """

    def __init__(self, port, recipients, sender, threads=4, source="127.0.0.1", size=600):
        self.port, self.recipients, self.sender, self.source, self.size = port, recipients, sender, source, size
        self.accepted = {}
        self._lock = threading.Lock()
        self._next = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _take(self):
        with self._lock:
            self._next += 1
            return self._next

    def _run(self):
        client = None
        while not self._stop.is_set():
            number = self._take()
            to = self.recipients[number % len(self.recipients)]
            everybody = to if isinstance(to, tuple) else (to,)
            text = (f"From: {self.sender}\r\nTo: {', '.join(everybody)}\r\nSubject: load {number}\r\nX-Number: {number}\r\n"
                    f"Message-ID: <{number}@load>\r\n\r\n" + ("x" * 70 + "\r\n") * (self.size // 72))
            try:
                if client is None:
                    client = smtplib.SMTP("127.0.0.1", self.port, "load.example", timeout=10, source_address=(self.source, 0))
                    client.ehlo()
                client.mail(self.sender)
                if any(client.rcpt(address)[0] != 250 for address in everybody):
                    client.rset()
                    continue
                code, _ = client.data(text)
                if code == 250:
                    with self._lock:
                        self.accepted[number] = to
            except (OSError, smtplib.SMTPException):
                # No 250 came, so the message is ours still; whether it was stored does not matter.
                client = None
                self._stop.wait(0.02)

    def count(self):
        with self._lock:
            return len(self.accepted)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        return dict(self.accepted)

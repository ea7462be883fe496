"""Messages of the tests."""
import re


def message(sender="e@ext.example", to="taro@in.example", subject="first light", body="Hello.\r\n"):
    identity = re.sub(r"[^A-Za-z0-9]", "", subject) or "x"
    return f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{identity}@t>\r\n\r\n{body}"


def reference(text):
    """The reference at the end of a refusal."""
    if isinstance(text, bytes):
        text = text.decode()
    return re.search(r"\(ref ([0-9A-Z]{4}-[0-9A-Z]{4})\)", text).group(1)

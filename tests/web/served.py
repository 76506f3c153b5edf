"""The app under a real granian, as `serve` runs it, with senders it soon gives up on."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.db import Database

from ..conftest import API_KEY, API_SECRET, ENCRYPTION_KEY, SECRET_KEY

ROOT = Path(__file__).parents[2]
BODY_SECONDS = 1.5


def impatient() -> object:
    """Granian's factory."""
    from app import serving

    served = serving.without_worker()
    served.body_seconds = BODY_SECONDS
    return served


@contextmanager
def running(db: Database) -> Iterator[int]:
    """A server's port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "SHOPIFY_API_KEY": API_KEY, "SHOPIFY_API_SECRET": API_SECRET, "SECRET_KEY": SECRET_KEY,
        "ENCRYPTION_KEYS": ENCRYPTION_KEY, "APP_URL": "https://regulars.test", "SHOPIFY_ORIGIN": "",
        "DATABASE_URL": db.url.render_as_string(hide_password=False),
    }  # fmt: skip
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "--http", "1", "--port", str(port), "--factory"]
    process = subprocess.Popen([*command, "tests.web.served:impatient"], env={**os.environ, **settings}, cwd=ROOT)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until and socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


class Wire:
    """One connection, written to by hand."""

    def __init__(self, port: int, sent: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.sendall(sent)

    def answer(self) -> bytes:
        """Everything until the server hangs up or has said all of it."""
        received = b""
        while piece := self.socket.recv(65_536):
            received += piece
            head, blank, body = received.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: *([0-9]+)", head.lower())
            if blank and len(body) >= int(length[1] if length else 0):
                break
        return received

    def hung_up(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"", *, length: int | None = None) -> bytes:
    """A request's bytes; with ``length``, one that says it is longer or shorter than it is."""
    length = len(body) if length is None else length
    lines = [f"{method} {path} HTTP/1.1", "Host: regulars.test", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

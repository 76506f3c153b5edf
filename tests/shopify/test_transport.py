"""Against real sockets: what a fake cannot show about time-outs, halves of answers and names that do not resolve."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
import requests

from app.errors import Throttled
from app.shopify.origins import Origins
from app.shopify.transport import IN_THE_BACKGROUND, Patience, new_http, post

SHOP = "saltmarsh.myshopify.com"


@contextmanager
def server(answer: Callable[[socket.socket, bytes], None]) -> Iterator[tuple[int, list[bytes]]]:
    """A listener on 127.0.0.1 that hands each request's bytes to ``answer``. Yields its port and what it received."""
    listener = socket.create_server(("127.0.0.1", 0))
    received: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                request = whole_request(connection)
                received.append(request)
                with suppress(OSError):  # the client may hang up, and should
                    answer(connection, request)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], received
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def whole_request(connection: socket.socket) -> bytes:
    """Head and body. A socket closed with bytes unread is reset, and the client may lose the answer to the reset."""
    request = b""
    while piece := connection.recv(65_536):
        request += piece
        head, blank, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if blank and len(body) >= int(length[1] if length else 0):
            break
    return request


def say(head: bytes, body: bytes = b"") -> Callable[[socket.socket, bytes], None]:
    return lambda connection, _: connection.sendall(head + b"\r\n\r\n" + body)


def ask(port: int, *, max_bytes: int = 1_000, patience: Patience = IN_THE_BACKGROUND):
    origins, sent = Origins(f"http://{{shop}}.localhost:{port}"), {"X-A": "b"}
    return post(
        new_http(origins), f"{origins.api(SHOP)}/x", json={"a": 1}, headers=sent, max_bytes=max_bytes, patience=patience
    )  # fmt: skip


def test_reaches_a_localhost_name_without_asking_a_resolver(monkeypatch):
    def no_resolver(host, *args, **kwargs):
        assert host == "127.0.0.1", f"asked for {host}"
        return original(host, *args, **kwargs)

    original = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", no_resolver)
    with server(say(b"HTTP/1.1 200 OK\r\nContent-Length: 2", b"{}")) as (port, received):
        answer = ask(port)
    assert (answer.status, answer.json()) == (200, {})
    head = received[0].decode()
    assert f"Host: saltmarsh.myshopify.com.localhost:{port}\r\n" in head
    assert "X-A: b\r\n" in head and "User-Agent: Regulars/" in head and "Cookie" not in head


def test_follows_no_redirect_and_keeps_no_cookie():
    redirect = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nSet-Cookie: a=b\r\nContent-Length: 0"
    with server(say(redirect + b"\r\nConnection: close")) as (port, received):
        origins = Origins(f"http://127.0.0.1:{port}/{{shop}}")
        http = new_http(origins)
        for _ in range(2):
            assert post(http, f"{origins.api(SHOP)}/x", json={}, headers={}, max_bytes=9).status == 302
    assert len(received) == 2 and b"a=b" not in received[1]


@pytest.mark.parametrize(
    "answer",
    [say(b"HTTP/1.1 200 OK\r\nContent-Length: 100", b'{"data"'), say(b"HTTP/1.1 200 OK", b"x" * 2_000),
     say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"5\r\n{\"da"), say(b"nonsense"),
     lambda connection, _: connection.close()],
    ids=["cut short", "too large", "cut inside a chunk", "no HTTP", "hung up"],
)  # fmt: skip
def test_half_an_answer_is_none(answer):
    with server(answer) as (port, _), pytest.raises(Throttled):
        ask(port)


def test_an_answer_that_drips_is_given_up():
    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.05)

    with server(drip) as (port, _):
        started = time.monotonic()
        with pytest.raises(Throttled, match="took too long"):
            ask(port, patience=Patience(connect_s=1, read_s=1, total_s=0.4))
        assert time.monotonic() - started < 2


def test_a_compressed_answer_is_capped_by_what_it_becomes():
    import gzip

    bomb = gzip.compress(b" " * 5_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}".encode()
    with server(say(head, bomb)) as (port, _), pytest.raises(Throttled, match="more than 1000 bytes"):
        ask(port)


def test_without_a_dev_store_there_is_no_plain_http():
    with pytest.raises(Throttled, match="InvalidSchema"):
        post(new_http(Origins()), "http://127.0.0.1:9/x", json={}, headers={}, max_bytes=9)


def test_the_environment_chooses_no_proxy(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    http = new_http(Origins())
    assert http.trust_env is False
    assert isinstance(http, requests.Session) and set(http.adapters) == {"https://"}

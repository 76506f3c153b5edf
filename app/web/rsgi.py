"""From granian to Flask: a request takes a thread only once the whole of it is here.

Under granian's WSGI a thread waits for the body, for as long as the sender likes: eight half-sent webhooks, and nobody
is served any more. So granian is asked by RSGI instead: bodies are awaited, however many are under way, until they are
whole, too late or too large, and only then does one of a few threads call the WSGI application. Good webhooks take no
thread at all (webhooks.py).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, NamedTuple

import orjson
from granian.rsgi import ProtocolClosed

from .webhooks import Inlet

BODY_SECONDS = 10.0  # Shopify gives a webhook five
SMALL_BYTES = 65_536  # bodies that say they are no larger are not counted: connections are
HELD_BYTES = 64 * 1024 * 1024  # of larger bodies, all together: memory is what half-sent ones could use up

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def error(cls, status: int, code: str, message: str, *headers: tuple[str, str]) -> Answer:
        body = orjson.dumps({"error": {"code": code, "message": message, "field": None}})
        return cls(status, [("Content-Type", "application/json"), *headers], body)


class Refusal(Exception):
    """This request goes no further; its one argument is the `Answer`."""


HANG_UP = ("Connection", "close")
STORED = Answer(200, [], b"")
NOT_STORED = Answer.error(503, "unavailable", "This could not be stored. Try again in a minute.")
TOO_LATE = Answer.error(408, "request_timeout", "The request did not arrive in time.", HANG_UP)
TOO_MUCH = Answer.error(503, "unavailable", "Too much arrives at once. Try again in a minute.", HANG_UP)


class WholeRequests:
    """An RSGI application around a WSGI one."""

    def __init__(
        self, app: Wsgi, inlet: Inlet, *, threads: int, max_body_bytes: int, body_seconds: float = BODY_SECONDS
    ) -> None:
        self.app = app
        self.inlet = inlet
        self.max_body_bytes = max_body_bytes
        self.body_seconds = body_seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._held = 0

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        environ = _environ(scope)
        try:
            body = await self._body(environ, protocol)
        except Refusal as refusal:
            answer = refusal.args[0]
        except ProtocolClosed:
            return  # hung up half-way: nobody is left to be answered
        else:
            answer = await self._answer(environ, body)
        protocol.response_bytes(*answer)

    async def _answer(self, environ: dict[str, Any], body: bytes) -> Answer:
        if body and environ["PATH_INFO"] == "/webhooks" and environ["REQUEST_METHOD"] == "POST":
            match await self.inlet.take(environ, body):
                case 200:
                    return STORED
                case 503:
                    return NOT_STORED
        environ["wsgi.input"] = BytesIO(body)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, environ)

    def _ask(self, environ: dict[str, Any]) -> Answer:
        started: list[Any] = []
        answered = self.app(environ, lambda status, headers, exc_info=None: started.extend((status, headers)))
        try:
            body = b"".join(answered)
        finally:
            if close := getattr(answered, "close", None):
                close()
        return Answer(int(started[0][:3]), started[1], body)

    async def _body(self, environ: dict[str, Any], protocol: Any) -> bytes:
        """The whole body. One that is too large stays unread: Flask refuses it by its length, in its own words."""
        length = environ.get("CONTENT_LENGTH", "")
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        if not chunked and (length in ("", "0") or int(length) > self.max_body_bytes):
            return b""
        try:
            async with asyncio.timeout(self.body_seconds):
                if not chunked and int(length) <= SMALL_BYTES:
                    return bytes(await protocol())
                return await self._counted(environ, protocol)
        except TimeoutError:
            raise Refusal(TOO_LATE) from None

    async def _counted(self, environ: dict[str, Any], protocol: Any) -> bytes:
        received = bytearray()
        try:
            async for piece in protocol:
                received += piece
                self._held += len(piece)
                if self._held > HELD_BYTES:
                    raise Refusal(TOO_MUCH)
                if len(received) > self.max_body_bytes:
                    break
        finally:
            self._held -= len(received)
        environ["CONTENT_LENGTH"] = str(len(received))
        return bytes(received)


_ALWAYS = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}


def _environ(scope: Any) -> dict[str, Any]:
    """PEP 3333. Texts there are bytes in disguise; granian hands over the path decoded, and so was the wire's UTF-8."""
    server, _, port = scope.server.rpartition(":")
    environ = {
        **_ALWAYS,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": _disguised(scope.path),
        "QUERY_STRING": _disguised(scope.query_string),
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "wsgi.url_scheme": scope.scheme,
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue  # would look like the same name with a hyphen, and could stand in for it
        key = _KEYS.get(name) or "HTTP_" + name.upper().replace("-", "_")
        if key not in environ:
            environ[key] = value
        elif key in _SINGLE:
            continue
        else:
            environ[key] += ("; " if key == "HTTP_COOKIE" else ",") + value
    return environ


_KEYS = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
_SINGLE = set(_KEYS.values())


def _disguised(text: str) -> str:
    return text if text.isascii() else text.encode().decode("latin-1")

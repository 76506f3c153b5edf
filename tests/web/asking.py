"""Ask the app as Shopify, a storefront or a merchant's browser would: signed, or wrongly signed on purpose.

``Door`` speaks WSGI itself. Flask's test client tidies a request up before the app sees it (it refuses odd headers,
fills in lengths), and takes three times as long, which matters at ten thousand requests.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask

from ..conftest import API_KEY, API_SECRET, DOMAIN, NOW
from ..shopify.signing import oauth_query, proxy_pairs, proxy_query, session_token


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``headers`` has lower-case names; of a repeated one, the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_html(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/html")


class Door:
    """The app's WSGI callable, asked directly. Header names and values go in as they are."""

    def __init__(self, app: Flask) -> None:
        self._app = app.wsgi_app

    def ask(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        more: Mapping[str, Any] | None = None,
    ) -> Answer:
        """``target`` is path and query as they stand in the request line; ``more`` changes the environment."""
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "regulars.test",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "203.0.113.7",
            "HTTP_HOST": "regulars.test",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(body)),
        }
        for name, value in (headers or {}).items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        environ.update(more or {})
        status, sent = 0, {}

        def start(line: str, lines: list[tuple[str, str]], exc_info: object = None) -> Any:
            nonlocal status
            status = int(line.split(" ", 1)[0])
            sent.update((name.lower(), value) for name, value in lines)
            return lambda data: None

        answer = self._app(environ, start)
        try:
            content = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return Answer(status, sent, content)

    def get(self, target: str, **more: Any) -> Answer:
        return self.ask("GET", target, **more)

    def post(self, target: str, body: bytes | Mapping[str, str] = b"", **more: Any) -> Answer:
        return self.ask("POST", target, body=body if isinstance(body, bytes) else _form(body), **more)


def _form(fields: Mapping[str, str]) -> bytes:
    from urllib.parse import urlencode

    return urlencode(fields).encode()


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def stamp(now: datetime = NOW) -> str:
    return str(int(now.timestamp()))


def proxied(
    path: str, customer: str | int = "", *, domain: str = DOMAIN, now: datetime = NOW, secret: str = API_SECRET,
    extra: Iterable[tuple[str, str]] = (),
) -> str:  # fmt: skip
    """A path as it reaches us through the storefront's proxy, signed."""
    pairs = proxy_pairs(str(customer), shop=domain, stamp=stamp(now), extra=extra)
    return f"{path}?{proxy_query(pairs, secret).decode()}"


def token(domain: str = DOMAIN, *, now: datetime = NOW, secret: str = API_SECRET, **changes: Any) -> str:
    """A staff member's session token, a minute long. A change to ... removes a claim."""
    at = int(now.timestamp())
    said = {
        "iss": f"https://{domain}/admin", "dest": f"https://{domain}", "aud": API_KEY, "sub": "42",
        "exp": at + 60, "nbf": at - 5, "iat": at - 5, "jti": "f8912129-1af6-4cad-9ca3-76b0f7621087", "sid": "aaea182f",
    }  # fmt: skip
    return session_token({k: v for k, v in {**said, **changes}.items() if v is not ...}, secret=secret)


def bearer(domain: str = DOMAIN, **more: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(domain, **more)}"}


def oauth(params: Mapping[str, str], *, now: datetime = NOW, secret: str = API_SECRET) -> str:
    """A query Shopify signed for the authorization code grant."""
    return oauth_query({"shop": DOMAIN, "timestamp": stamp(now), **params}, secret).decode()

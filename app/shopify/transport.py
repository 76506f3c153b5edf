"""The one way out to Shopify: a ``requests`` session that cannot be led astray, and a capped, timed POST.

No redirect is followed (a 3xx is an answer like any other), no cookie is kept (one shop's must never reach another),
no proxy or netrc of the environment is used, and without a dev store there is no plain http at all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter

from app.errors import Throttled
from app.shopify.origins import Origins

USER_AGENT = "Regulars/0.1"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for Shopify, in seconds."""

    connect_s: float
    read_s: float  # between two pieces of an answer
    total_s: float  # for the whole of it: a byte every 29 s must not hold a worker for an hour


IN_THE_BACKGROUND = Patience(connect_s=5, read_s=30, total_s=60)
# Somebody waits for the page, and a thread that waits with them answers nobody else.
IN_A_REQUEST = Patience(connect_s=3, read_s=5, total_s=10)


def new_http(origins: Origins, *, connections: int = 4) -> requests.Session:
    """A session for one process (or thread); share it between shops, it remembers nothing."""
    http = _Straight()
    http.trust_env = False
    http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    http.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
    http.adapters.clear()
    if origins.template is None:
        http.mount("https://", HTTPAdapter(pool_maxsize=connections))
    else:
        http.mount("http", LoopbackAdapter(pool_maxsize=connections))
    return http


class _Straight(requests.Session):
    """Goes where it was sent and nowhere else."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        # With allow_redirects=False alone, requests still reads a redirect's whole body to prepare the next request.
        return None


class LoopbackAdapter(HTTPAdapter):
    """Connects to 127.0.0.1 for ``*.localhost`` and keeps the Host header.

    Browsers resolve such names themselves; Python asks the system's resolver, which often has never heard of them.
    """

    def add_headers(self, request: requests.PreparedRequest, **kwargs: Any) -> None:
        parts = urlsplit(request.url or "")
        if (parts.hostname or "").endswith(".localhost"):
            request.headers["Host"] = parts.netloc

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: bool | str, cert: Any = None
    ) -> tuple[Any, Any]:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if str(host["host"]).endswith(".localhost"):
            host = {**host, "host": "127.0.0.1"}
        return host, pool


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: at most ``max_bytes`` of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any] | None:
        """The body as a JSON object; None for anything else (HTML, half an answer, a bare value)."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None
        return value if isinstance(value, dict) else None

    @property
    def retry_after(self) -> float:
        """Seconds to wait by the ``Retry-After`` header: 1 to 600, 2 when it says nothing usable."""
        try:
            seconds = float(self.headers.get("Retry-After", "2"))
        except ValueError:
            return 2.0
        return min(max(seconds, 1.0), 600.0) if seconds == seconds else 2.0  # NaN is not equal to itself


def post(
    http: requests.Session,
    url: str,
    *,
    json: Mapping[str, Any],
    headers: Mapping[str, str],
    max_bytes: int,
    patience: Patience = IN_THE_BACKGROUND,
) -> Answer:
    """POST a JSON body. Raises Throttled when there is no whole answer; it may have been acted upon all the same."""
    deadline = time.monotonic() + patience.total_s
    body = orjson.dumps(json)
    try:
        with http.post(
            url,
            data=body,
            headers={**headers, "Content-Type": "application/json"},
            timeout=(patience.connect_s, patience.read_s),
            allow_redirects=False,
            stream=True,
        ) as response:
            return Answer(response.status_code, response.headers, _read(response, max_bytes, deadline))
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        # The class only: a message may quote the address or what was sent.
        raise Throttled(f"no whole answer from Shopify ({type(error).__name__})") from None


def _read(response: requests.Response, max_bytes: int, deadline: float) -> bytes:
    received = bytearray()
    # read1 hands over what has arrived; iter_content would wait for a full piece while bytes drip in.
    while piece := response.raw.read1(65_536, decode_content=True):
        received += piece
        if len(received) > max_bytes:
            raise Throttled(f"an answer from Shopify of more than {max_bytes} bytes")
        if time.monotonic() > deadline:
            raise Throttled("an answer from Shopify took too long")
    return bytes(received)

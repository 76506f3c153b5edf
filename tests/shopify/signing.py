"""Sign things as Shopify does. Written apart from the verifiers, from the platform's description alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

SECRET = "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"
OLD_SECRET = "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"
OTHER_SECRET = "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"
SECRETS = (SECRET, OLD_SECRET)
CLIENT_ID = "9d1c2c1fa0a34ce18b24a0a3bd4f62c7"
SHOP = "saltmarsh.myshopify.com"
NOW = datetime(2026, 11, 21, 20, 12, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))


def digest(text: bytes | str, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), text.encode() if isinstance(text, str) else text, hashlib.sha256).digest()


def webhook_signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(digest(body, secret)).decode()


def proxy_pairs(customer: str = "", *, shop: str = SHOP, stamp: str = STAMP, extra: Iterable[tuple[str, str]] = ()):
    """What Shopify would sign for a shopper: their own parameters and its four."""
    return [
        *extra,
        ("shop", shop),
        ("logged_in_customer_id", customer),
        ("path_prefix", "/apps/regulars"),
        ("timestamp", stamp),
    ]


def proxy_text(pairs: Iterable[tuple[str, str]]) -> str:
    """The text an app-proxy signature covers."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return "".join(sorted(f"{name}={','.join(items)}" for name, items in values.items()))


def proxy_query(pairs: Iterable[tuple[str, str]], secret: str = SECRET, signature: str | None = None) -> bytes:
    pairs = list(pairs)
    signature = digest(proxy_text(pairs), secret).hex() if signature is None else signature
    return urlencode([*pairs, ("signature", signature)], quote_via=quote).encode()


def oauth_text(params: dict[str, str]) -> str:
    def escaped(text: str) -> str:
        return text.replace("%", "%25").replace("&", "%26")

    return "&".join(sorted(f"{escaped(k).replace('=', '%3D')}={escaped(v)}" for k, v in params.items()))


def oauth_query(params: dict[str, str], secret: str = SECRET) -> bytes:
    return urlencode({**params, "hmac": digest(oauth_text(params), secret).hex()}).encode()


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    """A session token's claims; a change to ... removes one."""
    now = int(NOW.timestamp())
    base = {
        "iss": f"https://{SHOP}/admin",
        "dest": f"https://{SHOP}",
        "aud": CLIENT_ID,
        "sub": "42",
        "exp": now + 60,
        "nbf": now - 5,
        "iat": now - 5,
        "jti": "f8912129-1af6-4cad-9ca3-76b0f7621087",
        "sid": "aaea182f2732d44c23057c0fea584021a4485b2bd25d3eb7fd349313ad24c685",
    }
    return {name: value for name, value in {**base, **changes}.items() if value is not ...}


def session_token(payload: Any = None, *, header: Any = None, secret: str = SECRET) -> str:
    """A JWT made by hand, so that it can be made wrong. Bytes are used as they are."""
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    payload = claims() if payload is None else payload
    head, body = (
        base64url(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, payload)
    )
    return f"{head}.{body}.{base64url(digest(f'{head}.{body}', secret))}"

"""The five things Shopify signs with the client secret, each in its own way (PLATFORM §2, §3, §5)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets as random
from collections.abc import Iterable
from typing import Any


class Secrets:
    """The client secrets of the app: the newest first, older ones accepted until they are revoked. In memory only."""

    def __init__(self, live: Iterable[str]) -> None:
        self.live = list(live)
        self._signing = 0

    @property
    def signing(self) -> str:
        """The one Shopify signs with now."""
        return self.live[min(self._signing, len(self.live) - 1)]

    def rotate(self, new: str | None = None) -> str:
        """A new secret; the ones before it are still accepted, and still signed with until ``sign_with("new")``."""
        self.live.insert(0, new or f"shpss_{random.token_hex(16)}")
        self._signing += 1
        return self.live[0]

    def sign_with(self, which: str) -> None:
        """ "new" or "old"."""
        self._signing = 0 if which == "new" else len(self.live) - 1

    def revoke_old(self) -> None:
        del self.live[1:]
        self._signing = 0

    def knows(self, candidate: str) -> bool:
        return any(hmac.compare_digest(secret.encode(), candidate.encode()) for secret in self.live)


def digest(secret: str) -> str:
    """What is kept instead of a token or secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def webhook_hmac(secret: str, body: bytes) -> str:
    """Base64, over the body's bytes alone."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def query_hmac(secret: str, params: dict[str, str]) -> str:
    """Hex, over ``k=v`` of every parameter but hmac, sorted by name, joined with "&": launch and code grant."""
    text = "&".join(f"{name}={value}" for name, value in sorted(params.items()) if name != "hmac")
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def proxy_signature(secret: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Hex, over ``k=v`` of every parameter (repeats joined with ","), sorted and joined with nothing: app proxy."""
    params: dict[str, list[str]] = {}
    for name, value in pairs:
        params.setdefault(name, []).append(value)
    text = "".join(sorted(f"{name}={','.join(values)}" for name, values in params.items()))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def make_jwt(secret: str, claims: dict[str, Any]) -> str:
    """A session token: HS256."""
    signed = f"{_b64(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{_b64(json.dumps(claims).encode())}"
    return f"{signed}.{_b64(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def read_jwt(live: Iterable[str], token: str) -> dict[str, Any] | None:
    """Its claims when one of the secrets signed it with HS256; dates and audience are the caller's to check."""
    head, _, mark = token.rpartition(".")
    try:
        header, claims = (json.loads(_unb64(part)) for part in head.split("."))
        given = _unb64(mark)
    except ValueError:
        return None
    if not isinstance(header, dict) or header.get("alg") != "HS256" or not isinstance(claims, dict):
        return None
    made = [hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest() for secret in live]
    return claims if any(hmac.compare_digest(one, given) for one in made) else None


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))

"""Which merchant's staff is asking? App Bridge sends a session token: a JWT, HS256 under the client secret.

PyJWT checks the signature; the claims are checked here against the moment that is handed in. The reading is strict on
purpose: app-proxy signatures are made with the same secret over text that anonymous shoppers choose, and a lenient
reader of base64 takes such a text for a token. So a token is three groups of canonical base64url, its header says
nothing but HS256, and no name occurs twice.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

import jwt

from app.errors import Unauthenticated
from app.shopify.shops import exact_shop_domain

LEEWAY_SECONDS = 10
MAX_TOKEN_CHARACTERS = 8_192
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", re.ASCII)
_YEAR_9999 = 253_402_300_799  # the last second a datetime can hold


@dataclass(frozen=True, slots=True)
class SessionToken:
    """What a verified session token says. ``shop`` is the tenant of the whole request."""

    shop: str
    user_id: int  # the staff member
    session_id: str | None  # of this user and app; absent in some extensions' tokens
    expires: datetime
    begins: datetime | None = field(default=None, compare=False)  # when Shopify made it, by Shopify's clock


def verify_session_token(token: str, client_id: str, secrets: Iterable[str], *, now: datetime) -> SessionToken:
    """Verify a token from App Home or an admin extension. Raises Unauthenticated, with one message for every cause.

    A customer's token (``sub`` is a GID there, or absent) is no staff member's and is refused.
    """
    try:
        _require_plain_header(token)
        claims = _signed_claims(token, secrets)
        return _checked(claims, client_id, now.timestamp())
    except _NotAToken:
        raise Unauthenticated("This session token could not be verified.") from None


class _NotAToken(Exception):
    """Which check failed; for a debugger's eyes, never for the caller's."""


def _require_plain_header(token: str) -> None:
    """Length, alphabet and header, before anything is computed."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARACTERS or not _TOKEN.fullmatch(token):
        raise _NotAToken("not three groups of base64url")
    header_text, claims_text, signature_text = token.split(".")
    header = _object(_base64url(header_text))
    if header.get("alg") != "HS256" or header.get("typ", "JWT") != "JWT" or not header.keys() <= {"alg", "typ"}:
        raise _NotAToken("header")
    _base64url(claims_text)
    _base64url(signature_text)


def _signed_claims(token: str, secrets: Iterable[str]) -> dict[str, Any]:
    for secret in secrets:
        try:
            signed = jwt.api_jws.decode_complete(token, secret, algorithms=["HS256"])
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError:
            raise _NotAToken("not a JWT") from None
        return _object(signed["payload"])
    raise _NotAToken("signature")


def _checked(claims: dict[str, Any], client_id: str, now: float) -> SessionToken:
    # A string, not merely equal or containing: a list of audiences is some other issuer's token.
    if not isinstance(claims.get("aud"), str) or claims["aud"] != client_id:
        raise _NotAToken("aud")
    expires = _moment(claims, "exp")
    if expires <= now - LEEWAY_SECONDS or _moment(claims, "nbf") > now + LEEWAY_SECONDS:
        raise _NotAToken("exp, nbf")
    if "iat" in claims and _moment(claims, "iat") > now + LEEWAY_SECONDS:
        raise _NotAToken("iat")
    user_id, session_id = claims.get("sub"), claims.get("sid")
    if not isinstance(user_id, str) or not re.fullmatch(r"[1-9][0-9]{0,18}", user_id) or int(user_id) >= 2**63:
        raise _NotAToken("sub")
    if session_id is not None and not (isinstance(session_id, str) and 0 < len(session_id) <= 255):
        raise _NotAToken("sid")
    begins = datetime.fromtimestamp(_moment(claims, "nbf"), UTC)
    return SessionToken(_tenant(claims), int(user_id), session_id, datetime.fromtimestamp(expires, UTC), begins)


def _tenant(claims: dict[str, Any]) -> str:
    """The shop of ``dest``, which must be the host of ``iss`` too."""
    destination = claims.get("dest")
    shop = exact_shop_domain(destination.removeprefix("https://")) if isinstance(destination, str) else None
    if shop is None or destination != f"https://{shop}" or claims.get("iss") != f"https://{shop}/admin":
        raise _NotAToken("dest, iss")
    return shop


def _moment(claims: dict[str, Any], name: str) -> int:
    """A required NumericDate, whole seconds."""
    value = claims.get(name)
    if type(value) is not int or not 0 < value <= _YEAR_9999:
        raise _NotAToken(name)
    return value


def _base64url(text: str) -> bytes:
    """Decode the one spelling there is of some bytes."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise _NotAToken("base64url") from None
    if urlsafe_b64encode(raw).rstrip(b"=") != text.encode("ascii"):
        raise _NotAToken("base64url")
    return raw


def _object(raw: bytes) -> dict[str, Any]:
    """A JSON object without repeated names or NaN."""
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _NotAToken("JSON") from None
    if not isinstance(value, dict):
        raise _NotAToken("JSON")
    return value


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _NotAToken("a name twice")
    return value


def _no_constant(name: str) -> NoReturn:
    raise _NotAToken("NaN or Infinity")

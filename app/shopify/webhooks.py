"""Is this delivery Shopify's?

``base64(HMAC-SHA256(client secret, raw body))`` is in a header. The body alone is signed: topic, shop and ids are
headers anybody may change, so nothing but the body's bytes is proven here.

Shopify signs five kinds of things with the one secret (webhooks, app-proxy queries, OAuth queries, session tokens, Flow
calls), and shoppers choose most of an app-proxy query. Whoever learns the signature of one could send the signed text
here as a body. Every such text is told apart by its shape: it holds ``shop=`` and ``timestamp=``, and since its parts
are sorted, and begin with letters, it cannot begin with ``{`` as a webhook does.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping

from app.errors import Unauthenticated

SIGNATURE_HEADERS = ("X-Shopify-Hmac-SHA256", "shopify-hmac-sha256")  # webhooks; Events

_SESSION_TOKEN_TEXT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def verify_webhook(body: bytes, headers: Mapping[str, str], secrets: Iterable[str]) -> None:
    """Return for a body one of the secrets signed as a webhook; raise Unauthenticated for anything else.

    ``headers`` looks names up in any letter case (as Werkzeug's and requests' do) and joins repeated ones by a comma,
    which no signature survives.
    """
    sent = [value for name in SIGNATURE_HEADERS if (value := headers.get(name)) is not None]
    if not sent or not all(signature_matches(body, signature, secrets) for signature in sent):
        raise Unauthenticated("This webhook could not be verified.")
    if body[:1] != b"{" and _signed_for_another_purpose(body):
        raise Unauthenticated("This webhook could not be verified.")


def signature_matches(body: bytes, signature: str, secrets: Iterable[str]) -> bool:
    """Whether the text is the canonical base64 (44 characters) of the body's HMAC under one of the secrets."""
    if len(signature) != 44 or not signature.isascii():
        return False
    sent = signature.encode("ascii")
    matches = False
    for secret in secrets:  # all of them, so time does not tell which one it was
        matches |= hmac.compare_digest(b64encode(hmac.digest(secret.encode(), body, "sha256")), sent)
    return matches


def _signed_for_another_purpose(body: bytes) -> bool:
    return (b"shop=" in body and b"timestamp=" in body) or _SESSION_TOKEN_TEXT.fullmatch(body) is not None

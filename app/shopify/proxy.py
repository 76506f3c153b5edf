"""Who is asking through the storefront?

Shopify forwards ``https://{storefront}/apps/regulars/x?…`` to us with ``shop``, ``logged_in_customer_id``,
``path_prefix`` and ``timestamp`` added, and signs all parameters. The method and the body are not signed. The rules are
those of ``verify_proxy``; why each is needed is said beside it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from urllib.parse import parse_qsl

from app.errors import Unauthenticated
from app.shopify.shops import exact_shop_domain

RESERVED = ("logged_in_customer_id", "path_prefix", "shop", "timestamp")
WINDOW_SECONDS = 90
MAX_QUERY_BYTES = 8_192


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """A storefront request Shopify vouches for."""

    shop: str
    customer_id: int | None  # None: a visitor who is not logged in
    path_prefix: str  # "/apps/regulars", or what the merchant made of it
    timestamp: int  # seconds since 1970, when Shopify signed
    params: Mapping[str, str] = field(default_factory=dict)  # everything else; of a repeated name, the first value


def verify_proxy(raw_query: bytes, secrets: Iterable[str], *, now: datetime) -> ProxyRequest:
    """Verify the query string as received. Raises Unauthenticated, with one message for every cause."""
    params = _single_reserved_parameters(raw_query)
    if params is None:
        raise _refused()
    sent = params.pop("signature")[0]
    text = "".join(sorted(f"{name}={','.join(values)}" for name, values in params.items()))
    # The signed text has no separators, so one text can be split into parameters in many ways: an anonymous visitor's
    # query re-split could log somebody in. Shopify's own four names are always in it; a forgery needs a second one.
    if any(text.count(f"{name}=") != 1 for name in RESERVED) or not _signed(text, sent, secrets):
        raise _refused()
    stamp, shop = params["timestamp"][0], exact_shop_domain(params["shop"][0])
    if not re.fullmatch(r"[0-9]{1,12}", stamp) or abs(int(now.timestamp()) - int(stamp)) > WINDOW_SECONDS:
        raise _refused()
    if shop is None:
        raise _refused()
    return ProxyRequest(
        shop=shop,
        customer_id=customer_id_of(params["logged_in_customer_id"][0]),
        path_prefix=params["path_prefix"][0],
        timestamp=int(stamp),
        params=MappingProxyType({name: values[0] for name, values in params.items() if name not in RESERVED}),
    )


def customer_id_of(text: str) -> int | None:
    """A customer's id as Shopify writes it: a positive 63-bit number in its only spelling. Anything else is nobody."""
    if not re.fullmatch(r"[1-9][0-9]{0,18}", text):
        return None
    number = int(text)
    return number if number < 2**63 else None


def _single_reserved_parameters(raw_query: bytes) -> dict[str, list[str]] | None:
    """All parameters, or None unless each of Shopify's own is there exactly once.

    A shopper's ``?logged_in_customer_id=999`` may arrive, validly signed, beside Shopify's.
    """
    if len(raw_query) > MAX_QUERY_BYTES:
        return None
    try:
        pairs = parse_qsl(raw_query.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:  # not UTF-8, also inside %xx; too many
        return None
    params: dict[str, list[str]] = {}
    for name, value in pairs:
        params.setdefault(name, []).append(value)
    if any(len(params.get(name, ())) != 1 for name in (*RESERVED, "signature")):
        return None
    return params


def _signed(text: str, sent: str, secrets: Iterable[str]) -> bool:
    message, signature = text.encode("utf-8"), sent.encode("utf-8")
    matches = False
    for secret in secrets:
        matches |= hmac.compare_digest(hmac.digest(secret.encode(), message, "sha256").hex().encode(), signature)
    return matches


def _refused() -> Unauthenticated:
    return Unauthenticated("This request could not be verified.")

"""Requests a merchant's browser brings from Shopify: the signed query of an install or callback, and where to go next.

The query's HMAC is ShopifyAPI's ``Session.validate_hmac``; around it stand the checks it leaves out (single values, a
window of 90 s instead of a day, the anchored shop, other things signed with the same secret).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlencode

from shopify.session import Session

from app.errors import Unauthenticated
from app.shopify.origins import Origins
from app.shopify.shops import exact_shop_domain

WINDOW_SECONDS = 90
MAX_QUERY_BYTES = 16_384  # an id_token may be in it
_HIDDEN = re.compile("%(?:[01][0-9a-f]|2f|5c|7f)")  # control characters and slashes somebody may decode


@dataclass(frozen=True, slots=True)
class SignedQuery:
    """The parameters of a query Shopify signed."""

    shop: str
    timestamp: int  # seconds since 1970
    params: Mapping[str, str] = field(default_factory=dict, repr=False)  # the others: code, state, host, …


def verify_oauth_query(raw_query: bytes, secrets: Iterable[str], *, now: datetime) -> SignedQuery:
    """Verify the query string as received. Raises Unauthenticated, with one message for every cause."""
    params = _single_parameters(raw_query)
    if params is None or not {"hmac", "shop", "timestamp"} <= params.keys() or _is_proxy_text(params):
        raise _refused()
    if not any(_signer(secret).validate_hmac(params) for secret in secrets):
        raise _refused()
    shop, stamp = exact_shop_domain(params["shop"]), str(params["timestamp"])
    if not re.fullmatch(r"[0-9]{1,12}", stamp) or abs(int(now.timestamp()) - int(stamp)) > WINDOW_SECONDS:
        raise _refused()
    if shop is None:
        raise _refused()
    others = {
        name: value
        for name, value in params.items()
        if isinstance(value, str) and name not in ("hmac", "shop", "timestamp")
    }
    return SignedQuery(shop, int(stamp), MappingProxyType(others))


def authorize_url(origins: Origins, shop: str, client_id: str, redirect_uri: str, state: str) -> str:
    """Where a merchant allows the app. No ``scope``: Shopify knows it from shopify.app.toml."""
    query = urlencode({"client_id": client_id, "redirect_uri": redirect_uri, "state": state})
    return f"{origins.api(shop)}/admin/oauth/authorize?{query}"


def reload_target(value: str | None, app_url: str) -> str | None:
    """The address in ``shopify-reload`` when it is one of our own pages, else None.

    App Bridge sends the browser there with a fresh token in the query, so it may only ever be ours: absolute with
    exactly our origin or starting with a single slash, and free of everything browsers repair (backslashes, tabs,
    line breaks, dots that climb).
    """
    if not value or len(value) > 4_096 or not re.fullmatch(r"[!-\[\]-~]+", value):  # visible ASCII, no backslash
        return None
    path = value.removeprefix(app_url)
    if not path.startswith("/") or path.startswith("//"):
        return None
    route = path.partition("?")[0].partition("#")[0].lower().replace("%2e", ".")
    if "//" in route or "/../" in f"{route}/" or "/./" in f"{route}/" or _HIDDEN.search(route):
        return None
    return app_url + path


def _single_parameters(raw_query: bytes) -> dict[str, Any] | None:
    """Each name once, except ``ids[]`` and the like, which are lists to Shopify. None for anything else."""
    if len(raw_query) > MAX_QUERY_BYTES:
        return None
    try:
        pairs = parse_qsl(raw_query.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        return None
    params: dict[str, Any] = {}
    for name, value in pairs:
        if name.endswith("[]"):
            params.setdefault(name, []).append(value)
        elif name in params:
            return None
        else:
            params[name] = value
    return params


def _is_proxy_text(params: Mapping[str, Any]) -> bool:
    """Whether this could be an app-proxy query's signed text, cut at the ``&`` a shopper put into it.

    That text always holds ``path_prefix=``; nothing Shopify signs for OAuth does.
    """
    return any(name.endswith("path_prefix") or "path_prefix=" in str(value) for name, value in params.items())


@lru_cache(maxsize=8)
def _signer(secret: str) -> type[Session]:
    """ShopifyAPI keeps the secret on the class; a class of its own for each keeps them apart."""
    return type("Signer", (Session,), {"secret": secret})


def _refused() -> Unauthenticated:
    return Unauthenticated("This request could not be verified.")

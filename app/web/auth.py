"""Who is asking? One decorator for each way in; every route wears exactly one (a test walks the URL map).

* ``merchant_required``  the embedded admin: a session token, as a bearer or as ``id_token``
* ``shopper_required``   the storefront: a query Shopify signed
* ``public``             pages and endpoints that are anybody's
* ``verifies_itself``    webhooks and OAuth, whose signature covers what only their view reads
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from ..errors import NotFound, Unauthenticated
from ..loyalty.install import open_app
from ..loyalty.views.shops import Standing, standing_of
from ..shopify.proxy import verify_proxy
from ..shopify.session_tokens import SessionToken, verify_session_token
from ..shopify.shops import exact_shop_domain
from .headers import frame_for
from .runtime import runtime

View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Merchant:
    """A staff member of a shop, as a verified session token says."""

    shop_id: int
    domain: str
    user_id: int

    @property
    def author(self) -> str:
        return f"staff {self.user_id}"


class Shopper:
    """Somebody in a storefront, as Shopify's signature says. ``customer_id`` is None for a visitor.

    Who they are to us is looked up when it is asked for. Raises `NotFound` then where the app is not installed.
    """

    def __init__(self, domain: str, customer_id: int | None) -> None:
        self.domain, self.customer_id = domain, customer_id

    @cached_property
    def standing(self) -> Standing:
        found = standing_of(runtime().db, self.domain, self.customer_id)
        if found is None:
            raise NotFound("This shop does not use Regulars.")
        return found

    @property
    def shop_id(self) -> int:
        return self.standing.shop_id

    @property
    def member_id(self) -> int | None:
        """Whose books count for that customer; None for one we have never heard of."""
        return self.standing.member_id


def public(view: View) -> View:
    view.access = "public"  # type: ignore[attr-defined]
    return view


def verifies_itself(view: View) -> View:
    view.access = "verifies itself"  # type: ignore[attr-defined]
    return view


def merchant_required(view: View) -> View:
    """Verify the session token and hand the view its `Merchant`; without one, ask App Bridge for it (PLATFORM §2.1)."""

    @wraps(view)
    def asked(**arguments: Any) -> Any:
        token = _token_sent()
        try:
            verified = _verified(token)
            frame_for(verified.shop)
            shop_id = open_app(
                runtime().hurried, verified.shop, token, token_begins=verified.begins, now=runtime().clock()
            )
        except Unauthenticated:
            return ask_for_token()
        g.merchant = Merchant(shop_id, verified.shop, verified.user_id)
        return view(g.merchant, **arguments)

    asked.access = "merchant"  # type: ignore[attr-defined]
    return asked


def _token_sent() -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind:
        return token if kind.lower() == "bearer" else ""
    # A token in an address is for documents only: a form posted with one would be an action anybody can make a link to.
    return request.args.get("id_token", "") if request.method in ("GET", "HEAD") else ""


def _verified(token: str) -> SessionToken:
    config = runtime().config
    return verify_session_token(token, config.shopify_api_key, config.secrets, now=runtime().clock())


def frame_for_whoever_asks() -> None:
    """An error page met inside the admin is framed by the shop of its valid token; without one it is nobody's."""
    if "frame_domain" not in g:
        with suppress(Unauthenticated):
            frame_for(_verified(_token_sent()).shop)


def ask_for_token() -> AnyResponse:
    """A fetch is told to try again with a fresh token; a document goes by way of the token page."""
    is_document = request.method in ("GET", "HEAD") and "Authorization" not in request.headers
    shop = exact_shop_domain(request.args.get("shop"))
    if not is_document or shop is None:
        response = Response("This page needs a valid session token. Open it from your Shopify admin.", 401)
        response.mimetype = "text/plain"
        response.headers["X-Shopify-Retry-Invalid-Session-Request"] = "1"
        return response
    dropped = ("id_token", "shopify-reload")  # the second is ours to say
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in dropped]
    reload = f"{runtime().config.app_url}{request.path}?{urlencode(kept)}"
    return redirect("/auth/token?" + urlencode([*kept, ("shopify-reload", reload)]), 302)


def shopper_required(view: View) -> View:
    """Verify the proxy's signature and hand the view its `Shopper`. A shop that is not installed does not exist."""
    return _shopper_required(view, looked_up=True)


def signed_shopper_required(view: View) -> View:
    """The same for a view that finds out itself whether the app is installed, by way of what it does anyway."""
    return _shopper_required(view, looked_up=False)


def _shopper_required(view: View, *, looked_up: bool) -> View:
    @wraps(view)
    def asked(**arguments: Any) -> Any:
        asker = verify_proxy(request.query_string, runtime().config.secrets, now=runtime().clock())
        shopper = Shopper(asker.shop, asker.customer_id)
        if looked_up:
            shopper.standing  # noqa: B018 - raises where there is none
        g.proxy_params = asker.params
        return view(shopper, **arguments)

    asked.access = "shopper"  # type: ignore[attr-defined]
    return asked


__all__ = [
    "Merchant", "Shopper", "merchant_required", "public", "shopper_required", "signed_shopper_required",
    "verifies_itself",
]  # fmt: skip

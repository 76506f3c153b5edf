"""``/auth/…``: the token page, and the authorization code grant (PLATFORM §2.1, §2.6)."""

from __future__ import annotations

import hmac
import secrets

from flask import Blueprint, redirect, render_template, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response as AnyResponse

from ..errors import Invalid, Unauthenticated
from ..loyalty.install import connect_with_code
from ..shopify.oauth import authorize_url, reload_target, verify_oauth_query
from ..shopify.shops import exact_shop_domain
from .auth import public, verifies_itself
from .headers import frame_for
from .runtime import runtime

bp = Blueprint("install", __name__, url_prefix="/auth")


class ReloadElsewhere(Invalid):
    """This page cannot be reloaded from here. Open the app from your Shopify admin."""

    code = "bad_reload"
    status = 400  # DESIGN §8


STATE_COOKIE = "regulars_oauth_state"
STATE_SECONDS = 600


@bp.get("/token")
@public
def token_page() -> str:
    """A page with App Bridge and nothing else, which fetches a token and goes where ``shopify-reload`` says.

    That must be a page of ours, or the page would carry a fresh token to a stranger; 400 otherwise.
    """
    shop = exact_shop_domain(request.args.get("shop"))
    places = request.args.getlist("shopify-reload")  # of two, App Bridge might take the one that was not looked at
    if shop is None or len(places) != 1 or reload_target(places[0], runtime().config.app_url) is None:
        raise ReloadElsewhere
    frame_for(shop)
    return render_template("public/token.html", api_key=runtime().config.shopify_api_key, cdn=runtime().origins.cdn())


@bp.get("/install")
@verifies_itself
def begin() -> AnyResponse:
    """Begin the authorization code grant for a shop Shopify sent here (its query is signed) or an operator names."""
    shop = exact_shop_domain(request.args.get("shop"))
    if shop is None:
        raise Invalid("Name the shop by its myshopify.com domain.", field="shop")
    if "hmac" in request.args:
        verify_oauth_query(request.query_string, runtime().config.secrets, now=runtime().clock())
    state = secrets.token_urlsafe(32)
    config = runtime().config
    response = redirect(
        authorize_url(runtime().origins, shop, config.shopify_api_key, f"{config.app_url}/auth/callback", state)
    )
    response.set_cookie(
        STATE_COOKIE,
        _signer().dumps([state, shop]),
        max_age=STATE_SECONDS,
        httponly=True,
        secure=config.app_url.startswith("https:"),
        samesite="Lax",
        path="/auth",
    )
    return response


@bp.get("/callback")
@verifies_itself
def finish() -> AnyResponse:
    """Check state, signature and shop, trade the code for tokens, and open the app in the admin."""
    query = verify_oauth_query(request.query_string, runtime().config.secrets, now=runtime().clock())
    expected = _expected_state()
    given = [query.params.get("state", ""), query.shop]
    if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(expected, given, strict=True)):
        raise Unauthenticated("This sign-in was not begun here, or too long ago. Start again from your Shopify admin.")
    connect_with_code(runtime().hurried, query.shop, query.params.get("code", ""), now=runtime().clock())
    origins, client_id = runtime().origins, runtime().config.shopify_api_key
    place = origins.app_in_admin(query.params.get("host"), client_id)
    response = redirect(place or f"{origins.api(query.shop)}/admin/apps/{client_id}")
    response.delete_cookie(STATE_COOKIE, path="/auth")  # a state is good for one callback
    return response


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(runtime().config.derived_key("oauth state").hex(), salt="oauth-state")


def _expected_state() -> list[str]:
    try:
        state, shop = _signer().loads(request.cookies.get(STATE_COOKIE, ""), max_age=STATE_SECONDS)
    except (BadSignature, ValueError, TypeError):
        raise Unauthenticated(
            "This sign-in was not begun here, or too long ago. Start again from your Shopify admin."
        ) from None
    return [str(state), str(shop)]

"""POST /admin/oauth/access_token (three grants) and GET /admin/oauth/authorize on the shop's origin."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, g, redirect, request

from .. import clock
from ..errors import OAuthError
from ..misbehaving import misbehave
from ..signing import digest, query_hmac, read_jwt
from . import consent, tokens

bp = Blueprint("oauth", __name__)

_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105
_OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
_ONLINE = "urn:shopify:params:oauth:token-type:online-access-token"
_CODE_SECONDS = 60
_LEEWAY_SECONDS = 10


@bp.post("/admin/oauth/access_token")
def access_token() -> Response:
    """Token exchange, refresh, or a code: form or JSON. Errors are JSON with ``error`` and ``error_description``."""
    started = time.monotonic()
    params = _params()
    grant = params.get("grant_type") or ("authorization_code" if "code" in params else "")
    fault = g.devstore.token_faults.draw(grant.rpartition(":")[2])
    response = misbehave(fault, lambda: _answer(grant, params))
    g.devstore.traffic.add(
        "oauth",
        g.shop.domain,
        "POST",
        request.path,
        grant.rpartition(":")[2] or "no grant",
        response.status_code,
        (time.monotonic() - started) * 1000,
        f"misbehaved: {fault.kind}" if fault else g.get("note", ""),
    )
    return response


def _answer(grant: str, params: dict[str, str]) -> Response:
    try:
        answer, status = _grant(grant, params), 200
    except OAuthError as refused:
        answer, status = {"error": refused.code, "error_description": refused.description}, refused.status
        g.note = refused.code
    return Response(json.dumps(answer), status, {"Cache-Control": "no-store"}, content_type="application/json")


def _params() -> dict[str, str]:
    sent: Any = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    return {name: str(value) for name, value in sent.items()} if isinstance(sent, dict) else {}


def _grant(grant: str, params: dict[str, str]) -> dict[str, Any]:
    app, secret = g.devstore.app, params.get("client_secret", "")
    if params.get("client_id") != app.client_id or not g.devstore.apps.secrets.knows(secret):
        raise OAuthError("invalid_client", "The client id and secret are not those of an app")
    if grant == "authorization_code":
        return _code(params, secret)
    if g.devstore.apps.installed(g.shop) is None:
        raise OAuthError("invalid_client", "The app is not installed on this shop")
    if grant == _EXCHANGE:
        return _exchange(params, secret)
    if grant == "refresh_token":
        return tokens.refresh(g.devstore, g.shop, secret, params.get("refresh_token", ""))
    raise OAuthError("unsupported_grant_type", "The grant type is not one of those supported")


def _exchange(params: dict[str, str], secret: str) -> dict[str, Any]:
    if params.get("subject_token_type") != _ID_TOKEN:
        raise OAuthError("invalid_request", "subject_token_type must be an id_token")
    claims = _subject(params.get("subject_token", ""))
    if params.get("requested_token_type") == _ONLINE:
        return tokens.issue_online(g.devstore, g.shop, secret, int(claims["sub"]))
    if params.get("requested_token_type") != _OFFLINE:
        raise OAuthError("invalid_request", "requested_token_type is not one of those supported")
    _must_expire(params)
    return tokens.issue_offline(g.devstore, g.shop, secret)


def _must_expire(params: dict[str, str]) -> None:
    if params.get("expiring") not in ("1", "true", "True"):
        raise OAuthError("invalid_request", "Non-expiring offline access tokens are not issued: ask with expiring=1")


def _subject(token: str) -> dict[str, Any]:
    """The claims of a session token of this shop. Raises OAuthError invalid_subject_token."""
    claims = read_jwt(g.devstore.apps.secrets.live, token)
    now = clock.timestamp()
    if (
        claims is None
        or claims.get("aud") != g.devstore.app.client_id
        or claims.get("dest") != f"https://{g.shop.domain}"
        or not isinstance(claims.get("exp"), int)
        or claims["exp"] + _LEEWAY_SECONDS < now
        or claims.get("nbf", 0) - _LEEWAY_SECONDS > now
        or not str(claims.get("sub", "")).isdigit()
    ):
        raise OAuthError("invalid_subject_token", "The session token is invalid or has expired")
    return claims


def _code(params: dict[str, str], secret: str) -> dict[str, Any]:
    with g.devstore.store.writing():
        key = digest(params.get("code", ""))
        kept = g.devstore.store.kept(g.shop.id, "oauth-code", key)
        g.devstore.store.keep(g.shop.id, "oauth-code", key, None)  # once only
        if kept is None or kept["until"] < clock.timestamp() or g.devstore.apps.installed(g.shop) is None:
            raise OAuthError("invalid_request", "The authorization code was not found or was already used")
        _must_expire(params)
        return tokens.issue_offline(g.devstore, g.shop, secret)


@bp.get("/admin/oauth/authorize")
def authorize() -> Response:
    """Ask the merchant; when the app is installed with all its scopes already, go straight on."""
    problem = _authorize_problem(request.args)
    if problem:
        return Response(consent.problem_page(g.shop, problem), 400, content_type="text/html; charset=utf-8")
    if g.devstore.apps.installed(g.shop) and not g.devstore.apps.missing_scopes(g.shop):
        return _back_with_code(request.args)
    return Response(consent.page(g.devstore.app, g.shop, request.args), content_type="text/html; charset=utf-8")


@bp.post("/admin/oauth/authorize")
def agree() -> Response:
    """The merchant pressed Install."""
    problem = _authorize_problem(request.form)
    if problem:
        return Response(consent.problem_page(g.shop, problem), 400, content_type="text/html; charset=utf-8")
    g.devstore.apps.install(g.shop)
    g.devstore.apps.grant_scopes(g.shop)
    return _back_with_code(request.form)


def _authorize_problem(params: Any) -> str | None:
    if params.get("client_id") != g.devstore.app.client_id:
        return "There is no app with this client_id."
    if params.get("redirect_uri") not in g.devstore.app.redirect_urls:
        return "The redirect_uri is not whitelisted: it must be one of redirect_urls in shopify.app.toml."
    return None


def _back_with_code(params: Any) -> Response:
    code = secrets.token_hex(16)
    g.devstore.store.keep(g.shop.id, "oauth-code", digest(code), {"until": clock.timestamp() + _CODE_SECONDS})
    back = {
        "code": code,
        "host": g.devstore.apps.host(g.shop),
        "shop": g.shop.domain,
        "state": params.get("state", ""),
        "timestamp": str(int(clock.timestamp())),
    }
    back["hmac"] = query_hmac(g.devstore.apps.secrets.signing, back)
    uri = params["redirect_uri"]
    response = redirect(f"{uri}{'&' if urlsplit(uri).query else '?'}{urlencode(sorted(back.items()))}")
    response.headers["Cache-Control"] = "no-store"
    return response  # type: ignore[return-value]

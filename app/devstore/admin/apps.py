"""The app on a store: installing it, opening it in its frame, agreeing to new permissions, uninstalling."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, g, redirect, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from ..records import Shop
from .page import done, draw, home, store, trying

# What only signs a load in, and is of no use to the app when it stands in the admin's address.
_SIGN_IN = ("embedded", "hmac", "host", "id_token", "locale", "session", "shop", "timestamp")


def register(bp: Blueprint) -> None:
    bp.add_url_rule("/-/admin/store/<handle>/apps", view_func=apps)
    bp.add_url_rule("/-/admin/store/<handle>/oauth/install", view_func=install_page)
    bp.add_url_rule("/-/admin/store/<handle>/oauth/install", view_func=install, methods=["POST"])
    bp.add_url_rule("/-/admin/store/<handle>/apps/<app>", view_func=frame, defaults={"path": ""})
    bp.add_url_rule("/-/admin/store/<handle>/apps/<app>/", view_func=frame, defaults={"path": ""})
    bp.add_url_rule("/-/admin/store/<handle>/apps/<app>/<path:path>", view_func=frame)
    for verb, view in (("uninstall", uninstall), ("permissions", agree), ("redact-shop", redact_shop)):
        bp.add_url_rule(f"/-/admin/store/<handle>/app/{verb}", view_func=view, methods=["POST"])


def apps(handle: str) -> str:
    shop = store(handle)
    return draw(
        "apps",
        shop,
        here="apps",
        missing=g.devstore.apps.missing_scopes(shop),
        uninstalled_at=g.devstore.apps.uninstalled_at(shop),
    )


def install_page(handle: str) -> str:
    """What the app is and what it asks for."""
    shop = store(handle)
    if request.args.get("client_id", g.devstore.app.client_id) != g.devstore.app.client_id:
        abort(404)
    return draw("install", shop, here="apps", scopes=g.devstore.app.scopes)


def install(handle: str) -> Response:
    """Managed install: permissions are granted here, and the app hears of it when it is opened."""
    shop = store(handle)
    g.devstore.apps.install(shop)
    return redirect(f"{home(shop)}/apps/{g.devstore.app.handle}")


def frame(handle: str, app: str, path: str) -> str | Response:
    """The app's page inside the admin; ``app`` is its handle, or its client id as in ``{host}/apps/{client_id}``."""
    shop = store(handle)
    known = g.devstore.app
    if app not in (known.handle, known.client_id):
        abort(404)
    if g.devstore.apps.installed(shop) is None:
        return redirect(f"{home(shop)}/oauth/install?client_id={known.client_id}")
    if missing := g.devstore.apps.missing_scopes(shop):
        return draw("permissions", shop, here="app", scopes=missing)
    query = "&".join(
        part for part in request.query_string.decode().split("&") if part and part.partition("=")[0] not in _SIGN_IN
    )
    asked = f"/{path}" + (f"?{query}" if query else "")
    address = urlsplit(known.application_url)
    return draw(
        "frame",
        shop,
        here="app",
        source=g.devstore.apps.launch_url(shop, g.origins, asked),
        app_origin=f"{address.scheme}://{address.netloc}",
        app_base=address.path.rstrip("/"),
        frame_key=_keys().dumps(shop.domain),
    )


def key_is_for(shop: Shop, key: str) -> bool:
    """Whether ``key`` came from a frame page of this store today."""
    try:
        return _keys().loads(key, max_age=86_400) == shop.domain
    except BadData:
        return False


def uninstall(handle: str) -> Response:
    shop = store(handle)
    back = f"{home(shop)}/apps"

    def gone() -> Response:
        g.devstore.apps.uninstall(shop)
        return done(f"{g.devstore.app.name} is uninstalled.", back)

    return trying(gone, back)


def agree(handle: str) -> Response:
    """The merchant accepts what the app asks for since it was installed."""
    shop = store(handle)

    def granted() -> Response:
        g.devstore.apps.grant_scopes(shop)
        return redirect(f"{home(shop)}/apps/{g.devstore.app.handle}")

    return trying(granted, f"{home(shop)}/apps")


def redact_shop(handle: str) -> Response:
    """shop/redact, 48 hours early."""
    shop = store(handle)

    def told() -> Response:
        g.devstore.apps.redact_shop(shop, even_if_installed="even_if_installed" in request.form)
        return done("The app was told to erase this store's data.", f"{home(shop)}/apps")

    return trying(told, f"{home(shop)}/apps")


def _keys() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="app-frame")

"""The dev store's Flask application: a table of contents.

    create_devstore(settings) -> Flask     app.extensions["devstore"] is the DevStore (see ``state``)

Routes on a shop's own origin never start with ``/-/``; routes that do (admin, cdn, control) answer only off it.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

from flask import Blueprint, Flask, abort, current_app, g, request

from . import origins
from .settings import Settings
from .state import DevStore

log = logging.getLogger(__name__)

_PLATFORM = ("app.devstore.oauth", "app.devstore.proxy", "app.devstore.graphql", "app.devstore.control")
_PARTS = ("app.devstore.admin", "app.devstore.cdn", "app.devstore.storefront")


def create_devstore(settings: Settings, *, start: bool = True) -> Flask:
    """Open the store (seeding what is missing), register every part, start sending webhooks if ``start``."""
    app = Flask("app.devstore", static_folder=None, template_folder=None)
    app.extensions["devstore"] = devstore = DevStore(settings)
    app.config["SECRET_KEY"] = devstore.cookie_key()
    app.config["SESSION_COOKIE_NAME"] = "_devstore"
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.wsgi_app = origins.ShopRouting(app.wsgi_app)  # type: ignore[method-assign]
    app.before_request(name_the_shop)
    for name in (*_PLATFORM, *_PARTS):
        register(app, name)
    if start:
        devstore.start()
    return app


def name_the_shop() -> None:
    """``g.devstore``, ``g.origins`` and, on a shop's origin, ``g.shop``; 404 for a shop that does not exist."""
    g.devstore = devstore = current_app.extensions["devstore"]
    g.origins = origins.of_request(request, devstore.settings.port)
    domain = request.environ.get("devstore.shop")
    g.shop = devstore.shop(domain) if domain else None
    if domain and g.shop is None:
        abort(404)
    if (g.shop is not None) == request.path.startswith("/-/"):
        abort(404)


def register(app: Flask, name: str) -> None:
    """Register the blueprint ``bp`` of a part. A part that is not there is left out; one that is broken says so."""
    try:
        part: Any = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name is None or not name.startswith(missing.name):
            raise
        log.warning("%s is not here", name)
        return
    if isinstance(bp := getattr(part, "bp", None), Blueprint):
        app.register_blueprint(bp)

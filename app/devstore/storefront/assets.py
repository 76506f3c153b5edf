"""Files: the theme's assets and the product pictures on the shop's own domain, an extension's assets on the CDN."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path

from flask import Blueprint, Response, abort, g, request

from . import pottery
from .extensions import asset_digest, extensions_of
from .painting import shoreline

_KEY = re.compile(r"[a-z0-9-]{1,100}")
_YEAR = "public, max-age=31536000, immutable"


def register(bp: Blueprint) -> None:
    """Add the files to the storefront."""
    bp.add_url_rule("/cdn/shop/t/1/assets/<name>", view_func=theme_asset)
    bp.add_url_rule("/cdn/shop/files/<key>.svg", view_func=picture)
    bp.add_url_rule("/-/cdn/extensions/<digest>/<handle>/assets/<name>", view_func=extension_asset)


def theme_asset(name: str) -> Response:
    """A file of the theme; for ever, when asked for by the digest of what it is now."""
    path = shoreline().asset_path(name)
    if path is None:
        abort(404)
    return _file(path, for_ever=request.args.get("v") == asset_digest(path))


def picture(key: str) -> Response:
    """A picture drawn for a product's key; "shelf" is the home page's."""
    if not _KEY.fullmatch(key):
        abort(404)
    drawing = pottery.shelf() if key == "shelf" else pottery.picture(key)
    answer = Response(drawing, mimetype="image/svg+xml")
    answer.headers["Cache-Control"] = "public, max-age=3600"
    # An SVG opened by itself is a document: it gets to run and load nothing.
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return answer


def extension_asset(digest: str, handle: str, name: str) -> Response:
    """An extension's file under the digest of its contents; any other address is gone, as after a deploy."""
    app = g.devstore.app
    for extension in extensions_of(app.extension_directories, app.handle):
        path = extension.asset_path(name) if extension.handle == handle else None
        if path and asset_digest(path) == digest:
            return _file(path, for_ever=True)
    abort(404)


def _file(path: Path, *, for_ever: bool) -> Response:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    answer = Response(path.read_bytes(), content_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
    answer.headers["Cache-Control"] = _YEAR if for_ever else "no-cache"
    # Modules are fetched across origins: the CDN answers everybody, as Shopify's does.
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer

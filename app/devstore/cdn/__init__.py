"""What Shopify serves from cdn.shopify.com to a page inside the admin: App Bridge and the Polaris web components.

Each is one classic script (the page loads it before its body is parsed), put together from a few files of our own:

    GET /-/cdn/shopifycloud/app-bridge.js      app_bridge/*.js
    GET /-/cdn/shopifycloud/polaris-1.js       polaris/*.js

Names, attributes and slots are Shopify's, checked in the tests against Shopify's custom-elements manifest; nothing of
Shopify's own code is here.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

bp = Blueprint("devstore_cdn", __name__)

HERE = Path(__file__).parent

# In the order they are needed: a class before the ones that extend it, the table after its parts.
PARTS = {
    "polaris-1.js": (
        "polaris/element.js",
        "polaris/values.js",
        "polaris/layout.js",
        "polaris/icons.js",
        "polaris/text.js",
        "polaris/page.js",
        "polaris/feedback.js",
        "polaris/overlays.js",
        "polaris/actions.js",
        "polaris/fields.js",
        "polaris/choices.js",
        "polaris/table.js",
    ),
    "app-bridge.js": (
        "app_bridge/channel.js",
        "app_bridge/tokens.js",
        "app_bridge/navigation.js",
        "app_bridge/save_bar.js",
        "app_bridge/shopify.js",
    ),
}


def bundle(name: str) -> str:
    """The script called ``name`` ("polaris-1.js"), its files inside one function. Raises KeyError."""
    parts = "\n".join((HERE / part).read_text(encoding="utf-8") for part in PARTS[name])
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'


@bp.get("/-/cdn/shopifycloud/<name>")
def script(name: str) -> AnyResponse:
    if name not in PARTS:
        abort(404)
    answer = Response(bundle(name), mimetype="text/javascript")
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "no-cache"
    answer.set_etag(sha256(answer.get_data()).hexdigest()[:32])
    return answer.make_conditional(request)

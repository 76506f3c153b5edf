"""What the frame page's script asks the admin for, on behalf of App Bridge in the frame.

Only the frame page can ask: every request carries the key that was printed into it, and must come from this origin.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, abort, g, jsonify, request
from werkzeug.wrappers import Response

from ..errors import Refusal
from ..money import rest_amount
from ..records import Product, Shop
from ..storefront import theme_settings
from .apps import key_is_for
from .page import store
from .words import asked_for

Answer = dict[str, Any]


def register(bp: Blueprint) -> None:
    for name, answer in (
        ("hello", hello),
        ("id-token", id_token),
        ("products", products),
        ("extensions", extensions),
        ("scopes", scopes),
        ("scopes-request", scopes_request),
    ):
        bp.add_url_rule(
            f"/-/admin/store/<handle>/frame/{name}", f"frame_{name}", view_func=for_the_frame(answer), methods=["POST"]
        )


def for_the_frame(answer: Callable[[Shop], Answer]) -> Callable[[str], Response]:
    """Answer the frame page of a store that has the app installed; 403 for anybody else."""

    @wraps(answer)
    def view(handle: str) -> Response:
        shop = store(handle)
        if not key_is_for(shop, request.headers.get("X-Frame-Key", "")):
            abort(403)
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(403)
        if g.devstore.apps.installed(shop) is None:
            abort(403)
        return jsonify(answer(shop))

    return view


def hello(shop: Shop) -> Answer:
    """What ``shopify.config`` holds, and the currency money fields are in."""
    return {
        "shop": shop.domain,
        "host": g.devstore.apps.host(shop),
        "locale": shop.locale,
        "currency": shop.currency,
    }


def id_token(shop: Shop) -> Answer:
    return {"token": g.devstore.apps.id_token(shop)}


def products(shop: Shop) -> Answer:
    """Everything the resource picker can show; it filters by itself."""
    return {"products": [_resource(shop, product) for product in g.devstore.products(shop)]}


def extensions(shop: Shop) -> Answer:
    """``app.extensions()``: per theme extension its blocks and embeds, and where the live theme has them."""
    theme = theme_settings.current(g.devstore, shop)
    theme_id = f"gid://shopify/OnlineStoreTheme/{theme_settings.THEME['id']}"
    found: dict[str, list[Answer]] = {}
    for extension, block in theme_settings.offered(g.devstore):
        placed = [
            {"target": f"template--{each.template}/{each.target}", "themeId": theme_id}
            for each in theme.blocks
            if each.handle == block.handle
        ]
        embed = theme.embed(block.handle)
        if block.is_embed and embed and embed.on:
            placed = [{"target": block.target, "themeId": theme_id}]
        found.setdefault(extension.handle, []).append(
            {
                "handle": block.handle,
                "name": block.name,
                "target": block.target,
                "status": "active" if placed else "available",
                "activations": placed,
            }
        )
    listed = [
        {"handle": handle, "type": "theme_app_extension", "activations": blocks} for handle, blocks in found.items()
    ]
    return {"extensions": listed}


def scopes(shop: Shop) -> Answer:
    installation = g.devstore.apps.installed(shop)
    return {
        "detail": {
            "granted": installation.scopes,
            "required": list(g.devstore.app.scopes),
            "optional": list(g.devstore.app.optional_scopes),
        }
    }


def scopes_request(shop: Shop) -> Answer:
    """The merchant has agreed in the page; words for each scope when only asked about them (``ask``)."""
    asked = [str(scope) for scope in request.get_json().get("scopes", [])]
    if request.get_json().get("ask"):
        return {"words": asked_for(asked)}
    try:
        g.devstore.apps.grant_optional(shop, asked)
    except Refusal as refusal:
        return {"error": str(refusal)}
    return {"result": "granted-all", **scopes(shop)}


def _resource(shop: Shop, product: Product) -> Answer:
    """A product in the shape the real picker returns."""
    picture = f"{g.origins.shop(shop.domain)}/cdn/shop/files/{product.picture}.svg"
    return {
        "id": f"gid://shopify/Product/{product.id}",
        "title": product.title,
        "handle": product.handle,
        "vendor": product.vendor,
        "productType": product.product_type,
        "status": "ACTIVE",
        "tags": product.tags,
        "totalVariants": len(product.variants),
        "images": [
            {"id": f"gid://shopify/ProductImage/{product.id}", "originalSrc": picture, "altText": product.title}
        ],
        "variants": [
            {
                "id": f"gid://shopify/ProductVariant/{variant.id}",
                "title": variant.title,
                "sku": variant.sku,
                "price": rest_amount(variant.price_minor, shop.currency),
            }
            for variant in product.variants
        ],
    }

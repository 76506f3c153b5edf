"""Shops, their goods, and the app on them."""

from __future__ import annotations

from flask import Response, abort, g, jsonify, request

from .. import origins, seed
from ..codec import plain
from ..errors import Refusal
from ..oauth import tokens
from . import bp
from .doors import body, shop_of, with_options


@bp.get("/shops")
def list_shops() -> Response:
    return jsonify([show(shop.domain) for shop in g.devstore.shops()])


@bp.post("/shops")
def create_shop() -> tuple[Response, int]:
    domain = str(body().get("domain", "")).lower()
    if not origins.SHOP_DOMAIN.fullmatch(domain) or g.devstore.shop(domain):
        raise Refusal("a new shop needs a myshopify.com domain no shop has")
    seed.shop(g.devstore, domain)
    return jsonify(show(domain)), 201


@bp.get("/shops/<domain>")
def show_shop(domain: str) -> Response:
    return jsonify(show(domain))


@bp.patch("/shops/<domain>")
def update_shop(domain: str) -> Response:
    with_options(g.devstore.update_shop, shop_of(domain), **body())
    return jsonify(show(domain))


@bp.get("/shops/<domain>/products")
def list_products(domain: str) -> Response:
    return jsonify([plain(product) for product in g.devstore.products(shop_of(domain))])


@bp.post("/shops/<domain>/products")
def create_product(domain: str) -> tuple[Response, int]:
    return jsonify(plain(with_options(g.devstore.create_product, shop_of(domain), **body()))), 201


@bp.get("/shops/<domain>/metafields")
def list_metafields(domain: str) -> Response:
    """Of one owner (``owner`` is its GID); of the app's installation without."""
    shop, owner = shop_of(domain), request.args.get("owner")
    found = g.devstore.metafields(shop, owner) if owner else g.devstore.app_metafields(shop)
    return jsonify([plain(metafield) for metafield in found])


@bp.post("/shops/<domain>/<any(install, uninstall, grant_scopes):verb>")
def change_installation(domain: str, verb: str) -> Response:
    getattr(g.devstore.apps, verb)(shop_of(domain))
    return jsonify(show(domain))


@bp.post("/shops/<domain>/grant_optional")
def grant_optional(domain: str) -> Response:
    """{"scopes": […]} of the TOML's ``optional_scopes``."""
    g.devstore.apps.grant_optional(shop_of(domain), list(body().get("scopes", [])))
    return jsonify(show(domain))


@bp.get("/shops/<domain>/launch")
def launch(domain: str) -> Response:
    """The address the admin's frame opens, and a session token of its own."""
    shop = shop_of(domain)
    if g.devstore.apps.installed(shop) is None:
        abort(404, "the app is not installed")
    return jsonify(
        url=g.devstore.apps.launch_url(shop, g.origins, request.args.get("path", "/")),
        id_token=g.devstore.apps.id_token(shop),
    )


@bp.post("/shops/<domain>/tokens/expire")
def expire_tokens(domain: str) -> Response:
    """Access tokens end now; with {"refresh": true} refresh tokens too."""
    return jsonify(expired=tokens.expire(g.devstore, shop_of(domain), refresh=bool(body().get("refresh"))))


@bp.post("/shops/<domain>/redact")
def redact_shop(domain: str) -> Response:
    g.devstore.apps.redact_shop(shop_of(domain), even_if_installed=bool(body().get("even_if_installed")))
    return jsonify(sent="shop/redact")


def show(domain: str) -> dict:
    shop = shop_of(domain)
    installation = g.devstore.apps.installed(shop)
    return {
        **plain(shop),
        "storefront": g.origins.shop(shop.domain),
        "installation": plain(installation) if installation else None,
        "missing_scopes": g.devstore.apps.missing_scopes(shop),
    }

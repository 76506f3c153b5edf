"""Pages to look at: home, collections, products, search, the shop's texts, and the page for what does not exist."""

from __future__ import annotations

from itertools import zip_longest

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from ..errors import Refusal
from ..records import Product
from .dialect.text import to_json
from .painting import catalogue, paint
from .shoppers import below_root

TEXTS = {
    "studio": "The studio",
    "shipping-and-returns": "Shipping and returns",
    "terms": "Terms",
}
"""Pages of the shop, each a file of the theme: handle -> title."""


def register(bp: Blueprint) -> None:
    """Add these pages to the storefront."""
    bp.add_url_rule("/", view_func=home)
    bp.add_url_rule("/collections", view_func=collections)
    bp.add_url_rule("/collections/<handle>", view_func=collection)
    bp.add_url_rule("/collections/<_collection>/products/<handle>", view_func=product_in_collection)
    bp.add_url_rule("/products/<handle>", view_func=product)
    bp.add_url_rule("/products/<handle>.js", view_func=product_json)
    bp.add_url_rule("/search", view_func=search)
    bp.add_url_rule("/pages/<handle>", view_func=text)
    bp.app_errorhandler(404)(not_found)
    bp.errorhandler(Refusal)(refused)


def home() -> Response:
    """Hero and the newest pots."""
    return paint("index", fresh=catalogue().products(_mixed(g.devstore.products(g.shop))[:8]))


def collections() -> AnyResponse:
    """Shopify lists collections here; ours are all in the menu."""
    return redirect(below_root("/collections/all"))


def collection(handle: str) -> Response:
    """One collection's products, 24 a page."""
    products = catalogue()
    if handle == "all":
        return paint("collection", title="All pots", collection=products.everything())
    found = next((each for each in g.devstore.collections(g.shop) if each.handle == handle), None)
    if found is None:
        abort(404)
    drop = products.collection(found)
    shown = type(drop)({**drop.as_json(), "products": drop["products"]}, text=found.title)
    return paint("collection", title=found.title, collection=shown)


def product(handle: str) -> Response:
    """One product; `?variant=` chooses."""
    found = g.devstore.product_by_handle(g.shop, handle)
    if found is None:
        abort(404)
    products = catalogue()
    drop = products.product(found, request.args.get("variant", type=int))
    return paint("product", title=found.title, product=drop, goes_with=products.goes_with(found))


def product_in_collection(_collection: str, handle: str) -> Response:
    """The same page under its collection's address."""
    return product(handle)


def product_json(handle: str) -> Response:
    """Shopify's Ajax API: the product as JSON."""
    found = g.devstore.product_by_handle(g.shop, handle)
    if found is None:
        abort(404)
    return Response(to_json(catalogue().product(found)), mimetype="application/json")


def search() -> Response:
    """Products whose title, type or tags contain every word."""
    terms = request.args.get("q", "").strip()[:200]
    words = terms.lower().split()
    found = [
        each
        for each in g.devstore.products(g.shop)
        if words and all(word in " ".join((each.title, each.product_type, *each.tags)).lower() for word in words)
    ]
    results = {"terms": terms, "performed": bool(words), "results": catalogue().products(found)}
    return paint("search", title="Search", search={**results, "results_count": len(found)})


def text(handle: str) -> Response:
    """A page of words."""
    if handle not in TEXTS:
        abort(404)
    return paint("page", title=TEXTS[handle], page={"handle": handle, "title": TEXTS[handle], "url": request.path})


def not_found(error: HTTPException) -> AnyResponse | HTTPException:
    """The theme's 404 page, on a shop's own pages only."""
    if g.get("shop") is None or request.path.startswith(("/admin", "/apps", "/cdn", "/-/")):
        return error
    return paint("404", title="Not found", status=404)


def refused(refusal: Refusal) -> Response:
    """What the store says no to, in the theme's own look."""
    return paint("refused", title="Sorry", status=422, problem=str(refusal))


def _mixed(products: list[Product]) -> list[Product]:
    """One product of each collection in turn, so that a row is not four mugs; gift cards are left out."""
    waiting: dict[str, list[Product]] = {}
    for product in products:
        if not product.gift_card:
            waiting.setdefault(product.collections[0] if product.collections else "", []).append(product)
    turns = zip_longest(*waiting.values())
    return [product for turn in turns for product in turn if product is not None]

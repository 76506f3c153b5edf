"""The cart: its page and forms, Shopify's Ajax API under `.js`, and links that bring a discount code."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from ..errors import Refusal
from .carts import cart_of_request, with_cookie
from .dialect.text import to_json
from .objects import cart_drop
from .painting import catalogue, paint
from .shoppers import below_root, safe_return

_WHOLE = re.compile(r"-?[0-9]{1,15}")


def register(bp: Blueprint) -> None:
    """Add the cart to the storefront."""
    bp.add_url_rule("/cart", view_func=show, endpoint="cart")
    bp.add_url_rule("/cart", view_func=post, methods=["POST"], endpoint="cart_post")
    bp.add_url_rule("/cart.js", view_func=as_json, endpoint="cart_js")
    for name, verb in (("add", add), ("change", change), ("update", update), ("clear", clear)):
        methods = ["POST"] if name == "add" else ["GET", "POST"]
        bp.add_url_rule(f"/cart/{name}", view_func=_page(verb), methods=methods, endpoint=f"cart_{name}")
        bp.add_url_rule(f"/cart/{name}.js", view_func=_ajax(verb), methods=methods, endpoint=f"cart_{name}_js")
    bp.add_url_rule("/discount/<code>", view_func=discount)


def show() -> Response:
    """The cart's page."""
    return paint("cart", title="Your cart")


def post() -> AnyResponse:
    """The cart's own form: quantities by line, a code more or less, the note; then on to the checkout, or back."""
    asked = _asked()
    cart = cart_of_request()
    cart.enter(asked.pop("discount", ""))
    cart.drop(asked.pop("remove_discount", ""))
    update(asked)
    target = "/checkout" if "checkout" in request.form else "/cart"
    return with_cookie(redirect(below_root(target), 303))  # type: ignore[arg-type]


def as_json() -> Response:
    """`GET /cart.js`"""
    return Response(to_json(_cart_body()), mimetype="application/json")


def discount(code: str) -> AnyResponse:
    """`/discount/CODE?redirect=/…`: the code, and no other, waits in the cart until something is in it."""
    cart = cart_of_request()
    cart.enter(code, replace=True)
    cart.keep()
    return with_cookie(redirect(safe_return(request.args.get("redirect"), "/")))  # type: ignore[arg-type]


def add(asked: dict[str, Any]) -> Any:
    """Add one variant, or several with `items`. Answers what was added, as Shopify does."""
    cart = cart_of_request()
    items = asked.get("items") if isinstance(asked.get("items"), list) else [asked]
    wanted = []
    for item in items or ():
        if not isinstance(item, dict):
            raise Refusal("Cannot find variant")
        variant_id, quantity = _whole(item.get("id")), _whole(item.get("quantity", 1))
        if variant_id is None:
            raise Refusal("Cannot find variant")
        if quantity is None or quantity < 1:
            raise Refusal("A quantity is a whole number of at least 1.")
        cart.add(variant_id, quantity)
        wanted.append(variant_id)
    cart.keep()
    added = [item.as_json() for item in _cart_body()["items"] if item["variant_id"] in wanted]
    return {"items": added} if "items" in asked else added[0]


def change(asked: dict[str, Any]) -> Any:
    """Set one line, by its number from 1 (`line`) or by variant or key (`id`), to a quantity."""
    cart = cart_of_request()
    quantity = _whole(asked.get("quantity"))
    if quantity is None:
        raise Refusal("A quantity is a whole number.")
    ids = list(cart.lines)
    line = _whole(asked.get("line"))
    if line is not None:
        if not 1 <= line <= len(ids):
            raise Refusal("no such line in the cart")
        variant_id = ids[line - 1]
    else:
        variant_id = str(asked.get("id", "")).split(":")[0]
        if variant_id not in ids:
            raise Refusal("no such item in the cart")
    cart.set(int(variant_id), quantity)
    cart.keep()
    return _cart_body()


def update(asked: dict[str, Any]) -> Any:
    """Set several things at once: `updates` (a list by line, or an object by variant), note, attributes, discount."""
    cart = cart_of_request()
    updates = asked.get("updates")
    if isinstance(updates, list):
        pairs: list[tuple[Any, Any]] = list(zip(list(cart.lines), updates, strict=False))
    else:
        pairs = list(updates.items()) if isinstance(updates, dict) else []
    for key, value in pairs:
        variant_id, quantity = _whole(str(key).split(":")[0]), _whole(value)
        if variant_id is None or quantity is None:
            raise Refusal("A quantity is a whole number.")
        if str(variant_id) not in cart.lines:
            cart.add(variant_id, 0)  # refuses what does not exist
        cart.set(variant_id, quantity)
    if "note" in asked:
        cart.note = str(asked["note"] or "")[:1000]
    if isinstance(asked.get("attributes"), dict):
        cart.attributes = {str(k)[:100]: str(v)[:500] for k, v in list(asked["attributes"].items())[:20]}
    if "discount" in asked:
        cart.enter(str(asked["discount"] or ""), replace=True)  # "A,B" are all the cart has then
    cart.keep()
    return _cart_body()


def clear(asked: dict[str, Any]) -> Any:
    """Take everything out; the codes stay, as on Shopify."""
    cart = cart_of_request()
    cart.lines = {}
    cart.keep()
    return _cart_body()


def _ajax(verb: Any) -> Any:
    """The verb for scripts: JSON, refusals with status and words."""

    def view() -> Response:
        try:
            body, status = verb(_asked()), 200
        except Refusal as refusal:
            status = 404 if str(refusal) == "Cannot find variant" else 422
            body = {"status": status, "message": "Cart Error", "description": str(refusal)}
        return with_cookie(Response(to_json(body), status, mimetype="application/json"))

    return view


def _page(verb: Any) -> Any:
    """The verb for forms and links: back to the cart, or where the form says."""

    def view() -> AnyResponse:
        verb(_asked())
        target = safe_return(request.form.get("return_to"), "/cart")
        return with_cookie(redirect(target, 303))  # type: ignore[arg-type]

    return view


def _asked() -> dict[str, Any]:
    """What a form, a query or a JSON body asks for, in one shape."""
    if request.is_json:
        body = request.get_json(silent=True)
        return body if isinstance(body, dict) else {}
    asked: dict[str, Any] = {**request.args.to_dict(), **request.form.to_dict()}
    if "updates[]" in request.form:
        asked["updates"] = request.form.getlist("updates[]")
    for field in ("updates", "attributes"):
        named = {
            match.group(1): value
            for key, value in request.form.items()
            if (match := re.fullmatch(rf"{field}\[(.+)\]", key))
        }
        if named:
            asked[field] = named
    return asked


def _whole(value: Any) -> int | None:
    text = str(value).strip() if not isinstance(value, bool) else ""
    return int(text) if _WHOLE.fullmatch(text) else None


def _cart_body() -> dict[str, Any]:
    """The cart as Shopify's Ajax API words it: the Liquid object, its token, and the currency as a code."""
    cart = cart_of_request()
    drop = cart_drop(catalogue(), g.shop, cart.quote, note=cart.note, attributes=cart.attributes)
    facts = {key: value for key, value in drop.as_json().items() if key != "empty?"}
    codes = [{"code": code, "applicable": bool(cart.lines) and code not in cart.problems} for code in cart.codes]
    return {"token": cart.token, **facts, "currency": g.shop.currency, "discount_codes": codes}

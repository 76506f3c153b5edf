"""Orders: place them and everything that happens to them afterwards."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Response, abort, g, jsonify, request

from ..bodies.orders import order_body
from ..errors import Refusal
from ..records import Order, Shop
from ..state import CartLine
from . import bp
from .doors import body, shop_of, with_options


@bp.get("/shops/<domain>/orders")
def list_orders(domain: str) -> Response:
    """Newest first; at most ``limit`` (250)."""
    shop = shop_of(domain)
    found = g.devstore.orders(shop)[: request.args.get("limit", 250, type=int)]
    return jsonify([summary(order) for order in found])


@bp.post("/shops/<domain>/orders")
def create_order(domain: str) -> tuple[Response, int]:
    """{"lines": [{"variant_id" or "product" (a handle), "quantity", "price_minor"}], "customer": id or address, …}"""
    shop, options = shop_of(domain), moments(body())
    lines = [cart_line(shop, line) for line in options.pop("lines", [])]
    if (who := options.pop("customer", None)) is not None:
        options["customer_id"] = customer_id(shop, who)
    order = with_options(g.devstore.create_order, shop, lines, **options)
    return jsonify(full(shop, order)), 201


@bp.get("/shops/<domain>/orders/<int:id>")
def show_order(domain: str, id: int) -> Response:
    shop = shop_of(domain)
    order = g.devstore.order(shop, id)
    if order is None:
        abort(404, "there is no such order")
    return jsonify(full(shop, order))


@bp.post("/shops/<domain>/orders/<int:id>/<verb>")
def change_order(domain: str, id: int, verb: str) -> Response:
    """pay {amount_minor}, authorize, fulfil {lines}, refund {lines, restock, shipping_minor, amount_minor, note},
    edit {quantities, add}, cancel {refund, reason}, customer {customer}, touch {note}.

    ``lines`` and ``quantities`` are {line id: units}; "0", "1" … name lines by their place.
    """
    shop, options = shop_of(domain), moments(body())
    devstore = g.devstore
    order = devstore.order(shop, id)
    if order is None:
        abort(404, "there is no such order")
    for name in ("lines", "quantities"):
        if options.get(name) is not None:
            options[name] = by_line(order, options[name])
    if "add" in options:
        options["add"] = [cart_line(shop, line) for line in options["add"]]
    if verb == "customer":
        who = options.get("customer")
        return jsonify(
            full(shop, devstore.set_order_customer(shop, id, None if who is None else customer_id(shop, who)))
        )
    verbs = {
        "pay": devstore.pay_order,
        "authorize": devstore.authorize_order,
        "fulfil": devstore.fulfil_order,
        "refund": devstore.refund_order,
        "edit": devstore.edit_order,
        "cancel": devstore.cancel_order,
        "touch": devstore.touch_order,
    }
    if verb not in verbs:
        abort(404, "there is no such verb")
    return jsonify(full(shop, with_options(verbs[verb], shop, id, **options)))


def summary(order: Order) -> dict[str, Any]:
    totals = g.devstore.figures(order)
    return {
        "id": order.id,
        "name": order.name,
        "token": order.token,
        "customer_id": order.customer_id,
        "email": order.email,
        "created_at": order.created_at.isoformat(),
        "updated_at": order.updated_at.isoformat(),
        "test": order.test,
        "cancelled_at": order.cancelled_at and order.cancelled_at.isoformat(),
        "total_minor": totals.total_minor,
        "current_total_minor": totals.current_total_minor,
        "outstanding_minor": totals.outstanding_minor,
        "financial_status": totals.financial_status,
        "fulfillment_status": totals.fulfilment_status,
        "line_ids": [line.id for line in order.lines],
    }


def full(shop: Shop, order: Order) -> dict[str, Any]:
    figures = asdict(g.devstore.figures(order))
    del figures["lines"]
    return {**summary(order), "order": order_body(g.devstore, shop, order), "figures": figures}


def cart_line(shop: Shop, line: dict[str, Any]) -> CartLine:
    """A line named by variant id, or by product handle and the place of the variant in it."""
    line = dict(line)
    if handle := line.pop("product", None):
        product = g.devstore.product_by_handle(shop, handle)
        if product is None:
            raise Refusal(f"there is no product {handle}")
        line["variant_id"] = product.variants[line.pop("variant", 0)].id
    return with_options(CartLine, **line)


def customer_id(shop: Shop, who: int | str) -> int:
    if isinstance(who, int):
        return who
    customer = g.devstore.customer_by_email(shop, who)
    if customer is None:
        raise Refusal(f"there is no customer {who}")
    return customer.id


def by_line(order: Order, wanted: dict[str, int]) -> dict[int, int]:
    places = {str(place): line.id for place, line in enumerate(order.lines)}
    return {places.get(name) or int(name): units for name, units in wanted.items()}


def moments(options: dict[str, Any]) -> dict[str, Any]:
    """``at`` is ISO 8601 with an offset."""
    if options.get("at"):
        at = datetime.fromisoformat(options["at"])
        if at.tzinfo is None:
            raise Refusal("a moment needs its offset")
        options = {**options, "at": at.replace(microsecond=0)}
    return options

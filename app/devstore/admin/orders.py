"""Orders: the list, one order and everything that can be done to it, placing one by hand."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response

from ..bodies.orders import allocated
from ..ordering.creating import CartLine
from ..records import Order, Shop
from .page import amount, chosen_id, done, draw, home, paged, store, trying, whole


def register(bp: Blueprint) -> None:
    bp.add_url_rule("/-/admin/store/<handle>/orders", view_func=orders)
    bp.add_url_rule("/-/admin/store/<handle>/orders/new", view_func=new_order)
    bp.add_url_rule("/-/admin/store/<handle>/orders/new", view_func=place_order, methods=["POST"])
    bp.add_url_rule("/-/admin/store/<handle>/orders/<int:id>", view_func=order)
    bp.add_url_rule("/-/admin/store/<handle>/orders/<int:id>/<verb>", view_func=act_on_order, methods=["POST"])


def orders(handle: str) -> str:
    """Newest first, 50 a page."""
    shop = store(handle)
    shown, more = paged(g.devstore.orders(shop))
    customers = {customer.id: customer.name for customer in g.devstore.customers(shop)}
    rows = [(order, g.devstore.figures(order), customers.get(order.customer_id)) for order in shown]
    return draw("orders", shop, here="orders", rows=rows, more=more)


def order(handle: str, id: int) -> str:
    shop = store(handle)
    found = _order(shop, id)
    return draw(
        "order",
        shop,
        here="orders",
        order=found,
        figures=g.devstore.figures(found),
        discounts=[(applied, allocated(found, index)) for index, applied in enumerate(found.discount_applications)],
        customer=g.devstore.customer(shop, found.customer_id) if found.customer_id else None,
        customers=sorted(g.devstore.customers(shop), key=lambda customer: customer.name),
        products=_sellable(shop),
        act=f"{home(shop)}/orders/{id}",
    )


def act_on_order(handle: str, id: int, verb: str) -> Response:
    """One thing done to an order; a refusal is shown on its page."""
    shop = store(handle)
    _order(shop, id)
    if verb not in VERBS:
        abort(404)
    back = f"{home(shop)}/orders/{id}"
    return trying(lambda: done(VERBS[verb](shop, id), back), back)


def pay(shop: Shop, id: int) -> str:
    g.devstore.pay_order(shop, id)
    return "Payment taken."


def fulfil(shop: Shop, id: int) -> str:
    lines = _quantities(shop, id)
    g.devstore.fulfil_order(shop, id, lines=lines or None)
    return "Fulfilled."


def refund(shop: Shop, id: int) -> str:
    g.devstore.refund_order(
        shop,
        id,
        lines=_quantities(shop, id),
        restock="restock" in request.form,
        shipping_minor=amount("shipping", shop.currency) or 0,
        amount_minor=amount("amount", shop.currency),
        note=request.form.get("note") or None,
    )
    return "Refund made."


def edit(shop: Shop, id: int) -> str:
    found = _order(shop, id)
    wanted = {}
    for line in g.devstore.figures(found).lines:
        quantity = whole(f"line-{line.line.id}", line.current)
        if quantity != line.current:
            wanted[line.line.id] = quantity
    variant = chosen_id("variant")
    added = [CartLine(variant, whole("quantity", 1))] if variant else []
    g.devstore.edit_order(shop, id, quantities=wanted, add=added)
    return "Order edited."


def cancel(shop: Shop, id: int) -> str:
    g.devstore.cancel_order(shop, id, refund="refund" in request.form, reason=request.form.get("reason", "customer"))
    return "Order cancelled."


def move(shop: Shop, id: int) -> str:
    g.devstore.set_order_customer(shop, id, chosen_id("customer"))
    return "Customer changed."


def touch(shop: Shop, id: int) -> str:
    g.devstore.touch_order(shop, id, note=request.form.get("note", ""))
    return "Note saved."


VERBS: dict[str, Callable[[Shop, int], str]] = {
    "pay": pay,
    "fulfil": fulfil,
    "refund": refund,
    "edit": edit,
    "cancel": cancel,
    "customer": move,
    "note": touch,
}


def new_order(handle: str) -> str:
    shop = store(handle)
    customers = sorted(g.devstore.customers(shop), key=lambda customer: customer.name)
    return draw("order_new", shop, here="orders", products=_sellable(shop), customers=customers)


def place_order(handle: str) -> Response:
    """An order as if it came from the checkout: paid or not, for a customer or a guest, a test or not."""
    shop = store(handle)

    def place() -> Response:
        chosen = [(variant.id, whole(f"variant-{variant.id}")) for _, variant in _sellable(shop)]
        lines = [CartLine(variant_id, quantity) for variant_id, quantity in chosen if quantity]
        placed = g.devstore.create_order(
            shop,
            lines,
            customer_id=chosen_id("customer"),
            email=request.form.get("email") or None,
            codes=[code.strip() for code in request.form.get("code", "").split(",") if code.strip()],
            shipping="shipping" in request.form,
            test="test" in request.form,
            pay="pay" in request.form,
        )
        return done(f"Order {placed.name} placed.", f"{home(shop)}/orders/{placed.id}")

    return trying(place, f"{home(shop)}/orders/new")


def _order(shop: Shop, id: int) -> Order:
    found = g.devstore.order(shop, id)
    if found is None:
        abort(404)
    return found


def _quantities(shop: Shop, id: int) -> dict[int, int]:
    """Units chosen per line, those above nothing."""
    chosen = {line.id: whole(f"line-{line.id}") for line in _order(shop, id).lines}
    return {line_id: quantity for line_id, quantity in chosen.items() if quantity}


def _sellable(shop: Shop) -> list[tuple]:
    return [(product, variant) for product in g.devstore.products(shop) for variant in product.variants]

"""An order's status page, by an address only its buyer knows. It is where an order can still be paid."""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from .. import money
from ..records import Order
from .objects import money_format, order_drop
from .painting import paint, root
from .shoppers import below_root


def register(bp: Blueprint) -> None:
    """Add order pages to the storefront. The last address is the one webhooks name."""
    for number, path in enumerate(
        (
            "/orders/<int:order_id>/<token>",
            "/<int:shop_id>/orders/<token>",
            "/<int:shop_id>/orders/<token>/authenticate",
        )
    ):
        bp.add_url_rule(path, view_func=status, endpoint=f"order_{number}")
    bp.add_url_rule("/<int:shop_id>/orders/<token>/pay", view_func=pay, methods=["POST"])


def status(token: str, order_id: int | None = None, shop_id: int | None = None) -> Response:
    """What was ordered, where it stands, what was paid back."""
    order = _order(token, order_id, shop_id)
    shown = order_drop(g.devstore, g.shop, order, root())
    figures = g.devstore.figures(order)
    foreign = presented(order, figures.total_minor)
    thanks = request.args.get("thanks") == "1" and not order.cancelled_at
    return paint("order", title=f"Order {order.name}", order=shown, foreign_total=foreign, thanks=thanks)


def pay(token: str, shop_id: int) -> AnyResponse:
    """Pay what is outstanding."""
    order = _order(token, None, shop_id)
    g.devstore.pay_order(g.shop, order.id)
    return redirect(below_root(f"/{g.shop.id}/orders/{order.token}"), 303)


def presented(order: Order, minor: int) -> str | None:
    """An amount in the currency the buyer was shown, written out; None when that is the shop's own."""
    if order.presentment_currency == order.currency:
        return None
    amount = money.times(minor, order.presentment_rate, source=order.currency, target=order.presentment_currency)
    value = money.to_decimal(amount, order.presentment_currency)
    sign = money_format(order.presentment_currency).split("{{")[0]
    return f"{sign}{value:,f} {order.presentment_currency}"


def _order(token: str, order_id: int | None, shop_id: int | None) -> Order:
    order: Order | None = g.devstore.order_by_token(g.shop, token)
    if order is None or order_id not in (None, order.id) or shop_id not in (None, g.shop.id):
        abort(404)
    return order

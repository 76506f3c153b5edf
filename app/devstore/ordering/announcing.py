"""Tells the app: webhooks about an order, each with the body as of now, all of one merchant action."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..bodies.orders import order_body
from ..bodies.refunds import refund_body
from ..errors import Refusal
from ..records import Order, Refund, Shop

if TYPE_CHECKING:
    from ..state import DevStore


def announce(
    devstore: DevStore, shop: Shop, order: Order, topics: Iterable[str], *, refund: Refund | None = None
) -> None:
    """Queue these topics in this order, in the transaction that changed the order."""
    event = devstore.webhooks.new_event()
    body = None
    for topic in topics:
        if topic == "refunds/create":
            assert refund is not None
            devstore.webhooks.emit(shop, topic, refund_body(shop, order, refund), event=event)
        else:
            body = body or order_body(devstore, shop, order)
            devstore.webhooks.emit(shop, topic, body, event=event)


def load(devstore: DevStore, shop: Shop, order_id: int) -> Order:
    """The order, to be changed. Raises Refusal when there is none."""
    order = devstore.order(shop, order_id)
    if order is None:
        raise Refusal("there is no such order")
    return order

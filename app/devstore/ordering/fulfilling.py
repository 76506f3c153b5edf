"""Shipping: all that is left, or some units of some lines. Gift cards are sent by themselves once paid."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from .. import clock
from ..errors import Refusal
from ..records import FulfilledLine, Fulfilment, Order, Shop
from .announcing import announce, load
from .figures import figures

if TYPE_CHECKING:
    from ..state import DevStore


def fulfil(devstore: DevStore, shop: Shop, id: int, *, lines: dict[int, int] | None, at: datetime | None) -> Order:
    """Ship; orders/fulfilled when that was the last of it, else orders/partially_fulfilled."""
    with devstore.store.writing():
        order = load(devstore, shop, id)
        if order.cancelled_at:
            raise Refusal("the order is cancelled")
        now = at or clock.now()
        if not add(devstore, order, lines, now):
            raise Refusal("there is nothing to fulfil")
        order.updated_at = max(order.updated_at, now)
        if figures(order).fulfilment_status == "fulfilled":
            order.closed_at = now
        devstore.store.save(order)
        announce(devstore, shop, order, [topic(order), "orders/updated"])
        return order


def add(devstore: DevStore, order: Order, lines: dict[int, int] | None, at: datetime) -> bool:
    """Add a fulfilment; False when there is nothing to ship. Raises Refusal for more than there is."""
    left = {f.line.id: f.fulfillable for f in figures(order).lines if f.fulfillable}
    wanted = left if lines is None else {id: n for id, n in lines.items() if n}
    if any(n < 0 or n > left.get(id, 0) for id, n in wanted.items()):
        raise Refusal("that is more than what is left to fulfil")
    return _append(devstore, order, wanted, at, "manual")


def add_gift_cards(devstore: DevStore, order: Order, at: datetime) -> bool:
    """Send the gift cards of a paid order, as Shopify does at once."""
    cards = {f.line.id: f.fulfillable for f in figures(order).lines if f.line.gift_card and f.fulfillable}
    return _append(devstore, order, cards, at, "gift_card")


def topic(order: Order) -> str:
    return f"orders/{'fulfilled' if figures(order).fulfilment_status == 'fulfilled' else 'partially_fulfilled'}"


def _append(devstore: DevStore, order: Order, wanted: dict[int, int], at: datetime, service: str) -> bool:
    if not wanted:
        return False
    order.fulfilments.append(
        Fulfilment(
            id=devstore.store.next_id("fulfilment"),
            created_at=at,
            service=service,
            lines=[FulfilledLine(line_id, quantity) for line_id, quantity in wanted.items()],
        )
    )
    return True

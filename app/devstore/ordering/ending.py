"""Cancelling, and changes that move no money: another customer, a note."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from .. import clock
from ..errors import Refusal
from ..records import Order, Shop
from . import refunding
from .announcing import announce, load
from .figures import figures

if TYPE_CHECKING:
    from ..state import DevStore


def cancel(devstore: DevStore, shop: Shop, id: int, *, refund: bool, reason: str, at: datetime | None) -> Order:
    """Cancel: refund all that remains (one refund with restock type "cancel"), or let the money stay.

    orders/cancelled and orders/updated are sent, refunds/create before them when there is a refund.
    """
    with devstore.store.writing():
        order = load(devstore, shop, id)
        if order.cancelled_at:
            raise Refusal("the order is cancelled already")
        now = at or clock.now()
        before = figures(order)
        topics, made = ["orders/cancelled", "orders/updated"], None
        left = before.received_minor - before.refunded_minor
        if refund and left:
            made = refunding.add(
                devstore,
                order,
                lines={f.line.id: f.current for f in before.lines if f.current},
                restock=True,
                shipping_minor=min(before.current_shipping_minor, left),
                amount_minor=left,
                note=None,
                at=now,
                restock_type="cancel",
            )
            topics.insert(0, "refunds/create")
        elif not before.received_minor:
            for line in before.lines:
                line.line.removed += line.current
        order.cancelled_at = order.closed_at = now
        order.cancel_reason = reason
        order.updated_at = max(order.updated_at, now)
        devstore.store.save(order)
        announce(devstore, shop, order, topics, refund=made)
        return order


def set_customer(devstore: DevStore, shop: Shop, id: int, customer_id: int | None) -> Order:
    """Staff attach, move or remove the order's customer: orders/updated."""
    with devstore.store.writing():
        order = load(devstore, shop, id)
        if customer_id is not None and devstore.customer(shop, customer_id) is None:
            raise Refusal("there is no such customer")
        order.customer_id = customer_id
        return _updated(devstore, shop, order)


def touch(devstore: DevStore, shop: Shop, id: int, note: str | None) -> Order:
    with devstore.store.writing():
        order = load(devstore, shop, id)
        order.note = note
        return _updated(devstore, shop, order)


def _updated(devstore: DevStore, shop: Shop, order: Order) -> Order:
    order.updated_at = max(order.updated_at, clock.now())
    devstore.store.save(order)
    announce(devstore, shop, order, ["orders/updated"])
    return order

"""Payments: a sale, or an authorization and later its capture."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from .. import clock
from ..errors import Refusal
from ..records import Order, Shop, Transaction
from . import fulfilling
from .announcing import announce, load
from .figures import figures

if TYPE_CHECKING:
    from ..state import DevStore


def pay(devstore: DevStore, shop: Shop, id: int, *, amount_minor: int | None, at: datetime | None) -> Order:
    """Pay what is outstanding, or part of it. orders/paid is sent when nothing is left to pay."""
    with devstore.store.writing():
        order = load(devstore, shop, id)
        now = at or clock.now()
        due = figures(order).outstanding_minor
        amount = due if amount_minor is None else amount_minor
        if order.cancelled_at:
            raise Refusal("the order is cancelled")
        if amount <= 0 or amount > due:
            raise Refusal("there is nothing to pay" if due <= 0 else "that is more than what is outstanding")
        add_payment(devstore, order, amount, now)
        order.updated_at = max(order.updated_at, now)
        topics = ["orders/updated"]
        if figures(order).outstanding_minor == 0:
            topics.insert(0, "orders/paid")
            if fulfilling.add_gift_cards(devstore, order, now):
                topics.insert(1, fulfilling.topic(order))
        devstore.store.save(order)
        announce(devstore, shop, order, topics)
        return order


def authorize(devstore: DevStore, shop: Shop, id: int) -> Order:
    """Authorize what is outstanding; ``pay`` captures it."""
    with devstore.store.writing():
        order = load(devstore, shop, id)
        if figures(order).financial_status != "pending":
            raise Refusal("only an order nobody paid for can be authorized")
        now = clock.now()
        order.transactions.append(_transaction(devstore, "authorization", figures(order).outstanding_minor, now))
        order.updated_at = now
        devstore.store.save(order)
        announce(devstore, shop, order, ["orders/updated"])
        return order


def add_payment(devstore: DevStore, order: Order, amount_minor: int, at: datetime) -> None:
    """Add the transaction: a capture when there is an authorization, else a sale. A free order has none."""
    if amount_minor <= 0:
        return
    held = next((t for t in order.transactions if t.kind == "authorization"), None)
    payment = _transaction(devstore, "capture" if held else "sale", amount_minor, at)
    payment.parent_id = held.id if held else None
    order.transactions.append(payment)


def _transaction(devstore: DevStore, kind: str, amount_minor: int, at: datetime) -> Transaction:
    return Transaction(
        id=devstore.store.next_id("transaction"),
        kind=kind,
        status="success",
        amount_minor=amount_minor,
        processed_at=at,
    )

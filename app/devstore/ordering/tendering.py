"""Paying with what the store owes: gift cards first, then store credit. They pay for an order and take nothing off it.

What remains is for the card. Refunds give back to whatever paid, the last payment first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ..errors import Refusal
from ..gift_cards import GiftCard
from ..records import Order, Shop, Transaction
from ..store_credit import Account
from .figures import figures

if TYPE_CHECKING:
    from ..state import DevStore

GIFT_CARD = "gift_card"
STORE_CREDIT = "shopify_store_credit"


@dataclass(frozen=True)
class Tender:
    """A part of what is to be paid."""

    gateway: str
    source: GiftCard | Account
    amount_minor: int


def tenders(
    devstore: DevStore, shop: Shop, order: Order, gift_cards: Sequence[str], store_credit: bool
) -> list[Tender]:
    """What these would pay of the order. Raises Refusal for a card that cannot be used."""
    left, found, seen = figures(order).outstanding_minor, [], set()
    for code in gift_cards:
        card = devstore.gift_cards.usable(shop, code)
        if card.id in seen:
            raise Refusal("that gift card is used already")
        seen.add(card.id)
        found.append(Tender(GIFT_CARD, card, min(left, card.balance_minor)))
        left -= found[-1].amount_minor
    if store_credit and order.customer_id is not None:
        account = devstore.store_credit.in_currency(shop, order.customer_id, order.currency)
        if account:
            found.append(Tender(STORE_CREDIT, account, min(left, account.balance_minor)))
    return [tender for tender in found if tender.amount_minor > 0]


def pay(devstore: DevStore, shop: Shop, order: Order, wanted: Sequence[Tender], at: datetime) -> None:
    """Take them, each with its transaction on the order, which must have its id."""
    for tender in wanted:
        payment = Transaction(
            id=devstore.store.next_id("transaction"),
            kind="sale",
            status="success",
            amount_minor=tender.amount_minor,
            processed_at=at,
            gateway=tender.gateway,
            source_id=tender.source.id,
        )
        order.transactions.append(payment)
        _move(devstore, shop, order, payment, -tender.amount_minor)


def give_back(devstore: DevStore, order: Order, amount_minor: int, at: datetime) -> list[Transaction]:
    """Refund transactions for this amount, on the order already; nothing more was paid than that."""
    shop = devstore.shop_by_id(order.shop_id)
    assert shop is not None
    made: list[Transaction] = []
    for paid in [t for t in reversed(order.transactions) if t.kind in ("sale", "capture")]:
        back = sum(t.amount_minor for t in order.transactions if t.kind == "refund" and t.parent_id == paid.id)
        part = min(amount_minor - sum(t.amount_minor for t in made), paid.amount_minor - back)
        if part <= 0:
            continue
        refund = Transaction(
            id=devstore.store.next_id("transaction"),
            kind="refund",
            status="success",
            amount_minor=part,
            processed_at=at,
            gateway=paid.gateway,
            parent_id=paid.id,
            source_id=paid.source_id,
        )
        order.transactions.append(refund)
        made.append(refund)
        _move(devstore, shop, order, refund, part)
    return made


def _move(devstore: DevStore, shop: Shop, order: Order, cause: Transaction, minor: int) -> None:
    """Spend or give back, where the money came from."""
    if cause.source_id is None:
        return
    if cause.gateway == GIFT_CARD:
        devstore.gift_cards.change(shop, cause.source_id, minor, note=order.name, order_id=order.id)
    elif minor < 0:
        devstore.store_credit.debit(
            shop, cause.source_id, -minor, event="ORDER_PAYMENT", order_id=order.id, transaction_id=cause.id
        )
    else:
        devstore.store_credit.credit(
            shop, cause.source_id, minor, event="ORDER_REFUND", order_id=order.id, transaction_id=cause.id
        )

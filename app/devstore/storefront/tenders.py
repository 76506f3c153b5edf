"""What pays at the checkout before the card does: gift cards typed where discount codes are, and store credit.

Only who is logged in has store credit to spend; a guest with somebody's address has not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import g

from ..errors import Refusal
from ..ordering import tendering
from ..ordering.figures import figures
from ..ordering.tendering import Tender
from ..records import Order
from .shoppers import customer_of_request

MOST = 10  # gift cards of one order


def is_gift_card(typed: str) -> bool:
    """Whether a code is a gift card's; otherwise it is meant for a discount."""
    return g.devstore.gift_cards.by_code(g.shop, typed) is not None


def usable(codes: Sequence[str], errors: dict[str, str]) -> list[str]:
    """Those that can be used, once each. Why another cannot is noted under "code"."""
    good: dict[int, str] = {}
    for code in codes[:MOST]:
        try:
            good.setdefault(g.devstore.gift_cards.usable(g.shop, code).id, code)
        except Refusal as refusal:
            errors["code"] = f"{str(refusal).capitalize()}."
    return list(good.values())


def credit_minor() -> int:
    """The store credit of who is logged in, in the shop's currency."""
    customer = customer_of_request()
    account = g.devstore.store_credit.in_currency(g.shop, customer.id, g.shop.currency) if customer else None
    return account.balance_minor if account else 0


def plan(order: Order, codes: Sequence[str], store_credit: bool) -> list[Tender]:
    """What these pay of an order that is not placed yet."""
    customer = customer_of_request()
    order.customer_id = customer.id if customer else None
    return tendering.tenders(g.devstore, g.shop, order, codes, store_credit)


def shown(order: Order, wanted: Sequence[Tender], price: Callable[[int], int]) -> dict[str, Any]:
    """Rows for the page, and what is left for the card."""
    due = figures(order).outstanding_minor - sum(tender.amount_minor for tender in wanted)
    rows = [
        {
            "code": getattr(tender.source, "code", None),
            "last_characters": getattr(tender.source, "last_characters", None),
            "amount": price(tender.amount_minor),
        }
        for tender in wanted
    ]
    return {"tenders": rows, "due_minor": due, "due_price": price(due)}

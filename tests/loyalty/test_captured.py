"""Real webhook bodies settle to figures worked out by hand.

The sums are beside each case. As captured most earn nothing (test orders, guests); with ``test`` false and a customer
they earn what their goods came to after discounts, without tax and shipping, in shop money.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.models import Order

from ..conftest import DOMAIN
from ..support import add_shop, available, deliver, drain, payload

CUSTOMER = 424242

# name, shop id and currency in the body, reason as captured, points as captured, points as an honest customer's order
CASES = [
    # 99 − 4.78 − 5.00, 100 − 5.08, 100 − 5.07, 100 − 5.07 = 374.00
    ("orders__create.draft-order-discounts-2025.json", 91740864812, "HKD", None, 374, 374),
    # 99 − 5 + 100 + 100 = 294.00, guest without an address
    ("orders__create.guest-automatic-discount-2025.json", 91740864812, "HKD", "no_customer", 0, 294),
    # 99 − 2.39 − 5.00, 100 − 2.54, 100 − 2.54, 100 − 2.53 = 384.00, guest without an address
    ("orders__create.guest-four-lines-2025.json", 91740864812, "HKD", "no_customer", 0, 384),
    # 99 − 14.10 − 5.00 + 100 − 15.00 = 164.90, guest without an address
    ("orders__create.guest-percentage-2025.json", 91740864812, "HKD", "no_customer", 0, 164),
    # 45.62 AUD in shop money, paid in USD; tax on top does not count
    ("orders__create.multicurrency-usd-presentment-2020.json", 48379854997, "AUD", "test_order", 0, 45),
    # 24.98 + 19.98 + 12.58 + 19.58 + 12.49 + 19.98 = 109.59
    ("orders__create.web-six-lines-2023.json", 80357130550, "USD", "test_order", 0, 109),
    # 2 × 123 + 3 × 500 = 1746.00; 56.58 + 345.00 tax on top does not count
    ("orders__rest.pln-tax-fulfilled-2024.json", 67679813924, "PLN", None, 1746, 1746),
    ("orders__fulfilled.gift-card-line-2024.json", 68875616470, "INR", "test_order", 0, 0),
    ("orders__cancelled.free-shipping-code-refunded-2024.json", 68875616470, "INR", "test_order", 0, 0),
]
HONEST_REASON = {
    "orders__fulfilled.gift-card-line-2024.json": "gift_card_only",
    "orders__cancelled.free-shipping-code-refunded-2024.json": "cancelled",
}


@pytest.mark.parametrize(("name", "shop_id", "currency", "reason", "points", "honest"), CASES)
def test_a_captured_order_settles_to_the_figure_worked_out_by_hand(
    db, clock, name, shop_id, currency, reason, points, honest
):
    body = payload(f"captured/{name}")
    add_shop(db, shop_id=shop_id, currency=currency)
    settle(db, clock, body)
    with db.reading() as session:
        order = session.get_one(Order, (shop_id, body["id"]))
        assert (order.points, order.reason) == (points, reason)


@pytest.mark.parametrize(("name", "shop_id", "currency", "reason", "points", "honest"), CASES)
def test_the_same_order_of_an_honest_customer_earns_its_goods(
    db, clock, name, shop_id, currency, reason, points, honest
):
    body = copy.deepcopy(payload(f"captured/{name}"))
    body["test"] = False
    body["customer"] = {"id": CUSTOMER}
    add_shop(db, shop_id=shop_id, currency=currency)
    settle(db, clock, body)
    assert available(db, CUSTOMER, shop_id=shop_id) == honest
    with db.reading() as session:
        assert session.get_one(Order, (shop_id, body["id"])).reason == HONEST_REASON.get(name)


def settle(db: Any, clock: Any, body: dict[str, Any]) -> None:
    assert deliver(db, "orders/create", body, domain=DOMAIN)
    drain(db, clock)

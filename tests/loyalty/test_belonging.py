"""Headers are not signed: an order counts only when it is this shop's by its own body, or by this shop's Admin API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ..conftest import NOW, SHOP_ID
from ..support import add_shop, an_order, available, deliver, drain, jobs, order_body, outcomes, problems, refund_body

OTHER, OTHER_DOMAIN = SHOP_ID + 1, "other.myshopify.com"


@pytest.fixture
def say(db, clock):
    def say(*deliveries: tuple[str, dict[str, Any]]) -> None:
        for topic, body in deliveries:
            deliver(db, topic, body, now=clock(), webhook_id=f"w-{clock.now.timestamp()}")
            drain(db, clock)
            clock.advance(seconds=2)
        assert problems(db) == []

    add_shop(db)
    return say


@pytest.mark.parametrize(
    "url",
    [
        f"https://{OTHER_DOMAIN}/{OTHER}/orders/0123/authenticate?key=0",
        None,
        "",
        "https://evil.example/?x=/91740864812/orders/1",
        "not an address",
    ],
)
def test_an_order_of_another_shop_or_of_nobody_is_asked_for_and_earns_nothing(db, say, url):
    say(("orders/paid", {**order_body(), "order_status_url": url}))
    assert available(db, 7001) == 0
    assert outcomes(db)[0][2].startswith("Waiting for Shopify to confirm")
    assert jobs(db)["fetch_order", "5731"].arguments == {"order_id": 5731}


def test_another_shops_order_delivered_to_both_shops_counts_in_its_own_only(db, clock, say):
    add_shop(db, shop_id=OTHER, domain=OTHER_DOMAIN)
    body = order_body(shop_id=OTHER, domain=OTHER_DOMAIN)
    say(("orders/paid", body))
    deliver(db, "orders/paid", body, domain=OTHER_DOMAIN)
    drain(db, clock)
    assert (available(db, 7001), available(db, 7001, shop_id=OTHER)) == (0, 28)


def test_a_refund_with_foreign_lines_changes_nothing(db, say):
    foreign = refund_body(1, units={1: 1})
    foreign["refund_line_items"][0]["line_item_id"] = 12345
    say(("orders/paid", order_body()), ("refunds/create", foreign))
    assert available(db, 7001) == 28
    assert an_order(db).settlements == 1
    assert ("fetch_order", "5731") in jobs(db)


def test_a_refund_with_foreign_lines_in_the_same_batch_as_its_order_changes_nothing(db, clock):
    add_shop(db)
    foreign = refund_body(1, units={1: 1})
    foreign["refund_line_items"][0]["line_item_id"] = 12345
    deliver(db, "orders/paid", order_body())
    deliver(db, "refunds/create", foreign, now=NOW + timedelta(milliseconds=1))
    clock.advance(seconds=1)
    drain(db, clock)
    assert available(db, 7001) == 28


def test_a_refund_with_foreign_lines_that_came_before_its_order_changes_nothing(db, say):
    foreign = refund_body(1, units={1: 1}, adjustments=["-20.00"])
    foreign["refund_line_items"][0]["line_item_id"] = 12345
    say(("refunds/create", foreign), ("orders/paid", order_body()))
    assert available(db, 7001) == 28


def test_a_refund_of_a_line_added_by_an_edit_counts_once_the_edit_is_known(db, say):
    edited = order_body(lines=[("28.00", 1), ("10.00", 2)], updated_at=NOW + timedelta(hours=1))
    say(("orders/paid", order_body()), ("refunds/create", refund_body(1, units={2: 1}, price="10.00")))
    assert available(db, 7001) == 28
    say(("orders/updated", edited))
    assert available(db, 7001) == 38


def test_an_edit_carries_no_order_so_the_order_is_asked_for(db, say):
    say(("orders/edited", {"order_edit": {"id": 1, "order_id": 5731}}))
    assert ("fetch_order", "5731") in jobs(db)


def test_an_order_body_under_a_customers_topic_is_parked(db, say):
    say(("customers/update", order_body()), ("orders/paid", {"id": 1}), ("refunds/create", order_body()))
    assert [state for _, state, _ in outcomes(db)] == ["parked"] * 3


def test_a_topic_nobody_listens_to_is_ignored(db, say):
    say(("products/update", {"id": 1}))
    assert outcomes(db)[0][1] == "ignored"

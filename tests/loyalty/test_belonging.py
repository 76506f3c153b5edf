"""Headers are not signed: an order counts only when it is this shop's by its own body, or by this shop's Admin API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.loyalty.confirm import ask_about
from app.models import Member

from ..conftest import DOMAIN, NOW, SHOP_ID
from ..support import (
    access_for,
    add_shop,
    an_order,
    available,
    customer_body,
    deliver,
    drain,
    jobs,
    merge_body,
    order_body,
    outcomes,
    problems,
    refund_body,
)
from .fake_shopify import FakeShopify

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


# --- customers -----------------------------------------------------------------------------------------------------


@pytest.fixture
def shopify() -> FakeShopify:
    return FakeShopify()


@pytest.fixture
def tell(db, clock, shopify):
    """As `say`, with this shop's Admin API to ask."""
    access = access_for(db, clock, shopify.http())

    def tell(*deliveries: tuple[str, dict[str, Any]]) -> None:
        for topic, body in deliveries:
            deliver(db, topic, body, now=clock(), webhook_id=f"w-{clock.now.timestamp()}")
            drain(db, clock, access)
            clock.advance(seconds=2)
        drain(db, clock, access)
        assert problems(db) == []

    add_shop(db)
    return tell


def members(db) -> list[int | None]:
    with db.reading() as session:
        return sorted(session.scalars(select(Member.customer_id)))


GUESTS_ORDER = ("orders/paid", order_body(customer_id=None))


def test_another_shops_customer_becomes_no_member_and_gets_no_guests_order(db, tell, shopify):
    tell(GUESTS_ORDER, ("customers/create", customer_body(9009)), ("customers/update", customer_body(9009)))
    assert members(db) == []
    assert (an_order(db).member_id, an_order(db).points) == (None, 0)
    assert outcomes(db)[1][2] == "Shopify is asked whether this customer is the shop's."
    assert ("confirm_customers", "") not in jobs(db)


def test_another_shops_merge_makes_no_members(db, tell, shopify):
    tell(("customers/merge", merge_body(kept_id=9009, deleted_id=9008)))
    assert members(db) == []


def test_who_signs_up_is_a_member_by_the_time_shopify_was_asked(db, clock, tell, shopify):
    shopify.customers[7001] = customer_body()
    tell(GUESTS_ORDER, ("customers/create", customer_body()))
    assert members(db) == [7001]
    assert available(db, 7001) == 28
    assert shopify.count("CustomersKnown") == 1


def test_a_customer_an_order_named_is_taken_at_once(db, tell, shopify):
    tell(("orders/paid", order_body(5730)), GUESTS_ORDER, ("customers/update", customer_body()))
    assert available(db, 7001) == 56
    assert shopify.count("CustomersKnown") == 0


def test_an_address_is_verified_when_shopify_says_so(db, tell, shopify):
    shopify.customers[7001] = customer_body(verified=False)
    tell(GUESTS_ORDER, ("customers/create", customer_body(verified=True)))
    assert members(db) == [7001]
    assert an_order(db).member_id is None


def test_many_new_customers_are_asked_about_together(db, clock, shopify):
    add_shop(db)
    for number in range(250):
        shopify.customers[8000 + number] = body = customer_body(8000 + number, email=f"{number}@example.com")
        deliver(db, "customers/create", body)
    drain(db, clock, access_for(db, clock, shopify.http()))
    assert members(db) == list(range(8000, 8250))
    assert shopify.count("CustomersKnown") == 3


def test_who_could_not_be_asked_about_is_asked_about_later(db, clock, tell, shopify):
    shopify.trouble = lambda name, asked: (503, {}) if name == "CustomersKnown" else None
    shopify.customers |= {7001: customer_body(), 7002: customer_body(7002)}
    tell(("customers/create", customer_body()), ("customers/create", customer_body(7002)))
    assert members(db) == []
    shopify.trouble = lambda name, asked: None
    clock.advance(minutes=1)
    tell()
    assert members(db) == [7001, 7002]


def test_customers_that_come_while_others_are_asked_about_are_asked_about_too(db, clock, shopify):
    add_shop(db)
    access = access_for(db, clock, shopify.http())
    shopify.customers |= {7001: customer_body(), 7002: customer_body(7002)}

    def meanwhile(name, asked):
        if name == "CustomersKnown" and shopify.count(name) == 1:
            with db.transaction() as session:
                ask_about(session, SHOP_ID, {7002: ()}, now=clock())

    shopify.trouble = meanwhile
    deliver(db, "customers/create", customer_body())
    drain(db, clock, access)
    clock.advance(seconds=1)
    drain(db, clock, access)
    assert members(db) == [7001, 7002]


def test_a_merge_nobody_had_heard_of_is_remembered_once_shopify_knows_who_was_kept(db, tell, shopify):
    shopify.customers[7002] = customer_body(7002)
    tell(("customers/merge", merge_body(kept_id=7002, deleted_id=7001)), ("orders/paid", order_body()))
    assert available(db, 7002) == 28


def test_who_is_forgotten_meanwhile_is_not_asked_about(db, clock, tell, shopify):
    shopify.trouble = lambda name, asked: (503, {}) if name == "CustomersKnown" else None
    shopify.customers[7001] = customer_body()
    tell(("customers/create", customer_body()))
    assert "7001" in jobs(db)["confirm_customers", ""].arguments["customers"]
    tell(("customers/redact", redact_body(7001)))
    assert ("confirm_customers", "") not in jobs(db)  # nobody is left to be asked about
    shopify.trouble = lambda name, asked: None
    clock.advance(minutes=1)
    tell()
    assert members(db) == []


def redact_body(customer_id: int) -> dict[str, Any]:
    return {
        "shop_id": SHOP_ID, "shop_domain": DOMAIN, "customer": {"id": customer_id, "email": "nora@example.com"},
        "orders_to_redact": [],
    }  # fmt: skip

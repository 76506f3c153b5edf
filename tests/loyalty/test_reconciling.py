"""What webhooks lost, the sweep finds; what it knows, it leaves alone."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from app.errors import NotFound, Throttled
from app.jobs.handlers import ask_for
from app.loyalty import reconcile as reconciling
from app.loyalty.reconcile import reconcile
from app.models import Shop

from ..conftest import NOW, SHOP_ID
from ..support import access_for, add_shop, an_order, available, deliver, drain, jobs, order_body, problems, refund_body
from .fake_shopify import FakeShopify


@pytest.fixture
def shopify() -> FakeShopify:
    return FakeShopify()


@pytest.fixture
def access(db, clock, shopify):
    add_shop(db, installed=NOW)  # so that no sweep is due by itself
    return access_for(db, clock, shopify.http())


def place(shopify: FakeShopify, order_id: int, customer_id: int = 7001, **more) -> dict:
    shopify.orders[order_id] = body = order_body(order_id, customer_id=customer_id, **more)
    return body


def test_three_hundred_orders_with_five_percent_of_their_webhooks_lost(db, clock, access, shopify):
    random = Random(20261121)
    lost = 0
    for number in range(300):
        body = place(shopify, 6000 + number, 8000 + number % 40, created_at=NOW - timedelta(minutes=600 - number))
        if random.random() < 0.05:
            lost += 1
        else:
            deliver(db, "orders/paid", body)
    drain(db, clock)
    assert lost > 5
    seen, recovered = reconcile(access, SHOP_ID)
    drain(db, clock)
    assert (seen, recovered) == (300, lost)
    assert shopify.count("OrderSightings") == 2  # 250 a page
    assert sum(available(db, 8000 + number) for number in range(40)) == 300 * 28
    for _ in range(2):  # a second and a third sweep change nothing
        clock.advance(minutes=1)
        assert reconcile(access, SHOP_ID)[1] == 0
    assert problems(db) == []


def test_a_lost_refund_and_a_lost_cancellation_are_found(db, clock, access, shopify):
    deliver(db, "orders/paid", place(shopify, 6001, lines=[("28.00", 2)]))
    deliver(db, "orders/paid", place(shopify, 6002))
    drain(db, clock)
    refund = refund_body(1, 6001, units={1: 1}, created_at=NOW + timedelta(minutes=5))
    later = NOW + timedelta(minutes=5)
    place(shopify, 6001, lines=[("28.00", 2)], refunds=[refund], status="partially_refunded", updated_at=later)
    place(shopify, 6002, cancelled_at=later, updated_at=later, status="refunded")
    clock.advance(hours=1)
    assert reconcile(access, SHOP_ID) == (2, 2)
    drain(db, clock)
    assert available(db, 7001) == 28
    assert an_order(db, 6002).reason == "cancelled"


def test_a_sweep_that_was_cut_off_starts_again_and_misses_nothing(db, clock, access, shopify):
    for number in range(260):
        place(shopify, 6000 + number, created_at=NOW - timedelta(minutes=number))

    def cut_off(name, asked):
        return (503, {}) if name == "OrderSightings" and asked["variables"]["after"] else None

    shopify.trouble = cut_off
    with pytest.raises(Throttled):
        reconcile(access, SHOP_ID)
    shopify.trouble = lambda name, asked: None
    reconcile(access, SHOP_ID)
    drain(db, clock)
    assert available(db, 7001) == 260 * 28


def ask_for_a_sweep(db, clock) -> None:
    with db.transaction() as session:
        ask_for(session, SHOP_ID, "reconcile", now=clock(), subject="sweep")


def test_a_workers_sweep_lets_other_work_through_between_its_pages(db, clock, access, shopify):
    for number in range(260):
        deliver(db, "orders/paid", place(shopify, 6000 + number, created_at=NOW - timedelta(minutes=number)))
    drain(db, clock)
    ask_for_a_sweep(db, clock)
    with db.transaction() as session:
        ask_for(session, SHOP_ID, "refresh_shop", now=clock(), due_at=clock() + timedelta(seconds=1))

    def takes_two_seconds(name, asked):
        clock.advance(seconds=2 * (name == "OrderSightings"))

    shopify.calls.clear()
    shopify.trouble = takes_two_seconds
    for _ in range(3):
        drain(db, clock, access)
        clock.advance(seconds=2)
    assert [call for call in shopify.calls if call != "MetafieldsSet"] == ["OrderSightings", "Shop", "OrderSightings"]
    with db.reading() as session:
        assert session.get_one(Shop, SHOP_ID).reconciled_at == NOW


def test_a_sweep_that_died_between_two_pages_goes_on_at_the_second(db, clock, access, shopify):
    for number in range(260):
        place(shopify, 6000 + number, created_at=NOW - timedelta(minutes=number))
    ask_for_a_sweep(db, clock)
    first_pages = []

    def note(name, asked):
        if name == "OrderSightings" and not asked["variables"]["after"]:
            first_pages.append(asked)

    def die(name, asked):
        note(name, asked)
        if name == "OrderSightings" and asked["variables"]["after"]:
            raise SystemExit  # as a kill does: nothing of the worker runs on

    shopify.trouble = die
    with pytest.raises(SystemExit):
        drain(db, clock, access)
    assert shopify.count("Order") == 250
    shopify.trouble = note
    for _ in range(4):
        clock.advance(seconds=61)
        drain(db, clock, access)
    assert len(first_pages) == 1
    assert available(db, 7001) == 260 * 28
    with db.reading() as session:
        assert session.get_one(Shop, SHOP_ID).recovered == 260
    assert ("reconcile", "sweep") not in jobs(db)


def test_a_page_with_much_to_fetch_is_worked_in_parts_and_nothing_is_fetched_twice(
    db, clock, access, shopify, monkeypatch
):
    monkeypatch.setattr(reconciling, "PAGE_SECONDS", -1.0)  # every job is late at once
    for number in range(5):
        place(shopify, 6000 + number, created_at=NOW - timedelta(minutes=10 + number))
    arguments: dict = {}
    for part in range(1, 5):
        reconciling.reconcile_on(access, SHOP_ID, arguments)
        assert shopify.count("Order") == part
        arguments = jobs(db)["reconcile", "sweep"].arguments
    reconciling.reconcile_on(access, SHOP_ID, arguments)
    drain(db, clock)
    assert (shopify.count("Order"), available(db, 7001)) == (5, 5 * 28)
    with db.reading() as session:
        assert session.get_one(Shop, SHOP_ID).recovered == 5


def test_the_next_sweep_looks_back_over_a_day(db, clock, access, shopify):
    reconcile(access, SHOP_ID)
    place(shopify, 6001, created_at=NOW - timedelta(hours=24))
    place(shopify, 6002, created_at=NOW - timedelta(hours=26))
    clock.advance(minutes=1)
    assert reconcile(access, SHOP_ID) == (1, 1)


def test_a_shop_that_is_not_installed_is_not_swept(db, access, shopify):
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).uninstalled_at = NOW
    with pytest.raises(NotFound):
        reconcile(access, SHOP_ID)
    assert shopify.calls == []


def test_a_waiting_refunds_order_is_fetched_after_a_minute_and_settled(db, clock, access, shopify):
    refund = refund_body(1, 6001, units={1: 1})
    place(shopify, 6001, lines=[("28.00", 3)], refunds=[refund], created_at=NOW - timedelta(hours=1))
    deliver(db, "refunds/create", refund)
    drain(db, clock, access)
    assert shopify.count("Order") == 0
    clock.advance(minutes=1)
    drain(db, clock, access)  # the fetch
    clock.advance(seconds=1)
    drain(db, clock, access)  # what it brought
    assert available(db, 7001) == 56


def test_an_order_that_names_no_shop_counts_once_this_shops_api_knows_it(db, clock, access, shopify):
    body = place(shopify, 6001, created_at=NOW - timedelta(hours=1))
    deliver(db, "orders/paid", {**body, "order_status_url": None})
    deliver(db, "orders/paid", {**order_body(6002), "order_status_url": None})  # which the shop does not know
    drain(db, clock, access)
    clock.advance(seconds=1)
    drain(db, clock, access)
    assert available(db, 7001) == 28


def test_an_order_fetched_in_the_second_of_its_change_is_fetched_once_more(db, clock, access, shopify):
    place(shopify, 6001, created_at=NOW)
    deliver(db, "orders/edited", {"order_edit": {"id": 1, "order_id": 6001}})
    drain(db, clock, access)
    assert ("fetch_order", "6001:again") in jobs(db)
    place(shopify, 6001, created_at=NOW, lines=[("28.00", 2)])  # changed again, in the same second
    clock.advance(seconds=2)
    drain(db, clock, access)
    clock.advance(seconds=1)
    drain(db, clock, access)
    assert shopify.count("Order") == 2
    assert available(db, 7001) == 56


def test_the_shop_knows_how_many_orders_the_last_sweep_recovered(db, clock, access, shopify):
    place(shopify, 6001, created_at=NOW - timedelta(hours=1))
    reconcile(access, SHOP_ID)
    with db.reading() as session:
        shop = session.get_one(Shop, SHOP_ID)
        assert (shop.recovered, shop.reconciled_at) == (1, NOW)


def test_a_look_at_the_last_minutes_leaves_the_days_before_to_the_next_sweep(db, clock, access, shopify):
    """As every release takes one: were the shop reconciled then, a daily release would hide lost webhooks for ever."""
    reconcile(access, SHOP_ID)
    place(shopify, 6001, created_at=clock() + timedelta(minutes=1))  # lost
    clock.advance(hours=30)
    place(shopify, 6002, created_at=clock() - timedelta(minutes=5))  # lost too
    assert reconcile(access, SHOP_ID, since=clock() - timedelta(minutes=10)) == (1, 1)
    drain(db, clock)
    with db.reading() as session:
        shop = session.get_one(Shop, SHOP_ID)
        assert (shop.recovered, shop.reconciled_at) == (0, NOW)
    assert reconcile(access, SHOP_ID) == (2, 1)
    drain(db, clock)
    assert available(db, 7001) == 56


def test_a_look_that_reaches_back_beyond_the_last_sweep_is_one(db, clock, access, shopify):
    reconcile(access, SHOP_ID)
    clock.advance(hours=1)
    reconcile(access, SHOP_ID, since=NOW - timedelta(days=400))  # an operator's; as far as orders can be seen
    with db.reading() as session:
        assert session.get_one(Shop, SHOP_ID).reconciled_at == clock()

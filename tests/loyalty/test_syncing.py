"""Members' balances reach their metafields: 25 a call, debounced, and only what was sent counts as sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.errors import Throttled
from app.loyalty import sync
from app.loyalty.sync import sync_members
from app.models import Member

from ..conftest import NOW, SHOP_ID
from ..support import access_for, add_shop, deliver, drain, jobs, merge_body, order_body
from .fake_shopify import FakeShopify


@pytest.fixture
def shopify() -> FakeShopify:
    return FakeShopify()


@pytest.fixture
def access(db, clock, shopify):
    add_shop(db)
    return access_for(db, clock, shopify.http())


def buy(db, clock, access, *customers: int, first_order: int = 5731) -> None:
    for number, customer in enumerate(customers):
        deliver(db, "orders/paid", order_body(first_order + number, customer_id=customer), now=clock())
    drain(db, clock, access)


def dirty(db) -> list[int | None]:
    with db.reading() as session:
        return list(session.scalars(select(Member.customer_id).where(Member.wanted_seq > Member.synced_seq)))


def test_a_balance_is_sent_a_second_after_it_changed(db, clock, access, shopify):
    buy(db, clock, access, 7001)
    assert shopify.member(7001) is None
    assert jobs(db)["sync_members", ""].due_at == NOW + timedelta(seconds=1)
    clock.advance(seconds=1)
    drain(db, clock, access)
    assert shopify.member(7001) == {
        "v": 1, "available": 28, "pending": 0, "reserved": 0, "debt": 0, "next_at": None, "seq": 1,
        "at": "2026-11-21T12:00:01Z",
    }  # fmt: skip
    assert dirty(db) == []


def test_sixty_members_take_three_calls_of_at_most_twenty_five(db, clock, access, shopify):
    buy(db, clock, access, *range(7001, 7061))
    shopify.metafields_a_call.clear()
    assert sync_members(access, SHOP_ID) == 60
    assert shopify.metafields_a_call == [25, 25, 10]
    assert dirty(db) == []
    assert sync_members(access, SHOP_ID) == 0


def test_a_change_during_the_call_is_sent_by_the_next_one(db, clock, access, shopify):
    buy(db, clock, access, 7001)
    changed = []

    def change_meanwhile(name: str, asked: dict[str, Any]) -> None:
        if name == "MetafieldsSet" and not changed:
            changed.append(True)
            buy(db, clock, access_for(db, clock), 7001, first_order=5740)

    shopify.trouble = change_meanwhile
    clock.advance(seconds=1)
    sync_members(access, SHOP_ID)
    assert shopify.member(7001)["available"] == 56
    assert dirty(db) == []


def test_a_member_that_is_gone_keeps_nobody_back(db, clock, access, shopify):
    buy(db, clock, access, *range(7001, 7031))
    shopify.gone_customers = {7002, 7029}
    assert sync_members(access, SHOP_ID) == 28
    assert all(shopify.member(customer) for customer in range(7001, 7031) if customer not in (7002, 7029))
    assert dirty(db) == []


def test_what_was_not_sent_stays_to_be_sent(db, clock, access, shopify):
    buy(db, clock, access, 7001)
    shopify.trouble = lambda name, asked: (503, {}) if name == "MetafieldsSet" else None
    with pytest.raises(Throttled):
        sync_members(access, SHOP_ID)
    assert dirty(db) == [7001]
    shopify.trouble = lambda name, asked: None
    assert sync_members(access, SHOP_ID) == 1


def test_a_merged_member_is_sent_under_the_kept_customer(db, clock, access, shopify):
    buy(db, clock, access, 7001, 7002)
    deliver(db, "customers/merge", merge_body(kept_id=7002, deleted_id=7001), now=clock())
    drain(db, clock, access)
    sync_members(access, SHOP_ID)
    assert shopify.member(7002)["available"] == 56
    assert shopify.member(7001) is None


def test_points_on_hold_say_when_the_next_come(db, clock, shopify):
    from app.program.presets import preset

    starter = preset("starter", "EUR")
    held = starter.model_copy(update={"earning": starter.earning.model_copy(update={"hold_days": 14})})
    add_shop(db, program=held)
    access = access_for(db, clock, shopify.http())
    buy(db, clock, access, 7001)
    sync_members(access, SHOP_ID)
    assert (shopify.member(7001)["pending"], shopify.member(7001)["next_at"]) == (28, "2026-12-05T12:00:00Z")


def test_the_program_is_written_for_the_storefront(db, clock, access, shopify):
    drain(db, clock, access)
    program = shopify.metafields["gid://shopify/AppInstallation/1", "program"]
    assert (program["live"], program["paused"], program["earn"]["rate"]) == (True, False, "1 point for every €1")


def test_many_members_leave_room_for_other_work(db, clock, access, shopify, monkeypatch):
    for number in range(60):
        deliver(db, "orders/paid", order_body(6000 + number, customer_id=8000 + number))
    drain(db, clock)
    monkeypatch.setattr(sync, "SECONDS_A_JOB", -1.0)  # every job is late after its first call
    for sent in (25, 50, 60):
        sync.sync_members(access, SHOP_ID)
        assert sum(shopify.metafields_a_call) == sent
        assert ("sync_members", "") in jobs(db)  # for the rest, or to find that there is none
    clock.advance(seconds=2)
    drain(db, clock, access)
    assert shopify.metafields_a_call == [25, 25, 10]
    assert ("sync_members", "") not in jobs(db)

"""Codes are made ahead and on demand, whatever becomes of calls in between; and as many as are needed."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select, update

from app.loyalty.access import Access
from app.loyalty.equip import LOOKS_AFTER_POOL
from app.loyalty.make_codes import make_codes
from app.loyalty.pools import forecast, stock_pools, want_codes
from app.loyalty.release import cancel
from app.models import Code, CodeState, RedemptionState

from ..conftest import SHOP_ID
from ..support import jobs
from .fake_discounts import ShopifyWithDiscounts
from .pooling import MUG, OFF, discount_of, free, now, offer, redeem, shop_with, work


@pytest.fixture
def shopify() -> ShopifyWithDiscounts:
    return ShopifyWithDiscounts()


@pytest.fixture
def access(db, clock, shopify) -> Access:
    return shop_with(db, clock, shopify, OFF)


@pytest.mark.parametrize(("fate", "additions"), [("lost", 1), ("vanished", 2)])
def test_an_addition_that_shopify_forgot_is_looked_up_code_by_code(db, clock, shopify, fate, additions):
    shopify.adding = [fate]
    shop_with(db, clock, shopify, OFF)
    held = discount_of(db)
    assert free(db, held.key) == set(shopify.codes[held.gid]) and len(free(db, held.key)) == 20
    assert (held.bulk_gid, held.problem) == (None, "")
    assert shopify.count("DiscountCodesAdd") == additions


def test_what_was_in_the_way_is_forgotten_once_codes_are_made(db, clock, shopify, access):
    key = discount_of(db).key
    with db.transaction() as session:
        session.execute(update(Code).values(state=CodeState.GONE))
    shopify.denied = True
    waiting = redeem(db, clock, "a")
    work(db, clock, access)
    assert (now(db, waiting).state, now(db, waiting).why) == (RedemptionState.RELEASED, "not_made")
    assert discount_of(db).problem != ""
    shopify.denied = False
    again = redeem(db, clock, "b")
    work(db, clock, access)
    assert now(db, again).state is RedemptionState.ISSUED
    assert (discount_of(db).key, discount_of(db).problem) == (key, "")


def test_a_slow_addition_is_left_to_itself_and_looked_at_again(db, clock, shopify):
    shopify.adding = ["slow"]
    began = time.monotonic()
    access = shop_with(db, clock, shopify, OFF)
    assert time.monotonic() - began < 4
    held = discount_of(db)
    job = jobs(db)["make_codes", held.key]
    assert job.due_at > clock() and held.bulk_gid is not None
    work(db, clock, access, minutes=3)
    work(db, clock, access, seconds=2)
    assert len(free(db, held.key)) == 20


def test_a_large_pool_is_filled_in_many_turns(db, clock, shopify, access):
    key = discount_of(db).key
    with db.transaction() as session:
        want_codes(session, SHOP_ID, key, 1_000, clock())
    before = shopify.count("DiscountCodesAdd")
    turns = 0
    while len(free(db, key)) < 1_000:
        make_codes(access, SHOP_ID, key, work_for_s=0)
        assert ("make_codes", key) in jobs(db)
        turns += 1
        assert turns < 20
    assert turns >= 4 and shopify.count("DiscountCodesAdd") - before == 4


def test_what_is_given_back_makes_no_pool_larger(db, clock, access):
    def likely() -> int:
        with db.reading() as session:
            return forecast(session, SHOP_ID, "five", clock())

    assert likely() == 20
    for number in range(40):
        redemption = redeem(db, clock, f"loop{number}")
        with db.transaction() as session:
            cancel(session, SHOP_ID, redemption.redemption_id, member_id=redemption.member_id, by="shopper",
                   why="cancelled", now=clock())  # fmt: skip
    assert likely() == 20
    for number in range(40):
        redeem(db, clock, f"kept{number}")
    assert likely() == 20 + 30


def test_a_pool_is_filled_when_it_runs_low_not_when_it_is_empty(db, clock, shopify, access):
    key = discount_of(db).key
    asked = []
    while (left := len(free(db, key))) > 0 and not asked:
        taken = redeem(db, clock, f"k{left}")
        assert taken.state is RedemptionState.ISSUED
        before = shopify.count("DiscountCodesAdd")
        # The characters codes end in are chance: here all that are left end as those that ask do.
        looked = ("stock_pools", key) in jobs(db)
        assert looked == (taken.code[-1] in LOOKS_AFTER_POOL)
        work(db, clock, access)
        if shopify.count("DiscountCodesAdd") > before:
            asked.append(left - 1)
        make_them_ask(db, key)
    assert asked == [9]
    assert len(free(db, key)) > 20


def make_them_ask(db, key: str) -> None:
    with db.transaction() as session:
        for code in session.scalars(select(Code).where(Code.discount_key == key, Code.state == CodeState.FREE)):
            session.execute(update(Code).where(Code.code == code.code).values(code=code.code[:-1] + "0"))


def test_a_pool_that_is_not_offered_any_more_is_not_filled(db, clock, shopify, access):
    key = discount_of(db).key
    with db.transaction() as session:
        session.execute(update(Code).values(state=CodeState.GONE))
    offer(db, clock, MUG)
    with db.transaction() as session:
        assert stock_pools(session, SHOP_ID, now=clock(), key=key) == 0
    assert ("make_codes", key) not in jobs(db)

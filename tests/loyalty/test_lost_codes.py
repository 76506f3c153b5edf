"""What a merchant deletes in Shopify is not handed out; who had it has another code, or their points back."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.jobs.queue import enqueue
from app.loyalty.access import Access
from app.models import Discount, Lane, RedemptionState

from ..conftest import SHOP_ID
from ..support import balance, problems
from .fake_discounts import ShopifyWithDiscounts
from .pooling import MUG, NORA, OFF, discount_of, free, now, offer, pay, redeem, shop_with, tidied, work


@pytest.fixture
def shopify() -> ShopifyWithDiscounts:
    return ShopifyWithDiscounts()


@pytest.fixture
def access(db, clock, shopify) -> Access:
    return shop_with(db, clock, shopify, OFF)


def delete_its_discount(db, shopify) -> Discount:
    held = discount_of(db)
    shopify.delete(held.gid)
    return held


def test_a_deleted_discount_is_made_anew_and_codes_that_are_out_are_replaced(db, clock, shopify, access):
    out, used = redeem(db, clock, "a"), redeem(db, clock, "b")
    pay(db, clock, access, 2, used.code)
    pool = free(db, discount_of(db).key)
    old = delete_its_discount(db, shopify)
    with db.transaction() as session:
        enqueue(session, SHOP_ID, "make_codes", lane=Lane.NETWORK, now=clock(), subject=old.key,
                arguments={"key": old.key})  # fmt: skip
        session.execute(update(Discount).values(wanted=60))
    work(db, clock, access)
    assert not free(db, old.key) & pool and len(free(db, old.key)) == 60
    assert free(db, old.key) <= set(shopify.codes[discount_of(db).gid])
    held = now(db, out)
    assert (held.state, held.reissue) == (RedemptionState.RELEASING, True)
    assert "deleted its code in Shopify" in held.problem
    assert now(db, used).state is RedemptionState.USED
    assert problems(db) == []
    work(db, clock, access, seconds=61)
    after = now(db, out)
    assert (after.state, after.problem) == (RedemptionState.ISSUED, "")
    assert after.code != out.code and after.code in shopify.all_codes
    assert balance(db, NORA)["reserved"] == 100
    assert problems(db) == []


def test_a_deleted_code_of_a_reward_that_is_not_offered_any_more_brings_its_points_back(db, clock, shopify, access):
    out = redeem(db, clock, "a")
    points = balance(db, NORA)["available"]
    delete_its_discount(db, shopify)
    offer(db, clock, MUG)
    work(db, clock, access)
    tidied(db, clock, access, minutes=11)
    assert (now(db, out).state, now(db, out).reissue) == (RedemptionState.RELEASING, False)
    assert "points come back" in now(db, out).problem
    work(db, clock, access, seconds=61)
    assert (now(db, out).state, now(db, out).why) == (RedemptionState.RELEASED, "deleted")
    assert (balance(db, NORA)["available"], balance(db, NORA)["reserved"]) == (points + 100, 0)
    assert problems(db) == []


def test_an_order_with_a_code_that_was_deleted_later_has_used_it(db, clock, shopify, access):
    out = redeem(db, clock, "a")
    delete_its_discount(db, shopify)
    tidied(db, clock, access, minutes=11)
    assert now(db, out).state is RedemptionState.RELEASING
    pay(db, clock, access, 2, out.code)
    work(db, clock, access, seconds=61)
    assert (now(db, out).state, now(db, out).order_id) == (RedemptionState.USED, 2)
    assert problems(db) == []


def test_codes_that_are_missing_are_found_out_once_a_day(db, clock, shopify, access):
    key, gid = discount_of(db).key, discount_of(db).gid
    out, safe = redeem(db, clock, "a"), redeem(db, clock, "b")
    dead = sorted(free(db, key))[3]
    for code in (dead, out.code):
        del shopify.codes[gid][code]
    tidied(db, clock, access, minutes=11)
    assert dead not in free(db, key) and free(db, key) <= shopify.all_codes
    assert (now(db, out).state, now(db, safe).state) == (RedemptionState.RELEASING, RedemptionState.ISSUED)
    work(db, clock, access, seconds=61)
    assert now(db, out).code in shopify.all_codes and now(db, out).state is RedemptionState.ISSUED
    # Whole again, it is only counted.
    before = shopify.count("DiscountCodes")
    tidied(db, clock, access, days=1)
    assert shopify.count("DiscountCodes") == before
    assert problems(db) == []

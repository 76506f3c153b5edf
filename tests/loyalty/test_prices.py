"""A free product is taken off at the price it has now."""

from __future__ import annotations

import pytest

from app.models import RedemptionState

from ..support import problems
from .fake_discounts import ShopifyWithDiscounts
from .pooling import MUG, discount_of, free, now, offer, redeem, shop_with, tidied, work


@pytest.fixture
def shopify() -> ShopifyWithDiscounts:
    return ShopifyWithDiscounts()


def test_a_free_product_is_had_by_a_discount_of_its_price_as_it_is(db, clock, shopify):
    shopify.prices[12] = "31.50"  # since the merchant chose it
    access = shop_with(db, clock, shopify)
    offer(db, clock, MUG)
    waiting = redeem(db, clock, "a", MUG)
    assert now(db, waiting).state is RedemptionState.RESERVED
    work(db, clock, access)
    held = discount_of(db, MUG, amount=3150)
    assert (now(db, waiting).state, now(db, waiting).discount_key) == (RedemptionState.ISSUED, held.key)
    assert now(db, waiting).code in shopify.codes[held.gid]
    (made,) = shopify.discounts.values()
    assert made["customerGets"]["value"]["discountAmount"]["amount"] == "31.5"
    assert redeem(db, clock, "b", MUG).code in shopify.codes[held.gid]  # from the pool of that price, at once


def test_another_price_is_seen_within_a_day_and_the_old_pool_goes(db, clock, shopify):
    access = shop_with(db, clock, shopify, MUG)
    old = discount_of(db, MUG, amount=None)
    kept = redeem(db, clock, "a", MUG)
    assert kept.code in shopify.codes[old.gid]
    shopify.prices[12] = "24.00"
    tidied(db, clock, access, days=1)
    new = discount_of(db, MUG, amount=2400)
    taken = redeem(db, clock, "b", MUG)
    assert (taken.discount_key, taken.code in shopify.codes[new.gid]) == (new.key, True)
    assert set(shopify.codes[old.gid]) == {kept.code}  # who has one of the old price keeps it
    assert now(db, kept).state is RedemptionState.ISSUED
    shopify.prices[12] = "28.00"
    tidied(db, clock, access, days=1)
    assert redeem(db, clock, "c", MUG).code in shopify.codes[old.gid]
    assert problems(db) == []


def test_nobody_is_given_a_code_for_a_product_that_is_gone(db, clock, shopify):
    access = shop_with(db, clock, shopify, MUG)
    held = discount_of(db, MUG, amount=None)
    assert len(free(db, held.key)) == 20
    del shopify.prices[12]
    tidied(db, clock, access, days=1)
    assert (free(db, held.key), shopify.codes[held.gid]) == (set(), {})
    assert "not in the shop" in discount_of(db, MUG, amount=None).problem
    waiting = redeem(db, clock, "a", MUG)
    work(db, clock, access)
    assert (now(db, waiting).state, now(db, waiting).why) == (RedemptionState.RELEASED, "not_made")
    shopify.prices[12] = "28.00"
    tidied(db, clock, access, days=1)
    assert redeem(db, clock, "b", MUG).state is RedemptionState.ISSUED
    assert discount_of(db, MUG, amount=None).problem == ""
    assert problems(db) == []


def test_an_answer_about_prices_that_cannot_be_read_says_nothing(db, clock, shopify):
    access = shop_with(db, clock, shopify)
    offer(db, clock, MUG)
    waiting = redeem(db, clock, "a", MUG)
    shopify.prices[12] = "dear"
    work(db, clock, access)
    assert now(db, waiting).state is RedemptionState.RESERVED
    shopify.prices[12] = "28.00"
    work(db, clock, access, seconds=30)
    assert now(db, waiting).state is RedemptionState.ISSUED

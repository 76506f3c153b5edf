"""Nothing of ours stays at Shopify that nobody can be given, and what Shopify refuses keeps nothing else waiting."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.loyalty.access import Access
from app.loyalty.tidy import MOST_LOOKS
from app.models import Code, CodeState, Discount, Job, RedemptionState
from app.program.rewards import Reward

from ..support import jobs, problems
from .fake_discounts import ShopifyWithDiscounts
from .pooling import OFF, discount_of, free, now, offer, redeem, shop_with, states, tidied, work

TEN = Reward(slot="ten", kind="amount_off", points=200, amount_minor=1000)
TWENTY = Reward(slot="twenty", kind="amount_off", points=400, amount_minor=2000)


@pytest.fixture
def shopify() -> ShopifyWithDiscounts:
    return ShopifyWithDiscounts()


@pytest.fixture
def access(db, clock, shopify) -> Access:
    return shop_with(db, clock, shopify, OFF, TEN, TWENTY)


def held_of(db) -> list[Discount]:
    with db.reading() as session:
        return list(session.scalars(select(Discount).order_by(Discount.key)))


def test_one_discount_that_cannot_be_tidied_hides_no_other(db, clock, shopify, access):
    first, *others = held_of(db)
    shopify.refuses.add(first.gid)
    tidied(db, clock, access, days=40)
    assert (first.gid in shopify.discounts, "It cannot be" in held_of(db)[0].problem) == (True, True)
    assert not {held.gid for held in others} & shopify.discounts.keys()
    assert [held.removed_at is None for held in held_of(db)] == [True, False, False]
    shopify.refuses.clear()
    tidied(db, clock, access, days=1)
    assert held_of(db)[0].removed_at is not None
    assert not {CodeState.FREE, CodeState.RETIRED} & set(states(db, first.key))
    assert first.gid not in shopify.discounts


def test_a_code_is_gone_once_shopify_says_so(db, clock, shopify, access):
    old = discount_of(db)
    kept = redeem(db, clock, "a")
    shopify.finishes = False
    offer(db, clock, TEN)
    tidied(db, clock, access, hours=1)
    assert states(db, old.key) == {"retired": 19, "taken": 1}
    assert jobs(db)["tidy_codes", ""].due_at > clock()
    shopify.finishes = True
    work(db, clock, access, seconds=6)
    assert states(db, old.key) == {"gone": 19, "taken": 1}
    assert set(shopify.codes[old.gid]) == {kept.code}


def test_a_deletion_that_never_ends_is_asked_about_again_the_next_day(db, clock, shopify, access):
    shopify.finishes = False
    offer(db, clock, TEN)
    tidied(db, clock, access, hours=1)
    with db.transaction() as session:
        job = session.scalars(select(Job).where(Job.kind == "tidy_codes")).one()
        job.arguments = {**job.arguments, "looks": MOST_LOOKS}
    work(db, clock, access, seconds=6)
    assert ("tidy_codes", "") not in jobs(db)
    assert states(db, discount_of(db).key) == {"retired": 20}
    shopify.finishes = True
    tidied(db, clock, access, days=1)
    assert set(states(db, discount_of(db).key)) == {"gone"}


def test_all_codes_of_a_discount_that_is_gone_are_gone(db, clock, shopify, access):
    kept = redeem(db, clock, "a")
    old = discount_of(db)
    shopify.delete(old.gid)
    tidied(db, clock, access, days=12)
    assert "free" not in states(db, old.key) or free(db, old.key) <= shopify.all_codes
    assert now(db, kept).state is RedemptionState.RELEASING
    assert problems(db) == []


def test_terms_that_are_not_offered_any_more_keep_only_what_somebody_has(db, clock, shopify, access):
    kept = redeem(db, clock, "a")
    old = discount_of(db)
    changed = OFF.model_copy(update={"valid_days": 60})
    offer(db, clock, changed, TEN)
    offer(db, clock, changed, TWENTY, starts_at=clock() + timedelta(days=3))
    work(db, clock, access)
    pools = {key: free(db, key) for key in (discount_of(db, TEN, amount=1000).key, discount_of(db, changed).key)}
    tidied(db, clock, access, hours=1)
    assert set(shopify.codes[old.gid]) == {kept.code}
    assert now(db, kept).state is RedemptionState.ISSUED
    # What is offered now, and what will be, is kept.
    assert {key: free(db, key) for key in pools} == pools
    assert len(free(db, discount_of(db, TWENTY, amount=2000).key)) == 20
    tidied(db, clock, access, days=4)
    assert free(db, discount_of(db, TEN, amount=1000).key) == set()
    # A change that is taken back has its old pool again.
    offer(db, clock, OFF)
    work(db, clock, access)
    assert discount_of(db).gid == old.gid and len(free(db, old.key)) == 20
    assert redeem(db, clock, "b").code in shopify.codes[old.gid]
    assert problems(db) == []


def test_a_discount_made_by_a_call_nobody_heard_of_is_found_and_removed(db, clock, shopify, access):
    old = discount_of(db)
    with db.transaction() as session:  # as a creation leaves it whose answer was lost, and that nobody asked for again
        session.execute(update(Discount).where(Discount.key == old.key).values(gid=None, made_at=None))
        first = min(free(db, old.key))
        session.execute(update(Code).where(Code.discount_key == old.key, Code.code != first).values(state="gone"))
        session.execute(update(Code).where(Code.code == first).values(state=CodeState.CHOSEN, gid=None))
    shopify.codes[old.gid] = {first: 0}
    tidied(db, clock, access, days=40)
    assert old.gid not in shopify.discounts
    assert set(states(db, old.key)) == {"gone"}


def test_whoever_asked_at_the_last_moment_of_a_month_has_a_code_of_it_all_the_same(db, clock, shopify, access):
    old = discount_of(db)
    with db.transaction() as session:
        session.execute(update(Code).where(Code.discount_key == old.key).values(state=CodeState.GONE))
    waiting = redeem(db, clock, "a")
    with db.transaction() as session:  # removed a moment before its redemption was known
        session.execute(update(Discount).where(Discount.key == old.key).values(removed_at=clock()))
    shopify.delete(old.gid)
    work(db, clock, access)
    assert (now(db, waiting).state, now(db, waiting).code in shopify.all_codes) == (RedemptionState.ISSUED, True)
    assert discount_of(db).removed_at is None

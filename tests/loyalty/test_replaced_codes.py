"""Codes that are used although they should not be: one that was replaced, and one that nobody was given."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.loyalty.release import finish_releases, reissue
from app.loyalty.using import BOTH_USED, CALLED_BACK
from app.models import Code, CodeState, Redemption, RedemptionState

from ..conftest import SHOP_ID
from ..rewarding import fill_pool, redeemed, the_reward
from ..support import add_shop, available, balance, deliver, drain, jobs, order_body, problems

NORA = 7001


@pytest.fixture
def say(db, clock):
    """An order with these codes."""

    def say(order_id: int, *codes: str, **more) -> None:
        clock.advance(seconds=2)
        more = {"created_at": clock(), "customer_id": NORA, **more}
        body = order_body(order_id, codes=[(code, "5.00") for code in codes], lines=[("128.00", 1)], **more)
        deliver(db, "orders/paid", body, now=clock())
        drain(db, clock)
        assert problems(db) == []

    add_shop(db)
    say(1)
    fill_pool(db, the_reward().reward_id, 500, count=5)
    return say


def replaced(db, clock) -> tuple[Redemption, str]:
    """A redemption with its second code, and the first one."""
    first = redeemed(db, clock, NORA, key="a")
    with db.transaction() as session:
        reissue(session, SHOP_ID, first.redemption_id, by="staff 1", now=clock())
        row = session.get_one(Redemption, (SHOP_ID, first.redemption_id))
        row.code_gone_at = row.swept_at = clock() - timedelta(minutes=2)
        session.execute(update(Code).where(Code.code == first.code).values(state=CodeState.GONE))
        session.flush()
        finish_releases(session, SHOP_ID, now=clock())
    second = redeemed(db, clock, NORA, key="a")
    assert (second.state, second.code != first.code) == (RedemptionState.ISSUED, True)
    return second, str(first.code)


def state_of(db, code: str | None) -> CodeState | None:
    with db.reading() as session:
        return session.scalar(select(Code.state).where(Code.code == code))


def test_the_replaced_code_on_an_order_spends_the_points_and_calls_the_new_one_back(db, clock, say):
    second, old = replaced(db, clock)
    say(2, old)
    after = redeemed(db, clock, NORA, key="a")
    assert (after.state, after.order_id, after.problem) == (RedemptionState.USED, 2, CALLED_BACK)
    assert state_of(db, second.code) is CodeState.RETIRED
    assert ("delete_codes", "") in jobs(db)
    say(2, old, updated_at=clock.now + timedelta(minutes=5))  # told again: nothing more
    assert (available(db, NORA), balance(db, NORA)["reserved"]) == (28 + 123, 0)


def test_both_codes_on_orders_spend_the_points_once_and_the_merchant_is_told(db, clock, say):
    second, old = replaced(db, clock)
    say(2, old)
    say(3, str(second.code))
    after = redeemed(db, clock, NORA, key="a")
    assert (after.order_id, after.problem) == (2, BOTH_USED)
    assert state_of(db, second.code) is CodeState.TAKEN  # there is nothing to call back any more
    assert available(db, NORA) == 28 + 123 + 123


def test_the_new_code_first_and_then_the_replaced_one_ends_in_the_same(db, clock, say):
    second, old = replaced(db, clock)
    say(3, str(second.code))
    say(2, old, created_at=clock.now - timedelta(hours=1))
    say(3, str(second.code), updated_at=clock.now + timedelta(minutes=5))  # asked for, since Shopify knows of a use
    after = redeemed(db, clock, NORA, key="a")
    assert (after.order_id, after.problem, state_of(db, second.code)) == (2, BOTH_USED, CodeState.TAKEN)


def test_both_in_one_batch(db, clock, say):
    second, old = replaced(db, clock)
    for order_id, code in ((2, old), (3, second.code)):
        body = order_body(order_id, codes=[(code, "5.00")], created_at=clock(), customer_id=NORA)
        deliver(db, "orders/paid", body, now=clock())
    drain(db, clock)
    after = redeemed(db, clock, NORA, key="a")
    assert (after.order_id, after.problem, state_of(db, second.code)) == (2, BOTH_USED, CodeState.TAKEN)
    assert problems(db) == []


def test_the_new_code_alone_is_as_good_as_the_first(db, clock, say):
    second, _ = replaced(db, clock)
    say(2, str(second.code))
    after = redeemed(db, clock, NORA, key="a")
    assert (after.state, after.problem) == (RedemptionState.USED, "")


@pytest.mark.parametrize("late_first", [True, False])
def test_of_two_orders_with_one_code_the_earlier_used_it_whichever_is_heard_of_first(db, clock, say, late_first):
    """What came back for the other one is taken again, when it turns out to be the other one."""
    first = redeemed(db, clock, NORA, key="a")
    earlier, later = clock() + timedelta(minutes=1), clock() + timedelta(minutes=2)
    clock.advance(minutes=5)
    orders = [(3, {"created_at": later, "cancelled_at": clock()}), (2, {"created_at": earlier})]
    for number, (order_id, more) in enumerate(orders if late_first else orders[::-1]):
        say(order_id, str(first.code), **more)
        if late_first and not number:
            assert redeemed(db, clock, NORA, key="a").given_back == 100
    after = redeemed(db, clock, NORA, key="a")
    assert (after.order_id, after.given_back) == (2, 0)
    assert available(db, NORA) == 28 + 123


def test_a_code_of_the_pool_that_somebody_used_is_given_to_nobody(db, clock, say):
    """Staff can see every code in Shopify's admin."""
    with db.reading() as session:
        free = session.scalars(select(Code.code).where(Code.state == CodeState.FREE)).all()
    for number, code in enumerate(free):
        say(10 + number, code.lower())
    assert {state_of(db, code) for code in free} == {CodeState.GONE}
    assert redeemed(db, clock, NORA, key="a").state is RedemptionState.RESERVED

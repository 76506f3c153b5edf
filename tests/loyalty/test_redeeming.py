"""Points become rewards: held, not burned, whatever comes in whatever order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.errors import Invalid, NotFound, Refused
from app.ledger import NotEnoughPoints
from app.loyalty.members import members_of
from app.loyalty.redeem import Wanted, redeem
from app.loyalty.release import cancel, finish_releases, staff_gives_back
from app.loyalty.using import TAKEN_AWAY
from app.models import Code, CodeState, Redemption, RedemptionState, Shop
from app.program.presets import preset
from app.program.rewards import Limit

from ..conftest import NOW, SHOP_ID
from ..rewarding import fill_pool, redeemed, the_reward
from ..support import add_shop, available, balance, deliver, drain, order_body, problems, refund_body


@pytest.fixture
def member(db, clock) -> int:
    """A member with 128 points, and codes in the starter reward's pool."""
    add_shop(db)
    deliver(db, "orders/paid", order_body(order_id=1, lines=[("128.00", 1)]), now=clock())
    drain(db, clock)
    fill_pool(db, the_reward().reward_id, 500, count=5)
    return 7001


def pay(db, clock, order_id: int, code: str | None = None, **more: Any) -> None:
    clock.advance(seconds=2)
    more = {"lines": [("28.00", 2)], "created_at": clock(), "updated_at": clock(), **more}
    codes = [(code, "5.00")] if code else []
    deliver(db, "orders/paid", order_body(order_id=order_id, codes=codes, **more), now=clock())
    drain(db, clock)


def test_a_reward_sets_its_points_aside_and_hands_out_a_code(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    assert (redemption.state, redemption.points, len(redemption.code)) == (RedemptionState.ISSUED, 100, 13)
    figures = balance(db, member)
    assert (figures["available"], figures["reserved"]) == (28, 100)
    assert redemption.expires_at > NOW + timedelta(days=30)
    assert problems(db) == []


def test_the_same_key_is_the_same_redemption_and_other_contents_are_refused(db, clock, member):
    first = redeemed(db, clock, member, key="a")
    assert redeemed(db, clock, member, key="a").redemption_id == first.redemption_id
    with pytest.raises(Refused, match="another redemption"):
        redeemed(db, clock, member, key="a", points=99)
    assert balance(db, member)["reserved"] == 100


def test_an_order_with_the_code_spends_the_points(db, clock, member):
    code = redeemed(db, clock, member, key="a").code
    pay(db, clock, 2, code)
    redemption = redeemed(db, clock, member, key="a")
    assert (redemption.state, redemption.order_id, redemption.by_other) == (RedemptionState.USED, 2, False)
    assert redemption.cost_minor == 500
    assert (balance(db, member)["available"], balance(db, member)["reserved"]) == (28 + 51, 0)
    assert problems(db) == []


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_return_gives_points_back_in_proportion_whatever_the_order_of_refunds(db, clock, member, order):
    code = redeemed(db, clock, member, key="a").code
    pay(db, clock, 2, code)
    moment = clock.advance(hours=1)
    refunds = {n: refund_body(n, order_id=2, units={1: 1}, created_at=moment) for n in (1, 2)}
    deliver(db, "refunds/create", refunds[order[0]], now=clock())
    drain(db, clock)
    assert redeemed(db, clock, member, key="a").given_back == 50
    deliver(db, "refunds/create", refunds[order[1]], now=clock())
    drain(db, clock)
    assert redeemed(db, clock, member, key="a").given_back == 100
    assert (available(db, member), balance(db, member)["reserved"]) == (128, 0)
    assert problems(db) == []


def test_somebody_elses_order_counts_and_says_so(db, clock, member):
    code = redeemed(db, clock, member, key="a").code
    pay(db, clock, 2, code.lower(), customer_id=7002)
    redemption = redeemed(db, clock, member, key="a")
    assert (redemption.state, redemption.by_other) == (RedemptionState.USED, True)
    assert available(db, member) == 28


def test_a_cancelled_reward_returns_its_points_once_that_is_certain(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    give_back(db, clock, redemption)
    assert balance(db, member)["reserved"] == 100
    confirm_gone(db, clock, redemption)
    assert redeemed(db, clock, member, key="a").state is RedemptionState.RELEASED
    assert (available(db, member), balance(db, member)["reserved"]) == (128, 0)
    give_back(db, clock, redemption)
    assert available(db, member) == 128
    assert problems(db) == []


def test_an_order_seen_before_the_release_is_certain_uses_the_reward(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    give_back(db, clock, redemption)
    pay(db, clock, 2, redemption.code)
    confirm_gone(db, clock, redemption)
    assert redeemed(db, clock, member, key="a").state is RedemptionState.USED
    assert available(db, member) == 28 + 51


def test_an_order_that_shows_a_released_code_takes_the_points_again(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    give_back(db, clock, redemption)
    confirm_gone(db, clock, redemption)
    spend_all(db, clock, member)
    pay(db, clock, 2, redemption.code)
    after = redeemed(db, clock, member, key="a")
    assert (after.state, after.after_all) == (RedemptionState.USED, True)
    assert available(db, member) == 28 - 100 + 51
    assert problems(db) == []


def test_an_order_from_before_the_code_was_theirs_is_not_their_use_and_they_get_another(db, clock, member):
    """Somebody who can see the pool used a code; its webhook came when the code had been handed out."""
    ordered_at = clock()
    clock.advance(minutes=3)
    first = redeemed(db, clock, member, key="a")
    for updated_at in (clock(), clock.advance(minutes=1)):
        body = order_body(
            order_id=2, customer_id=7002, created_at=ordered_at, updated_at=updated_at, codes=[(first.code, "5.00")]
        )
        deliver(db, "orders/paid", body, now=clock())
        drain(db, clock)
        again = redeemed(db, clock, member, key="a")
        assert (again.state, again.problem) == (RedemptionState.ISSUED, TAKEN_AWAY)
        assert again.code != first.code
    assert (balance(db, member)["available"], balance(db, member)["reserved"]) == (28, 100)
    assert problems(db) == []
    pay(db, clock, 3, again.code)
    assert redeemed(db, clock, member, key="a").state is RedemptionState.USED


def test_a_reward_that_was_had_after_all_is_gone_from_stock_after_all(db, clock):
    settings = preset("starter", "EUR")
    scarce = settings.rewards[0].model_copy(update={"stock": Limit(count=1)})
    settings = settings.model_copy(update={"rewards": (scarce,)})
    add_shop(db, program=settings)
    deliver(db, "orders/paid", order_body(order_id=1, lines=[("328.00", 1)]), now=clock())
    drain(db, clock)
    offered = the_reward(settings).reward_id
    fill_pool(db, offered, 500, count=5)
    first = redeemed(db, clock, 7001, key="a", offered=offered)
    give_back(db, clock, first)
    confirm_gone(db, clock, first)
    pay(db, clock, 2, first.code)
    assert redeemed(db, clock, 7001, key="a", offered=offered).after_all
    with pytest.raises(Refused, match="All gone"):
        redeemed(db, clock, 7001, key="b", offered=offered)
    assert problems(db) == []


def test_a_used_reward_cannot_be_given_back_by_the_shopper(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    pay(db, clock, 2, redemption.code)
    with pytest.raises(Refused, match="was used"):
        give_back(db, clock, redemption)


def test_staff_may_give_points_of_a_used_reward_back_and_a_later_refund_gives_no_more(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    pay(db, clock, 2, redemption.code)
    with db.transaction() as session:
        staff_gives_back(session, SHOP_ID, redemption.redemption_id, 60, by="staff 1", now=clock())
    assert available(db, member) == 28 + 51 + 60
    deliver(db, "refunds/create", refund_body(1, order_id=2, units={1: 1}, created_at=clock()), now=clock())
    drain(db, clock)
    assert redeemed(db, clock, member, key="a").given_back == 60
    assert problems(db) == []


@pytest.mark.parametrize(
    ("wanted", "error", "code"),
    [
        (Wanted("nonsense", "k"), Invalid, "unknown_reward"),
        (Wanted("REWARD", "k", 99), Refused, "price_changed"),
        (Wanted("REWARD", ""), Invalid, "invalid"),
        (Wanted("REWARD", "k" * 256), Invalid, "invalid"),
    ],
)
def test_what_cannot_be_had_is_refused_and_changes_nothing(db, clock, member, wanted, error, code):
    before = balance(db, member)
    if wanted.reward_id == "REWARD":
        wanted = Wanted(the_reward().reward_id, wanted.key, wanted.points)
    with pytest.raises(error) as caught, db.transaction() as session:
        ids = members_of(session, SHOP_ID, [member])
        redeem(session, session.get_one(Shop, SHOP_ID), ids[member], wanted, now=clock())
    assert caught.value.code == code
    assert balance(db, member) == before


def test_nobody_redeems_more_than_they_have_or_for_somebody_unknown(db, clock, member):
    redeemed(db, clock, member, key="a")
    with pytest.raises(NotEnoughPoints):
        redeemed(db, clock, member, key="b")
    with pytest.raises(NotEnoughPoints):
        redeemed(db, clock, 4711, key="b")


def test_another_members_redemption_is_not_there(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    with pytest.raises(NotFound), db.transaction() as session:
        cancel(session, SHOP_ID, redemption.redemption_id, member_id=1, by="shopper", why="cancelled", now=clock())


def give_back(db, clock, redemption: Redemption) -> None:
    with db.transaction() as session:
        cancel(
            session, SHOP_ID, redemption.redemption_id, member_id=redemption.member_id, by="shopper",
            why="cancelled", now=clock(),
        )  # fmt: skip


def confirm_gone(db, clock, redemption: Redemption) -> None:
    """What Shopify and the sweep say, once both have said it."""
    clock.advance(minutes=2)
    with db.transaction() as session:
        session.execute(
            update(Redemption)
            .where(Redemption.redemption_id == redemption.redemption_id, Redemption.state == RedemptionState.RELEASING)
            .values(code_gone_at=clock() - timedelta(minutes=2), swept_at=clock())
        )
        session.execute(update(Code).where(Code.code == redemption.code).values(state=CodeState.GONE))
        finish_releases(session, SHOP_ID, now=clock())


def spend_all(db, clock, member: int) -> None:
    redeemed(db, clock, member, key="all")

"""The storefront's way to redeem: by the shortest way, and to the same end as any other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import inspect, select, update

from app.errors import Invalid, NotFound, Refused
from app.ledger import NotEnoughPoints
from app.loyalty.members import join
from app.loyalty.programs import IN_FORCE, end_pause, in_force, next_second, pause, publish, timeline
from app.loyalty.redeem import Earlier, Redeemed, Wanted, redeem_for_customer
from app.models import DueShop, Lane, Redemption, RedemptionState, RewardUse, Shop
from app.program.presets import preset
from app.program.rewards import Budget, Limit, Reward, reward_id

from ..conftest import DOMAIN, NOW, SHOP_ID
from ..rewarding import fill_pool, redeemed
from ..support import add_shop, balance, deliver, drain, jobs, merge_body, order_body, problems

CUSTOMER = 7001
OFF = Reward(slot="off", kind="amount_off", points=100, amount_minor=500)
BOTH = Reward(
    slot="both", kind="amount_off", points=100, amount_minor=500, stock=Limit(count=5), budget=Budget(amount_minor=700)
)
CARD = Reward(slot="card", kind="gift_card", points=100, amount_minor=500)


@pytest.fixture
def shop(db, clock) -> int:
    """A customer with 300 points; five codes in the pool."""
    add_shop(db, program=preset("starter", "EUR").model_copy(update={"rewards": (OFF, BOTH, CARD)}))
    deliver(db, "orders/paid", order_body(order_id=1, lines=[("300.00", 1)]), now=clock())
    drain(db, clock)
    fill_pool(db, reward_id(OFF, "EUR"), 500, count=5)
    return SHOP_ID


def ask(db, clock, key: str, *, reward: Reward = OFF, points: int | None = 100, customer: int = CUSTOMER):
    return redeem_for_customer(
        db, DOMAIN, customer, Wanted(reward_id(reward, "EUR"), key, points), now=clock()
    )  # fmt: skip


def row(db, redemption_id: str) -> Redemption:
    with db.reading() as session:
        return session.get_one(Redemption, (SHOP_ID, redemption_id))


def test_what_is_written_is_what_every_other_way_writes(db, clock, shop):
    direct = row(db, ask(db, clock, "directly").redemption_id)
    other = row(db, redeemed(db, clock, CUSTOMER, key="in a session", offered=reward_id(OFF, "EUR")).redemption_id)
    own = {"redemption_id", "key_hash", "code"}
    for column in inspect(Redemption).columns:
        if column.key not in own:
            assert getattr(direct, column.key) == getattr(other, column.key), column.key
    assert direct.code and other.code and direct.code != other.code
    assert (balance(db, CUSTOMER)["available"], balance(db, CUSTOMER)["reserved"]) == (100, 200)
    assert problems(db) == []


def test_a_key_used_before_is_what_it_was_whatever_could_be_had_now(db, clock, shop):
    first = ask(db, clock, "a")
    assert isinstance(first, Redeemed) and first.code
    for key in ("b", "c"):
        ask(db, clock, key)
    assert balance(db, CUSTOMER)["available"] == 0
    again = ask(db, clock, "a")  # with points for nothing
    assert isinstance(again, Earlier) and again.redemption_id == first.redemption_id
    with pytest.raises(NotEnoughPoints):
        ask(db, clock, "d")
    deliver(db, "orders/paid", order_body(order_id=2, lines=[("200.00", 1)]), now=clock())
    drain(db, clock)
    again = ask(db, clock, "a")  # with points for another
    assert isinstance(again, Earlier) and again.redemption_id == first.redemption_id
    for other in ({"points": 99}, {"reward": CARD}):
        with pytest.raises(Refused, match="another redemption"):
            ask(db, clock, "a", **other)
    assert balance(db, CUSTOMER)["reserved"] == 300
    assert problems(db) == []


def test_what_was_counted_before_it_was_refused_is_not_counted(db, clock, shop):
    ask(db, clock, "a", reward=BOTH)
    with pytest.raises(Refused, match="All gone"):
        ask(db, clock, "b", reward=BOTH)  # five in stock, and two euros of the budget left
    used = ask(db, clock, "a", reward=BOTH)
    assert isinstance(used, Earlier)
    with db.reading() as session:
        counts = dict(map(tuple, session.execute(select(RewardUse.what, RewardUse.used))))
    assert counts == {"stock": 1, "budget": 500}
    assert balance(db, CUSTOMER)["reserved"] == 100


@pytest.mark.parametrize(("reward", "kind"), [(BOTH, "make_codes"), (CARD, "hand_out")])
def test_what_is_not_there_is_asked_for_and_the_worker_is_woken(db, clock, shop, reward, kind):
    with db.transaction() as session:
        session.execute(update(DueShop).values(next_due=NOW + timedelta(hours=1)))
    done = ask(db, clock, "a", reward=reward)
    assert isinstance(done, Redeemed) and (done.state, done.code) == (RedemptionState.RESERVED, None)
    assert {asked for asked, _ in jobs(db)} >= {kind, "sync_members"}
    with db.reading() as session:
        assert session.get_one(DueShop, (SHOP_ID, Lane.NETWORK)).next_due == clock()


def test_a_customer_who_was_merged_away_spends_the_points_of_who_they_are_now(db, clock, shop):
    deliver(db, "orders/paid", order_body(order_id=2, customer_id=7002, lines=[("100.00", 1)]), now=clock())
    drain(db, clock)
    clock.advance(minutes=1)
    deliver(db, "customers/merge", merge_body(CUSTOMER, 7002), now=clock())
    drain(db, clock)
    done = ask(db, clock, "a", customer=7002)
    assert isinstance(done, Redeemed) and done.code
    assert balance(db, CUSTOMER)["reserved"] == 100
    again = ask(db, clock, "a", customer=7002)
    assert isinstance(again, Earlier) and again.redemption_id == done.redemption_id


def test_whoever_has_no_points_is_told_what_is_wrong_in_the_same_words(db, clock, shop):
    with db.transaction() as session:
        join(session, SHOP_ID, [7003], NOW)
    for customer in (7003, 999_999):
        with pytest.raises(NotEnoughPoints, match="0 points are available, 100 are needed"):
            ask(db, clock, "a", customer=customer)
        with pytest.raises(Invalid, match="no such reward"):
            redeem_for_customer(db, DOMAIN, customer, Wanted("r0", "a", 100), now=clock())
        with pytest.raises(Refused, match="costs 100 points now"):
            ask(db, clock, "a", points=90, customer=customer)


def test_where_the_app_is_not_installed_there_is_nothing(db, clock, shop):
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).uninstalled_at = clock()
    for customer in (CUSTOMER, 999_999):
        with pytest.raises(NotFound, match="does not use"):
            ask(db, clock, "a", customer=customer)
    with pytest.raises(NotFound, match="does not use"):
        redeem_for_customer(db, "other.myshopify.com", CUSTOMER, Wanted("r0", "a"), now=clock())


def test_the_version_in_force_is_the_timelines(db, clock):
    """Asked for alone, by one statement, it is what judging any moment by the whole of the timeline says."""
    add_shop(db, program=None)
    start = clock.now = NOW.replace(microsecond=700_000)
    with db.transaction() as session:
        shop = session.get_one(Shop, SHOP_ID)
        for number, name in enumerate(("starter", "starter-double", "starter")):
            begins = start + timedelta(seconds=2 * number, microseconds=150_000)
            publish(session, shop, preset(name, "EUR"), author="test", now=start, starts_at=begins)
        pause(session, shop, now=start + timedelta(seconds=3))
        end_pause(session, SHOP_ID, start + timedelta(seconds=4, microseconds=500_000))
        session.flush()
        pause(session, shop, now=start + timedelta(seconds=6))
    with db.reading() as session:
        known = timeline(session, SHOP_ID)
    seen = set()
    for tenths in range(-20, 90):
        moment = start + timedelta(milliseconds=100 * tenths)
        (found,) = db.look(IN_FORCE, shop=SHOP_ID, next_second=next_second(moment))
        rules, (number, _, _) = in_force(found), known.at(moment)
        assert (rules.number if rules else None) == number, moment
        assert (rules.settings if rules else None) == known.in_force(moment), moment
        assert rules is None or rules.paused == known.is_paused(moment), moment
        seen.add((number, rules.paused if rules else None))
    assert len(seen) >= 5

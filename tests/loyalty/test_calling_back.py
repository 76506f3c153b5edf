"""Codes of rewards that are let go are deleted at Shopify: in short turns, and none hides the others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.errors import Refused
from app.jobs.queue import claim
from app.jobs.worker import Worker
from app.loyalty import call_back, release, sweep_releases
from app.loyalty.call_back import delete_released_codes
from app.loyalty.release import BEING_LOOKED_FOR, UNFOUND, cancel, staff_decides
from app.models import Code, CodeState, Discount, DueShop, Lane, Redemption, RedemptionState, Shop

from ..conftest import NOW, SHOP_ID
from ..rewarding import fill_pool, redeemed, the_reward
from ..support import access_for, add_shop, available, balance, deliver, drain, jobs, order_body, problems
from .fake_codes import ShopifyWithCodes

NORA = 7001


@pytest.fixture
def shopify() -> ShopifyWithCodes:
    return ShopifyWithCodes()


@pytest.fixture
def access(db, clock, shopify):
    """A shop with a member who has 1,000 points, and ten codes."""
    add_shop(db, installed=NOW)  # so that no sweep is due by itself
    deliver(db, "orders/paid", order_body(1, customer_id=NORA, lines=[("1000.00", 1)]), now=clock())
    drain(db, clock)
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).reconciled_at = clock() + timedelta(days=365)
    key = fill_pool(db, the_reward().reward_id, 500, count=10)
    with db.reading() as session:
        gid = session.get_one(Discount, (SHOP_ID, key)).gid
        shopify.codes[gid] = dict.fromkeys(session.scalars(select(Code.code)), 0)
    return access_for(db, clock, shopify.http())


def let_go(db, clock, count: int = 1, first: int = 0) -> list[Redemption]:
    """So many redemptions, begun to be let go."""
    made = [redeemed(db, clock, NORA, key=f"k{first + number}") for number in range(count)]
    for each in made:
        with db.transaction() as session:
            cancel(
                session, SHOP_ID, each.redemption_id, member_id=each.member_id, by="shopper", why="cancelled",
                now=clock(),
            )  # fmt: skip
    return made


def now(db, redemption: Redemption) -> Redemption:
    with db.reading() as session:
        return session.get_one(Redemption, (SHOP_ID, redemption.redemption_id))


def gone(db, redemptions: list[Redemption]) -> int:
    return sum(now(db, each).code_gone_at is not None for each in redemptions)


def put_under_another_discount(db, shopify, redemption: Redemption) -> str:
    """As those of the month before are. Returns its id at Shopify."""
    with db.transaction() as session:
        known = session.get_one(Discount, (SHOP_ID, redemption.discount_key))
        copy = {column.name: getattr(known, column.name) for column in Discount.__table__.columns}
        gid = "gid://shopify/DiscountCodeNode/0"
        session.add(Discount(**copy | {"key": "another", "gid": gid}))
        session.flush()
        session.execute(update(Code).where(Code.code == redemption.code).values(discount_key="another"))
        session.get_one(Redemption, (SHOP_ID, redemption.redemption_id)).discount_key = "another"
    shopify.codes[gid] = {redemption.code: 0}
    return gid


# --- deleting -------------------------------------------------------------------------------------------------------


def test_a_discount_that_refuses_stops_no_other(db, clock, access, shopify):
    refused, *others = let_go(db, clock, 4)
    shopify.refuses.add(put_under_another_discount(db, shopify, refused))
    drain(db, clock, access)
    assert (gone(db, others), gone(db, [refused])) == (3, 0)
    assert (
        now(db, refused).problem == "Shopify does not delete the code: discount_codes_delete: ids: Discount is locked"
    )
    assert jobs(db)["delete_codes", ""].due_at == clock() + timedelta(hours=1)
    shopify.refuses.clear()
    clock.advance(hours=1)
    drain(db, clock, access)
    assert (gone(db, [refused]), now(db, refused).problem) == (1, "")


def test_a_turn_is_short_and_the_rest_is_the_next_ones(db, clock, access, shopify, monkeypatch):
    monkeypatch.setattr(call_back, "WORK_FOR_S", -1.0)  # every turn is late at once
    monkeypatch.setattr(call_back, "CODES_A_CALL", 2)
    made = let_go(db, clock, 5)
    for after in (2, 4, 5):
        delete_released_codes(access, SHOP_ID)
        assert gone(db, made) == after
        assert ("delete_codes", "") in jobs(db)
    assert jobs(db)["delete_codes", ""].due_at == clock()  # asked for by the last but one turn
    delete_released_codes(access, SHOP_ID)
    assert shopify.count("DiscountCodesDelete") == 3


def test_between_two_turns_the_lane_is_given_to_other_shops(db, clock, access, shopify, monkeypatch):
    """Each turn takes a second here; the other shop waits for one, and not for all of them."""
    monkeypatch.setattr(call_back, "WORK_FOR_S", -1.0)
    monkeypatch.setattr(call_back, "CODES_A_CALL", 1)
    made = let_go(db, clock, 5)
    add_shop(db, shop_id=SHOP_ID + 1, domain="other.myshopify.com", program=None, token=False, installed=clock())
    with db.transaction() as session:
        session.execute(update(DueShop).values(next_due=clock()))
        session.execute(
            update(DueShop).where(DueShop.shop_id == SHOP_ID).values(last_served=clock() - timedelta(hours=1))
        )

    def take_a_second(name, asked):
        clock.advance(seconds=1 * (name == "DiscountCodesDelete"))

    shopify.trouble = take_a_second
    worker = Worker(access)
    seen = []
    for _ in range(6):
        lease = claim(db, Lane.NETWORK, clock())
        if lease is None:
            break
        worker.serve(lease)
        seen.append((lease.shop_id, gone(db, made)))
    other = next(place for place, (shop_id, _) in enumerate(seen) if shop_id == SHOP_ID + 1)
    assert 0 < seen[other][1] < 5


def test_a_deletion_shopify_takes_its_time_for_is_looked_at_again_and_asked_for_by_nobody_else(
    db, clock, access, shopify, monkeypatch
):
    monkeypatch.setattr(call_back, "POLL_S", (0.0,))
    shopify.finishes = False
    made = let_go(db, clock, 2)
    drain(db, clock, access)
    looks = shopify.count("DiscountCodes")
    drain(db, clock, access)
    assert (gone(db, made), shopify.count("DiscountCodes")) == (0, looks)
    assert jobs(db)["delete_codes", ""].due_at == clock() + call_back.LOOK_AGAIN
    shopify.finishes = True
    clock.advance(seconds=5)
    drain(db, clock, access)
    assert gone(db, made) == 2


# --- used, and no order ---------------------------------------------------------------------------------------------


@pytest.fixture
def lost(db, clock, access, shopify):
    """Shopify counts a use of its code, and its order is nowhere."""
    (redemption,) = let_go(db, clock)
    shopify.codes["gid://shopify/DiscountCodeNode/1"][redemption.code] = 1
    drain(db, clock, access)
    assert now(db, redemption).problem == BEING_LOOKED_FOR
    return redemption


def test_an_order_is_looked_for_every_few_minutes_and_hides_nothing_behind_it(db, clock, access, shopify, lost):
    assert shopify.count("OrdersOfCode") == 1
    drain(db, clock, access)
    clock.advance(minutes=4)
    others = let_go(db, clock, 3, first=10)
    drain(db, clock, access)
    assert (gone(db, others), shopify.count("OrdersOfCode")) == (3, 1)
    clock.advance(minutes=1)
    drain(db, clock, access)
    assert shopify.count("OrdersOfCode") == 2
    assert now(db, lost).state is RedemptionState.RELEASING


def look_for_days(db, clock, access) -> None:
    clock.advance(days=3, minutes=1)
    drain(db, clock, access)


def test_after_days_a_person_is_asked_and_until_then_there_is_nothing_to_decide(db, clock, access, shopify, lost):
    with pytest.raises(Refused, match="nothing to decide"):
        decide(db, clock, lost, used=False)
    look_for_days(db, clock, access)
    assert now(db, lost).problem == UNFOUND
    assert jobs(db)["delete_codes", ""].due_at == clock() + timedelta(days=1)
    assert balance(db, NORA)["reserved"] == 100


def decide(db, clock, redemption: Redemption, *, used: bool) -> None:
    with db.transaction() as session:
        staff_decides(session, SHOP_ID, redemption.redemption_id, used=used, by="staff 1", now=clock())


@pytest.mark.parametrize(
    ("used", "state", "left"), [(True, RedemptionState.USED, 900), (False, RedemptionState.RELEASED, 1000)]
)
def test_what_staff_say_of_it_holds_until_an_order_shows_it(db, clock, access, shopify, lost, used, state, left):
    look_for_days(db, clock, access)
    decide(db, clock, lost, used=used)
    after = now(db, lost)
    assert (after.state, after.by, after.problem, after.order_id) == (state, "staff 1", "", None)
    assert (available(db, NORA), balance(db, NORA)["reserved"]) == (left, 0)
    assert problems(db) == []
    with pytest.raises(Refused):
        decide(db, clock, lost, used=not used)
    clock.advance(days=1)
    looked = shopify.count("OrdersOfCode")
    drain(db, clock, access)
    assert shopify.count("OrdersOfCode") == looked  # nobody waits for it any more

    order = order_body(
        9, customer_id=NORA, codes=[(lost.code, "5.00")], created_at=clock() - timedelta(days=4), updated_at=clock()
    )
    deliver(db, "orders/paid", order, now=clock())
    drain(db, clock)
    after = now(db, lost)
    assert (after.state, after.order_id, after.after_all) == (RedemptionState.USED, 9, not used)
    assert (available(db, NORA), after.cost_minor) == (900 + 23, 500)
    assert problems(db) == []


def test_an_order_that_turns_up_before_anybody_decides_is_what_counts(db, clock, access, shopify, lost):
    look_for_days(db, clock, access)
    deliver(db, "orders/paid", order_body(9, customer_id=NORA, codes=[(lost.code, "5.00")]), now=clock())
    drain(db, clock)
    assert (now(db, lost).state, now(db, lost).problem) == (RedemptionState.USED, "")
    with pytest.raises(Refused):
        decide(db, clock, lost, used=False)


def test_a_code_called_back_that_was_used_too_is_not_looked_for_all_day(db, clock, access, shopify):
    redemption = redeemed(db, clock, NORA, key="a")
    with db.transaction() as session:
        session.execute(update(Code).where(Code.code == redemption.code).values(state=CodeState.RETIRED))
    shopify.codes["gid://shopify/DiscountCodeNode/1"][redemption.code] = 1
    for _ in range(3):
        delete_released_codes(access, SHOP_ID)
    assert shopify.count("OrdersOfCode") == 1
    assert jobs(db)["delete_codes", ""].due_at == clock() + timedelta(days=1)


# --- sweeping -------------------------------------------------------------------------------------------------------


def test_a_sweep_goes_a_page_a_turn_and_who_asks_meanwhile_does_not_start_it_anew(
    db, clock, access, shopify, monkeypatch
):
    monkeypatch.setattr(sweep_releases, "WORK_FOR_S", -1.0)
    for number in range(4):  # their webhooks were lost
        at = clock() + timedelta(seconds=number)
        shopify.orders[100 + number] = order_body(100 + number, customer_id=NORA, created_at=at, updated_at=at)
    made = let_go(db, clock)
    delete_released_codes(access, SHOP_ID)
    clock.advance(seconds=61)
    late = let_go(db, clock, first=10)
    delete_released_codes(access, SHOP_ID)
    for turn in range(1, 4):
        under_way = jobs(db).get(("sweep_releases", "sweep"))
        sweep_releases.sweep_releases(access, SHOP_ID, under_way.arguments if under_way else {})
        sweep_releases.sweep_releases(access, SHOP_ID, {})  # somebody else's code is gone
        assert shopify.count("Order") == turn
        assert now(db, made[0]).swept_at is None
    sweep_releases.sweep_releases(access, SHOP_ID, jobs(db)["sweep_releases", "sweep"].arguments)
    assert now(db, made[0]).swept_at is not None
    assert now(db, late[0]).swept_at is None  # its code had not been gone for a minute when it began
    assert ("sweep_releases", "") in jobs(db)
    assert now(db, made[0]).state is RedemptionState.RELEASING


def test_a_whole_release_reconciles_nothing(db, clock, access, shopify):
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).reconciled_at = at = clock()
        session.get_one(Shop, SHOP_ID).recovered = 7
    (redemption,) = let_go(db, clock)
    for _ in range(3):
        drain(db, clock, access)
        clock.advance(seconds=61)
    assert now(db, redemption).state is RedemptionState.RELEASED
    with db.reading() as session:
        shop = session.get_one(Shop, SHOP_ID)
        assert (shop.reconciled_at, shop.recovered) == (at, 7)


def test_many_go_back_in_parts(db, clock, access, shopify, monkeypatch):
    monkeypatch.setattr(release, "FINISHED_AT_ONCE", 2)
    made = let_go(db, clock, 5)
    drain(db, clock, access)
    clock.advance(seconds=61)
    drain(db, clock, access)
    clock.advance(seconds=1)
    drain(db, clock, access)
    assert {now(db, each).state for each in made} == {RedemptionState.RELEASED}
    assert available(db, NORA) == 1000
    assert problems(db) == []

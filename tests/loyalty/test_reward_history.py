"""What rewards are in a member's history: one line an event, and why, to the shopper and in the ledger's words."""

from __future__ import annotations

from typing import Any

import pytest

from app.loyalty.members import members_of
from app.loyalty.release import staff_gives_back
from app.loyalty.views.members import profile
from app.loyalty.views.orders import why
from app.loyalty.views.redemptions import redemption_of
from app.loyalty.views.shopper import shopper
from app.loyalty.views.words import Words
from app.models import Redemption, RedemptionState, Shop
from app.program.explaining_rewards import RewardStory, ledger_reason, shopper_reason

from ..conftest import NOW, SHOP_ID
from ..rewarding import fill_pool, redeemed, the_reward
from ..support import add_shop, deliver, drain, order_body, refund_body
from .test_redeeming import confirm_gone, give_back, pay

MEMBER = 7001


@pytest.fixture
def member(db, clock) -> int:
    """128 points, and codes in the starter reward's pool."""
    add_shop(db)
    deliver(db, "orders/paid", order_body(order_id=1, lines=[("128.00", 1)]), now=clock())
    drain(db, clock)
    fill_pool(db, the_reward().reward_id, 500, count=50)
    return MEMBER


def told(db, clock, cursor: str | None = None) -> dict[str, Any]:
    with db.reading() as session:
        return shopper(session, SHOP_ID, MEMBER, cursor=cursor, now=clock())


def rows(db, clock) -> list[tuple[str, int, str, str]]:
    return [(row["title"], row["points"], row["kind"], row["reason"]) for row in told(db, clock)["history"]]


def ledger(db, clock) -> list[tuple[str, str, int, int]]:
    """(title, why, points, available after) as the merchant reads them."""
    with db.reading() as session:
        shop = session.get_one(Shop, SHOP_ID)
        words = Words.of(shop, clock())
        lines = profile(session, shop, members_of(session, SHOP_ID, [MEMBER])[MEMBER]).lines
        return [(line.title, why(line.line, words), line.line.points, line.available_after) for line in lines]


USED_FOR = "Used for €5\u00a0off"


def test_points_set_aside_say_until_when_and_where_the_code_is(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    assert rows(db, clock)[0] == (
        USED_FOR, -100, "reserved",
        "Set aside. Give it back, or leave it unused until 21 December, and the points return.",
    )  # fmt: skip
    assert told(db, clock)["history"][0]["redemption_id"] == redemption.redemption_id
    assert told(db, clock)["redemptions"][0]["last_day"] == "2026-12-21"
    assert ledger(db, clock)[0] == (
        "Reserved for €5\u00a0off", "Issued. Unused, it is released after 21 December.", -100, 28,
    )  # fmt: skip


def test_an_order_that_uses_the_code_is_no_line_of_its_own(db, clock, member):
    pay(db, clock, 2, redeemed(db, clock, member, key="a").code)
    assert [row[:3] for row in rows(db, clock)] == [
        ("Order #2", 51, "earned"), (USED_FOR, -100, "reserved"), ("Order #1", 128, "earned"),
    ]  # fmt: skip
    assert rows(db, clock)[1][3] == "Used on order #2."
    assert told(db, clock)["history"][1]["redemption_id"] is None
    assert [(line[2], line[3]) for line in ledger(db, clock)] == [(51, 79), (-100, 28), (128, 128)]
    assert ledger(db, clock)[1][1] == "Redeemed: Order #2 used the code."


def test_a_return_brings_part_of_the_points_back_and_then_the_rest(db, clock, member):
    pay(db, clock, 2, redeemed(db, clock, member, key="a").code)
    for n in (1, 2):
        moment = clock.advance(hours=1)
        deliver(db, "refunds/create", refund_body(n, order_id=2, units={1: 1}, created_at=moment), now=moment)
        drain(db, clock)
    given = [row for row in rows(db, clock) if row[2] == "given_back"]
    assert given == [
        ("Points back for €5\u00a0off", 50, "given_back",
         "Part of order #2 went back, so that part of the points you used did too."),
    ] * 2  # fmt: skip
    assert ledger(db, clock)[0][3] == 128
    assert {line[1] for line in ledger(db, clock) if line[0].startswith("Given")} == {
        "50 points of 100: Order #2 went back."
    }


def test_a_reward_given_back_is_a_line_when_its_points_return(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    give_back(db, clock, redemption)
    assert rows(db, clock)[0][3] == "On its way back to you."
    confirm_gone(db, clock, redemption)
    assert rows(db, clock)[:2] == [
        ("€5\u00a0off given back", 100, "released", "You gave it back."),
        (USED_FOR, -100, "reserved", "Its points came back on 21 November."),
    ]
    assert ledger(db, clock)[0][:2] == ("Released from €5\u00a0off", "Cancelled by the member.")


def test_a_code_used_after_its_points_came_back_takes_them_again_and_says_so(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    give_back(db, clock, redemption)
    confirm_gone(db, clock, redemption)
    pay(db, clock, 2, redemption.code)
    used = next(row for row in rows(db, clock) if row[2] == "used")
    assert used == (
        "Used again for €5\u00a0off", -100, "used", "Order #2 used the code after its points had come back.",
    )  # fmt: skip
    assert ledger(db, clock)[0][3] == 28 + 51


def test_somebody_elses_order_is_not_named(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    pay(db, clock, 2, redemption.code, customer_id=7002)
    assert rows(db, clock)[0][3] == "Somebody else’s order used the code."


def test_points_that_staff_gave_back_say_so(db, clock, member):
    redemption = redeemed(db, clock, member, key="a")
    pay(db, clock, 2, redemption.code)
    clock.advance(minutes=1)
    with db.transaction() as session:
        staff_gives_back(session, SHOP_ID, redemption.redemption_id, 60, by="staff 1", now=clock())
    assert rows(db, clock)[0][:3] == ("Points back for €5\u00a0off", 60, "given_back")
    assert "by the shop" in rows(db, clock)[0][3]


def test_pages_skip_none_and_repeat_none(db, clock, member):
    """Points drawn from many lots are one line on one page, wherever the page ends."""
    for number in range(60):
        moment = clock.advance(seconds=1)
        deliver(db, "orders/paid", order_body(100 + number, lines=[("3.00", 1)], created_at=moment), now=moment)
    drain(db, clock)
    for number in range(3):
        clock.advance(seconds=1)
        redemption = redeemed(db, clock, member, key=f"k{number}")
        give_back(db, clock, redemption)
        confirm_gone(db, clock, redemption)
    seen, cursor = [], None
    while True:
        page = told(db, clock, cursor)
        seen += page["history"]
        cursor = page["history_next"]
        if cursor is None:
            break
    assert len(seen) == 61 + 3 * 2
    assert sum(row["points"] for row in seen) == 128 + 180
    assert [row["points"] for row in seen[:6]] == [100, -100] * 3


STORY = RewardStory("€5 off", "amount_off", "used", 100, until=NOW, order_name="#2")


@pytest.mark.parametrize(
    ("changes", "kind", "points", "says"),
    [
        ({"state": "reserved", "until": None}, "reserved", -100, "Set aside while it is being made."),
        ({"state": "releasing", "why": "reissued"}, "reserved", -100, "Set aside while it is being made."),
        ({"kind": "gift_card", "order_name": ""}, "reserved", -100, "Your gift card is ready."),
        ({"kind": "store_credit", "order_name": ""}, "reserved", -100, "Added to your account."),
        ({"after_all": True}, "reserved", -100, "Given back before it was used."),
        ({"why": "expired"}, "released", 100, "Not used by 21 November 2026. Your points came back."),
        ({"why": "staff"}, "released", 100, "The shop gave it back."),
        ({"why": "not_made"}, "released", 100, "It could not be made, so your points came back."),
        ({"why": "deleted"}, "released", 100, "The shop took its code back, so your points came back."),
        ({}, "given_back", 100, "Order #2 went back, so the points you used did too."),
        ({}, "used", -50, "Order #2 changed again, so points that had come back for it are used."),
    ],
)
def test_every_way_it_can_go_has_its_sentence(changes, kind, points, says):
    story = RewardStory(**{**{name: getattr(STORY, name) for name in STORY.__dataclass_fields__}, **changes})
    assert shopper_reason(kind, story, points) == says
    assert ledger_reason(kind, story, points)


def test_no_state_is_without_words():
    for state in RedemptionState:
        story = RewardStory("€5 off", "amount_off", str(state), 100)
        assert shopper_reason("reserved", story, -100)
        assert ledger_reason("reserved", story, -100)


def test_a_used_reward_names_its_order_to_its_owner_only(db, clock, member):
    mine = redeemed(db, clock, member, key="a")
    pay(db, clock, 2, mine.code)
    deliver(db, "orders/paid", order_body(3, lines=[("100.00", 1)]), now=clock())
    drain(db, clock)
    other = redeemed(db, clock, member, key="b")
    pay(db, clock, 4, other.code, customer_id=7002)

    def told_of(redemption: Redemption) -> Any:
        with db.reading() as session:
            return redemption_of(session, SHOP_ID, redemption.member_id, redemption.redemption_id)["order"]

    assert (told_of(mine), told_of(other)) == ("#2", None)

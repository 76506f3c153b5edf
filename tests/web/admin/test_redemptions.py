"""A redemption's page: its whole story, and buttons that do what they say, once, or say why not."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.loyalty.hand_out import AMBIGUOUS
from app.loyalty.programs import publish
from app.loyalty.release import BEING_LOOKED_FOR, UNFOUND, cancel, finish_releases
from app.models import Code, CodeState, Member, Redemption, RedemptionState, Shop
from app.program.presets import preset
from app.program.rewards import Reward

from ...conftest import SHOP_ID
from ...rewarding import fill_pool, redeemed, the_reward
from ...support import add_shop, available, balance, deliver, drain, order_body, problems, refund_body
from .conftest import Browser, field_error, words_of

CREDIT = Reward(slot="credit", kind="store_credit", points=100, amount_minor=1000)


@pytest.fixture
def member(db, clock, shop) -> int:
    """A customer with 228 points, and codes in the pool."""
    deliver(db, "orders/paid", order_body(1, lines=[("228.00", 1)], name="#1001"))
    drain(db, clock)
    fill_pool(db, the_reward().reward_id, 500, count=5)
    clock.advance(minutes=1)
    return 7001


@pytest.fixture
def credited(db, clock, member) -> Redemption:
    """Store credit that Shopify's answers leave open."""
    settings = preset("starter", "EUR").model_copy(update={"rewards": (CREDIT,)})
    with db.transaction() as session:
        publish(session, session.get_one(Shop, SHOP_ID), settings, author="test", now=clock())
    clock.advance(seconds=2)
    redemption = redeemed(db, clock, member, key="c", offered=the_reward(settings).reward_id)
    with db.transaction() as session:
        session.execute(update(Redemption).values(asked_at=clock(), problem=AMBIGUOUS))
    return redemption


def as_it_is(db, redemption) -> Redemption:
    with db.reading() as session:
        return session.get_one(Redemption, (SHOP_ID, redemption.redemption_id))


def page_of(merchant, redemption):
    return merchant.get(f"/admin/rewards/redemptions/{redemption.redemption_id}")


def press(merchant, redemption, button, fields=None):
    return merchant.post(f"/admin/rewards/redemptions/{redemption.redemption_id}/{button}", fields)


def use(db, clock, code, order_id=2, **more):
    at = clock.advance(minutes=1)
    body = order_body(
        order_id,
        lines=[("28.00", 2)],
        codes=[(code, "5.00")],
        created_at=at,
        updated_at=at,
        name=f"#100{order_id}",
        **more,
    )
    deliver(db, "orders/paid", body, now=at)
    drain(db, clock)


def confirm_gone(db, clock, redemption):
    """Shopify has deleted the code, and the sweep found nothing."""
    at = clock.advance(minutes=2)
    with db.transaction() as session:
        session.execute(update(Code).where(Code.code == redemption.code).values(state=CodeState.GONE))
        session.execute(
            update(Redemption)
            .where(Redemption.redemption_id == redemption.redemption_id)
            .values(code_gone_at=at, swept_at=clock.advance(minutes=1))
        )
        finish_releases(session, SHOP_ID, now=clock.advance(seconds=5))


def test_it_tells_what_happened_from_the_points_to_the_order(db, clock, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    words = words_of(page_of(merchant, redemption))
    assert "What happened 100 points set aside 21 Nov, 13:01 · Under version 1 of the program" in words
    assert "The code was handed out 21 Nov, 13:01 · Usable until 21 Dec" in words
    assert f"Code {redemption.code}" in words
    use(db, clock, redemption.code)
    answer = page_of(merchant, redemption)
    assert "Order #1002 used it 21 Nov, 13:02 · €5.00 off · Open in Orders" in words_of(answer)
    assert "shopify://admin/orders/2" in answer.text
    assert "Set aside Available → reserved 100" in words_of(answer)
    assert "Spent Reserved → redeemed 100" in words_of(answer)


def test_somebody_elses_order_is_said_with_whose_it_is(db, clock, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    use(db, clock, redemption.code, customer_id=7002)
    answer = page_of(merchant, redemption)
    assert "Used by somebody else" in words_of(answer)
    assert "The order is somebody else’s" in words_of(answer)
    with db.reading() as session:
        whose = session.query(Member.member_id).filter(Member.customer_id == 7002).scalar()
    assert f"/admin/members/{whose}" in answer.text


def test_a_second_order_with_the_same_code_is_shown(db, clock, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    use(db, clock, redemption.code)
    use(db, clock, redemption.code, order_id=3)
    assert "Order #1003 shows this code, too" in words_of(page_of(merchant, redemption))


def test_cancelling_waits_until_the_code_is_gone_and_pressed_again_is_nothing(db, clock, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    first = press(merchant, redemption, "cancel")
    assert 'data-toast="On its way back"' in first.text
    assert press(merchant, redemption, "cancel").status == 200
    assert as_it_is(db, redemption).state is RedemptionState.RELEASING
    assert balance(db, member)["reserved"] == 100
    confirm_gone(db, clock, redemption)
    words = words_of(page_of(merchant, redemption))
    for step in (
        "It was cancelled", "By you", "Shopify confirmed that the code is deleted",
        "Orders from around that moment were looked through", "100 points came back", "Cancelled by staff",
    ):  # fmt: skip
        assert step in words
    assert available(db, member) == 228
    assert problems(db) == []


def test_a_shoppers_own_giving_back_is_told_as_that(db, clock, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    with db.transaction() as session:
        cancel(session, SHOP_ID, redemption.redemption_id, member_id=None, by="shopper", why="cancelled", now=clock())
    assert "The shopper gave it back" in words_of(page_of(merchant, redemption))


def test_a_code_is_replaced_once_however_often_it_is_pressed(db, clock, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    assert 'data-toast="Its code is being replaced"' in press(merchant, redemption, "reissue").text
    assert press(merchant, redemption, "reissue").status == 200
    assert "Gets another code" in words_of(page_of(merchant, redemption))
    confirm_gone(db, clock, redemption)
    after = as_it_is(db, redemption)
    assert (after.state, after.code != redemption.code) == (RedemptionState.ISSUED, True)
    words = words_of(page_of(merchant, redemption))
    assert f"Code {after.code} Earlier code {redemption.code}" in words
    assert balance(db, member)["reserved"] == 100


def test_what_was_used_can_be_neither_cancelled_nor_replaced_and_the_page_says_why(db, clock, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    use(db, clock, redemption.code)
    for button, why in (("cancel", "This reward was used."),
                        ("reissue", "Only a reward whose code is out and unused can get another code.")):  # fmt: skip
        answer = press(merchant, redemption, button)
        assert (answer.status, why in words_of(answer)) == (409, True)
    words = words_of(page_of(merchant, redemption))
    assert "New code…" not in words and "Cancel…" not in words


def test_points_of_a_used_reward_are_given_back_once(db, clock, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    use(db, clock, redemption.code)
    had = available(db, member)
    for _ in range(2):
        answer = press(merchant, redemption, "give-back", {"points": "60", "already": "0"})
        assert 'data-toast="Points given back"' in answer.text
    assert available(db, member) == had + 60
    assert "60 points came back 21 Nov, 13:02 · By you" in words_of(answer)
    rest = press(merchant, redemption, "give-back", {"points": "40", "already": "60"})
    assert "Used, points given back" in words_of(rest)
    assert available(db, member) == had + 100
    assert problems(db) == []


@pytest.mark.parametrize(
    ("points", "why"),
    [("0", "Enter how many points to give back."), ("-5", "Enter how many points to give back."),
     ("x", "Enter how many points to give back."), ("", "Enter how many points to give back."),
     ("101", "Enter 1 to 100 points."), ("9" * 30, "Enter how many points to give back.")],
)  # fmt: skip
def test_points_that_cannot_be_given_back_are_refused_in_the_dialog(db, clock, merchant, member, points, why):
    redemption = redeemed(db, clock, member, key="a")
    use(db, clock, redemption.code)
    answer = press(merchant, redemption, "give-back", {"points": points, "already": "0"})
    assert (answer.status, field_error(answer, "points")) == (422, why)
    assert 'data-open="give-back"' in answer.text
    assert as_it_is(db, redemption).given_back == 0


def test_a_return_meanwhile_is_not_given_back_twice(db, clock, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    use(db, clock, redemption.code)
    deliver(db, "refunds/create", refund_body(1, order_id=2, units={1: 1}, created_at=clock()), now=clock())
    drain(db, clock)
    answer = press(merchant, redemption, "give-back", {"points": "100", "already": "0"})
    assert (answer.status, as_it_is(db, redemption).given_back) == (409, 50)
    assert "Points came back meanwhile." in words_of(answer)
    assert "For what was returned of the order" in words_of(answer)


def test_an_order_after_the_release_is_told_with_what_it_did(db, clock, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    press(merchant, redemption, "cancel")
    confirm_gone(db, clock, redemption)
    use(db, clock, redemption.code)
    words = words_of(page_of(merchant, redemption))
    assert "Used after it was given back" in words
    assert "Its points had come back, so they were taken again" in words


@pytest.mark.parametrize(("said", "state"), [("yes", RedemptionState.USED), ("no", RedemptionState.RELEASED)])
def test_a_credit_nobody_can_tell_about_is_for_staff_to_decide(db, clock, merchant, member, credited, said, state):
    assert "Was it given?" in words_of(page_of(merchant, credited))
    assert "1 reward needs you" in words_of(merchant.get("/admin/"))
    answer = press(merchant, credited, "decide", {"answer": said})
    assert 'data-toast="Settled"' in answer.text
    assert as_it_is(db, credited).state is state
    assert available(db, member) == (128 if said == "yes" else 228)
    again = press(merchant, credited, "decide", {"answer": "no" if said == "yes" else "yes"})
    assert (again.status, as_it_is(db, credited).state) == (409, state)
    assert "There is nothing to decide any more." in words_of(again)
    assert "needs you" not in words_of(merchant.get("/admin/"))


@pytest.mark.parametrize(("said", "state"), [("yes", RedemptionState.USED), ("no", RedemptionState.RELEASED)])
def test_a_code_whose_order_cannot_be_found_is_for_staff_to_decide(db, clock, merchant, member, said, state):
    redemption = redeemed(db, clock, member, key="a")
    press(merchant, redemption, "cancel")
    with db.transaction() as session:
        session.execute(update(Redemption).values(problem=BEING_LOOKED_FOR))
    assert "needs you" not in words_of(merchant.get("/admin/"))  # nothing to do yet
    with db.transaction() as session:
        session.execute(update(Redemption).values(problem=UNFOUND))
    assert "Was it used?" in words_of(page_of(merchant, redemption))
    assert "1 reward needs you" in words_of(merchant.get("/admin/"))
    answer = press(merchant, redemption, "decide", {"answer": said})
    assert 'data-toast="Settled"' in answer.text
    assert as_it_is(db, redemption).state is state
    assert available(db, member) == (128 if said == "yes" else 228)
    assert ("It was said to have been used 21 Nov, 13:01 · By you" in words_of(answer)) == (said == "yes")
    assert problems(db) == []


def test_a_gift_cards_code_is_shown_by_its_end_only(db, clock, merchant, member):
    card = CREDIT.model_copy(update={"kind": "gift_card", "slot": "card"})
    settings = preset("starter", "EUR").model_copy(update={"rewards": (card,)})
    with db.transaction() as session:
        publish(session, session.get_one(Shop, SHOP_ID), settings, author="test", now=clock())
    clock.advance(seconds=2)
    redemption = redeemed(db, clock, member, key="c", offered=the_reward(settings).reward_id)
    with db.transaction() as session:
        session.execute(update(Redemption).values(card_code="abcdefghjkmn1234"))
    answer = page_of(merchant, redemption)
    assert "•••• 1234" in words_of(answer)
    assert "abcdefghjkmn" not in answer.text


def test_a_members_page_lists_what_they_had_and_their_ledger_leads_there(db, clock, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    with db.reading() as session:
        member_id = session.query(Member.member_id).scalar()
    answer = merchant.get(f"/admin/members/{member_id}")
    assert "Rewards €5 off 100 points · 21 Nov Not used yet" in words_of(answer)
    assert answer.text.count(f"/admin/rewards/redemptions/{redemption.redemption_id}") == 2


def test_another_shops_redemption_is_none(db, clock, door, merchant, member):
    redemption = redeemed(db, clock, member, key="a")
    add_shop(db, shop_id=2, domain="other.myshopify.com")
    other = Browser(door, "other.myshopify.com")
    foreign, nobodys = page_of(other, redemption), other.get("/admin/rewards/redemptions/AAAAAAAAAAAAAAAA")
    assert (foreign.status, foreign.body) == (404, nobodys.body)
    for button in ("cancel", "reissue", "give-back", "decide"):
        sent = {"points": "5", "already": "0", "answer": "yes"}
        foreign = press(other, redemption, button, sent)
        nobodys = other.post(f"/admin/rewards/redemptions/AAAAAAAAAAAAAAAA/{button}", sent)
        assert (foreign.status, foreign.body) == (404, nobodys.body)
    assert as_it_is(db, redemption).state is RedemptionState.ISSUED

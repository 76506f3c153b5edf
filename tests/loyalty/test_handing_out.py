"""Gift cards and store credit, once each, whatever becomes of the call that makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import select, text

from app.errors import Refused
from app.loyalty.hand_out import AMBIGUOUS, MAY_BE_MADE, settle_handed_out, settle_not_made, waits_for_staff
from app.loyalty.keys import rotate
from app.loyalty.release import cancel
from app.loyalty.views.redemptions import describe_redemption
from app.models import Redemption, RedemptionState
from app.program.presets import preset
from app.program.rewards import Reward

from ..conftest import SHOP_ID
from ..rewarding import redeemed, the_reward
from ..support import access_for, add_shop, balance, deliver, drain, order_body, problems
from .fake_shopify import FakeShopify

LOST = requests.ConnectionError("the answer was lost")
DENIED = {"data": {}, "errors": [{"message": "No.", "extensions": {"code": "ACCESS_DENIED"}}]}


class Bank(FakeShopify):
    """Gift cards and one customer's store credit. ``weather`` says what becomes of the nth call that makes money."""

    def __init__(self, clock: Callable[[], Any]) -> None:
        super().__init__()
        self.clock = clock
        self.cards: list[dict[str, Any]] = []
        self.credits: list[dict[str, Any]] = []
        self.weather: list[str] = []  # "lost": done, never answered; "denied", "refused", "reset": not done
        self.hidden = False  # lists do not show the newest yet
        self.trouble = self._answer

    def _answer(self, name: str, asked: dict[str, Any]) -> Any:
        verb = {
            "GiftCardCreate": self._make_card, "StoreCredit": self._credit, "GiftCards": self._cards,
            "StoreCreditAccounts": self._accounts, "StoreCreditTransactions": self._transactions,
        }.get(name)  # fmt: skip
        if verb is None:
            return None
        if name not in ("GiftCardCreate", "StoreCredit"):
            return self.weather.pop(0) and (200, DENIED) if self.weather[:1] == ["blind"] else verb(asked["variables"])
        fate = self.weather.pop(0) if self.weather else "fine"
        match fate:
            case "reset":
                return LOST
            case "denied":
                return 200, DENIED
            case "lost":
                verb(asked["variables"])
                return LOST
        return verb(asked["variables"])

    def add_card(self, code: str, amount: str = "10.0", note: str = "") -> dict[str, Any]:
        number = len(self.cards) + 1
        made = {
            "id": f"gid://shopify/GiftCard/{number}", "lastCharacters": code[-4:], "note": note, "enabled": True,
            "initialValue": {"amount": amount, "currencyCode": "EUR"}, "createdAt": self.clock().isoformat(),
        }  # fmt: skip
        self.cards.append({**made, "code": code})
        return made

    def _make_card(self, variables: dict[str, Any]) -> Any:
        wanted = variables["card"]
        if any(card["code"] == wanted["code"] for card in self.cards):
            taken = [{"field": ["input", "code"], "message": "Taken.", "code": "TAKEN"}]
            return 200, {"data": {"giftCardCreate": {"giftCard": None, "userErrors": taken}}}
        made = self.add_card(wanted["code"], wanted["initialAmount"]["amount"], wanted["note"])
        return 200, {"data": {"giftCardCreate": {"giftCard": made, "userErrors": []}}}

    def _cards(self, variables: dict[str, Any]) -> Any:
        nodes = [] if self.hidden else [{k: v for k, v in card.items() if k != "code"} for card in self.cards[::-1]]
        return 200, {"data": {"giftCards": {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}}}

    def _credit(self, variables: dict[str, Any]) -> Any:
        gid = f"gid://shopify/StoreCreditAccountCreditTransaction/{len(self.credits) + 1}"
        self.credits.append(
            {
                "id": gid, "event": "ADJUSTMENT", "createdAt": self.clock().isoformat(),
                "amount": {"amount": variables["credit"]["creditAmount"]["amount"], "currencyCode": "EUR"},
            }
        )  # fmt: skip
        payload = {"storeCreditAccountTransaction": {"id": gid}, "userErrors": []}
        return 200, {"data": {"storeCreditAccountCredit": payload}}

    def _accounts(self, variables: dict[str, Any]) -> Any:
        node = {"id": "gid://shopify/StoreCreditAccount/1", "balance": {"currencyCode": "EUR"}}
        accounts = {"nodes": [node] if self.credits else []}
        return 200, {"data": {"customer": {"storeCreditAccounts": accounts}}}

    def _transactions(self, variables: dict[str, Any]) -> Any:
        page = {"nodes": self.credits[::-1], "pageInfo": {"hasNextPage": False, "endCursor": None}}
        return 200, {"data": {"storeCreditAccount": {"transactions": page}}}


CARD = Reward(slot="card", kind="gift_card", points=100, amount_minor=1000)
CREDIT = Reward(slot="credit", kind="store_credit", points=100, amount_minor=1000)


class Till:
    """A shop with both rewards, a member with 228 points, and a worker that is sent around the clock."""

    def __init__(self, db: Any, clock: Any) -> None:
        self.db, self.clock, self.bank = db, clock, Bank(clock)
        self.settings = preset("starter", "EUR").model_copy(update={"rewards": (CARD, CREDIT)})
        add_shop(db, program=self.settings)
        self.access = access_for(db, clock, self.bank.http())
        deliver(db, "orders/paid", order_body(order_id=1, lines=[("228.00", 1)]), now=clock())
        drain(db, clock, self.access)

    def redeem(self, reward: Reward, key: str = "a") -> Redemption:
        offered = the_reward(self.settings, self.settings.rewards.index(reward)).reward_id
        return redeemed(self.db, self.clock, 7001, key=key, offered=offered)

    def work(self, *, minutes: int = 0) -> None:
        """Let the worker run every twenty seconds for so long."""
        for _ in range(max(1, minutes * 3)):
            drain(self.db, self.clock, self.access)
            self.clock.advance(seconds=20)

    def now(self, redemption: Redemption) -> Redemption:
        with self.db.reading() as session:
            return session.scalars(select(Redemption).where(Redemption.redemption_id == redemption.redemption_id)).one()

    @property
    def points(self) -> tuple[int, int]:
        figures = balance(self.db, 7001)
        return figures["available"], figures["reserved"]


@pytest.fixture
def till(db, clock):
    made = Till(db, clock)
    yield made
    assert problems(db) == []


@pytest.mark.parametrize("reward", [CARD, CREDIT], ids=["card", "credit"])
def test_it_is_handed_out_and_its_points_are_spent(till, reward):
    redemption = till.redeem(reward)
    assert (redemption.state, till.points) == (RedemptionState.RESERVED, (128, 100))
    till.work()
    assert (till.now(redemption).state, till.points) == (RedemptionState.USED, (128, 0))
    assert (len(till.bank.cards), len(till.bank.credits)) == ((1, 0) if reward is CARD else (0, 1))


@pytest.mark.parametrize("reward", [CARD, CREDIT], ids=["card", "credit"])
@pytest.mark.parametrize("fates", [["lost"], ["reset"], ["reset", "lost"], ["reset", "reset", "lost"]])
def test_an_answer_that_is_lost_makes_no_second_one(till, reward, fates):
    till.bank.weather = list(fates)
    redemption = till.redeem(reward)
    till.work(minutes=6)
    assert till.now(redemption).state is RedemptionState.USED
    assert len(till.bank.cards) + len(till.bank.credits) == 1
    assert till.points == (128, 0)


@pytest.mark.parametrize("reward", [CARD, CREDIT], ids=["card", "credit"])
def test_a_refusal_before_anything_was_done_gives_the_points_back(till, reward):
    till.bank.weather = ["denied"]
    redemption = till.redeem(reward)
    till.work(minutes=3)
    assert (till.now(redemption).state, till.points) == (RedemptionState.RELEASED, (228, 0))
    assert till.bank.cards == till.bank.credits == []


@pytest.mark.parametrize("reward", [CARD, CREDIT], ids=["card", "credit"])
def test_what_may_be_there_is_not_given_up_when_shopify_stops_answering(till, reward):
    till.bank.weather = ["lost", "blind", "blind"]
    redemption = till.redeem(reward)
    till.work(minutes=2)
    held = till.now(redemption)
    assert waits_for_staff(held) and held.problem.startswith(MAY_BE_MADE)
    assert till.points == (128, 100)
    till.work(minutes=4)
    assert till.now(redemption).state is RedemptionState.USED
    assert len(till.bank.cards) + len(till.bank.credits) == 1


def test_a_card_whose_note_was_edited_is_still_known_as_ours(till):
    till.bank.weather = ["lost"]
    redemption = till.redeem(CARD)
    till.work()
    till.bank.cards[0]["note"] = "For Nora"
    till.work(minutes=1)
    assert till.now(redemption).state is RedemptionState.USED
    assert len(till.bank.cards) == 1


def test_a_card_that_no_list_shows_yet_is_waited_for(till):
    till.bank.weather, till.bank.hidden = ["lost"], True
    redemption = till.redeem(CARD)
    till.work(minutes=4)
    assert (till.now(redemption).state, len(till.bank.cards)) == (RedemptionState.RESERVED, 1)
    till.bank.hidden = False
    till.work(minutes=2)
    assert (till.now(redemption).state, len(till.bank.cards)) == (RedemptionState.USED, 1)


def test_a_merchants_card_with_our_code_makes_us_choose_another(till):
    till.bank.weather = ["reset"]
    redemption = till.redeem(CARD)
    till.work()
    till.bank.add_card(till.now(redemption).card_code, amount="99.0", note="By the merchant")
    till.work(minutes=2)
    assert till.now(redemption).state is RedemptionState.USED
    assert [card["note"].startswith("Regulars") for card in till.bank.cards] == [False, True]


def test_two_credits_of_the_amount_are_for_a_person_and_another_redemption_takes_neither(till):
    till.bank.weather = ["lost"]
    first = till.redeem(CREDIT)
    till.work()
    till.bank._credit({"credit": {"creditAmount": {"amount": "10.00"}}})  # by the merchant, in the same minute
    till.work(minutes=2)
    assert till.now(first).problem == AMBIGUOUS and waits_for_staff(till.now(first))
    second = till.redeem(CREDIT, key="b")
    till.work(minutes=3)
    assert till.now(second).state is RedemptionState.USED
    assert len(till.bank.credits) == 3
    with till.db.transaction() as session:
        settle_handed_out(session, SHOP_ID, first.redemption_id, None, now=till.clock())
    gids = {till.now(each).shopify_gid for each in (first, second)}
    assert len(gids) == 2 and None not in gids
    assert till.points == (28, 0)


def test_staff_may_say_that_there_is_none(till):
    till.bank.weather = ["lost", "blind"]
    redemption = till.redeem(CREDIT)
    till.work(minutes=2)
    with till.db.transaction() as session:
        settle_not_made(session, SHOP_ID, redemption.redemption_id, "None.", by="staff 1", now=till.clock())
    till.work(minutes=3)
    assert (till.now(redemption).state, till.points) == (RedemptionState.RELEASED, (228, 0))


def test_a_card_in_the_making_cannot_be_called_back_and_one_not_begun_can(till):
    redemption = till.redeem(CARD)
    cancel_it(till, redemption)
    till.work(minutes=1)
    assert (till.points, till.bank.cards) == ((228, 0), [])
    till.bank.weather = ["lost"]
    redemption = till.redeem(CARD, key="b")
    till.work()
    with pytest.raises(Refused, match="being made"):
        cancel_it(till, redemption)


def test_a_cards_code_is_the_members_alone_and_nothing_to_read_in_a_dump(till, db):
    redemption = till.redeem(CARD)
    till.work()
    with db.reading() as session:
        told = describe_redemption(session, till.now(redemption))
        stored = session.scalar(text("SELECT card_code FROM redemptions"))
    assert told["code"] == till.bank.cards[0]["code"]
    assert told["code"].encode() not in bytes(stored)
    with db.transaction() as session:
        rotate(session)
    assert till.now(redemption).card_code == told["code"]


def cancel_it(till: Till, redemption: Redemption) -> None:
    with till.db.transaction() as session:
        cancel(
            session, SHOP_ID, redemption.redemption_id, member_id=redemption.member_id, by="shopper", why="cancelled",
            now=till.clock(),
        )  # fmt: skip

"""Gift cards: made with a code of ours, and known again though nobody can read a code back."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import responses

from app.errors import MissingScope, Rejected, Throttled
from app.shopify.gift_cards import GiftCard, cards_like, create_gift_card, deactivate_gift_card
from tests.shopify.answering import CLIENT, URL, answers, executed, page, recorded, sent

CODE = "k7qx4m2n9p3rtabc"
NOW = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)
NOTE = "Regulars 0198f"


def card(number: int, code: str = CODE, note: str | None = NOTE, minutes: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/GiftCard/{number}", "lastCharacters": code[-4:], "note": note, "enabled": True,
        "initialValue": {"amount": "12.5", "currencyCode": "EUR"},
        "createdAt": (NOW - timedelta(minutes=minutes)).isoformat(), **changes,
    }  # fmt: skip


def make(**changes: Any) -> GiftCard:
    facts = {"code": CODE, "amount_minor": 1250, "currency": "EUR", "customer_id": 77, "note": NOTE, **changes}
    return create_gift_card(CLIENT, **facts)


class Shopify:
    """Cards by code, and a search that finds whole codes, of cards it has heard of."""

    def __init__(self, *cards: tuple[str, dict[str, Any]], unsearchable: tuple[int, ...] = ()) -> None:
        self.cards = sorted(cards, key=lambda pair: pair[1]["createdAt"], reverse=True)
        self.unsearchable = {f"gid://shopify/GiftCard/{number}" for number in unsearchable}
        self.asked = executed(self.resolve)

    def resolve(self, source: Any, info: Any, arguments: dict[str, Any]) -> Any:
        if info.field_name != "giftCards":
            return source[info.field_name]
        assert arguments["reverse"] and arguments["sortKey"] == "ID"
        query = arguments.get("query")
        found = [
            card
            for code, card in self.cards
            if query is None or (code == query and card["id"] not in self.unsearchable)
        ]
        return page(found, arguments)


@responses.activate
def test_makes_a_card_for_a_customer():
    answers({"giftCardCreate": {"giftCard": card(9), "userErrors": []}})
    assert make() == GiftCard("gid://shopify/GiftCard/9", "tabc", 1250, "EUR", NOTE, NOW, True)
    assert sent() == {
        "card": {
            "code": CODE, "initialAmount": {"amount": "12.5", "currencyCode": "EUR"}, "note": NOTE, "expiresOn": None,
            "customerId": "gid://shopify/Customer/77",
        }
    }  # fmt: skip
    make(amount_minor=1200, currency="JPY", expires_on=date(2027, 11, 30))
    assert sent()["card"]["initialAmount"] == {"amount": "1200", "currencyCode": "JPY"}
    assert sent()["card"]["expiresOn"] == "2027-11-30"


@pytest.mark.parametrize("code", ["TAKEN", "CUSTOMER_NOT_FOUND", "GIFT_CARD_LIMIT_EXCEEDED"])
@responses.activate
def test_a_refusal_is_named(code):
    refused = {"field": ["input", "code"], "message": "No.", "code": code}
    answers({"giftCardCreate": {"giftCard": None, "userErrors": [refused]}})
    with pytest.raises(Rejected) as refusal:
        make()
    assert refusal.value.code == code


@responses.activate
def test_recorded_a_card_of_nothing():
    answers({"giftCardCreate": recorded("a gift card of nothing")})
    with pytest.raises(Rejected) as refusal:
        make(amount_minor=0)
    assert refusal.value.code == "GREATER_THAN"


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {"giftCard": None, "userErrors": []},
        {"giftCard": {"id": "gid://shopify/GiftCard/9"}, "userErrors": []},
        {"giftCard": card(9, initialValue={"amount": "1.005", "currencyCode": "EUR"}), "userErrors": []},
    ],
)
@responses.activate
def test_an_answer_that_does_not_tell_is_no_refusal(payload):
    """The card may have been made: its points must not be given back."""
    answers({"giftCardCreate": payload})
    with pytest.raises(Throttled):
        make()


@responses.activate
def test_what_is_withheld_of_the_answer_does_not_undo_the_card():
    denied = {"message": "No.", "path": ["giftCardCreate", "giftCard", "note"], "extensions": {"code": "ACCESS_DENIED"}}
    payload = {"giftCard": card(9, note=None), "userErrors": []}
    responses.post(URL, json={"data": {"giftCardCreate": payload}, "errors": [denied]})
    with pytest.raises(Throttled):
        make()


@responses.activate
def test_a_mutation_that_was_denied_as_a_whole_is_a_refusal():
    denied = {"message": "No.", "path": ["giftCardCreate"], "extensions": {"code": "ACCESS_DENIED"}}
    responses.post(URL, json={"data": {"giftCardCreate": None}, "errors": [denied]})
    with pytest.raises(MissingScope):
        make()


def numbers(code: str = CODE) -> list[int]:
    return [int(found.gid.rpartition("/")[2]) for found in cards_like(CLIENT, code)]


@responses.activate
def test_an_old_card_is_searched_for_by_its_code():
    others = [(f"code{n:012}", card(100 + n, f"code{n:012}")) for n in range(100)]
    shopify = Shopify(*others, (CODE, card(9, minutes=600)))
    [found] = cards_like(CLIENT, CODE)
    assert (found.gid, found.amount_minor, found.note) == ("gid://shopify/GiftCard/9", 1250, NOTE)
    assert len(shopify.asked) == 3


@responses.activate
def test_a_card_the_search_does_not_know_yet_is_found_among_the_newest():
    others = [(f"code{n:012}", card(100 + n, f"code{n:012}", minutes=n // 10)) for n in range(250)]
    Shopify(*others, (CODE, card(9, minutes=24)), unsearchable=(9,))
    assert numbers() == [9]


@responses.activate
def test_the_search_for_a_fresh_card_ends_an_hour_back():
    others = [(f"code{n:012}", card(100 + n, f"code{n:012}", minutes=n)) for n in range(1_000)]
    shopify = Shopify(*others)
    assert numbers() == []
    assert len(shopify.asked) == 2


@responses.activate
def test_all_cards_that_end_alike_are_told_each_once():
    alike = "0000000000000" + CODE[-4:]
    Shopify((alike, card(8, alike, "For Ada")), (CODE, card(9, minutes=5)))
    assert sorted(numbers()) == [8, 9]


@responses.activate
def test_a_shop_without_cards():
    Shopify()
    assert numbers() == []


@responses.activate
def test_a_card_is_taken_back():
    answers(recorded("a gift card deactivated"))
    deactivate_gift_card(CLIENT, "gid://shopify/GiftCard/661370994994")
    assert sent() == {"id": "gid://shopify/GiftCard/661370994994"}

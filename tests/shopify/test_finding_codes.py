"""Which codes a discount has: certain in every case, and cheap where it can be."""

from typing import Any

import pytest
import responses

from app.errors import Throttled
from app.shopify.finding_codes import CodeCount, count_codes, find_codes
from tests.shopify.answering import CLIENT, executed, page

OURS, THEIRS = "gid://shopify/DiscountCodeNode/1", "gid://shopify/DiscountCodeNode/2"


class Shopify:
    """Codes of two discounts, and a search that may not know all of them yet."""

    def __init__(self, ours: list[str], theirs: tuple[str, ...] = (), *, unsearchable: tuple[str, ...] = ()) -> None:
        self.ours, self.theirs, self.unsearchable = ours, theirs, unsearchable
        self.asked = executed(self.resolve)
        self.exists = True

    def resolve(self, source: Any, info: Any, arguments: dict[str, Any]) -> Any:
        if info.field_name == "node":
            return {"__typename": "DiscountCodeNode", "id": arguments["id"]} if self.exists else None
        if info.field_name == "codeDiscount":
            return {"__typename": "DiscountCodeBasic"}
        if info.field_name == "codes":
            assert arguments["reverse"] and arguments["sortKey"] == "ID"
            return page(self.listed(arguments.get("query")), arguments)
        if info.field_name == "codeDiscountNodeByCode":
            code = arguments["code"].upper()
            return {"id": OURS} if code in self.ours else {"id": THEIRS} if code in self.theirs else None
        return source[info.field_name]

    def listed(self, query: str | None) -> list[dict[str, Any]]:
        codes = list(enumerate(self.ours))[::-1]
        if query is not None:
            words = query.split(" OR ")
            codes = [(n, code) for n, code in codes if code in words and code not in self.unsearchable]
        return [{"id": f"gid {n}", "code": code, "asyncUsageCount": n % 2} for n, code in codes]


def codes(count: int, start: int = 0) -> list[str]:
    return [f"CODE{number:09}" for number in range(start, start + count)]


@responses.activate
def test_a_small_discount_is_read_at_once():
    shopify = Shopify(codes(250))
    found = find_codes(CLIENT, OURS, ["code000000001", "CODE000000002", "NEVERMADE"])
    assert {asked: (code.gid, code.code, code.uses) for asked, code in found.items()} == {
        "code000000001": ("gid 1", "CODE000000001", 1),
        "CODE000000002": ("gid 2", "CODE000000002", 0),
    }
    assert shopify.asked == ["DiscountCodes"]


@responses.activate
def test_codes_just_made_are_on_the_first_page_of_a_large_discount():
    shopify = Shopify(codes(20_000))
    assert len(find_codes(CLIENT, OURS, codes(250, start=19_750))) == 250
    assert shopify.asked == ["DiscountCodes"]


@responses.activate
def test_of_a_large_discount_fifty_are_searched_for_at_a_time():
    shopify = Shopify(codes(20_000))
    wanted = codes(250, start=100)
    assert set(find_codes(CLIENT, OURS, wanted)) == set(wanted)
    assert shopify.asked == ["DiscountCodes"] * 6


@responses.activate
def test_what_a_search_does_not_find_is_asked_for_by_name_before_it_is_gone():
    shopify = Shopify(codes(600), ("THEIRCODE",))
    assert find_codes(CLIENT, OURS, ["NEVERMADE", "THEIRCODE", *codes(40)]).keys() == set(codes(40))
    assert shopify.asked == ["DiscountCodes", "DiscountCodes", "DiscountsOfCodes"]


@responses.activate
def test_what_is_there_by_name_is_found_though_the_search_lags():
    late = codes(1, start=5)[0]
    shopify = Shopify(codes(600), unsearchable=(late,))
    assert find_codes(CLIENT, OURS, [late, "NEVERMADE"])[late].gid == "gid 5"
    assert shopify.asked == ["DiscountCodes", "DiscountCodes", "DiscountsOfCodes", *["DiscountCodes"] * 3]


@responses.activate
def test_answers_that_do_not_agree_are_no_answer():
    shopify = Shopify(codes(600))
    shopify.listed = lambda query: Shopify.listed(shopify, query)[:-1]  # a list that leaves the oldest out
    with pytest.raises(Throttled, match="do not agree"):
        find_codes(CLIENT, OURS, codes(1))


@responses.activate
def test_codes_that_are_no_word_of_a_search_are_asked_for_by_name():
    shopify = Shopify([*codes(3), 'A "QUOTED" CODE', "OR", *codes(300, start=100)])
    assert set(find_codes(CLIENT, OURS, ['A "quoted" code', "or", "AND"])) == {'A "quoted" code', "or"}
    assert "DiscountsOfCodes" in shopify.asked


@responses.activate
def test_a_discount_that_is_gone_has_no_codes():
    shopify = Shopify(codes(3))
    shopify.exists = False
    assert find_codes(CLIENT, OURS, codes(3)) == {}
    assert find_codes(CLIENT, OURS, []) == {}
    assert shopify.asked == ["DiscountCodes"]


@pytest.mark.parametrize(
    ("precision", "expected"), [("EXACT", CodeCount(251, True)), ("AT_LEAST", CodeCount(251, False))]
)
@responses.activate
def test_how_many_there_are_and_whether_that_is_exact(precision, expected):
    executed(
        lambda source, info, arguments: {
            "node": {"__typename": "DiscountCodeNode"},
            "codeDiscount": {"__typename": "DiscountCodeFreeShipping"},
            "codesCount": {"count": 251, "precision": precision},
            "count": 251,
            "precision": precision,
        }[info.field_name]
    )
    assert count_codes(CLIENT, OURS) == expected


@responses.activate
def test_a_discount_that_is_gone_has_no_count():
    executed(lambda source, info, arguments: None)
    assert count_codes(CLIENT, OURS) is None

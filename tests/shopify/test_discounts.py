"""A reward as a discount of Shopify's, and what becomes of its codes: inputs on the real schema, recorded answers."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import responses
from graphql.utilities import coerce_input_value

from app.errors import Rejected, Throttled
from app.program.rewards import Combines, Reward, RewardProduct
from app.shopify.discount_terms import DiscountTerms, discount_input
from app.shopify.discounts import (
    BulkResult,
    FoundCode,
    add_codes,
    bulk_result,
    create_discount,
    delete_codes,
    delete_discount,
    find_discount_of_code,
    job_done,
)
from app.shopify.orders import orders_with_code
from tests.shopify.answering import CLIENT, URL, answers, recorded, sent
from tests.shopify.test_documents import schema

GID = "gid://shopify/DiscountCodeNode/1657363792178"
START = datetime(2026, 11, 27, 20, 0, 0, 500, tzinfo=timezone(timedelta(hours=1)))
MUG = RewardProduct(product_id=5, variant_id=6, title="Ash mug", price_minor=2800)


def terms(chosen: int | None = None, currency: str = "EUR", **facts: Any) -> DiscountTerms:
    reward = Reward(slot="a", points=100, **facts)
    return DiscountTerms(
        reward, currency, chosen, "€5 off", "r1-202611", START, datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    )


FIVE_OFF = terms(500, kind="amount_off", amount_minor=500)


@pytest.mark.parametrize(
    ("wanted", "gets"),
    [
        (
            FIVE_OFF,
            {"value": {"discountAmount": {"amount": "5", "appliesOnEachItem": False}}, "items": {"all": True}},
        ),
        (
            terms(1250, kind="amount_off", amount_minor=500, only_products=(8, 7)),
            {
                "value": {"discountAmount": {"amount": "12.5", "appliesOnEachItem": False}},
                "items": {"products": {"productsToAdd": ["gid://shopify/Product/7", "gid://shopify/Product/8"]}},
            },
        ),
        (
            terms(1200, "JPY", kind="amount_off", amount_minor=1200),
            {"value": {"discountAmount": {"amount": "1200", "appliesOnEachItem": False}}, "items": {"all": True}},
        ),
        (terms(kind="percentage", percent=15), {"value": {"percentage": 0.15}, "items": {"all": True}}),
        (
            terms(kind="free_product", product=MUG),
            {
                "value": {"discountAmount": {"amount": "28", "appliesOnEachItem": False}},
                "items": {"products": {"productVariantsToAdd": ["gid://shopify/ProductVariant/6"]}},
            },
        ),
        (
            terms(3150, kind="free_product", product=MUG),
            {
                "value": {"discountAmount": {"amount": "31.5", "appliesOnEachItem": False}},
                "items": {"products": {"productVariantsToAdd": ["gid://shopify/ProductVariant/6"]}},
            },
        ),
    ],
)
def test_what_it_takes_off(wanted, gets):
    discount = discount_input(wanted, "K7QX4M2N9P3RT")
    assert discount["customerGets"] == gets
    coerce_input_value(discount, schema().type_map["DiscountCodeBasicInput"])


def test_every_code_is_used_once_by_whomever_until_the_end():
    discount = discount_input(FIVE_OFF, "K7QX4M2N9P3RT")
    del discount["customerGets"]
    assert discount == {
        "title": "€5 off", "code": "K7QX4M2N9P3RT", "tags": ["regulars", "regulars-r1-202611"],
        "startsAt": "2026-11-27T19:00:00Z", "endsAt": "2026-12-31T23:59:59Z", "usageLimit": 1,
        "appliesOncePerCustomer": False, "context": {"all": "ALL"},
        "combinesWith": {"orderDiscounts": False, "productDiscounts": False, "shippingDiscounts": True},
    }  # fmt: skip
    assert max(map(len, discount_input(terms(kind="percentage", percent=1), "K")["tags"])) <= 255


def test_free_shipping_never_says_that_it_combines_with_shipping():
    """Recorded: INVALID_COMBINES_WITH_FOR_DISCOUNT_CLASS."""
    combines = Combines(order=True, product=True, shipping=True)
    discount = discount_input(terms(kind="free_shipping", combines=combines), "K7QX4M2N9P3RT")
    assert discount["combinesWith"] == {"orderDiscounts": True, "productDiscounts": True, "shippingDiscounts": False}
    assert discount["destination"] == {"all": True} and "customerGets" not in discount
    coerce_input_value(discount, schema().type_map["DiscountCodeFreeShippingInput"])


@pytest.mark.parametrize(
    ("facts", "minimum"),
    [
        ({"minimum_cart_minor": 2050}, "20.5"),
        ({"cart_share_percent": 50}, "10"),
        ({"cart_share_percent": 30, "minimum_cart_minor": 1000}, "16.67"),
    ],
)
def test_the_smallest_cart(facts, minimum):
    discount = discount_input(terms(500, kind="amount_off", amount_minor=500, **facts), "K7QX4M2N9P3RT")
    assert discount["minimumRequirement"] == {"subtotal": {"greaterThanOrEqualToSubtotal": minimum}}


@pytest.mark.parametrize("kind", ["gift_card", "store_credit"])
def test_what_is_handed_out_for_good_is_no_discount(kind):
    with pytest.raises(ValueError, match=kind):
        discount_input(terms(500, kind=kind, amount_minor=500), "K7QX4M2N9P3RT")


@responses.activate
def test_makes_a_discount_of_the_right_kind():
    made = {"codeDiscountNode": {"id": GID}, "userErrors": []}
    answers({"discountCodeBasicCreate": made}, {"discountCodeFreeShippingCreate": made})
    assert create_discount(CLIENT, FIVE_OFF, "K7QX4M2N9P3RT") == GID
    assert sent()["discount"]["customerGets"]["items"] == {"all": True}
    assert create_discount(CLIENT, terms(kind="free_shipping"), "K7QX4M2N9P3RT") == GID
    assert sent()["discount"]["destination"] == {"all": True}


@responses.activate
def test_a_taken_code_is_refused_by_name():
    answers({"discountCodeBasicCreate": recorded("a taken code")})
    with pytest.raises(Rejected) as refusal:
        create_discount(CLIENT, FIVE_OFF, "K7QX4M2N9P3RT")
    assert (refusal.value.code, refusal.value.field) == ("TAKEN", "basicCodeDiscount.code")


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {}},
        {"json": {"data": None}},
        {"json": {"data": {"discountCodeBasicCreate": None}}},
        {"json": {"data": {"discountCodeBasicCreate": {"codeDiscountNode": None, "userErrors": []}}}},
        {"json": {"data": {"discountCodeBasicCreate": {"codeDiscountNode": {"id": 7}, "userErrors": []}}}},
        {"body": '{"data": {"discountCodeBasicCreate": {"codeDisc'},
        {"status": 502},
    ],
)
@responses.activate
def test_an_answer_that_does_not_tell_is_no_refusal(answer):
    responses.post(URL, **answer)
    with pytest.raises(Throttled):
        create_discount(CLIENT, FIVE_OFF, "K7QX4M2N9P3RT")


@responses.activate
def test_a_discount_that_is_gone_is_as_good_as_deleted():
    answers(recorded("no discount deleted"))
    delete_discount(CLIENT, GID)
    responses.reset()
    refused = {"field": ["id"], "message": "Something else.", "code": "INTERNAL_ERROR"}
    answers({"discountCodeDelete": {"deletedCodeDiscountId": None, "userErrors": [refused]}})
    with pytest.raises(Rejected):
        delete_discount(CLIENT, GID)


@responses.activate
def test_tells_whose_a_code_is():
    theirs = {"codeDiscountNodeByCode": {"id": GID, "codeDiscount": {"tags": ["summer"]}}}
    ours = {"codeDiscountNodeByCode": {"id": GID, "codeDiscount": {"tags": ["regulars", "regulars-r1"]}}}
    code = {"id": "gid://shopify/DiscountRedeemCode/22", "code": "k7qx4m2n9p3rt", "asyncUsageCount": 1}
    codes = {"nodes": [code], "pageInfo": {"hasNextPage": False}}
    answers({"codeDiscountNodeByCode": None}, theirs, ours, {"node": {"codeDiscount": {"codes": codes}}})
    assert find_discount_of_code(CLIENT, "K7QX4M2N9P3RT") is None
    assert find_discount_of_code(CLIENT, "K7QX4M2N9P3RT") == FoundCode(GID, ("summer",))
    found = find_discount_of_code(CLIENT, "K7QX4M2N9P3RT")
    assert found == FoundCode(GID, ("regulars", "regulars-r1"), "gid://shopify/DiscountRedeemCode/22", 1)
    assert len(responses.calls) == 4


# --- codes by the hundred ---------------------------------------------------------------------------------------------


@responses.activate
def test_codes_are_added_and_asked_about_later():
    answers(recorded("codes that are there already, added") | recorded("codes added, queued"))
    assert add_codes(CLIENT, GID, ["A", "B"]) == "gid://shopify/DiscountRedeemCodeBulkCreation/799635374386"
    assert sent() == {"id": GID, "codes": [{"code": "A"}, {"code": "B"}]}
    responses.reset()
    answers(recorded("codes added to no discount"))
    with pytest.raises(Rejected) as refusal:
        add_codes(CLIENT, GID, ["A"])
    assert (refusal.value.code, refusal.value.field) == ("INVALID", "discountId")


@pytest.mark.parametrize("call", [add_codes, delete_codes])
@pytest.mark.parametrize("count", [0, 251])
def test_no_more_and_no_less_than_a_call_takes(call, count):
    """Recorded: none is "Something went wrong", 251 are refused whole."""
    with pytest.raises(ValueError):
        call(CLIENT, GID, ["A"] * count)


def added(name: str) -> dict[str, Any]:
    """A recorded outcome; what its query did not ask for is filled in."""
    creation = recorded(name)["discountRedeemCodeBulkCreation"]
    nodes = [
        {**node, "discountRedeemCode": node["discountRedeemCode"] and {"id": f"gid of {node['code']}"}}
        for node in creation["codes"]["nodes"]
    ]
    return {**creation, "codes": {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}}


@responses.activate
def test_one_code_of_many_fails_in_words_alone():
    answers({"discountRedeemCodeBulkCreation": added("codes that are there already, added")})
    result = bulk_result(CLIENT, "gid://shopify/DiscountRedeemCodeBulkCreation/7")
    fresh = "HAR784FRESH1782095860112"
    assert result.imported == {fresh: f"gid of {fresh}"}
    assert result.failed == {"HAR784BASE1782095860112": "TAKEN", "HAR784CROSS1782095860112": "TAKEN"}


@responses.activate
def test_the_same_code_twice_is_made_once():
    answers({"discountRedeemCodeBulkCreation": added("codes of every kind, added")})
    result = bulk_result(CLIENT, "gid://shopify/DiscountRedeemCodeBulkCreation/7")
    assert set(result.imported) == {"HAR784DUP1782095860112", "HAR784OK1782095860112"}
    assert len(result.failed) == 4 and set(result.failed.values()) == {"INVALID"}


def outcome(code: str, gid: str | None = None, said: str | None = None) -> dict[str, Any]:
    errors = [{"code": None, "message": said}] if said else []
    return {"code": code, "discountRedeemCode": {"id": gid} if gid else None, "errors": errors}


def creation(*nodes: dict[str, Any], done: bool = True, following: str | None = None) -> dict[str, Any]:
    codes = {"nodes": list(nodes), "pageInfo": {"hasNextPage": following is not None, "endCursor": following}}
    return {"discountRedeemCodeBulkCreation": {"done": done, "codes": codes}}


@responses.activate
def test_every_page_of_outcomes_is_read_once_shopify_is_done():
    answers(
        creation(outcome("A"), done=False),
        creation(outcome("A", "1"), outcome("B", said="Something went wrong, please try again."), following="c1"),
        creation(outcome("C", said="Codes must be unique within BulkDiscountCodeCreation"), outcome("D")),
    )
    assert bulk_result(CLIENT, "gid://shopify/DiscountRedeemCodeBulkCreation/7") is None
    assert bulk_result(CLIENT, "gid://shopify/DiscountRedeemCodeBulkCreation/7") == BulkResult(
        {"A": "1"}, {"B": "INTERNAL_ERROR", "C": "DUPLICATE", "D": "UNKNOWN"}
    )
    assert [sent(call)["after"] for call in range(3)] == [None, None, "c1"]


@responses.activate
def test_a_list_that_does_not_go_on_is_not_read_for_ever():
    answers(creation(outcome("A", "1"), following="c1"))
    with pytest.raises(Throttled, match="does not go on"):
        bulk_result(CLIENT, "gid://shopify/DiscountRedeemCodeBulkCreation/7")
    assert len(responses.calls) == 2


@responses.activate
def test_codes_are_deleted_by_a_job():
    answers({"discountCodeRedeemCodeBulkDelete": recorded("codes deleted")}, {"job": {"done": False}}, {"job": None})
    job = delete_codes(CLIENT, GID, ["gid://shopify/DiscountRedeemCode/22157230440754"])
    assert job == "gid://shopify/Job/d5339b47-ee7b-4ff3-8263-8030a7077f04"
    assert sent() == {"id": GID, "codes": ["gid://shopify/DiscountRedeemCode/22157230440754"]}
    assert job_done(CLIENT, job) is False
    with pytest.raises(Rejected) as refusal:
        job_done(CLIENT, job)
    assert refusal.value.code == "job_gone"


@responses.activate
def test_what_shopify_does_not_know():
    answers({"discountRedeemCodeBulkCreation": None})
    with pytest.raises(Rejected) as refusal:
        bulk_result(CLIENT, "gid://shopify/DiscountRedeemCodeBulkCreation/7")
    assert refusal.value.code == "bulk_gone"
    responses.reset()
    answers({"discountCodeRedeemCodeBulkDelete": recorded("codes deleted from no discount")})
    with pytest.raises(Rejected) as refusal:
        delete_codes(CLIENT, GID, ["gid://shopify/DiscountRedeemCode/1"])
    assert (refusal.value.code, refusal.value.field) == ("INVALID", "discountId")


@responses.activate
def test_the_orders_of_a_code():
    answers({"orders": {"nodes": [{"id": "gid://shopify/Order/11"}, {"id": "gid://shopify/Order/12"}]}})
    assert orders_with_code(CLIENT, 'K7"QX') == [11, 12]
    assert sent() == {"query": 'discount_code:"K7QX"'}

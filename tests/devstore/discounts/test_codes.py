"""One discount, many codes: added by the hundred a moment later, each with its own fate, paged, searched, deleted."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from app.devstore.settings import Subscription

from .conftest import CREATE, SHOP, Ask, fresh, terms

ADD = """mutation Add($id: ID!, $codes: [DiscountRedeemCodeInput!]!) {
  discountRedeemCodeBulkAdd(discountId: $id, codes: $codes) {
    bulkCreation { id done codesCount importedCount failedCount } userErrors { field message code } } }"""
CREATION = """query Look($id: ID!) { discountRedeemCodeBulkCreation(id: $id) { done codesCount importedCount failedCount
  codes(first: 250) { nodes { code discountRedeemCode { id } errors { field message code } } } } }"""
CODES = """query Codes($id: ID!, $first: Int, $after: String, $query: String, $reverse: Boolean) {
  codeDiscountNode(id: $id) { codeDiscount { ... on DiscountCodeBasic { asyncUsageCount codesCount { count precision }
    codes(first: $first, after: $after, query: $query, reverse: $reverse) { nodes { id code asyncUsageCount }
      pageInfo { hasNextPage endCursor } } } } } }"""
DELETE_CODES = """mutation Delete($id: ID!, $ids: [ID!], $search: String) {
  discountCodeRedeemCodeBulkDelete(discountId: $id, ids: $ids, search: $search) {
    job { id done } userErrors { field message code } } }"""


def settle(ask: Ask, creation: str, seconds: float = 5) -> dict[str, Any]:
    until = time.monotonic() + seconds
    while not (found := ask(CREATION, id=creation))["done"]:
        assert time.monotonic() < until, found
        time.sleep(0.02)
    return found


@pytest.fixture
def held(control):
    """Jobs wait until ``control.devstore.jobs.work_off()``."""
    control.post("jobs", hold=True)
    yield
    control.post("jobs", hold=False)


def add(ask: Ask, discount: str, *codes: str) -> str:
    answer = ask(ADD, id=discount, codes=[{"code": code} for code in codes])
    assert answer["userErrors"] == []
    return answer["bulkCreation"]["id"]


def test_codes_are_added_a_moment_later(control, ask, made, held):
    code = fresh()
    answer = ask(ADD, id=made, codes=[{"code": code}, {"code": fresh()}])["bulkCreation"]
    assert answer | {"id": 0} == {"id": 0, "done": False, "codesCount": 2, "importedCount": 0, "failedCount": 0}
    by_code = "query ($code: String!) { codeDiscountNodeByCode(code: $code) { id } }"
    assert ask(by_code, code=code) is None
    control.post("jobs", hold=False)
    found = settle(ask, answer["id"])
    assert (found["importedCount"], found["failedCount"]) == (2, 0)
    assert all(node["discountRedeemCode"]["id"] and not node["errors"] for node in found["codes"]["nodes"])
    assert ask(by_code, code=code.lower()) == {"id": made}


def test_each_code_fails_by_itself_in_the_words_recorded(ask, made):
    good, twice = fresh(), fresh()
    creation = add(ask, made, "", "A\nB", "A\rB", "X" * 256, twice, twice.lower(), "tenoff", good)
    found = settle(ask, creation)
    assert (found["codesCount"], found["importedCount"], found["failedCount"]) == (8, 2, 6)
    assert [[e["message"] for e in node["errors"]] for node in found["codes"]["nodes"]] == [
        ["is too short (minimum is 1 character)"],
        ["cannot contain newline characters."],
        ["cannot contain newline characters."],
        ["is too long (maximum is 255 characters)"],
        [],
        ["Codes must be unique within BulkDiscountCodeCreation"],
        ["must be unique. Please try a different code."],
        [],
    ]
    assert all(e["field"] == ["code"] and e["code"] is None for n in found["codes"]["nodes"] for e in n["errors"])


def test_what_cannot_be_added_at_all(control, ask, token, made):
    assert ask(ADD, id="gid://shopify/DiscountCodeNode/1", codes=[{"code": "A"}]) == {
        "bulkCreation": None,
        "userErrors": [{"field": ["discountId"], "message": "Code discount does not exist.", "code": "INVALID"}],
    }
    assert ask(ADD, id=made, codes=[])["userErrors"] == [
        {"field": ["codes"], "message": "Codes can't be blank", "code": "BLANK"}
    ]
    many = [{"code": f"M{n}"} for n in range(251)]
    answer = control.graphql(ADD, token=token, id=made, codes=many).json()
    assert answer["errors"][0]["message"] == "The input array size of 251 is greater than the maximum allowed of 250."


def test_250_at_once_and_every_page_sees_each_code_once(ask, made):
    sent = [fresh(f"P{n:03}") for n in range(250)]
    assert settle(ask, add(ask, made, *sent))["importedCount"] == 250
    for reverse in (False, True):
        seen, after = [], None
        while True:
            found = ask(CODES, id=made, first=100, after=after, reverse=reverse)["codeDiscount"]
            seen += [node["code"] for node in found["codes"]["nodes"]]
            after = found["codes"]["pageInfo"]["endCursor"]
            if not found["codes"]["pageInfo"]["hasNextPage"]:
                break
        assert (seen[::-1] if reverse else seen)[1:] == sent
    assert found["codesCount"] == {"count": 251, "precision": "EXACT"}
    one = ask(CODES, id=made, first=5, query=sent[7].lower())["codeDiscount"]["codes"]["nodes"]
    assert [node["code"] for node in one] == [sent[7]]
    assert ask(CODES, id=made, first=5, query="times_used:>0")["codeDiscount"]["codes"]["nodes"] == []


def test_one_code_is_deleted_at_once_and_many_by_a_job(control, ask, made, held):
    sent = [fresh() for _ in range(3)]
    creation = add(ask, made, *sent)
    control.devstore.jobs.work_off()
    ids = [node["discountRedeemCode"]["id"] for node in ask(CREATION, id=creation)["codes"]["nodes"]]
    answer = ask(DELETE_CODES, id=made, ids=ids[:1])
    assert (answer["job"]["done"], answer["userErrors"]) == (True, [])
    waiting = ask(DELETE_CODES, id=made, ids=ids[1:])["job"]
    assert waiting["done"] is False
    job = "query ($id: ID!) { job(id: $id) { id done } }"
    assert ask(job, id=waiting["id"]) == waiting
    assert ask(CODES, id=made, first=9)["codeDiscount"]["codesCount"]["count"] == 3
    control.devstore.jobs.work_off()
    assert ask(job, id=waiting["id"])["done"] is True
    assert ask(CODES, id=made, first=9)["codeDiscount"]["codesCount"]["count"] == 1
    assert ask(job, id="gid://shopify/Job/00000000-0000-0000-0000-000000000000") is None


def test_codes_of_another_discount_are_not_deleted(control, ask, made, shop):
    other = control.devstore.codes.find(shop, "TENOFF")
    answer = ask(DELETE_CODES, id=made, ids=[f"gid://shopify/DiscountRedeemCode/{other.id}"])
    assert answer["userErrors"] == []
    assert control.devstore.codes.find(shop, "TENOFF") == other


def test_codes_are_deleted_by_search(control, ask, made, shop):
    keep, go = fresh("KEEP"), fresh("GO")
    settle(ask, add(ask, made, keep, go))
    assert ask(DELETE_CODES, id=made, search=go)["userErrors"] == []
    control.devstore.jobs.work_off()
    assert control.devstore.codes.find(shop, go) is None
    assert control.devstore.codes.find(shop, keep)


@pytest.mark.parametrize(
    ("selection", "message", "code"),
    [
        ({}, "Missing expected argument key: 'ids', 'search' or 'saved_search_id'.", "MISSING_ARGUMENT"),
        (
            {"ids": ["gid://shopify/DiscountRedeemCode/1"], "search": "x"},
            "Only one of 'ids', 'search' or 'saved_search_id' is allowed.",
            "TOO_MANY_ARGUMENTS",
        ),
        ({"ids": []}, "Something went wrong, please try again.", None),
        ({"search": "  "}, "'Search' can't be blank.", "BLANK"),
        ({"search": "code:X"}, "Invalid search field(s): code. Check the query syntax.", "INVALID"),
    ],
)
def test_a_deletion_names_its_codes_one_way(ask, made, selection, message, code):
    answer = ask(DELETE_CODES, id=made, **selection)
    assert answer["job"] is None
    assert [(e["message"], e["code"]) for e in answer["userErrors"]] == [(message, code)]


def test_a_share_of_the_codes_fails_when_asked_to(control, ask, made):
    control.post("api/faults", by_operation={"Add": {"next": ["partial"]}}, share=30, seed=7)
    creation = add(ask, made, *(fresh() for _ in range(10)))
    control.post("api/faults")
    found = settle(ask, creation)
    assert (found["importedCount"], found["failedCount"]) == (7, 3)
    words = {e["message"] for node in found["codes"]["nodes"] for e in node["errors"]}
    assert words == {"Something went wrong, please try again."}


def test_a_creation_is_stuck_for_some_looks(control, ask, made):
    control.post("api/faults", by_operation={"Add": {"next": ["stuck"]}}, polls=4)
    creation = add(ask, made, fresh())
    control.post("api/faults")
    control.devstore.jobs.work_off()
    # The answer to the call itself was the first look.
    assert [ask(CREATION, id=creation)["done"] for _ in range(4)] == [False, False, False, True]


def test_a_merchant_takes_the_code_a_moment_earlier(control, ask, made, shop):
    control.post("api/faults", by_operation={"Make": {"next": ["taken"]}})
    code = fresh()
    answer = ask(CREATE, input=terms(code=code))
    assert [e["code"] for e in answer["userErrors"]] == ["TAKEN"]
    assert control.devstore.discount(shop, code).by_app is False
    control.post("api/faults", by_operation={"Add": {"next": ["taken"]}}, share=100)
    creation = add(ask, made, fresh())
    control.post("api/faults")
    assert settle(ask, creation)["failedCount"] == 1


def test_twenty_thousand_codes_are_no_burden(control, ask, made, shop):
    """Each look is timed by the work of the database, not by how many codes there are."""
    devstore = control.devstore
    discount = devstore.discount_by_id(shop, int(made.rpartition("/")[2]))
    start = 50_000_000_000_000
    with devstore.store.writing() as connection:
        connection.executemany(
            "INSERT INTO redeem_codes (shop_id, folded, id, discount_id, code, used, created_at) "
            "VALUES (?, ?, ?, ?, ?, 0, '')",
            [(shop.id, f"many{n:05}", start + n, discount.id, f"MANY{n:05}") for n in range(20_000)],
        )
    began = time.process_time()
    for n in range(0, 20_000, 400):
        assert devstore.codes.find(shop, f"Many{n:05}").id == start + n
        assert next(devstore.codes.page(shop, discount.id, after=start + n)).id == start + n + 1
    assert time.process_time() - began < 0.5
    last = ask(CODES, id=made, first=2, reverse=True)["codeDiscount"]
    assert [node["code"] for node in last["codes"]["nodes"]] == ["MANY19999", "MANY19998"]


def test_the_app_hears_of_codes_it_subscribed_to(control, fake_app, made, ask, shop):
    devstore, before = control.devstore, control.devstore.app
    topics = ("discounts/create", "discounts/redeemcode_added", "discounts/redeemcode_removed", "discounts/delete")
    hooks = tuple(Subscription(topic, f"{fake_app.url}/webhooks", None, (), False) for topic in topics)
    devstore.app = replace(before, subscriptions=(*before.subscriptions, *hooks))
    try:
        code = fresh()
        discount = devstore.create_discount(shop, title="Told", kind="percentage", percent="5", code=code)
        control.delete(f"shops/{SHOP}/codes/{code}")
        control.delete(f"shops/{SHOP}/discounts/{discount.id}")
        told: dict[str, Any] = {hook.topic: hook.json for hook in fake_app.wait(4, *topics)}
    finally:
        devstore.app = before
    assert told["discounts/create"]["title"] == "Told"
    assert told["discounts/redeemcode_added"]["redeem_code"]["code"] == code
    assert told["discounts/redeemcode_removed"]["redeem_code"]["code"] == code
    assert told["discounts/delete"]["admin_graphql_api_id"] == f"gid://shopify/DiscountCodeNode/{discount.id}"


def test_a_taken_code_leaves_no_discount_behind(control, ask):
    """The same call again, after an answer that was lost."""
    code = fresh()
    titles = ("Once", "Twice")
    made = [ask(CREATE, input=terms(code=code, title=title)) for title in titles]
    assert [[error["code"] for error in answer["userErrors"]] for answer in made] == [[], ["TAKEN"]]
    kept = [discount["title"] for discount in control.get(f"shops/{SHOP}/discounts")]
    assert [kept.count(title) for title in titles] == [1, 0]

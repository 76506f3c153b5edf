"""Gift cards by the Admin API, in the words recorded of the real one."""

from __future__ import annotations

import secrets

import pytest
import requests

from .conftest import SCOPES, gid

CREATE = """mutation IssueCard($input: GiftCardCreateInput!) { giftCardCreate(input: $input) {
  giftCard { id balance { amount currencyCode } initialValue { amount } lastCharacters maskedCode enabled note expiresOn
    customer { id } deactivatedAt order { id } recipientAttributes { message recipient { id } }
    transactions(first: 5) { nodes { amount { amount } } } }
  giftCardCode userErrors { field code message } } }"""
FIND = "query FindCards($query: String) { giftCards(first: 10, query: $query) { nodes { id } } }"
READ = """query ReadCard($id: ID!) { giftCard(id: $id) { id balance { amount } enabled deactivatedAt
  transactions(first: 5) { nodes { __typename id amount { amount } note } } } }"""


def code() -> str:
    return f"t{secrets.token_hex(6)}"


def euros(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currencyCode": currency}


def issue(data, **facts):
    made = data(CREATE, input={"initialAmount": euros("10.00"), **facts})
    assert made["userErrors"] == []
    return made


def errors(made):
    return [(error["field"], error["code"], error["message"]) for error in made["userErrors"]]


def test_a_card_is_issued_with_our_code_which_is_told_only_here(data, customer):
    ours = code()
    whose = gid("Customer", customer.id)
    made = issue(data, code=ours.upper(), customerId=whose, note="100 points", expiresOn="2099-01-31")
    card = made["giftCard"]
    assert made["giftCardCode"] == ours
    assert card["balance"] == {"amount": "10.0", "currencyCode": "EUR"}
    assert (card["lastCharacters"], card["maskedCode"]) == (ours[-4:], f"•••• •••• •••• {ours[-4:]}")
    assert (card["note"], card["expiresOn"], card["enabled"]) == ("100 points", "2099-01-31", True)
    assert card["customer"] == {"id": gid("Customer", customer.id)}
    assert card["transactions"]["nodes"] == []  # recorded: what it was issued with is no transaction
    assert ours not in str(data(READ, id=card["id"]))


def test_without_a_code_it_gets_one_of_sixteen(data):
    made = issue(data)
    assert len(made["giftCardCode"]) == 16
    assert made["giftCard"]["expiresOn"] is made["giftCard"]["customer"] is made["giftCard"]["note"] is None


def test_a_code_is_taken_in_any_case(data):
    ours = code()
    issue(data, code=ours)
    again = data(CREATE, input={"initialAmount": euros("10.00"), "code": ours.upper()})
    assert again["giftCard"] is again["giftCardCode"] is None
    assert errors(again) == [(["input", "code"], "TAKEN", "has already been taken")]
    assert len(data(FIND, query=ours)["nodes"]) == 1


@pytest.mark.parametrize(
    ("wrong", "field", "expected"),
    [
        ({"initialAmount": euros("0")}, "initialAmount", "GREATER_THAN"),
        ({"initialAmount": euros("-1")}, "initialAmount", "GREATER_THAN"),
        ({"initialAmount": euros("3000.01")}, "initialAmount", "GIFT_CARD_LIMIT_EXCEEDED"),
        ({"code": "seven77"}, "code", "TOO_SHORT"),
        ({"code": "a" * 21}, "code", "TOO_LONG"),
        ({"code": "with space"}, "code", "INVALID"),
        ({"code": "süß-süß-süß"}, "code", "INVALID"),
        ({"customerId": gid("Customer", 7)}, "customerId", "CUSTOMER_NOT_FOUND"),
        ({"expiresOn": "2020-01-01"}, "expiresOn", "INVALID"),
    ],
)
def test_what_cannot_be_is_refused(data, wrong, field, expected):
    made = data(CREATE, input={"initialAmount": euros("10.00"), **wrong})
    assert [(e[0], e[1]) for e in errors(made)] == [(["input", field], expected)]
    assert made["giftCard"] is None


def test_refusals_in_their_recorded_words(data):
    old = data(CREATE, input={"initialValue": "0"})
    assert errors(old) == [(["input", "initialValue"], "GREATER_THAN", "must be greater than 0")]
    nobody = data(CREATE, input={"initialAmount": euros("5"), "recipientAttributes": {"id": gid("Customer", 7)}})
    where = ["input", "recipientAttributes", "id"]
    assert errors(nobody) == [(where, "RECIPIENT_NOT_FOUND", "Recipient could not be found")]
    assert errors(data(CREATE, input={}))[0][1] == "MISSING_ARGUMENT"


def test_cards_are_found_by_what_the_real_search_offers(data, customer):
    ours = code()
    id = issue(data, code=ours, customerId=gid("Customer", customer.id))["giftCard"]["id"]
    number = id.rpartition("/")[2]
    for query in (ours, ours.upper(), f"id:{number}", f"customer_id:{customer.id}", f"{ours[-4:]} AND id:{number}",
                  f"id:{number} status:enabled balance_status:full source:api_client"):  # fmt: skip
        assert data(FIND, query=query)["nodes"] == [{"id": id}], query
    for query in (ours[:8], f"id:{number} status:disabled", f"id:{number} balance_status:empty"):
        assert data(FIND, query=query)["nodes"] == [], query


def test_a_search_the_real_one_does_not_offer_is_an_error(ask):
    answer = ask(FIND, query="last_characters:abcd")
    assert answer["errors"][0]["extensions"]["code"] == "NOT_IN_THE_DEV_STORE"


def test_credit_and_debit(data):
    id = issue(data)["giftCard"]["id"]
    credit = """mutation Top($id: ID!, $input: GiftCardCreditInput!) { giftCardCredit(id: $id, creditInput: $input) {
      giftCardCreditTransaction { id note amount { amount } giftCard { balance { amount } } }
      userErrors { field code message } } }"""
    debit = """mutation Take($id: ID!, $input: GiftCardDebitInput!) { giftCardDebit(id: $id, debitInput: $input) {
      giftCardDebitTransaction { id amount { amount } } userErrors { field code message } } }"""
    made = data(credit, id=id, input={"creditAmount": euros("2.00")})["giftCardCreditTransaction"]
    assert (made["amount"]["amount"], made["note"]) == ("2.0", None)
    taken = data(debit, id=id, input={"debitAmount": euros("1.00")})["giftCardDebitTransaction"]
    assert taken["amount"]["amount"] == "-1.0"
    card = data(READ, id=id)
    assert card["balance"]["amount"] == "11.0"
    assert [t["__typename"] for t in card["transactions"]["nodes"]] == [
        "GiftCardCreditTransaction",
        "GiftCardDebitTransaction",
    ]
    too_much = data(debit, id=id, input={"debitAmount": euros("9999")})
    message = "The gift card does not have sufficient funds to satisfy the request."
    assert errors(too_much) == [(["debitInput", "debitAmount", "amount"], "INSUFFICIENT_FUNDS", message)]
    negative = data(credit, id=id, input={"creditAmount": euros("-1")})
    where = ["creditInput", "creditAmount", "amount"]
    assert errors(negative) == [(where, "NEGATIVE_OR_ZERO_AMOUNT", "A positive amount must be used.")]
    foreign = data(credit, id=id, input={"creditAmount": euros("1", "USD")})
    assert errors(foreign)[0][1] == "MISMATCHING_CURRENCY"
    full = data(credit, id=id, input={"creditAmount": euros("2990")})
    assert errors(full) == [(where, "GIFT_CARD_LIMIT_EXCEEDED", "The gift card's value exceeds the allowed limits.")]


def test_deactivating_is_final_and_can_be_repeated(data):
    id = issue(data)["giftCard"]["id"]
    deactivate = """mutation End($id: ID!) { giftCardDeactivate(id: $id) { giftCard { enabled deactivatedAt }
      userErrors { code message } } }"""
    first = data(deactivate, id=id)["giftCard"]
    assert first["enabled"] is False
    assert data(deactivate, id=id)["giftCard"] == first
    gone = data(deactivate, id=gid("GiftCard", 7))
    assert gone["userErrors"] == [{"code": "GIFT_CARD_NOT_FOUND", "message": "The gift card could not be found."}]


@pytest.mark.parametrize(
    ("missing", "needed"), [("write_gift_cards", "write_gift_cards"), ("write_customers", "write_customers")]
)
def test_scopes(ask, grant, customer, missing, needed):
    grant(*(scope for scope in SCOPES if scope != missing))
    answer = ask(CREATE, input={"initialAmount": euros("10"), "customerId": gid("Customer", customer.id)})
    denied = answer["errors"][0]
    assert denied["extensions"]["code"] == "ACCESS_DENIED"
    assert denied["message"].startswith(f"Access denied for giftCardCreate field. Required access: `{needed}`")


def test_a_lost_answer_leaves_one_card_which_a_second_try_finds_taken(control, data):
    ours = code()
    control.post("api/faults", by_operation={"IssueCard": {"next": ["timeout_after"]}}, seconds=0.05)
    with pytest.raises(requests.RequestException):
        data(CREATE, input={"initialAmount": euros("10"), "code": ours, "note": "ours"})
    again = data(CREATE, input={"initialAmount": euros("10"), "code": ours, "note": "ours"})
    assert [e[1] for e in errors(again)] == ["TAKEN"]
    assert len(data(FIND, query=ours)["nodes"]) == 1


def test_a_merchant_may_have_been_a_moment_earlier(control, data):
    ours = code()
    control.post("api/faults", next=["taken"])
    made = data(CREATE, input={"initialAmount": euros("10"), "code": ours, "note": "ours"})
    assert [e[1] for e in errors(made)] == ["TAKEN"]
    (other,) = data(FIND, query=ours)["nodes"]
    note = "query Whose($id: ID!) { giftCard(id: $id) { note balance { amount } } }"
    assert data(note, id=other["id"]) == {"note": "By the merchant", "balance": {"amount": "25.0"}}
    assert control.get("api/faults")["kinds"] == {"taken": 1}

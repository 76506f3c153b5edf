"""Store credit by the Admin API, in the words recorded of the real one."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from app.devstore import clock

from .conftest import SCOPES, gid

CREDIT = """mutation GiveCredit($id: ID!, $input: StoreCreditAccountCreditInput!) {
  storeCreditAccountCredit(id: $id, creditInput: $input) {
    storeCreditAccountTransaction { id __typename amount { amount currencyCode } balanceAfterTransaction { amount }
      event origin { __typename } createdAt expiresAt remainingAmount { amount }
      account { id balance { amount } owner { ... on Customer { id } } } }
    userErrors { field message code } } }"""
DEBIT = """mutation TakeCredit($id: ID!, $input: StoreCreditAccountDebitInput!) {
  storeCreditAccountDebit(id: $id, debitInput: $input) {
    storeCreditAccountTransaction { id amount { amount } balanceAfterTransaction { amount } event }
    userErrors { field message code } } }"""
READ = """query ReadCredit($id: ID!) { customer(id: $id) { storeCreditAccounts(first: 5) { nodes { id
  balance { amount currencyCode } transactions(first: 20, reverse: true) { nodes { __typename amount { amount }
    balanceAfterTransaction { amount } event createdAt
    ... on StoreCreditAccountCreditTransaction { id expiresAt remainingAmount { amount } }
    ... on StoreCreditAccountExpirationTransaction { creditTransaction { id } } } } } } } }"""


def amount(value: str, currency: str = "EUR", **more: str) -> dict:
    return {"creditAmount": {"amount": value, "currencyCode": currency}, **more}


def debit(value: str, currency: str = "EUR") -> dict:
    return {"debitAmount": {"amount": value, "currencyCode": currency}}


def give(data, customer, value: str, **more: str):
    made = data(CREDIT, id=gid("Customer", customer.id), input=amount(value, **more))
    assert made["userErrors"] == []
    return made["storeCreditAccountTransaction"]


def accounts(data, customer):
    return data(READ, id=gid("Customer", customer.id))["storeCreditAccounts"]["nodes"]


def in_days(days: int) -> str:
    return (clock.now() + timedelta(days=days)).isoformat()


def test_crediting_a_customer_opens_an_account(data, customer):
    assert accounts(data, customer) == []
    made = give(data, customer, "7.23")
    assert (made["amount"], made["balanceAfterTransaction"]) == (
        {"amount": "7.23", "currencyCode": "EUR"},
        {"amount": "7.23"},
    )
    assert (made["event"], made["origin"]) == ("ADJUSTMENT", None)
    assert made["account"]["owner"] == {"id": gid("Customer", customer.id)}
    by_account = data(CREDIT, id=made["account"]["id"], input=amount("1.11", notify=True))
    assert by_account["storeCreditAccountTransaction"]["balanceAfterTransaction"]["amount"] == "8.34"
    taken = data(DEBIT, id=made["account"]["id"], input=debit("2.22"))["storeCreditAccountTransaction"]
    assert (taken["amount"]["amount"], taken["balanceAfterTransaction"]["amount"]) == ("-2.22", "6.12")
    (account,) = accounts(data, customer)
    assert account["balance"] == {"amount": "6.12", "currencyCode": "EUR"}
    assert [t["amount"]["amount"] for t in account["transactions"]["nodes"]] == ["-2.22", "1.11", "7.23"]


def test_every_call_credits(control, data, customer):
    """There is no key to know a repeated call by: a lost answer tried again is paid twice."""
    give(data, customer, "5.00")
    control.post("api/faults", by_operation={"GiveCredit": {"next": ["lost"]}})
    with pytest.raises(requests.RequestException):
        give(data, customer, "5.00")
    give(data, customer, "5.00")
    (account,) = accounts(data, customer)
    assert account["balance"]["amount"] == "15.0"
    # What a careful app does before it tries again: the newest transactions name amount, event and time.
    newest = account["transactions"]["nodes"][0]
    assert (newest["amount"]["amount"], newest["event"]) == ("5.0", "ADJUSTMENT")


def test_an_account_for_each_currency(data, customer):
    give(data, customer, "5.00")
    other = data(CREDIT, id=gid("Customer", customer.id), input=amount("2.00", "CHF"))
    assert other["storeCreditAccountTransaction"]["balanceAfterTransaction"]["amount"] == "2.0"
    assert [a["balance"]["currencyCode"] for a in accounts(data, customer)] == ["EUR", "CHF"]
    only = """query In($id: ID!) { customer(id: $id) {
      storeCreditAccounts(first: 5, query: "currency_code:CHF") { nodes { id } } } }"""
    assert len(data(only, id=gid("Customer", customer.id))["storeCreditAccounts"]["nodes"]) == 1


NOBODY, NO_ACCOUNT = gid("Customer", 999999999999999), gid("StoreCreditAccount", 999999999999999)
CREDIT_WORDS = [
    (NOBODY, amount("1"), ["id"], "OWNER_NOT_FOUND", "Owner does not exist"),
    (NO_ACCOUNT, amount("0"), ["id"], "ACCOUNT_NOT_FOUND", "Store credit account does not exist"),
    (gid("CompanyLocation", 9), amount("1"), ["id"], "OWNER_NOT_FOUND", "Owner does not exist"),
    (None, amount("-5", expiresAt="2000-01-01T00:00:00Z"), ["creditInput", "expiresAt"], "EXPIRES_AT_IN_PAST",
     "The expiry date must be in the future"),
    (None, amount("0"), ["creditInput", "creditAmount", "amount"], "NEGATIVE_OR_ZERO_AMOUNT",
     "A positive amount must be used to credit a store credit account"),
    ("account", amount("2", "CAD"), ["creditInput", "creditAmount", "currencyCode"], "MISMATCHING_CURRENCY",
     "The currency provided does not match the currency of the store credit account"),
    (None, amount("100000"), ["creditInput", "creditAmount", "amount"], "CREDIT_LIMIT_EXCEEDED",
     "The operation would cause the account's credit limit to be exceeded"),
]  # fmt: skip
DEBIT_WORDS = [
    (NOBODY, debit("1"), ["id"], "ACCOUNT_NOT_FOUND", "Store credit account does not exist"),
    (NO_ACCOUNT, debit("0"), ["id"], "ACCOUNT_NOT_FOUND", "Store credit account does not exist"),
    (None, debit("-1"), ["debitInput", "debitAmount", "amount"], "NEGATIVE_OR_ZERO_AMOUNT",
     "A positive amount must be used to debit a store credit account"),
    ("account", debit("1", "CHF"), ["debitInput", "debitAmount", "currencyCode"], "MISMATCHING_CURRENCY",
     "The currency provided does not match the currency of the store credit account"),
    (None, debit("9999"), ["debitInput", "debitAmount", "amount"], "INSUFFICIENT_FUNDS",
     "The store credit account does not have sufficient funds to satisfy the request"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "whose", "given", "field", "code", "message"),
    [(CREDIT, *row) for row in CREDIT_WORDS] + [(DEBIT, *row) for row in DEBIT_WORDS],
)
def test_refusals_in_their_recorded_words(data, customer, document, whose, given, field, code, message):
    account = give(data, customer, "5.00")["account"]["id"]
    id = account if whose == "account" else whose or gid("Customer", customer.id)
    refused = data(document, id=id, input=given)
    assert refused["storeCreditAccountTransaction"] is None
    assert refused["userErrors"] == [{"field": field, "message": message, "code": code}]
    assert accounts(data, customer)[0]["balance"]["amount"] == "5.0"


def test_a_currency_that_is_only_ever_answered(ask, customer):
    answer = ask(CREDIT, id=gid("Customer", customer.id), input=amount("1", "USDC"))
    assert answer["errors"][0]["extensions"]["code"] == "CURRENCY_CODE_INVALID"


def test_what_ends_soonest_is_spent_first_and_what_has_ended_is_gone(control, data, customer):
    late = give(data, customer, "4.00", expiresAt=in_days(60))
    soon = give(data, customer, "3.00", expiresAt=in_days(30))
    never = give(data, customer, "2.00")
    data(DEBIT, id=late["account"]["id"], input=debit("1.00"))
    control.post("clock", days=31)
    (account,) = accounts(data, customer)
    assert account["balance"]["amount"] == "6.0"
    newest = account["transactions"]["nodes"][0]
    assert newest["__typename"] == "StoreCreditAccountExpirationTransaction"
    assert (newest["amount"]["amount"], newest["creditTransaction"]["id"]) == ("-2.0", soon["id"])
    assert newest["createdAt"] == soon["expiresAt"]
    data(DEBIT, id=late["account"]["id"], input=debit("5.00"))
    transactions = accounts(data, customer)[0]["transactions"]["nodes"]
    left = {t["id"]: t["remainingAmount"]["amount"] for t in transactions if "id" in t}
    assert (left[late["id"]], left[soon["id"]], left[never["id"]]) == ("0.0", "2.0", "1.0")


@pytest.mark.parametrize("missing", ["write_store_credit_account_transactions", "read_store_credit_accounts"])
def test_scopes(ask, grant, customer, missing):
    grant(*(scope for scope in SCOPES if scope != missing))
    document = CREDIT if missing.startswith("write") else READ
    variables = {"input": amount("1")} if document is CREDIT else {}
    denied = ask(document, id=gid("Customer", customer.id), **variables)["errors"][0]
    assert denied["extensions"]["code"] == "ACCESS_DENIED"
    assert f"`{missing}` access scope" in denied["message"]

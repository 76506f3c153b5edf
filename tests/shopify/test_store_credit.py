"""Store credit: given once a call, and read back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses

from app.errors import Rejected, Throttled
from app.shopify.store_credit import Credit, credit, credits_since
from tests.shopify.answering import CLIENT, answers, executed, page, recorded, sent

NOW = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)
EUROS, FRANCS = "gid://shopify/StoreCreditAccount/1", "gid://shopify/StoreCreditAccount/2"


def given(number: int, minutes: int, amount: str = "5.0", event: str = "ADJUSTMENT", kind: str = "Credit") -> dict:
    return {
        "__typename": f"StoreCreditAccount{kind}Transaction", "id": f"gid {number}", "event": event,
        "createdAt": (NOW - timedelta(minutes=minutes)).isoformat(),
        "amount": {"amount": amount, "currencyCode": "EUR"},
    }  # fmt: skip


def serve(transactions: list[dict[str, Any]]) -> list[str]:
    """A customer with an account in euros and one in francs; the second must not be looked into."""

    def resolve(source: Any, info: Any, arguments: dict[str, Any]) -> Any:
        match info.field_name:
            case "customer":
                return {}
            case "storeCreditAccounts":
                return {"nodes": [{"id": EUROS, "balance": {"currencyCode": "EUR"}},
                                  {"id": FRANCS, "balance": {"currencyCode": "CHF"}}]}  # fmt: skip
            case "storeCreditAccount":
                assert arguments["id"] == EUROS
                return {}
            case "transactions":
                assert arguments["reverse"] and arguments["sortKey"] == "CREATED_AT"
                return page(transactions, arguments)
        return source[info.field_name]

    return executed(resolve)


def read(minutes: int = 60) -> list[Credit]:
    return credits_since(CLIENT, customer_id=77, since=NOW - timedelta(minutes=minutes), currency="EUR")


@responses.activate
def test_credits_a_customer():
    answer = recorded("credit")
    answer["storeCreditAccountCredit"]["storeCreditAccountTransaction"]["id"] = "gid 1"  # its query did not ask
    answers(answer)
    assert credit(CLIENT, customer_id=77, amount_minor=111, currency="USD") == "gid 1"
    amount = {"amount": "1.11", "currencyCode": "USD"}
    assert sent() == {"id": "gid://shopify/Customer/77", "credit": {"creditAmount": amount}}


@pytest.mark.parametrize(
    ("name", "code"),
    [("credit for nobody", "OWNER_NOT_FOUND"), ("credit over the limit", "CREDIT_LIMIT_EXCEEDED")],
)
@responses.activate
def test_a_refusal_is_named(name, code):
    answers(recorded(name))
    with pytest.raises(Rejected) as refusal:
        credit(CLIENT, customer_id=77, amount_minor=111, currency="USD")
    assert refusal.value.code == code


@pytest.mark.parametrize("payload", [None, {}, {"storeCreditAccountTransaction": None, "userErrors": []}])
@responses.activate
def test_an_answer_that_does_not_tell_is_no_refusal(payload):
    answers({"storeCreditAccountCredit": payload})
    with pytest.raises(Throttled):
        credit(CLIENT, customer_id=77, amount_minor=111, currency="USD")


@responses.activate
def test_recorded_accounts_are_told_apart_by_currency():
    transactions = {"nodes": [], "pageInfo": {"hasNextPage": False}}
    answers(recorded("accounts"), {"storeCreditAccount": {"transactions": transactions}})
    assert credits_since(CLIENT, customer_id=77, since=NOW, currency="CHF") == []
    assert sent()["id"] == "gid://shopify/StoreCreditAccount/1217724722" and len(responses.calls) == 2


@responses.activate
def test_reads_back_what_was_given_by_hand_or_app_newest_first():
    serve([
        given(1, 1), given(2, 2, "-5.0", kind="Debit"), given(3, 3, event="ORDER_REFUND"), given(4, 4, "12.34"),
        given(5, 5, "2.0", kind="Expiration"), given(6, 61),
    ])  # fmt: skip
    assert read() == [
        Credit("gid 1", 500, NOW - timedelta(minutes=1)),
        Credit("gid 4", 1234, NOW - timedelta(minutes=4)),
    ]


@responses.activate
def test_reads_on_until_the_moment_asked_for():
    asked = serve([given(number, number) for number in range(1, 200)])
    assert [found.gid for found in read(120)] == [f"gid {number}" for number in range(1, 121)]
    assert asked == ["StoreCreditAccounts", *["StoreCreditTransactions"] * 3]


@responses.activate
def test_a_credit_of_the_same_second_is_not_overlooked():
    serve([given(1, 60)])
    since = NOW - timedelta(minutes=60) + timedelta(microseconds=400)
    assert [found.gid for found in credits_since(CLIENT, customer_id=77, since=since, currency="EUR")] == ["gid 1"]


@responses.activate
def test_a_customer_that_is_gone():
    answers({"customer": None})
    with pytest.raises(Rejected) as refusal:
        read()
    assert refusal.value.code == "OWNER_NOT_FOUND"

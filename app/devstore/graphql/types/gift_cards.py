"""Gift cards: issued, found, topped up, charged and deactivated; words and codes of refusals as recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from ... import clock
from ...errors import Refusal
from ...faults import struck
from ...gift_cards import CODE, LIMIT_UNITS, CodeTaken, GiftCard, GiftCardTransaction, plain_code, today
from ...money import to_minor
from ..access import denied, has
from ..gids import gid, number
from ..paging import Page, mapped, pages, stored_page
from ..resolving import Asked, register, unknown
from ..searching import Search
from ..views import CustomerView
from . import customers
from .amounts import minor_of, money

_SORTS = {"ID": "id", "CREATED_AT": "created_at", "UPDATED_AT": "updated_at"}
_MERCHANTS = 2500  # minor units on the card of a merchant who was a moment earlier


@dataclass(frozen=True)
class GiftCardView:
    record: GiftCard
    typename: ClassVar[str] = "GiftCard"


@dataclass(frozen=True)
class TransactionView:
    card: GiftCard
    record: GiftCardTransaction

    @property
    def typename(self) -> str:
        return "GiftCardCreditTransaction" if self.record.amount_minor >= 0 else "GiftCardDebitTransaction"


def find(asked: Asked, id: int) -> GiftCardView | None:
    record = asked.devstore.gift_cards.get(asked.shop, id)
    return GiftCardView(record) if record else None


def connection(_: Any, asked: Asked, page: Page, query: str | None = None, sortKey: str = "ID") -> dict[str, Any]:
    if sortKey not in _SORTS:
        raise unknown(f"giftCards(sortKey: {sortKey})")
    wanted = _search(asked, query)
    found = stored_page(asked.devstore.store, GiftCard, asked.shop.id, page, order=_SORTS[sortKey], keep=wanted)
    return mapped(found, GiftCardView)


def count(_: Any, asked: Asked, query: str | None = None, limit: int | None = None) -> dict[str, Any]:
    wanted = _search(asked, query)
    found = sum(wanted(card) for card in asked.devstore.gift_cards.all(asked.shop))
    return {"count": min(found, limit or found), "precision": "AT_LEAST" if limit and found > limit else "EXACT"}


def _search(asked: Asked, query: str | None) -> Any:
    """A whole code finds its card; other words are looked for in last characters and the customer's name."""
    text = (query or "").strip()
    if ":" not in text and CODE.fullmatch(plain_code(text)):
        wanted = asked.devstore.gift_cards.by_code(asked.shop, text)
        if wanted:
            return lambda card: card.id == wanted.id

    def words(card: GiftCard) -> str:
        customer = asked.devstore.customer(asked.shop, card.customer_id) if card.customer_id else None
        return f"{card.last_characters} {customer.name if customer else ''} {customer.email if customer else ''}"

    fields = {
        "id": lambda card: card.id,
        "customer_id": lambda card: card.customer_id,
        "recipient_id": lambda card: card.recipient["id"] if card.recipient else None,
        "created_at": lambda card: card.created_at,
        "expires_on": lambda card: card.expires_on,
        "source": lambda card: card.source,
        "balance_status": _balance_status,
        "status": lambda card: _status(asked, card),
    }
    return Search(text, fields, words).matches


def _balance_status(card: GiftCard) -> list[str]:
    if not card.balance_minor:
        return ["empty"]
    return ["full_or_partial", "full" if card.balance_minor >= card.initial_minor else "partial"]


def _status(asked: Asked, card: GiftCard) -> list[str]:
    if card.deactivated_at:
        return ["disabled"]
    if card.expired(today(asked.shop)):
        return ["enabled", "expired"]
    return ["enabled", "expiring"] if card.expires_on else ["enabled"]


def create(_: Any, asked: Asked, input: dict[str, Any]) -> dict[str, Any]:
    """The code is told here and nowhere else."""
    if input.get("customerId") and not has(asked.scopes, "write_customers"):
        raise denied("giftCardCreate", "`write_customers` access scope.")
    with asked.devstore.store.writing():
        if struck(asked.fault, "taken") and input.get("code"):
            _merchant_was_earlier(asked, input["code"])
        amount, currency, problems = _amount(asked, input)
        problems += _code_problems(input.get("code")) + _people_problems(asked, input) + _date_problems(asked, input)
        if problems:
            return _refused(problems)
        try:
            card = asked.devstore.gift_cards.issue(
                asked.shop,
                amount,
                code=input.get("code"),
                currency=currency,
                customer_id=number(input["customerId"], "Customer") if input.get("customerId") else None,
                expires_on=_iso(input.get("expiresOn")),
                note=input.get("note"),
                template_suffix=input.get("templateSuffix"),
                redemption=input.get("crossCurrencyRedemptionStrategy") or "MARKET_FX",
                recipient=_recipient(input.get("recipientAttributes")),
            )
        except CodeTaken:
            return _refused([_problem(["input", "code"], "TAKEN", "has already been taken")])
    return {"giftCard": GiftCardView(card), "giftCardCode": card.code, "userErrors": []}


def _merchant_was_earlier(asked: Asked, code: str) -> None:
    if CODE.fullmatch(plain_code(code)) and not asked.devstore.gift_cards.by_code(asked.shop, code):
        asked.devstore.gift_cards.issue(asked.shop, _MERCHANTS, code=code, source="manual", note="By the merchant")


def _amount(asked: Asked, input: dict[str, Any]) -> tuple[int, str, list[dict[str, Any]]]:
    if money_input := input.get("initialAmount"):
        name, currency, minor = "initialAmount", money_input["currencyCode"], minor_of(money_input)
    elif input.get("initialValue") is not None:
        name, currency = "initialValue", asked.shop.currency
        minor = minor_of({"amount": input["initialValue"], "currencyCode": currency})
    else:
        missing = "Either initialAmount or initialValue must be provided."
        return 0, "", [_problem(["input"], "MISSING_ARGUMENT", missing)]
    if minor <= 0:
        return 0, "", [_problem(["input", name], "GREATER_THAN", "must be greater than 0")]
    if minor > to_minor(LIMIT_UNITS, currency):
        return 0, "", [_problem(["input", name], *_TOO_MUCH)]
    return minor, currency, []


def _code_problems(code: str | None) -> list[dict[str, Any]]:
    if code is None:
        return []
    if len(code) < 8:
        return [_problem(["input", "code"], "TOO_SHORT", "is too short (minimum is 8 characters)")]
    if len(code) > 20:
        return [_problem(["input", "code"], "TOO_LONG", "is too long (maximum is 20 characters)")]
    if not CODE.fullmatch(code.lower()):
        return [_problem(["input", "code"], "INVALID", "can only contain letters(a-z) and numbers(0-9)")]
    return []


def _people_problems(asked: Asked, input: dict[str, Any]) -> list[dict[str, Any]]:
    problems = []
    if (id := input.get("customerId")) and customers.find(asked, number(id, "Customer") or 0) is None:
        problems.append(_problem(["input", "customerId"], "CUSTOMER_NOT_FOUND", "The customer could not be found."))
    if wanted := input.get("recipientAttributes"):
        if wanted.get("sendNotificationAt"):
            raise unknown("giftCardCreate(recipientAttributes.sendNotificationAt)")
        if customers.find(asked, number(wanted["id"], "Customer") or 0) is None:
            where = ["input", "recipientAttributes", "id"]
            problems.append(_problem(where, "RECIPIENT_NOT_FOUND", "Recipient could not be found"))
    return problems


def _date_problems(asked: Asked, input: dict[str, Any]) -> list[dict[str, Any]]:
    """A card that ends before it begins is refused."""
    ends = _iso(input.get("expiresOn"))
    if ends is None or date.fromisoformat(ends) > today(asked.shop):
        return []
    return [_problem(["input", "expiresOn"], "INVALID", "must be in the future")]


def _iso(value: Any) -> str | None:
    return date.fromisoformat(str(value)).isoformat() if value else None


def _recipient(wanted: dict[str, Any] | None) -> dict[str, Any] | None:
    if not wanted:
        return None
    return {
        "id": number(wanted["id"], "Customer"),
        "preferredName": wanted.get("preferredName"),
        "message": wanted.get("message"),
    }


def deactivate(_: Any, asked: Asked, id: str) -> dict[str, Any]:
    card = asked.devstore.gift_cards.deactivate(asked.shop, number(id, "GiftCard") or 0)
    if card is None:
        return {"giftCard": None, "userErrors": [_problem(["id"], *_NOT_FOUND)]}
    return {"giftCard": GiftCardView(card), "userErrors": []}


def credit(_: Any, asked: Asked, id: str, creditInput: dict[str, Any]) -> dict[str, Any]:
    return _change(asked, "giftCardCreditTransaction", id, creditInput, "creditInput", "creditAmount", sign=1)


def debit(_: Any, asked: Asked, id: str, debitInput: dict[str, Any]) -> dict[str, Any]:
    return _change(asked, "giftCardDebitTransaction", id, debitInput, "debitInput", "debitAmount", sign=-1)


def _change(
    asked: Asked, answer: str, id: str, input: dict[str, Any], argument: str, name: str, *, sign: int
) -> dict[str, Any]:
    with asked.devstore.store.writing():
        card = asked.devstore.gift_cards.get(asked.shop, number(id, "GiftCard") or 0)
        wrong = _wrong_with(card, input[name], argument, name, sign)
        if wrong or card is None:
            return {answer: None, "userErrors": [wrong]}
        try:
            made = asked.devstore.gift_cards.change(
                asked.shop, card.id, sign * minor_of(input[name]), note=input.get("note"), at=input.get("processedAt")
            )
        except Refusal:
            message = "The gift card does not have sufficient funds to satisfy the request."
            where = [argument, name, "amount"]
            return {answer: None, "userErrors": [_problem(where, "INSUFFICIENT_FUNDS", message)]}
        return {answer: TransactionView(card, made), "userErrors": []}


def _wrong_with(
    card: GiftCard | None, wanted: dict[str, Any], argument: str, name: str, sign: int
) -> dict[str, Any] | None:
    if card is None:
        return _problem(["id"], *_NOT_FOUND)
    minor = minor_of(wanted)
    if minor <= 0:
        where = [argument, name, "amount"]
        return _problem(where, "NEGATIVE_OR_ZERO_AMOUNT", "A positive amount must be used.")
    if wanted["currencyCode"] != card.currency:
        message = "The currency provided does not match the currency of the gift card."
        return _problem([argument, name, "currencyCode"], "MISMATCHING_CURRENCY", message)
    if card.deactivated_at:
        return _problem(["id"], "INVALID", "The gift card is deactivated.")
    if sign > 0 and card.balance_minor + minor > to_minor(LIMIT_UNITS, card.currency):
        return _problem([argument, name, "amount"], *_TOO_MUCH)
    return None


_NOT_FOUND = ("GIFT_CARD_NOT_FOUND", "The gift card could not be found.")
_TOO_MUCH = ("GIFT_CARD_LIMIT_EXCEEDED", "The gift card's value exceeds the allowed limits.")


def _problem(field: list[str], code: str, message: str) -> dict[str, Any]:
    return {"field": field, "code": code, "message": message}


def _refused(problems: list[dict[str, Any]]) -> dict[str, Any]:
    return {"giftCard": None, "giftCardCode": None, "userErrors": problems}


def _customer(v: GiftCardView, asked: Asked) -> CustomerView | None:
    return customers.find(asked, v.record.customer_id) if v.record.customer_id else None


def _recipient_shown(v: GiftCardView, asked: Asked) -> dict[str, Any] | None:
    kept = v.record.recipient
    if kept is None:
        return None
    return {**kept, "recipient": customers.find(asked, int(kept["id"] or 0)), "sendNotificationAt": None}


register(
    "GiftCard",
    {
        "id": lambda v, _: gid("GiftCard", v.record.id),
        "balance": lambda v, _: money(v.record.balance_minor, v.record.currency),
        "initialValue": lambda v, _: money(v.record.initial_minor, v.record.currency),
        "createdAt": lambda v, _: clock.graphql(v.record.created_at),
        "updatedAt": lambda v, _: clock.graphql(v.record.updated_at),
        "deactivatedAt": lambda v, _: clock.graphql(v.record.deactivated_at),
        "enabled": lambda v, _: v.record.deactivated_at is None,
        "isRedeemable": lambda v, asked: v.record.currency == asked.shop.currency,
        "crossCurrencyRedemptionStrategy": lambda v, _: v.record.redemption,
        "customer": _customer,
        "expiresOn": lambda v, _: v.record.expires_on,
        "lastCharacters": lambda v, _: v.record.last_characters,
        "maskedCode": lambda v, _: f"•••• •••• •••• {v.record.last_characters}",
        "note": lambda v, _: v.record.note,
        "templateSuffix": lambda v, _: v.record.template_suffix,
        "recipientAttributes": _recipient_shown,
        "order": lambda v, _: None,  # what a checkout sells is not issued as a card here
        "lineItem": lambda v, _: None,
        "transactions": lambda v, _, page: mapped(
            pages(v.record.transactions, lambda t: t.id, page), lambda t: TransactionView(v.record, t)
        ),
    },
)
for name in ("GiftCardCreditTransaction", "GiftCardDebitTransaction"):
    register(
        name,
        {
            "id": lambda v, _: gid(v.typename, v.record.id),
            "amount": lambda v, _: money(v.record.amount_minor, v.card.currency),
            "giftCard": lambda v, _: GiftCardView(v.card),
            "note": lambda v, _: v.record.note,
            "processedAt": lambda v, _: clock.graphql(v.record.processed_at),
        },
    )
register(
    "QueryRoot",
    {
        "giftCard": lambda _, asked, id: find(asked, number(id, "GiftCard") or 0),
        "giftCards": connection,
        "giftCardsCount": count,
        "giftCardConfiguration": lambda _, asked: {
            "issueLimit": money(to_minor(LIMIT_UNITS, asked.shop.currency), asked.shop.currency),
            "purchaseLimit": money(to_minor(LIMIT_UNITS, asked.shop.currency), asked.shop.currency),
            "expirationConfiguration": None,
        },
    },
)
register(
    "Mutation",
    {"giftCardCreate": create, "giftCardDeactivate": deactivate, "giftCardCredit": credit, "giftCardDebit": debit},
)

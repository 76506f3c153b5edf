"""Store credit: given, and read back.

Giving it has no natural key; each call credits again. So a call whose answer was lost is followed by reading what the
account shows, never by the same call.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import Rejected
from app.shopify.asking import ask
from app.shopify.client import AdminClient
from app.shopify.discount_terms import money_text
from app.shopify.reading import each, following_page, minor_amount, moment, optional_text, part, required_part, text


@dataclass(frozen=True, slots=True)
class Credit:
    """Credit somebody gave: ours, another app's or the merchant's own, which nothing tells apart."""

    gid: str
    amount_minor: int
    at: datetime


def credit(client: AdminClient, *, customer_id: int, amount_minor: int, currency: str) -> str:
    """Credit a customer's account of this currency, opening it if need be, and return the transaction's gid.

    Raises Rejected: ``OWNER_NOT_FOUND``, ``CREDIT_LIMIT_EXCEEDED``, ``UNSUPPORTED_CURRENCY``, ``MISMATCHING_CURRENCY``.
    """
    amount = {"amount": money_text(amount_minor, currency), "currencyCode": currency}
    return ask(
        client,
        "store_credit",
        {"id": f"gid://shopify/Customer/{customer_id}", "credit": {"creditAmount": amount}},
        lambda data: text(
            required_part(required_part(data, "storeCreditAccountCredit"), "storeCreditAccountTransaction"), "id"
        ),
    )


def credits_since(client: AdminClient, *, customer_id: int, since: datetime, currency: str) -> list[Credit]:
    """Every credit given to a customer by hand or by an app since then, newest first; credit from orders is left out.

    Raises Rejected ``OWNER_NOT_FOUND`` when there is no such customer any more.
    """
    gid = f"gid://shopify/Customer/{customer_id}"
    found: list[Credit] = []
    for account in ask(client, "store_credit_accounts", {"id": gid}, lambda data: _accounts(data, currency)):
        found += _credits(client, account, since)
    return sorted(found, key=lambda given: given.at, reverse=True)


def _accounts(data: dict[str, Any], currency: str) -> list[str]:
    customer = part(data, "customer")
    if customer is None:
        raise Rejected("Shopify has no such customer.", code="OWNER_NOT_FOUND")
    accounts = each(
        required_part(customer, "storeCreditAccounts"),
        "nodes",
        lambda node: (text(node, "id"), text(required_part(node, "balance"), "currencyCode")),
    )
    return [gid for gid, of in accounts if of == currency]


def _credits(client: AdminClient, account: str, since: datetime) -> list[Credit]:
    since = since.replace(microsecond=0)  # Shopify's moments have whole seconds
    found: list[Credit] = []
    cursor: str | None = None

    def read(data: dict[str, Any]) -> bool:
        """Whether the page goes back further than asked; its credits are noted."""
        nonlocal cursor
        connection = required_part(required_part(data, "storeCreditAccount"), "transactions")
        page = each(connection, "nodes", _transaction)
        found.extend(given for at, given in page if given is not None and at >= since)
        cursor = following_page(connection, cursor)
        return any(at < since for at, _ in page)

    while not ask(client, "store_credit_transactions", {"id": account, "after": cursor}, read) and cursor is not None:
        pass
    return found


def _transaction(node: dict[str, Any]) -> tuple[datetime, Credit | None]:
    """(when, the credit it was). Only credit transactions have an id here."""
    at, gid = moment(node, "createdAt"), optional_text(node, "id")
    if gid is None or text(node, "event") != "ADJUSTMENT":
        return at, None
    return at, Credit(gid, minor_amount(node, "amount")[0], at)

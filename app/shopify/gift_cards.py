"""Gift cards with codes of our own: made, found again, and taken back.

The code is chosen before the call, so a card whose making was not answered is not made twice: Shopify says TAKEN.
Nobody can ask for a card by its code, though, or read a code back; a card is known again by its code's last four
characters and by its note, which says whose it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.shopify.asking import ask
from app.shopify.client import AdminClient
from app.shopify.discount_terms import money_text
from app.shopify.reading import (
    each,
    flag,
    following_page,
    minor_amount,
    moment,
    optional_text,
    required_part,
    text,
)

SEARCHABLE_AFTER = timedelta(hours=1)  # younger cards may be missing from a search yet


@dataclass(frozen=True, slots=True)
class GiftCard:
    gid: str
    last_characters: str
    amount_minor: int  # as it was made
    currency: str
    note: str
    created_at: datetime
    enabled: bool


def create_gift_card(
    client: AdminClient,
    *,
    code: str,
    amount_minor: int,
    currency: str,
    customer_id: int,
    note: str,
    expires_on: date | None = None,
) -> GiftCard:
    """Make a card with this code: 8 to 20 of [a-z0-9]. The code is known to Shopify alone from then on.

    Raises Rejected: ``TAKEN`` when a card has the code already, ours from a lost call included; ``CUSTOMER_NOT_FOUND``;
    ``GIFT_CARD_LIMIT_EXCEEDED``; whatever Shopify calls a shop that has no gift cards.
    """
    card = {
        "code": code,
        "initialAmount": {"amount": money_text(amount_minor, currency), "currencyCode": currency},
        "customerId": f"gid://shopify/Customer/{customer_id}",
        "note": note,
        "expiresOn": expires_on.isoformat() if expires_on else None,
    }
    return ask(
        client,
        "gift_card_create",
        {"card": card},
        lambda data: _card(required_part(required_part(data, "giftCardCreate"), "giftCard")),
    )


def cards_like(client: AdminClient, code: str) -> list[GiftCard]:
    """Every card that may have this code, as far as can be seen: those that end like it, each once.

    Older cards are searched for; those of the last hour are looked through one by one as well, since a search may not
    know them yet.
    """
    ending = code[-4:].lower()
    alike = [*_page(client, ending, query=code).alike, *_newest(client, ending)]
    return list({card.gid: card for card in alike}.values())


def deactivate_gift_card(client: AdminClient, gid: str) -> None:
    """Take a card back, whatever is left on it. It cannot be undone."""
    ask(client, "gift_card_deactivate", {"id": gid}, lambda data: required_part(data, "giftCardDeactivate"))


@dataclass(frozen=True, slots=True)
class _Page:
    alike: list[GiftCard]  # whose codes end as asked
    moments: list[datetime]  # when each card of the page was made
    cursor: str | None


def _newest(client: AdminClient, ending: str) -> list[GiftCard]:
    page = _page(client, ending)
    found, moments = page.alike, page.moments
    while page.cursor is not None and moments and moments[-1] > moments[0] - SEARCHABLE_AFTER:
        page = _page(client, ending, after=page.cursor)
        found, moments = [*found, *page.alike], [*moments, *page.moments]
    return found


def _page(client: AdminClient, ending: str, *, query: str | None = None, after: str | None = None) -> _Page:
    def read(data: dict[str, Any]) -> _Page:
        connection = required_part(data, "giftCards")
        moments = each(connection, "nodes", lambda node: moment(node, "createdAt"))
        alike = [node for node in connection["nodes"] if text(node, "lastCharacters").lower() == ending]
        return _Page([_card(node) for node in alike], moments, following_page(connection, after))

    return ask(client, "gift_cards", {"query": query, "after": after}, read)


def _card(node: dict[str, Any]) -> GiftCard:
    amount_minor, currency = minor_amount(node, "initialValue")
    return GiftCard(
        gid=text(node, "id"),
        last_characters=text(node, "lastCharacters"),
        amount_minor=amount_minor,
        currency=currency,
        note=optional_text(node, "note") or "",
        created_at=moment(node, "createdAt"),
        enabled=flag(node, "enabled"),
    )

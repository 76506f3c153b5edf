"""Gift cards: issued by the app or the merchant, spent at checkout, credited again by refunds; ``devstore.gift_cards``.

    issue(shop, amount_minor, …) -> GiftCard     raises CodeTaken
    get(shop, id)  by_code(shop, code)  all(shop)  of(shop, customer_id)
    usable(shop, code) -> GiftCard               what a checkout may take; raises Refusal in words for the shopper
    change(shop, id, minor, note)                a debit when negative; raises Refusal, what is there is not enough
    deactivate(shop, id)                         for ever

Codes are compared without case, spaces and dashes, as a shopper types them. Like Shopify, the store knows whole codes
and shows nobody more than the last four characters.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from . import clock
from .errors import DevStoreError, Refusal
from .records import Shop

if TYPE_CHECKING:
    from .state import DevStore

CODE = re.compile(r"[a-z0-9]{8,20}")
LIMIT_UNITS = 3000
"""The most a card may hold, in whole units of its currency; a merchant can change Shopify's, not this one."""
_CODE_LETTERS = "abcdefghkmpqrtvwxy2346789"
_INDEX = "gift-card-code"


class CodeTaken(DevStoreError):
    """Another card of this shop has this code."""


@dataclass
class GiftCardTransaction:
    """``amount_minor`` is negative when it was spent. The amount a card was issued with is none."""

    id: int
    amount_minor: int
    processed_at: datetime
    note: str | None = None
    order_id: int | None = None


@dataclass
class GiftCard:
    id: int
    shop_id: int
    code: str  # in lower case
    currency: str
    initial_minor: int
    balance_minor: int
    created_at: datetime
    updated_at: datetime
    source: str = "api_client"  # or manual
    customer_id: int | None = None
    expires_on: str | None = None  # ISO 8601 date, its last day in the shop's time
    note: str | None = None
    template_suffix: str | None = None
    redemption: str = "MARKET_FX"  # in other currencies
    recipient: dict[str, str | int | None] | None = None
    deactivated_at: datetime | None = None
    transactions: list[GiftCardTransaction] = field(default_factory=list)

    @property
    def last_characters(self) -> str:
        return self.code[-4:]

    def expired(self, today: date) -> bool:
        return self.expires_on is not None and date.fromisoformat(self.expires_on) < today


class GiftCards:
    def __init__(self, devstore: DevStore) -> None:
        self.store = devstore.store

    def issue(self, shop: Shop, amount_minor: int, *, code: str | None = None, **facts: object) -> GiftCard:
        """``facts``: currency, source, customer_id, expires_on, note, template_suffix, redemption, recipient."""
        with self.store.writing():
            text = plain_code(code) if code else self._random()
            if self.by_code(shop, text):
                raise CodeTaken(text)
            now = clock.now()
            made = GiftCard(
                **{
                    "id": self.store.next_id("gift_card"),
                    "shop_id": shop.id,
                    "code": text,
                    "currency": shop.currency,
                    "initial_minor": amount_minor,
                    "balance_minor": amount_minor,
                    "created_at": now,
                    "updated_at": now,
                    **facts,
                }  # type: ignore[arg-type]
            )
            self.store.keep(shop.id, _INDEX, text, made.id)
            self.store.add(made)
            return made

    def get(self, shop: Shop, id: int) -> GiftCard | None:
        return self.store.get(GiftCard, shop.id, id)

    def by_code(self, shop: Shop, code: str) -> GiftCard | None:
        id = self.store.kept(shop.id, _INDEX, plain_code(code))
        return self.get(shop, id) if id else None

    def all(self, shop: Shop) -> list[GiftCard]:
        return self.store.list(GiftCard, shop.id)

    def of(self, shop: Shop, customer_id: int) -> list[GiftCard]:
        """Those made out to a customer."""
        return [card for card in self.all(shop) if card.customer_id == customer_id]

    def usable(self, shop: Shop, code: str) -> GiftCard:
        card = self.by_code(shop, code)
        if card is None:
            raise Refusal("there is no gift card with that code")
        if card.deactivated_at:
            raise Refusal("that gift card was disabled")
        if card.expired(today(shop)):
            raise Refusal("that gift card has expired")
        if card.currency != shop.currency:
            raise Refusal(f"that gift card is in {card.currency}")
        if not card.balance_minor:
            raise Refusal("that gift card is used up")
        return card

    def change(
        self,
        shop: Shop,
        id: int,
        minor: int,
        *,
        note: str | None = None,
        order_id: int | None = None,
        at: datetime | None = None,
    ) -> GiftCardTransaction:
        with self.store.writing():
            card = self.get(shop, id)
            if card is None:
                raise Refusal("there is no such gift card")
            if card.balance_minor + minor < 0:
                raise Refusal("the gift card does not hold that much")
            now = clock.now()
            made = GiftCardTransaction(self.store.next_id("gift_card_transaction"), minor, at or now, note, order_id)
            card.balance_minor += minor
            card.transactions.append(made)
            card.updated_at = now
            self.store.save(card)
            return made

    def deactivate(self, shop: Shop, id: int) -> GiftCard | None:
        with self.store.writing():
            card = self.get(shop, id)
            if card and not card.deactivated_at:
                card.deactivated_at = card.updated_at = clock.now()
                self.store.save(card)
            return card

    def _random(self) -> str:
        """Sixteen letters and digits that are not taken for one another."""
        return "".join(secrets.choice(_CODE_LETTERS) for _ in range(16))


def plain_code(typed: str) -> str:
    return re.sub(r"[\s-]", "", typed).lower()


def today(shop: Shop) -> date:
    return clock.now().astimezone(ZoneInfo(shop.timezone)).date()

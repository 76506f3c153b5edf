"""How the admin says things: money, moments, states, topics, scopes, and what the log's lines mean."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from babel.numbers import format_currency

from .. import money as amounts

if TYPE_CHECKING:
    from ..gift_cards import GiftCard
    from ..records import Shop
    from ..store_credit import CreditTransaction
    from ..traffic import Message

_STATES = {  # what Shopify calls it → (our words, the badge's tone)
    "pending": ("Payment pending", "warning"),
    "authorized": ("Authorized", "info"),
    "partially_paid": ("Partially paid", "warning"),
    "paid": ("Paid", "success"),
    "partially_refunded": ("Partially refunded", "neutral"),
    "refunded": ("Refunded", "neutral"),
    "voided": ("Voided", "neutral"),
    "partial": ("Partially fulfilled", "warning"),
    "fulfilled": ("Fulfilled", "success"),
    "unfulfilled": ("Unfulfilled", "warning"),
    "cancelled": ("Cancelled", "critical"),
    "due": ("Waiting", "info"),
    "sending": ("On its way", "info"),
    "sent": ("Delivered", "success"),
    "failed": ("Given up", "critical"),
    "held": ("Held back", "warning"),
    "dropped": ("Lost on purpose", "critical"),
    "active": ("Active", "success"),
    "scheduled": ("Scheduled", "info"),
    "expired": ("Expired", "neutral"),
    "enabled": ("Has an account", "success"),
    "disabled": ("No account", "neutral"),
    "invited": ("Invited", "info"),
    "declined": ("Declined the invitation", "neutral"),
    "card_live": ("Can be used", "success"),
    "card_empty": ("Used up", "neutral"),
    "card_expired": ("Expired", "critical"),
    "card_disabled": ("Disabled", "critical"),
}

_TOPICS = {
    "orders/create": "Order placed",
    "orders/paid": "Order paid",
    "orders/updated": "Order changed",
    "orders/edited": "Order edited",
    "orders/cancelled": "Order cancelled",
    "orders/fulfilled": "Order fulfilled",
    "refunds/create": "Refund made",
    "customers/create": "Customer added",
    "customers/update": "Customer changed",
    "customers/delete": "Customer deleted",
    "customers/merge": "Customers merged",
    "customers/data_request": "A customer asks for their data",
    "customers/redact": "A customer's data must go",
    "shop/redact": "The store's data must go",
    "discounts/create": "Discount made",
    "discounts/update": "Discount changed",
    "discounts/delete": "Discount deleted",
    "discounts/redeemcode_added": "Discount code added",
    "discounts/redeemcode_removed": "Discount code deleted",
    "shop/update": "Store settings changed",
    "app/uninstalled": "App uninstalled",
    "app/scopes_update": "Permissions changed",
}

_CREDIT = {"ORDER_PAYMENT": "Paid for an order", "ORDER_REFUND": "Back from a refund"}

_NOUNS = {
    "orders": "your orders",
    "all_orders": "orders older than 60 days",
    "customers": "your customers",
    "customer_merge": "which customers were merged",
    "products": "your products",
    "discounts": "discounts and discount codes",
    "gift_cards": "gift cards",
    "store_credit_accounts": "store credit accounts",
    "store_credit_account_transactions": "store credit transactions",
    "themes": "your themes",
    "fulfillments": "fulfilments",
}

_GRANTS = {
    "token-exchange": "swapped a session token for an access token",
    "refresh_token": "renewed its access token",
    "authorization_code": "redeemed an authorization code",
}


def money(minor: int, currency: str) -> str:
    """2800, "EUR" → "€28.00"."""
    return format_currency(amounts.to_decimal(minor, currency), currency, locale="en")


def moment(at: datetime | None, shop: Shop) -> str:
    """In the shop's own time: "19 Nov 2026, 16:20"."""
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(shop.timezone))
    return f"{local.day} {local:%b %Y, %H:%M}"


def day(at: datetime | None, shop: Shop) -> str:
    return moment(at, shop).partition(",")[0]


def state_words(state: str | None) -> tuple[str, str]:
    """A state's words and its tone."""
    return _STATES.get(state or "unfulfilled", ((state or "").replace("_", " ").capitalize(), "neutral"))


def card_state(card: GiftCard, today: date) -> str:
    """A gift card's state, by its name among the others."""
    if card.deactivated_at:
        return "card_disabled"
    if card.expired(today):
        return "card_expired"
    return "card_live" if card.balance_minor else "card_empty"


def credit_words(transaction: CreditTransaction) -> str:
    """What moved store credit."""
    if transaction.kind == "expiration":
        return "Expired"
    return _CREDIT.get(transaction.event, "Given" if transaction.kind == "credit" else "Taken")


def topic_words(topic: str) -> str:
    return _TOPICS.get(topic, topic)


def scope_words(scope: str) -> str:
    """write_customers → "See and change your customers"."""
    if scope == "write_app_proxy":
        return "Show its own pages under your store's address"
    access, _, noun = scope.partition("_")
    thing = _NOUNS.get(noun, noun.replace("_", " "))
    return f"{'See and change' if access == 'write' else 'See'} {thing}"


def asked_for(scopes: Iterable[str]) -> list[str]:
    """What a list of scopes means, once: who may change a thing may see it."""
    granted = list(scopes)
    return [
        scope_words(scope)
        for scope in granted
        if not (scope.startswith("read_") and scope.replace("read_", "write_", 1) in granted)
    ]


def time_of(iso: str, shop: Shop) -> str:
    """ "2026-11-21T21:59:35.120+00:00" → "22:59:35", the shop's time."""
    return f"{datetime.fromisoformat(iso).astimezone(ZoneInfo(shop.timezone)):%H:%M:%S}"


def sentence(text: str) -> str:
    """First letter upper, full stop."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else text + "."


def log_line(message: Message, app: str) -> tuple[str, str]:
    """A message in plain words, and the technical name beneath it."""
    if message.kind == "webhook":
        return f"Told {app}: {topic_words(message.name)}", f"webhook {message.name}"
    if message.kind == "proxy":
        who = "a logged-in shopper" if message.name == "logged in" else "a visitor"
        return f"The storefront asked {app} for {who}", f"{message.method} {message.path}"
    if message.kind == "oauth":
        return f"{app} {_GRANTS.get(message.name, 'asked for a token')}", message.name
    return f"{app} asked the Admin API", message.name or message.path


def log_answer(message: Message) -> tuple[str, str]:
    """The answer's words and tone."""
    if message.status.startswith("2"):
        return message.status, "success"
    if message.status[:1] in ("3", "4"):
        return message.status, "warning"
    return message.status, "critical"

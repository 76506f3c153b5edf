"""A discount in words, as Shopify's admin says it."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_currency

from ..money import to_decimal
from .records import Discount, Items


def summary(d: Discount, currency: str) -> str:
    """ "10% off entire order • Minimum purchase of €1.00" """
    percent = f"{Decimal(d.percent).normalize():f}%"
    if d.kind == "bxgy":
        bought = (
            f"Buy {count(d.buys_quantity, 'item')}"
            if d.buys_quantity is not None
            else f"Spend {money(d.buys_minor or 0, currency)}"
        )
        effect = "free" if Decimal(d.percent) == 100 else f"at {percent} off"
        return f"{bought}, get {count(d.gets_quantity, 'item')} {effect}"
    words = []
    if d.kind == "free_shipping":
        words.append("Free shipping on all products")
    else:
        off = money(d.amount_minor, currency) if d.kind == "fixed_amount" else percent
        words.append(f"{off} off {'entire order' if d.items.all else _what(d.items)}")
    if d.minimum_minor:
        words.append(f"Minimum purchase of {money(d.minimum_minor, currency)}")
    if d.minimum_quantity:
        words.append(f"Minimum quantity of {d.minimum_quantity}")
    if d.kind == "free_shipping":
        words.append("For all countries")
        if d.maximum_shipping_minor is not None:
            words.append(f"Applies to shipping rates under {money(d.maximum_shipping_minor, currency)}")
    return " • ".join(words)


def money(minor: int, currency: str) -> str:
    return format_currency(to_decimal(minor, currency), currency, locale="en")


def count(quantity: int, thing: str) -> str:
    return f"{quantity} {thing}{'' if quantity == 1 else 's'}"


def _what(items: Items) -> str:
    if items.collections:
        return count(len(items.collections), "collection")
    return count(len(items.products) + len(items.variants), "product")

"""Shopify's money filters. Amounts are whole hundredths, as in Shopify's Liquid, also for currencies without any.

The shop's format says how an amount is written: `€{{amount}}`, `{{amount_with_comma_separator}} €` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from liquid import RenderContext
from liquid.filter import with_context

from .page import Page, page_of

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")

# placeholder -> (decimals shown?, thousands separator, decimal separator)
_WRITTEN: dict[str, tuple[bool, str, str]] = {
    "amount": (True, ",", "."),
    "amount_no_decimals": (False, ",", "."),
    "amount_with_comma_separator": (True, ".", ","),
    "amount_no_decimals_with_comma_separator": (False, ".", ","),
    "amount_with_apostrophe_separator": (True, "'", "."),
    "amount_with_space_separator": (True, " ", ","),
    "amount_no_decimals_with_space_separator": (False, " ", ","),
    "amount_with_period_and_space_separator": (True, " ", "."),
}


def as_liquid_amount(minor: int, exponent: int) -> int:
    """An amount in the currency's own minor units, in the units Liquid speaks: 1,000 yen are 100000."""
    return minor * 100 if exponent == 0 else minor


def written(amount: Decimal, placeholder: str, decimals: int) -> str:
    """One amount, in whole currency units, as the placeholder of a money format writes it."""
    shows_decimals, thousands, point = _WRITTEN.get(placeholder, _WRITTEN["amount"])
    places = decimals if shows_decimals else 0
    rounded = amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    whole, _, fraction = f"{abs(rounded):,f}".partition(".")
    text = whole.replace(",", thousands) + (point + fraction if fraction else "")
    return ("-" if rounded < 0 else "") + text


def formatted(value: Any, money_format: str, page: Page, *, trim: bool = False) -> str:
    """A price in hundredths, in the shop's format; "" for what is no number. `trim` leaves out decimals that are 0."""
    amount = _amount(value, page)
    if amount is None:
        return ""
    decimals = 0 if trim and amount == amount.to_integral_value() else max(2, page.exponent)
    return _PLACEHOLDER.sub(lambda match: written(amount, match.group(1), decimals), money_format)


@with_context
def money(value: Any, *, context: RenderContext) -> str:
    """`{{ 2800 | money }}` -> €28.00"""
    page = page_of(context)
    return formatted(value, page.money_format, page)


@with_context
def money_with_currency(value: Any, *, context: RenderContext) -> str:
    """`{{ 2800 | money_with_currency }}` -> €28.00 EUR"""
    page = page_of(context)
    return formatted(value, page.money_with_currency_format, page)


@with_context
def money_without_currency(value: Any, *, context: RenderContext) -> str:
    """`{{ 2800 | money_without_currency }}` -> 28.00"""
    page = page_of(context)
    placeholder = _PLACEHOLDER.search(page.money_format)
    return formatted(value, placeholder.group(0) if placeholder else "{{amount}}", page)


@with_context
def money_without_trailing_zeros(value: Any, *, context: RenderContext) -> str:
    """`{{ 500 | money_without_trailing_zeros }}` -> €5, but €5.50 stays."""
    page = page_of(context)
    return formatted(value, page.money_format, page, trim=True)


@with_context
def money_amount(value: Any, *, context: RenderContext) -> str:
    """`{{ 123456 | money_amount }}` -> 1234.56"""
    page = page_of(context)
    amount = _amount(value, page)
    return "" if amount is None else f"{amount:.{max(2, page.exponent)}f}"


def _amount(value: Any, page: Page) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return Decimal(str(value)).scaleb(-max(2, page.exponent))
    except InvalidOperation:
        return None


FILTERS: dict[str, Callable[..., Any]] = {
    "money": money,
    "money_with_currency": money_with_currency,
    "money_without_currency": money_without_currency,
    "money_without_trailing_zeros": money_without_trailing_zeros,
    "money_amount": money_amount,
}

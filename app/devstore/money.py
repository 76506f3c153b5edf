"""Amounts as whole minor units, and the two ways Shopify prints them.

REST bodies print the currency's own decimals ("20.00", "20" in yen); GraphQL prints at least one decimal and no
trailing zeros ("20.0", "20.55").
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

_NONE = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THREE = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def decimals(currency: str) -> int:
    """Decimals of a currency by ISO 4217: 2, but 0 for yen and its like, 3 for dinars."""
    return 0 if currency in _NONE else 3 if currency in _THREE else 2


def to_minor(amount: str | int | Decimal, currency: str) -> int:
    """ "12.34" EUR is 1234. Raises ValueError when the amount has more decimals than the currency."""
    scaled = Decimal(str(amount)).scaleb(decimals(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more decimals than {currency}")
    return int(scaled)


def to_decimal(minor: int, currency: str) -> Decimal:
    """1234 EUR is Decimal("12.34")."""
    return Decimal(minor).scaleb(-decimals(currency))


def rest_amount(minor: int, currency: str) -> str:
    """As REST bodies print it: "12.30"."""
    return f"{to_decimal(minor, currency):f}"


def graphql_amount(minor: int, currency: str) -> str:
    """As GraphQL prints it: "12.3", "12.0"."""
    text = f"{to_decimal(minor, currency):f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def times(minor: int, rate: str, *, source: str, target: str) -> int:
    """An amount in another currency at ``rate`` (target per source), rounded half up."""
    value = to_decimal(minor, source) * Decimal(rate)
    return int(value.scaleb(decimals(target)).quantize(Decimal(1), ROUND_HALF_UP))


def rounded(value: Decimal) -> int:
    """To a whole minor unit, half away from zero."""
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def share(total: int, weights: Sequence[int]) -> list[int]:
    """Split ``total`` by weight into whole parts that add up to it; the largest remainders take the odd units."""
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def portion(total: int, part: int, whole: int) -> int:
    """``total`` × part ÷ whole, rounded half up; 0 of nothing is 0."""
    return rounded(Decimal(total) * part / whole) if whole else 0

"""Amounts of money, exact.

Inside, an amount is a whole number of *micros*: millionths of one unit of its currency (12.75 is 12_750_000). That
holds every amount Shopify writes, whatever the currency's own digits, in plain integers; a settled order handles
dozens of amounts, and integers cost a tenth of what `Fraction` does. Where a share of an amount does not divide,
callers go on in `Fraction`. No float comes near any of it.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

MICRO_DIGITS = 6
MICRO = 10**MICRO_DIGITS

# A trillion units of the weakest currency is beyond any order; the bound keeps a hostile body from making us multiply
# numbers of a hundred thousand digits.
LARGEST_UNITS = 10**12

# ISO 4217, the currencies whose minor unit is not a hundredth.
_NO_MINOR_UNITS = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
    "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF",
)  # fmt: skip
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_EXPONENTS = {**dict.fromkeys(_NO_MINOR_UNITS, 0), **dict.fromkeys(_THOUSANDTHS, 3), "CLF": 4, "UYW": 4}

# How English writes them (CLDR, "en"); every other currency is written with its code.
_SYMBOLS = {
    "AUD": "A$",
    "BRL": "R$",
    "CAD": "CA$",
    "CNY": "CN¥",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "MXN": "MX$",
    "NZD": "NZ$",
    "PHP": "₱",
    "TWD": "NT$",
    "USD": "$",
    "VND": "₫",
}
_NO_BREAK_SPACE = "\u00a0"


def exponent(currency: str) -> int:
    """Digits of the currency's minor unit: EUR 2, JPY 0, KWD 3. An unknown code has 2."""
    return _EXPONENTS.get(currency, 2)


def micro_per_minor(currency: str) -> int:
    """How many micros one minor unit is: 10,000 for a cent."""
    return int(10 ** (MICRO_DIGITS - exponent(currency)))


def parse_micro(amount: str | int | Decimal) -> int:
    """The amount in micros, exactly. ValueError when it is no amount, too large, or finer than a millionth."""
    if isinstance(amount, str):
        whole, dot, part = amount.partition(".")
        digits = whole[1:] if whole.startswith("-") else whole
        plain = digits.isdecimal() and len(digits) <= 13 and amount.isascii() and (not dot or part.isdecimal())
        if not plain:
            raise ValueError(f"not an amount of money: {amount[:40]!r}")
        if len(part) > MICRO_DIGITS:
            part, rest = part[:MICRO_DIGITS], part[MICRO_DIGITS:]
            if rest.strip("0"):
                raise ValueError(f"finer than a millionth: {amount[:40]!r}")
        micro = int(whole + part.ljust(MICRO_DIGITS, "0"))
    elif isinstance(amount, Decimal):
        # The size is looked at before anything is multiplied: Decimal("1e999999") is a short text and a long number.
        if not amount.is_finite() or amount.adjusted() > 13:
            raise ValueError("not an amount of money")
        scaled = Fraction(amount) * MICRO if amount.adjusted() > -40 or not amount else Fraction(1, 2)
        if scaled.denominator != 1:
            raise ValueError("finer than a millionth")
        micro = int(scaled)
    elif isinstance(amount, int) and not isinstance(amount, bool):
        micro = amount * MICRO if -LARGEST_UNITS <= amount <= LARGEST_UNITS else LARGEST_UNITS * MICRO + 1
    else:
        raise ValueError(f"not an amount of money: {type(amount).__name__}")
    if abs(micro) > LARGEST_UNITS * MICRO:
        raise ValueError("an amount of money too large to be true")
    return micro


def micro_text(micro: int) -> str:
    """A plain decimal without trailing zeros, as stored with facts: 28_500_000 → "28.5"."""
    units, rest = divmod(abs(micro), MICRO)
    sign = "-" if micro < 0 else ""
    return f"{sign}{units}" if not rest else f"{sign}{units}.{rest:06d}".rstrip("0")


def exact_text(micro: Fraction | int) -> str:
    """An exact amount in units: "51.2", or "20/3" where no decimal says it. `Fraction()` reads both."""
    if isinstance(micro, int) or micro.denominator == 1:
        return micro_text(int(micro))
    units = Fraction(micro, MICRO)
    rest, places = units.denominator, 0
    while rest % 10 == 0:
        rest, places = rest // 10, places + 1
    for prime in (2, 5):
        while rest % prime == 0:
            rest, places = rest // prime, places + 1
    if rest != 1:
        return str(units)
    sign, digits = ("-" if units < 0 else ""), str(abs(units.numerator) * (10**places // units.denominator))
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")


def parse_exact(text: str) -> Fraction | int:
    """Micros from what `exact_text` wrote."""
    try:
        return parse_micro(text)
    except ValueError:  # a fraction, finer than a millionth, or a sum past one amount's bound
        micro = Fraction(text) * MICRO
        return int(micro) if micro.denominator == 1 else micro


def to_minor(amount: Decimal | str, currency: str) -> Fraction:
    """The amount in minor units, exactly: ("12.755", "EUR") → 2551/2."""
    return Fraction(parse_micro(amount), micro_per_minor(currency))


def format_money(minor: Fraction | int, currency: str, *, whole: bool = False) -> str:
    """English words for an amount: €1,234.50, ¥1,200, PLN 12.00.

    Rounded toward zero, so that words never promise more than was counted. With `whole`, an amount without minor units
    drops them (€1): for rates and reward titles only.
    """
    places = exponent(currency)
    units, rest = divmod(math.floor(abs(minor)), 10**places)
    number = f"{units:,}" if not places or (whole and not rest) else f"{units:,}.{rest:0{places}d}"
    symbol = _SYMBOLS.get(currency, f"{currency}{_NO_BREAK_SPACE}")
    return f"{'−' if minor < 0 and math.floor(abs(minor)) else ''}{symbol}{number}"

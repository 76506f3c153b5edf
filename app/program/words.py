"""Small words shared by everything that speaks: points, rates, amounts, days.

Numbers are grouped as English does, minus is U+2212, and an amount is cut to its minor unit, never rounded up: words
promise no more than was counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from fractions import Fraction

from app.program.money import format_money, micro_per_minor

MINUS = "\u2212"

MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def points_text(points: int) -> str:
    """1 point · 1,104 points."""
    return f"{points:,} point{'' if points == 1 else 's'}".replace("-", MINUS)


def rate_text(points: int, per_minor: int, currency: str) -> str:
    """1 point for every €1. The amount loses its .00 here, because it is a rate."""
    return f"{points_text(points)} for every {format_money(per_minor, currency, whole=True)}"


def money_text(micro: Fraction | int, currency: str) -> str:
    """€51.20, from micros."""
    return format_money(Fraction(micro) / micro_per_minor(currency), currency)


def day_text(moment: datetime, zone: tzinfo, today: date | None = None) -> str:
    """3 December; with the year when it is not this one, or when nobody says which year this is."""
    day = moment.astimezone(zone).date()
    words = f"{day.day} {MONTH_NAMES[day.month - 1]}"
    return words if today is not None and today.year == day.year else f"{words} {day.year}"


def count_text(count: int, what: str) -> str:
    """1 day · 14 days."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def list_text(words: Sequence[str]) -> str:
    """products · products and tax · products, shipping and tax."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"

"""How the admin writes numbers, money and dates: grouped, minus as U+2212, in the shop's time zone.

Pages format nothing themselves, so a date reads the same everywhere: "19 Nov", with its year when that is not this one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction

from ...models import Shop
from ...program.money import exponent, format_money
from ...program.words import MINUS, MONTH_NAMES

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_AMOUNT = re.compile(r"\d{1,13}(\.\d{1,6})?", re.ASCII)
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Words:
    """A shop's way of writing, as of ``now``, for the author ``reader``. Made once a request and handed to the page."""

    currency: str
    zone: tzinfo
    now: datetime
    reader: str = ""

    @classmethod
    def of(cls, shop: Shop, now: datetime, reader: str = "") -> Words:
        return cls(shop.currency, shop.zone, now, reader)

    def by(self, author: str) -> str:
        """After "by": you · staff 77 · command line."""
        return "you" if author and author == self.reader else author or "somebody"

    def who(self, author: str) -> str:
        """At the beginning of a sentence."""
        words = self.by(author)
        return words[:1].upper() + words[1:]

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def day(self, moment: datetime | date) -> str:
        """19 Nov · 19 Nov 2025."""
        day = moment.astimezone(self.zone).date() if isinstance(moment, datetime) else moment
        words = f"{day.day} {MONTHS[day.month - 1]}"
        return words if day.year == self.today.year else f"{words} {day.year}"

    def month(self, month: str) -> str:
        """A month of issue: "2026-11" → November 2026."""
        year, number = month.split("-")
        return f"{MONTH_NAMES[int(number) - 1]} {year}"

    def moment(self, moment: datetime) -> str:
        """19 Nov, 16:20."""
        return f"{self.day(moment)}, {moment.astimezone(self.zone):%H:%M}"

    def ago(self, moment: datetime) -> str:
        """2 minutes ago, for as long as that is easier to read than a date."""
        seconds = (self.now - moment).total_seconds()
        if seconds < 60:
            return "just now"
        if seconds < 3600:
            return f"{count(int(seconds // 60), 'minute')} ago"
        if seconds < 24 * 3600:
            return f"{count(int(seconds // 3600), 'hour')} ago"
        return self.moment(moment)

    def money(self, minor: int | Fraction) -> str:
        """€51.20."""
        return format_money(minor, self.currency)

    def amount(self, minor: int) -> str:
        """An amount as a money field holds it: "51.20"."""
        places = exponent(self.currency)
        units, rest = divmod(minor, 10**places)
        return f"{units}.{rest:0{places}d}" if places else str(units)

    def minor(self, amount: str) -> int | None:
        """What a money field holds, in minor units; None when it is no amount of this currency."""
        amount = amount.strip()
        if not _AMOUNT.fullmatch(amount):
            return None
        scaled = Decimal(amount).scaleb(exponent(self.currency))
        return int(scaled) if scaled == scaled.to_integral_value() else None

    def local_day(self, moment: datetime) -> str:
        """A moment's day as a date field holds it: "2026-12-01"."""
        return moment.astimezone(self.zone).date().isoformat()

    def local_time(self, moment: datetime) -> str:
        """Its time beside it: "09:30"."""
        return f"{moment.astimezone(self.zone):%H:%M}"

    def start_of(self, day: date) -> datetime:
        """The day's first moment in the shop's time zone."""
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)

    def end_of(self, day: date) -> datetime:
        """The day's last moment."""
        return self.start_of(day + timedelta(days=1)) - timedelta(microseconds=1)

    def parse_day(self, text: str) -> date | None:
        """ "2026-11-21"; None for what is none, or so far away that not every time zone has a date for it."""
        try:
            day = date.fromisoformat(text) if len(text) == 10 else None
        except ValueError:
            return None
        return day if day is not None and 1971 <= day.year <= 9000 else None

    def parse_moment(self, day: str, clock: str) -> datetime | None:
        """A day and an "HH:MM" of the shop's time zone, in UTC; None when either cannot be read."""
        parsed, hours = self.parse_day(day), _TIME.fullmatch(clock.strip())
        if parsed is None or hours is None:
            return None
        local = datetime.combine(parsed, time(int(hours[1]), int(hours[2])), tzinfo=self.zone)
        return local.astimezone(UTC)


def number(value: int) -> str:
    """1,104 · −28."""
    return f"{value:,}".replace("-", MINUS)


def signed(value: int) -> str:
    """+64 · −28 · 0."""
    return f"+{value:,}" if value > 0 else number(value)


def count(value: int, what: str, many: str = "") -> str:
    """1 delivery · 14 deliveries."""
    return f"{number(value)} {what if value == 1 else many or what + 's'}"

"""How the admin writes: grouped, minus as U+2212, dates in the shop's own time with their year only when needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.loyalty.views.words import Words, count, number, signed

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
BERLIN = Words("EUR", ZoneInfo("Europe/Berlin"), NOW)


def test_numbers():
    assert [number(n) for n in (0, 1104, -28)] == ["0", "1,104", "−28"]
    assert [signed(n) for n in (64, 0, -1104)] == ["+64", "0", "−1,104"]
    assert [count(1, "delivery", "deliveries"), count(2, "delivery", "deliveries")] == ["1 delivery", "2 deliveries"]


def test_dates_are_the_shops_own():
    assert BERLIN.today.isoformat() == "2026-11-22"
    assert BERLIN.moment(NOW) == "22 Nov, 00:30"
    assert BERLIN.day(datetime(2025, 11, 19, tzinfo=UTC)) == "19 Nov 2025"


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "just now"), (60, "1 minute ago"), (7300, "2 hours ago"), (90_000, "20 Nov, 23:30")]
)
def test_a_while_ago_is_told_as_that_and_longer_as_a_date(seconds, words):
    assert BERLIN.ago(NOW - timedelta(seconds=seconds)) == words


def test_a_day_begins_and_ends_in_the_shops_time_also_when_clocks_change():
    spring = BERLIN.parse_day("2026-03-29")
    assert BERLIN.start_of(spring) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert BERLIN.end_of(spring) - BERLIN.start_of(spring) == timedelta(hours=23) - timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [("EUR", "1.00", 100), ("EUR", "0.1", 10), ("EUR", "0.005", None), ("JPY", "100", 100), ("JPY", "1.5", None),
     ("KWD", "1.005", 1005), ("EUR", "", None), ("EUR", "1e3", None), ("EUR", "-1", None), ("EUR", " 2 ", 200)],
)  # fmt: skip
def test_amounts_are_read_exactly_or_not_at_all(currency, text, minor):
    assert Words(currency, UTC, NOW).minor(text) == minor


@pytest.mark.parametrize(
    ("currency", "minor", "text"), [("EUR", 5, "0.05"), ("JPY", 100, "100"), ("KWD", 1005, "1.005")]
)
def test_amounts_are_written_as_a_field_holds_them(currency, minor, text):
    assert Words(currency, UTC, NOW).amount(minor) == text


def test_the_reader_is_you_and_others_are_named():
    words = Words("EUR", UTC, NOW, "staff 42")
    assert [words.by(author) for author in ("staff 42", "staff 7", "")] == ["you", "staff 7", "somebody"]
    assert words.who("staff 42") == "You"

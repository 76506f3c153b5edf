"""The home page's chart is drawn by the server, in whole pixels, with words that never touch."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.loyalty.views.home import Week
from app.loyalty.views.words import Words
from app.web.admin.chart import chart

WORDS = Words("EUR", UTC, datetime(2026, 11, 21, tzinfo=UTC))
FIRST = date(2026, 9, 7)


def weeks(issued, redeemed):
    return [Week(FIRST + timedelta(weeks=n), *pair) for n, pair in enumerate(zip(issued, redeemed, strict=True))]


def test_nothing_yet_is_no_chart():
    assert chart(weeks([0] * 12, [0] * 12), WORDS) is None


@pytest.mark.parametrize(("most", "top"), [(1, 3), (4, 6), (84, 150), (4890, 6000), (10_000_000, 15_000_000), (1, 3)])
def test_three_gridlines_hold_the_greatest_value_and_begin_at_zero(most, top):
    drawn = chart(weeks([0] * 11 + [most], [0] * 12), WORDS).wide
    assert drawn.grid[0] == (drawn.height - 24, "0")
    assert drawn.grid[3] == (12, f"{top:,}")


@pytest.mark.parametrize(("issued", "back"), [(0, 0), (100, 100), (100, 95), (95, 100), (0, 100), (100, 0)])
def test_the_words_at_the_ends_never_touch(issued, back):
    for drawn in (lambda c: (c.wide, c.narrow))(chart(weeks([100] + [0] * 10 + [issued], [0] * 11 + [back]), WORDS)):
        one, other = (line.label_y for line in drawn.lines)
        assert abs(one - other) >= 34
        assert min(one, other) >= 12 - 34
        assert (one <= other) == (issued >= back)


def test_it_says_what_it_shows():
    said = chart(weeks([3210] + [0] * 10 + [4890], [20] + [0] * 10 + [14]), WORDS).finding
    assert said == "Issued rose from 3,210 to 4,890 points a week; redeemed fell from 20 to 14."

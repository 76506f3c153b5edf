"""Whether a reward can be had, until when, and what comes back: sentences, laws, and an oracle for what comes back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import permutations
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.program.redeeming import (
    Offer,
    cheapest,
    end_of_codes,
    month_of_issue,
    offer,
    period_name,
    points_back,
    usable_until,
)
from tests.program.orders import BOWL, MUG, an_order_and_its_returns, at, line, order, refund
from tests.program.rewarding import PRODUCT, START, of_kind, reward

SHARE, WHOLE, NEVER = (reward(give_back=rule) for rule in ("share", "whole", "never"))
SLIDER = reward(steps={"least": 2, "most": 4})


# --- had or not -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "points", "answer"),
    [
        (reward(), None, Offer(100, 500)),
        (reward(), 100, Offer(100, 500)),
        (reward(), 99, "price_changed"),
        (reward(), 200, "price_changed"),
        (of_kind("free_shipping"), 100, Offer(100, None)),
        (SLIDER, 200, Offer(200, 1000)),
        (SLIDER, 400, Offer(400, 2000)),
        (SLIDER, None, "invalid_amount"),
        (SLIDER, 100, "invalid_amount"),
        (SLIDER, 250, "invalid_amount"),
        (SLIDER, 500, "invalid_amount"),
        (SLIDER, 0, "invalid_amount"),
        (SLIDER, -200, "invalid_amount"),
        (reward(starts_at=START + timedelta(seconds=1)), 100, "not_yet"),
        (reward(starts_at=START), 100, Offer(100, 500)),
        (reward(ends_at=START), 100, "ended"),
        (reward(ends_at=START + timedelta(seconds=1)), 99, "price_changed"),
    ],
)
def test_a_reward_is_had_at_its_price_in_its_time(known, points, answer):
    assert offer(known, points, START) == answer


def test_the_cheapest_of_a_slider_is_its_first_stop():
    assert (cheapest(reward()), cheapest(SLIDER)) == (100, 200)


# --- what comes back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "back"),
    [
        (order(line(price="28.00", quantity=2)), 0),
        (order(line(price="28.00", quantity=2), outside=[refund(units={MUG: 1})]), 50),
        (order(line(price="28.00", quantity=2), outside=[refund(units={MUG: 2})]), 100),
        (order(line(price="28.00"), line(BOWL, "14.00"), outside=[refund(units={BOWL: 1})]), 33),
        (order(line(price="28.00", discount="28.00", quantity=3), outside=[refund(units={MUG: 2})]), 66),
        (order(line(price="28.00"), outside=[refund(adjustment="-7.00")]), 25),
        (order(line(price="28.00"), cancelled_at=at(5)), 100),
        (order(line(price="28.00"), status="voided"), 100),
        (order(line(price="28.00"), status="expired"), 100),
        (order(line(price="28.00"), status="pending"), 0),
        (order(line(price="25.00", kind="gift_card"), outside=[refund(units={MUG: 1})]), 0),
        (order(line(price="28.00"), line(BOWL, "25.00", kind="gift_card"), outside=[refund(units={BOWL: 1})]), 0),
        (order(line(price="28.00", quantity=0)), 0),
        # Goods that an edit added and nobody has paid yet are no return.
        (order(line(price="50.00"), line(BOWL, "30.00"), outstanding="30.00"), 0),
    ],
)
def test_points_come_back_for_the_share_that_came_back(facts, back):
    assert points_back(100, facts, SHARE) == back


def test_whole_gives_all_or_nothing_and_never_nothing_at_all():
    half = order(line(quantity=2), outside=[refund(units={MUG: 1})])
    all_of_it = order(line(quantity=2), outside=[refund(units={MUG: 2})])
    cancelled = order(line(), cancelled_at=at(5))
    assert [points_back(100, facts, WHOLE) for facts in (half, all_of_it, cancelled)] == [0, 100, 100]
    assert [points_back(100, facts, NEVER) for facts in (half, all_of_it, cancelled)] == [0, 0, 0]


def test_a_refund_whose_order_is_not_known_yet_brings_nothing_back():
    half = order(line(quantity=2), outside=[refund(units={MUG: 1})])
    assert points_back(100, replace(half, snapshot=None), SHARE) == 0


FREE_MUG = of_kind("free_product", product={**PRODUCT, "product_id": 1, "variant_id": 2})
MUGS_ONLY = reward(only_products=[1])
FREE = {"product_id": 1, "variant_id": 2, "discount": "28.00"}


@pytest.mark.parametrize(
    ("known", "facts", "back"),
    [
        # Returning all but the free mug is keeping what the points were for; returning it is returning that.
        (FREE_MUG, order(line(**FREE), line(BOWL, "14.00"), outside=[refund(units={BOWL: 1})]), 0),
        (FREE_MUG, order(line(**FREE), line(BOWL, "14.00"), outside=[refund(units={MUG: 1})]), 100),
        (FREE_MUG, order(line(**FREE), line(BOWL, "14.00"), outside=[refund(units={MUG: 1, BOWL: 1})]), 100),
        (FREE_MUG, order(line(**FREE), outside=[refund(units={MUG: 1})]), 100),
        (FREE_MUG, order(line(**FREE, quantity=2), outside=[refund(units={MUG: 1})]), 50),
        # All the money went back, and nobody asked for the goods.
        (FREE_MUG, order(line(**FREE), line(BOWL, "14.00"), outside=[refund(adjustment="-14.00")]), 100),
        (MUGS_ONLY, order(line(product_id=1, discount="5.00"), line(BOWL), outside=[refund(units={BOWL: 1})]), 0),
        (MUGS_ONLY, order(line(product_id=1, discount="5.00"), line(BOWL), outside=[refund(units={MUG: 1})]), 100),
        (MUGS_ONLY, order(line(product_id=1, quantity=2), line(BOWL), outside=[refund(units={MUG: 1})]), 50),
        (MUGS_ONLY, order(line(product_id=1), line(BOWL), outside=[refund(adjustment="-14.00")]), 25),
        # Lines that name no product: the whole order is looked at.
        (MUGS_ONLY, order(line(), line(BOWL), outside=[refund(units={BOWL: 1})]), 50),
    ],
)
def test_a_reward_for_some_products_comes_back_with_those(known, facts, back):
    assert points_back(100, facts, known) == back


def test_whole_of_a_reward_for_some_products_is_the_whole_order():
    known = reward(only_products=[1], give_back="whole")
    lines = (line(product_id=1), line(BOWL))
    back = [
        points_back(100, order(*lines, outside=[refund(units=units)]), known)
        for units in ({MUG: 1}, {BOWL: 1}, {MUG: 1, BOWL: 1})
    ]
    assert back == [0, 0, 100]


def expected_back(points, facts, refunds):
    """The oracle: DESIGN's sentence, written down once more with nothing but fractions."""
    ordered = left = Fraction(0)
    units_ordered = units_left = 0
    for each in facts.snapshot.lines:
        if each.kind == "gift_card":
            continue
        worth = Fraction(each.price_micro * each.quantity - each.discount_micro)
        worth -= each.tax_micro if facts.snapshot.taxes_included else 0
        worth = max(Fraction(0), worth)
        gone = sum(count for one in refunds for line_id, count in one.units if line_id == each.line_id)
        stays = max(0, each.quantity - gone)
        ordered, units_ordered = ordered + worth, units_ordered + each.quantity
        left += worth * stays / each.quantity if each.quantity else 0
        units_left += stays
    left = max(Fraction(0), left - max(0, -sum(one.adjustment_micro for one in refunds)))
    if not ordered:
        ordered, left = Fraction(units_ordered), Fraction(units_left)
    return points * (1 - left / ordered) // 1 if ordered else 0


@given(an_order_and_its_returns(), st.integers(1, 5000))
def test_what_comes_back_is_what_the_oracle_says(facts_and_refunds, points):
    facts, refunds = facts_and_refunds
    known = replace(facts, refunds=refunds)
    assert points_back(points, known, SHARE) == expected_back(points, facts, refunds)


@given(an_order_and_its_returns(), st.integers(1, 5000))
def test_the_more_is_returned_the_more_comes_back_up_to_all_of_it(facts_and_refunds, points):
    facts, refunds = facts_and_refunds
    for rule in (SHARE, WHOLE, NEVER, reward(only_products=[101, 103]), reward(only_products=[101], give_back="whole")):
        backs = [points_back(points, replace(facts, refunds=refunds[:n]), rule) for n in range(len(refunds) + 1)]
        assert backs == sorted(backs) and backs[0] >= 0 and backs[-1] <= points


@given(an_order_and_its_returns(), st.integers(1, 5000))
def test_the_order_of_refunds_does_not_matter(facts_and_refunds, points):
    facts, refunds = facts_and_refunds
    orders = list(permutations(refunds))[:24]
    assert len({points_back(points, replace(facts, refunds=one), SHARE) for one in orders}) == 1


@given(an_order_and_its_returns(), st.integers(1, 5000))
def test_all_of_it_comes_back_only_when_nothing_is_left(facts_and_refunds, points):
    facts, refunds = facts_and_refunds
    back = points_back(points, replace(facts, refunds=refunds), SHARE)
    assert (back == points) is (expected_back(1, facts, refunds) == 1)
    cancelled = replace(facts, refunds=refunds, cancelled_at=at(90))
    assert points_back(points, cancelled, SHARE) == points


# --- the shop's calendar --------------------------------------------------------------------------------------------

# Where a midnight does not exist, where it happens twice, where the day before is an hour longer, odd offsets.
MIDNIGHTS = [
    ("Africa/Cairo", 2027, 4, 30), ("Asia/Beirut", 2027, 3, 28), ("America/Havana", 2027, 3, 14),
    ("America/Santiago", 2027, 9, 5), ("America/Havana", 2027, 11, 7), ("Asia/Beirut", 2027, 10, 31),
    ("Africa/Cairo", 2027, 10, 29), ("America/Santiago", 2027, 4, 4), ("Australia/Lord_Howe", 2027, 4, 4),
    ("Pacific/Chatham", 2027, 4, 4), ("Asia/Kathmandu", 2027, 1, 1), ("America/Nuuk", 2027, 3, 28),
]  # fmt: skip
ZONES = sorted(zone for zone in available_timezones() if "/" in zone)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31)).map(lambda naive: naive.replace(tzinfo=UTC))  # noqa: DTZ001


def ends_with_its_day(issued_at, days, zone):
    until = usable_until(issued_at, days, zone)
    promised = issued_at.astimezone(zone).date() + timedelta(days=days)
    assert (until - timedelta(microseconds=1)).astimezone(zone).date() == promised
    assert until.astimezone(zone).date() == promised + timedelta(days=1)


@given(st.sampled_from(ZONES), moments, st.integers(1, 365))
def test_a_promise_ends_with_its_day_in_the_shops_time(name, issued_at, days):
    ends_with_its_day(issued_at, days, ZoneInfo(name))


@pytest.mark.parametrize(("name", "year", "month", "day"), MIDNIGHTS)
@pytest.mark.parametrize("days", [1, 30])
def test_a_promise_ends_with_its_day_where_midnight_is_odd(name, year, month, day, days):
    """Issued so that the promise ends at that midnight, at the one before, and at the one after."""
    zone = ZoneInfo(name)
    for shift in (-1, 0, 1):
        noon = datetime(year, month, day, 12, tzinfo=zone) - timedelta(days=days + 1 + shift)
        ends_with_its_day(noon.astimezone(UTC), days, zone)


@given(st.sampled_from(ZONES), moments, st.integers(1, 365))
@example("Pacific/Apia", datetime(2026, 12, 31, 23, 30, tzinfo=UTC), 30)
def test_a_discount_outlasts_every_promise_made_under_it_by_a_day(name, issued_at, days):
    zone = ZoneInfo(name)
    ends_at = end_of_codes(month_of_issue(issued_at, zone), days, zone)
    assert ends_at - usable_until(issued_at, days, zone) >= timedelta(days=1)


@given(st.sampled_from(ZONES), moments)
def test_a_period_is_the_shops_own_day_week_month_or_year(name, moment):
    zone = ZoneInfo(name)
    day = moment.astimezone(zone).date()
    assert period_name("ever", moment, zone) == ""
    assert period_name("day", moment, zone) == str(day)
    assert period_name("month", moment, zone) == str(day)[:7] == month_of_issue(moment, zone)
    assert period_name("year", moment, zone) == str(day)[:4]
    monday = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - timedelta(days=day.weekday())
    week = period_name("week", moment, zone)
    assert {period_name("week", monday + timedelta(days=n), UTC) for n in range(7)} == {week}
    assert period_name("week", monday + timedelta(days=7), UTC) != week


def test_a_week_is_named_by_the_year_most_of_it_lies_in():
    assert period_name("week", datetime(2027, 1, 1, 12, tzinfo=UTC), UTC) == "2026-W53"

"""Decide whether a reward can be had, at what price, and what comes back when the order that used it is returned.

Pure: a reward, the moment, and what is used up go in; an `Offer` or a refusal's code comes out. What only the ledger
knows (enough points) and what must be counted under a lock (stock, budget) is asked there, by the rules named here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Literal

from app.program.facts import LineFacts, OrderFacts
from app.program.remaining import RemainingLine, what_remains
from app.program.rewards import Period, Reward

Refusal = Literal["not_yet", "ended", "price_changed", "invalid_amount"]


@dataclass(frozen=True, slots=True)
class Offer:
    """One reward at one price: what the shopper agrees to."""

    points: int
    amount_minor: int | None  # None where the reward is no amount of money


def offer(reward: Reward, points: int | None, now: datetime) -> Offer | Refusal:
    """What the reward costs now. ``points`` is the price the shopper saw, or chose on a slider.

    "invalid_amount": a slider has no such stop. "price_changed": the price is another by now.
    """
    if reward.starts_at is not None and now < reward.starts_at:
        return "not_yet"
    if reward.ends_at is not None and now >= reward.ends_at:
        return "ended"
    if reward.steps is None:
        if points not in (None, reward.points):
            return "price_changed"
        return Offer(reward.points, reward.amount_minor)
    if points is None:
        return "invalid_amount"
    steps, rest = divmod(points, reward.points)
    if rest or not reward.steps.least <= steps <= reward.steps.most:
        return "invalid_amount"
    return Offer(points, reward.amount_minor * steps if reward.amount_minor is not None else None)


def cheapest(reward: Reward) -> int:
    """The fewest points it can be had for."""
    return reward.points * (reward.steps.least if reward.steps else 1)


def period_name(period: Period, moment: datetime, zone: tzinfo) -> str:
    """Which period of the shop's calendar a moment lies in: "", "2026-11-27", "2026-W48", "2026-11", "2026"."""
    day = moment.astimezone(zone).date()
    if period == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    return {"ever": "", "day": day.isoformat(), "month": f"{day:%Y-%m}", "year": f"{day:%Y}"}[period]


def usable_until(issued_at: datetime, valid_days: int, zone: tzinfo) -> datetime:
    """The promised end: the last moment of the day that is ``valid_days`` after the day of issue, in the shop's time.

    Given as the start of the day after, which every zone has, midnight or not.
    """
    day = issued_at.astimezone(zone).date() + timedelta(days=valid_days + 1)
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    # Where clocks skip midnight the day starts later: the wall time that does not exist is read as its offset says.
    return start.astimezone(issued_at.tzinfo)


def month_of_issue(moment: datetime, zone: tzinfo) -> str:
    """ "2026-11": codes handed out in one month share one discount."""
    return period_name("month", moment, zone)


def end_of_codes(month: str, valid_days: int, zone: tzinfo) -> datetime:
    """When the discount of a month of issue ends at the latest: a day after the last promise made under it."""
    year, number = (int(part) for part in month.split("-"))
    first_of_next = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return first_of_next + timedelta(days=valid_days + 2)


def points_back(points: int, facts: OrderFacts, reward: Reward) -> int:
    """How many redeemed points come back for what was returned of the order that used them (DESIGN §8).

    "share": floor(points × (1 − remaining ÷ ordered)), both the value of all lines but gift cards, remaining also
    lowered by money tied to no line; by units when the order was worth nothing; all of them when nothing remains or
    the order is cancelled. "whole": all, once nothing remains or it is cancelled. "never": none.

    Of a reward for some products only those lines are looked at: who keeps the free mug and returns all the rest has
    what the points were for.
    """
    snapshot = facts.snapshot
    if reward.give_back == "never" or snapshot is None:
        return 0
    if facts.cancelled_at is not None or snapshot.financial_status in ("voided", "expired"):
        return points
    remains = what_remains(facts)
    lines = [line for line in remains.lines if line.line.kind != "gift_card" and line.line.quantity]
    if not lines:
        return 0  # only gift cards: nothing that could come back
    # Money that went back without a line is of all of them alike. What an edit added and nobody has paid yet went
    # nowhere: it is no return, and points for it could be spent before it is paid.
    value = sum(line.value for line in lines)
    kept = Fraction(max(0, value - remains.paid_back), value) if value else Fraction(1)
    left = _left(lines) * kept
    if theirs := [line for line in lines if _is_for(reward, line.line)]:
        left = max(left if reward.give_back == "whole" else Fraction(0), _left(theirs) * kept)
    if reward.give_back == "whole":
        return 0 if left else points
    return math.floor(points * (1 - left))


def _left(lines: Sequence[RemainingLine]) -> Fraction:
    """How much is left of some lines, of 1: by their value, by their units when they were worth nothing."""
    if ordered := sum(line.ordered for line in lines):
        return Fraction(sum(line.value for line in lines), ordered)
    return Fraction(sum(line.remaining for line in lines), sum(line.line.quantity for line in lines))


def _is_for(reward: Reward, line: LineFacts) -> bool:
    if reward.product is not None:
        return line.variant_id == reward.product.variant_id
    return line.product_id in reward.only_products

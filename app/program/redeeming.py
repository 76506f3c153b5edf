"""Decide whether a reward can be had, at what price, and what comes back when the order that used it is returned.

Pure: a reward, the moment, and what is used up go in; an `Offer` or a refusal's code comes out. What only the ledger
knows (enough points) and what must be counted under a lock (stock, budget) is asked there, by the rules named here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from app.program.facts import OrderFacts
from app.program.remaining import Exact, what_remains
from app.program.rewards import GiveBack, Period, Reward

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


def points_back(points: int, facts: OrderFacts, rule: GiveBack) -> int:
    """How many redeemed points come back for what was returned of the order that used them (DESIGN §8).

    "share": floor(points × (1 − remaining ÷ ordered)), both the value of all lines but gift cards, remaining also
    lowered by money tied to no line; by units when the order was worth nothing; all of them when nothing remains or
    the order is cancelled. "whole": all, once nothing remains or it is cancelled. "never": none.
    """
    snapshot = facts.snapshot
    if rule == "never" or snapshot is None:
        return 0
    if facts.cancelled_at is not None or snapshot.financial_status in ("voided", "expired"):
        return points
    remains = what_remains(facts)
    lines = [line for line in remains.lines if line.line.kind != "gift_card"]
    ordered: Exact = sum(line.ordered for line in lines)
    if ordered > 0:
        left: Exact = max(0, sum(line.value for line in lines) - remains.outstanding - remains.paid_back)
    else:
        ordered, left = sum(line.line.quantity for line in lines), sum(line.remaining for line in lines)
    if ordered <= 0:
        return 0  # only gift cards: nothing that could come back
    if left <= 0:
        return points
    if rule == "whole":
        return 0
    # points − ceil(points × left ÷ ordered), which is the floor of what is gone.
    return points - _ceiling(points * left, ordered)


def _ceiling(value: Exact, by: Exact) -> int:
    return int(-(-value // by))

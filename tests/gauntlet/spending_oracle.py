"""G14's oracle: what the accounts of one attacker must hold, from the list of what happened to them.

Plain Python over orders and rewards; it imports nothing of the app and keeps no ledger: every figure is worked out anew
from the facts. Money is in cents, shares are fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
FOR_ALL, FOR_FIRST_LINE = "every line", "the first line"


@dataclass(frozen=True)
class Terms:
    """One thing points buy: its price, what it takes off, of which lines, and what comes back."""

    slot: str
    points: int
    cents: int
    what: str = FOR_ALL
    give_back: str = "share"


@dataclass
class Line:
    price: int
    units: int
    discount: int = 0
    gone: int = 0  # units returned or removed

    @property
    def worth(self) -> int:
        return self.price * self.units - self.discount

    @property
    def left(self) -> Fraction:
        return Fraction(self.units - self.gone, self.units)


@dataclass
class Order:
    number: int
    customer: int
    placed_at: datetime
    lines: list[Line]
    code: str | None = None
    status: str = "paid"
    cancelled: bool = False
    paid_back: int = 0  # money that went back without goods
    removed: int = 0  # worth of units an edit took away, which paying out is set against

    @property
    def kept(self) -> Fraction:
        """What share of the money for the goods that are left was kept by the shop."""
        value = sum(line.worth * line.left for line in self.lines)
        back = max(0, self.paid_back - self.removed)
        return Fraction(max(0, value - back), value) if value and back else Fraction(1)

    @property
    def earned(self) -> int:
        """One point for every whole euro that remains."""
        if self.status != "paid" or self.cancelled:
            return 0
        value = sum(Fraction(line.worth * (line.units - line.gone), line.units) for line in self.lines)
        return max(0, floor(value - max(0, self.paid_back - self.removed))) // 100

    def share_left(self, lines: list[Line]) -> Fraction:
        worth = sum(line.worth for line in lines)
        if not worth:
            return Fraction(sum(line.units - line.gone for line in lines), sum(line.units for line in lines))
        return sum((line.worth * line.left for line in lines), Fraction(0)) / worth

    def discount_left(self) -> Fraction:
        """Cents of its discount that the shopper has of the goods they kept."""
        if self.cancelled or self.status == "voided":
            return Fraction(0)
        return sum((line.discount * line.left for line in self.lines), Fraction(0)) * self.kept


@dataclass
class Reward:
    """What one redemption holds or cost."""

    id: str
    terms: Terms
    customer: int
    codes: list[str]
    issued_at: datetime
    state: str = "issued"  # issued, releasing, released
    replacing: bool = False
    by_staff: int = 0

    @property
    def until(self) -> datetime:
        day = self.issued_at.astimezone(BERLIN).date() + timedelta(days=31)
        return datetime(day.year, day.month, day.day, tzinfo=BERLIN)

    def used_by(self, orders: list[Order]) -> Order | None:
        """The first order that shows one of its codes."""
        showing = [order for order in orders if order.code in self.codes]
        return min(showing, key=lambda order: (order.placed_at, order.number), default=None)

    def given_back(self, order: Order) -> int:
        points = self.terms.points
        if order.cancelled or order.status == "voided":
            return points
        left = order.share_left(order.lines) * order.kept
        if self.terms.what == FOR_FIRST_LINE:
            theirs = order.share_left(order.lines[:1]) * order.kept
            left = max(left, theirs) if self.terms.give_back == "whole" else theirs
        back = points if not left else 0
        if self.terms.give_back == "share":
            back = floor(points * (1 - left))
        return max(back, self.by_staff)


@dataclass
class Accounts:
    """Everything one attacker did, with all the accounts they have."""

    orders: list[Order] = field(default_factory=list)
    rewards: list[Reward] = field(default_factory=list)
    merged: dict[int, int] = field(default_factory=dict)  # customer → the one they were merged into

    def book_of(self, customer: int) -> int:
        while customer in self.merged:
            customer = self.merged[customer]
        return customer

    def state(self, reward: Reward) -> str:
        return "used" if reward.used_by(self.orders) else reward.state

    def spent(self, reward: Reward) -> int:
        """Points that are gone from available because of it."""
        order = reward.used_by(self.orders)
        if order is not None:
            return reward.terms.points - reward.given_back(order)
        return 0 if reward.state == "released" else reward.terms.points

    def net(self, customer: int) -> int:
        """Available less debt, which are never both above nothing."""
        book = self.book_of(customer)
        earned = sum(order.earned for order in self.orders if self.book_of(order.customer) == book)
        return earned - sum(self.spent(reward) for reward in self.rewards if self.book_of(reward.customer) == book)

    def reserved(self, customer: int) -> int:
        book = self.book_of(customer)
        return sum(
            reward.terms.points
            for reward in self.rewards
            if self.book_of(reward.customer) == book and self.state(reward) in ("issued", "releasing")
        )

    def expire(self, now: datetime) -> None:
        for reward in self.rewards:
            if self.state(reward) == "issued" and reward.until <= now:
                reward.state = "releasing"

    def extracted(self) -> Fraction:
        """Points they hold, and the worth in points of what rewards gave them for good, beyond what they earned and
        what staff gave them: nothing, whatever they do.
        """
        customers = {self.book_of(order.customer) for order in self.orders}
        held = sum(self.net(customer) + self.reserved(customer) for customer in customers)
        got = sum(self._worth_kept(reward) for reward in self.rewards)
        gifts = sum(reward.by_staff for reward in self.rewards)
        return held + got - gifts - sum(order.earned for order in self.orders)

    def _worth_kept(self, reward: Reward) -> int:
        cents = sum(order.discount_left() for order in self.orders if order.code in reward.codes)
        return floor(cents * reward.terms.points / reward.terms.cents)

"""The home page: four numbers, what waits for the merchant, points by week, and how the store is doing.

Points come from the day totals, the rest by index; nothing here grows with the number of entries. What rewards cost is
summed over those of a year, the longest that one can be used after it was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...ledger.models import DayTotal
from ...models import Delivery, DeliveryState, Member, Order, Redemption, RewardTerms, Shop
from ...program.margin import value_of_a_point
from .activity import Happening, activity
from .deliveries import oldest_parked, parked_jobs
from .privacy import open_requests
from .rewards import Troubled, troubled_redemptions, troubled_rewards
from .versions import ProgramState, program_state
from .words import Words

PERIOD = timedelta(days=30)
WEEKS = 12
# What moves points into members' hands from outside, and out again; the rest moves between a member's own accounts.
INTO_BOOKS = {
    "earned": 1, "adjusted_up": 1, "given_back": 1, "taken_back": -1, "adjusted_down": -1, "redeemed": -1,
}  # fmt: skip
LONGEST_UNUSED = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Numbers:
    members: int
    new_members: int  # in the last 30 days
    issued: int  # points, last 30 days
    issued_before: int  # in the 30 days before those
    redeemed: int  # points, last 30 days, less what came back
    reward_cost_minor: int  # of what was used in the last 30 days
    outstanding: int  # points in members' hands, less what they owe
    worth_minor: int | None  # of those, were all of them redeemed at best; None while no reward says
    revenue_minor: int  # of members' orders, last 30 days
    sales_minor: int  # of all orders, last 30 days

    @property
    def issued_change_percent(self) -> int | None:
        """Whole percent against the 30 days before, rounded toward zero; None when there is nothing to compare."""
        if not self.issued_before:
            return None
        change = abs(self.issued - self.issued_before) * 100 // self.issued_before
        return change if self.issued >= self.issued_before else -change

    @property
    def share_percent(self) -> int | None:
        return self.revenue_minor * 100 // self.sales_minor if self.sales_minor else None


@dataclass(frozen=True, slots=True)
class Week:
    begins: date
    issued: int
    redeemed: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for the merchant. ``what`` is a key the page has words for."""

    parked: int
    parked_reason: str
    jobs: int
    jobs_reason: str
    requests: int
    request_days_left: int
    redemptions: list[Troubled]
    rewards: list[Troubled]
    test_orders: bool  # a development store whose test orders earn nothing

    @property
    def anything(self) -> bool:
        return bool(self.parked or self.jobs or self.requests or self.redemptions or self.rewards or self.test_orders)


@dataclass(frozen=True, slots=True)
class OrdersFeed:
    """How well we hear Shopify."""

    last_at: datetime | None  # the last delivery about an order
    waiting: int
    reconciled_at: datetime | None
    recovered: int


@dataclass(frozen=True, slots=True)
class Home:
    program: ProgramState
    numbers: Numbers
    waiting: Waiting
    weeks: list[Week]
    feed: OrdersFeed
    lately: list[Happening]


def home(session: Session, shop: Shop, words: Words) -> Home:
    now = words.now
    program = program_state(session, shop, now)
    return Home(
        program=program,
        numbers=_numbers(session, shop.shop_id, program, now),
        waiting=_waiting(session, shop, program, words),
        weeks=_weeks(session, shop.shop_id, now),
        feed=orders_feed(session, shop),
        lately=activity(session, shop, words, limit=5),
    )


def _numbers(session: Session, shop_id: int, program: ProgramState, now: datetime) -> Numbers:
    since = now - PERIOD
    here = (Member.shop_id == shop_id, Member.merged_into.is_(None), Member.redacted_at.is_(None))
    members = session.scalar(select(func.count()).select_from(Member).where(*here)) or 0
    new = session.scalar(select(func.count()).select_from(Member).where(*here, Member.joined_at >= since)) or 0
    by_kind = _points_by_kind(session, shop_id)
    of_members = func.coalesce(func.sum(Order.revenue_minor).filter(Order.member_id.is_not(None)), 0)
    revenue, sales = session.execute(
        select(of_members, func.coalesce(func.sum(Order.revenue_minor), 0)).where(
            Order.shop_id == shop_id, Order.created_at >= since
        )
    ).one()
    day = now.date()
    outstanding = sum(by_kind.get(kind, 0) * sign for kind, sign in INTO_BOOKS.items())
    value = value_of_a_point(program.live.settings) if program.live else Fraction(0)
    return Numbers(
        members=members,
        new_members=new,
        issued=_moved(session, shop_id, "earned", day - PERIOD, day),
        issued_before=_moved(session, shop_id, "earned", day - 2 * PERIOD, day - PERIOD),
        redeemed=_moved(session, shop_id, "redeemed", day - PERIOD, day)
        - _moved(session, shop_id, "given_back", day - PERIOD, day),
        reward_cost_minor=_reward_cost(session, shop_id, since),
        outstanding=outstanding,
        worth_minor=int(max(0, outstanding) * value) if value else None,
        revenue_minor=int(revenue),
        sales_minor=int(sales),
    )


def _reward_cost(session: Session, shop_id: int, since: datetime) -> int:
    slots = select(RewardTerms.slot).where(RewardTerms.shop_id == shop_id).distinct()
    cost = session.scalar(
        select(func.sum(Redemption.cost_minor)).where(
            Redemption.shop_id == shop_id,
            Redemption.slot.in_(slots),
            Redemption.reserved_at >= since - LONGEST_UNUSED,
            Redemption.used_at >= since,
        )
    )
    return int(cost or 0)


def _points_by_kind(session: Session, shop_id: int) -> dict[str, int]:
    rows = session.execute(
        select(DayTotal.kind, func.sum(DayTotal.points)).where(DayTotal.shop_id == shop_id).group_by(DayTotal.kind)
    )
    return {kind: int(points) for kind, points in rows}


def _moved(session: Session, shop_id: int, kind: str, after: date, until: date) -> int:
    points = session.scalar(
        select(func.sum(DayTotal.points)).where(
            DayTotal.shop_id == shop_id, DayTotal.day > after, DayTotal.day <= until, DayTotal.kind == kind
        )
    )
    return int(points or 0)


def _waiting(session: Session, shop: Shop, program: ProgramState, words: Words) -> Waiting:
    parked, reason = oldest_parked(session, shop.shop_id)
    jobs = parked_jobs(session, shop.shop_id)
    requests, days = open_requests(session, shop.shop_id, words.now)
    rules = program.live or program.waiting
    return Waiting(
        parked=parked,
        parked_reason=reason,
        jobs=len(jobs),
        jobs_reason=f"{jobs[0].title}: {jobs[0].reason}" if jobs else "",
        requests=requests,
        request_days_left=days,
        redemptions=troubled_redemptions(session, shop.shop_id),
        rewards=troubled_rewards(session, shop, program, words),
        test_orders=bool(shop.is_development and rules and not rules.settings.earning.test_orders),
    )


def _weeks(session: Session, shop_id: int, now: datetime) -> list[Week]:
    """The last twelve weeks, the present one last, each from its Monday. Days are UTC's, as the totals are kept."""
    this_week = now.date() - timedelta(days=now.date().weekday())
    first = this_week - timedelta(weeks=WEEKS - 1)
    rows = session.execute(
        select(DayTotal.day, DayTotal.kind, DayTotal.points).where(
            DayTotal.shop_id == shop_id, DayTotal.day >= first, DayTotal.kind.in_(["earned", "redeemed"])
        )
    )
    totals: dict[tuple[date, str], int] = {}
    for day, kind, points in rows:
        week = day - timedelta(days=day.weekday())
        totals[week, kind] = totals.get((week, kind), 0) + points
    begins = [first + timedelta(weeks=number) for number in range(WEEKS)]
    return [Week(week, totals.get((week, "earned"), 0), totals.get((week, "redeemed"), 0)) for week in begins]


def orders_feed(session: Session, shop: Shop) -> OrdersFeed:
    mine = Delivery.shop_id == shop.shop_id
    last_at = session.scalar(
        select(Delivery.received_at)
        .where(mine, Delivery.topic.like("orders/%"))
        .order_by(Delivery.received_at.desc())
        .limit(1)
    )
    waiting = session.scalar(
        select(func.count()).select_from(Delivery).where(mine, Delivery.state == DeliveryState.NEW)
    )
    return OrdersFeed(last_at, waiting or 0, shop.reconciled_at, shop.recovered)

"""One reward's page: its codes, what became of them, what it cost so far, and who had it lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from ...errors import NotFound
from ...models import IS_FREE, Code, Discount, Member, Redemption, RedemptionState, RewardTerms, Shop
from ...program.redeeming import month_of_issue
from ...program.rewards import Reward, reward_summary, reward_title
from ..hand_out import waits_for_staff
from ..release import order_is_lost
from .rewards import (
    Badge,
    Counts,
    counts,
    draft_badges,
    latest_terms,
    live_reward_id,
    missing_scopes,
    offer_badges,
    points_words,
    running_minor,
)
from .versions import ProgramState, program_state
from .words import Words

PAGE = 20
MOST_POOLS = 12  # a slider has one a month for each amount that was asked for
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pool:
    """One discount at Shopify and the codes of it that nobody has yet."""

    title: str
    month: str
    free: int
    wanted: int  # 0: as many as there are will do
    out: int
    problem: str
    discount_id: str  # in Shopify's admin; "" until it is made
    is_current: bool


@dataclass(frozen=True, slots=True)
class Had:
    """Somebody had the reward."""

    redemption_id: str
    member_id: int
    customer_id: int | None
    title: str
    points: int
    at: datetime
    state: Badge


@dataclass(frozen=True, slots=True)
class RewardReport:
    slot: str
    reward: Reward
    title: str
    points: str
    summary: str
    badges: list[Badge]
    program: ProgramState
    in_draft: bool
    is_live: bool
    counts: Counts
    running_minor: int
    pools: list[Pool]
    problem: str
    missing_scopes: list[str]
    lately: list[Had]
    older: str | None


def reward_report(session: Session, shop: Shop, slot: str, words: Words, *, older: str | None = None) -> RewardReport:
    """Raises `NotFound` for a slot that neither the draft nor any version ever had."""
    program = program_state(session, shop, words.now)
    drafted = {reward.slot: reward for reward in program.draft.rewards}
    live = {reward.slot: reward for reward in program.live.settings.rewards} if program.live else {}
    past = latest_terms(session, shop.shop_id)
    reward = live.get(slot) or drafted.get(slot) or (past[slot][0] if slot in past else None)
    if reward is None:
        raise NotFound("There is no such reward.")
    currency = past[slot][1] if slot in past and slot not in live and slot not in drafted else program.draft.currency
    tally = counts(session, shop.shop_id, slot)[slot]
    pools = _pools(session, shop.shop_id, slot, month_of_issue(words.now, words.zone))
    lately, following = had_lately(session, shop.shop_id, words, slot=slot, older=older)
    offered = offer_badges(session, shop, program, words).get(slot, [])
    current = live_reward_id(program, slot)
    return RewardReport(
        slot=slot,
        reward=reward,
        title=reward_title(reward, currency),
        points=points_words(reward),
        summary=reward_summary(reward, currency),
        badges=[*offered, *draft_badges(program, slot)] or [Badge("No longer offered")],
        program=program,
        in_draft=slot in drafted,
        is_live=current is not None,
        counts=tally,
        running_minor=running_minor(tally, reward),
        pools=pools,
        problem=next((pool.problem for pool in pools if pool.problem and pool.is_current), ""),
        missing_scopes=missing_scopes(shop, reward.kind),
        lately=lately,
        older=following,
    )


def _pools(session: Session, shop_id: int, slot: str, month: str) -> list[Pool]:
    rows = session.execute(
        select(Discount, RewardTerms.reward, RewardTerms.currency)
        .join(RewardTerms, (RewardTerms.shop_id == Discount.shop_id) & (RewardTerms.reward_id == Discount.reward_id))
        .where(Discount.shop_id == shop_id, RewardTerms.slot == slot, Discount.removed_at.is_(None))
        .order_by(Discount.month.desc(), Discount.amount_minor)
        .limit(MOST_POOLS)
    ).all()
    keys = [row.Discount.key for row in rows]
    free = _tally(
        session, Code.discount_key,
        Code.shop_id == shop_id, Code.discount_key.in_(keys), IS_FREE,
    )  # fmt: skip
    out = _tally(
        session, Redemption.discount_key,
        Redemption.shop_id == shop_id, Redemption.slot == slot, Redemption.discount_key.in_(keys),
        Redemption.state.in_([RedemptionState.ISSUED, RedemptionState.RELEASING]),
    )  # fmt: skip
    return [
        Pool(
            title=reward_title(Reward.model_validate(reward), currency, discount.amount_minor),
            month=discount.month,
            free=free.get(discount.key, 0),
            wanted=discount.wanted,
            out=out.get(discount.key, 0),
            problem=discount.problem,
            discount_id=(discount.gid or "").rpartition("/")[2],
            is_current=discount.month >= month,
        )
        for discount, reward, currency in rows
    ]


def _tally(session: Session, column: Any, *where: ColumnElement[bool]) -> dict[str, int]:
    """How many rows there are for each value of a column."""
    return {row[0]: row[1] for row in session.execute(select(column, func.count()).where(*where).group_by(column))}


def had_lately(
    session: Session, shop_id: int, words: Words, *, slot: str | None = None, member_id: int | None = None,
    older: str | None = None, limit: int = PAGE,
) -> tuple[list[Had], str | None]:  # fmt: skip
    """Redemptions of a reward or of a member, the newest first, and where the next page begins."""
    place = (Redemption.reserved_at, Redemption.redemption_id)
    where = [Redemption.shop_id == shop_id]
    where += [Redemption.slot == slot] if slot is not None else []
    where += [Redemption.member_id == member_id] if member_id is not None else []
    if (after := _place(older)) is not None:
        where.append(tuple_(*place) < after)
    rows = session.execute(
        select(Redemption, Member.customer_id)
        .join(Member, (Member.shop_id == Redemption.shop_id) & (Member.member_id == Redemption.member_id))
        .where(*where)
        .order_by(*(column.desc() for column in place))
        .limit(limit + 1)
    ).all()
    found = [
        Had(row.redemption_id, row.member_id, customer_id, row.title, row.points, row.reserved_at, state_badge(row))
        for row, customer_id in rows[:limit]
    ]
    last = rows[limit - 1][0] if len(rows) > limit else None
    return found, _place_text(last.reserved_at, last.redemption_id) if last is not None else None


def state_badge(redemption: Redemption) -> Badge:
    """Where a redemption stands, in two or three words."""
    match redemption.state:
        case RedemptionState.RESERVED:
            return NEEDS_YOU if waits_for_staff(redemption) else Badge("Being made", "info")
        case RedemptionState.ISSUED:
            return Badge("Not used yet", "info")
        case RedemptionState.RELEASING if order_is_lost(redemption):
            return NEEDS_YOU
        case RedemptionState.RELEASING:
            return Badge("Gets another code" if redemption.reissue else "On its way back", "info")
        case RedemptionState.USED:
            return _used_badge(redemption)
        case RedemptionState.RELEASED:
            return _RELEASED.get(redemption.why, Badge("Given back"))


NEEDS_YOU = Badge("Needs you", "warning")
_RELEASED = {
    "expired": Badge("Unused, given back"),
    "staff": Badge("Cancelled by staff"),
    "not_made": Badge("Could not be made", "warning"),
    "deleted": Badge("Code deleted, given back"),
}


def _used_badge(redemption: Redemption) -> Badge:
    if redemption.given_back >= redemption.points:
        return Badge("Used, points given back")
    if redemption.after_all:
        return Badge("Used after it was given back", "warning")
    if redemption.by_other:
        return Badge("Used by somebody else", "warning")
    return Badge("Used, part given back" if redemption.given_back else "Used", "success")


def _place(text: str | None) -> tuple[datetime, str] | None:
    """A cursor as `_place_text` wrote it; None for none, and for anything else: the first page is a good answer."""
    if not text or len(text) > 64 or not text.isascii() or not text.isprintable():
        return None
    micros, _, redemption_id = text.partition(".")
    try:
        return EPOCH + timedelta(microseconds=int(micros)), redemption_id
    except (ValueError, OverflowError):
        return None


def _place_text(at: datetime, redemption_id: str) -> str:
    return f"{(at - EPOCH) // timedelta(microseconds=1)}.{redemption_id}"

"""The audit of what was redeemed (I7): every redemption, code and counter says what the ledger and the others say.

Reads one shop at a time, redemptions one by one; what it keeps in memory is a few numbers for each of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..ledger import Account, Balance, Entry
from ..models import Code, CodeState, CodeUse, Redemption, RedemptionState, RewardUse
from .redeem import cause_of

HELD = (RedemptionState.RESERVED, RedemptionState.ISSUED, RedemptionState.RELEASING)
COLUMNS = (
    Redemption.redemption_id, Redemption.member_id, Redemption.slot, Redemption.points, Redemption.state,
    Redemption.code, Redemption.discount_key, Redemption.counted, Redemption.given_back, Redemption.order_id,
)  # fmt: skip


@dataclass(slots=True)
class _Seen:
    """What the redemptions of a shop add up to."""

    held_by: Counter[int] = field(default_factory=Counter)  # member → points set aside
    counted: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # (slot, what, period) → how much
    owner_of: dict[str, str] = field(default_factory=dict)  # code → redemption
    state_of: dict[str, RedemptionState] = field(default_factory=dict)


def audit_rewards(session: Session, shop_id: int) -> Iterator[str]:
    """Every disagreement about rewards, in words."""
    sums, seen = _sums(session, shop_id), _Seen()
    rows = session.execute(
        select(*COLUMNS)
        .where(Redemption.shop_id == shop_id)
        .order_by(Redemption.redemption_id)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        where = f"shop {shop_id} redemption {row.redemption_id}"
        reserved, redeemed = sums.pop(cause_of(row.redemption_id), (0, 0))
        yield from (f"{where}: {problem}" for problem in _check(row, reserved, redeemed))
        if row.code is not None and row.discount_key is not None:
            if row.code in seen.owner_of:
                yield f"{where}: its code is also that of redemption {seen.owner_of[row.code]}"
            seen.owner_of[row.code] = row.redemption_id
        seen.state_of[row.redemption_id] = row.state
        if row.state in HELD:
            seen.held_by[row.member_id] += row.points
        for what, period, much in row.counted:
            seen.counted[row.slot, what, period] += much
    for cause, (reserved, redeemed) in sums.items():
        yield f"shop {shop_id}: {reserved} points set aside and {redeemed} spent for {cause}, which is not there"
    yield from _check_members(session, shop_id, seen)
    yield from _check_codes(session, shop_id, seen)
    yield from _check_uses(session, shop_id, seen)
    yield from _check_counters(session, shop_id, seen)


def _sums(session: Session, shop_id: int) -> dict[str, tuple[int, int]]:
    """cause → what its entries leave (set aside, spent)."""
    rows = session.execute(
        select(Entry.cause, Entry.source, Entry.target, func.sum(Entry.points))
        .where(Entry.shop_id == shop_id, Entry.cause.startswith(cause_of("")))
        .group_by(Entry.cause, Entry.source, Entry.target)
    )
    sums: dict[str, tuple[int, int]] = {}
    for cause, source, target, points in rows:
        reserved, redeemed = sums.get(cause, (0, 0))
        reserved += int(points) * ((target == Account.RESERVED) - (source == Account.RESERVED))
        redeemed += int(points) * ((target == Account.REDEEMED) - (source == Account.REDEEMED))
        sums[cause] = reserved, redeemed
    return sums


def _check(row: Any, reserved: int, redeemed: int) -> Iterator[str]:
    expected = {RedemptionState.USED: (0, row.points - row.given_back), RedemptionState.RELEASED: (0, 0)}.get(
        row.state, (row.points, 0)
    )
    if (reserved, redeemed) != expected:
        yield (
            f"it is {row.state}, which is {expected[0]} points set aside and {expected[1]} spent; its entries say "
            f"{reserved} and {redeemed}"
        )
    if not 0 <= row.given_back <= row.points or (row.given_back and row.state is not RedemptionState.USED):
        yield f"it is {row.state}, and {row.given_back} of its {row.points} points were given back"
    if row.state in (RedemptionState.ISSUED, RedemptionState.RELEASING) and row.code is None:
        yield f"it is {row.state} and has no code"
    if row.state is RedemptionState.RESERVED and row.code is not None and row.discount_key is not None:
        yield "it waits for a code and has one"
    if row.state is RedemptionState.RELEASED and row.counted:
        yield "it is released and still counts against a limit"


def _check_members(session: Session, shop_id: int, seen: _Seen) -> Iterator[str]:
    held = Counter(seen.held_by)
    for member_id, reserved in session.execute(
        select(Balance.member_id, Balance.reserved).where(Balance.shop_id == shop_id, Balance.reserved > 0)
    ):
        if (points := held.pop(member_id, 0)) != reserved:
            yield f"shop {shop_id} member {member_id}: {reserved} points set aside, their redemptions hold {points}"
    for member_id, points in held.items():
        yield f"shop {shop_id} member {member_id}: no points set aside, their redemptions hold {points}"


def _check_codes(session: Session, shop_id: int, seen: _Seen) -> Iterator[str]:
    """A code that is with somebody is with one redemption, which is not over without it; a redemption's code is known
    to be with it.
    """
    unknown = {code: owner for code, owner in seen.owner_of.items() if seen.state_of[owner] in HELD}
    rows = session.execute(
        select(Code.code, Code.state, Code.redemption_id)
        .where(Code.shop_id == shop_id, (Code.redemption_id.is_not(None)) | (Code.state == CodeState.TAKEN))
        .execution_options(yield_per=1000)
    )
    for code, state, redemption_id in rows:
        where = f"shop {shop_id} code of redemption {redemption_id}"
        unknown.pop(code, None)
        owner = seen.owner_of.get(code)
        of = seen.state_of.get(redemption_id or "")
        if of is None:
            yield f"{where}: there is no such redemption"
        elif state in (CodeState.FREE, CodeState.CHOSEN):
            yield f"{where}: it is in the pool"
        elif state is CodeState.TAKEN and owner != redemption_id:
            yield f"{where}: the redemption does not know it"
        elif state is CodeState.TAKEN and of is RedemptionState.RELEASED:
            yield f"{where}: it is still out, and the points are back"
        elif state is not CodeState.TAKEN and of is RedemptionState.ISSUED and owner == redemption_id:
            yield f"{where}: it is {state}, and the redemption is issued"
    for owner in unknown.values():
        yield f"shop {shop_id} redemption {owner}: its code was never made"


def _check_uses(session: Session, shop_id: int, seen: _Seen) -> Iterator[str]:
    """A code that is used is used by an order that shows it; or staff said so, of one that was being let go."""
    shown = select(CodeUse.order_id).where(
        CodeUse.shop_id == shop_id,
        CodeUse.redemption_id == Redemption.redemption_id,
        CodeUse.order_id == Redemption.order_id,
    )
    used = select(Redemption.redemption_id).where(
        Redemption.shop_id == shop_id,
        Redemption.state == RedemptionState.USED,
        Redemption.discount_key.is_not(None),
        (Redemption.order_id.is_not(None)) | (Redemption.releasing_at.is_(None)),
        ~shown.exists(),
    )
    for redemption_id in session.scalars(used):
        yield f"shop {shop_id} redemption {redemption_id}: it is used, and no order shows its code"


def _check_counters(session: Session, shop_id: int, seen: _Seen) -> Iterator[str]:
    counted = Counter(seen.counted)
    for slot, what, period, used in session.execute(
        select(RewardUse.slot, RewardUse.what, RewardUse.period, RewardUse.used).where(RewardUse.shop_id == shop_id)
    ):
        if (much := counted.pop((slot, what, period), 0)) != used:
            yield _miscounted(shop_id, slot, what, period, used, much)
    for (slot, what, period), much in counted.items():
        if much:
            yield _miscounted(shop_id, slot, what, period, 0, much)


def _miscounted(shop_id: int, slot: str, what: str, period: str, used: int, much: int) -> str:
    when = f" in {period}" if period else ""
    return f"shop {shop_id} reward {slot}: {what} used{when} is {used}, its redemptions say {much}"

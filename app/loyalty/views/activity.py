"""What happened lately at a shop, in words: points, the program, staff, deliveries.

Every source is read by index or is small by nature (versions, corrections by hand). Points are those of the orders
created most recently; older ones are on their member's page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import Adjustment, Decision, Delivery, Order, Pause, ProgramVersion, Redemption, Shop
from ...program.decision import Decision as Decided
from ...program.explaining import HistoryKind
from ..programs import live_settings
from .history import HistoryLine
from .orders import why
from .reward_report import state_badge
from .shopper import title
from .words import Words, count, signed

Source = Literal["program", "points", "staff", "deliveries"]
SOURCES: tuple[str, ...] = get_args(Source)
PAGE = 50
ORDERS_LOOKED_AT = 60
REDEMPTIONS_OF_A_REWARD = 20


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    source: Source
    title: str
    detail: str
    member_id: int | None = None  # whose page tells more
    order_id: int | None = None
    version: int | None = None
    redemption_id: str = ""


def activity(
    session: Session, shop: Shop, words: Words, *, source: str | None = None, limit: int = PAGE
) -> list[Happening]:
    """The newest first. ``source`` narrows it to one of `SOURCES`; deliveries are shown only when asked for."""
    wanted = (source,) if source in SOURCES else ("program", "points", "staff")
    found: list[Happening] = []
    if "program" in wanted:
        found += _versions(session, shop.shop_id, words, limit) + _pauses(session, shop.shop_id, limit)
    if "points" in wanted:
        found += _points(session, shop.shop_id, words) + _redemptions(session, shop.shop_id, words.now)
    if "staff" in wanted:
        found += _adjustments(session, shop.shop_id, words, limit)
    if "deliveries" in wanted:
        found += _deliveries(session, shop.shop_id, limit)
    # Of what happened in one moment, the later comes first too: an order's refund stands above the order.
    found.reverse()
    return sorted(found, key=lambda item: item.at, reverse=True)[:limit]


def _versions(session: Session, shop_id: int, words: Words, limit: int) -> list[Happening]:
    rows = session.scalars(
        select(ProgramVersion)
        .where(ProgramVersion.shop_id == shop_id)
        .order_by(ProgramVersion.number.desc())
        .limit(limit)
    )
    return [
        Happening(
            at=row.published_at,
            source="program",
            title=f"{words.who(row.author)} published version {row.number} of the program",
            detail=_what_changed(row, words),
            version=row.number,
        )
        for row in rows
    ]


def _what_changed(row: ProgramVersion, words: Words) -> str:
    later = f"Starts on {words.moment(row.starts_at)}. " if row.starts_at > row.published_at else ""
    return later + ("The first version" if row.number == 1 else "; ".join(row.changes[:3]) or "Nothing but its start")


def _pauses(session: Session, shop_id: int, limit: int) -> list[Happening]:
    rows = session.scalars(
        select(Pause).where(Pause.shop_id == shop_id).order_by(Pause.starts_at.desc()).limit(limit)
    ).all()
    detail = "Orders placed meanwhile earn nothing"
    begun = [Happening(row.starts_at, "program", "The program was paused", detail) for row in rows]
    ended = [
        Happening(row.ends_at, "program", "The program went on", "Orders earn points again")
        for row in rows
        if row.ends_at is not None
    ]
    return begun + ended


def _points(session: Session, shop_id: int, words: Words) -> list[Happening]:
    """Each change of an order's points, of the orders created last."""
    newest = session.execute(
        select(Order.order_id, Order.name, Order.member_id)
        .where(Order.shop_id == shop_id, Order.created_at.is_not(None))
        .order_by(Order.created_at.desc())
        .limit(ORDERS_LOOKED_AT)
    ).all()
    orders = {row.order_id: row for row in newest}
    rows = session.scalars(
        select(Decision)
        .where(Decision.shop_id == shop_id, Decision.order_id.in_(list(orders)))
        .order_by(Decision.order_id, Decision.number)
    )
    happenings: list[Happening] = []
    previous: dict[int, Decided] = {}
    for row in rows:
        order, decided = orders[row.order_id], Decided.from_json(orjson.loads(row.decision))
        before = previous.get(row.order_id)
        previous[row.order_id] = decided
        gained = decided.points - (before.points if before else 0)
        kind: HistoryKind = "taken_back" if gained < 0 else "pending" if decided.matures_at else "earned"
        line = HistoryLine(
            at=row.decided_at, kind=kind, points=gained, order_id=row.order_id, order_name=order.name,
            decision=decided, previous=before, version=row.version,
        )  # fmt: skip
        verb = f"took back {count(-gained, 'point')}" if gained < 0 else f"earned {count(gained, 'point')}"
        happenings.append(
            Happening(
                row.decided_at, "points", f"{title(line)} {verb}", why(line, words).removesuffix("."),
                order.member_id, row.order_id,
            )
        )  # fmt: skip
    return happenings


def _redemptions(session: Session, shop_id: int, now: datetime) -> list[Happening]:
    """Who had a reward of the program in force, and where that stands: by index, reward by reward."""
    settings = live_settings(session, shop_id, now)
    happenings = []
    for reward in settings.rewards if settings else ():
        rows = session.scalars(
            select(Redemption)
            .where(Redemption.shop_id == shop_id, Redemption.slot == reward.slot)
            .order_by(Redemption.reserved_at.desc())
            .limit(REDEMPTIONS_OF_A_REWARD)
        )
        happenings += [
            Happening(
                row.reserved_at, "points", f"A member took {row.title} for {count(row.points, 'point')}",
                state_badge(row).words, redemption_id=row.redemption_id,
            )
            for row in rows
        ]  # fmt: skip
    return happenings


def _adjustments(session: Session, shop_id: int, words: Words, limit: int) -> list[Happening]:
    rows = session.scalars(
        select(Adjustment)
        .where(Adjustment.shop_id == shop_id)
        .order_by(Adjustment.adjusted_at.desc())
        .limit(limit)
    )  # fmt: skip
    return [
        Happening(
            at=row.adjusted_at,
            source="staff",
            title=f"{words.who(row.author)} adjusted a member by {signed(row.points)} points",
            detail=row.reason,
            member_id=row.member_id,
        )
        for row in rows
    ]


def _deliveries(session: Session, shop_id: int, limit: int) -> list[Happening]:
    rows = session.execute(
        select(Delivery.received_at, Delivery.topic, Delivery.outcome, Delivery.state)
        .where(Delivery.shop_id == shop_id)
        .order_by(Delivery.received_at.desc())
        .limit(limit)
    )
    return [
        Happening(
            at=row.received_at,
            source="deliveries",
            title=row.topic,
            detail=row.outcome or ("Waiting to be worked" if row.state == "new" else ""),
        )
        for row in rows
    ]

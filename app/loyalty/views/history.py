"""A member's history: every movement as one line with its reason, zero included.

Two streams are merged by time: what the ledger posted (grouped by event: a take-back may be four entries and is one
line), and orders that earned nothing and so left no entry. Both are read by index, newest first, a page at a time, so
a page costs the same after ten entries and after a hundred thousand. What moves nothing a member can see (points set
aside become spent ones) is no line.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...ledger import Account, Entry, Kind
from ...models import Adjustment, Decision, Order, Redemption
from ...program.decision import Decision as Decided
from ...program.explaining import HistoryKind
from ...program.explaining_rewards import RewardStory
from ..using import terms_of

PAGE = 20
REDEMPTION = "redemption:"  # how the ledger's causes name one
# More entries than lines are read, since one line may be several: own pending, own lot, other lots, debt, repayment.
ENTRIES_A_LINE = 4
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Place = tuple[datetime, int, int]  # as in Cursor


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that happened. ``points`` are signed; ``available_after`` is None for orders without entries."""

    at: datetime
    kind: HistoryKind
    points: int
    order_id: int | None
    order_name: str
    decision: Decided | None
    previous: Decided | None
    version: int | None
    note: str = ""
    available_after: int | None = None
    author: str = ""
    event: str = ""  # the ledger's; "" for orders without entries
    redemption_id: str = ""
    reward: RewardStory | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended, as (moment, number of the event's first entry or 0, order id or 0): the next page holds what
    sorts below."""

    at: datetime
    seq: int
    order_id: int

    def __str__(self) -> str:
        text = f"{(self.at - EPOCH) // timedelta(microseconds=1)}.{self.seq}.{self.order_id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str | None) -> Cursor | None:
        """None for no cursor and for anything that is none: the first page is always a good answer."""
        if not text or len(text) > 64:
            return None
        try:
            at, seq, order_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").split(".")
            cursor = cls(EPOCH + timedelta(microseconds=int(at)), int(seq), int(order_id))
        except (ValueError, binascii.Error, OverflowError):
            return None
        return cursor if 0 <= cursor.seq < 2**63 and 0 <= cursor.order_id < 2**63 else None


@dataclass(slots=True)
class _Event:
    """The entries of one event, summed."""

    name: str
    cause: str
    at: datetime
    first_seq: int
    kinds: set[str]
    available: int = 0
    pending: int = 0
    debt: int = 0

    @property
    def points(self) -> int:
        return self.available + self.pending - self.debt

    def add(self, row: Any) -> None:
        self.first_seq = min(self.first_seq, row.seq)
        self.kinds.add(row.kind)
        self.available += row.points * ((row.target == Account.AVAILABLE) - (row.source == Account.AVAILABLE))
        self.pending += row.points * ((row.target == Account.PENDING) - (row.source == Account.PENDING))
        self.debt += row.points * ((row.source == Account.DEBT) - (row.target == Account.DEBT))


# Points set aside that become spent ones move nothing a member can see.
_VISIBLE = (Entry.source != Account.RESERVED) | (Entry.target != Account.REDEEMED)
_COLUMNS = (
    Entry.event, Entry.cause, Entry.posted_at, Entry.seq, Entry.kind, Entry.source, Entry.target, Entry.points,
)  # fmt: skip


def history(
    session: Session, shop_id: int, member_id: int, *, cursor: Cursor | None = None, limit: int = PAGE
) -> tuple[list[HistoryLine], Cursor | None]:
    """A page of lines, newest first, and where the next one begins (None: that was all)."""
    events, more_events = _events(session, shop_id, member_id, cursor, limit)
    zeros = _zeros(session, shop_id, member_id, cursor, limit + 1)
    stream: list[tuple[Place, _Event | Order]] = [((event.at, event.first_seq, 0), event) for event in events]
    stream += [((order.settled_at or EPOCH, 0, order.order_id), order) for order in zeros]
    stream.sort(key=lambda item: item[0], reverse=True)
    if more_events and events:
        # Entries older than the last event read may still be newer than the zeros below it.
        last = (events[-1].at, events[-1].first_seq, 0)
        stream = [item for item in stream if item[0] >= last]
    page = stream[:limit]
    lines = _lines(session, shop_id, [item for _, item in page])
    more = len(stream) > limit or more_events
    return lines, Cursor(*page[-1][0]) if more and page else None


def _events(
    session: Session, shop_id: int, member_id: int, cursor: Cursor | None, limit: int
) -> tuple[list[_Event], bool]:
    wanted = (limit + 1) * ENTRIES_A_LINE
    mine = (Entry.shop_id == shop_id, Entry.member_id == member_id, _VISIBLE)
    where = list(mine)
    if cursor is not None:
        where.append(Entry.seq < cursor.seq if cursor.seq else Entry.posted_at < cursor.at)
    rows = session.execute(select(*_COLUMNS).where(*where).order_by(Entry.seq.desc()).limit(wanted)).all()
    events: dict[str, _Event] = {}
    for row in rows:
        events.setdefault(row.event, _Event(row.event, row.cause, row.posted_at, row.seq, set())).add(row)
    found = list(events.values())
    cut = len(rows) == wanted
    if cut and len(found) > 1:
        found.pop()  # its older entries may not have been read
    elif cut:  # points drawn from a hundred lots
        rest = (Entry.cause == found[0].cause, Entry.event == found[0].name, Entry.seq < rows[-1].seq)
        for row in session.execute(select(*_COLUMNS).where(*mine, *rest)):
            found[0].add(row)
    return found, cut


def _zeros(session: Session, shop_id: int, member_id: int, cursor: Cursor | None, limit: int) -> Sequence[Order]:
    where = [Order.shop_id == shop_id, Order.member_id == member_id, Order.settlements == 0]
    if cursor is not None:
        at_once = Order.settled_at <= cursor.at if cursor.seq else Order.order_id < cursor.order_id
        where.append((Order.settled_at < cursor.at) | ((Order.settled_at == cursor.at) & at_once))
    return session.scalars(
        select(Order).where(*where).order_by(Order.settled_at.desc(), Order.order_id.desc()).limit(limit)
    ).all()


def _lines(session: Session, shop_id: int, items: list[_Event | Order]) -> list[HistoryLine]:
    events = [item for item in items if isinstance(item, _Event)]
    redemptions = _redemptions(session, shop_id, events)
    stories = _stories(session, shop_id, redemptions)
    order_ids = {_order_id(event.cause) for event in events} - {None}
    names: dict[int, str] = {}
    decisions: dict[tuple[int, int], Decision] = {}
    if order_ids:
        wanted = [order_id for order_id in order_ids if order_id is not None]
        for row in session.execute(
            select(Order.order_id, Order.name).where(Order.shop_id == shop_id, Order.order_id.in_(wanted))
        ):
            names[row.order_id] = row.name
        for decision in session.scalars(
            select(Decision).where(Decision.shop_id == shop_id, Decision.order_id.in_(wanted))
        ):
            decisions[decision.order_id, decision.number] = decision
    keys = [event.cause.removeprefix("adjust:") for event in events if event.cause.startswith("adjust:")]
    notes = {
        row.key: row
        for row in session.scalars(select(Adjustment).where(Adjustment.shop_id == shop_id, Adjustment.key.in_(keys)))
    }
    return [
        _zero_line(item)
        if isinstance(item, Order)
        else _reward_line(item, redemptions, stories)
        if item.cause.startswith(REDEMPTION)
        else _event_line(item, names, decisions, notes)
        for item in items
    ]


def _redemptions(session: Session, shop_id: int, events: list[_Event]) -> dict[str, Redemption]:
    ids = {event.cause.removeprefix(REDEMPTION) for event in events if event.cause.startswith(REDEMPTION)}
    if not ids:
        return {}
    found = session.scalars(
        select(Redemption).where(Redemption.shop_id == shop_id, Redemption.redemption_id.in_(sorted(ids)))
    )
    return {redemption.redemption_id: redemption for redemption in found}


def _stories(session: Session, shop_id: int, redemptions: dict[str, Redemption]) -> dict[str, RewardStory]:
    if not redemptions:
        return {}
    order_ids = {redemption.order_id for redemption in redemptions.values() if not redemption.by_other} - {None}
    rows = session.execute(
        select(Order.order_id, Order.name).where(Order.shop_id == shop_id, Order.order_id.in_(order_ids))
    )
    names = {row.order_id: row.name for row in rows}
    terms = terms_of(session, shop_id, {redemption.reward_id for redemption in redemptions.values()})
    return {
        redemption_id: RewardStory(
            title=redemption.title,
            kind=terms[redemption.reward_id].kind,
            state=str(redemption.state),
            points=redemption.points,
            why=redemption.why,
            until=redemption.expires_at,
            order_name=names.get(redemption.order_id or 0, ""),
            by_other=redemption.by_other,
            after_all=redemption.after_all,
            released_at=redemption.released_at,
            staff_gave_back=redemption.staff_back > 0,
        )
        for redemption_id, redemption in redemptions.items()
    }


def _reward_line(event: _Event, redemptions: dict[str, Redemption], stories: dict[str, RewardStory]) -> HistoryLine:
    redemption_id = event.cause.removeprefix(REDEMPTION)
    redemption = redemptions.get(redemption_id)
    return HistoryLine(
        at=event.at,
        kind=_reward_kind(event),
        points=event.points,
        order_id=None,
        order_name="",
        decision=None,
        previous=None,
        version=redemption.version if redemption else None,
        event=event.name,
        redemption_id=redemption_id,
        reward=stories.get(redemption_id),
    )


def _event_line(
    event: _Event, names: dict[int, str], decisions: dict[tuple[int, int], Decision], notes: dict[str, Adjustment]
) -> HistoryLine:
    order_id = _order_id(event.cause)
    number = _settlement(event.name)
    if order_id is not None and number is None:  # matured: explained by the last decision made before it
        number = max((n for id_, n in decisions if id_ == order_id), default=None)
    now = decisions.get((order_id or 0, number or 0))
    before = decisions.get((order_id or 0, (number or 0) - 1))
    note = notes.get(event.cause.removeprefix("adjust:"))
    return HistoryLine(
        at=event.at,
        kind=_kind(event),
        points=event.available - event.debt if Kind.MATURED in event.kinds else event.points,
        order_id=order_id,
        order_name=names.get(order_id or 0, ""),
        decision=Decided.from_json(orjson.loads(now.decision)) if now else None,
        previous=Decided.from_json(orjson.loads(before.decision)) if before else None,
        version=now.version if now else None,
        note=note.reason if note else "",
        author=note.author if note else "",
        event=event.name,
    )


def _zero_line(order: Order) -> HistoryLine:
    decision = Decided.from_json(orjson.loads(order.decision)) if order.decision else None
    return HistoryLine(order.settled_at or EPOCH, "zero", 0, order.order_id, order.name, decision, None, None)


def _kind(event: _Event) -> HistoryKind:
    if Kind.ADJUSTED in event.kinds:
        return "adjusted"
    if Kind.MOVED in event.kinds:
        return "merged"
    if Kind.TAKEN_BACK in event.kinds:
        return "taken_back"
    return "pending" if event.pending > 0 else "earned"


def _reward_kind(event: _Event) -> HistoryKind:
    for kind in (Kind.RESERVED, Kind.RELEASED, Kind.GIVEN_BACK):
        if kind in event.kinds:
            return kind.value  # type: ignore[return-value]
    return "used"


def _order_id(cause: str) -> int | None:
    return int(cause[6:]) if cause.startswith("order:") else None


def _settlement(event: str) -> int | None:
    _, found, number = event.partition(":settled:")
    return int(number) if found else None

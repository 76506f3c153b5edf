"""Posting. The only code that writes to the books.

`Books` is opened for the members a transaction touches: their balances are locked in one order (no deadlocks), every
movement is worked out in memory, and `close()` writes all of it in a handful of statements. That is what lets one
batch settle a hundred orders at the price of one.

Rules kept here, so that no caller can forget them (DESIGN §5):

* whatever enters *available* first repays debt, in an entry of its own;
* a take-back draws from the order's own pending, its own lot, other lots (soonest expiry first), then becomes debt;
  never from reserved;
* what was set aside for a reward returns to the lots it was drawn from, with their dates;
* the same event again with the same contents is nothing, with other contents an error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..db import among, insert_rows, upsert, write_rows
from ..errors import LoyaltyError, Refused
from .accounts import MEMBER_ACCOUNTS, UNCOUNTED, Account, Kind
from .accounts import change as account_change
from .models import Balance, DayTotal, Entry, Lot

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FAR = datetime(9999, 1, 1, tzinfo=UTC)
# PostgreSQL's BIGINT, with room for a lifetime of awards on top of one another.
MOST_POINTS = 10**15


class NotEnoughPoints(Refused):
    """The member does not have that many points available."""

    code = "not_enough_points"


class KeyReused(LoyaltyError):
    """This event was posted before, with other contents."""

    code = "key_reused"
    status = 409


@dataclass(slots=True)
class LotState:
    lot: str
    earned_at: datetime
    pending: int = 0
    available: int = 0
    matures_at: datetime | None = None
    expires_at: datetime | None = None
    is_new: bool = True
    changed: bool = True

    @property
    def soonest_first(self) -> tuple[datetime, datetime, str]:
        return (self.expires_at or FAR, self.earned_at, self.lot)


@dataclass(slots=True)
class Book:
    """One member's figures while they are being posted to."""

    member_id: int
    available: int = 0
    pending: int = 0
    reserved: int = 0
    debt: int = 0
    seq: int = 0
    head: bytes = b""
    is_new: bool = True
    changed: bool = False
    all_lots_known: bool = False
    lots: dict[str, LotState] = field(default_factory=dict)


class Books:
    """A shop's books, open for some members. Takes ``session`` and ``now``; never commits."""

    def __init__(self, session: Session, shop_id: int, *, now: datetime) -> None:
        self.session = session
        self.shop_id = shop_id
        self.now = now
        self._books: dict[int, Book] = {}
        self._entries: list[dict[str, Any]] = []
        self._posted_to: set[int] = set()
        self._day_totals: dict[str, int] = defaultdict(int)

    def open(self, member_ids: Iterable[int], lots: Iterable[str] = ()) -> None:
        """Lock the members' balances, and read the lots the caller will name. Call it once, before posting."""
        wanted = sorted(set(member_ids) - self._books.keys())
        if not wanted:
            return
        columns = (
            Balance.member_id,
            Balance.available,
            Balance.pending,
            Balance.reserved,
            Balance.debt,
            Balance.seq,
            Balance.head,
        )
        found = self.session.execute(
            select(*columns)
            .where(Balance.shop_id == self.shop_id, among(self.session, Balance.member_id, wanted))
            .order_by(Balance.member_id)
            .with_for_update()
        )
        self._books.update({member_id: Book(member_id) for member_id in wanted})
        for row in found:
            self._books[row[0]] = Book(*row, is_new=False)
        known = [book.member_id for book in self._books.values() if not book.is_new]
        names = list(set(lots))
        if known and names:
            self._read_lots(known, among(self.session, Lot.lot, names))

    def balance(self, member_id: int) -> Book:
        return self._books[member_id]

    @property
    def members_posted_to(self) -> list[int]:
        """Everybody who got an entry, before and after `close`: their metafields are out of date."""
        return sorted(self._posted_to | {entry["member_id"] for entry in self._entries})

    def award(
        self,
        member_id: int,
        *,
        cause: str,
        event: str,
        points: int,
        occurred_at: datetime,
        earned_at: datetime,
        matures_at: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> None:
        """Issue points: pending until ``matures_at`` where that lies ahead, else available at once."""
        book = self._books[member_id]
        lot = self._lot(book, cause, earned_at)
        self.hold_until(member_id, cause, matures_at)
        lot.matures_at, lot.expires_at = matures_at or lot.matures_at, expires_at or lot.expires_at
        if matures_at is not None and matures_at > self.now:
            lot.pending += points
            self._append(book, Kind.EARNED, Account.ISSUED, Account.PENDING, points, lot.lot, event, cause, occurred_at)
        else:
            self._enter_available(book, Kind.EARNED, Account.ISSUED, points, lot, event, cause, occurred_at)

    def take_back(self, member_id: int, *, cause: str, event: str, points: int, occurred_at: datetime) -> None:
        """Undo an award: own pending, own lot, other lots (soonest expiry first), then debt."""
        book = self._books[member_id]
        own = book.lots.get(cause)
        if own is not None and own.pending:
            part = min(points, own.pending)
            own.pending -= part
            own.changed = True
            self._append(
                book, Kind.TAKEN_BACK, Account.PENDING, Account.ISSUED, part, own.lot, event, cause, occurred_at
            )
            points -= part
        points -= self._draw(book, points, Kind.TAKEN_BACK, Account.ISSUED, event, cause, occurred_at, first=own)
        if points:
            self._append(book, Kind.TAKEN_BACK, Account.DEBT, Account.ISSUED, points, None, event, cause, occurred_at)

    def mature(self, member_id: int, lot_name: str) -> int:
        """Pending points of a lot become available. Returns how many; 0 when there is nothing to do."""
        book = self._books[member_id]
        lot = book.lots.get(lot_name)
        if lot is None or not lot.pending or lot.matures_at is None or lot.matures_at > self.now:
            return 0
        points, lot.pending = lot.pending, 0
        event = f"{lot_name}:matured:{book.seq + 1}"
        self._enter_available(book, Kind.MATURED, Account.PENDING, points, lot, event, lot_name, lot.matures_at)
        return points

    def hold_until(self, member_id: int, lot_name: str, matures_at: datetime | None) -> None:
        """A hold whose date moved (an earlier payment became known). None: it ended, so what is pending is due now."""
        lot = self._books[member_id].lots.get(lot_name)
        if lot is not None and lot.pending and lot.matures_at != matures_at:
            lot.matures_at, lot.changed = matures_at or self.now, True

    def adjust(self, member_id: int, *, event: str, points: int, occurred_at: datetime) -> None:
        """Add points by hand, or (negative) remove them. Removing more than is available is refused."""
        book = self._books[member_id]
        if abs(points) > MOST_POINTS or points == 0:
            raise ValueError("an adjustment is between 1 and 10^15 points")
        if points > 0:
            lot = self._lot(book, event, occurred_at)
            self._enter_available(book, Kind.ADJUSTED, Account.ADJUSTED, points, lot, event, event, occurred_at)
        elif -points > book.available:
            raise NotEnoughPoints(f"Only {book.available} points are available.", field="points")
        else:
            self._draw(book, -points, Kind.ADJUSTED, Account.ADJUSTED, event, event, occurred_at)

    # --- rewards: reserved, then redeemed or released ---------------------------------------------------------------

    def reserve(self, member_id: int, *, cause: str, event: str, points: int, occurred_at: datetime) -> None:
        """Set points aside for a reward. Raises `NotEnoughPoints`, and then nothing was posted."""
        book = self._books[member_id]
        if points > book.available:
            raise NotEnoughPoints(f"{book.available:,} points are available, {points:,} are needed.", field="points")
        self._draw(book, points, Kind.RESERVED, Account.RESERVED, event, cause, occurred_at)

    def release(self, member_id: int, *, cause: str, event: str, points: int, occurred_at: datetime) -> None:
        """Points set aside return to the lots they were drawn from, with those lots' own dates."""
        self._return(member_id, Kind.RELEASED, Account.RESERVED, points, event, cause, occurred_at)

    def redeem(self, member_id: int, *, cause: str, event: str, points: int, occurred_at: datetime) -> None:
        """An order used the reward, or it was handed out for good: what was set aside is spent."""
        book = self._books[member_id]
        self._append(book, Kind.REDEEMED, Account.RESERVED, Account.REDEEMED, points, None, event, cause, occurred_at)

    def redeem_after_all(self, member_id: int, *, cause: str, event: str, points: int, occurred_at: datetime) -> None:
        """Points that were returned are spent after all: drawn from what is available, the rest becomes debt."""
        book = self._books[member_id]
        points -= self._draw(book, points, Kind.REDEEMED, Account.REDEEMED, event, cause, occurred_at)
        if points:
            self._append(book, Kind.REDEEMED, Account.DEBT, Account.REDEEMED, points, None, event, cause, occurred_at)

    def give_back(self, member_id: int, *, cause: str, event: str, points: int, occurred_at: datetime) -> None:
        """Spent points come back, since the order that used the reward was returned or cancelled."""
        self._return(member_id, Kind.GIVEN_BACK, Account.REDEEMED, points, event, cause, occurred_at)

    def _return(
        self, member_id: int, kind: Kind, source: Account, points: int, event: str, cause: str, occurred_at: datetime
    ) -> None:
        """To the lots they came from, what was drawn last first: it is what would have lasted longest."""
        book = self._books[member_id]
        for name, drawn in reversed(self._drawn(cause)):
            part = min(points, drawn)
            if part <= 0:
                continue
            self._enter_available(book, kind, source, part, self._known_lot(book, name), event, cause, occurred_at)
            points -= part
        if points:  # they were never in a lot: debt was made of them, and may have been repaid since
            lot = self._lot(book, cause, occurred_at)
            self._enter_available(book, kind, source, points, lot, event, cause, occurred_at)

    def _drawn(self, cause: str) -> list[tuple[str, int]]:
        """(lot, points) that left *available* for this cause and have not returned, in the order drawn."""
        held = (Account.RESERVED, Account.REDEEMED)
        rows = self.session.execute(
            select(Entry.lot, Entry.source, Entry.target, Entry.points)
            .where(Entry.shop_id == self.shop_id, Entry.cause == cause, Entry.lot.is_not(None))
            .order_by(Entry.posted_at, Entry.seq)
        )
        unwritten = [
            (entry["lot"], entry["source"], entry["target"], entry["points"])
            for entry in self._entries
            if entry["cause"] == cause and entry["lot"] is not None
        ]
        drawn: dict[str, int] = {}
        for lot, source, target, points in [*rows, *unwritten]:
            if source == Account.AVAILABLE and target in held:
                # A lot drawn from again counts as drawn now.
                drawn[lot] = drawn.pop(lot, 0) + points
            elif source in held and target == Account.AVAILABLE:
                drawn[lot] = drawn.get(lot, 0) - points
        return list(drawn.items())

    def _known_lot(self, book: Book, name: str) -> LotState:
        """A lot that exists, in memory or as a row; its dates are the ones its points return to."""
        if name not in book.lots:
            self._read_lots([book.member_id], Lot.lot == name)
        return self._lot(book, name, self.now)

    def transfer(self, source_id: int, target_id: int, *, event: str, occurred_at: datetime) -> None:
        """Move one member's whole book to another's: lots keep their names and dates, debt and what is set aside move
        too. Lots that points may yet return to are made on the other side, empty.
        """
        source, target = self._books[source_id], self._books[target_id]
        self._read_lots([source_id], (Lot.pending > 0) | (Lot.available > 0))
        self._read_lots([target_id], among(self.session, Lot.lot, source.lots))
        post = (event, event, occurred_at)
        for lot in sorted(source.lots.values(), key=lambda lot: lot.soonest_first):
            if not (lot.pending or lot.available):
                continue
            to = self._lot(target, lot.lot, lot.earned_at)
            to.matures_at, to.expires_at = lot.matures_at or to.matures_at, lot.expires_at or to.expires_at
            if points := lot.pending:
                self._append(source, Kind.MOVED, Account.PENDING, Account.MOVED, points, lot.lot, *post)
                self._append(target, Kind.MOVED, Account.MOVED, Account.PENDING, points, to.lot, *post)
                to.pending += points
            if points := lot.available:
                self._append(source, Kind.MOVED, Account.AVAILABLE, Account.MOVED, points, lot.lot, *post)
                self._enter_available(target, Kind.MOVED, Account.MOVED, points, to, *post)
            lot.pending = lot.available = 0
            lot.changed = True
        self._move_reserved(source, target, post)
        if points := source.debt:
            self._append(source, Kind.MOVED, Account.MOVED, Account.DEBT, points, None, *post)
            points -= self._draw(target, points, Kind.MOVED, Account.MOVED, *post)
            if points:
                self._append(target, Kind.MOVED, Account.DEBT, Account.MOVED, points, None, *post)

    def _move_reserved(self, source: Book, target: Book, post: tuple[str, str, datetime]) -> None:
        spent = Entry.kind.in_([Kind.RESERVED, Kind.REDEEMED])
        names = self.session.scalars(
            select(Entry.lot)
            .where(Entry.shop_id == self.shop_id, Entry.member_id == source.member_id, spent, Entry.lot.is_not(None))
            .distinct()
        )
        returnable = sorted(name for name in names if name is not None)
        if not returnable:
            return
        mine = among(self.session, Lot.lot, returnable)
        self._read_lots([source.member_id], mine)
        self._read_lots([target.member_id], mine)
        for name in returnable:
            lot, to = source.lots[name], self._lot(target, name, source.lots[name].earned_at)
            to.matures_at, to.expires_at = to.matures_at or lot.matures_at, to.expires_at or lot.expires_at
        if points := source.reserved:
            self._append(source, Kind.MOVED, Account.RESERVED, Account.MOVED, points, None, *post)
            self._append(target, Kind.MOVED, Account.MOVED, Account.RESERVED, points, None, *post)

    def close(self) -> None:
        """Write what was posted. New balances and lots go in before the entries that name them."""
        books = list(self._books.values())
        write_rows(self.session, Balance, [(b.is_new, _balance_row(self.shop_id, b)) for b in books if b.changed])
        lots = [(lot.is_new, _lot_row(self.shop_id, b, lot)) for b in books for lot in b.lots.values() if lot.changed]
        write_rows(self.session, Lot, lots)
        if self._entries:
            insert_rows(self.session, Entry, self._entries)
        self._write_day_totals()
        self._posted_to.update(entry["member_id"] for entry in self._entries)
        self._entries = []
        for book in books:
            book.is_new, book.changed = book.is_new and not book.changed, False
            for lot in book.lots.values():
                lot.is_new = lot.changed = False

    # --- the parts -------------------------------------------------------------------------------------------------

    def _enter_available(
        self,
        book: Book,
        kind: Kind,
        source: Account,
        points: int,
        lot: LotState,
        event: str,
        cause: str,
        occurred_at: datetime,
    ) -> None:
        self._append(book, kind, source, Account.AVAILABLE, points, lot.lot, event, cause, occurred_at)
        lot.available += points
        lot.changed = True
        if repaid := min(points, book.debt):
            lot.available -= repaid
            self._append(book, Kind.REPAID, Account.AVAILABLE, Account.DEBT, repaid, lot.lot, event, cause, occurred_at)

    def _draw(
        self,
        book: Book,
        points: int,
        kind: Kind,
        target: Account,
        event: str,
        cause: str,
        occurred_at: datetime,
        *,
        first: LotState | None = None,
    ) -> int:
        """Take up to ``points`` out of available, lot by lot. Returns how many there were to take."""
        wanted = min(points, book.available)
        left = wanted
        for lot in self._lots_to_draw(book, first, left):
            part = min(left, lot.available)
            if not part:
                continue
            lot.available -= part
            lot.changed = True
            self._append(book, kind, Account.AVAILABLE, target, part, lot.lot, event, cause, occurred_at)
            left -= part
            if not left:
                break
        if left:
            raise RuntimeError(f"lots of member {book.member_id} hold {left} points fewer than its balance")
        return wanted

    def _lots_to_draw(self, book: Book, first: LotState | None, points: int) -> list[LotState]:
        if first is not None and first.available >= points:
            return [first]
        if not book.all_lots_known and not book.is_new:
            self._read_lots([book.member_id], Lot.available > 0)
            book.all_lots_known = True
        rest = sorted((lot for lot in book.lots.values() if lot is not first), key=lambda lot: lot.soonest_first)
        return rest if first is None else [first, *rest]

    def _read_lots(self, member_ids: list[int], which: Any) -> None:
        columns = (Lot.member_id, Lot.lot, Lot.earned_at, Lot.pending, Lot.available, Lot.matures_at, Lot.expires_at)
        found = self.session.execute(
            select(*columns).where(Lot.shop_id == self.shop_id, among(self.session, Lot.member_id, member_ids), which)
        )
        for member_id, name, earned_at, pending, available, matures_at, expires_at in found:
            # A lot already being posted to in memory is newer than its row.
            self._books[member_id].lots.setdefault(
                name, LotState(name, earned_at, pending, available, matures_at, expires_at, is_new=False, changed=False)
            )

    def _lot(self, book: Book, name: str, earned_at: datetime) -> LotState:
        lot = book.lots.get(name)
        if lot is None:
            lot = book.lots[name] = LotState(name, earned_at)
        lot.changed = True
        return lot

    def _append(
        self,
        book: Book,
        kind: Kind,
        source: Account,
        target: Account,
        points: int,
        lot: str | None,
        event: str,
        cause: str,
        occurred_at: datetime,
    ) -> None:
        if points <= 0:
            raise ValueError("a movement is a positive whole number of points")
        for account in (source, target):
            if account in MEMBER_ACCOUNTS:
                value = getattr(book, account) + account_change(account, source, target, points)
                if value < 0:
                    raise RuntimeError(f"{account} of member {book.member_id} would fall below zero")
                setattr(book, account, value)
        book.seq += 1
        entry = {
            "shop_id": self.shop_id,
            "key": f"{event}/{book.member_id}.{book.seq}",
            "event": event,
            "cause": cause,
            "member_id": book.member_id,
            "seq": book.seq,
            "kind": kind,
            "source": source,
            "target": target,
            "points": points,
            "lot": lot,
            "occurred_at": occurred_at,
            "posted_at": self.now,
        }
        book.head = entry["digest"] = chained_digest(book.head, entry)
        book.changed = True
        self._entries.append(entry)
        self._count(kind, source, points)

    def _count(self, kind: Kind, source: Account, points: int) -> None:
        if kind in UNCOUNTED:
            return
        if kind is Kind.ADJUSTED:
            self._day_totals["adjusted_up" if source is Account.ADJUSTED else "adjusted_down"] += points
        else:
            self._day_totals[kind] += points

    def _write_day_totals(self) -> None:
        if not self._day_totals:
            return
        day = self.now.astimezone(UTC).date()
        rows = [
            {"shop_id": self.shop_id, "day": day, "kind": kind, "points": n}
            for kind, n in sorted(self._day_totals.items())
        ]
        statement = upsert(self.session, DayTotal)
        self.session.execute(
            statement.on_conflict_do_update(
                index_elements=["shop_id", "day", "kind"], set_={"points": DayTotal.points + statement.excluded.points}
            ),
            rows,
        )
        self._day_totals.clear()


def chained_digest(previous: bytes, entry: dict[str, Any]) -> bytes:
    """SHA-256 over the member's previous digest and every column of this entry, unambiguously written."""
    content = [
        entry["shop_id"], entry["key"], entry["event"], entry["cause"], entry["member_id"], entry["seq"],
        entry["kind"], entry["source"], entry["target"], entry["points"], entry["lot"],
        (entry["occurred_at"] - EPOCH) // MICROSECOND, (entry["posted_at"] - EPOCH) // MICROSECOND,
    ]  # fmt: skip
    return sha256(bytes(previous) + orjson.dumps(content)).digest()


def adjust(session: Session, *, shop_id: int, member_id: int, key: str, points: int, now: datetime) -> bool:
    """Adjust once for ``key``. True when posted, False when this very adjustment was posted before.

    Raises `KeyReused` when the key was used for another number of points or another member, `NotEnoughPoints` when
    more would be removed than is available.
    """
    # Adjusting is the one posting outside the settling lane. A balance must be there to be locked: without a row,
    # two first postings to a member would both insert one.
    session.execute(
        upsert(session, Balance)
        .values(shop_id=shop_id, member_id=member_id, available=0, pending=0, reserved=0, debt=0, seq=0, head=b"")
        .on_conflict_do_nothing()
    )
    books = Books(session, shop_id, now=now)
    books.open([member_id])
    event = f"adjust:{key}"
    already = session.execute(
        select(Entry.member_id, Entry.source, Entry.points).where(
            Entry.shop_id == shop_id, Entry.cause == event, Entry.kind == Kind.ADJUSTED
        )
    ).all()
    if already:
        posted = sum(points if source == Account.ADJUSTED else -points for _, source, points in already)
        if posted != points or {row[0] for row in already} != {member_id}:
            raise KeyReused("This key was used for another adjustment.")
        return False
    books.adjust(member_id, event=event, points=points, occurred_at=now)
    books.close()
    return True


def transfer(session: Session, *, shop_id: int, source_id: int, target_id: int, now: datetime) -> None:
    """Move one member's book to another's (a merge of customers). Nothing left to move: nothing happens."""
    books = Books(session, shop_id, now=now)
    books.open([source_id, target_id])
    # The sequence makes the event new each time: after an un-merge and another merge there is more to move.
    event = f"merge:{source_id}:{target_id}:{books.balance(source_id).seq}"
    books.transfer(source_id, target_id, event=event, occurred_at=now)
    books.close()


def _balance_row(shop_id: int, book: Book) -> dict[str, Any]:
    return {
        "shop_id": shop_id, "member_id": book.member_id, "available": book.available, "pending": book.pending,
        "reserved": book.reserved, "debt": book.debt, "seq": book.seq, "head": book.head,
    }  # fmt: skip


def _lot_row(shop_id: int, book: Book, lot: LotState) -> dict[str, Any]:
    return {
        "shop_id": shop_id, "member_id": book.member_id, "lot": lot.lot, "pending": lot.pending,
        "available": lot.available, "earned_at": lot.earned_at,
        "matures_at": lot.matures_at, "expires_at": lot.expires_at,
    }  # fmt: skip

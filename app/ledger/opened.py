"""Opening a shop's books for some members, and writing back what was posted.

`open` locks their balances in one order (no deadlocks); what is posted is worked out in memory; `close` writes all of
it in a handful of statements. That is what lets one batch settle a hundred orders at the price of one. Which movements
there are is the business of `books`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..db import among, insert_rows, upsert, write_rows
from .accounts import MEMBER_ACCOUNTS, UNCOUNTED, Account, Kind
from .accounts import change as account_change
from .book import Book, LotState, chained_digest
from .models import Balance, DayTotal, Entry, Lot


class OpenBooks:
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

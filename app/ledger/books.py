"""Posting: every way points can move. The only code that writes to the books.

Rules kept here, so that no caller can forget them (DESIGN §5):

* whatever enters *available* first repays debt, in an entry of its own;
* a take-back draws from the order's own pending, its own lot, other lots (soonest expiry first), then becomes debt;
  never from reserved;
* what was set aside for a reward returns to the lots it was drawn from, with their dates;
* the same event again with the same contents is nothing, with other contents an error.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, true

from ..db import among
from ..errors import Refused
from .accounts import Account, Kind
from .book import Book, LotState
from .models import Entry, Lot
from .opened import OpenBooks

# PostgreSQL's BIGINT, with room for a lifetime of awards on top of one another.
MOST_POINTS = 10**15


class NotEnoughPoints(Refused):
    """The member does not have that many points available."""

    code = "not_enough_points"


class Books(OpenBooks):
    """The movements. Each is worked out in memory; `close` writes them."""

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
            lot = self._known_lot(book, name, self.now)
            self._enter_available(book, kind, source, part, lot, event, cause, occurred_at)
            points -= part
        if points:  # they were never in a lot: debt was made of them, and may have been repaid since
            lot = self._known_lot(book, cause, occurred_at)
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

    def _known_lot(self, book: Book, name: str, earned_at: datetime) -> LotState:
        """A lot in memory or as a row, whose dates are the ones its points return to; else one of ``earned_at``."""
        if name not in book.lots:
            self._read_lots([book.member_id], Lot.lot == name)
        return self._lot(book, name, earned_at)

    def transfer(self, source_id: int, target_id: int, *, event: str, occurred_at: datetime) -> None:
        """Move one member's whole book to another's: lots keep their names and dates, debt and what is set aside move
        too. Empty lots are made on the other side as well: what was drawn from them may yet return.
        """
        source, target = self._books[source_id], self._books[target_id]
        self._read_lots([source_id], true())
        self._read_lots([target_id], among(self.session, Lot.lot, list(source.lots)))
        post = (event, event, occurred_at)
        for lot in sorted(source.lots.values(), key=lambda lot: lot.soonest_first):
            self._move_lot(source, target, lot, post)
        if points := source.reserved:
            self._append(source, Kind.MOVED, Account.RESERVED, Account.MOVED, points, None, *post)
            self._append(target, Kind.MOVED, Account.MOVED, Account.RESERVED, points, None, *post)
        if points := source.debt:
            self._append(source, Kind.MOVED, Account.MOVED, Account.DEBT, points, None, *post)
            points -= self._draw(target, points, Kind.MOVED, Account.MOVED, *post)
            if points:
                self._append(target, Kind.MOVED, Account.DEBT, Account.MOVED, points, None, *post)

    def _move_lot(self, source: Book, target: Book, lot: LotState, post: tuple[str, str, datetime]) -> None:
        is_empty = not (lot.pending or lot.available)
        if is_empty and lot.lot in target.lots:
            return
        to = self._lot(target, lot.lot, lot.earned_at)
        target.changed = True  # also where nothing is posted: a lot needs its balance's row
        to.matures_at, to.expires_at = lot.matures_at or to.matures_at, lot.expires_at or to.expires_at
        if points := lot.pending:
            self._append(source, Kind.MOVED, Account.PENDING, Account.MOVED, points, lot.lot, *post)
            self._append(target, Kind.MOVED, Account.MOVED, Account.PENDING, points, to.lot, *post)
            to.pending += points
        if points := lot.available:
            self._append(source, Kind.MOVED, Account.AVAILABLE, Account.MOVED, points, lot.lot, *post)
            self._enter_available(target, Kind.MOVED, Account.MOVED, points, to, *post)
        if not is_empty:
            lot.pending = lot.available = 0
            lot.changed = True

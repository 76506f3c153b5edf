"""One member's book, opened and closed straight on the driver: what a shopper waits for while they redeem.

The movements are those of `Books`; only the way to the tables is shorter. The lock, the lots and whatever else the
caller asks for in between travel together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from ..db import Direct, Prepared
from .book import Book, LotState
from .books import Books
from .models import Balance, Entry, Lot

_FIGURES = ("available", "pending", "reserved", "debt", "seq", "head")
_MEMBER: dict[str, Any] = {"shop_id": bindparam("shop"), "member_id": bindparam("member")}


def _mine(model: Any) -> tuple[Any, ...]:
    return tuple(getattr(model, name) == value for name, value in _MEMBER.items())


LOCK = Prepared(
    lambda insert: (
        select(
            Balance.member_id,
            Balance.available,
            Balance.pending,
            Balance.reserved,
            Balance.debt,
            Balance.seq,
            Balance.head,
        )
        .where(*_mine(Balance))
        .with_for_update()
    )
)
# Only what can be drawn from: nothing else of a member's lots is read on this way.
LOTS = Prepared(
    lambda insert: select(Lot.lot, Lot.earned_at, Lot.pending, Lot.available, Lot.matures_at, Lot.expires_at).where(
        *_mine(Lot), Lot.available > 0
    )
)
KEEP_BALANCE = Prepared(
    lambda insert: update(Balance).where(*_mine(Balance)).values({name: bindparam(name) for name in _FIGURES})
)
KEEP_LOT = Prepared(
    lambda insert: update(Lot).where(*_mine(Lot), Lot.lot == bindparam("name")).values(available=bindparam("left"))
)
KEEP_ENTRY = Prepared(lambda insert: insert(Entry.__table__))


class SingleBook(Books):
    """The book of one member: locked at once, read when it is looked at. Only `reserve` is posted this way."""

    def __init__(self, direct: Direct, shop_id: int, member_id: int, *, now: datetime) -> None:
        super().__init__(None, shop_id, now=now)  # type: ignore[arg-type]  # no session: nothing below asks for one
        self.direct, self.member_id = direct, member_id
        self._whose = {"shop": shop_id, "member": member_id}
        self._locked = direct.ask(LOCK, **self._whose)
        self._lots = direct.ask(LOTS, **self._whose)

    def read(self) -> Book:
        """The figures as they are under the lock. Somebody without a balance has zeros."""
        row = self._locked.first()
        book = self._books[self.member_id] = Book(self.member_id)
        if row is not None:
            book = self._books[self.member_id] = Book(*row)
            book.is_new = False
        for lot in self._lots.all():
            known = book.lots[lot.lot] = LotState(*lot)
            known.is_new = known.changed = False
        book.all_lots_known = True
        return book

    def close(self) -> None:
        """Write what was reserved."""
        book = self._books[self.member_id]
        if self._day_totals:
            raise RuntimeError("only what no day counts is posted to a single book")
        figures = {name: getattr(book, name) for name in _FIGURES}
        self.direct.ask(KEEP_BALANCE, **self._whose, **figures)
        for lot in book.lots.values():
            if lot.changed:
                self.direct.ask(KEEP_LOT, **self._whose, name=lot.lot, left=lot.available)
        for entry in self._entries:
            self.direct.ask(KEEP_ENTRY, **entry)
        self._entries = []

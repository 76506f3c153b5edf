"""One member's book, opened and closed straight on the driver: what a shopper waits for while they redeem.

The movements are those of `Books`; only the way to the tables is shorter. The caller locks the balance together with
whatever else it must know, and writes what was posted together with whatever else it writes.
"""

from __future__ import annotations

from collections.abc import Sequence
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


# What `SingleBook` must be given of the balance, locked.
BALANCE = (
    Balance.member_id, Balance.available, Balance.pending, Balance.reserved, Balance.debt, Balance.seq, Balance.head,
)  # fmt: skip
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
    """The book of one member, whose balance the caller has locked. Only `reserve` is posted this way."""

    def __init__(self, direct: Direct, shop_id: int, member_id: int, *, now: datetime) -> None:
        """Asks for the lots; under a lock that was asked for before, nobody changes them."""
        super().__init__(None, shop_id, now=now)  # type: ignore[arg-type]  # no session: nothing below asks for one
        self.member_id = member_id
        self._whose = {"shop": shop_id, "member": member_id}
        self._lots = direct.ask(LOTS, **self._whose)

    def read(self, balance: Sequence[Any]) -> Book:
        """The figures as they are under the lock: ``balance`` has `BALANCE`'s columns."""
        book = self._books[self.member_id] = Book(*balance)
        book.is_new = False
        for lot in self._lots.all():
            known = book.lots[lot.lot] = LotState(*lot)
            known.is_new = known.changed = False
        book.all_lots_known = True
        return book

    def writes(self) -> list[tuple[Prepared, dict[str, Any]]]:
        """What was reserved, to be written; the balance's new sequence is in `read`'s book."""
        book = self._books[self.member_id]
        if self._day_totals:
            raise RuntimeError("only what no day counts is posted to a single book")
        figures = {name: getattr(book, name) for name in _FIGURES}
        return [
            (KEEP_BALANCE, {**self._whose, **figures}),
            *(
                (KEEP_LOT, {**self._whose, "name": lot.lot, "left": lot.available})
                for lot in book.lots.values()
                if lot.changed
            ),
            *((KEEP_ENTRY, entry) for entry in self._entries),
        ]

"""One member's book, opened and closed straight on the driver: what a shopper waits for while they redeem.

The movements are those of `Books`; only the way to the tables is shorter. The caller locks the balance together with
whatever else it must know, and writes what was posted together with whatever else it writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update

from ..db import Prepared
from .book import Book, LotState
from .books import Books
from .models import Balance, Entry, Lot

_FIGURES = ("available", "pending", "reserved", "debt", "seq", "head")
_MEMBER: dict[str, Any] = {"shop_id": bindparam("shop"), "member_id": bindparam("member")}


def _mine(model: Any) -> tuple[Any, ...]:
    return tuple(getattr(model, name) == value for name, value in _MEMBER.items())


# What `SingleBook` must be given: the balance, locked, and the lots that can be drawn from, read after it was.
BALANCE = (
    Balance.member_id, Balance.available, Balance.pending, Balance.reserved, Balance.debt, Balance.seq, Balance.head,
)  # fmt: skip
LOT = (Lot.lot, Lot.earned_at, Lot.pending, Lot.available, Lot.matures_at, Lot.expires_at)
KEEP_BALANCE = Prepared(
    lambda insert: update(Balance).where(*_mine(Balance)).values({name: bindparam(name) for name in _FIGURES})
)
KEEP_LOT = Prepared(
    lambda insert: update(Lot).where(*_mine(Lot), Lot.lot == bindparam("name")).values(available=bindparam("left"))
)
KEEP_ENTRY = Prepared(lambda insert: insert(Entry.__table__))


class SingleBook(Books):
    """The book of one member, whose balance the caller has locked. Only `reserve` is posted this way."""

    def __init__(self, shop_id: int, balance: Sequence[Any], lots: Iterable[Sequence[Any]], *, now: datetime) -> None:
        """``balance`` and ``lots`` have the columns of `BALANCE` and `LOT`."""
        super().__init__(None, shop_id, now=now)  # type: ignore[arg-type]  # no session: nothing below asks for one
        book = Book(*balance)
        book.is_new = False
        for lot in lots:
            known = book.lots[lot[0]] = LotState(*lot)
            known.is_new = known.changed = False
        book.all_lots_known = True
        self.book = self._books[book.member_id] = book
        self._whose = {"shop": shop_id, "member": book.member_id}

    def writes(self) -> list[tuple[Prepared, dict[str, Any]]]:
        """What was reserved, to be written."""
        book = self.book
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

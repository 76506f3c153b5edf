"""Two verbs that are a whole use of the books: an adjustment by hand, and one member's book moved to another's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..db import upsert
from ..errors import LoyaltyError
from .accounts import Account, Kind
from .books import Books
from .models import Balance, Entry


class KeyReused(LoyaltyError):
    """This event was posted before, with other contents."""

    code = "key_reused"
    status = 409


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

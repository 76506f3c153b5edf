"""Pending points whose hold is over become available."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..jobs.queue import enqueue
from ..ledger import Books, Lot
from ..models import Lane
from .members import mark_dirty
from .settle import SYNC_DEBOUNCE


def any_due(session: Session, shop_id: int, *, now: datetime) -> bool:
    """Whether any hold of the shop's is over."""
    due = select(Lot.lot).where(Lot.shop_id == shop_id, Lot.pending > 0, Lot.matures_at <= now).limit(1)
    return session.scalar(due) is not None


def mature_due(session: Session, shop_id: int, *, limit: int, now: datetime) -> int:
    """Mature up to ``limit`` lots that are due. Returns how many; late or repeated runs give the same books."""
    due = session.execute(
        select(Lot.member_id, Lot.lot)
        .where(Lot.shop_id == shop_id, Lot.pending > 0, Lot.matures_at <= now)
        .order_by(Lot.matures_at)
        .limit(limit)
    ).all()
    if not due:
        return 0
    books = Books(session, shop_id, now=now)
    books.open([row.member_id for row in due], [row.lot for row in due])
    for row in due:
        books.mature(row.member_id, row.lot)
    books.close()
    mark_dirty(
        session, shop_id, {member_id: books.balance(member_id).seq for member_id in {row.member_id for row in due}}
    )
    enqueue(session, shop_id, "sync_members", lane=Lane.NETWORK, now=now, due_at=now + SYNC_DEBOUNCE)
    return len(due)

"""Post to one shop's books in a line, for tests that need books with something in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import select

from app.db import Database
from app.ledger import Balance, Books, Entry, adjust, transfer

from ..conftest import NOW

SHOP = 4242


@contextmanager
def posting(db: Database, *members: int, lots: tuple[str, ...] = (), now: datetime = NOW) -> Iterator[Books]:
    """Open books of ``members``, closed and committed at the end of the block."""
    with db.transaction() as session:
        books = Books(session, SHOP, now=now)
        books.open(members, lots)
        yield books
        books.close()


def award(
    db: Database, member: int, order: int, points: int, *, settled: int = 1, hold_days: int = 0, age_days: int = 0,
    expires_in_days: int | None = None, now: datetime = NOW,
) -> None:  # fmt: skip
    with posting(db, member, lots=(f"order:{order}",), now=now) as books:
        books.award(
            member, cause=f"order:{order}", event=f"order:{order}:settled:{settled}", points=points, occurred_at=now,
            earned_at=now - timedelta(days=age_days), matures_at=now + timedelta(days=hold_days) if hold_days else None,
            expires_at=now + timedelta(days=expires_in_days) if expires_in_days else None,
        )  # fmt: skip


def take_back(db: Database, member: int, order: int, points: int, *, settled: int = 2, now: datetime = NOW) -> None:
    cause = f"order:{order}"
    with posting(db, member, lots=(cause,), now=now) as books:
        books.take_back(member, cause=cause, event=f"{cause}:settled:{settled}", points=points, occurred_at=now)


def busy_books(db: Database, *, now: datetime = NOW) -> None:
    """Books with an entry of every kind: earned, pending, matured, taken back, repaid, adjusted both ways, moved; set
    aside, released, redeemed (also after all), given back.
    """
    award(db, 1, 5731, 120)
    award(db, 1, 5732, 64, hold_days=14)
    with db.transaction() as session:
        adjust(session, shop_id=SHOP, member_id=1, key="sorry", points=50, now=now)
        adjust(session, shop_id=SHOP, member_id=1, key="mistake", points=-30, now=now)
    take_back(db, 1, 5731, 120)
    take_back(db, 1, 5732, 64)
    with db.transaction() as session:
        adjust(session, shop_id=SHOP, member_id=1, key="spent", points=-20, now=now)
    award(db, 1, 5733, 10)
    award(db, 2, 5734, 40, hold_days=1)
    with posting(db, 2, lots=("order:5734",), now=now + timedelta(days=2)) as books:
        books.mature(2, "order:5734")
    take_back(db, 1, 5733, 10)
    award(db, 1, 5735, 7)
    take_back(db, 1, 5735, 9)
    award(db, 1, 5736, 5)
    _busy_rewards(db, now)
    with db.transaction() as session:
        transfer(session, shop_id=SHOP, source_id=2, target_id=1, now=now + timedelta(days=3))


def _busy_rewards(db: Database, now: datetime) -> None:
    award(db, 2, 5737, 60)
    spent = [
        ("a", "reserve", 50), ("a", "release", 50), ("b", "reserve", 40), ("b", "redeem", 40), ("b", "give_back", 15),
        ("a", "redeem_after_all", 30), ("c", "reserve", 20),
    ]  # fmt: skip
    for number, (name, verb, points) in enumerate(spent):
        cause = f"redemption:{name}"
        with posting(db, 2, now=now + timedelta(days=2, minutes=number)) as books:
            getattr(books, verb)(2, cause=cause, event=f"{cause}:{number}", points=points, occurred_at=now)


def figures(db: Database, member: int) -> tuple[int, int, int, int]:
    """(available, pending, reserved, debt)."""
    with db.reading() as session:
        row = session.get(Balance, (SHOP, member))
        return (row.available, row.pending, row.reserved, row.debt) if row else (0, 0, 0, 0)


def drawn(db: Database, member: int, event: str) -> list[tuple[str, str, int, str | None]]:
    """What an event moved: (source, target, points, lot), in order."""
    with db.reading() as session:
        rows = session.execute(
            select(Entry.source, Entry.target, Entry.points, Entry.lot)
            .where(Entry.shop_id == SHOP, Entry.member_id == member, Entry.event == event)
            .order_by(Entry.seq)
        )
        return [(str(source), str(target), points, lot) for source, target, points, lot in rows]

"""Change what nobody may change: one byte of an entry, past triggers and checks, and see what the audit says.

Everything happens in a transaction that is rolled back, so a test can tamper with the same books a hundred times.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db import Database

TEXTS = ("key", "event", "cause", "kind", "source", "target", "lot")
NUMBERS = ("shop_id", "member_id", "seq", "points")
MOMENTS = ("occurred_at", "posted_at")
COLUMNS = (*TEXTS, *NUMBERS, *MOMENTS, "digest")


@contextmanager
def tampering(db: Database) -> Iterator[Session]:
    """A session to which the guards do not apply; nothing of it stays."""
    with db.engine.connect() as connection:
        if db.is_sqlite:
            # Foreign keys cannot be switched inside a transaction, and checks are the connection's own.
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA foreign_keys=OFF")
            driver.execute("PRAGMA ignore_check_constraints=ON")
        transaction = connection.begin()
        try:
            if db.is_sqlite:
                connection.execute(text("DROP TRIGGER entries_never_updated"))
                connection.execute(text("DROP TRIGGER entries_never_deleted"))
            else:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                for check in ("kind", "source", "target", "account", "points_positive", "accounts_differ"):
                    connection.execute(text(f"ALTER TABLE entries DROP CONSTRAINT IF EXISTS ck_entries_{check}"))
            with Session(connection) as session:
                yield session
        finally:
            transaction.rollback()
            if db.is_sqlite:
                driver.execute("PRAGMA foreign_keys=ON")
                driver.execute("PRAGMA ignore_check_constraints=OFF")


def entries(session: Session, shop_id: int) -> list[dict[str, Any]]:
    rows = session.execute(
        text("SELECT * FROM entries WHERE shop_id = :shop ORDER BY member_id, seq"), {"shop": shop_id}
    )
    return [dict(row) for row in rows.mappings()]


def flip(session: Session, entry: dict[str, Any], column: str, random: Random) -> str:
    """Flip one bit of one byte of the column, as it is stored. Returns what was done, for a failure's message."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    stored = entry[column]
    if column in MOMENTS and not sqlite:
        bit = 1 << random.randrange(40)
        change: Any = f"{column} + interval '{bit} microseconds'"
        session.execute(_update(change, column), _which(entry))
        return f"{column} later by {bit} µs"
    if column in NUMBERS:
        value: Any = stored ^ (1 << random.randrange(8, 40))  # beyond the numbers in use: a UNIQUE would refuse those
    elif column == "digest":
        value = _flipped(bytes(stored), random)
    elif sqlite:  # any bit, whether the text it makes is one or not
        value = _flipped(str(stored).encode(), random)
        session.execute(_update("CAST(:value AS TEXT)", column), {**_which(entry), "value": value})
        return f"{column}: {stored!r} is {value!r}"
    else:  # PostgreSQL takes only text that is one: the lowest six bits keep ASCII what it is
        characters = list(stored)
        place = random.randrange(len(characters))
        characters[place] = chr(ord(characters[place]) ^ (1 << random.choice((0, 1, 2, 3, 4))) or 1)
        value = "".join(characters)
    session.execute(_update(":value", column), {**_which(entry), "value": value})
    return f"{column}: {stored!r} is {value!r}"


def _flipped(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _update(value: str, column: str) -> Any:
    return text(f"UPDATE entries SET {column} = {value} WHERE shop_id = :of_shop AND key = :of_key")


def _which(entry: dict[str, Any]) -> dict[str, Any]:
    return {"of_shop": entry["shop_id"], "of_key": entry["key"]}

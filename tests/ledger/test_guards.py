"""Entries are never changed: both databases refuse, whoever asks."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from .posting import SHOP, award, busy_books, figures

REFUSED = [
    "UPDATE entries SET points = points + 1",
    "UPDATE entries SET key = key WHERE seq = 1",
    "UPDATE entries SET posted_at = occurred_at",
    "DELETE FROM entries",
    "DELETE FROM entries WHERE seq = 1",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_an_entry_is_neither_updated_nor_deleted(db, statement):
    busy_books(db)
    with pytest.raises(DBAPIError, match=r"entries are never (changed|deleted)"), db.engine.begin() as connection:
        connection.execute(text(statement))


def test_postgresql_does_not_truncate_entries(postgres_db):
    busy_books(postgres_db)
    for statement in ("TRUNCATE entries", "TRUNCATE entries CASCADE", "TRUNCATE balances CASCADE"):
        with pytest.raises(DBAPIError, match="entries are never changed"), postgres_db.engine.begin() as connection:
            connection.execute(text(statement))


def test_erasing_one_shop_is_no_key_to_another(db):
    busy_books(db)
    with pytest.raises(DBAPIError, match=r"entries are never (changed|deleted)"), db.engine.begin() as connection:
        connection.execute(text("INSERT INTO erasures (shop_id) VALUES (:shop)"), {"shop": SHOP + 1})
        connection.execute(text("DELETE FROM entries"))


def test_sqlite_replaces_no_entry(sqlite_db):
    """INSERT OR REPLACE deletes without asking a DELETE trigger, unless recursive triggers are on."""
    award(sqlite_db, 1, 1, 10)
    with pytest.raises(DBAPIError), sqlite_db.engine.begin() as connection:
        connection.execute(text("INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE seq = 1"))
    with sqlite_db.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM entries")).scalar() == 1


@pytest.mark.parametrize(
    "change",
    ["available = -1", "pending = -1", "reserved = -1", "debt = -1", "available = 5, debt = 5"],
)
def test_a_balance_below_zero_or_beside_a_debt_cannot_be_stored(db, change):
    award(db, 1, 1, 10)
    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text(f"UPDATE balances SET {change}"))
    assert figures(db, 1) == (10, 0, 0, 0)


@pytest.mark.parametrize("change", ["points = 0", "points = -5", "source = target", "kind = 'stolen'"])
def test_an_entry_that_is_no_movement_cannot_be_stored(db, change):
    award(db, 1, 1, 10)
    columns = "shop_id, event, cause, member_id, kind, source, target, points, lot, occurred_at, posted_at, digest"
    column, value = change.split(" = ")
    values = ", ".join(value if name == column else name for name in columns.split(", "))
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.execute(
            text(f"INSERT INTO entries (key, seq, {columns}) SELECT 'other', 2, {values} FROM entries WHERE seq = 1")
        )

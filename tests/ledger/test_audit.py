"""The audit recomputes everything, and finds whatever was changed behind the books' back."""

from __future__ import annotations

from random import Random

import pytest
from sqlalchemy import text

from app.ledger import audit

from .posting import SHOP, busy_books
from .tampering import COLUMNS, entries, flip, tampering


def test_untouched_books_pass(db):
    busy_books(db)
    with tampering(db) as session:
        assert audit(session, SHOP) == []


@pytest.mark.parametrize("column", COLUMNS)
def test_one_flipped_byte_of_any_entry_is_found(db, column):
    busy_books(db)
    random = Random(f"audit {column}")
    with tampering(db) as session:
        stored = entries(session, SHOP)
    missed = []
    for entry in stored:
        if entry[column] is None:
            continue
        with tampering(db) as session:
            what = flip(session, entry, column, random)
            if not audit(session, SHOP):
                missed.append(f"{entry['key']}: {what}")
    assert not missed


def test_a_lot_that_was_null_and_is_not_any_more_is_found(db):
    busy_books(db)
    with tampering(db) as session:
        assert session.execute(text("UPDATE entries SET lot = 'order:1' WHERE lot IS NULL")).rowcount
        assert audit(session, SHOP)


@pytest.mark.parametrize("which", ["first", "middle", "last"])
def test_a_deleted_entry_is_found(db, which):
    busy_books(db)
    with tampering(db) as session:
        keys = [entry["key"] for entry in entries(session, SHOP) if entry["member_id"] == 1]
        key = keys[{"first": 0, "middle": len(keys) // 2, "last": -1}[which]]
        session.execute(text("DELETE FROM entries WHERE shop_id = :shop AND key = :key"), {"shop": SHOP, "key": key})
        assert audit(session, SHOP)


def test_all_entries_of_a_member_deleted_are_found(db):
    busy_books(db)
    with tampering(db) as session:
        session.execute(text("DELETE FROM entries WHERE member_id = 2"))
        assert audit(session, SHOP)


def test_an_invented_entry_is_found_even_with_a_digest(db):
    busy_books(db)
    with tampering(db) as session:
        session.execute(
            text(
                "INSERT INTO entries SELECT shop_id, key || 'x', event, cause, member_id, seq + 1, kind, source,"
                " target, points, lot, occurred_at, posted_at, digest FROM entries WHERE member_id = 1 AND seq ="
                " (SELECT max(seq) FROM entries WHERE member_id = 1)"
            )
        )
        assert audit(session, SHOP)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE balances SET available = available + 1 WHERE member_id = 1",
        "UPDATE balances SET pending = pending + 1 WHERE member_id = 1",
        "UPDATE balances SET reserved = reserved + 1 WHERE member_id = 1",
        "UPDATE balances SET debt = debt + 1 WHERE available = 0 AND member_id = 2",
        "UPDATE balances SET seq = seq + 1 WHERE member_id = 1",
        "UPDATE balances SET head = digest FROM entries WHERE balances.member_id = 1 AND entries.member_id = 1"
        " AND entries.seq = 1",
        "UPDATE lots SET available = available + 1",
        "UPDATE lots SET pending = pending + 1",
        "DELETE FROM lots WHERE available > 0",
        "DELETE FROM balances WHERE member_id = 1",
        "UPDATE day_totals SET points = points + 1 WHERE kind = 'earned'",
        "DELETE FROM day_totals WHERE kind = 'repaid'",
        "UPDATE day_totals SET kind = 'adjusted_up2' WHERE kind = 'adjusted_up'",
    ],
)
def test_a_cache_that_was_changed_is_found(db, statement):
    busy_books(db)
    with tampering(db) as session:
        assert session.execute(text(statement)).rowcount > 0
        assert audit(session, SHOP)


def test_a_text_that_is_none_is_found_and_not_stumbled_over(sqlite_db):
    busy_books(sqlite_db)
    for column in ("key", "kind", "lot", "posted_at", "occurred_at", "points", "digest"):
        with tampering(sqlite_db) as session:
            session.execute(
                text(f"UPDATE entries SET {column} = CAST(x'ff00fe' AS TEXT) WHERE member_id = 1 AND seq = 2")
            )
            assert audit(session, SHOP), column


def test_another_shops_books_are_not_the_audits_business(db):
    busy_books(db)
    with tampering(db) as session:
        session.execute(text("UPDATE balances SET available = available + 1 WHERE member_id = 1"))
        assert audit(session, SHOP + 1) == []

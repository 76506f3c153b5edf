"""Rows go in by batches, past SQLAlchemy on PostgreSQL: what goes wrong there must look as it does everywhere else."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from app.db import insert_rows, update_rows
from app.ledger import Balance

ROW = {
    "shop_id": 1,
    "member_id": 1,
    "available": 5,
    "pending": 0,
    "reserved": 0,
    "debt": 0,
    "seq": 1,
    "head": b"\x00\xff",
}


def test_rows_are_inserted_and_updated_in_batches(db):
    rows = [{**ROW, "member_id": member} for member in range(1, 6)]
    with db.transaction() as session:
        insert_rows(session, Balance, rows)
        update_rows(session, Balance, [{**row, "available": row["member_id"] * 10} for row in rows[:3]])
        insert_rows(session, Balance, [])
        update_rows(session, Balance, [])
    with db.reading() as session:
        found = [session.get_one(Balance, (1, member)) for member in range(1, 6)]
        assert [balance.available for balance in found] == [10, 20, 30, 5, 5]
        assert bytes(found[0].head) == b"\x00\xff"


def test_a_row_that_is_there_already_is_an_integrity_error(db):
    with db.transaction() as session:
        insert_rows(session, Balance, [ROW])
    with pytest.raises(IntegrityError), db.transaction() as session:
        insert_rows(session, Balance, [{**ROW, "member_id": 2}, ROW])
    with db.reading() as session:
        assert session.get(Balance, (1, 2)) is None


def test_a_row_that_breaks_a_check_is_an_integrity_error(db):
    with db.transaction() as session:
        insert_rows(session, Balance, [ROW])
    with pytest.raises(IntegrityError), db.transaction() as session:
        update_rows(session, Balance, [{**ROW, "available": -1}])
    with db.reading() as session:
        assert session.get_one(Balance, (1, 1)).available == 5

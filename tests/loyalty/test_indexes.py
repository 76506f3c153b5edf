"""What is asked for all the time is found by an index made for it, in a plan that knows no values, as plans that are
kept do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, insert, select, text

from app.db import Database
from app.jobs import queue
from app.jobs.schedule import ask_for_due_work
from app.loyalty import hand_out, redeem
from app.loyalty.call_back import delete_released_codes
from app.loyalty.make_codes import make_codes
from app.loyalty.release import any_to_expire, finish_releases
from app.loyalty.sweep_releases import sweep_releases
from app.models import Code, Lane, Redemption, RedemptionState

from ..conftest import SHOP_ID
from ..rewarding import fill_pool, redeemed, the_reward
from ..support import access_for, add_shop, deliver, drain, order_body


@pytest.fixture
def key(db, clock) -> str:
    """A shop with 3,000 used redemptions and codes, and one redemption that is out. Returns their discount's key."""
    add_shop(db)
    deliver(db, "orders/paid", order_body(lines=[("100.00", 1)]), now=clock())
    drain(db, clock)
    key = fill_pool(db, the_reward().reward_id, 500, count=1)
    one = redeemed(db, clock, 7001, key="a")
    with db.transaction() as session:
        for model, code in ((Redemption, "code"), (Code, "code")):
            table = model.__table__
            row = dict(session.execute(select(table).where(table.c.code == one.code)).one()._mapping)
            names = {"redemption_id", code, *(["key_hash"] if "key_hash" in row else [])}
            used = {"state": RedemptionState.USED} if model is Redemption else {}
            copies = [row | used | {name: f"{name} {number}" for name in names} for number in range(3000)]
            session.execute(insert(table), copies)
    with db.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
    return key


@contextmanager
def asked_of(db: Database) -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    engines = {db.engine, db.reader}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def plan(db: Database, statement: str, values: Any) -> str:
    """How the database would go about it, whatever the values."""
    with db.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        if db.is_sqlite:
            return "\n".join(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", values))
        names: list[str] = []

        def place(found: re.Match[str]) -> str:
            names.append(found[1])
            return f"${len(names)}"

        numbered = re.sub(r"%\((\w+)\)s", place, statement)
        given = ", ".join(psycopg.sql.Literal(values[name]).as_string(raw) for name in names)
        raw.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        raw.execute(f"PREPARE asked AS {numbered}")
        rows = raw.execute(f"EXPLAIN EXECUTE asked{f'({given})' if given else ''}").fetchall()
        raw.execute("DEALLOCATE asked")
        return "\n".join(row[0] for row in rows)


def settle_lane(db, clock, key) -> None:
    with db.reading() as session:
        queue._future_work(session, queue.Lease(SHOP_ID, Lane.SETTLE, 0), clock())


def reading(verb):
    def ask(db, clock, key):
        with db.transaction() as session:
            verb(session, clock)

    return ask


ASKED = {
    "whose date is over": (reading(lambda s, clock: any_to_expire(s, SHOP_ID, now=clock())), "ix_redemptions_expiring"),
    "when the next is over": (settle_lane, "ix_redemptions_expiring"),
    "what to call back": (lambda db, clock, key: delete_released_codes(access_for(db, clock), SHOP_ID), "held"),
    "what to sweep for": (lambda db, clock, key: sweep_releases(access_for(db, clock), SHOP_ID, {}), "held"),
    "what may go back": (reading(lambda s, clock: finish_releases(s, SHOP_ID, now=clock())), "ix_redemptions_held"),
    "what was lost": (reading(lambda s, clock: ask_for_due_work(s, now=clock())), "ix_redemptions_held"),
    "who waits for a code": (lambda db, clock, key: make_codes(access_for(db, clock), SHOP_ID, key), "held"),
    "whose credit it is": (
        lambda db, clock, key: hand_out._unclaimed(access_for(db, clock), SHOP_ID, ["gid://shopify/C/1"]), "gid",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ASKED)
def test_redemptions_are_found_by_an_index_of_the_few(db, clock, key, what):
    ask, index = ASKED[what]
    with asked_of(db) as seen:
        ask(db, clock, key)
    of_them = [(statement, values) for statement, values in seen if re.search(r"(FROM|JOIN) redemptions", statement)]
    assert of_them
    for statement, values in of_them:
        assert index in plan(db, statement, values), plan(db, statement, values)


def test_a_pools_codes_are_found_by_what_is_odd_about_them(db, clock, key):
    with asked_of(db) as seen:
        make_codes(access_for(db, clock), SHOP_ID, key)
        delete_released_codes(access_for(db, clock), SHOP_ID)
    of_them = [each for each in seen if re.search("FROM codes", each[0]) and "JOIN redemptions" not in each[0]]
    assert len(of_them) >= 3
    for statement, values in of_them:
        found = plan(db, statement, values)
        assert "ix_codes_free" in found or "ix_codes_open" in found, f"{statement}\n{found}"


def test_what_can_be_drawn_from_is_told_in_words(db):
    for _, lots in (redeem.OF_MEMBER, redeem.OF_CUSTOMER):
        assert "lots.available > 0" in lots.on(db.engine.dialect.name == "postgresql").sql

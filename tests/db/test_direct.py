"""Statements straight on the driver: the same answers on both databases, all or nothing, and errors as everywhere."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import Integer, bindparam, func, select, text, update
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from app.db import Database, Direct, Prepared
from app.ledger import Balance
from app.models import Job, JobState, Lane, Member, RewardUse, Shop

from ..conftest import NOW, SHOP_ID
from ..support import add_shop

SHOP = Prepared(
    lambda insert: select(Shop.shop_id, Shop.domain, Shop.installed_at, Shop.uninstalled_at, Shop.recovered).where(
        Shop.shop_id == bindparam("shop")
    )
)
JOB = Prepared(
    lambda insert: select(
        Job.kind, Job.arguments, Job.lane, Job.state, Job.due_at, (Job.tries > 0).label("tried")
    ).where(Job.shop_id == bindparam("shop"), Job.subject == bindparam("subject"))
)
NEW_JOB = Prepared(
    lambda insert: (
        insert(Job.__table__)
        .values(
            {name: bindparam(name) for name in ("shop_id", "job_id", "kind", "subject", "arguments", "due_at")}
            | {"lane": Lane.NETWORK, "state": JobState.DUE, "tries": 0, "wanted": 1, "outcome": ""}
        )
        .returning(Job.job_id)
    )
)
RENAME = Prepared(lambda insert: update(Shop).where(Shop.shop_id == bindparam("shop")).values(name=bindparam("to")))
BALANCE = Prepared(
    lambda insert: (
        select(Balance.available, Balance.head).where(Balance.member_id == bindparam("member")).with_for_update()
    )
)
USE = Prepared(
    lambda insert: insert(RewardUse.__table__).values(
        shop_id=bindparam("shop"), slot=bindparam("slot"), what="stock", period="", used=1
    )
)


@pytest.fixture
def shop(db: Database) -> int:
    return add_shop(db)


def name_of(db: Database) -> str:
    with db.reading() as session:
        return session.get_one(Shop, SHOP_ID).name


def job(subject: str, **more: object) -> dict[str, object]:
    return {
        "shop_id": SHOP_ID, "job_id": subject, "kind": "sync_members", "subject": subject, "arguments": {"key": "ü"},
        "due_at": NOW, **more,
    }  # fmt: skip


def test_values_come_back_as_they_went_in(db, shop):
    moment = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
    awkward = "a\\b'c\"d\n%s $1 {\u00fc}\U0001f375"
    db.directly(lambda direct: direct.ask(NEW_JOB, **job(awkward, due_at=moment)).first())
    (found,) = db.look(JOB, shop=SHOP_ID, subject=awkward)
    assert found == ("sync_members", {"key": "ü"}, Lane.NETWORK, JobState.DUE, moment, False)
    assert found.due_at.tzinfo is not None and type(found.tried) is bool
    (known,) = db.look(SHOP, shop=SHOP_ID)
    assert (known.shop_id, known.uninstalled_at, known.recovered) == (SHOP_ID, None, 0)
    assert db.look(SHOP, shop=2**62) == []


def test_bytes_come_back_as_bytes(db, shop):
    with db.transaction() as session:
        session.add(Member(shop_id=SHOP_ID, member_id=5, customer_id=50, joined_at=NOW))
        session.add(Balance(shop_id=SHOP_ID, member_id=5, available=2**53, head=bytes(range(256))))
    assert db.look(BALANCE, member=5) == [(2**53, bytes(range(256)))]


def test_a_refusal_takes_back_what_was_written_before_it(db, shop):
    def work(direct: Direct) -> None:
        direct.ask(RENAME, shop=SHOP_ID, to="Half done")
        assert direct.ask(SHOP, shop=SHOP_ID).first() is not None
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        db.directly(work)
    assert name_of(db) == "Saltmarsh Pottery"
    db.directly(lambda direct: direct.ask(RENAME, shop=SHOP_ID, to="Done"))
    assert name_of(db) == "Done"


def test_a_statement_that_fails_takes_back_the_others_and_says_why(db, shop):
    def twice(direct: Direct) -> None:
        direct.ask(RENAME, shop=SHOP_ID, to="Half done")
        direct.ask(USE, shop=SHOP_ID, slot="off")
        direct.ask(USE, shop=SHOP_ID, slot="off")

    with pytest.raises(IntegrityError):
        db.directly(twice)
    assert name_of(db) == "Saltmarsh Pottery"
    assert [row.domain for row in db.look(SHOP, shop=SHOP_ID)] != []  # the connection goes on


def test_writes_go_together_and_several_of_a_kind_too(db, shop):
    db.directly(lambda direct: direct.write([(USE, {"shop": SHOP_ID, "slot": str(n)}) for n in range(12)]))
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(RewardUse)) == 12
    with pytest.raises(IntegrityError):
        db.directly(lambda direct: direct.write([(USE, {"shop": SHOP_ID, "slot": s}) for s in ("new", "0")]))
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(RewardUse)) == 12


def test_inside_a_session_it_sees_what_the_session_wrote_and_is_committed_with_it(db, shop):
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).name = "Renamed"
        direct = Direct.of(session)
        direct.ask(NEW_JOB, **job("inside"))
        assert direct.ask(JOB, shop=SHOP_ID, subject="inside").first() is not None
    assert name_of(db) == "Renamed"
    with pytest.raises(RuntimeError), db.transaction() as session:
        Direct.of(session).ask(RENAME, shop=SHOP_ID, to="Not this")
        raise RuntimeError
    assert name_of(db) == "Renamed"


def test_what_comes_afterwards_comes_after_the_commit_and_cannot_spoil_it(postgres_db):
    add_shop(postgres_db)

    def work(direct: Direct) -> str:
        direct.ask(NEW_JOB, **job("committed"))
        direct.afterwards[RENAME, 1] = {"shop": SHOP_ID, "to": "Woken"}
        direct.afterwards[NEW_JOB, 1] = job("committed")  # there already: refused by the table
        return "done"

    assert postgres_db.directly(work) == "done"
    assert [row.kind for row in postgres_db.look(JOB, shop=SHOP_ID, subject="committed")] == ["sync_members"]


@pytest.mark.parametrize("odd", ["a\0b", "\ud800"])
def test_a_text_no_column_takes_is_the_senders_mistake(postgres_db, odd):
    add_shop(postgres_db)
    with pytest.raises(DataError):
        postgres_db.look(JOB, shop=SHOP_ID, subject=odd)
    assert postgres_db.look(JOB, shop=SHOP_ID, subject="fine") == []


def test_a_connection_the_server_closed_is_replaced(postgres_db):
    add_shop(postgres_db)
    assert postgres_db.look(SHOP, shop=SHOP_ID)
    end_all_others(postgres_db)
    assert postgres_db.look(SHOP, shop=SHOP_ID)
    end_all_others(postgres_db)
    postgres_db.directly(lambda direct: direct.ask(RENAME, shop=SHOP_ID, to="Still here"))
    assert name_of(postgres_db) == "Still here"


def test_a_connection_that_goes_in_the_middle_leaves_nothing_behind(postgres_db):
    add_shop(postgres_db)
    begun = []

    def work(direct: Direct) -> None:
        direct.ask(RENAME, shop=SHOP_ID, to="Half done")
        assert direct.ask(SHOP, shop=SHOP_ID).first() is not None
        begun.append(name_of(postgres_db))
        end_all_others(postgres_db)
        direct.ask(SHOP, shop=SHOP_ID).first()

    with pytest.raises(OperationalError):
        postgres_db.directly(work)
    assert begun == ["Saltmarsh Pottery"] * 2  # it was tried again, once
    assert name_of(postgres_db) == "Saltmarsh Pottery"


def end_all_others(db: Database) -> None:
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    db.engine.dispose()


def test_a_deadlock_is_tried_again(postgres_db):
    add_shop(postgres_db)
    with postgres_db.transaction() as session:
        for slot in ("a", "b"):
            session.add(RewardUse(shop_id=SHOP_ID, slot=slot, what="stock", period="", used=0))
    more = Prepared(
        lambda insert: (
            update(RewardUse)
            .where(RewardUse.shop_id == bindparam("shop"), RewardUse.slot == bindparam("its"))
            .values(used=RewardUse.used + 1)
            .returning(RewardUse.used)
        )
    )
    met = threading.Barrier(2)

    def both(first: str, second: str) -> None:
        together = iter([True])

        def work(direct: Direct) -> None:
            direct.ask(more, shop=SHOP_ID, its=first).first()
            if next(together, False):
                met.wait(10)
            direct.ask(more, shop=SHOP_ID, its=second).first()

        postgres_db.directly(work)

    threads = [threading.Thread(target=both, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    with postgres_db.reading() as session:
        assert session.scalars(select(RewardUse.used)).all() == [2, 2]


def test_a_plan_that_no_longer_fits_is_made_anew(postgres_db):
    """A migration under a running process: the server refuses the plans it has kept."""
    add_shop(postgres_db)
    assert postgres_db.look(SHOP, shop=SHOP_ID)
    with postgres_db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE shops ALTER COLUMN recovered TYPE numeric"))
    try:
        (row,) = postgres_db.look(SHOP, shop=SHOP_ID)
        assert row.recovered == 0
    finally:
        with postgres_db.engine.begin() as connection:
            connection.execute(text("ALTER TABLE shops ALTER COLUMN recovered TYPE bigint"))


def test_every_thread_has_a_connection_of_its_own(postgres_db):
    add_shop(postgres_db)
    seen: list[int] = []
    pid = Prepared(lambda insert: select(func.pg_backend_pid(type_=Integer).label("pid")))

    def ask() -> None:
        seen.extend(row.pid for row in postgres_db.look(pid) + postgres_db.look(pid))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 6 and len(set(seen)) == 3


def test_disposing_closes_the_threads_connections(postgres_db):
    """A process that ends, or a test with sixty-four threads, leaves the server no connections."""
    add_shop(postgres_db)
    done, looked = threading.Event(), threading.Barrier(5)

    def look_and_stay() -> None:
        postgres_db.look(SHOP, shop=SHOP_ID)
        looked.wait(10)
        done.wait(10)

    threads = [threading.Thread(target=look_and_stay) for _ in range(4)]
    for thread in threads:
        thread.start()
    looked.wait(10)
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with postgres_db.reading() as session:
        before = session.scalar(text(others))
    postgres_db.dispose()
    with postgres_db.reading() as session:
        until = time.monotonic() + 5
        while session.scalar(text(others)) > before - 4 and time.monotonic() < until:
            session.rollback()
            time.sleep(0.05)
        assert session.scalar(text(others)) <= before - 4
    done.set()
    for thread in threads:
        thread.join()

"""Real threads on PostgreSQL: nothing is lost, nothing is posted twice, nobody waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from sqlalchemy import func, select

from app.ledger import Books, Entry, KeyReused, NotEnoughPoints, adjust, audit

from ..conftest import NOW
from .posting import SHOP, award, figures

THREADS = 16


def race(work: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """Run ``work(0 … threads − 1)`` at the same moment and return the results; an exception is a result."""
    gate = Barrier(threads)

    def run(number: int) -> Any:
        gate.wait()
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def add(db: Any, *, member: int, key: str, points: int) -> bool:
    with db.transaction() as session:
        return adjust(session, shop_id=SHOP, member_id=member, key=key, points=points, now=NOW)


def test_sixteen_threads_adjust_one_member_and_no_update_is_lost(db):
    def work(number: int) -> int:
        return sum(add(db, member=1, key=f"{number}.{round}", points=5) for round in range(5))

    assert race(work) == [5] * THREADS
    assert figures(db, 1) == (5 * 5 * THREADS, 0, 0, 0)
    with db.reading() as session:
        assert audit(session, SHOP) == []


def test_the_first_postings_to_a_member_race_and_none_is_lost(postgres_db):
    for member in range(1, 6):
        assert (
            race(lambda number, m=member: add(postgres_db, member=m, key=f"{m}.{number}", points=1)) == [True] * THREADS
        )
        assert figures(postgres_db, member) == (THREADS, 0, 0, 0)


def test_a_balance_read_before_the_lock_does_not_survive_it(postgres_db):
    award(postgres_db, 1, 1, 10)

    def work(number: int) -> None:
        with postgres_db.transaction() as session:
            session.execute(select(func.count()).select_from(Entry)).all()  # a snapshot from before the lock
            from app.ledger import Balance

            assert session.get(Balance, (SHOP, 1)) is not None
            books = Books(session, SHOP, now=NOW)
            books.open([1])
            books.adjust(1, event=f"adjust:{number}", points=1, occurred_at=NOW)
            books.close()

    assert race(work) == [None] * THREADS
    assert figures(postgres_db, 1) == (10 + THREADS, 0, 0, 0)


def test_one_key_in_sixteen_threads_is_posted_once(postgres_db):
    results = race(lambda number: add(postgres_db, member=1, key="once", points=7))
    assert sorted(results) == [False] * (THREADS - 1) + [True]
    assert figures(postgres_db, 1) == (7, 0, 0, 0)


def test_one_key_with_other_points_in_sixteen_threads_is_posted_once(postgres_db):
    results = race(lambda number: add(postgres_db, member=1, key="once", points=7 + number))
    assert [result for result in results if result is True] == [True]
    assert sum(isinstance(result, KeyReused) for result in results) == THREADS - 1
    with postgres_db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Entry).where(Entry.shop_id == SHOP)) == 1


def test_sixteen_threads_remove_points_and_exactly_as_many_succeed_as_there_are_points_for(postgres_db):
    award(postgres_db, 1, 1, 70)
    results = race(lambda number: add(postgres_db, member=1, key=f"r{number}", points=-10))
    assert results.count(True) == 7
    assert sum(isinstance(result, NotEnoughPoints) for result in results) == THREADS - 7
    assert figures(postgres_db, 1) == (0, 0, 0, 0)
    with postgres_db.reading() as session:
        assert audit(session, SHOP) == []

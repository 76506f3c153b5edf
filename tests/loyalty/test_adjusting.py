"""Points corrected by hand: once for a key, never beyond what is available, never in anybody's way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from app.errors import Invalid, NotFound
from app.jobs.worker import Worker
from app.ledger import Entry, KeyReused, NotEnoughPoints
from app.loyalty.adjust import adjust
from app.loyalty.members import join
from app.models import Adjustment, Member

from ..conftest import NOW, SHOP_ID
from ..support import (
    access_for,
    add_shop,
    available,
    customer_body,
    deliver,
    drain,
    jobs,
    merge_body,
    order_body,
    problems,
    refund_body,
)


@pytest.fixture
def member(db) -> int:
    add_shop(db)
    with db.transaction() as session:
        return join(session, SHOP_ID, [7001], NOW)[7001]


def by_hand(db, member_id: int, points: int = 5, **more: Any) -> bool:
    settings = {"reason": "Sorry for the wait", "key": "k", "author": "staff 1", "now": NOW, **more}
    with db.transaction() as session:
        return adjust(session, SHOP_ID, member_id, points=points, **settings)


def test_an_adjustment_is_posted_with_its_words_and_reaches_the_storefront(db, member):
    assert by_hand(db, member)
    assert available(db, 7001) == 5
    with db.reading() as session:
        words = session.scalars(select(Adjustment)).one()
        assert (words.points, words.reason, words.author) == (5, "Sorry for the wait", "staff 1")
        found = session.get_one(Member, (SHOP_ID, member))
        assert found.wanted_seq > found.synced_seq
    assert ("sync_members", "") in jobs(db)


def test_a_double_click_is_one_adjustment(db, member):
    assert [by_hand(db, member), by_hand(db, member)] == [True, False]
    assert available(db, 7001) == 5


def test_a_key_for_other_points_or_another_member_is_refused(db, member):
    with db.transaction() as session:
        other = join(session, SHOP_ID, [7002], NOW)[7002]
    by_hand(db, member)
    for member_id, points in ((member, 6), (other, 5)):
        with pytest.raises(KeyReused):
            by_hand(db, member_id, points)
    with db.reading() as session:
        assert session.scalars(select(Adjustment.points)).all() == [5]


def test_a_refused_adjustment_leaves_no_words_and_its_key_unused(db, member):
    with pytest.raises(NotEnoughPoints):
        by_hand(db, member, -5)
    with db.reading() as session:
        assert session.scalars(select(Adjustment)).all() == []
    assert by_hand(db, member, 5)


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("key", {"key": ""}),
        ("key", {"key": "x" * 256}),
        ("key", {"key": "a\x00b"}),
        ("points", {"points": 0}),
        ("points", {"points": 10**9 + 1}),
        ("points", {"points": -(10**9) - 1}),
        ("reason", {"reason": "   "}),
        ("reason", {"reason": "x" * 501}),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field(db, member, field, more):
    with pytest.raises(Invalid) as error:
        by_hand(db, member, **more)
    assert error.value.field == field


@pytest.mark.parametrize("column", ["redacted_at", "merged_into", None])
def test_a_member_who_is_gone_cannot_be_adjusted(db, member, column):
    if column:
        with db.transaction() as session:
            setattr(session.get_one(Member, (SHOP_ID, member)), column, NOW if column == "redacted_at" else 1)
    with pytest.raises(NotFound):
        by_hand(db, member if column else member + 1)


def test_one_key_used_for_sixteen_members_at_once_is_posted_once(postgres_db):
    add_shop(postgres_db)
    with postgres_db.transaction() as session:
        members = list(join(session, SHOP_ID, range(7001, 7017), NOW).values())
    gate = Barrier(16)

    def work(member_id: int) -> Any:
        gate.wait()
        try:
            return by_hand(postgres_db, member_id)
        except KeyReused:
            return "reused"

    with ThreadPoolExecutor(16) as pool:
        assert sorted(map(str, pool.map(work, members))) == ["True"] + ["reused"] * 15
    with postgres_db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == 1


def test_adjusting_settling_and_merging_the_same_members_never_wait_for_each_other_for_ever(postgres_db, clock):
    """All of them take the settling lane's row first: without it this test deadlocks."""
    add_shop(postgres_db)
    customers = list(range(7001, 7009))
    with postgres_db.transaction() as session:
        members = list(join(session, SHOP_ID, customers, NOW).values())
    stop, adjusted, trouble = [], [], []

    def staff(number: int) -> None:
        count = 0
        while not stop:
            count += 1
            for member_id in members[number::2]:
                try:
                    by_hand(postgres_db, member_id, 1, key=f"{number}.{count}.{member_id}")
                    adjusted.append(member_id)
                except NotFound:
                    pass  # merged away meanwhile
                except Exception as error:
                    trouble.append(repr(error))

    with ThreadPoolExecutor(2) as pool:
        at_work = [pool.submit(staff, number) for number in range(2)]
        worker = Worker(access_for(postgres_db, clock))
        for wave in range(6):
            for number, customer in enumerate(reversed(customers)):
                order = 6000 + wave * 10 + number
                deliver(postgres_db, "orders/paid", order_body(order, customer_id=customer), now=clock())
                seen = customer_body(customer, email=f"{customer}@x.example", updated_at=NOW + timedelta(seconds=wave))
                deliver(postgres_db, "customers/update", seen, now=clock())
                deliver(postgres_db, "refunds/create", refund_body(order, order, units={1: 1}), now=clock())
            if wave == 4:
                deliver(postgres_db, "customers/merge", merge_body(kept_id=7002, deleted_id=7001), now=clock())
            worker.drain(limit=6)  # not until nothing is due: there is always something
            clock.advance(seconds=3)
        stop.append(True)
        for done in at_work:
            done.result()
    assert trouble == []
    assert problems(postgres_db) == []
    drain(postgres_db, clock)
    total = sum(available(postgres_db, customer) for customer in customers[1:])
    assert total == len(adjusted)

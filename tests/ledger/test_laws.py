"""The laws of the books, on both databases: any sequence of movements keeps them (GAUNTLET I1–I4).

Hypothesis makes the sequences. Each runs in a shop of its own, against a keeper that does the same sums in plain
dictionaries, and ends with an audit.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from app.db import Database
from app.ledger import Account, Balance, Books, Entry, Lot, NotEnoughPoints, adjust, audit, transfer
from app.ledger.audit import balance_at
from app.ledger.books import KeyReused

from ..conftest import NOW
from .keeping import Keeper

MEMBERS = st.integers(1, 3)
ORDERS = st.integers(1, 5)
POINTS = st.integers(1, 400)
SHOPS = count(7_000_001)


class BooksMachine(RuleBasedStateMachine):
    """Everything that can be posted, in any order."""

    db: Database

    @initialize()
    def open_books(self) -> None:
        self.shop = next(SHOPS)
        self.now = NOW
        self.kept = {member: Keeper() for member in (1, 2, 3)}
        self.held: dict[tuple[int, int], int] = {}  # (member, order) → points awarded and not taken back
        self.adjusted: dict[str, tuple[int, int]] = {}
        self.snapshots: list[tuple[datetime, dict[int, tuple[int, int, int]]]] = []
        self.events = count(1)

    @rule(member=MEMBERS, order=ORDERS, points=POINTS, hold=st.sampled_from([None, -1, 3, 30]))
    def award(self, member: int, order: int, points: int, hold: int | None) -> None:
        cause, event = f"order:{order}", f"order:{order}:settled:{next(self.events)}"
        earned_at, matures_at = NOW - timedelta(days=order), self.now + timedelta(days=hold) if hold else None
        with self.posting(member, cause) as books:
            books.award(
                member, cause=cause, event=event, points=points, occurred_at=self.now, earned_at=earned_at,
                matures_at=matures_at,
            )  # fmt: skip
        keeper = self.kept[member]
        lot = keeper.lot(cause, earned_at)
        if lot.pending and lot.matures_at != matures_at:
            lot.matures_at = matures_at or self.now
        lot.matures_at = matures_at or lot.matures_at
        if matures_at is not None and matures_at > self.now:
            lot.pending += points
        else:
            keeper.enter(lot, points)
        self.held[member, order] = self.held.get((member, order), 0) + points

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        member, order = data.draw(st.sampled_from(sorted(pair for pair, points in self.held.items() if points)))
        points = data.draw(st.integers(1, self.held[member, order]))
        cause, event = f"order:{order}", f"order:{order}:settled:{next(self.events)}"
        with self.posting(member, cause) as books:
            books.take_back(member, cause=cause, event=event, points=points, occurred_at=self.now)
        self.kept[member].take_back(cause, points)
        self.held[member, order] -= points

    @rule(member=MEMBERS, order=ORDERS)
    def mature(self, member: int, order: int) -> None:
        cause = f"order:{order}"
        lot = self.kept[member].lots.get(cause)
        due = lot.pending if lot and lot.matures_at and lot.matures_at <= self.now else 0
        for expected in (due, 0):  # a job that runs twice matures once
            with self.posting(member, cause) as books:
                assert books.mature(member, cause) == expected
        if lot is not None and due:
            lot.pending = 0
            self.kept[member].enter(lot, due)

    @rule(member=MEMBERS, points=st.one_of(POINTS, st.integers(-400, -1)))
    def adjust(self, member: int, points: int) -> None:
        key = f"k{next(self.events)}"
        keeper = self.kept[member]
        if -points > keeper.available:
            with pytest.raises(NotEnoughPoints), self.db.transaction() as session:
                adjust(session, shop_id=self.shop, member_id=member, key=key, points=points, now=self.now)
            return
        with self.db.transaction() as session:
            assert adjust(session, shop_id=self.shop, member_id=member, key=key, points=points, now=self.now)
        self.adjusted[key] = (member, points)
        if points > 0:
            keeper.enter(keeper.lot(f"adjust:{key}", self.now), points)
        else:
            assert keeper.draw(-points) == 0

    @precondition(lambda self: self.adjusted)
    @rule(data=st.data(), more=st.sampled_from([0, 1, -1]), other=MEMBERS)
    def use_a_key_again(self, data: st.DataObject, more: int, other: int) -> None:
        key = data.draw(st.sampled_from(sorted(self.adjusted)))
        member, points = self.adjusted[key]
        with self.db.transaction() as session:
            same = {"shop_id": self.shop, "member_id": member, "key": key, "points": points, "now": self.now}
            if more == 0 and other == member:
                assert not adjust(session, **same)
            else:
                with pytest.raises(KeyReused):
                    adjust(session, **{**same, "points": points + more, "member_id": other})

    @rule(giving=MEMBERS, taking=MEMBERS)
    def transfer(self, giving: int, taking: int) -> None:
        if giving == taking:
            return
        with self.db.transaction() as session:
            transfer(session, shop_id=self.shop, source_id=giving, target_id=taking, now=self.now)
        giver, taker = self.kept[giving], self.kept[taking]
        for lot in sorted(giver.lots.values(), key=lambda lot: lot.soonest_first):
            if lot.pending or lot.available:
                to = taker.lot(lot.name, lot.earned_at)
                to.matures_at = lot.matures_at or to.matures_at
                to.pending += lot.pending
                taker.enter(to, lot.available)
                lot.pending = lot.available = 0
        taker.debt += taker.draw(giver.debt)
        giver.debt = 0
        for (member, order), points in list(self.held.items()):
            if member == giving:
                self.held[taking, order] = self.held.get((taking, order), 0) + points
                self.held[member, order] = 0

    @rule(days=st.integers(1, 20))
    def time_passes(self, days: int) -> None:
        self.snapshots.append((self.now, self.figures()))
        self.now += timedelta(days=days)

    @invariant()
    def the_books_say_what_the_keeper_says(self) -> None:
        if not hasattr(self, "kept"):
            return
        with self.db.reading() as session:
            rows = session.scalars(select(Balance).where(Balance.shop_id == self.shop))
            balances = {row.member_id: row for row in rows}
            lots: dict[int, dict[str, tuple[int, int]]] = {member: {} for member in self.kept}
            for lot in session.scalars(select(Lot).where(Lot.shop_id == self.shop)):
                if lot.pending or lot.available:
                    lots[lot.member_id][lot.lot] = (lot.pending, lot.available)
        for member, keeper in self.kept.items():
            balance = balances.get(member) or Balance(available=0, pending=0, reserved=0, debt=0)
            figures = (balance.available, balance.pending, balance.reserved, balance.debt)
            assert figures == (keeper.available, keeper.pending, 0, keeper.debt)
            assert balance.available == 0 or balance.debt == 0
            assert lots[member] == keeper.open_lots()

    def teardown(self) -> None:
        if not hasattr(self, "kept"):
            return
        with self.db.reading() as session:
            assert audit(session, self.shop) == []
            left, came = moved(session, self.shop)
            assert left == came
            for moment, figures in self.snapshots:
                for member, (available, pending, debt) in figures.items():
                    was = balance_at(session, self.shop, member, moment)
                    assert (was["available"], was["pending"], was["debt"]) == (available, pending, debt)

    def figures(self) -> dict[int, tuple[int, int, int]]:
        return {member: (keeper.available, keeper.pending, keeper.debt) for member, keeper in self.kept.items()}

    def posting(self, member: int, lot: str) -> Any:
        return _Posting(self, member, lot)


class _Posting:
    """One transaction with the member's book open."""

    def __init__(self, machine: BooksMachine, member: int, lot: str) -> None:
        self.machine, self.member, self.lot = machine, member, lot

    def __enter__(self) -> Books:
        self.transaction = self.machine.db.transaction()
        session = self.transaction.__enter__()
        self.books = Books(session, self.machine.shop, now=self.machine.now)
        self.books.open([self.member], [self.lot])
        return self.books

    def __exit__(self, *problem: Any) -> None:
        if problem[0] is None:
            self.books.close()
        self.transaction.__exit__(*problem)


def moved(session: Any, shop_id: int) -> tuple[int, int]:
    """Points that left a member for another, and points that came from another."""
    left = select(func.sum(Entry.points)).where(Entry.shop_id == shop_id, Entry.target == Account.MOVED)
    came = select(func.sum(Entry.points)).where(Entry.shop_id == shop_id, Entry.source == Account.MOVED)
    return int(session.scalar(left) or 0), int(session.scalar(came) or 0)


def test_any_sequence_of_movements_keeps_the_laws_of_the_books(db: Database) -> None:
    run_state_machine_as_test(
        type("Machine", (BooksMachine,), {"db": db}),
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

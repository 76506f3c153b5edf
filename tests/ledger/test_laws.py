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
from app.ledger import Account, Balance, Books, Entry, KeyReused, Lot, NotEnoughPoints, adjust, audit, transfer
from app.ledger.audit import balance_at

from ..conftest import NOW
from .keeping import Keeper, KeptReward

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
        self.rewards: list[KeptReward] = []
        self.snapshots: list[tuple[datetime, dict[int, tuple[int, int, int, int]]]] = []
        self.events = count(1)

    @rule(
        member=MEMBERS, order=ORDERS, points=POINTS, hold=st.sampled_from([None, -1, 3, 30]),
        lasts=st.sampled_from([None, None, 90, 400]),
    )  # fmt: skip
    def award(self, member: int, order: int, points: int, hold: int | None, lasts: int | None) -> None:
        cause, event = f"order:{order}", f"order:{order}:settled:{next(self.events)}"
        earned_at, matures_at = NOW - timedelta(days=order), self.now + timedelta(days=hold) if hold else None
        expires_at = self.now + timedelta(days=lasts) if lasts else None
        with self.posting(member, cause) as books:
            books.award(
                member, cause=cause, event=event, points=points, occurred_at=self.now, earned_at=earned_at,
                matures_at=matures_at, expires_at=expires_at,
            )  # fmt: skip
        keeper = self.kept[member]
        lot = keeper.lot(cause, earned_at)
        if lot.pending and lot.matures_at != matures_at:
            lot.matures_at = matures_at or self.now
        lot.matures_at, lot.expires_at = matures_at or lot.matures_at, expires_at or lot.expires_at
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

    # --- rewards ---------------------------------------------------------------------------------------------------

    @rule(member=MEMBERS, points=POINTS)
    def reserve(self, member: int, points: int) -> None:
        reward = KeptReward(f"redemption:{next(self.events)}", member, points)
        keeper = self.kept[member]
        if points > keeper.available:
            with pytest.raises(NotEnoughPoints), self.posting(member) as books:
                books.reserve(member, **reward.next_event(), points=points, occurred_at=self.now)
            return
        with self.posting(member) as books:
            books.reserve(member, **reward.next_event(), points=points, occurred_at=self.now)
        assert keeper.draw_for(reward, points) == 0
        keeper.reserved += points
        reward.reserved = points
        self.rewards.append(reward)

    @precondition(lambda self: any(reward.reserved for reward in self.rewards))
    @rule(data=st.data(), all_of_it=st.booleans())
    def release(self, data: st.DataObject, all_of_it: bool) -> None:
        reward = data.draw(st.sampled_from([reward for reward in self.rewards if reward.reserved]))
        points = reward.reserved if all_of_it else data.draw(st.integers(1, reward.reserved))
        with self.posting(reward.member) as books:
            books.release(reward.member, **reward.next_event(), points=points, occurred_at=self.now)
        self.kept[reward.member].reserved -= points
        reward.reserved -= points
        self.kept[reward.member].put_back(reward, points, self.now)

    @precondition(lambda self: any(reward.reserved for reward in self.rewards))
    @rule(data=st.data())
    def redeem(self, data: st.DataObject) -> None:
        reward = data.draw(st.sampled_from([reward for reward in self.rewards if reward.reserved]))
        points = data.draw(st.integers(1, reward.reserved))
        with self.posting(reward.member) as books:
            books.redeem(reward.member, **reward.next_event(), points=points, occurred_at=self.now)
        self.kept[reward.member].reserved -= points
        reward.reserved -= points
        reward.redeemed += points

    @precondition(lambda self: any(reward.free for reward in self.rewards))
    @rule(data=st.data())
    def redeem_after_all(self, data: st.DataObject) -> None:
        reward = data.draw(st.sampled_from([reward for reward in self.rewards if reward.free]))
        points = data.draw(st.integers(1, reward.free))
        with self.posting(reward.member) as books:
            books.redeem_after_all(reward.member, **reward.next_event(), points=points, occurred_at=self.now)
        keeper = self.kept[reward.member]
        keeper.debt += keeper.draw_for(reward, points)
        reward.redeemed += points

    @precondition(lambda self: any(reward.redeemed for reward in self.rewards))
    @rule(data=st.data(), all_of_it=st.booleans())
    def give_back(self, data: st.DataObject, all_of_it: bool) -> None:
        reward = data.draw(st.sampled_from([reward for reward in self.rewards if reward.redeemed]))
        points = reward.redeemed if all_of_it else data.draw(st.integers(1, reward.redeemed))
        with self.posting(reward.member) as books:
            books.give_back(reward.member, **reward.next_event(), points=points, occurred_at=self.now)
        reward.redeemed -= points
        self.kept[reward.member].put_back(reward, points, self.now)

    @rule(giving=MEMBERS, taking=MEMBERS)
    def transfer(self, giving: int, taking: int) -> None:
        if giving == taking:
            return
        with self.db.transaction() as session:
            transfer(session, shop_id=self.shop, source_id=giving, target_id=taking, now=self.now)
        giver, taker = self.kept[giving], self.kept[taking]
        for lot in sorted(giver.lots.values(), key=lambda lot: lot.soonest_first):
            is_known = lot.name in taker.lots
            to = taker.lot(lot.name, lot.earned_at)
            if lot.pending or lot.available or not is_known:
                to.matures_at, to.expires_at = lot.matures_at or to.matures_at, lot.expires_at or to.expires_at
                to.pending += lot.pending
                taker.enter(to, lot.available)
                lot.pending = lot.available = 0
        taker.reserved += giver.reserved
        taker.debt += taker.draw(giver.debt)
        giver.debt = giver.reserved = 0
        for reward in self.rewards:
            reward.member = taking if reward.member == giving else reward.member
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
            lots: dict[int, dict[str, tuple[Any, ...]]] = {member: {} for member in self.kept}
            for lot in session.scalars(select(Lot).where(Lot.shop_id == self.shop)):
                if lot.pending or lot.available:
                    lots[lot.member_id][lot.lot] = (lot.pending, lot.available, lot.earned_at, lot.expires_at)
        for member, keeper in self.kept.items():
            balance = balances.get(member) or Balance(available=0, pending=0, reserved=0, debt=0)
            figures = (balance.available, balance.pending, balance.reserved, balance.debt)
            assert figures == (keeper.available, keeper.pending, keeper.reserved, keeper.debt)
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
                for member, expected in figures.items():
                    was = balance_at(session, self.shop, member, moment)
                    assert (was["available"], was["pending"], was["reserved"], was["debt"]) == expected
            for reward in self.rewards:
                assert held(session, self.shop, reward.cause) == (reward.reserved, reward.redeemed)

    def figures(self) -> dict[int, tuple[int, int, int, int]]:
        return {
            member: (keeper.available, keeper.pending, keeper.reserved, keeper.debt)
            for member, keeper in self.kept.items()
        }

    def posting(self, member: int, *lots: str) -> Any:
        return _Posting(self, member, lots)


class _Posting:
    """One transaction with the member's book open."""

    def __init__(self, machine: BooksMachine, member: int, lots: tuple[str, ...]) -> None:
        self.machine, self.member, self.lots = machine, member, lots

    def __enter__(self) -> Books:
        self.transaction = self.machine.db.transaction()
        session = self.transaction.__enter__()
        self.books = Books(session, self.machine.shop, now=self.machine.now)
        self.books.open([self.member], self.lots)
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


def held(session: Any, shop_id: int, cause: str) -> tuple[int, int]:
    """What one reward's own entries leave in (reserved, redeemed), whoever's they were posted as."""
    rows = session.execute(
        select(Entry.source, Entry.target, func.sum(Entry.points))
        .where(Entry.shop_id == shop_id, Entry.cause == cause)
        .group_by(Entry.source, Entry.target)
    ).all()
    sums = [
        sum(int(points) * ((target == account) - (source == account)) for source, target, points in rows)
        for account in (Account.RESERVED, Account.REDEEMED)
    ]
    return sums[0], sums[1]


def test_any_sequence_of_movements_keeps_the_laws_of_the_books(db: Database) -> None:
    run_state_machine_as_test(
        type("Machine", (BooksMachine,), {"db": db}),
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""G5: everything that can happen to one account, at the same moment: sixty-four threads, two workers.

Redeeming, earning, returning, expiring, correcting, forgetting. Whatever the order was, it was one: the books add up
after every round, and without forgetting the points left are those of any order. Deadlocks are tried again, and nobody
hears of them.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import utcnow
from app.db import Database
from app.jobs.worker import Worker
from app.ledger import Balance
from app.loyalty.adjust import adjust
from app.loyalty.members import join
from app.loyalty.redeem import Redeemed, Wanted, redeem, redeem_for_customer
from app.loyalty.release import expire_due
from app.models import Delivery, DeliveryState, Job, JobState, Lane, Member, Redemption, RedemptionState, Shop

from ..conftest import DOMAIN, SHOP_ID
from ..rewarding import fill_pool, the_reward
from ..support import access_for, add_shop, deliver, order_body, problems, refund_body
from .conftest import Gauntlet
from .racing import Racers

FULL = os.environ.get("GAUNTLET") == "b"
ROUNDS = 500 if FULL else 8
REDEEM, EARN, RETURN, EXPIRE, CORRECT, FORGET = 16, 16, 8, 8, 8, 8
ROLES = [
    *["redeem"] * REDEEM, *["earn"] * EARN, *["return"] * RETURN, *["expire"] * EXPIRE, *["correct"] * CORRECT,
    *["forget"] * FORGET,
]  # fmt: skip
COST, MUG, BEFORE = 100, 28, 5_000
LONG_AGO = timedelta(days=40)
TOLD = {
    "not_enough_points",
    "not_found",
    "being_made",
    "not_eligible",
}  # what a caller may be told; never the database's


@dataclass
class Account:
    """One member: points, eight orders to return, eight rewards that ran out."""

    db: Database
    number: int
    member: int
    had: list[Redeemed] = field(default_factory=list)
    corrected: int = 0

    @property
    def customer(self) -> int:
        return 7_000_000 + self.number

    def order(self, number: int) -> int:
        return self.number * 1_000 + number

    def act(self, thread: int) -> Any:
        """What one thread does."""
        role, nth, now = ROLES[thread], ROLES[:thread].count(ROLES[thread]), utcnow()
        match role:
            case "redeem":
                wanted = Wanted(the_reward().reward_id, f"race {nth}", COST)
                self.had.append(done := redeem_for_customer(self.db, DOMAIN, self.customer, wanted, now=now))  # type: ignore[arg-type]
                return done
            case "earn":
                body = order_body(self.order(100 + nth), customer_id=self.customer, email=None, created_at=now)
                return deliver(self.db, "orders/paid", body, now=now)
            case "return":
                body = refund_body(self.order(200 + nth), self.order(nth), units={1: 1}, created_at=now)
                return deliver(self.db, "refunds/create", body, now=now)
            case "expire":
                return self.db.run(lambda session: expire_due(session, SHOP_ID, limit=3, now=now))
            case "correct":
                points = 30 if nth % 2 else -20
                self.db.run(
                    lambda session: adjust(
                        session, SHOP_ID, self.member, points=points, reason="race", key=f"{self.number} {nth}",
                        author="test", now=now,
                    )
                )  # fmt: skip
                self.corrected += points
                return "corrected"
            case _ if self.number % 2:
                return "remembered"  # in every other round nobody is forgotten, and the points left are certain
        body = {
            "shop_id": SHOP_ID, "shop_domain": DOMAIN, "customer": {"id": self.customer, "email": None},
            "orders_to_redact": [self.order(0)],
        }  # fmt: skip
        return deliver(self.db, "customers/redact", body, now=now, webhook_id=secrets.token_hex(8))


def open_account(db: Database, number: int) -> Account:
    now, offered = utcnow(), the_reward()
    for moment, count in ((now - LONG_AGO, EXPIRE), (now, REDEEM)):
        fill_pool(db, offered.reward_id, offered.reward.amount_minor, count=count, now=moment)
    with db.transaction() as session:
        member = join(session, SHOP_ID, [7_000_000 + number], now - LONG_AGO)[7_000_000 + number]
        session.flush()
        adjust(
            session, SHOP_ID, member, points=BEFORE, reason="before", key=f"{number} before", author="test",
            now=now - LONG_AGO - timedelta(days=1),
        )  # fmt: skip
        for nth in range(EXPIRE):
            redeem(
                session, session.get_one(Shop, SHOP_ID), member,
                Wanted(offered.reward_id, f"ran out {nth}", COST), now=now - LONG_AGO,
            )  # fmt: skip
    account = Account(db, number, member)
    for nth in range(RETURN):
        body = order_body(account.order(nth), customer_id=account.customer, email=None, created_at=now - LONG_AGO)
        deliver(db, "orders/paid", body, now=now)
    return account


def settle(db: Database) -> None:
    """Until the workers have nothing left of what happened."""
    until = time.monotonic() + 60
    while True:
        with db.reading() as session:
            news = session.scalar(select(func.count()).where(Delivery.state == DeliveryState.NEW))
            jobs = session.scalar(
                select(func.count()).where(Job.lane == Lane.SETTLE, Job.state == JobState.DUE, Job.due_at <= utcnow())
            )
        if not news and not jobs:
            return
        assert time.monotonic() < until, f"{news} deliveries and {jobs} jobs are left"
        time.sleep(0.05)


@pytest.fixture
def busy(postgres_db: Database) -> Iterator[Database]:
    """A shop, and two workers that serve it."""
    db = postgres_db
    add_shop(db)
    workers = [Worker(access_for(db, utcnow)) for _ in range(2)]
    for worker in workers:
        worker.start()
    yield db
    for worker in workers:
        worker.stop()
    db.dispose()


def test_whatever_the_order_it_was_one(busy: Database, gauntlet: Gauntlet) -> None:
    wrong: list[str] = []
    with Racers(len(ROLES)) as racers:
        for number in range(1, ROUNDS + 1):
            account = open_account(busy, number)
            settle(busy)
            results = racers.run(account.act)
            settle(busy)
            wrong += [f"round {number}: {found}" for found in wrongs(account, results)]
            busy.dispose()  # any thread may have any role: each would come to keep two connections
    gauntlet.record("G5", n=ROUNDS, failures=len(wrong))
    assert wrong == [], "\n".join(wrong)


def wrongs(account: Account, results: list[Any]) -> Iterator[str]:
    db = account.db
    for role, result in zip(ROLES, results, strict=True):
        if isinstance(result, Exception) or (isinstance(result, str) and result not in TOLD | OUTCOMES):
            yield f"{role}: {result!r}"
    yield from problems(db)
    with db.reading() as session:
        balance = session.get_one(Balance, (SHOP_ID, account.member))
        member = session.get_one(Member, (SHOP_ID, account.member))
        states = Counter(session.scalars(select(Redemption.state).where(Redemption.member_id == account.member)))
        parked = session.scalars(select(Delivery.outcome).where(Delivery.state == DeliveryState.PARKED)).all()
    yield from (f"parked: {outcome}" for outcome in parked)
    # Codes of what ran out are being called back: nobody can be asked here, so they stay on their way.
    if states != {RedemptionState.ISSUED: len(account.had), RedemptionState.RELEASING: EXPIRE}:
        yield f"its rewards are {dict(states)} after {len(account.had)}"
    if balance.reserved != (len(account.had) + EXPIRE) * COST:
        yield f"{balance.reserved} are reserved for {len(account.had)} and {EXPIRE}"
    if account.number % 2:
        expected = BEFORE + account.corrected + EARN * MUG - balance.reserved
        if balance.available - balance.debt != expected or len(account.had) != REDEEM:
            yield f"{balance.available} less {balance.debt} instead of {expected}; {len(account.had)} redeemed"
    elif member.redacted_at is None:
        yield "it was not forgotten"


OUTCOMES = {"corrected", "remembered"}

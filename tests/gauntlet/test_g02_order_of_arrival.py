"""G2: the same facts in every order of arrival end in the same ledger, which is the oracle's.

Each permutation of a scenario is an order and a customer of its own, and all of them go together through the real
door: the inbox, the worker, settling, the books. In each round one more fact of every permutation arrives.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import permutations
from math import factorial
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from app.db import Database
from app.jobs.worker import Worker
from app.ledger import Balance
from app.loyalty.audit import audit_shop
from app.loyalty.inbox import delivery_key
from app.models import Delivery, DueShop, Member, Order

from ..support import access_for, add_shop
from .living_orders import LivingOrder, life
from .oracle import Figures, Timeline, Webhook, balances
from .programs import PROGRAMS, settings_of

SCENARIOS = 300
# All permutations of every scenario in the full tier; in every run, twenty of each.
EACH, AT_LEAST = (720, 100_000) if os.environ.get("GAUNTLET") == "a" else (20, 5_000)
MOST_FACTS = 6
ON_POSTGRESQL = 6  # one scenario in so many is played there, the others on SQLite
LAUNCHED = datetime(2026, 1, 1, tzinfo=UTC)
BEGINS = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHOP, STAND_IN = 8_000_001, 555_000_000_001  # ids of the scenario's own order and customer; replaced in each copy


@dataclass
class Scenario:
    """Up to six facts about one order, and what they come to."""

    shop_id: int
    facts: list[Webhook]
    wanted: Figures  # at the end of the rounds
    wanted_at_last: Figures  # when every hold is over

    def arrivals(self, random: Random, most: int) -> list[tuple[int, ...]]:
        if factorial(len(self.facts)) <= most:
            return list(permutations(range(len(self.facts))))
        return [tuple(random.sample(range(len(self.facts)), len(self.facts))) for _ in range(most)]


def scenarios(random: Random, count: int, now: datetime, at_last: datetime) -> Iterator[Scenario]:
    names = list(PROGRAMS)
    for number in range(count):
        place = number % len(names)
        program = PROGRAMS[names[place]]
        order = LivingOrder(
            Random(random.getrandbits(64)), order_id=STAND_IN, customer_id=STAND_IN, shop_id=SHOP + place,
            domain=f"s{place}.myshopify.com", currency=program.currency, most_lines=3,
            placed_at=BEGINS - timedelta(days=random.randrange(1, 40), seconds=random.randrange(86400)),
        )  # fmt: skip
        told = [webhook for webhooks in life(order, random.choice((4, 5, 6))) for webhook in webhooks]
        # Most of them, so that now and then a happening is told by one topic alone, or by none.
        paid = next((place for place, (topic, _) in enumerate(told) if topic == "orders/paid"), 0)
        others = [place for place in range(len(told)) if place != paid]
        keep = [paid, *random.sample(others, min(len(others), MOST_FACTS - 1))]
        facts = [told[which] for which in sorted(keep)]
        timeline = Timeline(((LAUNCHED, program),))
        ends = [balances(facts, timeline, at).get(STAND_IN, Figures()) for at in (now, at_last)]
        yield Scenario(SHOP + place, facts, *ends)


@dataclass
class Copy:
    """One permutation of one scenario, told about an order and a customer of its own."""

    scenario: Scenario
    number: int
    arrival: tuple[int, ...]
    rounds: list[int]  # in which round each of them arrives: now and then two at once

    def told_in(self, round: int) -> Iterator[tuple[str, bytes]]:
        for when, which in zip(self.rounds, self.arrival, strict=True):
            if when == round:
                topic, body = self.scenario.facts[which]
                text = orjson.dumps(body).replace(str(STAND_IN).encode(), str(STAND_IN + self.number).encode())
                yield topic, text


def rounds_of(random: Random, facts: int) -> list[int]:
    rounds = [0]
    while len(rounds) < facts:
        rounds.append(rounds[-1] + (random.random() < 0.85))
    return rounds


class Played:
    """Many copies on one database, with a clock that the test moves."""

    def __init__(self, db: Database, copies: list[Copy]) -> None:
        self.db, self.copies, self.now = db, copies, BEGINS
        for place, program in enumerate(PROGRAMS.values()):
            add_shop(
                db, shop_id=SHOP + place, domain=f"s{place}.myshopify.com", currency=program.currency, token=False,
                program=settings_of(program), launched=LAUNCHED, installed=BEGINS,
            )  # fmt: skip
        self.work()

    def work(self) -> None:
        Worker(access_for(self.db, lambda: self.now)).drain()
        self.now += timedelta(seconds=2)

    def play(self) -> None:
        for round in range(MOST_FACTS):
            with self.db.transaction() as session:
                for start in range(0, len(self.copies), 5_000):
                    if rows := self._rows(round, self.copies[start : start + 5_000]):
                        session.execute(Delivery.__table__.insert(), rows)
                session.execute(DueShop.__table__.update().where(DueShop.lane == "settle").values(next_due=self.now))
            self.work()

    def _rows(self, round: int, copies: list[Copy]) -> list[dict[str, Any]]:
        return [
            {
                "shop_id": copy.scenario.shop_id, "key": delivery_key(topic, str(round), body), "topic": topic,
                "source": "webhook", "webhook_id": str(round), "api_version": "", "received_at": self.now,
                "body": body, "state": "new", "due_at": self.now, "tries": 0, "outcome": "", "about": "",
            }
            for copy in copies
            for topic, body in copy.told_in(round)
        ]  # fmt: skip

    def wait_out_every_hold(self) -> None:
        self.now += timedelta(days=60)
        self.work()

    def wrong(self, *, at_last: bool) -> list[str]:
        """Every copy whose balance or order is not what the oracle says, and every problem of the audit."""
        with self.db.reading() as session:
            found = {
                (shop_id, customer): (available - debt, pending)
                for shop_id, customer, available, debt, pending in session.execute(
                    select(Member.shop_id, Member.customer_id, Balance.available, Balance.debt, Balance.pending).join(
                        Balance, (Balance.shop_id == Member.shop_id) & (Balance.member_id == Member.member_id)
                    )
                )
            }
            points = {
                (shop_id, order): n
                for shop_id, order, n in session.execute(select(Order.shop_id, Order.order_id, Order.points))
            }
            wrong = [problem for place in range(len(PROGRAMS)) for problem in audit_shop(session, SHOP + place)]
            left = session.scalars(select(Delivery.outcome).where(Delivery.state.in_(["new", "parked"]))).all()
            wrong += [f"a delivery was not settled: {outcome}" for outcome in left]
        for copy in self.copies:
            wanted = copy.scenario.wanted_at_last if at_last else copy.scenario.wanted
            who = (copy.scenario.shop_id, STAND_IN + copy.number)
            figures = found.get(who, (0, 0))
            if figures != (wanted.net, wanted.pending) or points.get(who, 0) != wanted.net + wanted.pending:
                topics = [copy.scenario.facts[which][0] for which in copy.arrival]
                wrong.append(
                    f"{who}: {figures}, the oracle says {(wanted.net, wanted.pending)}; {topics} {copy.rounds}"
                )
        return wrong


@pytest.mark.parametrize("where", ["sqlite_db", "postgres_db"])
def test_every_order_of_arrival_ends_in_the_oracles_balances(gauntlet, request, where):
    random = Random(f"{gauntlet.seed}:G2")  # the same scenarios on both databases; each plays its part of them
    gauntlet.random("G2")
    end = BEGINS + timedelta(seconds=2 * (MOST_FACTS + 1))
    copies: list[Copy] = []
    count = 0
    for number, scenario in enumerate(scenarios(random, SCENARIOS, end, end + timedelta(days=60))):
        for arrival in scenario.arrivals(random, EACH):
            count += 1
            copy = Copy(scenario, count, arrival, rounds_of(random, len(arrival)))
            if (number % ON_POSTGRESQL == 0) == (where == "postgres_db"):
                copies.append(copy)
    assert count >= AT_LEAST
    played = Played(request.getfixturevalue(where), copies)
    played.play()
    wrong = played.wrong(at_last=False)
    played.wait_out_every_hold()
    wrong += played.wrong(at_last=True)
    gauntlet.record("G2", n=len(copies), failures=len(wrong))
    assert not wrong, wrong[:5]


def test_the_oracle_is_small_and_knows_nothing_of_the_app():
    source = (Path(__file__).parent / "oracle.py").read_text(encoding="utf-8")
    imported = {
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module])
    }
    assert imported <= {
        "__future__",
        "collections",
        "collections.abc",
        "dataclasses",
        "datetime",
        "fractions",
        "math",
        "typing",
    }
    assert len(source.splitlines()) <= 400

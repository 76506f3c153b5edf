"""G6: sixty-four at once want what there is too little of. As many have it as there is, not one more and not one less.

Each thread asks as the storefront's POST does, on a connection of its own.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db import Database
from app.jobs.queue import claim
from app.jobs.worker import Worker
from app.ledger import Balance
from app.loyalty import inbox
from app.loyalty.adjust import adjust
from app.loyalty.members import join
from app.loyalty.redeem import Redeemed, Wanted, redeem_for_customer
from app.loyalty.release import cancel
from app.models import Code, CodeState, Lane, Redemption, RedemptionState, RewardUse
from app.program.presets import preset
from app.program.redeeming import period_name
from app.program.rewards import Budget, Limit, Reward, Steps, reward_id

from ..conftest import DOMAIN, NOW, SHOP_ID, Clock
from ..rewarding import fill_pool
from ..support import access_for, add_shop, order_body, problems
from .racing import THREADS, Racers
from .spending_oracle import BERLIN

ROUNDS = 200 if os.environ.get("GAUNTLET") == "b" else 20
# SQLite has one writer: where all sixty-four write, they take turns, and a round is long.
FEWER_ON_SQLITE = {"codes": 4, "back or used": 4}
STOCK, PER_MEMBER, BUDGET = 7, 3, 4000
REWARDS = (
    Reward(slot="few", kind="amount_off", points=10, amount_minor=500, stock=Limit(count=STOCK, period="day")),
    Reward(
        slot="each", kind="amount_off", points=10, amount_minor=500, per_member=Limit(count=PER_MEMBER, period="day")
    ),
    Reward(
        slot="budget", kind="amount_off", points=10, amount_minor=500, steps=Steps(most=3),
        budget=Budget(amount_minor=BUDGET, period="day"),
    ),
    Reward(slot="plain", kind="amount_off", points=10, amount_minor=500),
)  # fmt: skip
FEW, EACH, FROM_BUDGET, PLAIN = (reward_id(reward, "EUR") for reward in REWARDS)
FIRST_CUSTOMER = 7_000_001


class Arena:
    """A shop with sixty-four rich members."""

    def __init__(self, db: Database, clock: Clock, racers: Racers) -> None:
        self.db, self.clock, self.racers = db, clock, racers
        add_shop(db, program=preset("starter", "EUR").model_copy(update={"rewards": REWARDS}), token=False)
        with db.transaction() as session:
            ids = join(session, SHOP_ID, range(FIRST_CUSTOMER, FIRST_CUSTOMER + THREADS), NOW)
            session.flush()
            for member_id in ids.values():
                adjust(
                    session, SHOP_ID, member_id, points=10**6, reason="rich", key=str(member_id), author="test", now=NOW
                )
        self.members = [ids[customer] for customer in sorted(ids)]
        self.used = 0

    def redeem(self, member: int, wanted: str, key: str, points: int = 10) -> Redeemed | str:
        """A redemption; the id of one, for a key used before."""
        asked = Wanted(wanted, key, points)
        done = redeem_for_customer(self.db, DOMAIN, FIRST_CUSTOMER + member, asked, now=self.clock())
        return done if isinstance(done, Redeemed) else done.redemption_id

    def reserved(self) -> int:
        with self.db.reading() as session:
            return int(session.scalar(select(func.sum(Balance.reserved)).where(Balance.shop_id == SHOP_ID)) or 0)

    def counter(self, slot: str, what: str) -> int:
        with self.db.reading() as session:
            key = (SHOP_ID, slot, what, period_name("day", self.clock(), BERLIN))
            return session.get_one(RewardUse, key).used

    def fill(self, reward: str, count: int) -> None:
        fill_pool(self.db, reward, 500, count=count, now=self.clock())


@pytest.fixture
def arena(db: Database, clock: Clock) -> Iterator[Arena]:
    with Racers() as racers:
        yield Arena(db, clock, racers)
    db.dispose()  # each thread kept a connection


Race = Callable[[Arena, int], list[str]]


def race_for_stock(arena: Arena, number: int) -> list[str]:
    """Sixty-four members, seven pieces a day."""
    arena.fill(FEW, STOCK)
    results = arena.racers.run(lambda thread: arena.redeem(thread, FEW, f"few {number}"))
    had = [result for result in results if isinstance(result, Redeemed)]
    wrong = [] if len(had) == STOCK == arena.counter("few", "stock") else [f"{len(had)} of {STOCK} were had"]
    return wrong + _others(results, had, "sold_out")


def race_for_a_members_share(arena: Arena, number: int) -> list[str]:
    """One member, sixty-four keys, three a day."""
    arena.fill(EACH, PER_MEMBER)
    results = arena.racers.run(lambda thread: arena.redeem(number % THREADS, EACH, f"each {number}.{thread}"))
    had = [result for result in results if isinstance(result, Redeemed)]
    wrong = [] if len(had) == PER_MEMBER else [f"{len(had)} of {PER_MEMBER} were had"]
    return wrong + _others(results, had, "limit_used")


def race_for_the_budget(arena: Arena, number: int) -> list[str]:
    """Amounts of 5, 10 and 15 euros out of forty: whoever was refused would have gone beyond."""
    results = arena.racers.run(
        lambda thread: arena.redeem(thread, FROM_BUDGET, f"budget {number}", points=10 * (1 + (thread + number) % 3))
    )
    had = [result for result in results if isinstance(result, Redeemed)]
    spent = sum(result.amount_minor or 0 for result in had)
    refused = [thread for thread, result in enumerate(results) if result == "sold_out"]
    least = min(500 * (1 + (thread + number) % 3) for thread in refused)
    wrong = [] if spent == arena.counter("budget", "budget") <= BUDGET < spent + least else [f"{spent} were spent"]
    return wrong + _others(results, had, "sold_out")


def race_for_codes(arena: Arena, number: int) -> list[str]:
    """Sixty-four members, forty codes: nobody has another's, the rest wait for theirs."""
    with arena.db.reading() as session:
        left = session.scalar(
            select(func.count()).where(Code.state == CodeState.FREE, Code.discount_key.startswith(PLAIN))
        )
    arena.fill(PLAIN, 40 - (left or 0))
    results = arena.racers.run(lambda thread: arena.redeem(thread, PLAIN, f"plain {number}"))
    had = [result for result in results if isinstance(result, Redeemed)]
    codes = Counter(result.code for result in had if result.code is not None)
    wrong = [f"{codes.total()} of 40 codes were given"] if codes.total() != 40 else []
    wrong += [f"{count} have {code}" for code, count in codes.items() if count > 1]
    return wrong + _others(results, had, "")


def race_with_one_key(arena: Arena, number: int) -> list[str]:
    """A button pressed sixty-four times."""
    arena.fill(PLAIN, 1)
    before = arena.reserved()
    results = arena.racers.run(lambda thread: arena.redeem(number % THREADS, PLAIN, f"once {number}"))
    ids = {result.redemption_id if isinstance(result, Redeemed) else result for result in results}
    new = [result for result in results if isinstance(result, Redeemed)]
    wrong = [f"{result!r}" for result in results if isinstance(result, Exception)]
    if (len(ids), len(new), arena.reserved() - before) != (1, 1, 10):
        wrong.append(f"{len(ids)} redemptions, {len(new)} new, {arena.reserved() - before} points")
    return wrong


def race_of_giving_back_and_using(arena: Arena, number: int) -> list[str]:
    """Sixty-three members give a reward back while the orders that used it are being settled: it was used."""
    arena.fill(PLAIN, THREADS)
    made = [arena.redeem(thread, PLAIN, f"used {number}") for thread in range(THREADS)]
    now, arrivals = arena.clock(), []
    for thread, redemption in enumerate(made[1:], start=1):
        assert isinstance(redemption, Redeemed) and redemption.code
        body = order_body(
            number * 1000 + thread, customer_id=FIRST_CUSTOMER + thread, codes=[(redemption.code, "5.00")],
            created_at=now, email=None,
        )  # fmt: skip
        arrivals.append(inbox.Arrival(DOMAIN, "orders/paid", "", "2026-10", None, json.dumps(body).encode(), now))
    inbox.receive(arena.db, arrivals)
    worker = Worker(access_for(arena.db, arena.clock))
    ids = [redemption.redemption_id for redemption in made if isinstance(redemption, Redeemed)]

    def work(thread: int) -> Any:
        if thread == 0:
            while (lease := claim(arena.db, Lane.SETTLE, arena.clock())) is not None:
                worker.serve(lease)
            return "settled"
        id, member = ids[thread], arena.members[thread]
        return arena.db.run(
            lambda session: str(
                cancel(session, SHOP_ID, id, member_id=member, by="shopper", why="cancelled", now=arena.clock()).state
            )
        )

    results = arena.racers.run(work)
    wrong = [f"{result!r}" for result in results[1:] if result not in ("releasing", "already_used")]
    with arena.db.reading() as session:
        states = Counter(session.scalars(select(Redemption.state).where(Redemption.redemption_id.in_(ids[1:]))))
    if states != {RedemptionState.USED: THREADS - 1}:
        wrong.append(f"they are {dict(states)}")
    return wrong


def _others(results: list[Any], had: list[Redeemed], refusal: str) -> list[str]:
    """Whoever has it not was told so, in the right word."""
    return [f"{result!r}" for result in results if result != refusal and not isinstance(result, Redeemed)]


RACES: dict[str, Race] = {
    "stock": race_for_stock, "each member": race_for_a_members_share, "budget": race_for_the_budget,
    "codes": race_for_codes, "one key": race_with_one_key, "back or used": race_of_giving_back_and_using,
}  # fmt: skip


@pytest.mark.parametrize("race", RACES)
def test_as_many_have_it_as_there_is(arena, gauntlet, race):
    failures = []
    rounds = ROUNDS // FEWER_ON_SQLITE.get(race, 1) if arena.db.is_sqlite else ROUNDS
    for number in range(rounds):
        arena.clock.advance(days=1)
        failures += [f"round {number}: {problem}" for problem in RACES[race](arena, number + 1)]
    failures += problems(arena.db)
    gauntlet.record("G6", n=rounds, failures=len(failures))
    assert not failures, failures[:5]

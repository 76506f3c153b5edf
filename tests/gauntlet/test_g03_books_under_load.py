"""G3: the books are right while they are written to, at every past moment, and against whoever edits them by hand."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.clock import utcnow
from app.db import Database
from app.jobs.worker import Worker
from app.ledger import NotEnoughPoints, audit
from app.loyalty.adjust import adjust
from app.loyalty.audit import audit_shop
from app.loyalty.members import members_of
from app.loyalty.views.balances import balance_of

from ..conftest import NOW
from ..ledger.tampering import COLUMNS, entries, flip, tampering
from ..support import access_for, add_shop, customer_body, deliver, merge_body
from .living_orders import LivingOrder, life
from .oracle import Figures, Timeline, Webhook, balances
from .programs import PROGRAMS, settings_of

STORM_S = {"a": 60, "b": 60}.get(os.environ.get("GAUNTLET", ""), 8)
READS_A_SECOND = 20
SHOPS, CUSTOMERS = 5, 40
PLAYED = ("starter", "held", "double", "with_tax", "choosy")
FIRST_SHOP, FIRST_CUSTOMER = 8_100_001, 7001
LAUNCHED = datetime(2020, 1, 1, tzinfo=UTC)


def _sum(account: str, into: str, out_of: str) -> str:
    return f"""coalesce(sum(CASE WHEN e.{into} = '{account}' THEN e.points
                                 WHEN e.{out_of} = '{account}' THEN -e.points END), 0)"""


# One statement, so one snapshot on both databases: cached balances beside what the entries add up to.
BALANCES_AND_SUMS = text(
    f"""
    SELECT b.member_id, b.available, b.pending, b.reserved, b.debt, b.seq,
           {_sum("available", "target", "source")}, {_sum("pending", "target", "source")},
           {_sum("reserved", "target", "source")}, {_sum("debt", "source", "target")}, count(e.seq),
           {_sum("moved", "target", "source")}
    FROM balances b LEFT JOIN entries e ON e.shop_id = b.shop_id AND e.member_id = b.member_id
    WHERE b.shop_id = :shop GROUP BY b.member_id, b.available, b.pending, b.reserved, b.debt, b.seq
    """
)


@dataclass
class Shop:
    """One shop of the storm: its oracle's timeline, and every fact it was told."""

    number: int
    facts: list[Webhook] = field(default_factory=list)
    adjustments: list[tuple[int, int]] = field(default_factory=list)

    @property
    def shop_id(self) -> int:
        return FIRST_SHOP + self.number

    @property
    def domain(self) -> str:
        return f"storm{self.number}.myshopify.com"

    @property
    def timeline(self) -> Timeline:
        return Timeline(((LAUNCHED, PROGRAMS[PLAYED[self.number]]),))

    def add_to(self, db: Database, installed: datetime) -> None:
        add_shop(
            db, shop_id=self.shop_id, domain=self.domain, program=settings_of(PROGRAMS[PLAYED[self.number]]),
            launched=LAUNCHED, installed=installed, token=False,
        )  # fmt: skip

    def order(self, random: Random, order_id: int, placed_at: datetime) -> list[list[Webhook]]:
        """An order's life: of a customer, of a guest, or of a guest whom a customer turns out to be."""
        customer = FIRST_CUSTOMER + random.randrange(CUSTOMERS)
        order = LivingOrder(
            Random(random.getrandbits(64)), order_id=order_id, customer_id=customer, shop_id=self.shop_id,
            domain=self.domain, placed_at=placed_at, most_lines=3, email=f"{customer}@example.com",
        )  # fmt: skip
        if random.random() < 0.15:
            order.customer_id = None
        return life(order, random.choice((2, 3, 4, 5)))

    def problems(self, db: Database, now: datetime) -> list[str]:
        """Where the books are not what the oracle says."""
        wanted = balances(self.facts, self.timeline, now, self.adjustments)
        with db.reading() as session:
            found = audit_shop(session, self.shop_id)
            for customer in range(FIRST_CUSTOMER, FIRST_CUSTOMER + CUSTOMERS):
                figures = balance_of(session, self.shop_id, customer)
                should = wanted.get(customer, Figures()) if not self.merged(customer) else None
                if should and differs(figures, should):
                    found.append(f"{self.domain} {customer}: {figures}, the oracle says {should}")
        return found

    def merged(self, customer: int) -> bool:
        """Whose id stands for somebody else's book by now."""
        gone = f"gid://shopify/Customer/{customer}"
        return any(body.get("admin_graphql_api_customer_deleted_id") == gone for _, body in self.facts)


def differs(figures: dict[str, int], wanted: Figures) -> bool:
    return (figures["available"], figures["pending"], figures["debt"]) != (
        wanted.available,
        wanted.pending,
        wanted.debt,
    )


# --- read while it is written ----------------------------------------------------------------------------------------


class Reader(threading.Thread):
    """Reads the invariants twenty times a second, on a connection that belongs to nobody else."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.db = Database(url, pool_size=1)
        self.reads = 0
        self.bad: list[str] = []
        self.done = threading.Event()

    def run(self) -> None:
        due = time.monotonic()
        while not self.done.is_set():
            for number in range(SHOPS):
                with self.db.reading() as session:
                    self.check(session.execute(BALANCES_AND_SUMS, {"shop": FIRST_SHOP + number}).all())
            self.reads += 1
            due += 1 / READS_A_SECOND
            self.done.wait(max(0, due - time.monotonic()))
        self.db.dispose()

    def check(self, rows: Any) -> None:
        moved = 0
        for member, available, pending, reserved, debt, seq, *sums, left in rows:
            moved += left
            if [available, pending, reserved, debt, seq] != [int(n) for n in sums]:
                self.bad.append(f"I2: member {member}: {(available, pending, reserved, debt, seq)}, entries say {sums}")
            if min(available, pending, reserved, debt) < 0 or (available and debt):
                self.bad.append(f"I3: member {member}: {(available, pending, reserved, debt)}")
        if moved:
            self.bad.append(f"I1: {moved} points left one member without reaching another")


@contextmanager
def a_worker(db: Database) -> Iterator[Worker]:
    worker = Worker(access_for(db, utcnow))
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def test_the_invariants_hold_at_every_moment_of_a_storm(gauntlet, db):
    random = gauntlet.random("G3")
    shops = [Shop(number) for number in range(SHOPS)]
    for shop in shops:
        shop.add_to(db, utcnow())
    reader = Reader(db.url.render_as_string(hide_password=False))
    queue: list[tuple[float, int, str, dict[str, Any]]] = []
    order_id = 600_000_000_000
    with a_worker(db):
        reader.start()
        end = time.monotonic() + STORM_S
        while time.monotonic() < end:
            shop = random.choice(shops)
            order_id += 1
            for happening in shop.order(random, order_id, utcnow() - timedelta(days=random.randrange(0, 30))):
                queue += [(random.random(), shop.number, *webhook) for webhook in happening]
            queue.sort(key=lambda item: item[0])
            for _ in range(4):  # late, shuffled with the other shops', now and then twice
                if queue:
                    _, number, topic, body = queue.pop() if random.random() < 0.9 else random.choice(queue)
                    tell(db, shops[number], topic, body, utcnow())
            if random.random() < 0.2:
                by_hand(db, random, shop, utcnow(), order_id)
            if random.random() < 0.03:
                somebody_else(db, random, shop, utcnow())
            time.sleep(0.004)
        for _, number, topic, body in queue:
            tell(db, shops[number], topic, body, utcnow())
        quiet = time.monotonic() + 60
        while time.monotonic() < quiet and waiting(db):
            time.sleep(0.1)
    reader.done.set()
    reader.join()
    wrong = [*reader.bad, *(problem for shop in shops for problem in shop.problems(db, utcnow()))]
    print(f"G3: {reader.reads} reads during {sum(len(shop.facts) for shop in shops)} webhooks")
    gauntlet.record("G3", n=reader.reads, failures=len(wrong))
    assert reader.reads > STORM_S * READS_A_SECOND * 0.5
    assert not wrong, wrong[:5]


def tell(db: Database, shop: Shop, topic: str, body: dict[str, Any], now: datetime) -> None:
    """Deliver, and remember that it was told: facts are a set, so twice is once."""
    shop.facts.append((topic, body))
    deliver(db, topic, body, now=now, domain=shop.domain, webhook_id=str(len(shop.facts)))


def by_hand(db: Database, random: Random, shop: Shop, now: datetime, key: int) -> None:
    """Staff add points, or take some of what is there."""
    customer, points = FIRST_CUSTOMER + random.randrange(CUSTOMERS), random.choice((5, 50, -20, -300))
    try:
        with db.transaction() as session:
            member = members_of(session, shop.shop_id, [customer]).get(customer)
            if member is None:
                return
            adjust(session, shop.shop_id, member, points=points, reason="G3", key=str(key), author="G3", now=now)
    except NotEnoughPoints:
        return
    shop.adjustments.append((customer, points))


def somebody_else(db: Database, random: Random, shop: Shop, now: datetime) -> None:
    """A guest turns out to be a customer, or two customers to be one (always the higher id goes into the lower).

    Never both for one customer: whether a guest's order came before or after a merge of its customer matters, rightly.
    """
    half = CUSTOMERS // 2
    if random.random() < 0.7:
        guest = FIRST_CUSTOMER + random.randrange(half)
        tell(db, shop, "customers/update", customer_body(guest, email=f"{guest}@example.com", updated_at=now), now)
        return
    kept, gone = sorted(random.sample(range(FIRST_CUSTOMER + half, FIRST_CUSTOMER + CUSTOMERS), 2))
    if not shop.merged(kept) and not shop.merged(gone):
        tell(db, shop, "customers/merge", merge_body(kept_id=kept, deleted_id=gone), now)


def waiting(db: Database) -> bool:
    with db.reading() as session:
        return bool(session.execute(text("SELECT 1 FROM deliveries WHERE state = 'new' LIMIT 1")).first())


# --- rebuilt as of a moment ------------------------------------------------------------------------------------------


def test_two_hundred_moments_are_rebuilt_as_they_were(gauntlet, db, clock):
    random = gauntlet.random("G3")
    shop = Shop(1)
    shop.add_to(db, NOW)
    history: list[tuple[datetime, dict[int, Figures]]] = []
    queue: list[Webhook] = []
    for step in range(40):
        for number in range(3):
            placed = NOW - timedelta(days=13, hours=12) + timedelta(minutes=step)
            for happening in shop.order(random, 700_000_000_000 + step * 10 + number, placed):
                queue += happening
        random.shuffle(queue)
        for topic, body in [queue.pop() for _ in range(min(8, len(queue)))]:
            tell(db, shop, topic, body, clock())
        Worker(access_for(db, clock)).drain()
        by_hand(db, random, shop, clock(), step)
        history.append((clock(), balances(shop.facts, shop.timeline, clock(), shop.adjustments)))
        clock.advance(minutes=random.choice((1, 20, 60)))
    wrong = []
    with db.reading() as session:
        for _ in range(200):
            place, customer = random.randrange(len(history)), FIRST_CUSTOMER + random.randrange(CUSTOMERS)
            at, figures = history[place]
            following = history[place + 1][0] if place + 1 < len(history) else clock()
            moment = at + (following - at) * random.randrange(0, 100) // 101
            was = balance_of(session, shop.shop_id, customer, at=moment)
            if differs(was, figures.get(customer, Figures())):
                wrong.append(f"{customer} at {moment}: {was}, the oracle says {figures.get(customer)}")
    gauntlet.record("G3", n=200, failures=len(wrong))
    assert len(shop.facts) > 250
    assert not wrong, wrong[:5]


# --- edited by hand --------------------------------------------------------------------------------------------------


def test_a_hundred_flipped_bytes_are_found(gauntlet, db, clock):
    random = gauntlet.random("G3")
    shop = Shop(0)
    shop.add_to(db, NOW)
    for number in range(40):
        for happening in shop.order(random, 700_000_000_000 + number, NOW - timedelta(days=1)):
            for topic, body in happening:
                tell(db, shop, topic, body, clock())
    Worker(access_for(db, clock)).drain()
    by_hand(db, random, shop, clock(), 1)
    with tampering(db) as session:
        assert audit(session, shop.shop_id) == []
        written = entries(session, shop.shop_id)
    missed = []
    for number in range(50):  # on each of the two databases
        column = COLUMNS[number % len(COLUMNS)]
        entry = random.choice([entry for entry in written if entry[column] is not None])
        with tampering(db) as session:
            what = flip(session, entry, column, random)
            if not audit(session, shop.shop_id):
                missed.append(f"{entry['key']}: {what}")
    gauntlet.record("G3", n=50, failures=len(missed))
    assert not missed


def test_the_database_refuses_to_change_entries(gauntlet, db, clock):
    shop = Shop(0)
    shop.add_to(db, NOW)
    tell(db, shop, *shop.order(Random(2), 700_000_000_000, NOW - timedelta(days=1))[1][0], clock())
    Worker(access_for(db, clock)).drain()
    statements = ["UPDATE entries SET points = points + 1", "DELETE FROM entries", "TRUNCATE entries CASCADE"]
    refused = 0
    for statement in statements[: 2 if db.is_sqlite else 3]:  # SQLite has no TRUNCATE
        with pytest.raises(DBAPIError, match="entries are never"), db.engine.begin() as connection:
            connection.execute(text(statement))
        refused += 1
    gauntlet.record("G3", n=refused)
    with db.reading() as session:
        assert session.execute(text("SELECT count(*) FROM entries")).scalar()
        assert audit(session, shop.shop_id) == []

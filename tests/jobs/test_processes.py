"""Two worker processes, killed again and again: nothing is lost, nothing is done twice (GAUNTLET F2)."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import func, select, update

from app.clock import utcnow
from app.db import Database
from app.models import Delivery, DueShop

from ..conftest import SHOP_ID
from ..support import access_for, add_shop, available, deliver, drain, order_body, problems, refund_body
from .processes import WorkerProcess, wait_until

SHOPS = [(SHOP_ID + number, f"s{number}.myshopify.com") for number in range(4)]
ORDERS = 200  # of three deliveries each
CUSTOMERS = 10


def deliveries(order: int, **more: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Created, paid, and one of three mugs returned: 56 points in the end."""
    now = utcnow().replace(microsecond=0)
    lines = [("28.00", 3)]
    yield "orders/create", order_body(order, lines=lines, created_at=now, status="pending", **more)
    yield "orders/paid", order_body(order, lines=lines, created_at=now, updated_at=now + timedelta(seconds=1), **more)
    yield "refunds/create", refund_body(order * 10, order, units={1: 1}, created_at=now)


def tell(db: Database, orders: range, random: Random, *, pace_s: float) -> int:
    """Deliver the orders' webhooks, shuffled, over all shops."""
    told = []
    for order in orders:
        shop_id, domain = SHOPS[order % len(SHOPS)]
        of = {"shop_id": shop_id, "domain": domain, "customer_id": 7001 + order % CUSTOMERS}
        told += [(topic, body, domain) for topic, body in deliveries(order, **of)]
    random.shuffle(told)
    for topic, body, domain in told:
        assert deliver(db, topic, body, now=utcnow(), domain=domain)
        time.sleep(pace_s)
    return len(told)


def states(db: Database) -> dict[str, int]:
    with db.reading() as session:
        return {
            str(state): n for state, n in session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))
        }


def total(db: Database) -> int:
    return sum(available(db, 7001 + n, shop_id=shop_id) for shop_id, _ in SHOPS for n in range(CUSTOMERS))


def test_two_workers_killed_in_the_middle_lose_nothing_and_do_nothing_twice(db):
    random = Random(20261121)
    for shop_id, domain in SHOPS:
        add_shop(db, shop_id=shop_id, domain=domain, installed=utcnow(), token=False)
    workers = [WorkerProcess(db), WorkerProcess(db)]
    try:
        assert wait_until(lambda: leased_once(db)), workers[0].words()
        told = 0
        for wave in range(4):
            told += tell(db, range(6000 + wave * 50, 6050 + wave * 50), random, pace_s=0.002)
            if wave < 3:  # while there is work in hand
                victim = wave % 2
                workers[victim].kill()
                free_the_leases_of_the_dead(db)
                workers[victim] = WorkerProcess(db)
        assert told == 3 * ORDERS
        assert wait_until(lambda: "new" not in states(db), 30), (states(db), workers[0].words(), workers[1].words())
        assert states(db) == {"done": told}
        assert total(db) == ORDERS * 56
        assert problems(db) == []

        # SIGTERM under load: the batch is finished, leases are given back, nothing is half done.
        tell(db, range(7000, 7100), random, pace_s=0)
        ended = [worker.stop() for worker in workers]
        # The last one killed was started again a moment ago: told to stop before it had begun, it just ends.
        assert {code for code, _ in ended} <= {0, -signal.SIGTERM}, [worker.words() for worker in workers]
        assert 0 in [code for code, _ in ended]
        assert max(seconds for _, seconds in ended) < 10
        with db.reading() as session:
            assert session.scalars(select(DueShop.lease_until).where(DueShop.lease_until.is_not(None))).all() == []
        assert problems(db) == []
        for _ in range(3):
            drain(db, utcnow, access_for(db, utcnow))
            time.sleep(1.01)
        assert total(db) == (ORDERS + 100) * 56
        assert problems(db) == []
    finally:
        for worker in workers:
            worker.end()


def leased_once(db: Database) -> bool:
    with db.reading() as session:
        return bool(session.scalar(select(func.max(DueShop.fence))))


def free_the_leases_of_the_dead(db: Database) -> None:
    """A dead worker's lease ends after a minute; this test has no minute, so the minute is taken off every lease.

    The living one's lease goes too: fencing must hold it to what it still may write.
    """
    with db.transaction() as session:
        session.execute(
            update(DueShop).values(lease_until=utcnow() - timedelta(seconds=1)).where(DueShop.lease_until.is_not(None))
        )


def test_a_worker_told_to_drain_ends_by_itself(postgres_db):
    add_shop(postgres_db, installed=utcnow(), token=False)
    for topic, body in deliveries(6000):
        deliver(postgres_db, topic, body, now=utcnow())
    worker = WorkerProcess(postgres_db, "--once")
    try:
        assert worker.process.wait(30) == 0, worker.words()
        assert available(postgres_db, 7001) == 56
    finally:
        worker.end()

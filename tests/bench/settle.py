"""Settling: three deliveries an order, coalesced in batches, against COPY and one SQL statement of the same rows.

The other side is the fastest way to get the same rows into PostgreSQL: everything already computed, copied into a
staging table, and one statement that writes every table from it. It parses and decides nothing, and runs only once.
"""

from __future__ import annotations

import json
import time
from datetime import timedelta

from cryptography.fernet import Fernet
from sqlalchemy import text

from app.db import Base, Database, Encrypted, insert_rows
from app.jobs.queue import claim
from app.jobs.worker import Worker
from app.loyalty.inbox import delivery_key
from app.models import Delivery, DeliveryState, Lane

from ..conftest import NOW, SHOP_ID
from ..support import access_for, add_shop, order_body
from .machine import calibration, postgres

LINES = (("28.00", 1), ("12.50", 2), ("9.99", 3))
POINTS = 82  # 28.00 + 25.00 + 29.97 = 82.97


def measure(orders: int = 3000) -> dict[str, float]:
    figures: dict[str, float] = {"calibration_s": calibration()}
    Encrypted.use([Fernet.generate_key().decode()])
    with postgres() as (url, _):
        db = Database(url)
        Base.metadata.create_all(db.engine)
        add_shop(db)
        with db.transaction() as session:
            insert_rows(session, Delivery, _deliveries(orders))
        later = NOW + timedelta(minutes=1)
        worker = Worker(access_for(db, lambda: later))
        lease = claim(db, Lane.SETTLE, later)
        assert lease is not None
        started = time.perf_counter()
        while worker._settle_some(lease):
            pass
        figures["settled_orders_per_s"] = orders / (time.perf_counter() - started)
        with db.reading() as session:
            assert session.execute(text("SELECT count(*), sum(points) FROM entries")).one() == (orders, orders * POINTS)
        figures["copied_orders_per_s"] = orders / _copy(db, orders)
        db.dispose()
    figures["settle_ratio"] = figures["settled_orders_per_s"] / figures["copied_orders_per_s"]
    return figures


def _deliveries(orders: int) -> list[dict[str, object]]:
    """orders/create, orders/paid and orders/updated of every order, as they stand in the inbox."""
    rows: list[dict[str, object]] = []
    for number in range(orders):
        for step, (topic, status) in enumerate(
            (("orders/create", "pending"), ("orders/paid", "paid"), ("orders/updated", "paid"))
        ):
            body = order_body(
                1000 + number,
                customer_id=5000 + number % 500,
                lines=LINES,
                status=status,
                updated_at=NOW + timedelta(seconds=step),
            )
            raw = json.dumps(body).encode()
            rows.append(
                {
                    "shop_id": SHOP_ID, "key": delivery_key(topic, f"{number}-{step}", raw), "topic": topic,
                    "source": "webhook", "webhook_id": f"{number}-{step}", "api_version": "2026-10",
                    "received_at": NOW, "body": raw, "state": DeliveryState.NEW,
                    "due_at": NOW + timedelta(microseconds=len(rows)), "tries": 0, "outcome": "", "about": "",
                }
            )  # fmt: skip
    return rows


def _copy(db: Database, orders: int) -> float:
    """Seconds for COPY of the three deliveries an order and one statement that writes the same rows as settling does.

    The same tables with their indexes and triggers: orders, entries, lots, balances, decisions, the inbox emptied.
    """
    document = json.dumps(order_body(1, lines=LINES))[:1500]  # stands for the order's facts, which are about as long
    with db.engine.begin() as connection:
        for table in ("decisions", "orders", "lots", "balances"):
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text(f"DELETE FROM {table}"))
        connection.execute(text("DELETE FROM entries"))
        connection.execute(text("UPDATE deliveries SET state = 'new'"))
        connection.execute(text("SET session_replication_role = DEFAULT"))
    connection_ = db.engine.raw_connection()
    try:
        cursor = connection_.driver_connection.cursor()  # type: ignore[union-attr]
        cursor.execute("CREATE TABLE staged (order_id bigint, step int, member_id bigint, points bigint, facts text)")
        connection_.commit()
        started = time.perf_counter()
        with cursor.copy("COPY staged FROM STDIN") as copy:
            for number in range(orders):
                for step in range(3):
                    copy.write_row((1000 + number, step, 5000 + number % 500, POINTS, document))
        cursor.execute(_ONE_STATEMENT)
        connection_.commit()
        return time.perf_counter() - started
    finally:
        connection_.close()


_ONE_STATEMENT = f"""
WITH latest AS (SELECT DISTINCT ON (order_id) * FROM staged ORDER BY order_id, step DESC),
 numbered AS (SELECT *, row_number() OVER (PARTITION BY member_id ORDER BY order_id) AS seq FROM latest),
 kept AS (INSERT INTO orders (shop_id, order_id, name, member_id, created_at, facts, decision, points, settlements,
                              revenue_minor, settled_at, redacted)
          SELECT {SHOP_ID}, order_id, '#1', member_id, now(), facts, facts, points, 1, 8297, now(), false FROM latest),
 why AS (INSERT INTO decisions SELECT {SHOP_ID}, order_id, 1, 1, facts, now() FROM latest),
 balanced AS (INSERT INTO balances SELECT {SHOP_ID}, member_id, sum(points), 0, 0, 0, count(*), '' FROM latest
              GROUP BY member_id),
 lot AS (INSERT INTO lots SELECT {SHOP_ID}, member_id, 'order:' || order_id, 0, points, now(), NULL, NULL FROM latest),
 done AS (UPDATE deliveries SET state = 'done', body = NULL, finished_at = now() WHERE shop_id = {SHOP_ID})
INSERT INTO entries SELECT {SHOP_ID}, 'order:' || order_id || ':settled:1', 'order:' || order_id || ':settled:1',
  'order:' || order_id, member_id, seq, 'earned', 'issued', 'available', points, 'order:' || order_id, now(), now(),
  sha256(facts::bytea) FROM numbered"""


if __name__ == "__main__":
    for name, figure in measure().items():
        print(f"{name:24} {figure:10.3f}")

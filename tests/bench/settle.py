"""Settling: three deliveries an order, coalesced in batches, against COPY and one SQL statement of the same rows.

The other side is the fastest way there is to get such rows into PostgreSQL: everything already computed, copied into a
staging table, and one statement that makes entries and balances of it. It decides nothing and can be run once.
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
    """Seconds for COPY of the orders into a staging table and one statement that awards them."""
    connection = db.engine.raw_connection()
    try:
        cursor = connection.driver_connection.cursor()  # type: ignore[union-attr]
        cursor.execute(
            "CREATE TABLE staged (order_id bigint, customer_id bigint, points bigint, document text);"
            "CREATE TABLE plain_entries (order_id bigint PRIMARY KEY, customer_id bigint, points bigint, document text);"
            "CREATE TABLE plain_balances (customer_id bigint PRIMARY KEY, points bigint)"
        )
        connection.commit()
        # Its facts stand for the order's row, which the settled side writes too.
        document = json.dumps(order_body(1, lines=LINES))[:1500]
        started = time.perf_counter()
        with cursor.copy("COPY staged FROM STDIN") as copy:
            for number in range(orders):
                copy.write_row((1000 + number, 5000 + number % 500, POINTS, document))
        cursor.execute(
            "WITH awarded AS (INSERT INTO plain_entries SELECT * FROM staged ON CONFLICT DO NOTHING "
            "                 RETURNING customer_id, points) "
            "INSERT INTO plain_balances SELECT customer_id, sum(points) FROM awarded GROUP BY customer_id "
            "ON CONFLICT (customer_id) DO UPDATE SET points = plain_balances.points + excluded.points"
        )
        connection.commit()
        return time.perf_counter() - started
    finally:
        connection.close()


if __name__ == "__main__":
    for name, figure in measure().items():
        print(f"{name:24} {figure:10.3f}")

"""``GET /proxy/shopper`` for a member with 10 entries, and for one with 100,000."""

from __future__ import annotations

import os
import statistics
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app.db import Base, Database, Encrypted, insert_rows
from app.ledger import Entry
from app.models import Member

from ..conftest import API_SECRET, DOMAIN, NOW, SHOP_ID
from ..shopify.signing import proxy_pairs, proxy_query
from ..support import add_shop
from .machine import calibration, environment, postgres

FEW, MANY = (7001, 10), (7002, 100_000)


def measure(requests: int = 300) -> dict[str, float]:
    figures: dict[str, float] = {"calibration_s": calibration()}
    with postgres() as (url, _):
        settings = environment(url)
        os.environ.update(settings)
        Encrypted.use([settings["ENCRYPTION_KEYS"]])
        db = Database(url)
        Base.metadata.create_all(db.engine)
        add_shop(db)
        for customer_id, entries in (FEW, MANY):
            _history(db, customer_id, entries)
        with db.engine.begin() as connection:
            connection.execute(text("ANALYZE"))
        from app import create_app

        client = create_app().test_client()
        times: dict[int, list[float]] = {FEW[0]: [], MANY[0]: []}
        for _ in range(requests):
            for customer_id, seconds in times.items():  # in turn, so that both meet the same machine
                pairs = proxy_pairs(str(customer_id), shop=DOMAIN, stamp=str(int(time.time())))
                query = proxy_query(pairs, API_SECRET).decode()
                started = time.perf_counter()
                answer = client.get(f"/proxy/shopper?{query}")
                seconds.append(time.perf_counter() - started)
                assert answer.status_code == 200 and len(answer.json["history"]) >= 10
        db.dispose()
    figures["ten_ms"] = 1000 * statistics.median(times[FEW[0]])
    figures["hundred_thousand_ms"] = 1000 * statistics.median(times[MANY[0]])
    figures["shopper_ratio"] = figures["hundred_thousand_ms"] / figures["ten_ms"]
    return figures


def _history(db: Database, customer_id: int, entries: int) -> None:
    """A member with so many awards of one point. Only reading is measured, so the digests are left empty."""
    member_id = customer_id * 10
    rows: list[dict[str, Any]] = [
        {
            "shop_id": SHOP_ID, "key": f"order:{customer_id}{n}:settled:1/{n}",
            "event": f"order:{customer_id}{n}:settled:1",
            "cause": f"order:{customer_id}{n}", "member_id": member_id, "seq": n, "kind": "earned", "source": "issued",
            "target": "available", "points": 1, "lot": f"order:{customer_id}{n}",
            "occurred_at": NOW - timedelta(minutes=entries - n), "posted_at": NOW - timedelta(minutes=entries - n),
            "digest": b"",
        }
        for n in range(1, entries + 1)
    ]  # fmt: skip
    with db.transaction() as session:
        session.add(Member(shop_id=SHOP_ID, member_id=member_id, customer_id=customer_id, joined_at=NOW))
        session.flush()
        session.execute(
            text("INSERT INTO balances VALUES (:shop, :member, :points, 0, 0, 0, :points, '')"),
            {"shop": SHOP_ID, "member": member_id, "points": entries},
        )
        insert_rows(session, Entry, rows)
        session.execute(
            text(
                "INSERT INTO lots SELECT shop_id, member_id, lot, 0, points, occurred_at, NULL, NULL FROM entries "
                "WHERE member_id = :member"
            ),
            {"member": member_id},
        )


if __name__ == "__main__":
    for name, figure in measure().items():
        print(f"{name:24} {figure:10.3f}")

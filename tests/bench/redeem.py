"""A shopper's redeem with a filled pool: signed proxy POSTs over 16 connections, ours and the bare route's."""

from __future__ import annotations

import json
import os
import statistics
import time
from operator import truediv
from typing import Any

from sqlalchemy import text

from app.clock import utcnow
from app.db import Base, Database, Encrypted, insert_rows
from app.ledger import Balance, Lot
from app.models import Member

from ..conftest import API_SECRET, DOMAIN, NOW, SHOP_ID
from ..rewarding import fill_pool, the_reward
from ..shopify.signing import proxy_pairs, proxy_query
from ..support import add_shop
from . import bare
from .load import run
from .machine import calibration, environment, granian, postgres

MEMBERS, POINTS = 500, 100
ROUNDS = 5


def requests(count: int, *, name: str) -> list[bytes]:
    """``count`` redemptions of the starter's reward, each with a key of its own, in turn by every member."""
    stamp, offered = str(int(time.time())), the_reward().reward_id
    made = []
    for number in range(count):
        pairs = proxy_pairs(str(7001 + number % MEMBERS), shop=DOMAIN, stamp=stamp)
        body = json.dumps({"reward_id": offered, "key": f"{name}-{number}", "points": POINTS}).encode()
        lines = [
            b"POST /proxy/redemptions?" + proxy_query(pairs, API_SECRET) + b" HTTP/1.1",
            b"Host: 127.0.0.1",
            b"Content-Type: application/json",
            b"Content-Length: %d" % len(body),
        ]
        made.append(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    return made


def measure(count: int = 1500) -> dict[str, float]:
    """Redemptions a second, ours and the bare route's, in turn on one PostgreSQL."""
    figures: dict[str, float] = {"calibration_s": calibration()}
    with postgres() as (url, _):
        settings = environment(url)
        os.environ.update(settings)
        Encrypted.use([settings["ENCRYPTION_KEYS"]])
        db = Database(url)
        Base.metadata.create_all(db.engine)
        add_shop(db)
        warm = count // 5
        _members(db, points=(ROUNDS * count + warm) * POINTS)
        offered = the_reward()
        fill_pool(db, offered.reward_id, offered.reward.amount_minor, count=ROUNDS * count + warm, now=utcnow())
        with (
            granian("tests.bench.bare:create", settings) as (bare_port, _),
            granian("app.serving:without_worker", settings, interface="rsgi") as (our_port, _),
        ):
            ports = {"bare": bare_port, "ours": our_port}
            for name, port in ports.items():
                run(port, requests(warm, name=f"{name}-warm"))
            with db.engine.begin() as connection:  # as autovacuum does, once a table is no longer empty
                connection.execute(text("ANALYZE"))
            speeds: dict[str, list[float]] = {"bare": [], "ours": []}
            for number in range(ROUNDS):
                for name, port in ports.items():  # in turn, so that both meet the same machine
                    load = requests(count, name=f"{name}-{number}")
                    speeds[name].append(count / run(port, load))
        with db.reading() as session:
            issued = session.scalar(text("SELECT count(DISTINCT code) FROM redemptions WHERE state = 'issued'"))
            assert issued == ROUNDS * count + warm, f"{issued} codes handed out"
        db.dispose()
    figures |= {f"{name}_per_s": max(each) for name, each in speeds.items()}
    figures["redeem_ratio"] = statistics.median(map(truediv, speeds["ours"], speeds["bare"]))
    return figures


def _members(db: Database, *, points: int) -> None:
    members = range(7001, 7001 + MEMBERS)
    with db.transaction() as session:
        session.execute(text(bare.TABLES))
        session.execute(
            text("INSERT INTO bare_balances SELECT id, :points FROM generate_series(7001, 7000 + :count) AS id"),
            {"points": points, "count": MEMBERS},
        )
        rows: list[dict[str, Any]] = [
            {
                "shop_id": SHOP_ID, "member_id": customer_id * 10, "customer_id": customer_id, "joined_at": NOW,
                "wanted_seq": 0, "synced_seq": 0,
            }
            for customer_id in members
        ]  # fmt: skip
        insert_rows(session, Member, rows)
        kept = {"shop_id": SHOP_ID, "pending": 0}
        insert_rows(
            session,
            Balance,
            [
                {**kept, "member_id": id * 10, "available": points, "reserved": 0, "debt": 0, "seq": 1, "head": b""}
                for id in members
            ],
        )
        insert_rows(
            session,
            Lot,
            [
                {
                    **kept, "member_id": id * 10, "lot": f"order:{id}", "available": points, "earned_at": NOW,
                    "matures_at": None, "expires_at": None,
                }
                for id in members
            ],
        )  # fmt: skip


if __name__ == "__main__":
    for name, figure in measure().items():
        print(f"{name:16} {figure:10.3f}")

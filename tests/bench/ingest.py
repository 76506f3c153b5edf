"""From a signed 10 kB order webhook to a durable 200, and the processor time from there to the ledger."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import psutil
from sqlalchemy import text

from app.db import Base, Database

from ..support import DOMAIN, SHOP_ID, add_shop, payload, webhook_headers
from . import bare
from .load import run
from .machine import ROOT, calibration, cpu_seconds, environment, granian, postgres


def requests(count: int, *, first: int = 1_000_000) -> list[bytes]:
    """``count`` signed orders/paid webhooks, each another order: a real captured body of 10 kB with other ids."""
    template = payload("captured/orders__create.guest-automatic-discount-2025.json")
    template["order_status_url"] = f"https://{DOMAIN}/{SHOP_ID}/orders/0123456789abcdef/authenticate?key=0"
    made = []
    for number in range(first, first + count):
        raw = json.dumps({**template, "id": number, "customer": {"id": 5000 + number % 500}}).encode()
        headers = webhook_headers("orders/paid", raw, domain=DOMAIN, webhook_id=f"w-{number}")
        lines = ["POST /webhooks HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(raw)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        made.append("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)
    return made


def measure(count: int = 3000) -> dict[str, float]:
    """Webhooks a second and processor milliseconds an order, ours and the bare route's, in turn on one PostgreSQL."""
    from app.config import Config  # noqa: F401 - fails here, not in a child, when the app cannot be imported

    figures: dict[str, float] = {"calibration_s": calibration()}
    with postgres() as (url, database):
        settings = environment(url)
        from app.db import Encrypted

        Encrypted.use([settings["ENCRYPTION_KEYS"]])
        db = Database(url)
        Base.metadata.create_all(db.engine)
        add_shop(db, currency="HKD")
        with db.engine.begin() as connection:
            connection.execute(text(bare.TABLES))
        warm, rounds = max(100, count // 10), 3
        for name, interface, factory in (
            ("bare", "wsgi", "tests.bench.bare:create"),
            ("ours", "rsgi", "app.serving:without_worker"),
        ):
            with granian(factory, settings, interface=interface) as (port, server):
                run(port, requests(warm, first=9_000_000))
                best = 0.0
                before = cpu_seconds([server, database])
                for number in range(rounds):
                    load = requests(count, first=1_000_000 + number * count)
                    best = max(best, count / run(port, load))
                figures[f"{name}_per_s"] = best
                spent = cpu_seconds([server, database]) - before
            if name == "ours":
                spent += _settle(db, settings, database)
            figures[f"{name}_cpu_ms"] = 1000 * spent / (rounds * count)
        with db.reading() as session:
            entries = session.scalar(text("SELECT count(*) FROM entries WHERE kind = 'earned'"))
            assert entries == rounds * count + warm, f"{entries} awards for {rounds * count + warm} orders"
        db.dispose()
    figures["ingest_ratio"] = figures["ours_per_s"] / figures["bare_per_s"]
    figures["cpu_ratio"] = figures["ours_cpu_ms"] / figures["bare_cpu_ms"]
    return figures


def _settle(db: Database, settings: dict[str, str], database: psutil.Process) -> float:
    """Have a worker process put everything into the ledger; processor seconds it and PostgreSQL took for that.

    The worker begins while there is nothing to do, so that starting Python is not counted as settling.
    """
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE deliveries SET due_at = now() + interval '1 day'"))
    process = subprocess.Popen([sys.executable, "-m", "flask", "--app", "app", "work"], env=settings, cwd=ROOT)
    worker = psutil.Process(process.pid)
    try:
        time.sleep(4)
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE deliveries SET due_at = received_at"))
            connection.execute(text("UPDATE due_shops SET next_due = now() WHERE lane = 'settle'"))
        before = cpu_seconds([worker, database])
        while True:
            with db.reading() as session:
                if not session.scalar(text("SELECT count(*) FROM deliveries WHERE state = 'new'")):
                    break
            time.sleep(0.25)
        return cpu_seconds([worker, database]) - before
    finally:
        process.terminate()
        process.wait(20)


if __name__ == "__main__":
    for name, figure in measure().items():
        print(f"{name:16} {figure:10.3f}")

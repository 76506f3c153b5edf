"""What a review of the core found, a sentence each: races, clocks, retries and words that outlive a person."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import make_url, select, text

from app.db import BUSY_TIMEOUT_MS, Database, Encrypted
from app.jobs import queue, schedule
from app.loyalty import inbox, keys
from app.loyalty.access import store_pair
from app.loyalty.audit import audit_shop
from app.models import Adjustment, Delivery, DeliveryState, Job, JobState, Lane, PrivacyRequest, ShopToken
from app.shopify.tokens import TokenPair

from ..conftest import API_KEY, API_SECRET, DOMAIN, ENCRYPTION_KEY, NOW, SECRET_KEY, SHOP_ID
from ..loyalty.fake_shopify import FakeShopify
from ..support import access_for, add_shop, deliver, drain, jobs, order_body, outcomes

ROOT = Path(__file__).parents[2]


def test_a_pair_refreshed_while_keys_are_rotated_is_kept(postgres_db):
    add_shop(postgres_db)
    pair = TokenPair("shpat_new", NOW + timedelta(hours=1), "shprt_new", NOW + timedelta(days=90), ())

    def refresh() -> None:
        with postgres_db.transaction() as session:
            store_pair(session, SHOP_ID, pair, now=NOW, replacing=1)

    worker = threading.Thread(target=refresh)
    with postgres_db.transaction() as session:
        keys.rotate(session)
        worker.start()
        worker.join(0.3)
        assert worker.is_alive()  # it waits for the rotation, instead of being overwritten by it
    worker.join(5)
    with postgres_db.reading() as session:
        assert session.get_one(ShopToken, SHOP_ID).refresh_token == "shprt_new"


def test_a_parked_body_that_waits_to_be_tried_again_is_rotated_too(db, clock):
    add_shop(db)
    deliver(db, "orders/create", b"{}", now=clock())
    drain(db, clock)
    newer = Fernet.generate_key().decode()
    try:
        with db.transaction() as session:
            inbox.replay_all(session, SHOP_ID, topic=None, now=clock())
            Encrypted.use([newer, ENCRYPTION_KEY])
            keys.rotate(session)
        Encrypted.use([newer])
        with db.reading() as session:
            assert inbox.body_of(session.scalars(select(Delivery)).one()) == b"{}"
    finally:
        Encrypted.use([ENCRYPTION_KEY])


def test_the_audit_of_busy_books_finds_nothing(postgres_db, clock, monkeypatch):
    add_shop(postgres_db)
    deliver(postgres_db, "orders/create", order_body(5001), now=clock())
    drain(postgres_db, clock)
    ledger_audit = importlib.import_module("app.ledger.audit")
    look_at_balances = ledger_audit._check_balances

    def after_another_order(*arguments: Any) -> Any:
        clock.advance(seconds=5)
        deliver(postgres_db, "orders/create", order_body(5002), now=clock())
        drain(postgres_db, clock)
        return look_at_balances(*arguments)

    monkeypatch.setattr(ledger_audit, "_check_balances", after_another_order)
    with postgres_db.reading(one_moment=True) as session:
        assert audit_shop(session, SHOP_ID) == []


def test_a_moment_of_the_year_one_does_not_stop_a_shop_on_a_server_west_of_utc(postgres_db, clock):
    add_shop(postgres_db)
    name = postgres_db.url.database
    with postgres_db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"ALTER DATABASE \"{name}\" SET timezone TO 'America/New_York'"))
    database = Database(postgres_db.url)
    try:
        for webhook_id, triggered_at in (("1", datetime(1, 1, 1, tzinfo=UTC)), ("2", None)):
            body = order_body(5730 + int(webhook_id))
            deliver(database, "orders/create", body, now=clock(), webhook_id=webhook_id, triggered_at=triggered_at)
        drain(database, clock)
        assert [state for _, state, _ in outcomes(database)] == ["done", "done"]
    finally:
        database.dispose()
        with postgres_db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" RESET timezone'))


def test_a_webhook_does_not_wait_for_the_batch_being_settled(postgres_db, clock):
    add_shop(postgres_db)
    drain(postgres_db, clock)
    clock.advance(minutes=2)
    lease = queue.claim(postgres_db, Lane.SETTLE, clock())
    assert lease is not None
    with postgres_db.transaction() as session:
        queue.hold(session, lease, clock())
        started = time.monotonic()
        assert deliver(postgres_db, "orders/create", order_body(), now=clock())
        assert time.monotonic() - started < 1
    queue.release(postgres_db, lease, worked=True, now=clock())
    clock.advance(seconds=1)
    drain(postgres_db, clock)
    assert [state for _, state, _ in outcomes(postgres_db)] == ["done"]


def test_sqlite_gives_up_before_shopify_does():
    assert BUSY_TIMEOUT_MS < 5_000


def test_a_database_error_names_nobody(db):
    add_shop(db)
    row = {
        "shop_id": SHOP_ID, "key": "k", "member_id": 1, "points": 1, "reason": "sorry, nora@example.com",
        "author": "staff 1", "adjusted_at": NOW,
    }  # fmt: skip
    with pytest.raises(Exception, match=r"adjustments|FOREIGN KEY") as caught, db.transaction() as session:
        session.execute(Adjustment.__table__.insert(), row)
    assert "nora" not in str(caught.value)


def test_old_deliveries_go_once_a_day_and_not_minute_by_minute(db, clock):
    add_shop(db)
    with db.transaction() as session:
        for minute in range(60):
            session.add(
                Delivery(
                    shop_id=SHOP_ID, key=bytes([minute]) * 32, topic="orders/create", state=DeliveryState.DONE,
                    received_at=NOW - timedelta(days=30, hours=1) + timedelta(minutes=minute), due_at=NOW,
                )
            )  # fmt: skip
    asked = 0
    for _ in range(60):
        clock.advance(minutes=1)
        with db.transaction() as session:
            schedule.ask_for_due_work(session, now=clock())
            asked += session.scalar(select(Job.job_id).where(Job.kind == "forget_old")) is not None
    assert asked == 0


def test_a_data_request_for_somebody_forgotten_does_not_name_them_again(db, clock):
    add_shop(db)
    asked = {
        "shop_id": SHOP_ID, "shop_domain": DOMAIN, "orders_requested": [], "data_request": {"id": 9999},
        "customer": {"id": 7001, "email": "nora@example.com", "phone": None},
    }  # fmt: skip
    forget = {**asked, "orders_to_redact": []}
    del forget["orders_requested"], forget["data_request"]
    said = (("customers/data_request", asked), ("customers/redact", forget), ("customers/data_request", asked))
    for number, (topic, body) in enumerate(said):
        deliver(db, topic, body, now=clock(), webhook_id=str(number))
        drain(db, clock)
        clock.advance(seconds=2)
    with db.reading() as session:
        assert session.scalars(select(PrivacyRequest.customer_id)).all() == [None]


def test_an_answer_that_is_no_answer_does_not_count_as_sent(db, clock):
    add_shop(db)
    shopify = FakeShopify()
    access = access_for(db, clock, shopify.http())
    deliver(db, "orders/create", order_body(), now=clock())
    shopify.trouble = lambda name, asked: (200, {"data": None}) if name == "MetafieldsSet" else None
    for _ in range(2):
        drain(db, clock, access)
        clock.advance(seconds=3)
    assert jobs(db)["sync_members", ""].state == JobState.PARKED  # where somebody sees it
    shopify.trouble = lambda name, asked: None
    clock.advance(minutes=1)
    deliver(db, "orders/create", order_body(5732), now=clock())
    for _ in range(2):
        drain(db, clock, access)
        clock.advance(seconds=3)
    assert (shopify.member(7001) or {}).get("available") == 56


def test_a_fresh_clone_has_no_instance_folder_yet(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/not/yet/regulars.db")
    with database.reading() as session:
        assert session.scalar(text("SELECT 1")) == 1
    database.dispose()


def test_sigterm_lets_the_worker_beside_the_web_server_finish(sqlite_db):
    """Granian's processes are multiprocessing's, which end without `atexit`. A lease left behind would keep a shop
    waiting for a minute after a restart.
    """
    add_shop(sqlite_db, installed=datetime.now(UTC))
    with sqlite_db.transaction() as session:
        session.execute(Job.__table__.delete())
        session.execute(
            text("UPDATE due_shops SET next_due = :far, lease_until = NULL"), {"far": "2099-01-01 00:00:00.000000"}
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "SHOPIFY_API_KEY": API_KEY, "SHOPIFY_API_SECRET": API_SECRET, "SECRET_KEY": SECRET_KEY,
        "ENCRYPTION_KEYS": ENCRYPTION_KEY, "APP_URL": "https://regulars.test",
        "DATABASE_URL": f"sqlite:///{make_url(sqlite_db.url).database}", "SHOPIFY_ORIGIN": "",
    }  # fmt: skip
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "--port", str(port), "--factory"]
    process = subprocess.Popen(
        [*command, "tests.review.stopping:app_whose_worker_says_goodbye"],
        env={**os.environ, **settings}, cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert _listens(port)
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=40)[1]
    assert "worker stopped" in said


def _listens(port: int) -> bool:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False

"""``POST /webhooks``: verified, stored, 200; nothing else is promised here."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text

from app.db import BUSY_TIMEOUT_MS, Database
from app.models import Delivery, DeliveryState

from ..conftest import API_SECRET, DOMAIN, NOW, SHOP_ID
from ..support import PAYLOADS, add_shop, available, drain, order_body, signature, webhook_headers
from .asking import Door
from .conftest import without_network

OLD_SECRET = "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"
BODY = b'{"id":5731}'


def stored(db, **where) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(Delivery).filter_by(**where))


def post(door: Door, body: bytes = BODY, *, topic: str = "orders/create", **more):
    return door.post("/webhooks", body, headers=webhook_headers(topic, body, **more))


def test_stores_a_delivery_and_answers_200_with_nothing(door, db):
    add_shop(db)
    answer = post(door)
    assert (answer.status, answer.body) == (200, b"")
    with db.reading() as session:
        row = session.scalars(select(Delivery)).one()
    assert (row.shop_id, row.topic, bytes(row.body), row.state) == (SHOP_ID, "orders/create", BODY, DeliveryState.NEW)
    assert (row.webhook_id, row.api_version, row.received_at) == ("w-1", "2026-10", NOW)


def test_a_200_is_durable(door, db):
    """Another connection sees the row before the next request is served."""
    add_shop(db)
    post(door)
    other = Database(db.url)
    try:
        assert stored(other) == 1
    finally:
        other.dispose()


def test_a_repeat_is_acknowledged_and_stored_once(door, db):
    add_shop(db)
    assert [post(door).status for _ in range(3)] == [200, 200, 200]
    assert stored(db) == 1


def test_one_delivery_id_on_another_body_swallows_nothing(door, db):
    add_shop(db)
    post(door, BODY)
    post(door, b'{"id":5732}')
    assert stored(db) == 2


def test_without_a_delivery_id_the_body_stands_for_it(door, db):
    add_shop(db)
    for body in (BODY, BODY, b'{"id":5732}'):
        post(door, body, webhook_id="")
    assert stored(db) == 2


@pytest.mark.parametrize("domain", ["stranger.myshopify.com", "", "saltmarsh", "saltmarsh.myshopify.com.evil.example",
                                    "Saltmarsh.myshopify.com", "saltmarsh.myshopify.com\n"])  # fmt: skip
def test_a_shop_we_do_not_know_is_acknowledged_and_stores_nothing(quick_door, sqlite_db, domain):
    add_shop(sqlite_db)
    assert post(quick_door, domain=domain).status == 200
    assert stored(sqlite_db) == 0


def test_a_shop_that_uninstalled_still_delivers(door, db):
    """app/uninstalled comes twice, and shop/redact two days later."""
    add_shop(db)
    with db.transaction() as session:
        session.execute(text("UPDATE shops SET uninstalled_at = installed_at"))
    assert post(door, topic="shop/redact").status == 200
    assert stored(db) == 1


def without(*names: str, **changed: str) -> dict[str, str]:
    headers = {**webhook_headers("orders/create", BODY), **changed}
    return {name: value for name, value in headers.items() if name not in names}


HMAC = "X-Shopify-Hmac-SHA256"
RIGHT = signature(BODY)


@pytest.mark.parametrize(
    "headers",
    [
        without(HMAC),
        without(**{HMAC: ""}),
        without(**{HMAC: signature(BODY, "shpss_another")}),
        without(**{HMAC: RIGHT[:-1]}),
        without(**{HMAC: f" {RIGHT}"}),
        without(**{HMAC: f"{RIGHT},{RIGHT}"}),  # the header twice, as servers join it
        without(**{HMAC: f"{RIGHT}, {RIGHT}"}),
        without(**{HMAC: RIGHT, "shopify-hmac-sha256": signature(b"other")}),
        without(HMAC, **{"shopify-hmac-sha256": signature(b"other")}),
        without(HMAC, Authorization=f"Bearer {RIGHT}"),
        without(**{HMAC: "\u00e4" * 44}),
    ],
)
def test_a_missing_wrong_or_doubled_signature_is_401(quick_door, sqlite_db, headers):
    add_shop(sqlite_db)
    answer = quick_door.post("/webhooks", BODY, headers=headers)
    assert answer.status == 401
    assert answer.json()["error"]["code"] == "unauthenticated"
    assert stored(sqlite_db) == 0


def test_every_refusal_reads_the_same(quick_door, sqlite_db):
    add_shop(sqlite_db)
    bodies = {
        quick_door.post("/webhooks", BODY, headers=headers).body
        for headers in (without(HMAC), without(**{HMAC: "x"}), without(**{HMAC: signature(BODY, "y")}))
    }
    assert len(bodies) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_only_post(quick_door, sqlite_db, method):
    assert quick_door.ask(method, "/webhooks", headers=webhook_headers("orders/create", b"")).status == 405


def test_more_than_ten_megabytes_are_413_signed_or_not(quick_door, sqlite_db):
    add_shop(sqlite_db)
    body = b"{" + b" " * (11 * 1024 * 1024) + b"}"
    assert quick_door.post("/webhooks", body, headers=webhook_headers("orders/create", body)).status == 413
    assert quick_door.post("/webhooks", body).status == 413
    assert stored(sqlite_db) == 0


def test_a_body_of_unknown_length_is_read_only_where_the_server_ends_it(quick_door, sqlite_db):
    """Chunked: the server says where the body ends. Without that, there is no body, and so no valid signature."""
    add_shop(sqlite_db)
    headers = webhook_headers("orders/create", BODY)
    ended = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    assert quick_door.post("/webhooks", BODY, headers=headers, more={"CONTENT_LENGTH": ""}).status == 401
    assert quick_door.post("/webhooks", BODY, headers=headers, more=ended).status == 200
    # Cut at the limit, so its signature cannot match: refused either way, and never held in memory whole.
    over = b"x" * (11 * 1024 * 1024)
    answer = quick_door.post("/webhooks", over, headers=webhook_headers("orders/create", over), more=ended)
    assert answer.status in (401, 413)
    assert stored(sqlite_db) == 1


def test_the_old_secret_is_accepted_while_rotating(db, make_app):
    add_shop(db)
    rotating = Door(without_network(make_app(db, shopify_api_secret_old=OLD_SECRET)))
    assert post(rotating, secret=OLD_SECRET, webhook_id="old").status == 200
    assert post(rotating, secret=API_SECRET, webhook_id="new").status == 200
    assert stored(db) == 2
    done = Door(without_network(make_app(db)))
    assert post(done, secret=OLD_SECRET, webhook_id="late").status == 401


def test_events_use_headers_without_the_x(quick_door, sqlite_db):
    add_shop(sqlite_db)
    headers = {
        "shopify-topic": "orders/paid", "shopify-shop-domain": DOMAIN, "shopify-api-version": "2026-10",
        "shopify-webhook-id": "e-1", "shopify-triggered-at": "2026-11-21T11:59:58.123456789Z",
        "shopify-hmac-sha256": signature(BODY),
    }  # fmt: skip
    assert quick_door.post("/webhooks", BODY, headers=headers).status == 200
    with sqlite_db.reading() as session:
        row = session.scalars(select(Delivery)).one()
    assert (row.topic, row.webhook_id, row.triggered_at.second) == ("orders/paid", "e-1", 58)


NO_MOMENTS = ("", "yesterday", "2026-11-21T11:59:58", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
              "\u0662\u0660\u0662\u0666")  # fmt: skip


@pytest.mark.parametrize("moment", NO_MOMENTS)
def test_a_moment_that_is_none_is_left_out(door, db, moment):
    add_shop(db)
    headers = {**webhook_headers("orders/create", BODY), "X-Shopify-Triggered-At": moment.encode().decode("latin-1")}
    assert door.post("/webhooks", BODY, headers=headers).status == 200
    assert stored(db, triggered_at=None) == 1


def test_nothing_is_triggered_after_it_arrived(quick_door, sqlite_db):
    add_shop(sqlite_db)
    headers = {**webhook_headers("orders/create", BODY), "X-Shopify-Triggered-At": "9000-01-01T00:00:00Z"}
    assert quick_door.post("/webhooks", BODY, headers=headers).status == 200
    assert stored(sqlite_db, triggered_at=NOW) == 1


def test_headers_of_any_kind_are_kept_within_bounds(door, db):
    add_shop(db)
    odd = {
        "X-Shopify-Topic": "t" * 9_000, "X-Shopify-Webhook-Id": "\x00\u00ff" * 3_000, "X-Shopify-API-Version": "v\x00",
    }  # fmt: skip
    assert door.post("/webhooks", BODY, headers={**webhook_headers("", BODY), **odd}).status == 200
    with db.reading() as session:
        row = session.scalars(select(Delivery)).one()
    assert len(row.topic) == 255 and len(row.webhook_id) == 255 and row.api_version == "v"


def test_a_database_that_is_away_is_503_and_never_200(make_app, tmp_path):
    gone = Database("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    nowhere = Database(f"sqlite:///{tmp_path}/no/such/folder/regulars.db")
    for database in (gone, nowhere):
        away = Door(without_network(make_app(database)))
        answer = post(away)
        assert (answer.status, answer.json()["error"]["code"]) == (503, "unavailable")
        assert away.get("/readyz").status == 503
        assert away.get("/healthz").status == 200


def test_a_database_that_fills_up_is_503(sqlite_db, make_app):
    add_shop(sqlite_db)
    app = without_network(make_app(sqlite_db))
    door = Door(app)
    database = app.extensions["regulars"].db
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    @event.listens_for(database.engine, "connect")
    def small(connection, record):
        connection.execute(f"PRAGMA max_page_count={pages + 2}")

    database.engine.dispose()
    body = b"[" + b"1," * 100_000 + b"1]"
    assert post(door, body).status == 503
    assert stored(sqlite_db) == 0


def test_a_database_that_is_busy_for_long_is_503_not_a_hang(sqlite_db, make_app):
    add_shop(sqlite_db)
    door = Door(without_network(make_app(sqlite_db)))
    blocker = sqlite3.connect(sqlite_db.url.database, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    assert post(door).status == 503
    assert time.monotonic() - started < BUSY_TIMEOUT_MS / 1000 + 1
    blocker.execute("ROLLBACK")
    blocker.close()
    assert post(door).status == 200


def payload_files() -> list[Path]:
    return sorted(PAYLOADS.rglob("*.json"))


def topic_of(path: Path) -> str:
    return path.name.split(".json")[0].split(".captured")[0].replace("__", "/")


def test_every_payload_is_accepted_for_its_topic_and_ends_somewhere(door, db, clock):
    """Published examples and captured bodies: 200 each, and none is left without an outcome."""
    add_shop(db)
    files = payload_files()
    assert len(files) > 100
    for number, path in enumerate(files):
        body = path.read_bytes()
        assert post(door, body, topic=topic_of(path), webhook_id=f"p-{number}").status == 200, path.name
    drain(db, clock)
    with db.reading() as session:
        rows = session.scalars(select(Delivery)).all()
    assert len(rows) == len(files)
    assert {row.state for row in rows} <= {DeliveryState.DONE, DeliveryState.IGNORED, DeliveryState.PARKED}
    assert all(row.outcome for row in rows)


def test_an_order_delivered_here_reaches_the_ledger(door, db, clock):
    add_shop(db)
    body = json.dumps(order_body(customer_id=7001, lines=[("28.00", 3)])).encode()
    post(door, body, topic="orders/paid")
    drain(db, clock)
    assert available(db, 7001) == 84

"""Shopify takes the question and does not answer: the merchant's page says so soon, and everybody else is served."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.errors import Throttled
from app.loyalty import access as access_module
from app.shopify.origins import Origins
from app.shopify.shop import fetch_shop
from app.shopify.transport import Patience, new_http, post
from app.web.runtime import ASKING_AT_ONCE, EXTENSION

from ..conftest import DOMAIN, SHOP_ID
from ..support import add_shop
from .asking import Door, bearer

OTHER = "driftwood.myshopify.com"  # not installed: opening the app there begins with a token exchange


@pytest.fixture
def silent() -> Iterator[str]:
    """A Shopify that accepts connections and says nothing: its template for SHOPIFY_ORIGIN."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    held: list[socket.socket] = []

    def hold() -> None:
        while True:
            try:
                held.append(listener.accept()[0])
            except OSError:
                return

    threading.Thread(target=hold, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/{{shop}}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for connection in held:
        connection.close()


@pytest.fixture
def slow_app(sqlite_db: Any, make_app: Any, silent: str) -> Any:
    add_shop(sqlite_db)
    return make_app(sqlite_db, shopify_origin=silent)


def test_a_request_gives_up_sooner_than_a_worker(slow_app, monkeypatch):
    monkeypatch.setattr(access_module, "IN_A_REQUEST", Patience(connect_s=0.2, read_s=0.3, total_s=0.5))
    began = time.monotonic()
    answer = Door(slow_app).get("/admin/", headers=bearer(OTHER))
    assert answer.status == 503 and time.monotonic() - began < 2
    assert "Shopify cannot be reached right now" in answer.text


def test_only_some_wait_for_shopify_at_once_and_the_others_are_told(slow_app, monkeypatch):
    monkeypatch.setattr(access_module, "IN_A_REQUEST", Patience(connect_s=3, read_s=3, total_s=3))
    door = Door(slow_app)
    statuses: list[int] = []
    waiting = [
        threading.Thread(target=lambda: statuses.append(door.get("/admin/", headers=bearer(OTHER)).status))
        for _ in range(ASKING_AT_ONCE)
    ]
    for thread in waiting:
        thread.start()
    room = slow_app.extensions[EXTENSION].room
    until = time.monotonic() + 2
    while room.acquire(blocking=False) and time.monotonic() < until:
        room.release()
        time.sleep(0.01)
    began = time.monotonic()
    assert door.get("/admin/", headers=bearer(OTHER)).status == 503
    assert door.get("/admin/members", headers=bearer(DOMAIN)).status == 200  # a page that can do without names
    assert door.get("/healthz").status == 200
    assert time.monotonic() - began < 2
    for thread in waiting:
        thread.join(10)
    assert statuses == [503] * ASKING_AT_ONCE


def test_a_worker_waits_as_long_as_it_must(slow_app):
    """Its way has no room to run out of."""
    process = slow_app.extensions[EXTENSION]
    for _ in range(ASKING_AT_ONCE):
        assert process.room.acquire(blocking=False)
    with pytest.raises(Throttled, match="others wait"):
        process.hurried.ask(SHOP_ID, fetch_shop)
    assert process.access.ask(SHOP_ID, lambda client: client.shop) == DOMAIN


def test_patience_is_the_callers(silent):
    origins = Origins(silent)
    began = time.monotonic()
    with pytest.raises(Throttled):
        post(
            new_http(origins), f"{origins.api(DOMAIN)}/x", json={}, headers={}, max_bytes=9,
            patience=Patience(connect_s=0.2, read_s=0.2, total_s=0.2),
        )  # fmt: skip
    assert time.monotonic() - began < 2

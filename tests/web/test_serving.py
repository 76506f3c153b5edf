"""What the server lets through to the app: whole requests, and as many half ones as anybody likes to hold open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from sqlalchemy import event, func, select

from app.db import Database
from app.models import Delivery
from app.web.rsgi import _environ
from app.web.runtime import EXTENSION
from app.web.webhooks import Inlet

from ..conftest import SHOP_ID
from ..support import add_shop, webhook_headers
from .conftest import without_network
from .served import BODY_SECONDS, Wire, request, running

T = TypeVar("T")

HALF_SENT = 40  # five times the server's threads
QUICK_S = 1.0
BODY = b'{"id":5731}'


def in_a_loop(what: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: the browser of other tests keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, what).result()


def stored(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(Delivery)) or 0


def webhook(body: bytes = BODY, *, webhook_id: str = "w-1", length: int | None = None) -> bytes:
    headers = webhook_headers("orders/create", body, webhook_id=webhook_id)
    return request("POST", "/webhooks", headers, body, length=length)


@pytest.fixture
def port(sqlite_db: Database) -> Iterator[int]:
    add_shop(sqlite_db)
    with running(sqlite_db) as port:
        yield port


def test_half_sent_requests_keep_nobody_waiting_and_are_given_up(port, sqlite_db):
    half = [Wire(port, webhook(length=1000)) for _ in range(HALF_SENT)]
    half += [Wire(port, request("POST", "/admin/program/draft", {}, b"a=", length=200_000)) for _ in range(HALF_SENT)]
    began = time.monotonic()
    assert Wire(port, request("GET", "/healthz", {})).answer().startswith(b"HTTP/1.1 200 ")
    assert Wire(port, webhook()).answer().startswith(b"HTTP/1.1 200 ")
    assert Wire(port, request("GET", "/proxy/shopper", {})).answer().startswith(b"HTTP/1.1 401 ")
    assert time.monotonic() - began < QUICK_S
    assert stored(sqlite_db) == 1
    for wire in half:
        assert wire.answer().startswith(b"HTTP/1.1 408 ")
        assert wire.hung_up()
    assert time.monotonic() - began < BODY_SECONDS + 2 * QUICK_S
    assert stored(sqlite_db) == 1


def test_the_server_hands_on_what_came(port, sqlite_db):
    """Good, forged, too large, in pieces, and hung up half-way."""
    chunked = webhook(webhook_id="pieces").replace(b"Content-Length: 11", b"Transfer-Encoding: chunked")
    chunked = chunked.removesuffix(BODY) + b"5\r\n" + BODY[:5] + b"\r\n6\r\n" + BODY[5:] + b"\r\n0\r\n\r\n"
    for _ in range(2):
        assert Wire(port, webhook()).answer().startswith(b"HTTP/1.1 200 ")
    assert Wire(port, chunked).answer().startswith(b"HTTP/1.1 200 ")
    assert stored(sqlite_db) == 2
    large = b'{"id":5731,"note":"' + b"x" * 3_000_000 + b'"}'
    assert Wire(port, webhook(large, webhook_id="large")).answer().startswith(b"HTTP/1.1 200 ")
    assert stored(sqlite_db) == 3
    forged = Wire(port, webhook().replace(BODY, b'{"id":5732}')).answer()
    assert forged.startswith(b"HTTP/1.1 401 ") and b'"unauthenticated"' in forged
    assert Wire(port, webhook(length=11_000_000)).answer().startswith(b"HTTP/1.1 413 ")
    Wire(port, webhook(length=1000)).socket.close()
    assert Wire(port, request("GET", "/healthz", {})).answer().startswith(b"HTTP/1.1 200 ")
    assert stored(sqlite_db) == 3


class Headers(list):
    items = list.__iter__


def test_a_request_reads_the_same_as_by_wsgi():
    scope = SimpleNamespace(
        method="POST", path="/a b/é", query_string="q=%20a&é=1", server="127.0.0.1:8000", client="203.0.113.7:4711",
        http_version="1.1", scheme="http",
        headers=Headers([
            ("host", "regulars.test"), ("content-type", "text/plain"), ("content-length", "3"), ("x-a", "1"),
            ("x-a", "2"), ("x_b", "underscore"), ("content_length", "9"), ("cookie", "a=1"), ("cookie", "b=2"),
        ]),
    )  # fmt: skip
    environ = _environ(scope)
    assert {name: value for name, value in environ.items() if name == name.upper()} == {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/a b/Ã©", "QUERY_STRING": "q=%20a&Ã©=1",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "203.0.113.7",
        "HTTP_HOST": "regulars.test", "CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "3", "HTTP_X_A": "1,2",
        "HTTP_COOKIE": "a=1; b=2",
    }  # fmt: skip


def environ_of(body: bytes, webhook_id: str) -> dict[str, str]:
    headers = webhook_headers("orders/create", body, webhook_id=webhook_id)
    return {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}


async def taken(inlet: Inlet, count: int) -> list[int | None]:
    bodies = [b'{"id":%d}' % number for number in range(count)]
    return await asyncio.gather(*(inlet.take(environ_of(body, f"w-{body!r}"), body) for body in bodies))


def test_webhooks_that_arrive_together_are_written_together(db, make_app):
    add_shop(db)
    app = without_network(make_app(db))
    inlet = Inlet(app.extensions[EXTENSION])
    assert in_a_loop(taken(inlet, 60)) == [200] * 60
    assert stored(db) == 60
    assert in_a_loop(taken(inlet, 60)) == [200] * 60  # repeats
    assert stored(db) == 60


def test_one_that_cannot_be_stored_takes_no_other_with_it(sqlite_db, make_app):
    add_shop(sqlite_db)
    app = without_network(make_app(sqlite_db))

    @event.listens_for(app.extensions[EXTENSION].db.engine, "connect")
    def refuse_one(connection, record):
        connection.execute(
            "CREATE TEMP TRIGGER no_seven BEFORE INSERT ON deliveries WHEN NEW.body = CAST('{\"id\":7}' AS BLOB) "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )

    app.extensions[EXTENSION].db.engine.dispose()
    answers = in_a_loop(taken(Inlet(app.extensions[EXTENSION]), 12))
    assert answers == [503 if number == 7 else 200 for number in range(12)]
    assert stored(sqlite_db) == 11


def test_what_is_stored_is_what_came(db, make_app):
    add_shop(db)
    app = without_network(make_app(db))
    in_a_loop(Inlet(app.extensions[EXTENSION]).take(environ_of(BODY, "w-7"), BODY))
    with db.reading() as session:
        row = session.scalars(select(Delivery)).one()
    assert (row.shop_id, row.topic, row.webhook_id, bytes(row.body)) == (SHOP_ID, "orders/create", "w-7", BODY)
    assert row.source == "webhook"

"""Public pages, health, and the headers every answer carries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ..conftest import DOMAIN, NOW
from ..support import add_shop, deliver, drain, order_body
from .asking import bearer

ANOTHER = "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"


@pytest.mark.parametrize("path", ["/privacy", "/support", "/"])
def test_public_pages_are_anybodys_and_nobodys_frame(quick_door, path):
    answer = quick_door.get(path)
    assert (answer.status, answer.is_html) == (200, True)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/privacy", 200), ("/nowhere", 404), ("/auth/token", 400), ("/healthz", 200),
                         ("/proxy/shopper", 401), ("/webhooks", 405), ("/readyz", 200), ("/metrics", 200)],
)  # fmt: skip
def test_every_answer_says_that_nobody_may_keep_or_sniff_it(quick_door, path, status):
    answer = quick_door.get(path)
    assert answer.status == status
    assert answer.headers["cache-control"] == "no-store, private"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers


def test_alive_needs_nothing(quick_door):
    assert quick_door.get("/healthz").json() == {"status": "ok"}


def test_ready_while_lanes_are_served(door, db, clock):
    add_shop(db)
    drain(db, clock)
    assert door.get("/readyz").json() == {"database": "ok", "worker": "ok", "backlog": 0}
    deliver(db, "orders/paid", order_body())
    assert door.get("/readyz").json()["backlog"] == 1
    clock.now = NOW + timedelta(minutes=3)
    answer = door.get("/readyz")
    assert (answer.status, answer.json()["worker"]) == (503, "overdue")
    drain(db, clock)
    assert door.get("/readyz").json() == {"database": "ok", "worker": "ok", "backlog": 0}


def test_metrics_count_and_name_nobody(door, db, clock):
    add_shop(db)
    deliver(db, "orders/paid", order_body(), now=NOW)
    clock.now = NOW + timedelta(seconds=30)
    told = door.get("/metrics").text
    assert 'regulars_deliveries{state="new"} 1.0' in told
    assert "regulars_oldest_delivery_seconds 30.0" in told
    assert "regulars_shops_installed 1.0" in told
    assert DOMAIN not in told and "example.com" not in told


def test_an_address_that_is_none_is_a_page_for_people_and_json_for_programs(quick_door):
    assert quick_door.get("/nowhere").is_html
    assert quick_door.get("/api/v1/nothing").json()["error"]["code"] == "not_found"
    assert quick_door.get("/nowhere", headers={"Accept": "application/json"}).json()["error"]["code"] == "not_found"


def test_an_address_is_never_repeated_in_an_error(quick_door):
    answer = quick_door.get("/%3Cscript%3Ealert(1)%3C/script%3E?x=%3Cscript%3E")
    assert answer.status == 404
    assert "script>" not in answer.text


def test_a_merchants_lost_page_is_framed_by_their_shop(door, db):
    """An error page is still inside the admin's frame: without its shop's name the browser shows nothing at all."""
    add_shop(db)
    answer = door.get("/admin/no/such/page", headers=bearer())
    assert answer.status == 404
    assert f"frame-ancestors https://{DOMAIN} https://admin.shopify.com;" in answer.headers["content-security-policy"]
    forged = door.get("/admin/no/such/page", headers=bearer(secret=ANOTHER))
    assert "frame-ancestors 'none'" in forged.headers["content-security-policy"]


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW"])
def test_odd_methods_do_nothing(quick_door, method):
    assert quick_door.ask(method, "/").status in (405, 501)


def test_options_tells_no_other_origin_to_come_in(quick_door):
    answer = quick_door.ask("OPTIONS", "/", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control-")]

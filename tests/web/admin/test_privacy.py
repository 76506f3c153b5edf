"""Data requests: on their page with the day they must be answered by, answered by a file made on the spot."""

from __future__ import annotations

import json

import pytest

from app.models import PrivacyRequest

from ...conftest import SHOP_ID
from ...support import add_shop, deliver, drain, order_body, refund_body
from .conftest import Browser, words_of


@pytest.fixture
def requested(db, clock, shop):
    deliver(db, "orders/paid", order_body(1, customer_id=7001, lines=[("28.00", 3)]))
    deliver(db, "orders/paid", order_body(2, customer_id=7002))
    drain(db, clock)
    deliver(db, "refunds/create", refund_body(1, 1, units={1: 1}))
    deliver(db, "customers/data_request", {
        "shop_id": SHOP_ID, "shop_domain": "saltmarsh.myshopify.com", "orders_requested": [1],
        "customer": {"id": 7001, "email": "nora@example.com"}, "data_request": {"id": 31},
    })  # fmt: skip
    drain(db, clock)
    return 31


def test_a_request_says_until_when(clock, merchant, requested):
    assert "Customer 7001 21 Nov 21 Dec 30 days left Download" in words_of(merchant.get("/admin/privacy"))
    clock.advance(days=25)
    assert "5 days left" in words_of(merchant.get("/admin/privacy"))
    clock.advance(days=6)
    assert "Overdue" in words_of(merchant.get("/admin/privacy"))


def test_the_file_holds_everything_stored_about_that_customer_and_nobody_else(db, merchant, requested):
    answer = merchant.get(f"/admin/privacy/{requested}/download")
    assert answer.headers["content-disposition"] == 'attachment; filename="customer-7001.json"'
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert content["customer_id"] == 7001
    assert content["balance"]["available"] == 56
    assert [(entry["what"], entry["points"]) for entry in content["entries"]] == [("earned", 84), ("taken_back", 28)]
    assert [order["name"] for order in content["orders"]] == ["#1"]
    assert "1 point for every €1: 56 points" in content["orders"][0]["why"]
    assert "7002" not in json.dumps(content)


def test_orders_from_before_the_launch_are_in_it_too(db, clock, door):
    add_shop(db, program=None)
    deliver(db, "orders/paid", order_body(1, customer_id=7001))
    deliver(db, "orders/paid", order_body(2, customer_id=70011))
    deliver(db, "customers/data_request", {
        "shop_id": SHOP_ID, "shop_domain": "saltmarsh.myshopify.com", "orders_requested": [1],
        "customer": {"id": 7001, "email": "nora@example.com"}, "data_request": {"id": 31},
    })  # fmt: skip
    drain(db, clock)
    content = Browser(door).get("/admin/privacy/31/download").json()
    assert (content["member"], [order["order_id"] for order in content["orders"]]) == (None, [1])


def test_that_it_was_downloaded_is_noted_the_first_time(db, clock, merchant, requested):
    first = clock()
    for _ in range(2):
        merchant.get(f"/admin/privacy/{requested}/download")
        clock.advance(days=1)
    with db.reading() as session:
        row = session.get_one(PrivacyRequest, (SHOP_ID, requested))
    assert (row.downloaded_at, row.downloaded_by) == (first, "staff 42")
    assert "Downloaded on 21 Nov by you" in words_of(merchant.get("/admin/privacy"))


def test_nothing_is_left_to_download_of_a_customer_who_was_forgotten(db, clock, merchant, requested):
    deliver(db, "customers/redact", {
        "shop_id": SHOP_ID, "shop_domain": "saltmarsh.myshopify.com", "orders_to_redact": [1],
        "customer": {"id": 7001, "email": "nora@example.com"},
    })  # fmt: skip
    drain(db, clock)
    assert merchant.get(f"/admin/privacy/{requested}/download").status == 404
    assert "Nothing is stored any more" in words_of(merchant.get("/admin/privacy"))


def test_another_shops_request_is_as_absent_as_none(db, door, requested):
    add_shop(db, shop_id=2, domain="other.myshopify.com")
    other = Browser(door, "other.myshopify.com")
    foreign, nowhere = other.get(f"/admin/privacy/{requested}/download"), other.get("/admin/privacy/77/download")
    assert (foreign.status, foreign.body) == (404, nowhere.body)

"""Activity: what happened in words, and deliveries that wait, shown without anybody's data."""

from __future__ import annotations

import json

import pytest

from app.jobs.queue import enqueue
from app.loyalty.views.deliveries import masked
from app.models import Delivery, DeliveryState, Job, JobState, Lane

from ...conftest import NOW, SHOP_ID
from ...support import add_shop, available, deliver, drain, order_body
from .conftest import Browser, words_of

BROKEN = {
    "id": 5731, "name": "#5731", "email": "jon@example.com", "phone": "+49 170 1234567", "token": "b1946ac92492d234",
    "order_status_url": "https://saltmarsh.myshopify.com/1/orders/b19/authenticate?key=abcdef123",
    "customer": {"id": 7001, "first_name": "John", "last_name": "Smith", "state": "disabled"},
    "billing_address": {"name": "John Smith", "address1": "2259 Park Ct", "country_code": "DE"},
    "line_items": [{"id": 1, "title": "Mug engraved for Smith", "price": "28.00"}], "note": "Ring for John",
    "client_details": {"browser_ip": "203.0.113.9", "user_agent": "Mozilla/5.0"}, "test": False,
}  # fmt: skip


def parked(db, shop_id=SHOP_ID):
    with db.reading() as session:
        found = session.query(Delivery).filter(Delivery.shop_id == shop_id, Delivery.state == DeliveryState.PARKED)
        return {row.topic: row.key.hex() for row in found}


@pytest.fixture
def waiting(db, clock, shop):
    """Two parked deliveries: an order that lacks its refunds, and a data request of nobody."""
    deliver(db, "orders/paid", BROKEN, webhook_id="a")
    deliver(db, "customers/data_request", {"shop_id": 1}, webhook_id="b")
    drain(db, clock)
    return parked(db)


def test_parked_deliveries_are_listed_with_reason_and_tries(merchant, waiting):
    words = words_of(merchant.get("/admin/activity"))
    assert "orders/paid This orders/paid delivery cannot be read" in words
    assert "customers/data_request" in words
    one = words_of(merchant.get("/admin/activity?topic=orders/paid"))
    assert "customers/data_request This" not in one


def test_a_body_is_shown_without_anybodys_data(merchant, waiting):
    text = merchant.get(f"/admin/activity?delivery={waiting['orders/paid']}").text
    for secret in (
        "jon@", "170 1234567", "b1946ac92492d234", "abcdef123", "John", "Smith", "Park Ct", "203.0.113.9", "Mozilla",
    ):  # fmt: skip
        assert secret not in text, secret
    for useful in ("#5731", "28.00", "7001", "disabled", "/orders/b19/authenticate"):
        assert useful in text, useful


@pytest.mark.parametrize("body", [b"\xff\xfe not json jon@example.com", b"", b"[" * 5000])
def test_what_is_no_json_is_not_shown(body):
    assert masked(body) == f"Not JSON: {len(body):,} bytes."


def test_masking_keeps_ids_dates_and_amounts_and_hides_people_wherever_they_stand():
    shown = json.loads(masked(json.dumps({
        "id": 12, "admin_graphql_api_id": "gid://shopify/Order/12", "created_at": "2026-11-21T20:12:00+01:00",
        "customer": {"email": "ada@example.com", "default_address": {"name": "Ada King", "zip": "10115"}},
        "line_items": [{"name": "Gift for Ada King", "sku": "AD-2026-11-21", "price": "19.95"}],
        "contact": "call +49 (0)30 901820 or write to x@y.example",
    }).encode()))  # fmt: skip
    assert shown["created_at"] == "2026-11-21T20:12:00+01:00"
    assert shown["admin_graphql_api_id"] == "gid://shopify/Order/12"
    assert shown["customer"] == {"email": "•••", "default_address": {"name": "•••", "zip": "•••"}}
    assert shown["line_items"] == [{"name": "•••", "sku": "AD-2026-11-21", "price": "19.95"}]
    assert shown["contact"] == "call ••• or write to •••"


def test_a_replay_pressed_twice_is_one(db, clock, merchant, shop):
    order = order_body()
    del order["refunds"]
    deliver(db, "orders/paid", order, webhook_id="a")
    drain(db, clock)
    key = parked(db)["orders/paid"]
    for _ in range(2):
        assert merchant.post(f"/admin/deliveries/{key}/replay", follow=False).status == 303
    drain(db, clock)
    assert parked(db) == {"orders/paid": key}  # still not readable, so it is parked again
    with db.reading() as session:
        assert session.query(Delivery).count() == 1
    deliver(db, "orders/paid", order_body(), webhook_id="whole")
    drain(db, clock)
    assert available(db, 7001) == 28


def test_replaying_all_of_a_topic_leaves_the_others(db, merchant, waiting):
    merchant.post("/admin/deliveries/replay-all", {"topic": "orders/paid"})
    assert parked(db) == {"customers/data_request": waiting["customers/data_request"]}
    merchant.post("/admin/deliveries/replay-all", {"topic": ""})
    assert parked(db) == {}


def test_a_discarded_delivery_loses_its_body_and_keeps_its_line(db, merchant, waiting):
    key = waiting["orders/paid"]
    page = merchant.get(f"/admin/activity?delivery={key}")
    assert "Discard this delivery" in words_of(page)  # asked first
    merchant.post(f"/admin/deliveries/{key}/discard")
    with db.reading() as session:
        row = session.get_one(Delivery, (SHOP_ID, bytes.fromhex(key)))
    assert (row.state, row.body) == (DeliveryState.IGNORED, None)
    assert row.outcome.endswith("Discarded by staff 42.")
    assert merchant.post(f"/admin/deliveries/{key}/discard").status == 404


def test_another_shops_delivery_is_as_absent_as_none(db, door, waiting):
    add_shop(db, shop_id=2, domain="other.myshopify.com")
    other = Browser(door, "other.myshopify.com")
    for verb in ("replay", "discard"):
        foreign = other.post(f"/admin/deliveries/{waiting['orders/paid']}/{verb}")
        nowhere = other.post(f"/admin/deliveries/{'0' * 64}/{verb}")
        assert (foreign.status, foreign.body) == (404, nowhere.body)
        assert other.post(f"/admin/deliveries/nonsense/{verb}").status == 404
    other.post("/admin/deliveries/replay-all")
    assert parked(db) == waiting
    assert "John" not in other.get(f"/admin/activity?delivery={waiting['orders/paid']}").text


def the_job(session):
    return session.query(Job).filter(Job.kind == "fetch_order").one()


def test_a_parked_task_is_tried_again_or_given_up(db, clock, merchant, shop):
    with db.transaction() as session:
        enqueue(session, SHOP_ID, "fetch_order", lane=Lane.NETWORK, now=NOW, subject="5", arguments={"order_id": 5})
        job = the_job(session)
        job.state, job.tries, job.outcome, job_id = JobState.PARKED, 8, "Shopify answered 404.", job.job_id
    assert "Ask Shopify for an order Shopify answered 404. 8" in words_of(merchant.get("/admin/activity"))
    merchant.post(f"/admin/jobs/{job_id}/retry")
    with db.reading() as session:
        job = the_job(session)
        assert (job.state, job.tries, job.arguments) == (JobState.DUE, 0, {"order_id": 5})
    assert merchant.post(f"/admin/jobs/{job_id}/discard").status == 409  # it is being tried
    with db.transaction() as session:
        the_job(session).state = JobState.PARKED
    merchant.post(f"/admin/jobs/{job_id}/discard")
    assert merchant.post(f"/admin/jobs/{job_id}/retry").status == 404


def test_what_happened_is_told_newest_first_and_can_be_narrowed(db, clock, merchant, shop):
    deliver(db, "orders/paid", order_body(1))
    drain(db, clock)
    clock.advance(minutes=1)
    merchant.post("/admin/program/pause")
    words = words_of(merchant.get("/admin/activity"))
    assert words.index("The program was paused") < words.index("Order #1 earned 28 points")
    points = words_of(merchant.get("/admin/activity?source=points"))
    assert "Order #1 earned 28 points 1 point for every €1 of €28.00" in points
    assert "The program was paused" not in points
    assert "orders/paid Awarded 28 points." in words_of(merchant.get("/admin/activity?source=deliveries"))

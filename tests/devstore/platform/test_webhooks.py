"""Webhooks as the real platform sends them: signed, trimmed, at least once, in no order."""

from __future__ import annotations

import base64
import hashlib
import hmac
import tomllib

import pytest

from app.devstore.webhooks import sender
from app.devstore.webhooks.trimming import trim

from .conftest import OTHER_SHOP, SECRET, SHOP, TOML

PAID = ("orders/create", "orders/paid", "orders/updated")


def test_a_paid_checkout_sends_create_paid_and_updated(control, fake_app):
    order = control.order()
    sent = fake_app.wait(3)
    assert sorted(r.topic for r in sent) == sorted(PAID)
    assert {r.json["id"] for r in sent} == {order["id"]}
    assert {r.json["financial_status"] for r in sent} == {"paid"}


def test_headers_are_those_of_the_platform(control, fake_app):
    control.order()
    first, second, third = fake_app.wait(3)
    headers = first.headers
    assert headers["x-shopify-shop-domain"] == SHOP
    assert headers["x-shopify-api-version"] == "2026-10"
    assert headers["x-shopify-name"] == "orders"
    assert headers["content-type"] == "application/json"
    assert headers["x-shopify-triggered-at"].endswith("Z")
    webhook_ids = {r.headers["x-shopify-webhook-id"] for r in (first, second, third)}
    event_ids = {r.headers["x-shopify-event-id"] for r in (first, second, third)}
    assert (len(webhook_ids), len(event_ids)) == (3, 1)


def test_the_signature_covers_the_bytes(control, fake_app):
    control.order()
    for sent in fake_app.wait(3):
        digest = hmac.new(SECRET.encode(), sent.body, hashlib.sha256).digest()
        assert sent.headers["x-shopify-hmac-sha256"] == base64.b64encode(digest).decode()


def test_the_body_has_the_fields_the_toml_asks_for(control, fake_app):
    control.order()
    asked = next(
        s["include_fields"]
        for s in tomllib.loads(TOML.read_text())["webhooks"]["subscriptions"]
        if s["name"] == "orders"
    )
    body = fake_app.wait(1, "orders/create")[0].json
    assert set(body) == {path.partition(".")[0] for path in asked}
    if "customer.id" in asked:
        assert set(body["customer"]) == {"id"}


def test_a_guest_has_no_customer(control, fake_app):
    control.order(customer=None, email="guest@example.com")
    body = fake_app.wait(1, "orders/create")[0].json
    assert (body["customer"], body["email"]) == (None, "guest@example.com")


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        ([], {"id": 1, "a": {"b": 2, "c": 3}, "l": [{"x": 1, "y": 2}], "n": None}),
        (["id", "gone"], {"id": 1}),
        (["a.b"], {"a": {"b": 2}}),
        (["l.x", "n.z"], {"l": [{"x": 1}], "n": None}),
    ],
)
def test_include_fields_reach_into_objects_and_lists(paths, kept):
    assert trim({"id": 1, "a": {"b": 2, "c": 3}, "l": [{"x": 1, "y": 2}], "n": None}, paths) == kept


def test_a_failure_is_retried_with_the_same_id(control, fake_app):
    fake_app.answer = lambda r: (500 if len(fake_app.webhooks("orders/updated")) < 3 else 200, {}, b"")
    control.change({"id": seeded(control)}, "touch", note="once")
    tries = fake_app.wait(3, "orders/updated")
    control.idle()
    assert len(fake_app.webhooks("orders/updated")) == 3
    assert len({r.headers["x-shopify-webhook-id"] for r in tries}) == 1
    assert len({r.body for r in tries}) == 1
    assert tries[2].at - tries[1].at > tries[1].at - tries[0].at  # exponential


def test_eight_retries_and_no_more(control, fake_app):
    fake_app.answer = lambda r: (302, {"Location": "/elsewhere"}, b"")  # a redirect is a failure
    control.change({"id": seeded(control)}, "touch", note="never")
    for _ in range(8):
        control.devstore.webhooks.retry_now()
    fake_app.wait(9)
    control.idle()
    newest = control.devstore.webhooks.deliveries(limit=1)[0]
    assert (newest.state, newest.tries, newest.status) == ("failed", 9, "302")


def test_retries_span_four_hours():
    assert sum(sender._FIRST_RETRY_SECONDS * 2**n for n in range(sender._RETRIES)) == pytest.approx(4 * 3600)


def test_five_seconds_and_it_failed(control, fake_app, monkeypatch):
    monkeypatch.setattr(sender, "_TOTAL_SECONDS", 0.1)

    def slowly(request):
        import time

        time.sleep(0.15 if len(fake_app.received) == 1 else 0)
        return 200, {}, b""

    fake_app.answer = slowly
    control.change({"id": seeded(control)}, "touch", note="slow")
    fake_app.wait(2)
    control.idle()
    assert [r.topic for r in fake_app.received] == ["orders/updated"] * 2


def test_a_shop_without_the_app_sends_nothing(control, fake_app):
    control.order(shop=OTHER_SHOP)
    control.order()
    fake_app.wait(3)
    control.idle()
    assert {r.headers["x-shopify-shop-domain"] for r in fake_app.received} == {SHOP}


def test_a_topic_needs_its_scope(control, fake_app):
    devstore = control.devstore
    shop = devstore.shop(SHOP)
    installation = devstore.apps.installed(shop)
    granted = installation.scopes
    kept, gone = (devstore.create_customer(shop, email=f"{n}@merge.example") for n in "ab")
    fake_app.wait(2, "customers/create")
    installation.scopes = [scope for scope in granted if scope != "read_customer_merge"]
    devstore.store.save(installation)
    try:
        assert devstore.webhooks.emit(shop, "customers/merge", {}, event="e") == 0
        assert devstore.webhooks.emit(shop, "shop/update", {}, event="e") == 1
    finally:
        installation.scopes = granted
        devstore.store.save(installation)
    devstore.merge_customers(shop, kept.id, gone.id)
    body = fake_app.wait(1, "customers/merge")[0].json
    assert body["admin_graphql_api_customer_kept_id"] == f"gid://shopify/Customer/{kept.id}"
    assert body["status"] == "completed"


def test_held_webhooks_wait_for_release(control, fake_app):
    control.post("webhooks", hold=True)
    control.order()
    assert control.get("webhooks")["pending"] == 3
    assert not fake_app.received
    assert control.post("webhooks/release", shuffle=True) == {"released": 3}
    fake_app.wait(3)


def test_duplicates_carry_the_same_ids(control, fake_app):
    control.post("webhooks", duplicates=1)
    control.order()
    sent = fake_app.wait(6)
    assert len({r.headers["x-shopify-webhook-id"] for r in sent}) == 3


def test_one_delivery_again(control, fake_app):
    control.order()
    fake_app.wait(3)
    control.idle()
    newest = control.get("webhooks?limit=1")["deliveries"][0]
    control.post(f"webhooks/{newest['seq']}/resend")
    again = fake_app.wait(4)[3]
    assert again.headers["x-shopify-webhook-id"] == newest["webhook_id"]


def test_dropped_webhooks_are_lost(control, fake_app):
    control.post("webhooks", drop_next=2)
    control.order()
    fake_app.wait(1)
    control.idle()
    assert len(fake_app.received) == 1
    states = [d["state"] for d in control.get("webhooks?limit=3")["deliveries"]]
    assert states.count("dropped") == 2


def test_a_share_is_dropped_by_seed(control, fake_app):
    def losses() -> list[str]:
        control.post("webhooks", drop_percent=50, drop_topics=["orders/updated"], seed=7)
        newest = control.get("webhooks?limit=1")["deliveries"][0]["seq"]
        for note in range(12):
            control.change({"id": seeded(control)}, "touch", note=str(note))
        control.idle()
        return [d["state"] for d in control.get(f"webhooks?after={newest}")["deliveries"]]

    first = losses()
    assert 0 < first.count("dropped") < 12
    assert losses() == first


def test_the_shop_and_its_customers_tell_too(control, fake_app):
    devstore = control.devstore
    shop = devstore.shop(SHOP)
    devstore.update_shop(shop, name="Saltmarsh Pottery")
    customer = devstore.create_customer(shop, email="new@people.example", first_name="Nell")
    devstore.update_customer(shop, customer.id, first_name="Nelly")
    devstore.delete_customer(shop, customer.id)
    fake_app.wait(4)
    by_topic = {r.topic: r.json for r in fake_app.received}
    assert by_topic["shop/update"]["id"] == shop.id
    assert by_topic["customers/create"]["email"] == "new@people.example"
    assert by_topic["customers/delete"]["id"] == customer.id


def test_compliance_webhooks_name_the_shop_and_the_orders(control, fake_app):
    devstore = control.devstore
    shop = devstore.shop(SHOP)
    customer = devstore.customer_by_email(shop, "noor@example.com")
    orders = [order.id for order in devstore.orders_of(shop, customer.id)]
    control.post(f"shops/{SHOP}/customers/{customer.id}/data_request")
    control.post(f"shops/{SHOP}/customers/{customer.id}/redact")
    fake_app.wait(2)
    bodies = {r.topic: r.json for r in fake_app.received}
    asked, redact = bodies["customers/data_request"], bodies["customers/redact"]
    assert (asked["shop_id"], asked["shop_domain"], asked["orders_requested"]) == (shop.id, SHOP, orders)
    assert redact["orders_to_redact"] == orders
    assert asked["data_request"]["id"]
    assert redact["customer"] == {"id": customer.id, "email": "noor@example.com", "phone": None}


def test_the_log_has_no_secrets(control, fake_app):
    control.order()
    sent = fake_app.wait(3)
    control.idle()
    log = str(control.get("traffic"))
    assert "orders/create" in log
    assert SECRET not in log
    assert all(r.headers["x-shopify-hmac-sha256"] not in log for r in sent)


def seeded(control) -> int:
    """An order of the shop's past."""
    return control.devstore.orders(control.devstore.shop(SHOP))[-1].id

"""G16 and G16b through the door: 10,000 forged webhooks over HTTP, and genuine bodies under other headers."""

from __future__ import annotations

import json
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.ledger import Entry
from app.models import Delivery, DeliveryState, Shop
from app.shopify.payloads import TOPICS
from app.shopify.webhooks import SIGNATURE_HEADERS

from ..conftest import DOMAIN, SHOP_ID
from ..shopify.signing import NOW as SIGNED_AT
from ..shopify.signing import OLD_SECRET, OTHER_SECRET, SECRET
from ..support import (
    KnowsCustomers,
    add_shop,
    deliver,
    drain,
    order_body,
    payload,
    refund_body,
    webhook_headers,
)
from ..web.asking import Door
from ..web.conftest import without_network
from .dumps import changed, counting_statements, rows_of
from .test_g16_webhook_forging import MUTANTS, changed_bodies, changed_signatures, messages
from .world import A, B

TOPIC = {"X-Shopify-Topic": "orders/create", "X-Shopify-Shop-Domain": DOMAIN, "X-Shopify-Webhook-Id": "w"}
ODD_TYPES = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "a" * 2_000)


def on_the_wire(value: str) -> str:
    """As a server hands a header over: bytes, read as Latin-1."""
    return value.encode("utf-8", "surrogatepass").decode("latin-1")


def test_ten_thousand_forged_webhooks_are_401_and_reach_no_database(sqlite_db, make_app, clock, gauntlet):
    clock.now = SIGNED_AT
    add_shop(sqlite_db)
    app = without_network(make_app(sqlite_db, shopify_api_secret=SECRET, shopify_api_secret_old=OLD_SECRET))
    runtime, door, random = app.extensions["regulars"], Door(app), gauntlet.random("G16")
    bodies, wrong, tried = messages(), [], 0
    assert len(bodies) == 20
    with counting_statements(runtime.db.engine, runtime.db.reader) as reached:
        while tried < MUTANTS:
            for body in bodies:
                name, secret = random.choice(SIGNATURE_HEADERS), random.choice([SECRET, OLD_SECRET])
                right = webhook_headers("", body, secret=secret)["X-Shopify-Hmac-SHA256"]
                forged = [(changed_body, {name: right}) for changed_body in changed_bodies(body, random)
                          if changed_body != body]  # fmt: skip
                forged += [(body, {name: text}) for text in changed_signatures(body, random)
                           if text not in (right, webhook_headers("", body)["X-Shopify-Hmac-SHA256"])]  # fmt: skip
                forged += [
                    (body, {}),
                    (body, {"Authorization": f"Bearer {right}"}),
                    (body, {name: f"{right}, {right}"}),  # the header twice, as a server joins it
                    (body, {SIGNATURE_HEADERS[0]: right, SIGNATURE_HEADERS[1]: right[::-1]}),
                    (body, {name: right + "\x00"}),
                ]
                for changed_body, headers in forged:
                    odd = {"Content-Type": random.choice(ODD_TYPES), "Content-Encoding": random.choice(["", "gzip"])}
                    sent = {**TOPIC, **odd, **{key: on_the_wire(value) for key, value in headers.items()}}
                    answer = door.post("/webhooks", changed_body, headers=sent)
                    tried += 1
                    if answer.status != 401:
                        wrong.append((answer.status, changed_body[:40], headers))
    gauntlet.record("G16", n=tried, failures=len(wrong) + len(reached))
    assert not wrong
    assert not reached


def test_the_unmutated_twenty_are_accepted_and_a_large_one_is_413(sqlite_db, make_app, gauntlet):
    add_shop(sqlite_db)
    door = Door(without_network(make_app(sqlite_db)))
    statuses = []
    for number, (body, kind) in enumerate(zip(messages(), ODD_TYPES * 4, strict=True)):
        headers = webhook_headers("orders/create", body, webhook_id=f"w-{number}")
        statuses.append(door.post("/webhooks", body, headers={**headers, "Content-Type": kind}).status)
    large = b" " * (11 * 2**20)
    too_large = door.post("/webhooks", large, headers=webhook_headers("orders/create", large)).status
    gauntlet.record("G16", n=21, failures=sum(status != 200 for status in statuses) + (too_large != 413))
    assert statuses == [200] * 20
    assert too_large == 413
    with sqlite_db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 20


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact", "shop/redact"])
def test_compliance_topics_are_refused_alike(sqlite_db, make_app, gauntlet, topic):
    add_shop(sqlite_db)
    door = Door(without_network(make_app(sqlite_db)))
    body = json.dumps({"shop_id": SHOP_ID, "shop_domain": DOMAIN}).encode()
    right = webhook_headers(topic, body)
    forged = [
        {**right, "X-Shopify-Hmac-SHA256": ""}, {**right, "X-Shopify-Hmac-SHA256": "x" * 44},
        webhook_headers(topic, body, secret=OTHER_SECRET), webhook_headers(topic, body + b" "),
        {name: value for name, value in right.items() if "Hmac" not in name},
    ]  # fmt: skip
    statuses = {door.post("/webhooks", body, headers=headers).status for headers in forged}
    gauntlet.record("G16", n=len(forged), failures=statuses != {401})
    assert statuses == {401}
    assert door.post("/webhooks", body, headers=right).status == 200


# --- G16b: genuine bodies, other headers --------------------------------------------------------------------------

# What a delivery may leave behind without having had an effect.
BOOKKEEPING = ("deliveries", "due_shops", "jobs")


def genuine() -> dict[str, dict[str, Any]]:
    """A body of shop A for each topic that has one of its own."""
    shop = {"shop_id": SHOP_ID, "shop_domain": DOMAIN}
    customer = {
        "id": 7001, "email": "nora@example.com", "verified_email": True, "created_at": "2026-11-20T12:00:00Z",
        "updated_at": "2026-11-20T12:00:00Z", "admin_graphql_api_id": "gid://shopify/Customer/7001",
    }  # fmt: skip
    whole = {**payload("shop__update.json"), "id": SHOP_ID, "myshopify_domain": DOMAIN}
    person = {"customer": {"id": 7001, "email": "nora@example.com"}}
    return {
        "orders/paid": order_body(lines=[("28.00", 3)]),
        "refunds/create": refund_body(1, units={1: 1}),
        "orders/edited": {"order_edit": {"id": 1, "order_id": 5731}},
        "customers/update": customer,
        "customers/delete": {"id": 7002, "admin_graphql_api_id": "gid://shopify/Customer/7002"},
        "customers/merge": {
            "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/7001", "status": "failed",
            "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/7002",
        },
        "shop/update": _as_subscribed("shop/update", whole),
        "app/uninstalled": whole,
        "app/scopes_update": {"id": 1, "shop_id": SHOP_ID, "previous": [], "current": ["read_orders"]},
        "customers/data_request": {**shop, **person, "orders_requested": [5731], "data_request": {"id": 9}},
        "customers/redact": {**shop, **person, "orders_to_redact": [5731]},
        "shop/redact": shop,
    }  # fmt: skip


def _as_subscribed(topic: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body as Shopify trims it for us."""
    settings = tomllib.loads((Path(__file__).parents[2] / "shopify.app.toml").read_text(encoding="utf-8"))
    for subscription in settings["webhooks"]["subscriptions"]:
        if topic in subscription.get("topics", ()) and (kept := subscription.get("include_fields")):
            return {name: value for name, value in body.items() if name in {field.split(".")[0] for field in kept}}
    return body


ONE_SHAPE = [
    {"orders/create", "orders/paid", "orders/updated", "orders/cancelled", "orders/fulfilled",
     "orders/partially_fulfilled"},
    {"customers/create", "customers/update"},
]  # fmt: skip


def _same_shape(one: str, other: str) -> bool:
    if "shop_owner" in genuine()["shop/update"] and {one, other} == {"shop/update", "app/uninstalled"}:
        return True  # told apart once shop/update is subscribed to with include_fields
    return one == other or any({one, other} <= family for family in ONE_SHAPE)


def test_a_body_under_another_topic_does_nothing(db, clock, gauntlet):
    """Each genuine body of shop A under every other topic we read."""
    add_shop(db)
    add_shop(db, shop_id=B.shop_id, domain=B.domain)
    bodies = genuine()
    for topic in ("orders/paid", "customers/update", "refunds/create"):
        deliver(db, topic, bodies[topic])
    deliver(db, "orders/paid", order_body(5732, customer_id=7002))
    drain(db, clock)
    clock.advance(minutes=1)
    before = rows_of(db, without=BOOKKEEPING)
    tried = 0
    for topic, body in bodies.items():
        for claimed in sorted(TOPICS):
            if not _same_shape(topic, claimed):
                deliver(db, claimed, body, now=clock.now, webhook_id=f"{topic}-{claimed}", triggered_at=clock.now)
                tried += 1
    drain(db, clock)
    touched = changed(before, rows_of(db, without=BOOKKEEPING))
    with db.reading() as session:
        rows = session.execute(select(Delivery.state, Delivery.outcome).where(Delivery.webhook_id.contains("-"))).all()
    unexplained = [row for row in rows if row.state is DeliveryState.NEW or not row.outcome]
    gauntlet.record("G16b", n=tried, failures=len(touched) + len(unexplained))
    assert not touched
    assert not unexplained


def test_a_body_under_another_shop_has_no_effect_there(db, clock, gauntlet):
    """Every genuine body of shop A, sent to shop B's inbox under its own topic, and under every other."""
    add_shop(db)
    add_shop(db, shop_id=B.shop_id, domain=B.domain)
    own = order_body(5800, customer_id=7050, shop_id=B.shop_id, domain=B.domain)  # Shopify's ids are nobody else's
    deliver(db, "orders/paid", own, domain=B.domain)
    drain(db, clock)
    before = rows_of(db, B.shop_id, without=BOOKKEEPING)
    # A refund's body carries nothing that says whose it is. What it can do elsewhere is an order that stays unknown: no
    # points, and nothing of what is there changes. About a customer Shopify is asked, and there knows nobody of A's.
    may_add = {"refunds/create": {"orders"}}
    tried, wrong = 0, []
    for topic, body in genuine().items():
        for claimed in sorted(TOPICS):
            deliver(db, claimed, body, domain=B.domain, now=clock.now, webhook_id=f"{topic}-{claimed}")
            tried += 1
        KnowsCustomers.spoken_of.clear()
        drain(db, clock)
        after = rows_of(db, B.shop_id, without=BOOKKEEPING)
        touched = [name for name in changed(before, after)
                   if not (name in may_add.get(topic, ()) and set(before[name]) <= set(after[name]))]  # fmt: skip
        if touched:
            wrong.append((topic, touched))
        before = after
    with db.reading() as session:
        points = session.scalar(select(func.count()).select_from(Entry).where(Entry.shop_id == B.shop_id))
    gauntlet.record("G16b", n=tried, failures=len(wrong) + (points != 1))
    assert not wrong
    assert points == 1


def test_a_hundred_new_ids_on_one_body_are_one_award(db, clock, gauntlet):
    add_shop(db)
    body = order_body(lines=[("28.00", 3)])
    for number in range(100):
        triggered = clock.now + timedelta(days=number % 3 - 1)
        deliver(db, "orders/paid", body, webhook_id=f"id-{number}", triggered_at=triggered)
    drain(db, clock)
    with db.reading() as session:
        entries = session.scalars(select(Entry)).all()
    gauntlet.record("G16b", n=100, failures=len(entries) != 1)
    assert [entry.points for entry in entries] == [84]


def test_versions_and_event_ids_change_nothing(sqlite_db, make_app, clock, gauntlet):
    add_shop(sqlite_db)
    door = Door(without_network(make_app(sqlite_db)))
    body = json.dumps(order_body(lines=[("28.00", 3)])).encode()
    for number, version in enumerate(["2026-10", "2024-01", "unstable", "", "x" * 300, "2026-10\x00"]):
        more = {"X-Shopify-API-Version": version, "X-Shopify-Event-Id": f"e-{number}", "X-Shopify-Name": "x" * 999}
        headers = {**webhook_headers("orders/paid", body, webhook_id=f"w-{number}"), **more}
        assert door.post("/webhooks", body, headers=headers).status == 200
    drain(sqlite_db, clock)
    with sqlite_db.reading() as session:
        points = [entry.points for entry in session.scalars(select(Entry))]
    gauntlet.record("G16b", n=6, failures=points != [84])
    assert points == [84]


def test_an_uninstall_from_before_the_install_changes_nothing(db, clock, gauntlet):
    """A captured app/uninstalled sent again after the shop came back, with any triggered-at a replayer may write."""
    add_shop(db, installed=clock.now)
    body = genuine()["app/uninstalled"]
    for number, days in enumerate((-400, -1)):
        deliver(db, "app/uninstalled", body, webhook_id=f"w{number}", triggered_at=clock.now + timedelta(days=days))
    drain(db, clock)
    with db.reading() as session:
        installed = session.get_one(Shop, A.shop_id).is_installed
    gauntlet.record("G16b", n=2, failures=not installed)
    assert installed

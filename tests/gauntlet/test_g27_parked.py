"""G27: two hundred messages nobody can work, of twenty kinds, among two thousand good ones.

The good ones flow as if the others were not there; each of the others is on the merchant's page, with its reason and
without anybody's secrets, and can be replayed once, by its own shop.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.ledger import Entry
from app.loyalty import inbox
from app.loyalty.views.deliveries import masked, parked, parked_body
from app.models import Delivery, DeliveryState
from app.shopify import payloads
from app.shopify.reading import Misshapen

from ..conftest import DOMAIN, NOW, SHOP_ID
from ..support import add_shop, available, deliver, drain, order_body, refund_body
from ..web.asking import FORM, Door, bearer
from ..web.conftest import without_network
from .world import B

SECRETS = {
    "email": "canary.person@example.com", "phone": "+49 151 2345 6789", "first_name": "Canaryfirst", "zip": "C4N4RY",
    "address1": "Canary Row 12", "browser_ip": "203.0.113.77", "note": "canary says hello", "token": "tok_canary_token",
    "checkout_token": "canary_checkout", "cart_token": "canary_cart", "client_secret": "canary_secret",
    "user_agent": "Canary/1.0",
}  # fmt: skip
URL = f"https://{DOMAIN}/{SHOP_ID}/orders/canaryslug0c84e1f2/authenticate?key=canary_key"


def _order(number: int, **changes: Any) -> dict[str, Any]:
    person = {"customer": {"id": 7500 + number, **{name: SECRETS[name] for name in ("email", "phone", "first_name")}},
              "billing_address": {"address1": SECRETS["address1"], "zip": SECRETS["zip"], "name": "Canaryfirst Last"},
              "client_details": {"browser_ip": SECRETS["browser_ip"], "user_agent": SECRETS["user_agent"]}}  # fmt: skip
    return {**order_body(900_000 + number), **SECRETS, **person, "order_status_url": URL, **changes}


def _line(number: int, **changes: Any) -> dict[str, Any]:
    body = _order(number)
    body["line_items"] = [{**body["line_items"][0], **changes}]
    return body


HUGE = {"amount": "999999999999.99", "currency_code": "EUR"}
KINDS: dict[str, tuple[str, Callable[[int], Any]]] = {
    "not JSON": ("orders/create", lambda n: f"<html>{n} canary.person@example.com".encode()),
    "half a body": ("orders/create", lambda n: json.dumps(_order(n)).encode()[:-40]),
    "NaN": ("orders/create", lambda n: json.dumps(_order(n, total_outstanding=float("nan"))).encode()),
    "a list": ("orders/create", lambda n: [_order(n)]),
    "no id": ("orders/updated", lambda n: _order(n, id=None)),
    "no lines": ("orders/updated", lambda n: _order(n, line_items=None)),
    "lines that are none": ("orders/updated", lambda n: _order(n, line_items=[1, 2])),
    "a date that is none": ("orders/updated", lambda n: _order(n, updated_at="yesterday")),
    "a negative price": ("orders/paid", lambda n: _line(n, price_set=None, price="-1.00")),
    "half a unit": ("orders/paid", lambda n: _line(n, quantity=1.5)),
    "beyond counting": (
        "orders/paid", lambda n: _line(n, quantity=10**9 - 1, current_quantity=10**9 - 1,
                                       price_set={"shop_money": HUGE, "presentment_money": HUGE}),
    ),
    "a currency that is none": ("orders/paid", lambda n: _order(n, currency="euros")),
    "a text with NUL": ("orders/cancelled", lambda n: _order(n, name=f"#{n}\x00")),
    "deep": ("orders/cancelled", lambda n: b'{"id":%d,"x":' % n + b"[" * 5_000 + b"]" * 5_000 + b"}"),
    "a refund of nothing": ("refunds/create", lambda n: {**refund_body(n + 1, 5731, units={}), "order_id": None}),
    "a refund with odd units": ("refunds/create", lambda n: refund_body(n + 1, 5731, units={1: -1})),
    "an order as a refund": ("refunds/create", lambda n: _order(n)),
    "a customer without an id": ("customers/update", lambda n: {"id": "x", "verified_email": True, **SECRETS}),
    "a redaction of another shop": (
        "customers/redact", lambda n: {"shop_id": 1 + n, "shop_domain": B.domain, "orders_to_redact": [],
                                       "customer": {"id": n + 1, "email": SECRETS["email"]}},
    ),
    "a request without a number": (
        "customers/data_request", lambda n: {"shop_id": SHOP_ID, "shop_domain": DOMAIN, "orders_requested": [],
                                             "customer": {"id": n + 1}, "data_request": {"id": None}},
    ),
}  # fmt: skip
GOOD, POISON, CUSTOMERS = 2_000, 200, 40


def fill(db: Any, *, poison: bool) -> None:
    kinds = list(KINDS.values())
    with db.transaction() as session:
        assert session is not None
    for number in range(GOOD):
        body = order_body(10_000 + number, customer_id=7000 + number % CUSTOMERS)
        deliver(db, "orders/paid", body, webhook_id=f"g-{number}")
        if poison and number % (GOOD // POISON) == 0:
            place = number // (GOOD // POISON)
            topic, make = kinds[place % len(kinds)]
            deliver(db, topic, make(place), webhook_id=f"p-{place}")


def settled_in(db: Any, clock: Any) -> float:
    """Seconds of processor time until everything due was worked."""
    started = time.process_time()
    drain(db, clock)
    return time.process_time() - started


def test_the_good_flow_and_the_others_are_all_seen(db, clock, make_app, gauntlet):
    assert len(KINDS) == 20
    add_shop(db)
    add_shop(db, shop_id=B.shop_id, domain=B.domain)
    fill(db, poison=True)
    seconds = settled_in(db, clock)
    with db.reading() as session:
        points = session.scalar(select(func.sum(Entry.points)).where(Entry.shop_id == SHOP_ID))
        still_new = session.scalar(select(func.count()).where(Delivery.state == DeliveryState.NEW))
        waiting = session.scalar(select(func.count()).where(Delivery.state == DeliveryState.PARKED))
        topics = parked(session, SHOP_ID).topics
    assert points == GOOD * 28
    assert (still_new, waiting) == (0, POISON)
    # On the page, by topic, each with a reason a person can read.
    door = Door(without_network(make_app(db)))
    said = bearer(now=clock.now)
    seen: dict[str, str] = {}
    for topic in topics:
        page = door.get(f"/admin/activity?topic={topic}", headers=said).text
        for key in re.findall(r"delivery=([0-9a-f]{64})", page):
            seen[key] = page
    with db.reading() as session:
        reasons = session.execute(select(Delivery.outcome, func.count()).where(
            Delivery.state == DeliveryState.PARKED).group_by(Delivery.outcome)).all()  # fmt: skip
    odd = [reason for reason, _ in reasons if not reason or "could not be worked" in reason or "Error" in reason]
    gauntlet.record("G27", n=GOOD + POISON, failures=(POISON - len(seen)) + len(odd))
    assert len(seen) == POISON
    assert not odd
    # The same good ones alone take about as long.
    other = type(clock)(NOW)
    add_shop(db, shop_id=77, domain="calm.myshopify.com")
    for number in range(GOOD):
        body = order_body(
            10_000 + number, customer_id=7000 + number % CUSTOMERS, shop_id=77, domain="calm.myshopify.com"
        )
        deliver(db, "orders/paid", body, domain="calm.myshopify.com", webhook_id=f"g-{number}")
    alone = settled_in(db, other)
    print(f"{GOOD} good orders: {alone:.2f} s of processor alone, {seconds:.2f} s among {POISON} poison messages")
    assert seconds < 2 * alone + 1.0


@pytest.fixture
def poisoned(db, clock):
    """Twenty parked, one of each kind, and one good order."""
    add_shop(db)
    add_shop(db, shop_id=B.shop_id, domain=B.domain)
    for number, (topic, make) in enumerate(KINDS.values()):
        deliver(db, topic, make(number), webhook_id=f"p-{number}")
    drain(db, clock)
    clock.advance(minutes=1)
    with db.reading() as session:
        rows = session.scalars(select(Delivery).where(Delivery.state == DeliveryState.PARKED)).all()
    assert len(rows) == 20
    return rows


CANARIES = [*SECRETS.values(), "canaryslug", "canary_key", "Canaryfirst", "X-Shopify-Hmac", "shpat_", "shpss_"]


def test_no_page_shows_a_secret_or_who_somebody_is(poisoned, db, clock, make_app, gauntlet):
    door = Door(without_network(make_app(db)))
    wrong = []
    for row in poisoned:
        for target in (f"/admin/activity?delivery={bytes(row.key).hex()}", "/admin/activity", "/admin/"):
            text = door.get(target, headers=bearer(now=clock.now)).text
            wrong += [(row.topic, mark) for mark in CANARIES if mark.casefold() in text.casefold()]
    gauntlet.record("G27", n=3 * len(poisoned), failures=len(wrong))
    assert not wrong


def test_a_parked_body_is_unreadable_at_rest(poisoned, db, gauntlet):
    wrong = [row.topic for row in poisoned if row.body and any(
        mark.encode() in bytes(row.body) for mark in CANARIES)]  # fmt: skip
    gauntlet.record("G27", n=len(poisoned), failures=len(wrong))
    assert not wrong


def test_a_replay_is_one_effect_however_often_it_is_pressed(db, clock, make_app, monkeypatch, gauntlet):
    """Parked by a mistake of ours; mended; replayed one by one, twice each, twice at once, and all together."""
    add_shop(db)

    def mistaken(content, hash_address):
        raise Misshapen("tags", "is not text")

    good = payloads._READERS["orders/paid"]
    monkeypatch.setitem(payloads._READERS, "orders/paid", mistaken)
    for number in range(30):
        deliver(db, "orders/paid", order_body(6000 + number), webhook_id=f"p-{number}")
    drain(db, clock)
    door, said = Door(without_network(make_app(db))), {**FORM, **bearer(now=clock.now)}
    with db.reading() as session:
        keys = [bytes(key).hex() for key in session.scalars(select(Delivery.key).order_by(Delivery.webhook_id))]
    once = door.post(f"/admin/deliveries/{keys[0]}/replay", headers=said).status
    drain(db, clock)  # not mended yet: it comes back
    with db.reading() as session:
        assert session.scalar(select(func.count()).where(Delivery.state == DeliveryState.PARKED)) == 30
    monkeypatch.setitem(payloads._READERS, "orders/paid", good)
    statuses = [once]
    for key in keys[:10]:
        statuses += [door.post(f"/admin/deliveries/{key}/replay", headers=said).status for _ in range(2)]
    drain(db, clock)
    assert available(db, 7001) == 10 * 28
    statuses += [door.post(f"/admin/deliveries/{keys[0]}/replay", headers=said).status]  # worked already
    statuses += [door.post("/admin/deliveries/replay-all", headers=said).status for _ in range(3)]
    drain(db, clock)
    drain(db, clock)
    gauntlet.record("G27", n=30, failures=abs(available(db, 7001) - 30 * 28))
    assert set(statuses) == {303}
    assert available(db, 7001) == 30 * 28
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == 30


def test_another_shop_can_neither_see_nor_replay_nor_discard(poisoned, db, clock, make_app, gauntlet):
    door, said = Door(without_network(make_app(db))), {**FORM, **bearer(B.domain, now=clock.now)}
    wrong = 0
    for row in poisoned:
        key = bytes(row.key).hex()
        with db.reading() as session:
            wrong += parked_body(session, B.shop_id, key) is not None
        for verb in ("replay", "discard"):
            wrong += door.post(f"/admin/deliveries/{key}/{verb}", headers=said).status != 404
    door.post("/admin/deliveries/replay-all", headers=said)
    with db.reading() as session:
        left = session.scalar(select(func.count()).where(Delivery.state == DeliveryState.PARKED))
    gauntlet.record("G27", n=3 * len(poisoned), failures=wrong + (left != 20))
    assert (wrong, left) == (0, 20)


def test_a_discarded_one_is_erased_and_stays_gone(poisoned, db, clock, gauntlet):
    key = bytes(poisoned[0].key)
    with db.transaction() as session:
        inbox.discard(session, SHOP_ID, key, by="staff 1", now=clock.now)
    with db.transaction() as session:
        inbox.replay_all(session, SHOP_ID, topic=None, now=clock.now)
    drain(db, clock)
    with db.reading() as session:
        row = session.get_one(Delivery, (SHOP_ID, key))
    gauntlet.record("G27", n=1, failures=row.state is not DeliveryState.IGNORED)
    assert (row.state, row.body) == (DeliveryState.IGNORED, None)
    assert "staff 1" in row.outcome


def test_one_that_fails_for_no_fault_of_its_own_is_tried_eight_times(db, clock, monkeypatch, gauntlet):
    """A surprise of ours: tried with growing gaps, then parked, and the others never wait for it."""
    add_shop(db)
    good = payloads._READERS["orders/paid"]

    def surprised(content, hash_address):
        if content["id"] == 6000:
            raise AttributeError("a mistake of ours")
        return good(content, hash_address)

    monkeypatch.setitem(payloads._READERS, "orders/paid", surprised)
    for number in range(10):
        deliver(db, "orders/paid", order_body(6000 + number), webhook_id=f"s-{number}")
    drain(db, clock)
    assert available(db, 7001) == 9 * 28
    tries = 0
    for _ in range(20):
        with db.reading() as session:
            row = session.scalars(select(Delivery).where(Delivery.webhook_id == "s-0")).one()
        tries = row.tries
        if row.state is DeliveryState.PARKED:
            break
        clock.now = max(clock.now, row.due_at) + timedelta(seconds=1)
        drain(db, clock)
    gauntlet.record("G27", n=10, failures=tries != 8)
    assert (row.state, tries) == (DeliveryState.PARKED, 8)
    assert "AttributeError" in row.outcome and "mistake of ours" not in row.outcome


@pytest.mark.parametrize(
    "body",
    [
        {"note": "write to canary.person@example.com or +49 151 2345 6789", "id": 1},
        {"note_attributes": [{"name": "gift", "value": "for canary.person@example.com"}]},
        {"customer": {"first_name": "Canaryfirst"}, "title": "Mug for Canaryfirst", "x": {"y": "hello Canaryfirst!"}},
        {"shipping_address": {"name": "Canaryfirst", "latitude": 1.5}, "token": "tok_canary_token"},
        {"line_items": [{"properties": [{"name": "engraving", "value": "canary says hello"}],
        "title": "canary says hello"}],
         "note": "canary says hello"},
        {"canary.person@example.com": 1, "payment_details": {"credit_card_name": "Canaryfirst"},
         "customer": {"last_name": "Canaryfirst"}},
        {"a": [[[{"email": "canary.person@example.com"}]]], "order_status_url": URL},
        {"hmac": "canary_secret", "client_secret": "canary_secret", "session_hash": "canary_secret"},
    ],
)  # fmt: skip
def test_masking_finds_people_wherever_they_stand(body, gauntlet):
    text = masked(json.dumps(body).encode()).casefold()
    found = [mark for mark in CANARIES if mark.casefold() in text]
    gauntlet.record("G27", n=1, failures=len(found))
    assert not found

"""G26: what was signed but makes no sense. Never a 500, never a hang, and nothing is lost without a reason (I10).

5,000 bodies with a valid signature (50,000 with GAUNTLET=b), half of them on each database; then everything else that
reads what others write: the proxy's query, session tokens, and the admin's forms.
"""

from __future__ import annotations

import json
import os
import time
from functools import cache
from urllib.parse import quote_from_bytes, urlencode

import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.loyalty import inbox
from app.loyalty.audit import audit_shop
from app.models import Delivery, DeliveryState
from app.shopify import payloads
from app.shopify.reading import Misshapen

from ..conftest import API_SECRET, DOMAIN, SHOP_ID
from ..shopify.signing import base64url, digest, proxy_pairs, proxy_query
from ..support import add_shop, available, deliver, drain, order_body, webhook_headers
from ..web.asking import FORM, Door, bearer, proxied, stamp
from ..web.conftest import without_network
from . import world
from .conftest import SEED
from .mutating import VALUES, deliveries, paths, subjects, with_value
from .routes import TABLE

MANY = os.environ.get("GAUNTLET") == "b"
BODIES = 25_000 if MANY else 2_500  # on each database
BATCH = 50
QUIETLY = {
    "deadline": None, "database": None, "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}  # fmt: skip


@cache
def bodies_drawn(number: int) -> list[tuple[str, bytes]]:
    """That many deliveries, the same for the same seed, and for both databases."""
    found: list[tuple[str, bytes]] = []

    @seed(SEED)
    @settings(max_examples=number + 200, **QUIETLY)
    @given(deliveries())
    def note(delivery: tuple[str, bytes]) -> None:
        found.append(delivery)

    note()
    return found[:number]


def test_signed_nonsense_is_kept_with_a_reason_and_stops_nothing(db, make_app, clock, gauntlet):
    add_shop(db)
    door = Door(without_network(make_app(db)))
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    process = psutil.Process()
    bodies = bodies_drawn(BODIES)
    different = len(set(bodies))
    rss, sent, wrong, slowest = process.memory_info().rss, 0, [], 0.0

    for start in range(0, BODIES, BATCH):
        for topic, body in bodies[start : start + BATCH]:
            sent += 1
            headers = webhook_headers(topic, body, webhook_id=f"f-{sent}")
            status = door.post("/webhooks", body, headers=headers).status
            if status != 200:
                wrong.append((status, topic, body[:200]))
        started = time.monotonic()
        drain(db, clock)
        slowest = max(slowest, time.monotonic() - started)
        clock.advance(seconds=2)
    for _ in range(8):  # what was to be tried again, is, until it is given up
        clock.advance(minutes=15)
        drain(db, clock)
    with db.reading() as session:
        unfinished = session.scalar(select(func.count()).where(Delivery.state == DeliveryState.NEW))
        silent = session.scalar(select(func.count()).where(Delivery.outcome == ""))
        surprises = session.execute(
            select(Delivery.outcome, func.count())
            .where(Delivery.outcome.startswith("It could not be worked"))
            .group_by(Delivery.outcome)
        ).all()
        problems = audit_shop(session, SHOP_ID)
    grown = (process.memory_info().rss - rss) / 2**20
    print(f"{sent} bodies, {different} different, slowest batch of {BATCH}: {slowest:.2f} s, grown by {grown:.0f} MB")
    gauntlet.record("G26", n=sent, failures=len(wrong) + unfinished + silent + sum(row[1] for row in surprises))
    assert not wrong, wrong[:60]
    assert different > BODIES * 0.8
    assert (unfinished, silent) == (0, 0)
    assert not surprises
    assert not problems
    assert slowest < 20  # for fifty bodies, on a busy machine
    assert grown < 100


def test_every_field_of_an_order_survives_every_wrong_value(sqlite_db, clock, gauntlet):
    """Each field of the order and refund we settle by, with each value: without the network,
    straight to the readers."""
    add_shop(sqlite_db)
    wrong, tried = [], 0
    step = 1 if MANY else 7
    for number, (topic, body) in enumerate(subjects()[:2]):
        for place, path in enumerate(paths(number)):
            for value in VALUES[place % step :: step]:
                raw = with_value(body, path, value)
                tried += 1
                try:
                    payloads.read_delivery(topic, raw, hash_address=str)
                except Exception as error:
                    if type(error).__name__ != "Parked":
                        wrong.append((topic, path, value[:60], repr(error)[:100]))
    gauntlet.record("G26", n=tried, failures=len(wrong))
    assert tried > 1_000
    assert not wrong, wrong[:60]


def test_what_was_parked_is_recovered_by_replay_after_a_fix(db, clock, monkeypatch, gauntlet):
    """A reader that is wrong about a field parks good orders; once it is right, each replay is one award."""
    add_shop(db)

    def mistaken(content, hash_address):
        raise Misshapen("total_weight", "is not text")

    good = payloads._READERS["orders/paid"]
    monkeypatch.setitem(payloads._READERS, "orders/paid", mistaken)
    for number in range(20):
        deliver(db, "orders/paid", order_body(6000 + number), webhook_id=f"p-{number}")
    drain(db, clock)
    assert available(db, 7001) == 0
    monkeypatch.setitem(payloads._READERS, "orders/paid", good)
    with db.transaction() as session:
        replayed = inbox.replay_all(session, SHOP_ID, topic=None, now=clock.now)
    drain(db, clock)
    gauntlet.record("G26", n=20, failures=20 - replayed + abs(available(db, 7001) - 20 * 28))
    assert replayed == 20
    assert available(db, 7001) == 20 * 28


# --- the other doors ------------------------------------------------------------------------------------------------


def test_no_query_breaks_the_proxy(sqlite_world, make_app, clock, gauntlet):
    """Signed queries with anything in them, and unsigned ones that are no queries at all."""
    door, wrong, tried = Door(without_network(make_app(sqlite_world))), [], 0
    text = st.text(max_size=60) | st.sampled_from([value.decode("utf-8", "replace")[:5_000] for value in VALUES])

    @seed(SEED)
    @settings(max_examples=5_000 if MANY else 500, **QUIETLY)
    @given(cursor=text, name=text, customer=text, raw=st.binary(max_size=200))
    def ask(cursor, name, customer, raw):
        nonlocal tried
        pairs = proxy_pairs(customer, shop=DOMAIN, stamp=stamp(clock.now), extra=[("cursor", cursor), (name, "x")])
        clean = [(key.encode("utf-8", "replace").decode(), value.encode("utf-8", "replace").decode())
                 for key, value in pairs]  # fmt: skip
        queries = [proxy_query(clean, API_SECRET).decode(), quote_from_bytes(raw), raw.decode("latin-1")]
        for query in queries:
            tried += 1
            status = door.get(f"/proxy/shopper?{query}").status
            if status not in (200, 401):
                wrong.append((status, query[:300]))
        good = door.get(proxied("/proxy/shopper", world.NORA, now=clock.now, extra=[("cursor", cursor)]))
        if good.status not in (200, 401):
            wrong.append((good.status, cursor))

    ask()
    gauntlet.record("G26", n=tried, failures=len(wrong))
    assert not wrong, wrong[:60]


def test_no_token_breaks_the_admin(sqlite_world, make_app, clock, gauntlet):
    """Rightly signed tokens whose contents are anything: each is 200 for a good one or 401, never else."""
    door, wrong, tried = Door(without_network(make_app(sqlite_world))), [], 0
    at = int(clock.now.timestamp())
    good = {"iss": f"https://{DOMAIN}/admin", "dest": f"https://{DOMAIN}", "aud": "9d1c2c1fa0a34ce18b24a0a3bd4f62c7",
            "sub": "42", "exp": at + 60, "nbf": at, "iat": at, "jti": "x", "sid": "y"}  # fmt: skip

    @seed(SEED)
    @settings(max_examples=5_000 if MANY else 600, **QUIETLY)
    @given(
        name=st.sampled_from([*good, "kid", "crit", ""]), value=st.sampled_from(VALUES),
        header=st.sampled_from([b'{"alg":"HS256"}', b'{"alg":"none"}', b"{}", b"[]", b'{"alg":["HS256"]}', b"\xff"]),
        raw=st.binary(max_size=60), whole=st.integers(0, 3),
    )  # fmt: skip
    def ask(name, value, header, raw, whole):
        nonlocal tried
        claims = with_value({**good, name: 0}, (name,), value)[:7_000] if whole else raw
        signed = f"{base64url(header)}.{base64url(claims)}"
        token = f"{signed}.{base64url(digest(signed, API_SECRET))}" if whole < 3 else raw.decode("latin-1")
        for headers, target in (
            ({"Authorization": f"Bearer {token}"}, "/"),
            ({}, f"/?{urlencode({'id_token': token})}"),
        ):
            tried += 1
            status = door.get(target, headers=headers).status
            if status not in (200, 401):
                wrong.append((status, header, claims[:200]))

    ask()
    gauntlet.record("G26", n=tried, failures=len(wrong))
    assert not wrong, wrong[:60]


FIELDS = {
    "admin.adjust_member": ("points", "reason", "key"),
    "admin.save_draft": ("name", "points", "per", "rounding", "trigger", "hold_days", "minimum", "vendors", "products"),
    "admin.preview_program": ("name", "points", "per", "minimum", "subtotal", "hold_days", "try", "exclude_products"),
    "admin.publish": ("name", "points", "when", "day", "time"),
    "admin.launch": ("preset", "when", "day", "time", "test", "asked_test"),
    "admin.save_look": ("accent", "corner", "launcher", "radius", "offset"),
    "admin.preview_look": ("accent", "corner", "launcher", "radius", "offset"),
    "admin.start_from": ("preset",),
    "admin.replay_all": ("topic",),
    "admin.show_guide": ("show",),
}
ADDRESSES = (
    "/admin/members/{}", "/admin/members?q={}", "/admin/members?older={}", "/admin/members?newer={}",
    "/admin/members/101?order={}", "/admin/members/101?on={}", "/admin/members/101?older={}",
    "/admin/privacy/{}/download",
    "/admin/program/versions/{}", "/admin/activity?source={}", "/admin/activity?topic={}",
    "/admin/activity?delivery={}",
    "/admin/storefront?panel={}", "/admin/?done={}", "/auth/token?shop={}", "/auth/install?shop={}", "/{}",
)  # fmt: skip
POSTED = ("/admin/members/{}/adjust", "/admin/deliveries/{}/replay", "/admin/deliveries/{}/discard",
          "/admin/jobs/{}/retry", "/admin/jobs/{}/discard", "/admin/program/versions/{}/draft")  # fmt: skip
EXTREMES = [
    b"9999-12-31", b"0001-01-01", b"2026-11-21", b"9999999999999999999", b"9223372036854775808", b"9223372036854775807",
    b"-9223372036854775808", b"%00", b"%ed%a0%80", b"1'; DROP TABLE entries;--", b"{{7*7}}", b"../../etc/passwd",
    b"23:59", b"24:00",
    b"on", b"later", b"now", b"starter", b"#abc", b"#000000", b"\xf0\x9f\x98\x80" * 200, b"1.00", b"1e5", b"0x10",
    b"1_000",
    b"99999999999999999999-99999999999999999999", b"1-1", b"-1--1", b"253402300800000000-1", b"f" * 64, b"\r\nX: y",
]  # fmt: skip
ODD = EXTREMES + [value.strip(b'"')[:3_000] for value in VALUES[:: 1 if MANY else 8]]


@pytest.fixture
def merchant(worlds, make_app, clock):
    return Door(without_network(make_app(worlds))), {**FORM, **bearer(now=clock.now)}


def test_no_form_breaks_the_admin(merchant, gauntlet):
    """Every field of every form with anything in it: an answer about the input, never about us."""
    door, said = merchant
    wrong, tried = [], 0
    text = st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace"))
    values = st.sampled_from(ODD) | st.binary(max_size=40) | text

    @seed(SEED)
    @settings(max_examples=3_000 if MANY else 250, **QUIETLY)
    @given(endpoint=st.sampled_from(sorted(FIELDS)), odd=st.lists(values, min_size=2, max_size=2), data=st.data())
    def send(endpoint, odd, data):
        nonlocal tried
        call = TABLE[endpoint].calls[0]
        names = data.draw(st.lists(st.sampled_from(FIELDS[endpoint]), min_size=1, max_size=2))
        form = {**call.form, **dict(zip(names, odd, strict=False))}
        tried += 1
        status = door.post(call.target, urlencode(form).encode(), headers=said).status
        if status >= 500 or status in (401, 302):
            wrong.append((status, call.target, form))

    send()
    gauntlet.record("G26", n=tried, failures=len(wrong))
    assert not wrong, wrong[:60]


def test_no_address_breaks_the_admin(merchant, worlds, gauntlet):
    database = "sqlite" if worlds.is_sqlite else "postgresql"
    door, said = merchant
    wrong, tried = [], 0
    for method, targets in (("GET", ADDRESSES), ("POST", POSTED)):
        for target in targets:
            for odd in ODD if MANY or database == "sqlite" else EXTREMES:
                asked = target.format(quote_from_bytes(odd[:2_000], safe=""))
                tried += 1
                answer = door.ask(
                    method, asked, headers=said, body=b"points=1&reason=x&key=k" if method == "POST" else b""
                )
                if answer.status >= 500:
                    wrong.append((answer.status, method, asked[:120]))
    gauntlet.record("G26", n=tried, failures=len(wrong))
    assert not wrong, wrong[:60]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % number for number in range(20_000))),
        ("application/x-www-form-urlencoded", b"reason=" + b"x" * 2_000_000),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=points\r\n\r\n5\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\n" * 50_000),
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=" + "x" * 5_000, b"--x"),
        ("application/json", b'{"points":5}'),
        ("application/x-www-form-urlencoded; charset=utf-7", b"+ADw-script+AD4-"),
        ("", b"\x00" * 1_000),
    ],
)  # fmt: skip
def test_no_kind_of_body_breaks_a_form(sqlite_world, make_app, clock, kind, body):
    door = Door(without_network(make_app(sqlite_world)))
    headers = {**bearer(now=clock.now), "Content-Type": kind}
    started = time.monotonic()
    status = door.post(f"/admin/members/{world.MEMBER_NORA}/adjust", body, headers=headers).status
    assert status in (400, 413, 415, 422)
    assert time.monotonic() - started < 5
    assert json.dumps(kind)

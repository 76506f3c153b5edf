"""G23: three shops with the same ids in one database, and nothing of one is ever another's."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from app.jobs.queue import claim
from app.jobs.worker import Worker
from app.loyalty.adjust import adjust
from app.loyalty.audit import audit_shop
from app.loyalty.redact import redact_shop
from app.loyalty.sync import program_document
from app.models import DueShop, Lane, Shop
from app.web.runtime import EXTENSION

from ..conftest import Clock
from ..support import access_for, deliver, drain, order_body, refund_body, webhook_headers
from ..web.asking import FORM, Door, bearer, proxied
from ..web.conftest import without_network
from . import world
from .dumps import changed, rows_of
from .routes import TABLE
from .scoping import EXCEPTIONS, TENANTS, probing, unscoped
from .world import SHOPS, A, B, C


def others_in(text: str, shop: world.Somewhere) -> list[str]:
    """Canaries and domains of the other shops in a text."""
    return [mark for other in SHOPS if other is not shop for mark in (other.canary, other.domain, str(other.shop_id))
            if mark in text]  # fmt: skip


def test_every_endpoint_of_a_shop_speaks_of_that_shop_alone(worlds, make_app, clock, gauntlet):
    """All pages, exports, the panel's JSON and the command line, for both shops, ids colliding everywhere."""
    app = without_network(make_app(worlds))
    door, wrong, tried = Door(app), [], 0
    for shop in (A, B):
        for row in TABLE.values():
            for call in row.calls:
                if row.kind != "merchant" or call.method != "GET":
                    continue
                target = call.target.replace("{delivery}", world.parked_key(worlds, shop))
                answer = door.get(target, headers=bearer(shop.domain, now=clock.now))
                tried += 1
                found = others_in(answer.text + repr(answer.headers), shop)
                if found or answer.status != call.status:
                    wrong.append((shop.letter, target, answer.status, found))
        opened = door.get(f"/admin/activity?delivery={world.parked_key(worlds, shop)}",
                          headers=bearer(shop.domain, now=clock.now))  # fmt: skip
        shown = door.get(f"/admin/members?q=%23{shop.canary}-{world.ORDER}", headers=bearer(shop.domain, now=clock.now))
        for answer in (opened, shown):
            tried += 1
            wrong += [(shop.letter, "its own is missing")] if shop.canary not in answer.text else []
        for customer in ("", world.NORA, world.OTTO, world.ONLY_B):
            answer = door.get(proxied("/proxy/shopper", customer, domain=shop.domain, now=clock.now))
            tried += 1
            wrong += [(shop.letter, customer)] if others_in(answer.text, shop) else []
        runner = app.test_cli_runner()
        for command in (["privacy", "export", "--shop", shop.domain, "--customer", str(world.NORA)],
                        ["shop", "show", shop.domain],
                        ["ledger", "balance", "--shop", shop.domain, "--customer", str(world.NORA)]):  # fmt: skip
            result = runner.invoke(args=command)
            tried += 1
            wrong += [(shop.letter, command[0])] if result.exit_code or others_in(result.output, shop) else []
    gauntlet.record("G23", n=tried, failures=len(wrong))
    assert not wrong


def test_only_b_is_a_member_of_b_alone(sqlite_world, make_app, clock, gauntlet):
    door = Door(without_network(make_app(sqlite_world)))
    seen = {shop.letter: door.get(proxied("/proxy/shopper", world.ONLY_B, domain=shop.domain, now=clock.now)).json()
            for shop in (A, B)}  # fmt: skip
    gauntlet.record("G23", n=2, failures=seen["a"]["member"]["available"])
    assert seen["a"]["history"] == [] and seen["b"]["member"]["available"] == 35


def test_what_leaves_for_shopify_is_of_one_shop(worlds, clock, gauntlet):
    """The documents the storefronts are painted from."""
    wrong = 0
    with worlds.reading() as session:
        for shop in (A, B):
            document = json.dumps(program_document(session, session.get_one(Shop, shop.shop_id), clock.now))
            wrong += bool(others_in(document, shop)) or shop.canary not in document
    gauntlet.record("G23", n=2, failures=wrong)
    assert wrong == 0


def everything(db: Any, app: Any, clock: Clock) -> None:
    """Use every part of the program there is: webhooks, worker, jobs, pages, forms, commands."""
    door = Door(app)
    for shop in (A, B):
        moment = clock.advance(seconds=5)
        raw = json.dumps(order_body(6001, lines=[("10.00", 2)], created_at=moment, shop_id=shop.shop_id,
                                    domain=shop.domain)).encode()  # fmt: skip
        assert (
            door.post("/webhooks", raw, headers=webhook_headers("orders/paid", raw, domain=shop.domain)).status == 200
        )
        deliver(db, "refunds/create", refund_body(91, 6001, units={1: 1}), domain=shop.domain, now=moment)
        for topic, body in {
            "customers/update": {"id": world.NORA, "email": "guest@example.com", "verified_email": True,
                                 "created_at": "2026-11-20T12:00:00Z", "updated_at": moment.isoformat()},
            "customers/delete": {"id": world.OTTO, "admin_graphql_api_id": None},
            "customers/merge": {"admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{world.NORA}",
                                "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{world.OTTO}",
                                "status": "completed"},
            "orders/edited": {"order_edit": {"id": 1, "order_id": 6001}},
            "app/scopes_update": {"id": 1, "shop_id": shop.shop_id, "previous": [], "current": ["read_orders"]},
            "customers/redact": {"shop_id": shop.shop_id, "shop_domain": shop.domain, "orders_to_redact": [6001, 6002],
                                 "customer": {"id": world.ONLY_B, "email": "o@example.com"}},
            "nobody/listens": {},
        }.items():  # fmt: skip
            deliver(db, topic, body, domain=shop.domain, now=moment, webhook_id=f"{topic}-x")
    worker = Worker(app.extensions[EXTENSION].access)
    worker.drain()
    clock.advance(days=40)  # what is scheduled, retried and forgotten comes due
    drain(db, clock, app.extensions[EXTENSION].access)
    with db.transaction() as session:
        adjust(session, A.shop_id, world.MEMBER_NORA, points=-3, reason="x", key="probe", author="x", now=clock.now)
    for shop in (A, B):
        said, parked = {**FORM, **bearer(shop.domain, now=clock.now)}, world.parked_key(db, shop)
        for row in TABLE.values():
            for call in row.calls:
                if row.kind == "merchant":
                    target = call.target.replace("{delivery}", parked)
                    door.ask(call.method, target, headers=said, body=urlencode(call.form).encode())
        door.get("/admin/members?q=7001", headers=said)
        door.get("/admin/members?q=%231001&older=1-1", headers=said)
        door.get(proxied("/proxy/shopper", world.NORA, domain=shop.domain, now=clock.now))
    for path in ("/readyz", "/metrics", "/healthz"):
        door.get(path)
    runner = app.test_cli_runner()
    for command in (["ledger", "audit"], ["shop", "list"], ["shop", "show", A.domain], ["keys", "rotate"],
                    ["program", "pause", "--shop", A.domain], ["program", "launch", "--shop", A.domain],
                    ["privacy", "export", "--shop", A.domain, "--customer", "7001"]):  # fmt: skip
        runner.invoke(args=command)


def test_every_statement_names_its_shop(worlds, make_app, clock, gauntlet):
    app = without_network(make_app(worlds))
    database = app.extensions[EXTENSION].db
    with probing(worlds.engine, worlds.reader, database.engine, database.reader) as probe:
        everything(worlds, app, clock)
        with worlds.transaction() as session:
            redact_shop(session, C.shop_id)
    looked_at, wrong = probe.looked_at, probe.unscoped
    gauntlet.record("G23", n=looked_at, failures=len(wrong))
    assert looked_at > 400
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("SELECT * FROM orders WHERE order_id = ?", True),
        ("SELECT * FROM orders WHERE orders.shop_id = ? AND order_id = ?", False),
        (
            "SELECT * FROM members JOIN balances ON balances.member_id = members.member_id WHERE members.shop_id = ?",
            True,
        ),
        ("SELECT * FROM members JOIN balances ON balances.shop_id = members.shop_id WHERE members.shop_id = ?", False),
        ("UPDATE members SET closed_at = ?", True),
        ("DELETE FROM jobs WHERE jobs.job_id = %(a)s", True),
        ("INSERT INTO jobs (job_id) VALUES (?)", True),
        ("INSERT INTO jobs (shop_id, job_id) VALUES (?, ?)", False),
        ("SELECT shops.shop_id FROM shops WHERE shops.domain = %(domain_1)s::VARCHAR", False),
        ("SELECT 1", False),
    ],
)
def test_the_probe_tells_good_from_bad(statement, bad):
    assert bool(unscoped(statement)) is bad


def test_the_exceptions_are_few():
    assert len(EXCEPTIONS) <= 10
    assert {"orders", "members", "entries", "balances", "deliveries", "jobs"} <= TENANTS


@pytest.mark.parametrize("how", ["one by one", "by webhook"])
def test_erasing_a_shop_leaves_the_others_byte_for_byte(worlds, clock, gauntlet, how):
    before = {shop.letter: rows_of(worlds, shop.shop_id) for shop in (A, B)}
    if how == "one by one":
        with worlds.transaction() as session:
            redact_shop(session, C.shop_id)
    else:
        deliver(worlds, "shop/redact", {"shop_id": C.shop_id, "shop_domain": C.domain}, domain=C.domain, now=clock.now)
        # Only C's lane is served, so that nothing else may move.
        worker = Worker(access_for(worlds, clock))
        while (lease := claim(worlds, Lane.SETTLE, clock.now)) is not None:
            if lease.shop_id == C.shop_id:
                worker.serve(lease)
                break
    left = {name: rows for name, rows in rows_of(worlds, C.shop_id).items() if rows}
    skip = ("due_shops",)
    touched = [(shop.letter, name) for shop in (A, B)
               for name in changed(before[shop.letter], rows_of(worlds, shop.shop_id)) if name not in skip]  # fmt: skip
    gauntlet.record("G23", n=2 * len(before["a"]), failures=len(touched) + len(left))
    assert not left
    assert not touched


def test_redacting_a_customer_of_one_shop_leaves_the_other_byte_for_byte(worlds, clock, gauntlet):
    before = rows_of(worlds, B.shop_id, without=("due_shops",))
    deliver(worlds, "customers/redact", {
        "shop_id": A.shop_id, "shop_domain": A.domain, "orders_to_redact": [world.ORDER, 5740],
        "customer": {"id": world.NORA, "email": "nora@example.com"},
    }, now=clock.now)  # fmt: skip
    _serve_only(worlds, clock, A)
    touched = changed(before, rows_of(worlds, B.shop_id, without=("due_shops",)))
    with worlds.reading() as session:
        problems = [problem for shop in (A, B) for problem in audit_shop(session, shop.shop_id)]
    gauntlet.record("G23", n=len(before), failures=len(touched) + len(problems))
    assert not touched
    assert not problems


def _serve_only(db: Any, clock: Clock, shop: world.Somewhere) -> None:
    with db.transaction() as session:
        session.execute(
            update(DueShop).where(DueShop.shop_id != shop.shop_id).values(next_due=clock.now + timedelta(days=400))
        )
    drain(db, clock)

"""What an operator types (DESIGN §8)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, text

from app.db import Encrypted
from app.models import Delivery, ProgramVersion, Shop

from ..conftest import DOMAIN, ENCRYPTION_KEY, NOW, SHOP_ID
from ..support import add_shop, available, deliver, drain, order_body


def run(runner, *arguments: str, status: int = 0) -> str:
    result = runner.invoke(args=list(arguments))
    assert result.exit_code == status, result.output
    return result.output


def test_launch_publishes_the_starter_preset_once(runner, db, clock):
    add_shop(db, program=None)
    assert "Version 1 is live." in run(runner, "program", "launch", "--shop", DOMAIN)
    deliver(db, "orders/paid", order_body(lines=[("12.75", 1)]))
    drain(db, clock)
    assert available(db, 7001) == 12


def test_launch_with_a_preset_publishes_that(runner, db, clock):
    add_shop(db, program=None)
    run(runner, "program", "launch", "--shop", DOMAIN, "--preset", "starter-double")
    deliver(db, "orders/paid", order_body(lines=[("12.75", 1)]))
    drain(db, clock)
    assert available(db, 7001) == 24


def test_an_order_from_before_the_launch_earns_nothing(runner, db, clock):
    add_shop(db, program=None)
    run(runner, "program", "launch", "--shop", DOMAIN)
    deliver(db, "orders/paid", order_body(created_at=NOW - timedelta(seconds=1)))
    drain(db, clock)
    assert available(db, 7001) == 0


def test_pause_and_launch_again(runner, db, clock):
    add_shop(db)
    run(runner, "program", "pause", "--shop", DOMAIN)
    clock.advance(minutes=1)
    deliver(db, "orders/paid", order_body(1, created_at=clock.now), now=clock.now)
    clock.advance(minutes=1)
    assert "The pause is over." in run(runner, "program", "launch", "--shop", DOMAIN)
    deliver(db, "orders/paid", order_body(2, created_at=clock.now), now=clock.now)
    drain(db, clock)
    assert available(db, 7001) == 28
    with db.reading() as session:
        assert len(session.scalars(select(ProgramVersion)).all()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("program", "launch", "--shop", "stranger.myshopify.com"),
        ("program", "launch", "--shop", DOMAIN, "--preset", "nothing"),
        ("program", "launch"),
        ("shop", "show", "stranger.myshopify.com"),
        ("ledger", "balance", "--shop", DOMAIN, "--customer", "7001", "--at", "yesterday"),
        ("ledger", "balance", "--shop", DOMAIN, "--customer", "Nora"),
        ("privacy", "export", "--shop", "stranger.myshopify.com", "--customer", "7001"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(runner, db, arguments):
    add_shop(db, program=None)
    result = runner.invoke(args=list(arguments))
    assert result.exit_code != 0
    assert "Traceback" not in result.output and result.output.strip()
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_the_audit_is_content_with_honest_books(runner, db, clock):
    add_shop(db)
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    assert "Every number adds up." in run(runner, "ledger", "audit")


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE balances SET available = available + 1",
        "UPDATE orders SET points = points + 1",
        "UPDATE lots SET available = available - 1",
    ],
)
def test_the_audit_finds_what_was_changed_and_exits_1(runner, db, clock, tampering):
    add_shop(db)
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    with db.transaction() as session:
        session.execute(text(tampering))
    assert str(SHOP_ID) in run(runner, "ledger", "audit", status=1)


def test_a_balance_now_and_at_a_moment(runner, db, clock):
    add_shop(db)
    deliver(db, "orders/paid", order_body(1))
    drain(db, clock)
    clock.advance(hours=1)
    deliver(db, "orders/paid", order_body(2), now=clock.now)
    drain(db, clock)
    asked = ("ledger", "balance", "--shop", DOMAIN, "--customer", "7001")
    assert json.loads(run(runner, *asked))["available"] == 56
    assert json.loads(run(runner, *asked, "--at", "2026-11-21T12:30:00Z"))["available"] == 28
    assert json.loads(run(runner, *asked, "--at", "2026-11-21T11:00:00Z"))["available"] == 0
    assert json.loads(run(runner, *asked[:-1], "999"))["available"] == 0


def test_shops_are_listed_and_shown_without_secrets(runner, db):
    add_shop(db)
    add_shop(db, shop_id=2, domain="another.myshopify.com")
    with db.transaction() as session:
        session.get_one(Shop, 2).uninstalled_at = NOW
    lines = run(runner, "shop", "list").splitlines()
    assert lines == ["another.myshopify.com\t2\tuninstalled", f"{DOMAIN}\t{SHOP_ID}\tinstalled"]
    shown = run(runner, "shop", "show", DOMAIN)
    assert json.loads(shown)["shop_id"] == SHOP_ID
    assert "shpat" not in shown and "shprt" not in shown and "hash-key" not in shown


def test_an_export_holds_what_is_stored_about_a_customer(runner, db, clock):
    add_shop(db)
    deliver(db, "orders/paid", order_body(name="#1001"))
    deliver(db, "orders/paid", order_body(5732, customer_id=7002, name="#1002"))
    drain(db, clock)
    told = run(runner, "privacy", "export", "--shop", DOMAIN, "--customer", "7001")
    exported = json.loads(told)
    assert exported["balance"]["available"] == 28
    assert [order["name"] for order in exported["orders"]] == ["#1001"]
    assert "7002" not in told and "#1002" not in told


def test_keys_rotate_and_the_old_one_may_go(runner, db, clock, monkeypatch):
    add_shop(db)
    deliver(db, "orders/paid", b"not an order")
    drain(db, clock)
    fresh = Fernet.generate_key().decode()
    monkeypatch.setattr(Encrypted, "keys", None)
    Encrypted.use([fresh, ENCRYPTION_KEY])
    assert "encrypted anew" in run(runner, "keys", "rotate")
    Encrypted.use([fresh])
    from app.loyalty.inbox import body_of

    with db.reading() as session:
        assert session.get_one(Shop, SHOP_ID).hash_key == f"hash-key-of-{SHOP_ID}"
        assert body_of(session.scalars(select(Delivery)).one()) == b"not an order"


def test_work_once_drains_what_is_due(runner, db):
    add_shop(db)
    deliver(db, "orders/paid", order_body())
    run(runner, "work", "--once")
    assert available(db, 7001) == 28

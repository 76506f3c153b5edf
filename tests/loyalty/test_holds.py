"""Points on hold: pending until their day, then available, by a job that may be late or run twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.loyalty.mature import mature_due
from app.program.presets import preset

from ..conftest import NOW, SHOP_ID
from ..support import add_shop, balance, deliver, drain, order_body, problems, refund_body

STARTER = preset("starter", "EUR")


def held(days: int = 14, **more: object):
    return STARTER.model_copy(update={"earning": STARTER.earning.model_copy(update={"hold_days": days, **more})})


def pending_and_available(db) -> tuple[int, int]:
    assert problems(db) == []
    figures = balance(db, 7001)
    return figures["pending"], figures["available"] - figures["debt"]


def test_points_wait_out_their_hold_from_the_payment(db, clock):
    add_shop(db, program=held())
    deliver(db, "orders/create", order_body(status="pending"))
    deliver(db, "orders/paid", order_body(updated_at=NOW + timedelta(days=1)))
    drain(db, clock)
    assert pending_and_available(db) == (28, 0)
    clock.advance(days=14, hours=23)
    drain(db, clock)
    assert pending_and_available(db) == (28, 0)
    clock.advance(hours=1)
    drain(db, clock)
    assert pending_and_available(db) == (0, 28)


def test_an_order_that_arrives_after_its_hold_is_available_at_once(db, clock):
    add_shop(db, program=held())
    clock.advance(days=20)
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    assert pending_and_available(db) == (0, 28)


@pytest.mark.parametrize("runs", [1, 2, 5])
def test_a_late_job_and_a_repeated_one_mature_once(db, clock, runs):
    add_shop(db, program=held())
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    clock.advance(days=17)
    matured = []
    for _ in range(runs):
        with db.transaction() as session:
            matured.append(mature_due(session, SHOP_ID, limit=100, now=clock()))
    assert matured == [1] + [0] * (runs - 1)
    assert pending_and_available(db) == (0, 28)


def test_a_refund_during_the_hold_takes_from_what_is_pending(db, clock):
    add_shop(db, program=held())
    deliver(db, "orders/paid", order_body(lines=[("28.00", 2)]))
    drain(db, clock)
    deliver(db, "refunds/create", refund_body(1, units={1: 1}))
    drain(db, clock)
    assert pending_and_available(db) == (28, 0)
    clock.advance(days=14)
    drain(db, clock)
    assert pending_and_available(db) == (0, 28)


def test_a_full_refund_during_the_hold_leaves_nothing_to_mature(db, clock):
    add_shop(db, program=held())
    deliver(db, "orders/paid", order_body())
    deliver(db, "refunds/create", refund_body(1, units={1: 1}))
    drain(db, clock)
    clock.advance(days=15)
    drain(db, clock)
    assert pending_and_available(db) == (0, 0)


def test_an_earlier_payment_that_becomes_known_shortens_the_hold(db, clock):
    add_shop(db, program=held())
    deliver(db, "orders/updated", order_body(updated_at=NOW + timedelta(days=5)))
    drain(db, clock)
    clock.advance(days=14)
    drain(db, clock)
    assert pending_and_available(db) == (28, 0)
    deliver(db, "orders/paid", order_body(updated_at=NOW), now=clock())
    drain(db, clock)
    drain(db, clock)
    assert pending_and_available(db) == (0, 28)


def test_units_added_after_the_hold_are_available_at_once(db, clock):
    add_shop(db, program=held())
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    clock.advance(days=15)
    drain(db, clock)
    deliver(db, "orders/updated", order_body(lines=[("28.00", 2)], updated_at=clock()), now=clock())
    drain(db, clock)
    assert pending_and_available(db) == (0, 56)


def test_with_the_trigger_fulfilled_points_come_when_everything_was_sent(db, clock):
    add_shop(db, program=held(3, trigger="fulfilled"))
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    assert pending_and_available(db) == (0, 0)
    sent = NOW + timedelta(days=2)
    deliver(db, "orders/fulfilled", order_body(fulfilled_at=sent, updated_at=sent))
    drain(db, clock)
    assert pending_and_available(db) == (28, 0)
    clock.advance(days=5)
    drain(db, clock)
    assert pending_and_available(db) == (0, 28)


def test_a_hundred_and_fifty_lots_due_at_once_all_mature(db, clock):
    add_shop(db, program=held(1))
    for number in range(150):
        deliver(db, "orders/paid", order_body(6000 + number, customer_id=7001 + number % 7))
    drain(db, clock)
    clock.advance(days=1)
    drain(db, clock)
    assert balance(db, 7001)["pending"] == 0
    assert sum(balance(db, 7001 + number)["available"] for number in range(7)) == 150 * 28
    assert problems(db) == []

"""The inbox: stored once, worked in batches, parked with a reason, replayed, forgotten after thirty days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.errors import NotFound
from app.loyalty import inbox
from app.models import Delivery

from ..conftest import NOW, SHOP_ID
from ..support import add_shop, available, deliver, drain, order_body, outcomes, problems

BROKEN = {**order_body(5799), "line_items": "none of these"}


@pytest.fixture(autouse=True)
def shop(db) -> None:
    add_shop(db)


def parked(db) -> list[Delivery]:
    with db.reading() as session:
        return list(session.scalars(select(Delivery).where(Delivery.state == "parked")))


def test_a_settled_deliverys_body_is_erased(db, clock):
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    with db.reading() as session:
        delivery = session.scalars(select(Delivery)).one()
    assert (delivery.body, delivery.state, delivery.outcome) == (None, "done", "Awarded 28 points.")


def test_what_cannot_be_understood_is_parked_with_the_field_and_kept_encrypted(db, clock):
    deliver(db, "orders/paid", BROKEN)
    deliver(db, "orders/paid", b"\x00 not JSON", webhook_id="2")
    drain(db, clock)
    first, second = sorted(parked(db), key=lambda delivery: delivery.about)
    assert "line_items" in second.outcome and second.about == "order 5799"
    assert b"nora" not in bytes(second.body)
    assert inbox.body_of(first) == b"\x00 not JSON"


def test_poison_is_parked_while_the_others_of_its_batch_flow(db, clock):
    for number in range(40):
        deliver(db, "orders/paid", BROKEN if number % 4 == 0 else order_body(6000 + number), webhook_id=str(number))
    drain(db, clock)
    assert available(db, 7001) == 30 * 28
    assert len(parked(db)) == 10
    assert problems(db) == []


def test_a_delivery_that_breaks_its_batch_is_isolated_and_parked_after_eight_tries(db, clock, monkeypatch):
    """An order whose decision blows up, as a bug of ours would: the rest of its batch settles, it is tried again."""
    from app.loyalty import settle

    honest = settle.decide

    def decide(facts: Any, *arguments: Any, **more: Any) -> Any:
        if facts.order_id == 6003:
            raise AssertionError("a bug")
        return honest(facts, *arguments, **more)

    monkeypatch.setattr(settle, "decide", decide)
    for number in range(10):
        deliver(db, "orders/paid", order_body(6000 + number))
    drain(db, clock)
    assert available(db, 7001) == 9 * 28
    tries = 1
    while not parked(db):
        clock.advance(minutes=11)
        drain(db, clock)
        tries += 1
    assert tries == 8
    assert parked(db)[0].outcome == "It could not be worked (AssertionError)."
    monkeypatch.setattr(settle, "decide", honest)
    with db.transaction() as session:
        inbox.replay(session, SHOP_ID, parked(db)[0].key, now=clock())
    drain(db, clock)
    assert available(db, 7001) == 10 * 28


def test_a_replay_pressed_twice_is_one_replay(db, clock):
    deliver(db, "orders/paid", BROKEN)
    drain(db, clock)
    clock.advance(seconds=2)
    key = parked(db)[0].key
    for _ in range(2):
        with db.transaction() as session:
            inbox.replay(session, SHOP_ID, key, now=clock())
    drain(db, clock)
    (delivery,) = parked(db)
    assert delivery.tries == 1


def test_a_replay_is_nobody_elses(db, clock):
    deliver(db, "orders/paid", BROKEN)
    drain(db, clock)
    for verb in (inbox.replay, lambda *a, now: inbox.discard(*a, by="staff 1", now=now)):
        with pytest.raises(NotFound), db.transaction() as session:
            verb(session, SHOP_ID + 1, parked(db)[0].key, now=clock())


def test_a_discarded_delivery_keeps_its_line_and_loses_its_body(db, clock):
    deliver(db, "orders/paid", BROKEN)
    drain(db, clock)
    with db.transaction() as session:
        inbox.discard(session, SHOP_ID, parked(db)[0].key, by="staff 1", now=clock())
    with db.reading() as session:
        delivery = session.scalars(select(Delivery)).one()
    assert (delivery.state, delivery.body) == ("ignored", None)
    assert delivery.outcome.endswith("Discarded by staff 1.")


def test_all_parked_of_one_topic_are_replayed(db, clock):
    deliver(db, "orders/paid", BROKEN)
    deliver(db, "orders/updated", BROKEN)
    drain(db, clock)
    with db.transaction() as session:
        assert inbox.replay_all(session, SHOP_ID, topic="orders/paid", now=clock()) == 1
        assert inbox.replay_all(session, SHOP_ID, topic=None, now=clock()) == 1


def test_settled_deliveries_are_forgotten_after_thirty_days_and_parked_ones_are_not(db, clock):
    deliver(db, "orders/paid", order_body())
    deliver(db, "orders/paid", BROKEN)
    drain(db, clock)
    clock.advance(days=29)
    with db.transaction() as session:
        assert inbox.forget_old(session, SHOP_ID, now=clock()) == 0
    clock.advance(days=1, seconds=1)
    with db.transaction() as session:
        assert inbox.forget_old(session, SHOP_ID, now=clock()) == 1
    assert [state for _, state, _ in outcomes(db)] == ["parked"]


def test_an_unknown_shops_delivery_is_not_stored(db):
    assert not deliver(db, "orders/paid", order_body(), domain="nobody.myshopify.com")
    assert outcomes(db) == []


def test_deliveries_are_worked_in_the_order_received(db, clock):
    from ..support import customer_body

    for number, verified in enumerate([True, False, True, False]):
        at = NOW + timedelta(seconds=number)
        deliver(db, "customers/update", customer_body(verified=verified, updated_at=NOW), now=at)
    deliver(db, "orders/paid", order_body(customer_id=None))
    clock.advance(seconds=10)
    drain(db, clock)
    assert available(db, 7001) == 0  # of equally old bodies the last received holds

"""Which rules judge an order: those in force at its own moment, whatever arrives when."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from app.errors import Refused
from app.loyalty.programs import launch, pause, publish, timeline
from app.models import Shop
from app.program.presets import preset

from ..conftest import NOW, SHOP_ID
from ..support import add_shop, an_order, available, deliver, drain, order_body, problems, refund_body

SINGLE, DOUBLE = preset("starter", "EUR"), preset("starter-double", "EUR")
HELD = SINGLE.model_copy(update={"earning": SINGLE.earning.model_copy(update={"hold_days": 14})})


@pytest.fixture
def shop(db, clock):
    """A shop without a program, and verbs on it by name."""
    add_shop(db, program=None)

    class Verbs:
        def __getattr__(self, name: str) -> Any:
            verb = {"publish": publish, "launch": launch, "pause": pause}[name]

            def call(*arguments: Any, now: datetime, **more: Any) -> Any:
                with db.transaction() as session:
                    return verb(session, session.get_one(Shop, SHOP_ID), *arguments, now=now, **more)

            return call

        def tell(self, topic: str, body: dict[str, Any]) -> None:
            deliver(db, topic, body, now=clock(), webhook_id=f"w-{clock.now.timestamp()}")
            drain(db, clock)

        def wait(self, **delta: float) -> None:
            clock.advance(**delta)
            drain(db, clock)
            assert problems(db) == []

    return Verbs()


def paid(order_id: int = 5731, created_at: datetime = NOW, **more: Any) -> tuple[str, dict[str, Any]]:
    return "orders/paid", order_body(order_id, created_at=created_at, **more)


def test_an_order_from_before_the_launch_earns_nothing(db, shop):
    shop.publish(SINGLE, author="a", now=NOW)
    shop.tell(*paid(created_at=NOW - timedelta(seconds=1)))
    assert (available(db, 7001), an_order(db).reason) == (0, "not_started")


def test_an_order_is_judged_by_the_version_of_its_own_moment(db, shop, clock):
    shop.publish(SINGLE, author="a", now=NOW)
    shop.tell(*paid(created_at=NOW + timedelta(minutes=1)))
    shop.publish(DOUBLE, author="a", now=NOW + timedelta(hours=1))
    clock.advance(hours=2)
    shop.tell(*paid(5732, created_at=NOW + timedelta(hours=2)))
    assert available(db, 7001) == 28 + 56
    shop.tell("refunds/create", refund_body(1, units={1: 1}))  # of the first, by its own rate
    assert available(db, 7001) == 56


def test_an_old_order_that_arrives_after_a_change_of_rate_earns_by_the_old_rate(db, shop, clock):
    shop.publish(SINGLE, author="a", now=NOW)
    shop.publish(DOUBLE, author="a", now=NOW + timedelta(hours=1))
    clock.advance(days=1)
    shop.tell(*paid(created_at=NOW + timedelta(minutes=59, seconds=59)))
    assert available(db, 7001) == 28
    edited = order_body(
        created_at=NOW + timedelta(minutes=59, seconds=59), lines=[("28.00", 2)], updated_at=NOW + timedelta(days=1)
    )
    shop.tell("orders/updated", edited)
    assert available(db, 7001) == 56


def test_a_version_is_in_force_from_the_start_of_its_second(db, shop, clock):
    shop.publish(SINGLE, author="a", now=NOW)
    shop.publish(DOUBLE, author="a", now=NOW + timedelta(hours=1, milliseconds=700))
    clock.advance(hours=2)
    shop.tell(*paid(created_at=NOW + timedelta(hours=1)))
    assert available(db, 7001) == 56


def test_publishing_settles_the_orders_of_its_second_again(db, shop, clock):
    shop.publish(SINGLE, author="a", now=NOW - timedelta(days=1))
    clock.now = NOW + timedelta(milliseconds=300)
    shop.tell(*paid(created_at=NOW))
    assert available(db, 7001) == 28
    shop.publish(DOUBLE, author="a", now=NOW + timedelta(milliseconds=700))
    shop.wait(seconds=3)
    assert available(db, 7001) == 56


def test_an_order_settled_while_a_version_was_being_committed_is_settled_again(db, shop, clock):
    shop.publish(SINGLE, author="a", now=NOW - timedelta(days=1))
    clock.now = NOW + timedelta(seconds=1, milliseconds=50)
    shop.tell(*paid(created_at=NOW + timedelta(seconds=1)))  # the version below is dated before, committed after
    shop.publish(DOUBLE, author="a", now=NOW + timedelta(milliseconds=950))
    shop.wait(seconds=3)
    assert available(db, 7001) == 56


def test_launching_in_an_orders_second_makes_it_count(db, shop, clock):
    shop.tell(*paid())
    assert available(db, 7001) == 0
    shop.launch(preset_name=None, author="a", now=NOW + timedelta(milliseconds=900))
    shop.wait(seconds=4)
    assert available(db, 7001) == 28


def test_points_on_hold_under_a_version_that_a_later_one_of_the_same_second_lifts_become_available(db, shop, clock):
    shop.publish(HELD, author="a", now=NOW)
    shop.tell(*paid())
    shop.publish(DOUBLE, author="a", now=NOW)
    shop.wait(seconds=3)
    shop.wait(seconds=3)
    assert available(db, 7001) == 56


def test_a_pause_earns_nothing_and_take_backs_go_on(db, shop, clock):
    shop.publish(SINGLE, author="a", now=NOW - timedelta(days=2))
    shop.tell(*paid(created_at=NOW - timedelta(days=1)))
    shop.pause(now=NOW)
    clock.advance(hours=1)
    shop.tell(*paid(5732, created_at=NOW + timedelta(minutes=1)))
    assert (available(db, 7001), an_order(db, 5732).reason) == (28, "paused")
    shop.tell("refunds/create", refund_body(1, units={1: 1}))
    assert available(db, 7001) == 0
    shop.launch(preset_name=None, author="a", now=NOW + timedelta(hours=2))
    clock.advance(hours=2)
    shop.tell(*paid(5733, created_at=NOW + timedelta(hours=2)))
    assert available(db, 7001) == 28
    shop.tell("orders/updated", order_body(5732, created_at=NOW + timedelta(minutes=1), updated_at=clock()))
    assert available(db, 7001) == 28  # what the pause gave nothing for stays nothing


def test_a_pause_is_in_force_from_the_start_of_its_second_and_so_is_its_end(db, shop, clock):
    shop.publish(SINGLE, author="a", now=NOW - timedelta(days=2))
    clock.now = NOW + timedelta(milliseconds=100)
    shop.tell(*paid())
    assert available(db, 7001) == 28
    shop.pause(now=NOW + timedelta(milliseconds=500))
    shop.wait(seconds=3)
    assert (available(db, 7001), an_order(db).reason) == (0, "paused")
    at = NOW + timedelta(minutes=1)
    clock.now = at + timedelta(milliseconds=100)
    shop.tell(*paid(5732, created_at=at))
    assert an_order(db, 5732).reason == "paused"
    shop.launch(preset_name=None, author="a", now=at + timedelta(milliseconds=500))
    shop.wait(seconds=3)
    assert available(db, 7001) == 28


def test_pausing_twice_is_one_pause(db, shop):
    shop.publish(SINGLE, author="a", now=NOW - timedelta(days=2))
    shop.pause(now=NOW)
    shop.pause(now=NOW + timedelta(minutes=1))
    with db.reading() as session:
        assert len(timeline(session, SHOP_ID).pauses) == 1


def test_a_program_that_is_not_live_cannot_be_paused(shop):
    with pytest.raises(Refused, match="not live"):
        shop.pause(now=NOW)


@pytest.mark.parametrize(
    ("starts_at", "code"),
    [
        (NOW - timedelta(seconds=1), "starts_in_past"),
        (NOW + timedelta(days=366), "starts_too_late"),
        (NOW + timedelta(hours=1), "starts_before_latest"),
    ],
)
def test_a_version_starts_now_or_later_and_after_the_one_before(shop, starts_at, code):
    shop.publish(SINGLE, author="a", now=NOW, starts_at=NOW + timedelta(days=1))
    with pytest.raises(Refused) as refusal:
        shop.publish(DOUBLE, author="a", now=NOW, starts_at=starts_at)
    assert refusal.value.code == code


def test_a_version_that_waits_takes_over_by_itself(db, shop, clock):
    shop.publish(SINGLE, author="a", now=NOW)
    shop.publish(DOUBLE, author="a", now=NOW, starts_at=NOW + timedelta(days=1))
    shop.tell(*paid(created_at=NOW + timedelta(hours=1)))
    shop.wait(days=2)
    shop.tell(*paid(5732, created_at=NOW + timedelta(days=1)))
    assert available(db, 7001) == 28 + 56


@pytest.mark.parametrize("arrival", list(permutations(range(3))))
def test_orders_refunds_and_versions_in_any_order_of_arrival(db, shop, clock, arrival):
    shop.publish(SINGLE, author="a", now=NOW)
    shop.publish(DOUBLE, author="a", now=NOW + timedelta(hours=1))
    clock.advance(days=1)
    told = [
        paid(lines=[("28.00", 2)], created_at=NOW + timedelta(minutes=30)),
        ("refunds/create", refund_body(1, units={1: 1}, created_at=NOW + timedelta(hours=2))),
        paid(5732, created_at=NOW + timedelta(hours=3)),
    ]
    for place in arrival:
        shop.tell(*told[place])
        shop.wait(seconds=2)
    assert available(db, 7001) == 28 + 56


def test_an_order_in_a_currency_with_another_unit_earns_nothing(db, shop):
    shop.publish(SINGLE, author="a", now=NOW)
    shop.tell(*paid(currency="JPY", lines=[("2800", 1)]))
    assert (available(db, 7001), an_order(db).reason) == (0, "other_currency")

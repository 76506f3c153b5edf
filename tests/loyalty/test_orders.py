"""One order's life, as its webhooks tell it: whatever comes, however often, in whatever order, ends in one ledger."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from app.ledger import Entry
from app.program.presets import preset

from ..conftest import NOW
from ..support import (
    add_shop,
    an_order,
    available,
    balance,
    deliver,
    drain,
    jobs,
    order_body,
    outcomes,
    problems,
    refund_body,
)


def later(**delta: float) -> Any:
    return NOW + timedelta(**delta)


@pytest.fixture
def settle(db, clock):
    """Deliver bodies one by one, working the inbox after each."""

    def settle(*deliveries: tuple[str, dict[str, Any]]) -> int:
        for topic, body in deliveries:
            deliver(db, topic, body, now=clock(), webhook_id=f"w-{clock.now.timestamp()}")
            drain(db, clock)
            clock.advance(seconds=2)
        assert problems(db) == []
        return available(db, 7001)

    add_shop(db)
    return settle


def test_a_created_order_earns_nothing_until_it_is_paid(db, settle):
    assert settle(("orders/create", order_body(status="pending"))) == 0
    assert an_order(db).reason == "not_paid"
    assert settle(("orders/paid", order_body(updated_at=later(minutes=1)))) == 28
    assert an_order(db).reason is None


def test_a_partial_refund_takes_back_exactly_its_points(settle):
    assert settle(("orders/paid", order_body(lines=[("28.00", 3)]))) == 84
    assert settle(("refunds/create", refund_body(1, units={1: 1}))) == 56


def test_a_refund_told_by_two_topics_is_one_refund(settle):
    refund = refund_body(1, units={1: 1}, created_at=later(hours=1))
    updated = order_body(
        lines=[("28.00", 3)], refunds=[refund], status="partially_refunded", updated_at=later(hours=1, seconds=1)
    )
    settle(("orders/paid", order_body(lines=[("28.00", 3)])))
    assert settle(("refunds/create", refund), ("orders/updated", updated), ("refunds/create", refund)) == 56


def test_an_edit_down_takes_back_and_an_edit_up_gives_once_it_is_paid(settle):
    settle(("orders/paid", order_body(lines=[("28.00", 2)])))
    down = order_body(lines=[("28.00", 2)], removed={1: 1}, updated_at=later(hours=1), total_outstanding="-28.00")
    assert settle(("orders/updated", down)) == 28
    up = order_body(
        lines=[("28.00", 2), ("10.00", 1)], removed={1: 1}, updated_at=later(hours=2), total_outstanding="10.00",
        status="partially_paid",
    )  # fmt: skip
    assert settle(("orders/updated", up)) == 28
    paid = order_body(lines=[("28.00", 2), ("10.00", 1)], removed={1: 1}, updated_at=later(hours=3))
    assert settle(("orders/updated", paid)) == 38


def test_a_cancelled_order_keeps_nothing_and_no_stale_body_revives_it(db, settle):
    settle(("orders/paid", order_body()))
    cancelled = order_body(cancelled_at=later(hours=1), updated_at=later(hours=1), status="refunded")
    assert settle(("orders/cancelled", cancelled)) == 0
    assert an_order(db).reason == "cancelled"
    assert settle(("orders/updated", order_body(updated_at=later(minutes=30)))) == 0


def test_a_stale_body_changes_nothing(settle):
    settle(("orders/updated", order_body(lines=[("28.00", 2)], removed={1: 1}, updated_at=later(hours=2))))
    assert settle(("orders/paid", order_body(lines=[("28.00", 2)], updated_at=later(hours=1)))) == 28


def test_the_same_delivery_twice_is_stored_once(db, settle):
    body = order_body()
    assert deliver(db, "orders/paid", body, webhook_id="w-1")
    assert not deliver(db, "orders/paid", body, webhook_id="w-1")
    assert deliver(db, "orders/paid", {**body, "note": "another body"}, webhook_id="w-1")  # ids are not signed
    assert settle() == 0
    assert settle(("orders/paid", body), ("orders/create", body), ("orders/updated", body)) == 28
    with db.reading() as session:
        assert session.query(Entry).count() == 1


def test_a_refund_before_its_order_waits_for_it(db, clock, settle):
    deliver(db, "refunds/create", refund_body(1, units={1: 1}))
    drain(db, clock)
    assert an_order(db).reason == "waiting_for_order"
    job = jobs(db)["fetch_order", "5731"]
    assert job.due_at == NOW + timedelta(minutes=1)
    assert job.arguments == {"order_id": 5731}
    assert settle(("orders/paid", order_body(lines=[("28.00", 3)]))) == 56


def test_gift_cards_never_earn_and_other_lines_beside_them_do(db, settle):
    body = order_body(lines=[("28.00", 1), ("50.00", 1)])
    body["line_items"][1]["gift_card"] = True
    assert settle(("orders/paid", body)) == 28
    alone = order_body(5732, lines=[("50.00", 1)])
    alone["line_items"][0]["gift_card"] = True
    assert settle(("orders/paid", alone)) == 28
    assert an_order(db, 5732).reason == "gift_card_only"


def test_a_test_order_earns_nothing_unless_the_program_counts_them(db, clock, settle):
    assert settle(("orders/paid", order_body(test=True))) == 0
    assert an_order(db).reason == "test_order"


def test_a_development_store_may_count_test_orders(db, clock):
    add_shop(db, program=preset("starter", "EUR", test_orders=True))
    deliver(db, "orders/paid", order_body(test=True))
    drain(db, clock)
    assert available(db, 7001) == 28


def test_an_order_of_nothing_earns_nothing(db, settle):
    assert settle(("orders/paid", order_body(lines=[("0.00", 1)]))) == 0
    assert an_order(db).reason == "zero_total"
    assert settle(("orders/paid", order_body(5732, lines=[("0.99", 1)]))) == 0
    assert an_order(db, 5732).reason == "too_small"
    assert settle(("orders/paid", order_body(5733, lines=[]))) == 0


def test_an_order_without_anybody_earns_nothing(db, settle):
    settle(("orders/paid", order_body(customer_id=None, email=None)))
    assert an_order(db).reason == "no_customer"


def test_taken_back_points_that_were_spent_are_a_debt_which_the_next_order_repays_first(db, clock, settle):
    from app.loyalty.adjust import adjust
    from app.loyalty.members import members_of

    settle(("orders/paid", order_body()))
    with db.transaction() as session:
        (member,) = members_of(session, an_order(db).shop_id, [7001]).values()
        adjust(
            session, an_order(db).shop_id, member, points=-20, reason="Spent at the fair", key="k", author="a",
            now=clock(),
        )  # fmt: skip
    settle(("refunds/create", refund_body(1, units={1: 1})))
    assert balance(db, 7001) == {"available": 0, "pending": 0, "reserved": 0, "debt": 20}
    settle(("orders/paid", order_body(5732)))
    assert balance(db, 7001) == {"available": 8, "pending": 0, "reserved": 0, "debt": 0}


def test_the_balance_at_a_moment_is_what_had_been_posted_by_then(db, clock, settle):
    from app.loyalty.views.balances import balance_of

    begin = clock()
    settle(("orders/paid", order_body()))  # posted at 0 s
    settle(("refunds/create", refund_body(1, units={1: 1})))  # at 2 s
    settle(("orders/paid", order_body(5732, lines=[("5.00", 1)])))  # at 4 s
    with db.reading() as session:
        at = [
            balance_of(session, an_order(db).shop_id, 7001, at=begin + timedelta(seconds=n)) for n in (-1, 0, 1, 2, 4)
        ]
    assert [figures["available"] for figures in at] == [0, 28, 28, 0, 5]


def facts_of_one_order(order_id: int, customer_id: int) -> list[tuple[str, dict[str, Any]]]:
    """Created, paid, an edit down, two refunds, an hour apart, each in a body of its own."""
    same: dict[str, Any] = {"customer_id": customer_id}
    first = refund_body(order_id * 10 + 1, order_id, units={1: 1}, created_at=later(hours=3))
    second = refund_body(order_id * 10 + 2, order_id, units={2: 1}, created_at=later(hours=4), price="10.00")
    lines = [("28.00", 3), ("10.00", 2)]
    return [
        ("orders/create", order_body(order_id, lines=lines, status="pending", **same)),
        ("orders/paid", order_body(order_id, lines=lines, updated_at=later(hours=1), **same)),
        ("orders/updated", order_body(order_id, lines=lines, removed={2: 1}, updated_at=later(hours=2), **same)),
        ("refunds/create", first),
        ("refunds/create", second),
    ]


def test_every_order_of_arrival_ends_in_the_same_ledger(db, clock):
    add_shop(db)
    everyone = list(permutations(range(5)))
    for place in range(5):
        for number, permutation in enumerate(everyone, start=1):
            topic, body = facts_of_one_order(6000 + number, 9000 + number)[permutation[place]]
            deliver(db, topic, body, webhook_id=str(place))
        drain(db, clock)
        clock.advance(seconds=2)
    # 3 × 28 + 2 × 10, less one of the second by an edit, one of each by refunds: 2 × 28
    assert {available(db, 9000 + number) for number in range(1, len(everyone) + 1)} == {56}
    assert problems(db) == []


def test_every_order_of_arrival_of_a_cancelled_order_ends_in_nothing(db, clock):
    add_shop(db)
    cancelled = {"status": "refunded", "cancelled_at": later(hours=5), "updated_at": later(hours=5)}
    everyone = list(permutations(range(4)))
    for place in range(4):
        for number, permutation in enumerate(everyone, start=1):
            created, paid, _, refund, _ = facts_of_one_order(6000 + number, 9000 + number)
            gone = ("orders/cancelled", order_body(6000 + number, customer_id=9000 + number, **cancelled))
            deliver(db, *[created, paid, refund, gone][permutation[place]], webhook_id=str(place))
        drain(db, clock)
        clock.advance(seconds=2)
    assert {available(db, 9000 + number) for number in range(1, len(everyone) + 1)} == {0}
    assert problems(db) == []


def test_all_of_it_in_one_batch_is_settled_once(db, clock):
    add_shop(db)
    for topic, body in facts_of_one_order(6001, 9001):
        deliver(db, topic, body)
    drain(db, clock)
    assert available(db, 9001) == 56
    with db.reading() as session:
        assert session.query(Entry).count() == 1
    assert {state for _, state, _ in outcomes(db)} == {"done"}

"""Whose points: guests, addresses, orders that change hands, customers that become one."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from app.ledger import Entry
from app.models import Member

from ..conftest import NOW, SHOP_ID
from ..support import (
    add_shop,
    an_order,
    available,
    balance,
    customer_body,
    deliver,
    drain,
    merge_body,
    order_body,
    outcomes,
    problems,
    refund_body,
)


@pytest.fixture
def say(db, clock):
    """Deliver bodies one by one, working the inbox after each; the books must add up after every one of them."""

    def say(*deliveries: tuple[str, dict[str, Any]]) -> None:
        for topic, body in deliveries:
            deliver(db, topic, body, now=clock(), webhook_id=f"w-{clock.now.timestamp()}")
            drain(db, clock)
            clock.advance(seconds=2)
            assert problems(db) == []

    add_shop(db)
    return say


def guest(order_id: int = 5731, **more: Any) -> tuple[str, dict[str, Any]]:
    return "orders/paid", order_body(order_id, customer_id=None, **more)


def entries(db) -> int:
    with db.reading() as session:
        return len(session.scalars(select(Entry.key)).all())


def test_a_guests_order_waits_and_holds_no_entries(db, say):
    say(guest())
    order = an_order(db)
    assert (order.reason, order.member_id, order.points) == ("waiting_for_customer", None, 0)
    assert order.address_hash and "nora" not in order.facts
    assert entries(db) == 0


def test_a_guests_order_joins_the_customer_whose_verified_address_it_was_placed_with(db, say):
    say(guest(), ("customers/create", customer_body()))
    assert available(db, 7001) == 28
    order = an_order(db)
    assert (order.reason, order.address_hash) == (None, None)


def test_a_guests_order_that_comes_after_the_customer_joins_at_once(db, say):
    say(("customers/create", customer_body(email=" Nora@Example.COM ")), guest())
    assert available(db, 7001) == 28


def test_an_unverified_address_collects_nothing(db, say):
    say(
        ("customers/create", customer_body(verified=False)),
        guest(),
        ("customers/update", customer_body(verified=False)),
    )
    assert available(db, 7001) == 0
    assert an_order(db).member_id is None
    say(("customers/update", customer_body(updated_at=NOW + timedelta(hours=1))))
    assert available(db, 7001) == 28


def test_a_stale_customer_body_verifies_nothing(db, say):
    say(
        ("customers/update", customer_body(verified=False, updated_at=NOW + timedelta(hours=1))),
        ("customers/create", customer_body(verified=True, updated_at=NOW)),
        guest(),
    )
    assert available(db, 7001) == 0


def test_another_address_collects_nothing(db, say):
    say(guest(), ("customers/create", customer_body(email="nora+1@example.com")))
    assert available(db, 7001) == 0


def test_a_guests_refund_is_known_when_the_customer_comes(db, say):
    refund = refund_body(1, units={1: 1})
    say(guest(lines=[("28.00", 3)]), ("refunds/create", refund), ("customers/create", customer_body()))
    assert available(db, 7001) == 56


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_guest_customer_and_refund_in_any_order(db, say, order):
    told = [
        guest(lines=[("28.00", 3)]),
        ("refunds/create", refund_body(1, units={1: 1})),
        ("customers/create", customer_body()),
    ]
    say(*[told[place] for place in order])
    assert available(db, 7001) == 56


def test_an_order_is_attached_to_its_customer_late(db, say):
    say(guest(email=None))
    assert an_order(db).reason == "no_customer"
    say(("orders/updated", order_body(updated_at=NOW + timedelta(hours=1))))
    assert available(db, 7001) == 28


def test_a_body_without_a_customer_takes_none_away(db, say):
    say(
        ("orders/paid", order_body()),
        ("orders/updated", order_body(customer_id=None, updated_at=NOW + timedelta(hours=1))),
    )
    assert available(db, 7001) == 28


def test_an_order_moved_to_another_customer_takes_from_the_first_and_gives_to_the_second(db, say):
    say(("orders/paid", order_body(lines=[("28.00", 2)])), ("orders/paid", order_body(5732)))
    assert available(db, 7001) == 84
    moved = order_body(customer_id=7002, lines=[("28.00", 2)], updated_at=NOW + timedelta(hours=1))
    say(("orders/updated", moved))
    assert (available(db, 7001), available(db, 7002)) == (28, 56)
    with db.reading() as session:  # in one transaction: both ends of the move were posted at the same moment
        event = session.scalars(select(Entry).where(Entry.event == "order:5731:settled:2")).all()
    assert [(entry.kind, entry.points) for entry in sorted(event, key=lambda entry: entry.kind)] == [
        ("earned", 56), ("taken_back", 56),
    ]  # fmt: skip
    assert len({entry.posted_at for entry in event}) == 1
    say(("refunds/create", refund_body(1, units={1: 1})))
    assert (available(db, 7001), available(db, 7002)) == (28, 28)


def test_a_moved_order_refunded_in_the_same_body_moves_what_remains(db, say):
    say(("orders/paid", order_body(lines=[("28.00", 2)])))
    refund = refund_body(1, units={1: 1}, created_at=NOW + timedelta(hours=1))
    body = order_body(
        customer_id=7002, lines=[("28.00", 2)], refunds=[refund], status="partially_refunded",
        updated_at=NOW + timedelta(hours=1),
    )  # fmt: skip
    say(("orders/updated", body))
    assert (available(db, 7001), available(db, 7002)) == (0, 28)


def test_a_moved_order_whose_points_were_spent_leaves_a_debt_behind(db, clock, say):
    from app.loyalty.adjust import adjust

    say(("orders/paid", order_body()))
    with db.transaction() as session:
        member = session.scalars(select(Member)).one()
        adjust(session, SHOP_ID, member.member_id, points=-28, reason="Spent", key="k", author="a", now=clock())
    say(("orders/updated", order_body(customer_id=7002, updated_at=NOW + timedelta(hours=1))))
    assert balance(db, 7001)["debt"] == 28
    assert available(db, 7002) == 28


def test_merged_customers_books_become_one(db, say):
    say(("orders/paid", order_body(lines=[("28.00", 2)])), ("orders/paid", order_body(5732, customer_id=7002)))
    say(("customers/merge", merge_body(kept_id=7002, deleted_id=7001)))
    assert available(db, 7002) == 84
    assert available(db, 7001) == 84  # the old id finds the book that counts
    assert an_order(db).member_id == an_order(db, 5732).member_id


def test_a_refund_after_a_merge_finds_the_right_lot(db, say):
    say(("orders/paid", order_body(lines=[("28.00", 2)])), ("orders/paid", order_body(5732, customer_id=7002)))
    say(
        ("customers/merge", merge_body(kept_id=7002, deleted_id=7001)), ("refunds/create", refund_body(1, units={1: 1}))
    )
    assert available(db, 7002) == 56
    with db.reading() as session:
        taken = session.scalars(select(Entry).where(Entry.kind == "taken_back")).one()
    assert taken.lot == "order:5731"


def test_a_merge_moves_debt_and_points_on_hold(db, clock):
    from app.loyalty.adjust import adjust
    from app.program.presets import preset

    starter = preset("starter", "EUR")
    held = starter.model_copy(update={"earning": starter.earning.model_copy(update={"hold_days": 3})})
    add_shop(db, program=held)
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    clock.advance(days=4)
    deliver(db, "orders/paid", order_body(5732, customer_id=7002, created_at=clock(), updated_at=clock()), now=clock())
    drain(db, clock)
    with db.transaction() as session:
        member = session.scalars(select(Member).where(Member.customer_id == 7001)).one()
        adjust(session, SHOP_ID, member.member_id, points=-28, reason="Spent", key="k", author="a", now=clock())
    deliver(db, "refunds/create", refund_body(1, units={1: 1}), now=clock())
    drain(db, clock)
    assert (balance(db, 7001)["debt"], balance(db, 7002)["pending"]) == (28, 28)
    deliver(db, "customers/merge", merge_body(kept_id=7002, deleted_id=7001), now=clock())
    drain(db, clock)
    assert balance(db, 7002) == {"available": 0, "pending": 28, "reserved": 0, "debt": 28}
    clock.advance(days=3)
    drain(db, clock)
    assert balance(db, 7002) == {"available": 0, "pending": 0, "reserved": 0, "debt": 0}
    assert problems(db) == []


def test_a_merge_told_twice_or_in_progress_is_one_merge(db, say):
    say(("orders/paid", order_body()), ("customers/merge", merge_body(7002, 7001, status="in_progress")))
    assert available(db, 7002) == 0
    say(("customers/merge", merge_body(7002, 7001)), ("customers/merge", {**merge_body(7002, 7001), "again": 1}))
    assert available(db, 7002) == 28


def test_a_merge_before_anything_is_known_of_either(db, say):
    say(("customers/merge", merge_body(kept_id=7002, deleted_id=7001)), ("orders/paid", order_body()))
    assert available(db, 7002) == 28


def test_three_customers_become_one(db, say):
    for number, customer in enumerate((7001, 7002, 7003)):
        say(("orders/paid", order_body(5731 + number, customer_id=customer)))
    say(("customers/merge", merge_body(7002, 7001)), ("customers/merge", merge_body(7003, 7002)))
    assert [available(db, customer) for customer in (7001, 7002, 7003)] == [84, 84, 84]
    say(("refunds/create", refund_body(1, units={1: 1})))
    assert available(db, 7003) == 56


def test_a_deleted_customer_keeps_their_books(db, say):
    say(("orders/paid", order_body()), ("customers/delete", {"id": 7001, "admin_graphql_api_id": None}))
    with db.reading() as session:
        assert session.scalars(select(Member)).one().closed_at is not None
    assert available(db, 7001) == 28


def test_somebody_who_deleted_their_account_and_came_back_collects_with_the_new_one(db, say):
    say(("customers/create", customer_body()), ("customers/delete", {"id": 7001}))
    say(("customers/create", customer_body(7009)), guest())
    assert (available(db, 7001), available(db, 7009)) == (0, 28)


def test_a_late_word_of_a_merged_customer_changes_nobodys_address(db, say):
    say(("customers/create", customer_body(7001)), ("customers/create", customer_body(7002, email="ines@example.com")))
    say(("customers/merge", merge_body(kept_id=7002, deleted_id=7001)))
    say(("customers/update", customer_body(7001, updated_at=NOW + timedelta(hours=1))))
    say(guest(email="ines@example.com"))
    assert available(db, 7002) == 28


def test_before_launch_nobody_is_a_member(db, clock):
    add_shop(db, program=None)
    deliver(db, "customers/create", customer_body())
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    with db.reading() as session:
        assert session.scalars(select(Member)).all() == []
    assert outcomes(db)[0][1] == "ignored"
    assert an_order(db).reason == "not_started"

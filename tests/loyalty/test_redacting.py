"""Forgetting a customer, and a whole shop: the person goes, the books stay whole, other shops stay as they were."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.db import Base
from app.loyalty.adjust import adjust
from app.loyalty.redact import redact_shop
from app.models import Adjustment, Delivery, Member, Order, PrivacyRequest, Shop

from ..conftest import DOMAIN, NOW, SHOP_ID
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

# Tables in which a worker leaves its marks whatever it does, also for the shop next door.
WORKED_MEANWHILE = ("deliveries", "due_shops", "jobs")
OTHER, OTHER_DOMAIN = SHOP_ID + 1, "other.myshopify.com"


def redact_body(
    customer_id: int | None = 7001, *, email: str | None = "nora@example.com", orders: tuple[int, ...] = (), **more: Any
) -> dict[str, Any]:
    customer = {"id": customer_id, "email": email, "phone": "+4915112345678"}
    return {
        "shop_id": SHOP_ID, "shop_domain": DOMAIN, "customer": customer, "orders_to_redact": list(orders), **more,
    }  # fmt: skip


def shop_body(shop_id: int = SHOP_ID, domain: str = DOMAIN) -> dict[str, Any]:
    return {"shop_id": shop_id, "shop_domain": domain}


def uninstalled_body(shop_id: int = SHOP_ID, domain: str = DOMAIN) -> dict[str, Any]:
    return {"id": shop_id, "myshopify_domain": domain, "shop_owner": "Ada", "name": "Saltmarsh", "currency": "EUR"}


@pytest.fixture
def say(db, clock):
    def say(*deliveries: tuple[str, dict[str, Any]], triggered_at: Any = None, domain: str = DOMAIN) -> None:
        for topic, body in deliveries:
            deliver(
                db, topic, body, now=clock(), webhook_id=f"w-{clock.now.timestamp()}", triggered_at=triggered_at,
                domain=domain,
            )  # fmt: skip
            drain(db, clock)
            clock.advance(seconds=2)
            assert problems(db) == []

    add_shop(db)
    return say


def everything_stored(db) -> str:
    """Every value of every row of every table, as text."""
    with db.reading() as session:
        return "\n".join(
            repr(tuple(bytes(value) if isinstance(value, memoryview) else value for value in row))
            for table in Base.metadata.sorted_tables
            for row in session.execute(table.select())
        )


def rows_of(db, shop_id: int) -> dict[str, list[str]]:
    """Every row of a shop, table by table."""
    with db.reading() as session:
        return {
            table.name: sorted(
                repr(tuple(bytes(value) if isinstance(value, memoryview) else value for value in row))
                for row in session.execute(table.select().where(table.c.shop_id == shop_id))
            )
            for table in Base.metadata.sorted_tables
            if "shop_id" in table.c
        }


def a_customers_traces(db, clock, say) -> None:
    """Orders as customer and as guest, a word of staff's, a parked body, all with canaries of one person."""
    say(("customers/create", customer_body()), ("orders/paid", order_body(name="#NORA-1")))
    guest = order_body(5732, customer_id=None, name="#NORA-2")
    say(("orders/paid", guest), ("orders/paid", order_body(5733, customer_id=None, email="nora@work.example")))
    with db.transaction() as session:
        member = session.scalars(select(Member).where(Member.customer_id == 7001)).one()
        adjust(session, SHOP_ID, member.member_id, points=5, reason="For Nora", key="k", author="a", now=clock())
    broken = {**order_body(5734), "line_items": "Nora bought nora@example.com"}
    say(("orders/updated", broken))
    assert outcomes(db)[-1][1] == "parked"


def test_a_customer_is_forgotten_and_the_books_stay_whole(db, clock, say):
    a_customers_traces(db, clock, say)
    before = available(db, 7001)
    say(("customers/redact", redact_body(orders=(5733,))))
    stored = everything_stored(db).lower()
    for canary in ("nora", "7001", "491511"):
        assert canary not in stored
    with db.reading() as session:
        member = session.scalars(select(Member)).one()
        assert member.customer_id is None and member.redacted_at is not None
        assert session.scalars(select(Adjustment)).one().reason == ""
        assert {order.redacted for order in session.scalars(select(Order))} == {True}
        assert session.scalars(select(Delivery).where(Delivery.state == "parked")).all() == []
    assert before == 28 + 28 + 5
    assert available(db, 7001) == 0  # nobody is found under that id


def test_a_refund_of_a_forgotten_customers_order_still_settles(db, clock, say):
    a_customers_traces(db, clock, say)
    say(("customers/redact", redact_body()), ("refunds/create", refund_body(1, units={1: 1})))
    order = an_order(db)
    assert (order.points, order.settlements) == (0, 2)


def test_a_late_webhook_brings_nobody_back_and_awards_nobody(db, clock, say):
    say(("orders/paid", order_body()), ("customers/redact", redact_body()))
    say(("orders/updated", order_body(updated_at=NOW + timedelta(hours=1), name="#NORA-1")))
    say(("orders/paid", order_body(5740, name="#NORA-9")), ("customers/update", customer_body()))
    stored = everything_stored(db).lower()
    assert "nora" not in stored and "7001" not in stored
    with db.reading() as session:
        assert len(session.scalars(select(Member)).all()) == 1
    assert an_order(db, 5740).points == 0


def test_a_redaction_before_the_orders_own_webhook(db, clock, say):
    say(("customers/redact", redact_body(orders=(5731,))), ("orders/paid", order_body(name="#NORA-1")))
    stored = everything_stored(db).lower()
    assert "nora" not in stored and "7001" not in stored
    assert (an_order(db).points, an_order(db).redacted) == (0, True)


def test_a_listed_guests_order_that_comes_later_stays_nameless(db, clock, say):
    say(("customers/redact", redact_body(None, orders=(5731,))))
    say(("orders/paid", order_body(customer_id=None, name="#NORA-1")), ("customers/create", customer_body(7005)))
    assert an_order(db).address_hash is None
    assert available(db, 7005) == 0
    assert "#nora" not in everything_stored(db).lower()


def test_an_unknown_customer_and_a_second_redaction_are_carried_out_too(db, say):
    say(("customers/redact", redact_body(999, email="who@example.com")))
    say(("orders/paid", order_body()), ("customers/redact", redact_body()))
    after = {name: rows for name, rows in rows_of(db, SHOP_ID).items() if name not in WORKED_MEANWHILE}
    say(("customers/redact", {**redact_body(), "again": True}))
    again = {name: rows for name, rows in rows_of(db, SHOP_ID).items() if name not in WORKED_MEANWHILE}
    assert again == after
    assert {state for _, state, _ in outcomes(db)} == {"done"}


def test_one_customers_redaction_leaves_the_others_as_they_were(db, clock, say):
    say(
        ("orders/paid", order_body(5740, customer_id=7002, email="ines@example.com")),
        ("customers/create", customer_body(7002, email="ines@example.com")),
    )
    with db.reading() as session:
        ines = repr(session.execute(Member.__table__.select()).all()) + repr(
            session.execute(Order.__table__.select()).all()
        )
    a_customers_traces(db, clock, say)
    say(("customers/redact", redact_body()))
    with db.reading() as session:
        member, order = Member.__table__, Order.__table__
        after = repr(session.execute(member.select().where(member.c.customer_id == 7002)).all()) + repr(
            session.execute(order.select().where(order.c.order_id == 5740)).all()
        )
    assert after == ines


MERGE = ("customers/merge", merge_body(kept_id=7002, deleted_id=7001))


def test_who_was_merged_away_leaves_no_id_in_the_kept_customers_orders(db, say):
    say(("orders/paid", order_body(name="#NORA-1")), MERGE, ("customers/redact", redact_body(7001)))
    assert "7001" not in everything_stored(db)
    assert available(db, 7002) == 28  # the kept customer's points stay
    say(("orders/updated", order_body(name="#NORA-1", updated_at=NOW + timedelta(hours=1))))
    assert "7001" not in everything_stored(db)


def test_who_others_were_merged_into_is_forgotten_under_all_their_ids(db, say):
    say(("orders/paid", order_body(5730)), MERGE, ("orders/paid", order_body(customer_id=7002)))
    say(("customers/redact", redact_body(7002)))
    say(("orders/updated", order_body(5730, updated_at=NOW + timedelta(hours=1))), ("orders/paid", order_body(5740)))
    stored = everything_stored(db)
    assert "7001" not in stored and "7002" not in stored
    assert an_order(db, 5740).points == 0


def test_an_order_from_before_the_launch_is_forgotten_too(db, clock):
    """It has no member: only its facts say whose it was."""
    add_shop(db, program=None)
    deliver(db, "orders/paid", order_body(name="#NORA-1"))
    deliver(db, "customers/redact", redact_body(), now=NOW + timedelta(seconds=1))
    clock.advance(seconds=2)
    drain(db, clock)
    assert "7001" not in everything_stored(db)


def test_a_data_request_that_names_only_an_address_finds_its_customer(db, say):
    say(("orders/paid", order_body()), ("customers/create", customer_body()))
    body = {"shop_id": SHOP_ID, "shop_domain": DOMAIN, "orders_requested": [], "data_request": {"id": 31}}
    say(("customers/data_request", {**body, "customer": {"email": " Nora@Example.com"}}))
    say(("customers/data_request", {**body, "customer": {"email": "who@example.com"}, "data_request": {"id": 32}}))
    with db.reading() as session:
        asked = {row.request_id: row.customer_id for row in session.scalars(select(PrivacyRequest))}
    assert asked == {31: 7001, 32: None}


def test_a_redaction_in_the_same_batch_as_the_order_it_is_about(db, clock):
    add_shop(db)
    deliver(db, "orders/paid", order_body(name="#NORA-1"))
    deliver(db, "customers/redact", redact_body(orders=(5731,)), now=NOW + timedelta(milliseconds=1))
    deliver(
        db,
        "orders/updated",
        order_body(name="#NORA-1", updated_at=NOW + timedelta(hours=1)),
        now=NOW + timedelta(milliseconds=2),
    )
    clock.advance(seconds=1)
    drain(db, clock)
    stored = everything_stored(db).lower()
    assert "nora" not in stored and "7001" not in stored
    assert problems(db) == []


def test_a_redaction_that_names_another_shop_is_parked(db, say):
    say(("orders/paid", order_body()), ("customers/redact", {**redact_body(), "shop_id": SHOP_ID + 5}))
    assert outcomes(db)[-1][1:] == ("parked", "It names another shop.")
    assert available(db, 7001) == 28


# --- a shop ---------------------------------------------------------------------------------------------------------


def two_shops(db, clock, say) -> None:
    add_shop(db, shop_id=OTHER, domain=OTHER_DOMAIN)
    a_customers_traces(db, clock, say)
    say(("orders/paid", order_body(shop_id=OTHER, domain=OTHER_DOMAIN)), domain=OTHER_DOMAIN)
    say(("orders/updated", {"line_items": 3}), domain=OTHER_DOMAIN)


def test_an_uninstalled_shop_is_erased_and_the_other_shop_is_as_it_was(db, clock, say):
    two_shops(db, clock, say)
    say(("app/uninstalled", uninstalled_body()), triggered_at=NOW + timedelta(minutes=1))
    other = rows_of(db, OTHER)
    say(("shop/redact", shop_body()), triggered_at=NOW + timedelta(days=2))
    assert all(not rows for rows in rows_of(db, SHOP_ID).values())
    left = rows_of(db, OTHER)
    for name in WORKED_MEANWHILE:
        left[name] = other[name] = []
    assert left == other
    assert problems(db) == []
    assert not deliver(db, "orders/paid", order_body())  # a shop nobody knows: nothing is stored


def test_erasing_a_shop_leaves_every_byte_of_the_other(db, clock, say):
    two_shops(db, clock, say)
    other = rows_of(db, OTHER)
    with db.transaction() as session:
        redact_shop(session, SHOP_ID)
    assert all(not rows for rows in rows_of(db, SHOP_ID).values())
    assert rows_of(db, OTHER) == other


def test_a_shop_that_is_installed_is_held(db, say):
    say(("orders/paid", order_body()), ("shop/redact", shop_body()), triggered_at=NOW)
    assert outcomes(db)[-1][1:] == ("parked", "held: the shop is installed")
    assert available(db, 7001) == 28


def test_a_held_redaction_is_carried_out_when_the_uninstall_triggered_before_it_arrives(db, say):
    say(("orders/paid", order_body()))
    say(("shop/redact", shop_body()), triggered_at=NOW + timedelta(hours=1))
    say(("app/uninstalled", uninstalled_body()), triggered_at=NOW + timedelta(minutes=30))
    assert all(not rows for rows in rows_of(db, SHOP_ID).values())


def test_a_held_redaction_stays_held_for_an_uninstall_triggered_after_it(db, say):
    say(("shop/redact", shop_body()), triggered_at=NOW + timedelta(hours=1))
    say(("app/uninstalled", uninstalled_body()), triggered_at=NOW + timedelta(hours=2))
    with db.reading() as session:
        assert session.get(Shop, SHOP_ID) is not None
    assert ("shop/redact", "parked", "held: the shop is installed") in outcomes(db)


def test_a_redaction_with_others_behind_it_in_its_batch_erases_the_shop(db, clock):
    add_shop(db)
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).uninstalled_at = NOW
    deliver(db, "orders/paid", order_body())
    deliver(db, "shop/redact", shop_body(), now=NOW + timedelta(milliseconds=1))
    deliver(db, "orders/paid", order_body(5732), now=NOW + timedelta(milliseconds=2))
    deliver(db, "customers/create", customer_body(), now=NOW + timedelta(milliseconds=3))
    deliver(db, "orders/paid", {"broken": True}, now=NOW + timedelta(milliseconds=4))
    clock.advance(seconds=1)
    drain(db, clock)
    assert all(not rows for rows in rows_of(db, SHOP_ID).values())


def test_a_shop_redaction_does_not_fit_under_another_topic(db, say):
    say(("customers/redact", shop_body()), ("shop/redact", redact_body()))
    assert [state for _, state, _ in outcomes(db)] == ["parked", "parked"]


def test_balances_of_others_survive(db, clock, say):
    two_shops(db, clock, say)
    say(("app/uninstalled", uninstalled_body()), ("shop/redact", shop_body()))
    assert balance(db, 7001, shop_id=OTHER)["available"] == 28

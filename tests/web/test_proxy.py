"""Behind the app proxy: ``GET /proxy/shopper`` exactly as DESIGN §8 has it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.loyalty.adjust import adjust
from app.loyalty.members import join
from app.loyalty.programs import pause
from app.models import Member, Shop
from app.program.presets import preset

from ..conftest import NOW, SHOP_ID
from ..rewarding import the_reward
from ..support import add_shop, deliver, drain, order_body, refund_body
from .asking import Door, proxied, stamp

ZEROS = {
    "available": 0, "pending": 0, "reserved": 0, "debt": 0, "next_at": None, "tier": None, "referral": None,
}  # fmt: skip
STARTERS = {
    "id": the_reward().reward_id, "title": "€5\u00a0off", "points": 100, "kind": "amount_off", "amount_minor": 500,
    "minimum_minor": 0, "only_products": False, "starts_at": None, "valid_days": 30, "combines": False, "steps": None,
}  # fmt: skip


def shopper(door: Door, customer: str | int = "", **more):
    return door.get(proxied("/proxy/shopper", customer, **more))


def test_a_visitor_is_told_about_the_program_and_is_nobody(door, db):
    add_shop(db)
    answer = shopper(door)
    assert answer.status == 200
    assert answer.json() == {
        "program": {"name": preset("starter", "EUR").name, "live": True, "paused": False},
        "member": None,
        "rewards": [{**STARTERS, "affordable": False, "reason": None}],
        "redemptions": [],
        "ways_to_earn": [{"id": "order", "title": "Place an order", "points": "1 point for every €1"}],
        "history": [],
        "history_next": None,
    }


def test_a_customer_never_heard_of_is_a_member_with_zeros(door, db):
    add_shop(db)
    told = shopper(door, 7001).json()
    assert told["member"] == ZEROS
    assert told["rewards"] == [{**STARTERS, "affordable": False, "reason": "not_enough_points"}]
    assert (told["history"], told["history_next"], told["redemptions"]) == ([], None, [])


def test_asking_makes_nobody_a_member(door, db):
    add_shop(db)
    shopper(door, 7001)
    with db.reading() as session:
        assert session.query(Member).count() == 0


def test_a_customer_sees_their_points_and_every_reason(door, db, clock):
    add_shop(db)
    deliver(db, "orders/paid", order_body(5731, lines=[("28.00", 3)]))
    drain(db, clock)
    clock.advance(minutes=1)
    deliver(db, "refunds/create", refund_body(1, units={1: 1}, created_at=clock.now), now=clock.now)
    deliver(db, "orders/paid", order_body(5732, customer_id=7002), now=clock.now)
    drain(db, clock)
    told = shopper(door, 7001, now=clock.now).json()
    assert told["member"] == {**ZEROS, "available": 56}
    rows = told["history"]
    assert [(row["at"], row["points"], row["kind"], row["title"]) for row in rows] == [
        ("2026-11-21T12:01:00Z", -28, "taken_back", "Refund on order #5731"),
        ("2026-11-21T12:00:00Z", 84, "earned", "Order #5731"),
    ]
    assert all(row["reason"] and set(row) == {"at", "points", "kind", "title", "reason"} for row in rows)
    assert told["history_next"] is None


def test_pending_points_say_when_they_come(door, db, clock):
    settings = preset("starter", "EUR")
    settings = settings.model_copy(update={"earning": settings.earning.model_copy(update={"hold_days": 14})})
    add_shop(db, program=settings)
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    told = shopper(door, 7001).json()
    assert told["member"] == {**ZEROS, "pending": 28, "next_at": "2026-12-05T12:00:00Z"}
    assert told["history"][0]["kind"] == "pending"


def test_an_order_that_earned_nothing_says_why(door, db, clock):
    add_shop(db)
    deliver(db, "orders/paid", order_body(test=True))
    drain(db, clock)
    row = shopper(door, 7001).json()["history"][0]
    assert (row["points"], row["kind"]) == (0, "zero")
    assert "test" in row["reason"].lower()


def test_before_launch_there_is_no_program(door, db):
    add_shop(db, program=None)
    told = shopper(door, 7001).json()
    assert (told["program"], told["ways_to_earn"], told["member"]) == (None, [], ZEROS)


def test_a_paused_program_says_so_and_offers_nothing(door, db):
    add_shop(db)
    with db.transaction() as session:
        pause(session, session.get_one(Shop, SHOP_ID), now=NOW)
    told = shopper(door, 7001).json()
    assert (told["program"]["paused"], told["ways_to_earn"]) == (True, [])


@pytest.mark.parametrize("customer", ["0", "-1", "+7001", " 7001", "7001 ", "07001", "7001.0", "7e3", "0x1b59", "1_0",
                                      "\u0667\u0660\u0660\u0661", "9223372036854775808", "9" * 30, "null", "true",
                                      "gid://shopify/Customer/7001", "7001,7001", "7001\x00"])  # fmt: skip
def test_what_is_no_customer_id_is_nobody(quick_door, sqlite_db, clock, customer):
    add_shop(sqlite_db)
    deliver(sqlite_db, "orders/paid", order_body())
    drain(sqlite_db, clock)
    answer = shopper(quick_door, customer)
    assert (answer.status, answer.json()["member"], answer.json()["history"]) == (200, None, [])


def test_the_largest_customer_id_is_somebody(door, db):
    add_shop(db)
    assert shopper(door, 2**63 - 1).json()["member"] == ZEROS


def test_a_shop_that_uninstalled_or_never_installed_is_404(door, db):
    add_shop(db)
    stranger = shopper(door, 7001, domain="stranger.myshopify.com")
    with db.transaction() as session:
        session.execute(text("UPDATE shops SET uninstalled_at = installed_at"))
    gone = shopper(door, 7001)
    assert (gone.status, gone.json()["error"]["code"]) == (404, "not_found")
    assert (stranger.status, stranger.body) == (404, gone.body)


def test_an_unsigned_or_old_question_is_401_in_the_same_words(quick_door, sqlite_db):
    add_shop(sqlite_db)
    signed = proxied("/proxy/shopper", 7001)
    refused = [
        quick_door.get("/proxy/shopper"),
        quick_door.get(signed.replace("7001", "7002")),
        quick_door.get(signed + "&shop=other.myshopify.com"),
        quick_door.get(signed.replace("signature=", "sig=")),
        shopper(quick_door, 7001, now=NOW - timedelta(seconds=91)),
        shopper(quick_door, 7001, now=NOW + timedelta(seconds=91)),
        shopper(quick_door, 7001, secret="shpss_another"),
        quick_door.get("/proxy/shopper?" + signed.partition("?")[2].replace(stamp(), "9" * 13)),
    ]
    assert {answer.status for answer in refused} == {401}
    assert len({answer.body for answer in refused}) == 1
    assert shopper(quick_door, 7001, now=NOW - timedelta(seconds=89)).status == 200


def test_ids_anywhere_else_in_the_request_are_nobodys(quick_door, sqlite_db, clock):
    add_shop(sqlite_db)
    deliver(sqlite_db, "orders/paid", order_body())
    drain(sqlite_db, clock)
    target = proxied("/proxy/shopper", 7002, extra=[("customer_id", "7001"), ("member_id", "7001"), ("id", "7001")])
    headers = {"X-Customer-Id": "7001", "Cookie": "logged_in_customer_id=7001", "X-Shopify-Customer": "7001"}
    assert quick_door.get(target, headers=headers, body=b'{"logged_in_customer_id":7001}').json()["member"] == ZEROS


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_405_as_json(quick_door, sqlite_db, method):
    add_shop(sqlite_db)
    answer = quick_door.ask(method, proxied("/proxy/shopper", 7001))
    assert (answer.status, answer.json()["error"]["code"]) == (405, "method_not_allowed")


def test_an_address_that_is_none_is_404_as_json(quick_door, sqlite_db):
    add_shop(sqlite_db)
    answer = quick_door.get(proxied("/proxy/nothing", 7001))
    assert (answer.status, answer.json()["error"]) == (
        404, {"code": "not_found", "message": "There is no such page.", "field": None},
    )  # fmt: skip


def test_nobody_may_keep_the_answer(quick_door, sqlite_db):
    add_shop(sqlite_db)
    headers = shopper(quick_door, 7001).headers
    assert headers["cache-control"] == "no-store, private"
    assert "set-cookie" not in headers


def pages(door: Door, customer: int, now) -> list[dict]:
    """Every row of a customer's history, page by page."""
    rows, cursor = [], None
    for _ in range(200):
        extra = [("cursor", cursor)] if cursor else []
        told = door.get(proxied("/proxy/shopper", customer, now=now, extra=extra)).json()
        assert len(told["history"]) <= 20
        rows += told["history"]
        cursor = told["history_next"]
        if cursor is None:
            return rows
    raise AssertionError("the pages never end")


def test_hundreds_of_movements_are_paged_none_skipped_and_none_twice(door, db, clock):
    """Orders that earned, orders that did not, refunds and corrections, many of them at one moment."""
    add_shop(db)
    wanted = 0
    for batch in range(8):
        for number in range(30):
            order_id = 10_000 + batch * 100 + number
            deliver(db, "orders/paid", order_body(order_id, test=number % 3 == 0), now=clock.now)
            wanted += 1
        drain(db, clock)
        clock.advance(seconds=batch % 3)  # some batches share their moment
    for number in range(30):
        order_id = 10_000 + number
        deliver(db, "refunds/create", refund_body(number + 1, order_id, units={1: 1}), now=clock.now)
        wanted += number % 3 != 0
    drain(db, clock)
    with db.transaction() as session:
        member_id = session.query(Member.member_id).scalar()
        for number in range(25):
            adjust(session, SHOP_ID, member_id, points=5, reason=f"Sorry {number}", key=f"a{number}", author="staff 1",
                   now=clock.now)  # fmt: skip
            wanted += 1
    rows = pages(door, 7001, clock.now)
    assert len(rows) == wanted
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    counted = [(row["title"], row["kind"]) for row in rows if row["kind"] != "adjusted"]
    assert len(set(counted)) == len(counted)
    said = sorted(row["reason"].rpartition(" ")[2] for row in rows if row["kind"] == "adjusted")
    assert said == sorted(str(number) for number in range(25))


@pytest.mark.parametrize("cursor", ["x", "AAAA", "=" * 10, "%", "-1.0.0", "\u00e9", "9" * 64, "MC4wLjA", "a" * 2_000,
                                    "OTk5OTk5OTk5OTk5OTk5OTk5OTk5Ljk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5LjE"])  # fmt: skip
def test_a_cursor_that_is_none_begins_at_the_beginning_and_never_fails(quick_door, sqlite_db, clock, cursor):
    add_shop(sqlite_db)
    deliver(sqlite_db, "orders/paid", order_body())
    drain(sqlite_db, clock)
    answer = shopper(quick_door, 7001, extra=[("cursor", cursor)])
    assert answer.status == 200
    assert answer.json()["member"]["available"] == 28


def test_a_cursor_of_another_member_shows_nothing_of_theirs(door, db, clock):
    add_shop(db)
    for number in range(45):
        deliver(db, "orders/paid", order_body(6000 + number, customer_id=7001), webhook_id=f"w{number}")
    drain(db, clock)
    with db.transaction() as session:
        join(session, SHOP_ID, [7002], NOW)
    cursor = shopper(door, 7001).json()["history_next"]
    assert cursor
    assert shopper(door, 7002, extra=[("cursor", cursor)]).json()["history"] == []


def test_an_order_of_another_customer_is_not_in_the_history(door, db, clock):
    add_shop(db)
    deliver(db, "orders/paid", order_body(1, customer_id=7001))
    deliver(db, "orders/paid", order_body(2, customer_id=7002))
    drain(db, clock)
    assert [row["title"] for row in shopper(door, 7002).json()["history"]] == ["Order #2"]

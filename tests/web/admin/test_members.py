"""Members: found by what a merchant has at hand, their ledger explained line by line, corrected by hand once."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import responses

from app.ledger import Entry
from app.loyalty.views.members import page_of_members
from app.models import Member

from ...conftest import NOW, SHOP_ID
from ...support import balance, deliver, drain, order_body, refund_body
from ..asking import Door
from ..shopify_stand_in import graphql_url
from .conftest import Browser, field_error, words_of


def member_of(db, customer_id=7001):
    with db.reading() as session:
        return session.query(Member.member_id).filter(Member.customer_id == customer_id).scalar()


@pytest.fixture
def nora(db, clock, shop):
    """A member with an order of three mugs, of which one came back."""
    deliver(db, "orders/paid", order_body(1031, lines=[("28.00", 3)]))
    drain(db, clock)
    clock.advance(hours=1)
    deliver(db, "refunds/create", refund_body(1, 1031, units={1: 1}, created_at=clock()), now=clock())
    drain(db, clock)
    return member_of(db)


def people(**named):
    """Shopify's answer about customers."""
    return [
        {"id": f"gid://shopify/Customer/{number[1:]}", "displayName": name,
         "defaultEmailAddress": {"emailAddress": f"{name.split()[0].lower()}@example.com"}}
        for number, name in named.items()
    ]  # fmt: skip


def asks_shopify(app, clock):
    return Browser(Door(app), clock=clock)


def test_a_list_says_what_each_member_has(merchant, nora):
    words = words_of(merchant.get("/admin/members"))
    assert "Customer 7001 56 0 21 Nov 21 Nov" in words
    assert "Shopify does not answer right now, so customers are shown by their number." in words


@responses.activate
def test_names_are_shopifys_and_never_stored(app, db, clock, nora):
    responses.post(graphql_url(), json={"data": {"nodes": people(c7001="Nora Lind")}})
    words = words_of(asks_shopify(app, clock).get("/admin/members"))
    assert "Nora Lind nora@example.com 56" in words
    with db.reading() as session:
        assert "Nora" not in str([vars(member) for member in session.query(Member)])


@responses.activate
def test_without_the_permission_to_read_customers_they_are_shown_by_number(app, clock, nora):
    denied = {"message": "Access denied for nodes field.", "extensions": {"code": "ACCESS_DENIED"}}
    responses.post(graphql_url(), json={"errors": [denied], "data": None})
    words = words_of(asks_shopify(app, clock).get("/admin/members"))
    assert "Regulars has no permission to read customers, so customers are shown by their number." in words
    assert "Customer 7001" in words


@responses.activate
def test_a_member_is_found_by_name_through_shopify(app, db, clock, nora):
    found = {
        "nodes": people(c7001="Nora Lind", c7002="Nora Berg"),
        "pageInfo": {"hasNextPage": False, "endCursor": None},
    }
    responses.post(graphql_url(), json={"data": {"customers": found}})
    words = words_of(asks_shopify(app, clock).get("/admin/members?q=nora"))
    assert "Nora Lind" in words
    assert "Nora Berg" not in words  # a customer, but no member
    assert json.loads(responses.calls[0].request.body)["variables"]["query"] == "nora"


@pytest.mark.parametrize("wanted", ["7001", "1031", "%231031"])
def test_a_member_is_found_by_customer_number_and_by_order_name(merchant, nora, wanted):
    words = words_of(merchant.get(f"/admin/members?q={wanted}"))
    assert "Customer 7001" in words


def test_nobody_found_is_said(merchant, nora):
    assert "No member found for “99999999999999999999”." in words_of(merchant.get(f"/admin/members?q={'9' * 20}"))


def test_pages_by_key_show_every_member_once_there_and_back(db, shop):
    with db.transaction() as session:
        for number in range(1, 8):
            joined_at = NOW + timedelta(seconds=number // 2)  # some in the same second
            session.add(Member(shop_id=SHOP_ID, member_id=number, customer_id=number, joined_at=joined_at))
    with db.reading() as session:
        pages = [page_of_members(session, SHOP_ID, limit=3)]
        while pages[-1].older:
            pages.append(page_of_members(session, SHOP_ID, older=pages[-1].older, limit=3))
        ids = [[row.member_id for row in page.rows] for page in pages]
        assert ids == [[7, 6, 5], [4, 3, 2], [1]]
        back = page_of_members(session, SHOP_ID, newer=pages[2].newer, limit=3)
        assert [row.member_id for row in back.rows] == [4, 3, 2]
        first = page_of_members(session, SHOP_ID, newer=back.newer, limit=3)
        assert ([row.member_id for row in first.rows], first.newer) == ([7, 6, 5], None)
        for nonsense in ("", "x", "1-", "9" * 70, "-5"):
            assert [row.member_id for row in page_of_members(session, SHOP_ID, older=nonsense, limit=3).rows] == [
                7,
                6,
                5,
            ]


def test_the_ledger_says_why_and_what_was_available_after_each_line(db, clock, merchant, nora):
    merchant.post(f"/admin/members/{nora}/adjust", {"points": "50", "reason": "Broke her mug", "key": "a"})
    words = words_of(merchant.get(f"/admin/members/{nora}"))
    assert "Correction Broke her mug · by you +50 106" in words
    assert "Refund on order #1031 1 of 3 × Mug 1, €28.00. Keeps 56 points. −28 56" in words
    assert "Order #1031 1 point for every €1 of €84.00. +84 84" in words


def test_available_is_right_on_later_pages_too(db, clock, merchant, shop):
    for number in range(1, 31):
        clock.advance(minutes=1)
        deliver(db, "orders/paid", order_body(number, lines=[("10.00", 1)], created_at=clock()), now=clock())
        drain(db, clock)
    member = member_of(db)
    first = merchant.get(f"/admin/members/{member}")
    older = first.text.split('data-next="')[1].split('"')[0].replace("&amp;", "&")
    assert "Order #11 1 point for every €1 of €10.00. +10 110" in words_of(first)
    assert "Order #10 1 point for every €1 of €10.00. +10 100" in words_of(merchant.get(older))


def test_a_row_opens_its_working(merchant, nora):
    words = words_of(merchant.get(f"/admin/members/{nora}?order=1031"))
    assert "Why order #1031 earned 84, then 56" in words
    assert "3 × Mug 1 €84.00 1 × Mug 1 returned −€28.00 Counts €56.00 1 point for every €1 56 points" in words
    assert "Holds today 56 points Version 1 of the program. Later versions do not change this order." in words


def test_an_order_that_earned_nothing_says_why(db, clock, merchant, shop):
    deliver(db, "orders/paid", order_body(9, test=True))
    drain(db, clock)
    words = words_of(merchant.get(f"/admin/members/{member_of(db)}?order=9"))
    assert "Earned nothing: a test order, and the program does not count them. 0 0" in words
    assert "Why order #9 earned nothing" in words


def test_another_members_order_opens_nothing(db, clock, merchant, nora):
    deliver(db, "orders/paid", order_body(2, customer_id=7002, created_at=clock()), now=clock())
    drain(db, clock)
    assert "Why order" not in words_of(merchant.get(f"/admin/members/{nora}?order=2"))


def test_the_balance_at_the_end_of_a_past_day_is_told(db, clock, merchant, nora):
    clock.advance(days=3)
    merchant.post(f"/admin/members/{nora}/adjust", {"points": "50", "reason": "x", "key": "a"})
    assert "At the end of 21 Nov 56 points available, 0 pending" in words_of(
        merchant.get(f"/admin/members/{nora}?on=2026-11-21")
    )
    assert "At the end of" not in words_of(merchant.get(f"/admin/members/{nora}?on=2026-99-99"))


def test_pending_points_say_until_when(db, clock, merchant, shop):
    clock.advance(minutes=1)
    program = {"name": "Rewards", "points": "1", "per": "1.00", "rounding": "down", "minimum": "0", "vendors": "[]",
               "trigger": "paid", "hold": "14", "products": "", "when": "now"}  # fmt: skip
    merchant.post("/admin/program/publish", program)
    clock.advance(minutes=1)
    deliver(db, "orders/paid", order_body(1, created_at=clock()), now=clock())
    drain(db, clock)
    words = words_of(merchant.get(f"/admin/members/{member_of(db)}"))
    assert "Available 0 to use now Pending 28 until 5 Dec" in words
    assert "+28 pending 0" in words


def test_a_form_sent_twice_is_one_adjustment(db, merchant, nora):
    sent = {"points": "50", "reason": "Broke her mug", "key": "made-with-the-form"}
    first, second = (merchant.post(f"/admin/members/{nora}/adjust", sent, follow=False) for _ in range(2))
    assert (first.status, second.status) == (303, 303)
    assert balance(db, 7001)["available"] == 56 + 50
    with db.reading() as session:
        assert session.query(Entry).filter(Entry.kind == "adjusted").count() == 1


def test_every_rendering_of_the_form_has_a_key_of_its_own(merchant, nora):
    keys = {merchant.get(f"/admin/members/{nora}").text.split('name="key" value="')[1].split('"')[0] for _ in range(3)}
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("points", "reason", "status", "field"),
    [("", "x", 422, "points"), ("0", "x", 422, "points"), ("1.5", "x", 422, "points"), ("5", " ", 422, "reason"),
     ("-57", "x", 409, "points"), ("9" * 12, "x", 422, "points"), ("5", "y" * 501, 422, "reason")],
)  # fmt: skip
def test_a_correction_that_cannot_be_is_refused_beside_its_field(db, merchant, nora, points, reason, status, field):
    answer = merchant.post(f"/admin/members/{nora}/adjust", {"points": points, "reason": reason, "key": "k"})
    assert (answer.status, bool(field_error(answer, field))) == (status, True)
    assert 'data-open="adjust"' in answer.text
    assert 'name="key" value="k"' in answer.text
    assert balance(db, 7001)["available"] == 56


def test_a_key_used_for_something_else_is_refused_and_replaced(db, merchant, nora):
    merchant.post(f"/admin/members/{nora}/adjust", {"points": "5", "reason": "x", "key": "k"})
    answer = merchant.post(f"/admin/members/{nora}/adjust", {"points": "6", "reason": "x", "key": "k"})
    assert answer.status == 409
    assert 'name="key" value="k"' not in answer.text
    assert balance(db, 7001)["available"] == 61


def test_a_forgotten_member_keeps_the_books_and_cannot_be_corrected(db, clock, merchant, nora):
    deliver(db, "customers/redact", {
        "shop_id": SHOP_ID, "shop_domain": "saltmarsh.myshopify.com", "orders_to_redact": [1031],
        "customer": {"id": 7001, "email": "nora@example.com"},
    }, now=clock())  # fmt: skip
    drain(db, clock)
    words = words_of(merchant.get(f"/admin/members/{nora}?order=1031"))
    assert "Forgotten customer" in words
    assert "Why this order earned 84, then 56" in words
    assert "Adjust points" not in words
    assert merchant.post(f"/admin/members/{nora}/adjust", {"points": "5", "reason": "x", "key": "k"}).status == 404


def test_a_merged_member_leads_to_the_one_that_was_kept(db, clock, merchant, nora):
    deliver(db, "orders/paid", order_body(2, customer_id=7002, created_at=clock()), now=clock())
    drain(db, clock)
    deliver(db, "customers/merge", {
        "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/7002", "status": "completed",
        "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/7001", "errors": [],
        "admin_graphql_api_job_id": None,
    }, now=clock())  # fmt: skip
    drain(db, clock)
    kept = member_of(db, 7002)
    moved = merchant.door.get(f"/admin/members/{nora}", headers=merchant.token)
    assert (moved.status, moved.headers["location"]) == (303, f"/admin/members/{kept}")
    words = words_of(merchant.get(f"/admin/members/{kept}"))
    assert "Accounts joined Two customers were joined at Shopify, and their books with them. +56 84" in words
    assert "Customer 7001" not in words_of(merchant.get("/admin/members"))

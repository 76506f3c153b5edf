"""The home page: its numbers are the ledger's, and what waits for the merchant is on it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from app.ledger import Books
from app.ledger.models import Balance, Entry
from app.loyalty.programs import save_draft
from app.loyalty.views.home import home
from app.loyalty.views.words import Words
from app.models import Discount, Member, Shop
from app.program.presets import preset

from ...conftest import NOW, SHOP_ID
from ...rewarding import fill_pool, redeemed, the_reward
from ...support import deliver, drain, order_body, refund_body
from .conftest import words_of


def seen(db, now):
    with db.reading() as session:
        shop = session.get_one(Shop, SHOP_ID)
        return home(session, shop, Words.of(shop, now))


def test_its_numbers_are_the_ledgers(db, clock, shop):
    for number, lines in enumerate([[("28.00", 3)], [("12.50", 2)], [("100.00", 1)]], start=1):
        deliver(db, "orders/paid", order_body(number, customer_id=7000 + number, lines=lines))
    drain(db, clock)
    deliver(db, "refunds/create", refund_body(1, 1, units={1: 1}))
    drain(db, clock)
    numbers = seen(db, clock()).numbers
    with db.reading() as session:
        balances = session.query(Balance).all()
        issued = sum(entry.points for entry in session.query(Entry).filter(Entry.kind == "earned"))
    assert numbers.members == 3
    assert numbers.outstanding == sum(b.available + b.pending + b.reserved - b.debt for b in balances) == 56 + 25 + 100
    assert numbers.issued == issued == 84 + 25 + 100
    assert numbers.revenue_minor == 5600 + 2500 + 10000


def test_debt_and_corrections_by_hand_are_counted(db, clock, merchant, shop):
    deliver(db, "orders/paid", order_body(lines=[("28.00", 1)]))
    drain(db, clock)
    with db.reading() as session:
        member_id = session.query(Member.member_id).scalar()
    merchant.post(f"/admin/members/{member_id}/adjust", {"points": "-20", "reason": "used in the shop", "key": "a"})
    deliver(db, "refunds/create", refund_body(1, units={1: 1}))
    drain(db, clock)
    with db.reading() as session:
        assert session.get_one(Balance, (SHOP_ID, member_id)).debt == 20
    assert seen(db, clock()).numbers.outstanding == -20


def test_only_the_last_thirty_days_count_as_lately(db, clock, shop):
    then = clock.now = NOW - timedelta(days=40)
    deliver(db, "orders/paid", order_body(1, customer_id=1, created_at=then), now=then)
    drain(db, clock)
    clock.now = NOW
    deliver(db, "orders/paid", order_body(2, customer_id=2, lines=[("56.00", 1)]))
    drain(db, clock)
    numbers = seen(db, NOW).numbers
    assert (numbers.members, numbers.new_members) == (2, 1)
    assert (numbers.issued, numbers.issued_before, numbers.issued_change_percent) == (56, 28, 100)
    assert numbers.revenue_minor == 5600
    assert numbers.share_percent == 100


def test_another_shops_points_are_not_counted(db, clock, shop):
    from ...support import add_shop

    add_shop(db, shop_id=2, domain="other.myshopify.com")
    with db.transaction() as session:
        session.add(Member(shop_id=2, member_id=9, joined_at=NOW))
        session.flush()
        books = Books(session, 2, now=NOW)
        books.open([9])
        books.adjust(9, event="adjust:x", points=1000, occurred_at=NOW)
        books.close()
    numbers = seen(db, NOW).numbers
    assert (numbers.members, numbers.outstanding, numbers.issued) == (0, 0, 0)


def test_what_waits_is_named_with_its_reason(db, clock, merchant, shop):
    deliver(db, "orders/paid", {"id": 1}, webhook_id="bad")
    deliver(db, "customers/data_request", {
        "shop_id": SHOP_ID, "shop_domain": "saltmarsh.myshopify.com", "orders_requested": [],
        "customer": {"id": 7001, "email": "nora@example.com"}, "data_request": {"id": 31},
    })  # fmt: skip
    drain(db, clock)
    with db.transaction() as session:
        shop_row = session.get_one(Shop, SHOP_ID)
        shop_row.is_development = True
        save_draft(session, shop_row, preset("starter-double", "EUR"), author="staff 7", now=NOW - timedelta(hours=2))
    words = words_of(merchant.get("/admin/"))
    assert "1 delivery parked This orders/paid delivery cannot be read" in words
    assert "1 data request to answer 30 days left for the first" in words
    assert "Draft of version 2 Saved 2 hours ago by staff 7" in words
    assert "Test orders earn nothing" in words


def test_nothing_waits_in_a_quiet_shop(merchant, shop):
    assert "Waiting for you" not in merchant.get("/admin/").text


def test_the_chart_says_what_it_shows_and_is_there_as_a_table(db, clock, merchant, shop):
    deliver(db, "orders/paid", order_body(lines=[("28.00", 3)]))
    drain(db, clock)
    text = merchant.get("/admin/").text
    assert 'role="img" aria-label="Issued rose from 0 to 84 points a week; redeemed stayed at 0."' in text
    assert "Show as a table" in text
    assert "<s-table-cell>16 Nov</s-table-cell><s-table-cell>84</s-table-cell><s-table-cell>0</s-table-cell>" in text


def test_the_guide_names_the_next_step_and_can_be_put_away_and_brought_back(merchant, shop):
    assert "Turn on the panel" in words_of(merchant.get("/admin/"))
    status = words_of(merchant.get("/admin/storefront?panel=on&block=off"))
    assert "2 of 3" in status
    assert "Show points on product pages" in status
    assert "Panel On your live theme On" in status
    assert "All set." in words_of(merchant.get("/admin/storefront?panel=on&block=on"))
    put_away = merchant.post("/admin/guide", {"show": "no"})
    assert 'data-toast="Set-up guide put away. It is under Settings"' in put_away.text
    assert "Get set up" not in put_away.text
    assert "Get set up" in merchant.post("/admin/guide", {"show": "yes"}).text


def test_it_says_how_well_shopify_is_heard(db, clock, merchant, shop):
    assert "None yet, none waiting" in words_of(merchant.get("/admin/"))
    deliver(db, "orders/paid", order_body(), now=NOW - timedelta(minutes=2))
    assert "Last one 2 minutes ago, 1 waiting Catching up" in words_of(merchant.get("/admin/"))
    with db.transaction() as session:
        session.execute(update(Shop).values(reconciled_at=NOW - timedelta(hours=3), recovered=2))
    assert "3 hours ago, 2 orders recovered" in words_of(merchant.get("/admin/"))


def test_points_redeemed_and_what_they_cost_are_told(db, clock, merchant, shop):
    deliver(db, "orders/paid", order_body(1, lines=[("300.00", 1)]))
    drain(db, clock)
    fill_pool(db, the_reward().reward_id, 500, count=3)
    used, held = (redeemed(db, clock, 7001, key=key) for key in ("a", "b"))
    at = clock.advance(minutes=1)
    body = order_body(2, lines=[("40.00", 1)], codes=[(used.code, "5.00")], created_at=at, updated_at=at)
    deliver(db, "orders/paid", body, now=at)
    drain(db, clock)
    numbers = seen(db, clock()).numbers
    assert (numbers.redeemed, numbers.reward_cost_minor) == (100, 500)
    assert (numbers.outstanding, numbers.worth_minor) == (300 - 100 + 35, 235 * 5)
    words = words_of(merchant.get("/admin/"))
    assert "Points redeemed 100 €5.00 off, last 30 days" in words
    assert "If all were redeemed €11.75" in words
    assert "A member took €5 off for 100 points" in words
    assert f"/admin/rewards/redemptions/{held.redemption_id}" in merchant.get("/admin/activity?source=points").text
    deliver(
        db,
        "orders/cancelled",
        body | {"cancelled_at": at.isoformat(), "updated_at": clock.advance(minutes=1).isoformat()},
        now=clock(),
    )
    drain(db, clock)
    assert seen(db, clock()).numbers.redeemed == 0
    assert seen(db, clock()).numbers.outstanding == 300


def test_a_reward_that_cannot_be_given_waits_for_the_merchant(db, merchant, shop):
    fill_pool(db, the_reward().reward_id, 500, count=0)
    with db.transaction() as session:
        session.execute(update(Discount).values(problem="Discounts are switched off in this shop."))
    assert "€5 off cannot be given Discounts are switched off in this shop." in words_of(merchant.get("/admin/"))

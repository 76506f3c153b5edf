"""The program page: what is typed is checked and decided by the server, and what is published is what orders earn."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.loyalty import programs
from app.models import Draft, Pause, ProgramVersion, Shop

from ...conftest import NOW, SHOP_ID
from ...support import add_shop, available, deliver, drain, order_body, refund_body
from .conftest import Browser, field_error, words_of
from .test_pages import fields


def versions(db):
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(ProgramVersion))


def test_every_fault_stands_beside_its_field_and_nothing_is_saved(db, merchant, shop):
    answer = merchant.post(
        "/admin/program/draft",
        fields(name="", points="1.5", per="0", minimum="ten", hold="120", trigger="never", rounding="sideways"),
    )
    assert answer.status == 422
    assert field_error(answer, "hold") == "Use 0 to 90 days. Most shops match their return window."
    assert field_error(answer, "points") == "Use 1 to 1,000,000 points, without decimals."
    assert field_error(answer, "per") == "Enter an amount above zero."
    assert field_error(answer, "minimum") == "Enter the smallest order that earns, or 0 if every order does."
    assert field_error(answer, "name") == "Give the program a name of 1 to 40 characters."
    assert field_error(answer, "trigger") == "Choose paid or fulfilled."
    assert field_error(answer, "rounding") == "Choose down, to the nearest, or up."
    assert 'value="120"' in answer.text  # what was typed is still there
    with db.reading() as session:
        assert session.get(Draft, SHOP_ID) is None


def test_a_page_just_opened_shows_no_fault(merchant, shop):
    assert " error=" not in merchant.get("/admin/program").text


def test_amounts_that_are_none_are_refused_in_words(merchant, shop):
    for per in ("1e5", "NaN", "0.005", "-1", "1,00", "९", "1" * 40, "\x00", ""):
        answer = merchant.post("/admin/program/draft", fields(per=per))
        assert (answer.status, field_error(answer, "per")) == (422, "Enter an amount above zero."), per


def test_products_and_vendors_that_are_none_are_refused_in_words(merchant, shop):
    for products in ("x", "1,-2", "9" * 30, ",".join(map(str, range(1, 600)))):
        answer = merchant.post("/admin/program/draft", fields(products=products))
        assert (answer.status, "Choose products from your shop, 500 at most." in words_of(answer)) == (422, True)
    for vendors in ("nonsense", '{"a": 1}', "[1]", '["\\u0000"]', "null"):
        answer = merchant.post("/admin/program/draft", fields(vendors=vendors))
        assert (answer.status, "Enter names of vendors, 100 at most." in words_of(answer)) == (422, True), vendors


def test_the_preview_answers_faults_by_field_name(merchant, shop):
    answer = merchant.post("/admin/program/preview", fields(hold="120", points="2")).json()
    assert answer["errors"] == {"hold": "Use 0 to 90 days. Most shops match their return window."}
    assert "0 → 120, needs fixing" in answer["html"]
    assert "1 point for every €1 → 2 points for every €1" in answer["html"]  # the rest is shown all the same


def test_a_saved_draft_is_there_again_and_can_be_discarded(db, merchant, shop):
    saved = merchant.post("/admin/program/draft", fields(points="3", products="905,906", vendors='["Acme"]'))
    assert 'data-toast="Draft saved"' in saved.text
    assert 'name="points" value="3"' in saved.text
    assert "Product 905" in words_of(saved)  # Shopify does not answer here, so it keeps its number
    assert 'data-value="Acme"' in saved.text
    assert "Draft of version 2" in words_of(saved)
    assert "Draft of version 2" not in words_of(merchant.post("/admin/program/discard"))


def test_publishing_makes_the_next_order_earn_by_the_new_rule_and_a_refund_of_the_first_by_the_old(
    db, clock, merchant, shop
):
    deliver(db, "orders/paid", order_body(1, lines=[("28.00", 3)]))
    drain(db, clock)
    assert available(db, 7001) == 84
    clock.advance(minutes=5)
    published = merchant.post("/admin/program/publish", {**fields(points="2"), "when": "now"})
    assert "Version 2 is live" in words_of(published)
    clock.advance(minutes=5)
    deliver(db, "orders/paid", order_body(2, lines=[("28.00", 1)], created_at=clock()), now=clock())
    drain(db, clock)
    assert available(db, 7001) == 84 + 56
    deliver(db, "refunds/create", refund_body(1, 1, units={1: 1}, created_at=clock()), now=clock())
    drain(db, clock)
    assert available(db, 7001) == 84 + 56 - 28


@pytest.mark.parametrize(
    "draft",
    [
        fields(points="2"),
        fields(points="3", per="2.50", rounding="up"),
        fields(points="7", per="0.30", rounding="nearest"),
        fields(minimum="100.00"),
        fields(products="901"),
        fields(vendors='["SALTMARSH"]'),
        fields(trigger="fulfilled"),
        fields(hold="14"),
    ],
)
def test_the_preview_of_an_order_is_what_settling_then_gives(db, clock, merchant, shop, draft):
    deliver(db, "orders/paid", order_body(1, customer_id=1, lines=[("28.35", 3), ("4.99", 1)]))
    drain(db, clock)
    shown = merchant.post("/admin/program/preview", draft).json()["html"]
    clock.advance(minutes=1)
    merchant.post("/admin/program/publish", {**draft, "when": "now"})
    clock.advance(minutes=1)
    same = order_body(2, customer_id=2, lines=[("28.35", 3), ("4.99", 1)], created_at=clock())
    deliver(db, "orders/paid", same, now=clock())
    drain(db, clock)
    with db.reading() as session:
        from app.loyalty.views.balances import balance_of

        balance = balance_of(session, SHOP_ID, 2)
    settled = balance["available"] + balance["pending"]
    expected = f"{settled:,} point{'' if settled == 1 else 's'}" if settled else "Earned nothing"
    assert expected in shown


def test_publishing_what_is_saved_needs_no_fields(db, merchant, shop):
    merchant.post("/admin/program/draft", fields(points="5"))
    merchant.post("/admin/program/publish", {"when": "now"})
    with db.reading() as session:
        assert session.get_one(ProgramVersion, (SHOP_ID, 2)).settings["earning"]["points"] == 5
        assert session.get(Draft, SHOP_ID) is None


def test_nothing_changed_is_nothing_to_publish(db, merchant, shop):
    answer = merchant.post("/admin/program/publish", {**fields(), "when": "now"})
    assert (answer.status, versions(db)) == (409, 1)
    assert "Nothing has changed since version 1." in words_of(answer)
    assert 'data-open="publish"' in answer.text


def test_a_version_may_start_later_in_the_shops_own_time(db, merchant, shop):
    merchant.post(
        "/admin/program/publish", {**fields(points="2"), "when": "later", "day": "2026-12-01", "time": "9:30"}
    )
    with db.reading() as session:
        starts_at = session.get_one(ProgramVersion, (SHOP_ID, 2)).starts_at
    assert starts_at.isoformat() == "2026-12-01T08:30:00+00:00"  # 9:30 in Berlin
    words = words_of(merchant.get("/admin/program"))
    assert "Version 1 is live" in words
    assert "Version 2 starts on 1 Dec, 09:30" in words


@pytest.mark.parametrize(
    ("day", "time", "status"),
    [("", "09:00", 422), ("2026-13-01", "09:00", 422), ("2026-12-01", "25:00", 422), ("2026-11-20", "09:00", 409),
     ("2028-12-01", "09:00", 409), ("9999-12-31", "09:00", 422)],
)  # fmt: skip
def test_a_start_that_cannot_be_is_refused_beside_its_field(db, merchant, shop, day, time, status):
    sent = {**fields(points="2"), "when": "later", "day": day, "time": time}
    answer = merchant.post("/admin/program/publish", sent)
    assert (answer.status, versions(db)) == (status, 1)
    assert field_error(answer, "day")


def test_publishing_twice_in_one_breath_publishes_once(db, door, shop, clock, monkeypatch):
    """Both were about to write the same version; the second waits, and reads that nothing has changed since."""
    breath = threading.Barrier(2)
    describe = programs.describe_changes

    def together(before, after):
        with suppress(threading.BrokenBarrierError):
            breath.wait(1)
        return describe(before, after)

    monkeypatch.setattr(programs, "describe_changes", together)
    answers = []

    def press() -> None:
        answers.append(Browser(door, clock=clock).post("/admin/program/publish", fields(points="3"), follow=False))

    presses = [threading.Thread(target=press) for _ in range(2)]
    for thread in presses:
        thread.start()
    for thread in presses:
        thread.join(20)
    assert sorted(answer.status for answer in answers) == [303, 409]
    assert any("Nothing has changed since version 2." in answer.text for answer in answers)
    assert versions(db) == 2


def test_launching_publishes_the_first_version_once(db, door):
    add_shop(db, program=None)
    browser = Browser(door)
    assert "Start from one of these" in words_of(browser.get("/admin/program"))
    first = browser.post("/admin/program/launch", {})
    assert 'data-toast="Your program is live"' in first.text
    browser.post("/admin/program/launch", {})
    assert versions(db) == 1


def test_a_development_store_is_asked_about_test_orders_at_launch(db, door):
    add_shop(db, program=None)
    with db.transaction() as session:
        session.execute(update(Shop).values(is_development=True))
    browser = Browser(door)
    assert 'name="asked_test"' in browser.get("/admin/").text
    browser.post("/admin/program/launch", {"preset": "starter-double", "asked_test": "yes", "test": "yes"})
    with db.reading() as session:
        earning = session.get_one(ProgramVersion, (SHOP_ID, 1)).settings["earning"]
    assert (earning["points"], earning["test_orders"]) == (2, True)


def test_a_preset_becomes_the_draft(db, door):
    add_shop(db, program=None, currency="JPY")
    answer = Browser(door).post("/admin/program/start-from", {"preset": "starter-double"})
    assert 'name="points" value="2"' in answer.text
    assert 'name="per" value="100"' in answer.text
    assert Browser(door).post("/admin/program/start-from", {"preset": "nonsense"}).status == 404


def test_a_pause_ends_without_publishing_the_draft(db, clock, merchant, shop):
    merchant.post("/admin/program/draft", fields(points="9"))
    assert "Version 1 is paused" in words_of(merchant.post("/admin/program/pause"))
    clock.advance(minutes=10)
    deliver(db, "orders/paid", order_body(1, created_at=clock()), now=clock())
    drain(db, clock)
    assert available(db, 7001) == 0
    clock.advance(minutes=10)
    assert "Version 1 is live" in words_of(merchant.post("/admin/program/resume"))
    clock.advance(minutes=1)
    deliver(db, "orders/paid", order_body(2, created_at=clock()), now=clock())
    drain(db, clock)
    assert (available(db, 7001), versions(db)) == (28, 1)
    with db.reading() as session:
        assert session.query(Pause).one().ends_at == NOW + timedelta(minutes=20)
        assert session.get(Draft, SHOP_ID) is not None


def test_versions_tell_what_changed_and_one_can_be_made_a_draft_again(db, clock, merchant, shop):
    clock.advance(minutes=1)
    merchant.post("/admin/program/publish", {**fields(points="2"), "when": "now"})
    words = words_of(merchant.get("/admin/program/versions"))
    assert "Version 2 Live 21 Nov, 13:01 Points for orders: 1 point for every €1 → 2 points for every €1 You" in words
    first = merchant.get("/admin/program/versions/1")
    assert "This is the first version." in words_of(first)
    again = merchant.post("/admin/program/versions/1/draft")
    assert 'name="points" value="1"' in again.text
    assert "Draft of version 3" in words_of(again)


def test_more_points_than_can_be_counted_are_told_not_a_crash(db, clock, merchant, shop):
    deliver(db, "orders/paid", order_body(1, lines=[("999999999.00", 900)]))
    drain(db, clock)
    shown = merchant.post("/admin/program/preview", fields(points="1000000", per="0.01"))
    assert shown.status == 200
    assert "more points than can be counted" in shown.json()["html"]

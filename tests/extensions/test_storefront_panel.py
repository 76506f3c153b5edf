"""The launcher and the panel in a real browser: what is asked and when, every state, history, keyboard."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.extensions.storefront_pages import MEMBER, NOW, Shop, Storefront, answer, history, program
from tests.extensions.visiting import Visitor, focused, open_panel

HOME = Storefront()
VISITOR = Storefront(customer=None, member=None)
DOWN = (503, {"error": {"code": "unavailable", "message": "", "field": None}})
CANNOT = "We can’t reach your points right now."


def note(page: Page) -> str:
    """The one note on the view; never more than one."""
    shown = [text.strip() for text in page.locator(".rg-note:visible").all_inner_texts()]
    assert len(shown) <= 1
    return " ".join(shown[0].split()) if shown else ""


# ── what is asked, and when ───────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_fetched_before_somebody_shows_interest(visit: Visitor, shop: Shop) -> None:
    page = visit(HOME, own="nothing cached")
    page.mouse.move(300, 300)
    page.mouse.click(300, 300)
    assert {path.rsplit("/", 1)[-1] for path in shop.asked} == {"mug", "regulars.js", "regulars-product.js"}
    with page.expect_response("**/regulars-panel.js"), page.expect_response("**/regulars.css"):
        page.locator(".rg-launch").hover()
    assert shop.shopper_asked == []
    assert page.locator(".rg-panel").count() == 0


def test_our_server_is_asked_once_per_open(visit: Visitor, shop: Shop) -> None:
    page = open_panel(visit(HOME), "history")
    page.go_back()
    page.locator(".rg-foot a[href='#regulars/how']").click()
    assert shop.shopper_asked == ["/apps/regulars/shopper"]
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(".rg-panel")).to_be_hidden()
    open_panel(page)
    assert len(shop.shopper_asked) == 2


def test_the_shops_own_root_and_proxy_path_are_used(visit: Visitor, shop: Shop) -> None:
    page = visit(replace(HOME, proxy_path="/community/points/"))
    page.evaluate("window.Shopify = {routes: {root: '/fr/'}}")
    with page.expect_response("**/fr/community/points/shopper"):
        page.locator(".rg-launch").click()


def test_nothing_is_kept_on_the_device(visit: Visitor) -> None:
    page = open_panel(visit(HOME, own="nothing kept"), "history")
    assert page.context.storage_state() == {"cookies": [], "origins": []}


# ── states ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_opens_with_what_was_published_and_then_says_what_changed(visit: Visitor) -> None:
    release = Event()
    page = visit(HOME, lambda cursor: (release.wait(5), (200, answer({"available": 1304, "pending": 0})))[1])
    page.locator(".rg-launch").click()
    expect(page.locator("[data-available]")).to_have_text("240")
    expect(page.get_by_text("64 points on the way. Yours from 3 December.")).to_be_visible()
    release.set()
    expect(page.locator("[data-available]")).to_have_text("1,304")
    expect(page.get_by_text("on the way.")).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("You have 1,304 points now.")
    expect(page.locator("[data-launcher]")).to_have_text("1,304 points")


def test_one_point_is_one_point(visit: Visitor) -> None:
    page = open_panel(visit(replace(HOME, member={**MEMBER, "available": 1, "pending": 1})))
    expect(page.locator(".rg-launch")).to_have_text("1 point, open rewards")
    expect(page.locator(".rg-balance__n")).to_have_text("1point")
    expect(page.get_by_text("1 point on the way.")).to_be_visible()


def test_a_new_member_is_welcomed(visit: Visitor) -> None:
    zero = {"available": 0, "pending": 0, "next_at": None}
    page = open_panel(visit(replace(HOME, member=None), (200, answer(zero, history=[]))))
    expect(page.get_by_text("Welcome, Nora. Your next order adds points.")).to_be_visible()


def test_debt_is_explained(visit: Visitor) -> None:
    page = open_panel(visit(replace(HOME, member={**MEMBER, "available": 0, "debt": 12})))
    assert note(page).startswith("12 points to make up. A return took back more points than you had.")


def test_trouble_shows_the_last_known_balance_with_its_time(visit: Visitor, shop: Shop) -> None:
    page = open_panel(visit(HOME, DOWN))
    status, retry = page.get_by_role("status"), page.get_by_role("button", name="Try again")
    for shopper in (DOWN, (502, "<h1>Bad gateway</h1>"), (200, "<html>password page</html>"), (404, {}), (200, [])):
        page.evaluate("document.querySelector('[role=status]').textContent = ''")
        shop.shopper = lambda cursor, shopper=shopper: shopper
        retry.click()
        expect(status).to_have_text(CANNOT)
        expect(page.locator(".rg-balance__n")).to_have_text("240\npoints at 14:05", use_inner_text=True)
        assert note(page) == (
            f"{CANNOT} This is what you had at 14:05 today. "
            "Your points are safe, and you can still check out. Try again"
        )
    expect(page.get_by_text("This still earns. Points are added when we’re back.").first).to_be_visible()
    shop.shopper = lambda cursor: (200, answer())
    retry.click()
    expect(page.get_by_text(CANNOT).first).to_be_hidden()
    assert focused(page) == "rg-title"


def test_an_older_balance_is_dated_by_the_note(visit: Visitor) -> None:
    page = open_panel(visit(replace(HOME, member={**MEMBER, "at": "2026-11-19T14:05:00Z"}), DOWN))
    assert "This is what you had on 19 November." in note(page)


def test_a_slow_answer_is_trouble_until_it_comes(visit: Visitor) -> None:
    release = Event()
    page = visit(HOME, lambda cursor: (release.wait(8), (200, answer()))[1], own="clock")
    page.clock.install(time=NOW)
    page.locator(".rg-launch").click()
    page.wait_for_selector(".rg-panel[data-ready]")
    page.clock.run_for(2_000)
    assert note(page) == ""
    page.clock.run_for(2_500)
    assert note(page).startswith(CANNOT)
    release.set()
    expect(page.get_by_text(CANNOT).first).to_be_hidden()


def test_offline_says_so_and_comes_back_by_itself(visit: Visitor) -> None:
    page = open_panel(visit(HOME, own="offline"))
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    page.locator(".rg-launch").click()
    expect(page.get_by_text("You are offline.").first).to_be_visible()
    with page.expect_response("**/shopper"):
        page.context.set_offline(False)
    expect(page.get_by_text("You are offline.").first).to_be_hidden()


@pytest.mark.parametrize("missing", ["regulars-panel.js", "regulars.css"])
def test_without_the_panels_own_files_liquids_words_are_there(visit: Visitor, shop: Shop, missing: str) -> None:
    page = visit(HOME, own=missing)
    shop.broken = {missing}
    page.locator(".rg-launch").click()
    expect(page.get_by_text(CANNOT).first).to_be_visible()
    expect(page.locator("[data-available]")).to_be_visible()
    shop.broken = set()
    with page.expect_response("**/shopper"):
        page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text(CANNOT).first).to_be_hidden()
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".rg-panel")).to_be_hidden()


def test_logged_out_meanwhile_is_a_visitor_without_reproach(visit: Visitor) -> None:
    page = open_panel(visit(HOME, (200, answer(history=[]) | {"member": None})))
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    expect(page.locator("[data-launcher]")).to_have_text("Rewards")
    assert note(page) == ""
    assert page.get_by_role("link", name="History").count() == 0


def test_logged_in_meanwhile_is_a_member(visit: Visitor, shop: Shop) -> None:
    page = visit(VISITOR, (200, answer()))
    shop.page = HOME.html()  # what the page is once it is asked for again
    page.locator(".rg-launch").click()
    expect(page.locator("[data-available]")).to_have_text("240")
    expect(page.locator("[data-launcher]")).to_have_text("240 points")


def test_a_page_that_stays_a_visitors_is_painted_anew_only_once(visit: Visitor, shop: Shop) -> None:
    page = visit(VISITOR, (200, answer()))
    with page.expect_navigation():
        page.locator(".rg-launch").click()
    with page.expect_response("**/shopper"):
        page.wait_for_selector(".rg-panel[data-ready]")
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    page.wait_for_timeout(100)
    assert len(shop.shopper_asked) == 2


def test_a_visitor_misses_nothing_when_our_server_is_away(visit: Visitor) -> None:
    page = open_panel(visit(VISITOR, DOWN))
    assert note(page) == ""
    expect(page.get_by_role("link", name="Join for free")).to_be_visible()


def test_a_paused_program_rests(visit: Visitor) -> None:
    paused = {"name": "Saltmarsh Club", "live": True, "paused": True}
    page = open_panel(visit(HOME, (200, answer(program=paused))))
    assert note(page) == "Points are resting. Yours are safe."
    assert page.get_by_text("Place an order").first.is_hidden()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("Order #1031", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("earn", "exclude", "says"),
    [
        (
            {},
            {},
            "1 point for every €1. What counts is the price after discounts, without tax. Shipping and tips do not",
        ),
        ({"tax": True, "shipping": True}, {}, "discounts, tax included. Shipping counts too, tips do not."),
        ({"minimum_minor": 4050}, {}, "Orders from €40.50 earn points."),
        ({"trigger": "fulfilled"}, {}, "As soon as your order is sent."),
        ({"hold_days": 1}, {}, "1 day after your order is paid. Until then they are on the way."),
        ({"trigger": "fulfilled", "hold_days": 14}, {}, "14 days after your order is sent."),
        ({}, {"vendors": ["Acme"]}, "Gift cards, and a few items that the shop has left out."),
    ],
)
def test_how_it_works_says_this_programs_rules(earn: dict[str, Any], exclude: dict[str, Any], says: str) -> None:
    assert says in " ".join(replace(HOME, program=program(earn=earn, exclude=exclude)).block("launcher").split())


# ── history ───────────────────────────────────────────────────────────────────────────────────────────────────────


def lines(page: Page) -> list[str]:
    return [" | ".join(row.split("\n")) for row in page.locator(".rg-month, .rg-history li").all_inner_texts()]


def test_history_is_grouped_and_says_why(visit: Visitor) -> None:
    page = open_panel(visit(HOME), "history")
    assert [" ".join(line.split(" | ")[:2]) for line in lines(page)] == [
        "On the way",
        "Order #1042 +64",
        "November",
        "Refund on order #1031 −28",
        "Order #1031 +84",
        "October",
        "Order #1024 +40",
        "Earlier this year",
        "Order #987 +94",
        "Order #982 0",
        "2025",
        "Corrected by the shop +50",
    ]
    assert "You returned 1 of 3 Ash mugs (€28.00), so its points went back." in lines(page)[3]
    assert lines(page)[3].endswith("12 Nov")
    assert lines(page)[-1].endswith("3 Dec 2025")


def test_show_more_goes_on_where_it_stopped(visit: Visitor, shop: Shop) -> None:
    older = history(("2026-03-03T10:00:00Z", 50, "earned", "Order #900", "1 point for every €1 of €50.00."))

    def pages(cursor: str | None) -> tuple[int, Any]:
        return (200, answer(history=older) if cursor else answer(history_next="a b&c"))

    page = open_panel(visit(HOME, pages), "history")
    more = page.get_by_role("button", name="Show more")
    shop.shopper = lambda cursor: DOWN
    more.click()
    expect(page.get_by_text("That did not work. Your points are untouched.")).to_be_visible()
    shop.shopper = pages
    more.click()
    page.get_by_text("Order #900").wait_for()
    assert shop.shopper_asked[-1] == "/apps/regulars/shopper?cursor=a%20b%26c"
    assert "Order #900" in page.evaluate("document.activeElement.textContent")
    assert more.is_hidden()
    assert len(page.locator(".rg-history li").all()) == 8


# ── keyboard, focus, history of the browser ───────────────────────────────────────────────────────────────────────


def test_the_keyboard_does_everything(visit: Visitor) -> None:
    page = visit(HOME)
    page.locator(".rg-launch").focus()
    with page.expect_response("**/shopper"):
        page.keyboard.press("Enter")
    page.wait_for_selector(".rg-panel[data-ready]")
    assert focused(page) == "rg-title"
    assert page.locator(".rg-launch").get_attribute("aria-expanded") == "true"
    seen = []
    for _ in range(4):
        page.keyboard.press("Tab")
        seen.append(focused(page))
    assert seen == ["Close", "rg-body", "History", "How it works"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="History")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".rg-panel")).to_be_hidden()
    expect(page.locator(".rg-launch")).to_be_focused()
    assert page.locator(".rg-launch").get_attribute("aria-expanded") == "false"
    expect(page).to_have_url(page.url.split("#")[0])


def test_the_browsers_back_button_does_what_back_does(visit: Visitor) -> None:
    page = open_panel(visit(HOME), "history")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_visible()
    page.get_by_role("link", name="How it works").click()
    expect(page.get_by_role("heading", name="How it works")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_visible()
    page.go_back()
    expect(page.locator(".rg-panel")).to_be_hidden()
    page.go_forward()
    expect(page.locator(".rg-panel")).to_be_visible()


def test_closing_leaves_no_steps_behind(visit: Visitor) -> None:
    page = visit(HOME, address="/collections")
    page.goto(page.url.replace("collections", "products"))
    open_panel(page, "history")
    page.get_by_role("button", name="Close").click()
    expect(page).to_have_url(page.url.split("#")[0])
    page.go_back()
    assert page.url.endswith("/collections")


def test_an_address_opens_its_view(visit: Visitor) -> None:
    page = visit(HOME, address="/products/mug#regulars/history")
    expect(page.get_by_role("heading", name="History")).to_be_focused()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_focused()
    page.get_by_role("link", name="How it works").click()
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".rg-panel")).to_be_hidden()
    expect(page).to_have_url(page.url.split("#")[0])


def test_a_link_in_the_themes_menu_opens_a_view_and_gets_the_focus_back(visit: Visitor) -> None:
    page = visit(HOME)
    page.locator("#menu").click()
    expect(page.get_by_role("heading", name="How it works")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#menu")).to_be_focused()


def test_a_view_that_is_not_there_is_home(visit: Visitor) -> None:
    page = visit(VISITOR, address="/products/mug#regulars/history")
    expect(page.get_by_role("link", name="Join for free")).to_be_visible()


def test_a_tap_on_the_scrim_closes(visit: Visitor) -> None:
    page = open_panel(visit(HOME))
    page.mouse.click(900, 780)
    assert page.locator(".rg-panel").is_visible()
    page.mouse.click(200, 200)
    expect(page.locator(".rg-panel")).to_be_hidden()

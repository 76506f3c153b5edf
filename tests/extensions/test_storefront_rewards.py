"""What points buy, on the panel's home and in its list: every state of a reward, what comes next, what runs out."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.extensions.spending import (
    CARD,
    DAY,
    FIFTEEN_OFF,
    FIVE_OFF,
    FOUR,
    SHIPPING,
    SLIDER,
    VASE,
    Cart,
    offered,
    poor,
    redemption,
    selling,
    told,
    with_routes,
)
from tests.extensions.storefront_pages import MUG, Shop, answer, history
from tests.extensions.test_storefront_product import said
from tests.extensions.visiting import Visitor, focused, open_panel

HOME = selling()
VISITOR = selling(customer=None, member=None)
DOWN = (503, {"error": {"code": "unavailable", "message": "", "field": None}})


def rows(page: Page) -> list[str]:
    """The rewards on show: title, what is said of it, what is on its right."""
    shown = page.locator(".rg-panel [data-view]:not([hidden]) .rg-rewards .rg-row:visible").all_inner_texts()
    return [" | ".join(line for line in row.replace("\xa0", " ").split("\n") if line) for row in shown]


# ── the list ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_liquid_paints_what_the_last_balance_buys_before_anybody_is_asked(visit: Visitor) -> None:
    release = Event()
    page = visit(HOME, lambda cursor: (release.wait(5), told())[1])
    page.locator(".rg-launch").click()
    page.wait_for_selector(".rg-panel[data-ready]")
    before = rows(page)
    assert before == [
        "€5 off | Any order | Use 100",
        "Free shipping | Orders from €40 | Use 150",
        "€15 off | 10 points to go | 250",
    ]
    with page.expect_response("**/shopper"):
        release.set()
    expect(page.get_by_role("link", name="All 4")).to_be_visible()
    assert rows(page) == before


def test_liquid_alone_says_the_same(visit: Visitor, shop: Shop) -> None:
    page = visit(HOME, own="no script")
    shop.broken = {"regulars-spend.js"}
    page.locator(".rg-launch").click()
    expect(page.locator(".rg-panel [data-note=trouble]").first).to_be_visible()
    assert page.locator("#rg-next").text_content() == "10 more points for €15\u00a0off"
    assert page.locator(".rg-track span").all_text_contents() == ["100", "150", "250", "500"]
    assert page.locator("[data-track] .rg-track__next").text_content() == "250"
    assert page.locator("[data-reward=r15] p").all_text_contents() == ["€15\u00a0off", "10 points to go"]


def test_all_of_them_are_one_step_away(visit: Visitor) -> None:
    page = open_panel(visit(HOME, told()))
    page.get_by_role("link", name="All 4").click()
    expect(page.get_by_role("heading", name="Use your points")).to_be_focused()
    assert rows(page)[3:] == ["Free Bud vase | 260 points to go | 500"]
    page.get_by_role("button", name="Back").click()
    assert len(rows(page)) == 3


@pytest.mark.parametrize(
    ("reward", "says"),
    [
        ({}, "€5 off | Any order | Use 100"),
        ({"only_products": True}, "€5 off | On some products | Use 100"),
        ({"reason": "sold_out"}, "€5 off | All gone for now | 100"),
        ({"reason": "limit_used"}, "€5 off | You have had yours | 100"),
        ({"reason": "ended"}, "€5 off | This has ended | 100"),
        ({"reason": "not_yet", "starts_at": "2026-12-24T00:00:00Z"}, "€5 off | From 24 December | 100"),
        ({"points": 300, "reason": "not_enough_points"}, "€5 off | 60 points to go | 300"),
        ({"points": 241, "reason": "not_enough_points"}, "€5 off | 1 point to go | 241"),
    ],
)
def test_a_reward_says_whether_it_can_be_had_and_if_not_why(visit: Visitor, reward: dict[str, Any], says: str) -> None:
    one = {**FIVE_OFF, **reward}
    assert rows(open_panel(visit(selling(one), told(one)))) == [says]


def test_what_is_held_shows_its_code_and_stands_first(visit: Visitor) -> None:
    held = (redemption(reward_id="r15", title="€15\u00a0off", points=250),)
    page = open_panel(visit(HOME, told(held=held)))
    assert rows(page)[0] == "€15 off | You hold this reward | Show code"
    assert page.locator("#rg-u-r15").get_attribute("href") == "#regulars/code/tk1"


def test_what_is_held_stays_in_reach_when_its_reward_has_gone(visit: Visitor) -> None:
    page = open_panel(visit(selling(FIVE_OFF), told(FIVE_OFF, held=(redemption(reward_id="old", title="A cup"),))))
    assert rows(page) == ["A cup | You hold this reward | Show code", "€5 off | Any order | Use 100"]


def test_on_its_way_back_it_can_be_had_again_or_its_points_are_awaited(visit: Visitor) -> None:
    leaving = (redemption("releasing", why="cancelled"),)
    page = open_panel(visit(selling(FIVE_OFF), told(FIVE_OFF, held=leaving)))
    assert rows(page) == ["€5 off | Any order | Use 100"]
    few = {"available": 40}
    page = open_panel(visit(poor(selling(FIVE_OFF), 40), told(FIVE_OFF, member=few, held=leaving)))
    assert rows(page) == ["€5 off | On its way back | Show code"]


def test_a_code_that_is_being_replaced_is_still_held(visit: Visitor) -> None:
    page = open_panel(visit(selling(FIVE_OFF), told(FIVE_OFF, held=(redemption("releasing", why="reissued"),))))
    assert rows(page) == ["€5 off | You hold this reward | Show code"]


def test_a_cart_that_is_too_small_says_what_is_missing(visit: Visitor, shop: Shop) -> None:
    page = visit(selling(SHIPPING), told(SHIPPING))
    with_routes(shop, Cart(subtotal=2800))
    with page.expect_response("**/cart.js"):
        open_panel(page)
    expect(page.get_by_text("Add €12.00 to your cart to use this")).to_be_visible()
    assert rows(page) == ["Free shipping | Add €12.00 to your cart to use this | 150"]


@pytest.mark.parametrize("cart", [Cart(subtotal=4000), Cart(), Cart(subtotal=2800, currency="USD")])
def test_a_cart_that_is_big_enough_empty_or_of_another_currency_forbids_nothing(
    visit: Visitor, shop: Shop, cart: Cart
) -> None:
    page = visit(selling(SHIPPING), told(SHIPPING))
    with_routes(shop, cart)
    with page.expect_response("**/cart.js"):
        open_panel(page)
    page.wait_for_timeout(30)
    assert rows(page) == ["Free shipping | Orders from €40 | Use 150"]


def test_the_cart_is_left_alone_where_no_reward_asks_for_a_size(visit: Visitor, shop: Shop) -> None:
    open_panel(visit(selling(FIVE_OFF), told(FIVE_OFF))).wait_for_timeout(50)
    assert "/cart.js" not in shop.asked


def test_a_paused_program_lists_them_without_a_way_to_use_them(visit: Visitor) -> None:
    paused = {"name": "Saltmarsh Club", "live": True, "paused": True}
    each = [{**reward, "reason": "paused"} for reward in FOUR]
    page = open_panel(visit(HOME, told(*each, program=paused)))
    assert rows(page)[0] == "€5 off | Any order | 100"
    assert page.locator("#rg-next").is_hidden()


def test_trouble_lists_them_without_a_way_to_use_them(visit: Visitor, shop: Shop) -> None:
    page = open_panel(visit(HOME, DOWN))
    assert rows(page)[0] == "€5 off | Any order | 100"
    expect(page.get_by_text("You can use points again once we’re back.").first).to_be_visible()
    page.evaluate("location.hash = '#regulars/redeem/r5'")
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_visible()
    shop.shopper = lambda cursor: told()
    page.evaluate("location.hash = '#regulars'")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name="Use 100 €5 off")).to_be_visible()


def test_a_visitor_reads_what_there_is_to_get(visit: Visitor) -> None:
    page = open_panel(visit(VISITOR))
    expect(page.get_by_role("heading", name="What you get")).to_be_visible()
    assert rows(page) == [
        "€5 off | Any order | 100",
        "Free shipping | Orders from €40 | 150",
        "€15 off | Any order | 250",
    ]


def test_logged_out_meanwhile_there_is_still_something_to_get(visit: Visitor) -> None:
    page = open_panel(visit(HOME, (200, answer(history=[], rewards=list(FOUR)) | {"member": None})))
    expect(page.get_by_role("heading", name="What you get")).to_be_visible()
    assert rows(page)[2] == "€15 off | Any order | 250"


def test_without_rewards_there_is_no_such_place(visit: Visitor) -> None:
    page = open_panel(visit(replace(HOME, program=selling(FIVE_OFF).program | {"rewards": []}), (200, answer())))
    assert page.get_by_text("Use your points").is_hidden()
    assert page.locator("#rg-next").is_hidden()


def test_a_page_that_is_older_than_the_program_shows_the_programs_rewards(visit: Visitor) -> None:
    new = offered("rn", 120, title="A bowl, on us")
    page = open_panel(visit(selling(FIVE_OFF), told(new)))
    assert rows(page) == ["A bowl, on us | Use 120"]
    page.get_by_role("link", name="Use 120 A bowl, on us").click()
    expect(page.get_by_text("Use 120 points for A bowl, on us?")).to_be_visible()


def test_a_fresh_answer_does_not_take_the_focus_away(visit: Visitor, shop: Shop) -> None:
    release = Event()
    page = visit(HOME, lambda cursor: (release.wait(5), told({**FIVE_OFF, "reason": "sold_out"}, SHIPPING))[1])
    page.locator(".rg-launch").click()
    page.wait_for_selector(".rg-panel[data-ready]")
    page.locator("#rg-u-rs").focus()
    release.set()
    expect(page.get_by_text("All gone for now")).to_be_visible()
    assert rows(page)[0].startswith("Free shipping")
    assert focused(page) == "rg-u-rs"


# ── what comes next ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("available", "says", "stops"),
    [
        (0, "100 more points for €5 off", "100* 0 | 150 0 | 250 0 | 500 0"),
        (99, "1 more point for €5 off", "100* 99 | 150 0 | 250 0 | 500 0"),
        (240, "10 more points for €15 off", "100 100 | 150 100 | 250* 90 | 500 0"),
        (500, "You have enough for Free Bud vase.", "100 100 | 150 100 | 250 100 | 500 100"),
    ],
)
def test_the_next_reward_is_said_and_drawn_by_liquid_and_script_alike(
    visit: Visitor, available: int, says: str, stops: str
) -> None:
    def shown(page: Page) -> tuple[str, str]:
        drawn = """root => [...root.querySelectorAll('[data-track] span')].map(s => s.textContent.trim() +
            (s.className ? '* ' : ' ') + Math.round(parseFloat(s.style.getPropertyValue('--v')))).join(' | ')"""
        text = "root => root.querySelector('#rg-next').textContent.trim().replaceAll('\\xa0', ' ')"
        return page.evaluate(f"({text})({root})"), page.evaluate(f"({drawn})({root})")

    page = visit(poor(HOME, available), told(member={"available": available}))
    root = "document.getElementById('regulars-panel').content"
    assert shown(page) == (says, stops)
    open_panel(page)
    root = "document.querySelector('.rg-panel')"
    assert shown(page) == (says, stops)


def test_of_many_rewards_five_round_the_next_are_drawn(visit: Visitor) -> None:
    many = [offered(f"r{n}", n * 100, title=f"Number {n}", named=True) for n in range(1, 10)]
    page = open_panel(visit(poor(selling(*many), 450), told(*many, member={"available": 450})))
    assert page.locator("[data-track] span").all_text_contents() == ["300", "400", "500", "600", "700"]
    assert page.locator("[data-track] span").first.get_attribute("style") == "--v: 100%;"
    assert page.get_by_role("img", name="50 more points for Number 5").count() == 1


def test_what_cannot_be_had_is_not_what_comes_next(visit: Visitor) -> None:
    page = open_panel(visit(HOME, told(FIVE_OFF, SHIPPING, {**FIFTEEN_OFF, "reason": "sold_out"}, VASE)))
    expect(page.locator("#rg-next")).to_have_text("260 more points for Free Bud vase")


def test_what_runs_out_within_a_week_is_said_once_and_first(visit: Visitor) -> None:
    soon = redemption(until="2026-11-28T00:00:00Z", last_day="2026-11-27")
    page = open_panel(visit(HOME, told(held=(redemption(id="tk2", reward_id="rs"), soon))))
    note = page.locator(".rg-note:visible")
    expect(note).to_contain_text("€5\u00a0off can be used until 27 November.")
    assert note.get_by_role("link", name="Show code").get_attribute("href") == "#regulars/code/tk1"
    page = open_panel(visit(HOME, told(held=(redemption(until="2026-11-29T00:00:00Z", last_day=DAY),))))
    assert page.locator(".rg-note:visible").count() == 0


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reward", "locale", "title"),
    [
        (FIVE_OFF, "de", "€5 Rabatt"),
        (FIVE_OFF, "fr", "€5 de réduction"),
        (offered("rp", 10, "percentage", percent=20, title="20 % off"), "de", "20 % Rabatt"),
        (SHIPPING, "de", "Gratisversand"),
        (VASE, "fr", "Bud vase offert"),
        (CARD, "en", "€10 gift card"),
        (SLIDER, "de", "€5 Rabatt und mehr"),
        ({**FIVE_OFF, "named": True, "title": "Ein Fünfer"}, "fr", "Ein Fünfer"),
    ],
)
def test_a_reward_is_named_in_the_shoppers_language(reward: dict[str, Any], locale: str, title: str) -> None:
    html = selling(reward, locale=locale).block("launcher")
    assert f">{title}</p>" in html.replace("\xa0", " ")


def test_in_another_currency_the_amount_stays_as_it_was_promised() -> None:
    html = selling(FIVE_OFF, currency="USD").block("launcher")
    assert ">€5\u00a0off</p>" in html
    assert ">Any order</p>" in html or "<p>Any order</p>" in html


def test_the_history_leads_to_the_code(visit: Visitor) -> None:
    lines = history(("2026-11-20T10:00:00Z", -100, "reserved", "Used for €5 off", "Set aside."))
    lines[0]["redemption_id"] = "tk1"
    lines += history(("2026-11-19T10:00:00Z", 100, "released", "€5 off given back", "You gave it back."))
    page = open_panel(visit(HOME, told(history=lines)), "history")
    texts = page.locator(".rg-history li").all_inner_texts()
    assert [" ".join(text.split()) for text in texts] == [
        "Used for €5 off −100 Set aside. Show code 20 Nov",
        "€5 off given back +100 You gave it back. 19 Nov",
    ]
    assert page.locator(".rg-history a:visible").get_attribute("href") == "#regulars/code/tk1"


# ── the product block ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("available", "says"),
    [
        (240, "Earns 28 points. With your 240, that is enough for €15 off."),
        (75, "Earns 28 points. With your 75, that is enough for €5 off."),
        (71, "Earns 28 points."),
        (100, "Earns 28 points."),
    ],
)
def test_a_product_says_which_reward_it_brings_within_reach(available: int, says: str) -> None:
    assert said(poor(replace(HOME, product=MUG), available)).replace("\xa0", " ") == says


def test_a_product_promises_no_reward_where_its_points_are_not_certain() -> None:
    sure = poor(replace(HOME, product=MUG), 240)
    assert "enough" not in said(replace(sure, taxes_included=True))
    assert "enough" not in said(replace(sure, customer=None, member=None))
    ended = {**selling().program["rewards"][2], "ends_at": "2020-01-01T00:00:00Z"}
    assert "enough" not in said(replace(sure, program=sure.program | {"rewards": [ended]}))

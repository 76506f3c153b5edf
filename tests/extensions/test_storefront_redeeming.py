"""Using points in the panel: the question, its answers and refusals, never twice for one click."""

from __future__ import annotations

import re
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.extensions.spending import (
    CARD,
    CREDIT,
    FIVE_OFF,
    SHIPPING,
    SLIDER,
    Cart,
    Till,
    error,
    poor,
    redemption,
    selling,
    told,
    with_routes,
)
from tests.extensions.storefront_pages import Answer, Shop, answer
from tests.extensions.visiting import Visitor, focused, open_panel

HOME = selling(FIVE_OFF)
LOST = (502, "<h1>Bad gateway</h1>")
MADE = (201, redemption())
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def asked(
    visit: Visitor, shop: Shop, till: Any, *rewards: dict[str, Any], cart: Cart | None = None, **more: Any
) -> Page:
    """The panel at the question before the first reward."""
    rewards = rewards or (FIVE_OFF,)
    page = visit(selling(*rewards), told(*rewards), **more)
    with_routes(shop, till, cart or Cart())
    open_panel(page)
    page.locator(f"#rg-u-{rewards[0]['id']}").click()
    page.wait_for_selector(".rg-panel[data-view-now=redeem]")
    return page


def body(page: Page) -> str:
    return " ".join(page.locator(".rg-body:visible").inner_text().replace("\xa0", " ").split())


def note(page: Page) -> Any:
    return page.locator(".rg-note:visible")


# ── the question ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_says_what_it_costs_what_stays_and_that_it_can_be_undone(visit: Visitor, shop: Shop) -> None:
    page = asked(visit, shop, Till())
    assert body(page) == (
        "Use 100 points for €5 off? You have 240 This reward −100 You keep 140 points "
        "Works on any order. Cannot be combined with another discount code. "
        "Your 100 points are set aside, not spent. Give the reward back, or leave it unused until 21 December, "
        "and they return to you."
    )
    assert page.get_by_role("button", name="Use 100 points").is_enabled()
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_focused()


@pytest.mark.parametrize(
    ("reward", "says"),
    [
        (SHIPPING, "Works on orders from €40. Cannot be combined with another discount code."),
        ({**FIVE_OFF, "only_products": True, "combines": True}, "Works on some products. Can be combined with other"),
        (CARD, "You get it at once, and it is yours. It cannot be given back."),
    ],
)
def test_its_terms_are_said_before_the_click(visit: Visitor, shop: Shop, reward: dict[str, Any], says: str) -> None:
    page = asked(visit, shop, Till(), reward)
    assert says in body(page)
    assert ("set aside" in body(page)) == (reward is not CARD)


def test_enter_twice_does_not_use_anything(visit: Visitor, shop: Shop) -> None:
    till = Till(MADE)
    page = visit(HOME, told(FIVE_OFF))
    with_routes(shop, till)
    open_panel(page)
    page.locator("#rg-u-r5").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".rg-panel[data-view-now=redeem]")
    assert focused(page) == "rg-title"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert till.sent == []


def test_the_keyboard_alone_gets_there(visit: Visitor, shop: Shop) -> None:
    till = Till(MADE)
    page = asked(visit, shop, till)
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()"))
    assert reached[0] == "Close"
    assert reached[2:] == ["Use 100 points", "Not now"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your reward")).to_be_focused()
    assert len(till.sent) == 1


def test_too_few_points_is_said_and_the_button_rests(visit: Visitor, shop: Shop) -> None:
    till = Till(MADE)
    page = visit(poor(HOME, 40), told(FIVE_OFF, member={"available": 40}), address="/products/mug#regulars/redeem/r5")
    with_routes(shop, till)
    expect(note(page)).to_have_text("60 points to go")
    button = page.get_by_role("button", name="Use 100 points")
    assert button.get_attribute("aria-disabled") == "true"
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(50)
    assert till.sent == []


def test_a_reward_that_is_gone_is_the_panels_home(visit: Visitor) -> None:
    page = visit(HOME, told(FIVE_OFF), address="/products/mug#regulars/redeem/r404")
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_visible()


def test_a_question_opened_directly_leads_home(visit: Visitor) -> None:
    page = visit(HOME, told(FIVE_OFF), address="/products/mug#regulars/redeem/r5")
    expect(page.get_by_text("Works on any order.")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_focused()


def test_until_our_server_has_answered_there_is_nothing_to_press(visit: Visitor) -> None:
    release = Event()
    page = visit(HOME, lambda cursor: (release.wait(5), told(FIVE_OFF))[1])
    page.locator(".rg-launch").click()
    page.locator("#rg-u-r5").click()
    button = page.get_by_role("button", name="Use 100 points")
    expect(button).to_have_attribute("aria-disabled", "true")
    release.set()
    expect(button).to_have_attribute("aria-disabled", "false")


# ── any amount ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_slider_speaks_its_amount_and_price_and_is_moved_by_keys(visit: Visitor, shop: Shop) -> None:
    till = Till((201, redemption(points=200, amount_minor=1000, title="€10\u00a0off", reward_id="rl")))
    page = asked(visit, shop, till, SLIDER, cart=Cart(subtotal=5000))
    slider = page.get_by_role("slider", name="How much")
    assert slider.get_attribute("aria-valuetext") == "€5\xa0off, 100 points"
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # 240 points reach the second stop, no further
    assert slider.get_attribute("aria-valuetext") == "€10\xa0off, 200 points"
    assert "Use 200 points for €10 off? How much You have 240 This reward −200 You keep 40 points" in body(page)
    assert "Works on orders from €20." in body(page)
    page.get_by_role("button", name="Use 200 points").click()
    expect(page.get_by_role("heading", name="Your reward")).to_be_visible()
    assert till.sent[0]["points"] == 200
    expect(page.locator("[data-x=value]")).to_have_text("€10 off")


# ── asking our server ─────────────────────────────────────────────────────────────────────────────────────────────


def test_one_click_is_one_redemption_with_a_key_of_its_own(visit: Visitor, shop: Shop) -> None:
    till = Till(MADE)
    page = asked(visit, shop, till)
    page.get_by_role("button", name="Use 100 points").dblclick()
    expect(page.get_by_role("heading", name="Your reward")).to_be_focused()
    (sent,) = till.sent
    assert (sent["reward_id"], sent["points"]) == ("r5", 100)
    assert UUID.fullmatch(sent["key"])
    assert page.url.endswith("#regulars/code/tk1")
    page.get_by_role("button", name="Back", exact=True).click()
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_focused()


def test_the_next_question_has_another_key(visit: Visitor, shop: Shop) -> None:
    till = Till(MADE)
    keys = set()
    for _ in range(2):
        page = asked(visit, shop, till)
        page.get_by_role("button", name="Use 100 points").click()
        expect(page.get_by_role("heading", name="Your reward")).to_be_visible()
        keys.add(till.sent[-1]["key"])
    page.get_by_role("button", name="Back", exact=True).click()
    page.locator("#rg-u-r5").click()
    page.get_by_role("button", name="Use 100 points").click()
    expect(page.get_by_role("heading", name="Your reward")).to_be_visible()
    assert len({sent["key"] for sent in till.sent}) == 3


def test_a_lost_answer_is_asked_for_again_with_the_same_key(visit: Visitor, shop: Shop) -> None:
    till = Till(LOST, (200, redemption()))
    page = asked(visit, shop, till)
    page.get_by_role("button", name="Use 100 points").click()
    expect(page.get_by_role("button", name="Working…")).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_role("heading", name="Your reward")).to_be_visible()
    assert len(till.sent) == 2
    assert till.sent[0] == till.sent[1]


def test_when_every_answer_is_lost_the_shopper_may_try_again_and_it_counts_once(visit: Visitor, shop: Shop) -> None:
    till = Till(LOST)
    page = asked(visit, shop, till, SLIDER, own="lost")
    page.clock.install()
    page.get_by_role("button", name="Use 100 points").click()
    for _ in range(20):
        page.clock.run_for(400)
        page.wait_for_timeout(20)
    expect(note(page)).to_have_text("We got no answer. Try again: it counts only once.")
    assert page.get_by_role("slider").is_disabled()
    assert len(till.sent) == 3
    till.answers = [(200, redemption(reward_id="rl"))]
    page.get_by_role("button", name="Use 100 points").click()
    page.clock.run_for(10)
    expect(page.get_by_role("heading", name="Your reward")).to_be_visible()
    assert len({sent["key"] for sent in till.sent}) == 1


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("sold_out", "All gone for now. Your points are untouched."),
        ("limit_used", "You have had yours. Your points are untouched."),
        ("paused", "Points are resting. Your points are untouched."),
        ("ended", "This has ended. Your points are untouched."),
        ("not_yet", "From 21 November. Your points are untouched."),
        ("too_many_tries", "Too many tries. Wait a minute, then try again."),
        ("never_heard_of", "That did not work. Your points are untouched."),
    ],
)
def test_each_refusal_has_its_sentence(visit: Visitor, shop: Shop, code: str, says: str) -> None:
    page = asked(visit, shop, Till((429 if code == "too_many_tries" else 409, error(code))))
    before = len(shop.shopper_asked)
    page.get_by_role("button", name="Use 100 points").click()
    expect(note(page)).to_have_text(says)
    expect(page.get_by_role("status")).to_have_text(says)
    assert len(shop.shopper_asked) == before + 1
    assert focused(page) == "Use 100 points" or focused(page) == "rg-button"


def test_a_balance_that_changed_elsewhere_is_said(visit: Visitor, shop: Shop) -> None:
    page = asked(visit, shop, Till((409, error("not_enough_points"))))
    shop.shopper = lambda cursor: told(FIVE_OFF, member={"available": 40})
    page.get_by_role("button", name="Use 100 points").click()
    expect(note(page)).to_have_text("Your balance changed. You have 40 points now, which is not enough for this.")
    assert "You have 40" in body(page)
    assert page.get_by_role("button", name="Use 100 points").get_attribute("aria-disabled") == "true"


def test_a_price_that_changed_is_asked_about_anew(visit: Visitor, shop: Shop) -> None:
    till = Till((409, error("price_changed", points=120)))
    page = asked(visit, shop, till)
    shop.shopper = lambda cursor: told({**FIVE_OFF, "points": 120})
    page.get_by_role("button", name="Use 100 points").click()
    expect(note(page)).to_have_text("This reward costs 120 points now. Nothing was used.")
    assert "Use 120 points for €5 off?" in body(page)
    till.answers = [(201, redemption(points=120))]
    page.get_by_role("button", name="Use 120 points").click()
    expect(page.get_by_role("heading", name="Your reward")).to_be_visible()
    assert [sent["points"] for sent in till.sent] == [100, 120]


@pytest.mark.parametrize("refusal", [(409, error("reward_changed")), (422, error("unknown_reward"))])
def test_a_reward_that_changed_leads_back_to_the_list(visit: Visitor, shop: Shop, refusal: Answer) -> None:
    page = asked(visit, shop, Till(refusal))
    shop.shopper = lambda cursor: told({**FIVE_OFF, "id": "r6", "title": "€6\u00a0off", "points": 110})
    page.get_by_role("button", name="Use 100 points").click()
    expect(page.get_by_role("heading", name="Use your points")).to_be_focused()
    expect(page.locator(".rg-note:visible")).to_have_text(
        "That reward has changed, and your points are untouched. Have another look."
    )
    expect(page.get_by_role("link", name="Use 110 €6 off")).to_be_visible()


def test_logged_out_meanwhile_is_a_visitor(visit: Visitor, shop: Shop) -> None:
    page = asked(visit, shop, Till((401, error("not_logged_in"))))
    shop.shopper = lambda cursor: (200, answer(history=[], rewards=[FIVE_OFF]) | {"member": None})
    page.get_by_role("button", name="Use 100 points").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


# ── what is had at once ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_gift_card_shows_its_code_and_cannot_be_given_back(visit: Visitor, shop: Shop) -> None:
    making = redemption("reserved", kind="gift_card", reward_id="rc", points=200, until=None, last_day=None)
    card = {**making, "state": "used", "code": "RGLR2345ABCD9876"}
    till = Till((202, making), polls=((200, making), (200, card)))
    page = asked(visit, shop, till, CARD)
    page.get_by_role("button", name="Use 200 points").click()
    expect(page.locator("[data-x=state]")).to_contain_text("It is being made. This takes a few seconds.")
    assert page.get_by_role("button", name="Give it back").count() == 0
    expect(page.get_by_text("RGLR2345ABCD9876")).to_be_visible()
    expect(page.get_by_text("Your gift card is ready. It stays yours until it is used up.").first).to_be_visible()
    assert page.locator(".rg-acts:visible").count() == 0


def test_store_credit_is_in_the_account(visit: Visitor, shop: Shop) -> None:
    credit = redemption("used", code=None, kind="store_credit", reward_id="rk", points=200, last_day=None)
    page = asked(visit, shop, Till((201, credit)), CREDIT)
    page.get_by_role("button", name="Use 200 points").click()
    expect(page.locator("[data-x=state]")).to_have_text("€10 store credit is in your account.")
    assert page.get_by_text("Your code").is_hidden()
    assert page.locator(".rg-acts:visible").count() == 0

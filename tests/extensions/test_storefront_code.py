"""The code: being made, put on the cart for the shopper, copied, given back, used; and why it does not count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.extensions.spending import FIVE_OFF, TICKET, VASE, Cart, Till, error, redemption, selling, told, with_routes
from tests.extensions.storefront_pages import Shop
from tests.extensions.visiting import Visitor, focused, open_panel

HOME = selling(FIVE_OFF)
CODE = TICKET["code"]
RESERVED = redemption("reserved", until=None, last_day=None)


def used(visit: Visitor, shop: Shop, cart: Any, till: Till | None = None, **more: Any) -> Page:
    """One click on "Use 100 points", with this cart."""
    page = visit(HOME, told(FIVE_OFF), **more)
    with_routes(shop, till or Till((201, redemption())), cart)
    open_panel(page)
    page.locator("#rg-u-r5").click()
    page.get_by_role("button", name="Use 100 points").click()
    expect(page.get_by_role("heading", name="Your reward")).to_be_visible()
    return page


def shown(visit: Visitor, shop: Shop, held: dict[str, Any], *routes: Any) -> Page:
    """The view of a redemption, from the panel's home."""
    page = visit(HOME, told(FIVE_OFF, held=(held,)))
    with_routes(shop, *routes)
    open_panel(page)
    page.get_by_role("link", name="Show code").first.click()
    page.wait_for_selector(".rg-panel[data-view-now=code]")
    return page


def state(page: Page) -> Any:
    return page.locator("[data-x=state]")


# ── into the cart ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("appends", [False, True])
@pytest.mark.parametrize("before", [[], ["WELCOME"]])
def test_one_click_puts_the_code_on_the_cart_beside_what_was_there(
    visit: Visitor, shop: Shop, before: list[str], appends: bool
) -> None:
    cart = Cart(subtotal=2800, codes=list(before), appends=appends)
    page = used(visit, shop, cart)
    expect(state(page)).to_have_text("It is in your cart. You will see €5 off at checkout.")
    assert cart.codes == [*before, CODE]
    assert cart.sent == [("/cart/update.js", {"discount": ",".join([*before, CODE])})]
    expect(page.get_by_role("status")).to_have_text(
        "Your code is ready. It is in your cart. You will see €5 off at checkout."
    )
    assert page.get_by_role("link", name="Go to your cart").get_attribute("href") == "/cart"
    expect(page.get_by_text("240 points left.")).to_be_visible()  # what our server said last


def test_the_balance_falls_at_once_and_then_to_what_our_server_says(visit: Visitor, shop: Shop) -> None:
    page = visit(HOME, told(FIVE_OFF))
    with_routes(shop, Till((201, redemption())), Cart(subtotal=2800))
    open_panel(page)
    shop.shopper = lambda cursor: told(FIVE_OFF, member={"available": 139}, held=(redemption(),))
    page.locator("#rg-u-r5").click()
    page.get_by_role("button", name="Use 100 points").click()
    expect(page.get_by_text("139 points left. The code is also kept under History")).to_be_visible()
    expect(page.locator("[data-launcher]")).to_have_text("139 points")


def test_the_shops_own_root_is_used(visit: Visitor, shop: Shop) -> None:
    page = visit(HOME, told(FIVE_OFF), own="root")
    cart = Cart(subtotal=2800, root="/fr")
    with_routes(shop, Till((201, redemption())), cart)
    page.evaluate("window.Shopify = {routes: {root: '/fr/'}}")
    open_panel(page)
    page.locator("#rg-u-r5").click()
    page.get_by_role("button", name="Use 100 points").click()
    expect(page.get_by_role("link", name="Go to your cart")).to_have_attribute("href", "/fr/cart")
    assert "POST /fr/apps/regulars/redemptions" in shop.asked
    assert cart.codes == [CODE]


@pytest.mark.parametrize(
    ("cart", "ticket", "says"),
    [
        (Cart(), {}, "It will be used when you have something in your cart."),
        (
            Cart(subtotal=2800, rule=lambda code: False),
            {"minimum_minor": 4000},
            "It is in your cart, and counts once you add €12.00 more.",
        ),
        (
            Cart(subtotal=2800, codes=["WELCOME"], rule=lambda code: code == "WELCOME"),
            {},
            "It cannot be combined with WELCOME, which is in your cart.",
        ),
        (Cart(subtotal=2800, rule=lambda code: False), {}, "It does not work with what is in your cart."),
        (
            Cart(subtotal=2800, currency="USD", rule=lambda code: False),
            {"minimum_minor": 4000},
            "It does not work with what is in your cart.",
        ),
    ],
)
def test_when_it_does_not_count_the_panel_says_why(
    visit: Visitor, shop: Shop, cart: Cart, ticket: dict[str, Any], says: str
) -> None:
    page = used(visit, shop, replace(cart, codes=list(cart.codes), sent=[]), Till((201, redemption(**ticket))))
    expect(state(page)).to_have_text(says)
    link = page.get_by_role("link", name="Go to your cart")
    assert link.get_attribute("href") == f"/discount/{CODE}?redirect=%2Fcart"


def test_a_shop_without_the_ajax_cart_has_the_link(visit: Visitor, shop: Shop) -> None:
    page = used(visit, shop, lambda method, path, body: (404, {}) if "/cart" in path else None)
    expect(state(page)).to_have_text("It is not in your cart yet.")
    link = page.get_by_role("link", name="Go to your cart")
    assert link.get_attribute("href") == f"/discount/{CODE}?redirect=%2Fcart"


@pytest.mark.parametrize(("there", "added"), [([], 1), ([{"variant_id": 77, "quantity": 2}], 0)])
def test_a_free_product_is_put_in_the_cart_once(
    visit: Visitor, shop: Shop, there: list[dict[str, int]], added: int
) -> None:
    vase = {**VASE, "points": 100}
    cart = Cart(subtotal=2800, items=[{"variant_id": 11, "quantity": 1}, *there])
    page = visit(selling(vase), told(vase))
    ticket = redemption(kind="free_product", reward_id="rv", title="Free Bud vase", variant_id=77, amount_minor=None)
    with_routes(shop, Till((201, ticket)), cart)
    open_panel(page)
    page.locator("#rg-u-rv").click()
    page.get_by_role("button", name="Use 100 points").click()
    expect(state(page)).to_have_text("It is in your cart. You will see Free Bud vase at checkout.")
    assert [verb for verb, _ in cart.sent] == ["/cart/add.js"] * added + ["/cart/update.js"]
    assert sum(item["variant_id"] == 77 for item in cart.items) == 1


def test_a_code_taken_off_the_cart_can_be_put_back(visit: Visitor, shop: Shop) -> None:
    cart = Cart(subtotal=2800)
    page = shown(visit, shop, redemption(), cart)
    expect(state(page)).to_have_text("It is not in your cart yet.")
    page.get_by_role("button", name="Put it in your cart").click()
    expect(state(page)).to_have_text("It is in your cart. You will see €5 off at checkout.")
    assert cart.codes == [CODE]
    expect(page.get_by_role("link", name="Go to your cart")).to_be_visible()


# ── being made ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_code_being_made_is_asked_for_until_it_is_there_and_then_goes_into_the_cart(
    visit: Visitor, shop: Shop
) -> None:
    cart = Cart(subtotal=2800)
    till = Till((202, RESERVED), polls=((200, RESERVED), (503, "<h1>no</h1>"), (200, redemption())))
    page = used(visit, shop, cart, till, own="making")
    expect(state(page)).to_have_text("It is being made. This takes a few seconds. Your points are already set aside.")
    assert page.locator("[data-bone]").is_visible()
    assert page.get_by_role("button", name="Copy the code").count() == 0
    page.clock.install()
    page.reload()
    shop.shopper = lambda cursor: told(FIVE_OFF, held=(RESERVED,))
    page.wait_for_selector(".rg-panel[data-ready]")
    for _ in range(40):
        page.clock.run_for(500)
        page.wait_for_timeout(10)
        if page.get_by_text(CODE).is_visible():
            break
    expect(state(page)).to_have_text("It is in your cart. You will see €5 off at checkout.")
    assert cart.codes == [CODE]


def test_asking_slows_down_and_ends_when_the_panel_closes(visit: Visitor, shop: Shop) -> None:
    till = Till(polls=((200, RESERVED),))
    page = visit(HOME, told(FIVE_OFF, held=(RESERVED,)), own="polling")
    with_routes(shop, till, Cart())
    page.clock.install()
    open_panel(page)
    page.get_by_role("link", name="Show code").click()

    def polls(seconds: int) -> int:
        before = sum("/redemptions/tk1" in path for path in shop.asked)
        for _ in range(seconds * 2):
            page.clock.run_for(500)
            page.wait_for_timeout(5)
        return sum("/redemptions/tk1" in path for path in shop.asked) - before

    first, later = polls(15), polls(30)
    assert 3 <= first <= 6
    assert later <= 4
    page.get_by_role("button", name="Close").click()
    assert polls(30) <= 1


# ── copying ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_code_is_copied(visit: Visitor, shop: Shop) -> None:
    page = shown(visit, shop, redemption(), Cart())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the code").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    expect(page.locator("[data-x=copied]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == CODE
    page.context.clear_permissions()


def test_where_copying_is_forbidden_the_code_is_selected(visit: Visitor, shop: Shop) -> None:
    page = shown(visit, shop, redemption(), Cart())
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }")
    page.get_by_role("button", name="Copy the code").click()
    page.wait_for_function("getSelection().toString().length > 5")
    assert page.evaluate("getSelection().toString()") == CODE


# ── giving back, and every other end ──────────────────────────────────────────────────────────────────────────────


def test_it_is_given_back_and_said_to_be_on_its_way_until_the_points_are_there(visit: Visitor, shop: Shop) -> None:
    cart = Cart(subtotal=2800, codes=["WELCOME", CODE])
    leaving, back = redemption("releasing", why="cancelled"), redemption("released", why="cancelled")
    till = Till(cancels=((200, leaving),), polls=((200, leaving), (200, back)))
    page = shown(visit, shop, redemption(), till, cart)
    give = page.get_by_role("button", name="Give it back for 100 points")
    give.focus()
    shop.shopper = lambda cursor: told(FIVE_OFF, held=(leaving,))
    page.keyboard.press("Enter")
    said = "Given back. Your 100 points return within a few minutes."
    expect(state(page)).to_have_text(said)
    expect(page.get_by_role("status")).to_have_text(said)
    assert focused(page) == "rg-title"
    assert page.get_by_text(CODE).is_hidden()
    expect(give).to_be_hidden()
    page.wait_for_timeout(50)
    assert cart.codes == ["WELCOME"]
    shop.shopper = lambda cursor: told(FIVE_OFF, member={"available": 340})
    expect(state(page)).to_have_text("Your 100 points are back.")
    expect(page.locator("[data-launcher]")).to_have_text("340 points")


def test_what_was_not_made_yet_is_back_at_once(visit: Visitor, shop: Shop) -> None:
    till = Till(polls=((200, RESERVED),), cancels=((200, redemption("released", why="cancelled")),))
    page = shown(visit, shop, RESERVED, till, Cart())
    page.get_by_role("button", name="Give it back for 100 points").click()
    expect(state(page)).to_have_text("Your 100 points are back.")


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        ((409, error("being_made")), "It is being made right now. Try again in a minute."),
        ((409, error("something_else")), "That did not work. Your points are untouched."),
    ],
)
def test_what_cannot_be_given_back_says_why(visit: Visitor, shop: Shop, refusal: Any, says: str) -> None:
    page = shown(visit, shop, redemption(), Till(cancels=(refusal,)), Cart())
    page.get_by_role("button", name="Give it back for 100 points").click()
    expect(page.locator(".rg-note--bad:visible")).to_have_text(says)


def test_used_a_moment_before_it_is_given_back(visit: Visitor, shop: Shop) -> None:
    spent = redemption("used", code=None, order="#1050")
    till = Till(cancels=((409, error("already_used")),), polls=((200, spent),))
    page = shown(visit, shop, redemption(), till, Cart())
    page.get_by_role("button", name="Give it back for 100 points").click()
    expect(state(page)).to_have_text("Used on order #1050.")
    assert page.locator(".rg-acts:visible").count() == 0


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (redemption("used", code=None, order="#1050"), "Used on order #1050."),
        (redemption("used", code=None), "This code was used."),
        (redemption("released", why="expired"), "Not used by 21 December. Your points came back."),
        (redemption("released", why="staff"), "Your 100 points are back."),
        (redemption("releasing", why="expired"), "Given back. Your 100 points return within a few minutes."),
        (redemption("releasing", why="reissued"), "It is being made. This takes a few seconds."),
    ],
)
def test_an_address_shows_what_became_of_it(visit: Visitor, shop: Shop, end: dict[str, Any], says: str) -> None:
    page = visit(HOME, told(FIVE_OFF), address="/products/mug")
    with_routes(shop, Till(polls=((200, end),)), Cart())
    with page.expect_response("**/redemptions/tk1"):
        page.evaluate("location.hash = '#regulars/code/tk1'")
    expect(state(page)).to_contain_text(says)
    expect(page.locator("[data-x=value]")).to_have_text("€5 off")


def test_somebody_elses_address_is_the_panels_home(visit: Visitor, shop: Shop) -> None:
    page = visit(HOME, told(FIVE_OFF))
    with_routes(shop, Till(polls=((404, error("not_found")),)), Cart())
    page.evaluate("location.hash = '#regulars/code/theirs'")
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_focused()


def test_the_last_day_is_the_shops_wherever_the_shopper_is(visit: Visitor, shop: Shop) -> None:
    page = visit(HOME, told(FIVE_OFF, held=(redemption(),)), timezone_id="America/Los_Angeles")
    with_routes(shop, Cart())
    open_panel(page)
    page.get_by_role("link", name="Show code").click()
    expect(page.locator("[data-x=until]")).to_have_text("until 21 December")

"""Points spent in the storefront, by clicking: used, seen in the cart, ordered with; and given back instead.

A shop of its own in the demo, installed and launched beforehand. Codes are made, put on carts and deleted by the dev
store because of what was clicked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import Demo, picture
from .test_more import Dunes, log_in, open_app, saved_in_the_editor
from .test_story import SOON, buy, panel_shows

MAKING_MS = 60_000  # the first code of a reward is made on demand


@pytest.fixture(scope="module")
def shop(demo: Demo) -> Iterator[Dunes]:
    shop = Dunes(demo.port, demo.folder, demo.process, domain="marsh.myshopify.com")
    shop.open()
    yield shop


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def test_points_are_used_seen_in_the_cart_and_ordered_with(shop: Dunes, page: Page) -> None:
    frame = open_app(shop, page)
    frame.get_by_role("link", name="Open theme editor").first.click()
    saved_in_the_editor(page)
    log_in(shop, page)
    # Ten cobalt mugs at €28.00 with 21 % tax in them: €231.40 without.
    panel_shows(shop, page, 231, f"Order {buy(shop, page, [('cobalt-mug', 10)])}")
    expect(page.locator("#rg-next")).to_have_text("You have enough for €5\u00a0off.")
    picture(page, "panel-spend")

    put_in_the_cart(shop, page)
    open_panel(page)
    page.get_by_role("link", name="Use 100 €5 off").click()
    picture(page, "panel-use")
    page.get_by_role("button", name="Use 100 points").click()
    state = page.locator("[data-x=state]")
    expect(state).to_have_text("It is in your cart. You will see €5\u00a0off at checkout.", timeout=MAKING_MS)
    expect(page.get_by_text("131 points left.")).to_be_visible()
    picture(page, "panel-code")
    code = page.locator("[data-x=code]").inner_text()

    page.get_by_role("link", name="Go to your cart").click()
    expect(page.get_by_text(code)).to_be_visible()
    expect(page.get_by_text("−€5.00")).to_be_visible()
    picture(page, "cart-with-reward")
    page.locator("button[name=checkout]").click()
    page.locator("button[name=place]").click()
    placed = page.get_by_text(re.compile(r"#\d{4,}")).first
    expect(placed).to_be_visible(timeout=SOON)
    order = re.search(r"#\d{4,}", placed.inner_text())
    assert order
    # One mug less €5.00: €23.00, €19.01 without its tax. The order earns; the reward's points are spent by it.
    panel_shows(shop, page, 131 + 19, f"Order {order[0]}")
    page.get_by_role("link", name="History").click()
    used = page.locator(".rg-history li", has_text="Used for")
    expect(used).to_contain_text(f"Used on order {order[0]}.")
    expect(used).to_contain_text("−100")


def test_what_is_given_back_leaves_the_cart_and_returns(shop: Dunes, page: Page) -> None:
    log_in(shop, page)
    put_in_the_cart(shop, page)
    open_panel(page)
    before = int(page.locator("[data-available]").inner_text())
    page.get_by_role("link", name="Use 100 €5 off").click()
    page.get_by_role("button", name="Use 100 points").click()
    state = page.locator("[data-x=state]")
    expect(state).to_contain_text("It is in your cart.", timeout=MAKING_MS)
    code = page.locator("[data-x=code]").inner_text()
    page.get_by_role("button", name="Give it back for 100 points").click()
    expect(state).to_have_text("Given back. Your 100 points return within a few minutes.")
    picture(page, "panel-given-back")
    expect(page.locator("[data-launcher]")).to_have_text(f"{before - 100} points")
    cart = page.evaluate("fetch('/cart.js').then((answer) => answer.json())")
    assert code not in [each["code"] for each in cart["discount_codes"]]
    # Shopify confirms, a minute passes, every order from around that moment has been looked for.
    for _ in range(8):
        page.wait_for_timeout(2_000)
        if "are back" in state.inner_text():
            break
        shop.control("clock", minutes=2)
    expect(state).to_have_text("Your 100 points are back.", timeout=MAKING_MS)
    expect(page.locator("[data-launcher]")).to_have_text(f"{before} points")
    page.get_by_role("button", name="Back", exact=True).click()
    page.get_by_role("link", name="History").click()
    expect(page.locator(".rg-history li").first).to_contain_text("€5\u00a0off given back")


def put_in_the_cart(shop: Dunes, page: Page) -> None:
    page.goto(f"{shop.storefront}/products/cobalt-mug")
    page.locator("button[name=add]").click()
    page.wait_for_load_state()


def open_panel(page: Page) -> None:
    page.locator(".rg-launch").click()
    expect(page.locator(".rg-panel[data-ready]")).to_be_visible()

"""The main job, end to end, by clicking only.

Install in the admin frame → launch → switch the panel on → buy in the storefront → the panel shows the points → partial
refund → points fall by exactly what was returned → the merchant changes the rate → the next order earns by it, a refund
of the first still by the old. No step posts a webhook of its own: the dev store sends them because of what was clicked.
"""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, FrameLocator, Page, expect

from .conftest import Demo, picture

SOON = 20_000  # milliseconds until a webhook was sent, stored, settled and can be seen


def test_install_buy_refund_and_a_change_of_rate(demo: Demo, context: BrowserContext) -> None:
    admin, shop = context.new_page(), context.new_page()

    install(demo, admin)
    launch(demo, admin)
    switch_the_panel_on(demo, admin)

    log_in(demo, shop)
    first = buy(demo, shop, [("cobalt-mug", 3)])
    # Three cobalt mugs at €28.00 with 21 % tax in them: €69.42 without, at 1 point for every €1.
    panel_shows(demo, shop, 69, f"Order {first}")
    picture(shop, "panel-member")

    refund(demo, admin, first, "Cobalt mug", 1)
    panel_shows(demo, shop, 46, f"Refund on order {first}")  # two mugs: €46.28
    picture(shop, "panel-after-refund")

    change_the_rate(demo, admin, points=2)
    second = buy(demo, shop, [("cobalt-mug", 1)])
    panel_shows(demo, shop, 46 + 46, f"Order {second}")  # one mug, €23.14, at 2 points for every €1

    # The first order was placed at one point for every €1, and still is worth that.
    refund(demo, admin, first, "Cobalt mug", 1)
    panel_shows(demo, shop, 23 + 46, f"Refund on order {first}")

    profile_explains(demo, admin, first)


def app_frame(page: Page) -> FrameLocator:
    return page.frame_locator("iframe").first


def install(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.admin}/apps")
    page.get_by_role("link", name="Install").first.click()
    picture(page, "admin-install")
    page.get_by_role("button", name="Install").click()
    expect(app_frame(page).get_by_text("Get set up")).to_be_visible(timeout=SOON)
    picture(page, "admin-home-new", full=True)


def launch(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.admin}/apps/regulars")
    frame = app_frame(page)
    frame.get_by_role("button", name="Launch…").click()
    frame.get_by_role("button", name="Launch", exact=True).click()
    expect(frame.get_by_role("heading", name="Launch your program")).to_be_hidden(timeout=SOON)
    expect(frame.get_by_text("1 of 3")).to_be_visible(timeout=SOON)
    picture(page, "admin-home-launched", full=True)


def switch_the_panel_on(demo: Demo, page: Page) -> None:
    """By the deep link of the setup guide: one click there, one on Save."""
    frame = app_frame(page)
    frame.get_by_role("link", name="Open theme editor").first.click()
    page.wait_for_url("**/themes/current/editor**")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Not saved yet")).to_be_hidden(timeout=SOON)
    picture(page, "theme-editor")


def log_in(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.storefront}/account/login")
    page.locator("button[name=customer_id]").first.click()
    page.goto(f"{demo.storefront}/")
    expect(page.locator(".rg-launch")).to_be_visible(timeout=SOON)
    picture(page, "storefront-home")


def buy(demo: Demo, page: Page, wanted: list[tuple[str, int]]) -> str:
    """Through product page, cart and checkout. Returns the order's name, "#1012"."""
    for handle, quantity in wanted:
        page.goto(f"{demo.storefront}/products/{handle}")
        if handle == "cobalt-mug":
            picture(page, "product")
        page.locator("input[name=quantity]").fill(str(quantity))
        page.locator("button[name=add]").click()
        page.wait_for_load_state()
    page.goto(f"{demo.storefront}/cart")
    page.locator("button[name=checkout]").click()
    page.locator("button[name=place]").click()
    name = page.get_by_text(re.compile(r"#\d{4,}")).first
    expect(name).to_be_visible(timeout=SOON)
    found = re.search(r"#\d{4,}", name.inner_text())
    assert found is not None
    return found[0]


def panel_shows(demo: Demo, page: Page, points: int, line: str) -> None:
    """Open the panel until it shows the balance: a webhook takes its moment. Then read the newest line of history."""
    for _ in range(20):
        page.goto(f"{demo.storefront}/")
        page.locator(".rg-launch").click()
        expect(page.locator(".rg-panel[data-ready]")).to_be_visible()
        page.wait_for_timeout(400)
        if re.sub(r"\D", "", page.locator("[data-available]").first.inner_text()) == str(points):
            break
        page.wait_for_timeout(300)
    expect(page.locator("[data-available]").first).to_have_text(re.compile(rf"^{points:,}\b"))
    page.get_by_role("link", name="History").or_(page.get_by_role("button", name="History")).first.click()
    expect(page.locator(".rg-history li").first).to_contain_text(line)
    picture(page, "panel-history")
    page.goto(f"{demo.storefront}/")
    page.locator(".rg-launch").click()


def refund(demo: Demo, page: Page, order: str, title: str, quantity: int) -> None:
    page.goto(f"{demo.admin}/orders")
    page.get_by_role("link", name=order).first.click()
    page.get_by_role("button", name="Refund…").click()
    picture(page, "order-refund")
    asked = page.locator("s-modal#refund")
    asked.get_by_label(title).fill(str(quantity))
    asked.get_by_role("button", name="Refund", exact=True).click()
    expect(page.get_by_text(re.compile("refunded", re.IGNORECASE)).first).to_be_visible(timeout=SOON)
    picture(page, "order", full=True)


def change_the_rate(demo: Demo, page: Page, *, points: int) -> None:
    page.goto(f"{demo.admin}/apps/regulars/admin/program")
    frame = app_frame(page)
    field = frame.get_by_label("Points", exact=True)
    field.fill(str(points))
    expect(frame.get_by_text("1 point for every €1 → 2 points for every €1")).to_be_visible(timeout=SOON)
    picture(page, "admin-program", full=True)
    frame.get_by_role("button", name="Publish…").click()
    picture(page, "admin-publish")
    frame.get_by_role("button", name="Publish", exact=True).click()
    expect(frame.get_by_text("Version 2 is live")).to_be_visible(timeout=SOON)


def profile_explains(demo: Demo, page: Page, order: str) -> None:
    page.goto(f"{demo.admin}/apps/regulars/admin/members")
    frame = app_frame(page)
    picture(page, "admin-members", full=True)
    frame.locator("s-table-row").first.click()
    expect(frame.get_by_text("Ledger")).to_be_visible(timeout=SOON)
    expect(frame.get_by_text(f"Order {order}").first).to_be_visible()
    picture(page, "admin-member", full=True)
    page.goto(f"{demo.admin}/apps/regulars")
    expect(frame.get_by_text("Outstanding points")).to_be_visible(timeout=SOON)
    picture(page, "admin-home", full=True)

"""Chromium and a storefront to look at with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from storefront_pages import NOW, Answer, Shop, Storefront, serving

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = (1280, 860), (390, 844)

Opener = Callable[..., Page]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def shop() -> Iterator[Shop]:
    with serving() as served:
        yield served


@pytest.fixture
def visit(chromium: Browser, shop: Shop) -> Iterator[Opener]:
    """`visit(Storefront(…), shopper=(status, body), size=PHONE, …)`: a page of the shop, at NOW, nothing open yet."""
    contexts = []

    def go(
        storefront: Storefront,
        shopper: Answer | Callable[[str | None], Answer] = (200, None),
        size: tuple[int, int] = DESKTOP,
        scheme: str = "light",
        motion: str = "reduce",
        address: str = "/products/mug",
    ) -> Page:
        shop.show(storefront, shopper)
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            reduced_motion=motion,
            timezone_id="Europe/Dublin",
            locale="en-IE",
        )
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("dialog", lambda dialog: (page.problems.append(dialog.message), dialog.dismiss()))
        page.clock.set_fixed_time(NOW)
        page.goto(shop.origin + address)
        return page

    yield go
    problems = [problem for context in contexts for page in context.pages for problem in page.problems]
    for context in contexts:
        context.close()
    assert not problems


def open_panel(page: Page, view: str = "") -> Page:
    """The panel by its launcher, and one of its views by its link; back when our server has answered."""
    with page.expect_response("**/shopper*"):
        page.locator(".rg-launch").click()
    page.wait_for_function("document.querySelector('.rg-panel[data-ready]')")
    if view:
        page.locator(f".rg-foot a[href='#regulars/{view}']").click()
        page.wait_for_selector(f".rg-panel[data-view-now={view}]")
    return page

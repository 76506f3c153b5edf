"""What a shopper does in a browser, for the theme extension's tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.extensions.storefront_pages import NOW, Answer, Shop, Storefront

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


@dataclass
class Visitor:
    """Opens pages of one shop, each in a browser of its own, and notes what went wrong in them."""

    chromium: Browser
    shop: Shop
    contexts: list[BrowserContext] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __call__(
        self,
        storefront: Storefront,
        shopper: Answer | Callable[[str | None], Answer] = (200, None),
        size: tuple[int, int] = DESKTOP,
        address: str = "/products/mug",
        **context: Any,
    ) -> Page:
        """A page of the shop at NOW, nothing opened yet. `shopper`: what our server answers there."""
        self.shop.show(storefront, shopper)
        options = {"color_scheme": "light", "reduced_motion": "reduce", "timezone_id": "Europe/Dublin", **context}
        opened = self.chromium.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        self.contexts.append(opened)
        page = opened.new_page()
        page.set_default_timeout(5_000)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: (self.problems.append(dialog.message), dialog.dismiss()))
        page.clock.set_fixed_time(NOW)
        page.goto(self.shop.origin + address)
        return page


def open_panel(page: Page, view: str = "") -> Page:
    """The panel by its launcher, and one of its views by its link; back when our server has answered."""
    with page.expect_response("**/shopper*"):
        page.locator(".rg-launch").click()
    page.wait_for_selector(".rg-panel[data-ready]")
    if view:
        page.locator(f".rg-foot a[href='#regulars/{view}']").click()
        page.wait_for_selector(f".rg-panel[data-view-now={view}]")
    return page


def focused(page: Page) -> str:
    """What has the focus, by its id, its label or its words."""
    return page.evaluate(
        "(e => e.id || e.ariaLabel || e.className.split(' ').pop() || e.textContent.trim())(document.activeElement)"
    )

"""What a shopper does in a browser, for the theme extension's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page

from tests.extensions.storefront_pages import NOW, Answer, Shop, Storefront

DESKTOP, PHONE = (1280, 860), (390, 844)


class Visitor:
    """Opens pages of one shop and notes what went wrong in them.

    Browsers of the same kind are used again: our code keeps nothing, which a test of its own says.
    """

    def __init__(self, chromium: Browser, shop: Shop) -> None:
        self.chromium = chromium
        self.shop = shop
        self.pages: dict[str, Page] = {}
        self.problems: list[str] = []

    def __call__(
        self,
        storefront: Storefront,
        shopper: Answer | Callable[[str | None], Answer] = (200, None),
        size: tuple[int, int] = DESKTOP,
        address: str = "/products/mug",
        **kind: Any,
    ) -> Page:
        """A page of the shop at NOW, nothing opened yet.

        `shopper` is what our server answers there, `kind` options of the browser such as `reduced_motion`; with
        `own="…"` it is one that no other test has.
        """
        self.shop.show(storefront, shopper)
        page = self._page(kind)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(self.shop.origin + address)
        return page

    def _page(self, kind: dict[str, Any]) -> Page:
        if page := self.pages.get(repr(kind)):
            page.goto("about:blank")
            return page
        options = {"color_scheme": "light", "reduced_motion": "reduce", "timezone_id": "Europe/Dublin"}
        options |= {name: value for name, value in kind.items() if name != "own"}
        page = self.pages[repr(kind)] = self.chromium.new_context(**options).new_page()
        page.set_default_timeout(5_000)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: (self.problems.append(dialog.message), dialog.dismiss()))
        page.clock.set_fixed_time(NOW)
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

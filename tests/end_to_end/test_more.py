"""What merchants and shoppers do beyond the main story, by clicking, in the same demo: a shop of its own.

The shop is installed and launched beforehand, over HTTP; the story shows that part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import axe_playwright_python
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from ..support import order_body, webhook_headers
from .conftest import Demo, picture
from .test_story import SOON, app_frame, buy, panel_shows

DOMAIN = "dunes.myshopify.com"
INES = "Ines Duarte"
MUGS = [("cobalt-mug", 3)]  # 84.00, of which 14.58 is tax: 69 points


@dataclass(frozen=True)
class Dunes(Demo):
    """Another shop of the demo, and the dev store's control API."""

    domain: str = DOMAIN

    @property
    def admin(self) -> str:
        return f"http://localhost:{self.port}/-/admin/store/{self.domain.partition('.')[0]}"

    @property
    def storefront(self) -> str:
        return f"http://{self.domain}.localhost:{self.port}"

    def open(self) -> None:
        """Installed, and live with the starter program."""
        self.control("shops", domain=self.domain)
        self.control(f"!shops/{self.domain}/install")
        with urlopen(self.control(f"shops/{self.domain}/launch")["url"], timeout=20) as page:
            assert page.status == 200
        self.press("/admin/program/launch", "preset=starter")

    def control(self, path: str, **body: Any) -> Any:
        """GET, or POST of a body."""
        data = json.dumps(body).encode() if body or path.startswith("!") else None
        address = f"http://127.0.0.1:{self.port}/-/control/{path.lstrip('!')}"
        with urlopen(Request(address, data=data, headers={"Content-Type": "application/json"}), timeout=20) as answer:
            return json.load(answer)

    def press(self, path: str, form: str) -> None:
        """A form of the embedded admin, as App Bridge sends it."""
        token = self.control(f"shops/{self.domain}/launch")["id_token"]
        asked = Request(self.app + path, data=form.encode(), headers={"Authorization": f"Bearer {token}"})
        with urlopen(asked, timeout=20) as answer:
            assert answer.status == 200

    def told(self, topic: str, body: bytes) -> None:
        """A webhook signed by Shopify's secret."""
        secret = json.loads((self.folder / "keys.json").read_text(encoding="utf-8"))["SHOPIFY_API_SECRET"]
        headers = webhook_headers(topic, body, domain=self.domain, secret=secret)
        with urlopen(Request(f"{self.app}/webhooks", data=body, headers=headers), timeout=20) as answer:
            assert answer.status == 200


@pytest.fixture(scope="module")
def shop(demo: Demo) -> Iterator[Dunes]:
    shop = Dunes(demo.port, demo.folder, demo.process)
    shop.open()
    yield shop


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def open_app(shop: Dunes, page: Page, path: str = "") -> Any:
    page.goto(f"{shop.admin}/apps/regulars/{path}")
    frame = app_frame(page)
    expect(frame.locator("s-page")).to_be_visible(timeout=SOON)
    inside = next(each for each in page.frames if each.parent_frame is not None)
    inside.wait_for_load_state()  # its script is there: nobody clicks sooner
    return frame


def log_in(shop: Dunes, page: Page, name: str = INES) -> None:
    page.goto(f"{shop.storefront}/account/login")
    page.get_by_role("button", name=name).click()


def saved_in_the_editor(page: Page) -> None:
    page.wait_for_url("**/themes/current/editor**")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible(timeout=SOON)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


# These two come first: the others need the panel to be on.


def test_the_panel_and_the_block_are_one_click_in_the_theme_editor(shop: Dunes, page: Page) -> None:
    for done in ("1 of 3", "2 of 3"):
        frame = open_app(shop, page)
        expect(frame.get_by_text(done)).to_be_visible(timeout=SOON)
        frame.get_by_role("link", name="Open theme editor").first.click()
        saved_in_the_editor(page)
    frame = open_app(shop, page)
    expect(frame.get_by_text("3 of 3")).to_be_visible(timeout=SOON)


def test_points_on_the_product_page_follow_the_chosen_variant(shop: Dunes, page: Page) -> None:
    page.goto(f"{shop.storefront}/products/cobalt-mug")
    expect(page.get_by_text("Earns up to 28 points.")).to_be_visible()
    page.get_by_text("250 ml", exact=True).click()
    expect(page.get_by_text("Earns up to 24 points.")).to_be_visible()
    expect(page.get_by_text("Earns up to 28 points.")).to_be_hidden()
    page.get_by_text("350 ml", exact=True).click()
    expect(page.get_by_text("Earns up to 28 points.")).to_be_visible()
    page.goto(f"{shop.storefront}/products/gift-card")
    expect(page.get_by_text("This item does not earn points.")).to_be_visible()


@pytest.mark.parametrize("way", ["Join for free", "Log in"])
def test_a_visitor_comes_back_to_the_page_after_signing_in(shop: Dunes, page: Page, way: str) -> None:
    page.goto(f"{shop.storefront}/products/straw-mug")
    page.locator(".rg-launch").click()
    panel = page.locator(".rg-panel[data-ready]")
    expect(panel.get_by_text("Every order earns you points.")).to_be_visible()
    picture(page, "panel-visitor")
    panel.get_by_role("link", name=way).click()
    page.get_by_role("button", name="Mei Tan").click()
    expect(page).to_have_url(re.compile(r"/products/straw-mug(#.*)?$"))
    expect(page.locator(".rg-launch")).to_contain_text("0 points")


def test_points_corrected_by_hand_are_in_the_members_history(shop: Dunes, page: Page) -> None:
    log_in(shop, page)
    name = buy(shop, page, MUGS)
    panel_shows(shop, page, 69, f"Order {name}")
    frame = open_app(shop, page, "admin/members")
    frame.get_by_role("link", name=INES).click()
    press(frame, "Adjust points…")
    frame.get_by_label("Points", exact=True).fill("31")
    frame.get_by_role("button", name="Adjust", exact=True).click()
    expect(frame.get_by_text("Say why").or_(frame.locator("[error]")).first).to_be_visible()
    frame.get_by_label("Reason").fill("For the cup that broke on its way")
    frame.get_by_role("button", name="Adjust", exact=True).click()
    expect(frame.get_by_text("For the cup that broke on its way").first).to_be_visible(timeout=SOON)
    panel_shows(shop, page, 100, "For the cup that broke on its way")


def test_fulfilling_editing_and_cancelling(shop: Dunes, page: Page) -> None:
    log_in(shop, page, "Noor Visser")
    name = buy(shop, page, [("straw-mug", 2), ("espresso-cup-oxide", 1)])
    # 56.00 and 16.50, tax taken out: 46.28 + 13.64 = 59.92
    panel_shows(shop, page, 59, f"Order {name}")
    page.goto(f"{shop.admin}/orders")
    page.get_by_role("link", name=name).click()
    press(page, "Edit…")
    page.locator("s-modal:visible").get_by_label("Straw mug").fill("1")
    press(page, "Save changes")
    expect(page.get_by_text("Order edited.")).to_be_visible(timeout=SOON)
    order = page.url
    panel_shows(shop, page, 36, f"order {name}")  # 23.14 + 13.64
    page.goto(order)
    press(page, "Fulfil…")
    press(page, "Fulfil")
    expect(page.get_by_text("Fulfilled.", exact=True)).to_be_visible(timeout=SOON)
    press(page, "Cancel…")
    press(page, "Cancel order")
    expect(page.get_by_text("Order cancelled.")).to_be_visible(timeout=SOON)
    panel_shows(shop, page, 0, f"order {name}")


def test_a_parked_delivery_is_explained_replayed_and_discarded(shop: Dunes, page: Page) -> None:
    shop.told("orders/updated", json.dumps({**order_body(), "line_items": "seven"}).encode())
    home = open_app(shop, page)
    expect(home.get_by_text(re.compile("1 delivery|delivery is parked|parked")).first).to_be_visible(timeout=SOON)
    frame = open_app(shop, page, "admin/activity")
    row = frame.locator("s-table-row", has_text="orders/updated").first
    expect(row).to_contain_text("cannot be read: line_items")
    picture(page, "admin-activity", full=True)
    row.get_by_role("link").click()
    press(frame, "Replay")
    page.wait_for_timeout(1500)
    frame = open_app(shop, page, "admin/activity")
    row = frame.locator("s-table-row", has_text="orders/updated").first
    expect(row).to_contain_text("cannot be read: line_items")  # it is as broken as before
    row.get_by_role("link").click()
    press(frame, "Discard…")
    press(frame, "Discard")
    expect(frame.locator("s-table-row", has_text="line_items")).to_have_count(0, timeout=SOON)


def test_a_data_request_is_downloaded(shop: Dunes, page: Page, tmp_path: Path) -> None:
    page.goto(f"{shop.admin}/customers")
    page.get_by_role("link", name="Tomás Brandt").click()
    press(page, "Ask apps for their data")
    expect(page.get_by_text("The app was asked for this customer's data.")).to_be_visible(timeout=SOON)
    page.wait_for_timeout(800)
    frame = open_app(shop, page, "admin/privacy")
    expect(frame.get_by_text("30 days left")).to_be_visible()
    picture(page, "admin-privacy", full=True)
    with page.expect_download() as arriving:
        frame.get_by_role("link", name=re.compile("^Download")).or_(
            frame.get_by_role("button", name=re.compile("^Download"))
        ).first.click()
    arriving.value.save_as(tmp_path / "answer.json")
    answer = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    tomas = next(c for c in shop.control(f"shops/{DOMAIN}/customers") if c["first_name"] == "Tomás")
    assert answer["customer_id"] == tomas["id"]
    expect(frame.get_by_text(re.compile("^Downloaded on"))).to_be_visible(timeout=SOON)


def test_a_mistake_in_the_program_is_shown_beside_its_field(shop: Dunes, page: Page) -> None:
    frame = open_app(shop, page, "admin/program")
    field = frame.locator("s-number-field[name=points]")
    frame.get_by_label("Points", exact=True).fill("0")
    expect(field).to_have_attribute("error", re.compile("."), timeout=SOON)
    picture(page, "admin-program-error")
    frame.get_by_role("button", name="Publish…").click()
    frame.get_by_role("button", name="Publish", exact=True).click()
    expect(frame.locator("s-number-field[name=points][error]")).to_be_visible(timeout=SOON)
    frame = open_app(shop, page, "admin/program")
    expect(frame.get_by_text("Version 1 is live")).to_be_visible(timeout=SOON)
    expect(frame.get_by_label("Points", exact=True)).to_have_value("1")


@pytest.fixture
def app_is_away(shop: Dunes, tmp_path: Path) -> Iterator[None]:
    """Shopify's proxy finds nobody at the app's address."""
    text = (shop.folder / "shopify.app.toml").read_text(encoding="utf-8")
    elsewhere = shop.folder / "elsewhere.toml"
    elsewhere.write_text(text.replace(shop.app, "http://127.0.0.1:9"), encoding="utf-8")
    shop.control("app/reload", app_toml=str(elsewhere))
    yield
    shop.control("!app/reload")


def test_when_the_app_is_away_the_panel_says_so_and_keeps_what_is_known(
    shop: Dunes, page: Page, app_is_away: None
) -> None:
    log_in(shop, page)
    page.goto(f"{shop.storefront}/")
    page.locator(".rg-launch").click()
    panel = page.locator(".rg-panel[data-ready]")
    note = panel.locator("[data-trouble]:visible")
    expect(note).to_have_text("We can’t reach your points right now.", timeout=SOON)
    expect(panel.locator("[data-available]")).to_have_text(re.compile(r"^\d"))
    picture(page, "panel-app-away")
    shop.control("!app/reload")
    panel.get_by_role("button", name="Try again").click()
    expect(note).to_have_count(0, timeout=SOON)


def test_nobody_is_shut_out(shop: Dunes, page: Page) -> None:
    """axe has nothing to say about the panel on a page of the store, nor about the admin's pages."""
    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
    found: dict[str, list[str]] = {}

    def look(name: str, where: Any, root: str) -> None:
        where.evaluate(axe)
        said = where.evaluate("([root, rules]) => axe.run(root, {runOnly: rules})", [root, rules])
        found[name] = [f"{rule['id']}: {rule['nodes'][0]['target']}" for rule in said["violations"]]

    page.emulate_media(reduced_motion="reduce")
    log_in(shop, page)
    page.goto(f"{shop.storefront}/products/cobalt-mug")
    look("product", page, "body")
    page.locator(".rg-launch").click()
    expect(page.locator(".rg-panel[data-ready]")).to_be_visible()
    look("panel", page, ".rg-panel")
    for name in ("", "admin/program", "admin/activity"):  # tests/web/admin looks at all of them, at both widths
        open_app(shop, page, name)
        look(name or "home", next(frame for frame in page.frames if frame.parent_frame is not None), "body")
    assert found == {name: [] for name in found}

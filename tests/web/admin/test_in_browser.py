"""The admin in a real Chromium, inside the dev store's admin frame: what its one script does, and that anybody can
use every page (axe, at both widths). One shop, launched and shopped at; the tests look at it one after the other.
"""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from app.clock import utcnow
from app.db import Database
from app.loyalty.programs import publish
from app.models import Member, ProgramVersion, Shop
from app.program.presets import preset

from ...support import deliver, order_body, refund_body
from .running import Running, side_by_side

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def running(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("browser") / "regulars.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    with side_by_side(database) as pair:
        open_in(pair)
        now = utcnow()
        with database.transaction() as session:
            shop = session.get_one(Shop, pair.shop_id)
            publish(session, shop, preset("starter", shop.currency), author="test", now=now - timedelta(hours=2))
        customer = pair.devstore.customers(pair.devstore.shop("saltmarsh.myshopify.com"))[0]
        placed = {"shop_id": pair.shop_id, "customer_id": customer.id}
        for number in range(1, 4):
            order = order_body(number, lines=[("28.00", 3)], created_at=now - timedelta(hours=1), **placed)
            deliver(database, "orders/paid", order, now=now)
        deliver(database, "orders/paid", {"id": 9}, webhook_id="bad", now=now)
        pair.worker.drain()
        deliver(database, "refunds/create", refund_body(1, 1, units={1: 1}, created_at=now), now=now)
        pair.worker.drain()
        yield pair
    database.dispose()


def open_in(pair: Running) -> None:
    """Open the app once, as the merchant does, so that it is set up: a page of its own is asked for with a token."""
    shop = pair.devstore.shop("saltmarsh.myshopify.com")
    token = pair.devstore.apps.id_token(shop)
    address = pair.devstore.settings.application_url
    wanted = urllib.request.Request(f"{address}/admin/", headers={"Authorization": f"Bearer {token}"})
    assert urllib.request.urlopen(wanted).status == 200


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab, 1280 wide; an error of a script in it fails the test."""
    problems: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(8000)
    tab = context.new_page()
    tab.on("pageerror", lambda error: problems.append(str(error)))
    yield tab
    context.close()
    assert problems == []


def look(page: Page, running: Running, path: str = "") -> Frame:
    """Open a page of the app in the admin, and wait until the frame shows it."""
    page.goto(f"{running.admin}/apps/regulars/{path}")
    frame = page.frame_locator("iframe").first
    expect(frame.locator("s-page")).to_be_visible()
    inside = next(frame for frame in page.frames if frame.parent_frame is not None)
    # App Bridge notes what a form holds a frame after it was drawn; nobody types sooner than that.
    inside.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    return inside


def member_id(running: Running) -> int:
    with running.db.reading() as session:
        return session.query(Member.member_id).scalar()


def versions(running: Running) -> int:
    with running.db.reading() as session:
        return session.query(ProgramVersion).count()


PAGES = {
    "home": "admin/",
    "program": "admin/program",
    "versions": "admin/program/versions",
    "version": "admin/program/versions/1",
    "members": "admin/members",
    "member": "admin/members/{member}?order=1&on=2026-01-01",
    "activity": "admin/activity",
    "privacy": "admin/privacy",
    "settings": "admin/settings",
    "nowhere": "admin/members/1",
}


@pytest.mark.parametrize("width", [1280, 390])
def test_anybody_can_use_every_page_and_none_scrolls_sideways(page, running, width):
    page.set_viewport_size({"width": width, "height": 900})
    for name, path in PAGES.items():
        frame = look(page, running, path.format(member=member_id(running)))
        frame.evaluate(AXE)
        found = frame.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        faults = [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found["violations"]]
        assert faults == [], name
        wider = frame.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, name


def test_links_go_by_fetch_with_address_title_and_back_button(page, running):
    frame = look(page, running, "admin/members")
    frame.evaluate("window.stayed = true")
    frame.locator("s-table-row s-link").first.click()
    expect(frame.get_by_role("heading", name="Ledger")).to_be_visible()
    expect(page).to_have_url(f"{running.admin}/apps/regulars/admin/members/{member_id(running)}")
    page.get_by_role("link", name="Activity").click()  # the admin's own menu
    expect(frame.get_by_role("heading", name="What happened")).to_be_visible()
    page.go_back()
    expect(frame.get_by_role("heading", name="Ledger")).to_be_visible()
    assert frame.evaluate("window.stayed")  # it was one document all the time
    assert "id_token" not in frame.evaluate("location.href")


def test_a_draft_answers_while_it_is_typed(page, running):
    frame = look(page, running, "admin/program")
    points = frame.get_by_label("Points", exact=True)
    points.fill("2")
    expect(frame.locator("#preview")).to_contain_text("1 point for every €1 → 2 points for every €1")
    expect(page.get_by_text("Unsaved changes", exact=True)).to_be_visible()
    frame.get_by_label("Days pending").fill("120")
    expect(frame.get_by_text("Use 0 to 90 days. Most shops match their return window.")).to_be_visible()
    frame.get_by_role("button", name="Panel", exact=True).click()
    points.fill("3")
    expect(frame.locator("[data-pane=panel]")).to_contain_text("3 points for every €1")  # the tab stays open
    page.get_by_role("button", name="Discard").click()
    expect(points).to_have_value("1")
    expect(frame.get_by_text("Use 0 to 90 days.")).to_be_hidden()


def test_chips_are_added_taken_away_and_saved(page, running):
    frame = look(page, running, "admin/program")
    frame.get_by_role("button", name="Choose products").click()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Select", exact=True).click()
    frame.get_by_role("button", name="Add a vendor").click()
    frame.get_by_label("Vendor", exact=True).select_option(index=1)
    expect(frame.locator("s-chip")).to_have_count(2)
    vendor = frame.locator("[data-chips=vendors] s-chip").inner_text()
    frame.get_by_role("button", name="Remove").first.click()
    expect(frame.locator("s-chip")).to_have_count(1)
    expect(frame.locator("#preview")).to_contain_text(f"Never earns {vendor}".split()[0])
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Draft saved")).to_be_visible()
    expect(frame.locator("[data-chips=vendors] s-chip")).to_have_text(vendor)
    frame.get_by_role("button", name="Discard draft").click()
    expect(frame.locator("s-chip")).to_have_count(0)


def test_publishing_takes_along_what_is_typed_and_refuses_in_place(page, running):
    before = versions(running)
    frame = look(page, running, "admin/program")
    frame.get_by_label("Points", exact=True).fill("2")
    frame.get_by_role("button", name="Publish…").click()
    frame.get_by_role("radio", name="Later").check()
    frame.get_by_role("button", name="Publish", exact=True).click()
    expect(frame.get_by_text("Choose a day, and a time such as 09:00.")).to_be_visible()  # the dialog is still open
    expect(page).to_have_url(f"{running.admin}/apps/regulars/admin/program")
    frame.get_by_role("radio", name="Now").check()
    frame.get_by_role("button", name="Publish", exact=True).dblclick()
    expect(page.get_by_text("Version published")).to_be_visible()
    expect(frame.get_by_label("Points", exact=True)).to_have_value("2")
    assert versions(running) == before + 1


def test_points_are_corrected_once_however_often_it_is_pressed(page, running):
    frame = look(page, running, f"admin/members/{member_id(running)}")
    frame.get_by_role("button", name="Adjust points…").click()
    frame.get_by_label("Points", exact=True).fill("50")
    expect(frame.get_by_text("Available 224 → 274")).to_be_visible()
    frame.get_by_role("button", name="Adjust", exact=True).click()
    expect(frame.get_by_text("Say why.")).to_be_visible()
    frame.get_by_label("Reason").fill("Broke her mug")
    frame.get_by_role("button", name="Adjust", exact=True).dblclick()
    expect(page.get_by_text("Points adjusted")).to_be_visible()
    expect(frame.locator("s-table-row", has_text="Broke her mug")).to_have_count(1)


def test_a_row_opens_its_working_where_it_was_clicked(page, running):
    frame = look(page, running, f"admin/members/{member_id(running)}")
    frame.get_by_role("link", name="Order #1", exact=True).click()
    expect(frame.get_by_role("heading", name="Why order #1 earned 84, then 56")).to_be_in_viewport()
    assert frame.evaluate("document.activeElement.textContent") == "Order #1"


def test_a_parked_delivery_is_discarded_only_after_a_question(page, running):
    frame = look(page, running, "admin/activity")
    frame.get_by_role("link", name="orders/paid").click()
    frame.get_by_role("button", name="Discard…").click()
    expect(frame.get_by_role("heading", name="Discard this delivery")).to_be_visible()
    frame.get_by_role("button", name="Keep it").click()
    expect(frame.get_by_text("What Shopify sent")).to_be_hidden()
    expect(frame.get_by_role("region", name="What Shopify sent")).to_be_visible()


def test_when_the_server_is_away_the_page_stays_and_says_so(page, running):
    frame = look(page, running, "admin/settings")
    page.route("**/admin/members", lambda route: route.abort())
    page.get_by_role("link", name="Members").click()
    expect(frame.get_by_text("The server cannot be reached.")).to_be_visible()
    expect(frame.get_by_role("textbox", name="Accent")).to_be_visible()
    page.unroute("**/admin/members")
    frame.get_by_role("button", name="Try again").click()
    expect(frame.get_by_label("Find a member")).to_be_visible()

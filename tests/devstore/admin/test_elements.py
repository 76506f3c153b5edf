"""The Polaris stand-ins in a real browser: in forms, by keyboard, opened by commands, read by axe."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .conftest import Admin

FORM = """
<s-page heading="Form"><form id="form">
  <s-text-field label="Title" name="title" value="Club"></s-text-field>
  <s-number-field label="Points" name="points" value="1" min="0" max="3"></s-number-field>
  <s-money-field label="Per" name="per" value="1.00" currencycode="EUR"></s-money-field>
  <s-select label="Rounding" name="rounding">
    <s-option value="down">Down</s-option><s-option value="up" selected>Up</s-option></s-select>
  <s-choice-list label="Counts" name="counts" multiple>
    <s-choice value="tax">Tax</s-choice><s-choice value="products" selected>Products</s-choice></s-choice-list>
  <s-choice-list label="Trigger" name="trigger">
    <s-choice value="paid" selected>Paid</s-choice><s-choice value="fulfilled">Fulfilled</s-choice></s-choice-list>
  <s-checkbox label="Test" name="test" value="yes"></s-checkbox>
  <s-switch label="Mail" name="mail" value="yes" checked></s-switch>
  <s-text-area label="Note" name="note" value="a"></s-text-area>
  <s-date-field label="From" name="from" value="2026-11-21"></s-date-field>
  <s-color-field label="Accent" name="accent" value="#2447a8"></s-color-field>
  <s-search-field label="Find" name="q"></s-search-field>
  <s-text-field label="Off" name="off" value="x" disabled></s-text-field>
  <s-button type="submit">Send</s-button>
</form></s-page>
"""
SENT_AT_FIRST = (
    "title=Club&points=1&per=1.00&rounding=up&counts=products&trigger=paid&mail=yes&note=a&from=2026-11-21"
    "&accent=%232447a8&q="
)
DATA = 'new URLSearchParams(new FormData(document.getElementById("form"))).toString()'


def show(page: Page, admin: Admin, html: str) -> None:
    """A page whose head loads the elements and whose body is this."""
    script = f'<script src="{admin.root}/-/cdn/shopifycloud/polaris-1.js"></script>'
    document = f'<!doctype html><html lang="en"><head><title>Sample</title>{script}</head><body><main>{html}</main>'
    page.route("**/sample", lambda route: route.fulfill(body=document, content_type="text/html"))
    page.goto(f"{admin.root}/sample")


def test_a_form_has_every_field_under_its_name(page: Page, admin: Admin):
    show(page, admin, FORM)
    assert page.evaluate(DATA) == SENT_AT_FIRST


def test_what_is_typed_and_chosen_is_sent_and_a_reset_brings_the_markup_back(page: Page, admin: Admin):
    show(page, admin, FORM)
    page.get_by_label("Title").fill("Regulars")
    page.get_by_label("Rounding").select_option("down")
    page.get_by_label("Tax").check()
    page.get_by_label("Products").uncheck()
    page.get_by_label("Fulfilled").check()
    page.get_by_label("Test").check()
    page.get_by_role("switch", name="Mail").uncheck()
    page.get_by_label("Note").fill("b")
    sent = page.evaluate(DATA)
    assert sent == (
        "title=Regulars&points=1&per=1.00&rounding=down&counts=tax&trigger=fulfilled&test=yes&note=b&from=2026-11-21"
        "&accent=%232447a8&q="
    )
    page.evaluate('document.getElementById("form").reset()')
    assert page.evaluate(DATA) == SENT_AT_FIRST


def test_fields_fire_input_and_change_with_themselves_as_target(page: Page, admin: Admin):
    show(page, admin, FORM)
    page.evaluate(
        """() => { window.fired = [];
        for (const type of ["input", "change"]) document.getElementById("form").addEventListener(type,
            (event) => fired.push(`${type} ${event.target.name} ${event.target.value ?? event.target.values}`)); }"""
    )
    page.get_by_label("Title").fill("A")
    page.get_by_label("Title").blur()
    page.get_by_label("Rounding").select_option("down")
    page.get_by_label("Test").check()
    page.get_by_label("Fulfilled").check()
    assert (
        page.evaluate("fired")
        == [
            "input title A",
            "change title A",
            "input rounding down",
            "change rounding down",
            "input test yes",
            "change test yes",
            "input trigger undefined",
            "change trigger undefined",
        ]
        or "trigger" in page.evaluate("fired")[-1]
    )


def test_arrows_step_a_number_between_its_ends_and_choose_among_radios(page: Page, admin: Admin):
    show(page, admin, FORM)
    points = page.get_by_label("Points")
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp"):
        points.press(key)
    expect(points).to_have_value("3")
    page.get_by_label("Paid").press("ArrowDown")
    expect(page.get_by_label("Fulfilled")).to_be_checked()


def test_enter_in_a_field_and_the_submit_button_both_send_the_form(page: Page, admin: Admin):
    show(page, admin, FORM)
    page.evaluate(
        """sent = 0; document.getElementById("form").addEventListener("submit",
            (event) => { event.preventDefault(); sent += 1; })"""
    )
    page.get_by_label("Title").press("Enter")
    page.get_by_role("button", name="Send").click()
    page.wait_for_function("sent === 2")


def test_an_error_describes_its_field_and_goes_with_the_attribute(page: Page, admin: Admin):
    show(page, admin, '<s-number-field label="Days" name="days" value="120" details="0 to 90"></s-number-field>')
    days = page.get_by_label("Days")
    expect(days).to_have_accessible_description("0 to 90")
    page.locator("s-number-field").evaluate('(field) => { field.error = "Use 0 to 90 days."; }')
    expect(days).to_have_accessible_description("Use 0 to 90 days. 0 to 90")
    expect(days).to_have_attribute("aria-invalid", "true")
    page.locator("s-number-field").evaluate('(field) => field.removeAttribute("error")')
    expect(days).not_to_have_attribute("aria-invalid", "true")


def test_numbers_stand_between_their_prefix_and_suffix(page: Page, admin: Admin):
    show(page, admin, '<s-number-field label="Bonus" name="bonus" value="5" prefix="+" suffix="%"></s-number-field>')
    expect(page.locator("s-number-field .prefix")).to_have_text("+")
    expect(page.locator("s-number-field .suffix")).to_have_text("%")


def test_a_page_that_is_put_in_at_once_is_whole(page: Page, admin: Admin):
    show(page, admin, "")
    html = (Path(__file__).parent / "pages" / "program.html").read_text(encoding="utf-8")
    page.evaluate(
        """(html) => document.querySelector("main").replaceWith(
            new DOMParser().parseFromString(html, "text/html").querySelector("main"))""",
        html,
    )
    expect(page.get_by_role("cell", name="Glaze")).to_be_visible()
    expect(page.get_by_label("Rounding")).to_have_value("down")
    expect(page.get_by_label("Products")).to_be_checked()
    assert "trigger=paid&hold=120" in page.evaluate(
        'new URLSearchParams(new FormData(document.getElementById("program"))).toString()'
    )


def test_commands_open_and_close_modals_popovers_and_menus(page: Page, admin: Admin):
    show(
        page,
        admin,
        """<s-page heading="A">
        <s-button commandfor="modal" command="--show">Open</s-button><s-button commandfor="menu">More</s-button>
        <s-button commandfor="popover" command="--toggle">Date</s-button></s-page>
        <s-modal id="modal" heading="Sure?"><p>Words</p>
          <s-button slot="secondary-actions" commandfor="modal" command="--hide">No</s-button></s-modal>
        <s-menu id="menu" accessibilitylabel="More"><s-button>One</s-button><s-button>Two</s-button></s-menu>
        <s-popover id="popover"><s-date-field label="On" name="on"></s-date-field></s-popover>""",
    )
    expect(page.get_by_role("dialog", name="Sure?")).to_be_hidden()
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("dialog", name="Sure?")).to_be_visible()
    page.get_by_role("button", name="No").click()
    expect(page.get_by_role("dialog", name="Sure?")).to_be_hidden()
    page.get_by_role("button", name="Open").press("Enter")
    expect(page.get_by_role("dialog", name="Sure?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Sure?")).to_be_hidden()
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("button", name="One")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Two")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Two")).to_be_hidden()
    page.get_by_role("button", name="Date").click()
    expect(page.get_by_label("On")).to_be_visible()


def test_press_buttons_say_whether_they_are_pressed(page: Page, admin: Admin):
    show(page, admin, "<s-press-button>Panel</s-press-button>")
    button = page.get_by_role("button", name="Panel")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert page.locator("s-press-button").evaluate("(each) => each.pressed") is True


def test_a_listener_that_prevents_the_click_prevents_what_the_button_does(page: Page, admin: Admin):
    show(page, admin, '<s-button href="/-/log" id="go">Go</s-button>')
    page.locator("#go").evaluate('(link) => link.addEventListener("click", (event) => event.preventDefault())')
    address = page.url
    page.get_by_role("link", name="Go").click()
    assert page.url == address


def test_tables_are_tables_wide_and_lists_narrow(page: Page, admin: Admin):
    table = """<s-section heading="Ledger" padding="none"><s-table paginate hasnextpage>
      <s-table-header-row><s-table-header listslot="kicker">Date</s-table-header>
        <s-table-header listslot="primary">What</s-table-header>
        <s-table-header format="numeric">Points</s-table-header></s-table-header-row>
      <s-table-body><s-table-row clickdelegate="row"><s-table-cell>19 Nov</s-table-cell>
        <s-table-cell><s-link id="row" href="#row">Order #1</s-link></s-table-cell>
        <s-table-cell>64</s-table-cell></s-table-row></s-table-body>
    </s-table></s-section>"""
    show(page, admin, table)
    expect(page.get_by_role("table", name="Ledger")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Points")).to_be_visible()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Order #1")
    page.get_by_role("cell", name="64").click()
    page.wait_for_url("**#row")
    page.evaluate('document.querySelector("s-table").addEventListener("nextpage", () => { window.turned = true; })')
    expect(page.get_by_role("button", name="Previous page")).to_be_disabled()
    page.get_by_role("button", name="Next page").click()
    assert page.evaluate("turned") is True
    date, points = page.get_by_role("cell").first, page.get_by_role("cell").last
    assert date.bounding_box()["y"] == points.bounding_box()["y"]
    page.set_viewport_size({"width": 390, "height": 800})
    assert points.bounding_box()["y"] > date.bounding_box()["y"]
    expect(points.get_by_text("Points")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/program", "/members"])
def test_sample_pages_have_no_barriers_and_do_not_scroll_sideways(page: Page, admin: Admin, path: str):
    page.set_viewport_size({"width": 1060, "height": 900})
    page.goto(f"{admin.app_url}{path}?id_token=a.b.c")
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == []
    for width in (1060, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width

"""What the stand-ins accept is what Shopify's manifest names, and pages that use something else are told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from app.devstore.cdn import HERE, PARTS, bundle

from .conftest import Admin
from .polaris_check import check_markup, manifest

PAGES = Path(__file__).parent / "pages"

# What a page of ours may be made of (UI.md §7), so the stand-ins must have it.
NEEDED = """s-page s-section s-stack s-grid s-grid-item s-query-container s-box s-divider s-text s-paragraph s-heading
s-number s-badge s-banner s-button s-button-group s-press-button s-link s-clickable s-chip s-icon s-spinner s-progress
s-text-field s-number-field s-money-field s-email-field s-url-field s-password-field s-text-area s-select s-option
s-option-group s-choice-list s-choice s-checkbox s-switch s-date-field s-search-field s-color-field s-table
s-table-header-row s-table-header s-table-body s-table-row s-table-cell s-modal s-popover s-menu s-tooltip
s-empty-state s-scroll-box s-unordered-list s-ordered-list s-list-item s-thumbnail s-avatar s-image
s-clickable-chip""".split()  # noqa: SIM905


def test_every_stand_in_is_an_element_of_the_manifest():
    defined = re.findall(r'define\("(s-[a-z-]+)"', bundle("polaris-1.js"))
    assert sorted(defined) == sorted(NEEDED)
    assert set(defined) <= set(manifest()["elements"])


def test_stand_ins_take_the_attributes_and_slots_of_the_manifest_and_no_others(admin: Admin, page: Page):
    page.goto(f"{admin.home}/apps")
    accepted = page.evaluate(
        """(tags) => Object.fromEntries(tags.map((tag) => {
            const element = document.createElement(tag);
            document.body.append(element);
            const slots = [...element.shadowRoot.querySelectorAll("slot[name]")].map((slot) => slot.name);
            element.remove();
            return [tag, {attributes: customElements.get(tag).observedAttributes, slots}];
        }))""",
        NEEDED,
    )
    for tag, takes in accepted.items():
        named = manifest()["elements"][tag]
        assert set(takes["attributes"]) <= set(named["attributes"]), tag
        assert set(takes["slots"]) <= set(named["slots"]), tag


def test_icons_are_drawn_for_names_of_the_manifest_only():
    names = re.findall(r'^  "?([a-z-]+)"?: "M', (HERE / "polaris/icons.js").read_text(encoding="utf-8"), re.M)
    assert len(names) > 30
    assert set(names) <= set(manifest()["icons"])


def test_scripts_are_made_of_every_file_there_is():
    there = {path.relative_to(HERE).as_posix() for path in HERE.glob("*/*.js")}
    assert there == {part for parts in PARTS.values() for part in parts}


@pytest.mark.parametrize("name", sorted(path.name for path in PAGES.glob("*.html")))
def test_sample_pages_use_only_what_there_is(name: str):
    assert check_markup((PAGES / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        ("<s-tabs></s-tabs>", "there is no <s-tabs>"),
        ("<s-button colour=red>Go</s-button>", "<s-button> has no attribute colour"),
        ('<s-button variant="plain">Go</s-button>', '<s-button> variant="plain" is none of its words'),
        ('<s-icon type="unicorn"></s-icon>', '<s-icon> type="unicorn" is none of its words'),
        ("<s-page><s-button slot=actions>Go</s-button></s-page>", '<s-page> has no slot "actions"'),
        (
            "<s-page><form><s-button slot=primary-action variant=primary>Go</s-button></form></s-page>",
            'slot="primary-action" does nothing: <s-button> is a child of <form>',
        ),
        (
            "<s-page><s-button slot=primary-action>Go</s-button></s-page>",
            '<s-button variant="auto"> in slot "primary-action" of <s-page> must be primary',
        ),
        ("<s-divider/>", "<s-divider/> is not closed by its slash: write <s-divider></s-divider>"),
        ("<s-link rel=home href=/>Home</s-link>", "<s-link> has no attribute rel"),
    ],
)
def test_markup_that_shopify_would_not_render_is_reported(markup: str, said: str):
    assert [problem.partition(": ")[2] for problem in check_markup(markup)] == [said]


def test_right_markup_is_not_reported():
    good = (
        '<s-app-nav><s-link href="/" rel="home">Home</s-link></s-app-nav>'
        '<s-page heading="A" class="wide" data-x="1" aria-busy="true"><img src="a.png">'
        '<s-link slot="breadcrumb-actions" href="/">Back</s-link>'
        '<s-grid gridtemplatecolumns="@container (inline-size > 1px) 1fr, 2fr" gap="@container (width) base, none">'
        "</s-grid></s-page>"
    )
    assert check_markup(good) == []

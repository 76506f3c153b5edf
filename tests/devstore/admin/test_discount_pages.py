"""The merchant's pages of discounts: what the app made, which codes were used and by which order."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from app.devstore.discounts.records import Discount
from app.devstore.ordering.creating import CartLine

from .conftest import Admin


@pytest.fixture(scope="module")
def reward(admin: Admin) -> Discount:
    """Sixty codes, two of them used."""
    devstore = admin.devstore
    made = devstore.create_discount(
        admin.shop,
        title="Five euros for points",
        kind="fixed_amount",
        amount_minor=500,
        minimum_minor=2000,
        usage_limit=1,
        by_app=True,
        tags=["loyalty"],
        combines={"shipping": True},
        codes=[f"REWARD{n:02}" for n in range(60)],
    )
    variant = devstore.product_by_handle(admin.shop, "straw-mug").variants[0]
    for code in ("REWARD07", "REWARD58"):
        devstore.create_order(admin.shop, [CartLine(variant.id)], code=code)
    return made


def test_the_list_says_what_there_is(admin: Admin, page: Page, reward: Discount):
    page.goto(f"{admin.home}/discounts")
    cells = "Five euros for points €5.00 off entire order • Minimum purchase of €20.00 Active Regulars 60 2"
    expect(page.get_by_role("row", name=cells, exact=True)).to_be_visible()
    page.get_by_role("link", name="Five euros for points").click()
    expect(page.get_by_text("shipping discounts")).to_be_visible()
    expect(page.get_by_text("1 use", exact=True)).to_be_visible()


def test_codes_are_paged_and_searched(admin: Admin, page: Page, reward: Discount):
    page.goto(f"{admin.home}/discounts/{reward.id}")
    expect(page.get_by_text("REWARD49", exact=True)).to_be_visible()
    expect(page.get_by_text("REWARD50", exact=True)).to_have_count(0)
    page.goto(f"{admin.home}/discounts/{reward.id}?page=2")
    expect(page.get_by_text("REWARD50", exact=True)).to_be_visible()
    page.get_by_label("Search codes").fill("reward0")
    page.get_by_role("combobox", name="Used").select_option("yes")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("REWARD07", exact=True)).to_be_visible()
    expect(page.get_by_text("REWARD08", exact=True)).to_have_count(0)
    expect(page.get_by_text("REWARD58", exact=True)).to_have_count(0)


def test_a_used_code_leads_to_its_order_and_back(admin: Admin, page: Page, reward: Discount):
    page.goto(f"{admin.home}/discounts/{reward.id}?q=REWARD07")
    page.locator("s-table-row s-link").click()
    expect(page.get_by_text("−€5.00")).to_be_visible()
    page.get_by_role("link", name="REWARD07").click()
    expect(page.get_by_role("heading", name="Five euros for points")).to_be_visible()


def test_a_code_is_deleted_behind_the_apps_back(admin: Admin, page: Page, reward: Discount):
    page.goto(f"{admin.home}/discounts/{reward.id}?q=REWARD09")
    page.get_by_role("button", name="Delete REWARD09").click()
    expect(page.get_by_text("REWARD09 deleted.")).to_be_visible()
    assert admin.devstore.codes.find(admin.shop, "REWARD09") is None

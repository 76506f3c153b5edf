"""The "points for this product" block: what it says, for whom, and that it follows the chosen variant."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.extensions.storefront_pages import MUG, Storefront, program
from tests.extensions.visiting import Visitor

MEMBER = Storefront(product=MUG)
VISITOR = replace(MEMBER, customer=None, member=None)
ONE_SIZE = {**MUG, "variants": MUG["variants"][:1], "price_max": 2800}


def said(storefront: Storefront) -> str:
    """The block's visible words."""
    markup = re.sub(r"<style>.*?</style>", "", storefront.block("product-points"), flags=re.S)
    markup = re.sub(r"<p[^>]* hidden>.*?</p>", "", markup, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def with_earning(**changes: Any) -> Storefront:
    return replace(MEMBER, program=program(earn=changes))


def with_price(hundredths: int, **changes: Any) -> Storefront:
    variants = [{"id": 11, "price": hundredths}]
    return replace(with_earning(**changes), product={**MUG, "variants": variants, "price_max": hundredths})


def test_a_member_reads_what_it_earns() -> None:
    assert said(MEMBER) == "Earns 28 points."


def test_a_visitor_is_offered_to_join() -> None:
    assert said(VISITOR) == "Earns 28 points. Join for free to keep them."
    assert 'href="/customer_authentication/login"' in VISITOR.block("product-points")


def test_joining_comes_back_to_the_product() -> None:
    markup = replace(VISITOR, classic_accounts=True).block("product-points")
    assert 'href="/account/register?return_to=%2Fproducts%2Fmug"' in markup


@pytest.mark.parametrize(
    ("hundredths", "earning", "points"),
    [
        (2899, {}, "28 points"),
        (199, {}, "1 point"),
        (1275, {"points": 2}, "24 points"),
        (1275, {"points": 2, "rounding": "up"}, "26 points"),
        (1250, {"rounding": "nearest"}, "13 points"),
        (1249, {"rounding": "nearest"}, "12 points"),
        (123_456_789, {}, "1,234,567 points"),
    ],
)
def test_points_are_whole_steps_of_spend(hundredths: int, earning: dict[str, Any], points: str) -> None:
    assert said(with_price(hundredths, **earning)) == f"Earns {points}."


def test_yen_have_no_minor_units_but_liquids_prices_have() -> None:
    yen = replace(with_price(100_000), currency="JPY")
    assert said(replace(yen, program=program(currency="JPY"))) == "Earns 10 points."


def test_included_tax_that_does_not_count_makes_it_up_to() -> None:
    assert said(replace(MEMBER, taxes_included=True)) == "Earns up to 28 points."
    assert said(replace(with_earning(tax=True), taxes_included=True)) == "Earns 28 points."


def test_an_order_minimum_is_named_where_the_item_alone_stays_below_it() -> None:
    assert said(with_earning(minimum_minor=4000)) == "Earns 28 points in orders from €40."
    assert said(with_earning(minimum_minor=2800)) == "Earns 28 points."
    both = replace(with_earning(minimum_minor=4000), taxes_included=True)
    assert said(both) == "Earns up to 28 points in orders from €40."


def test_in_another_currency_there_is_no_number() -> None:
    assert said(replace(MEMBER, currency="USD")) == "Counts towards your points: 1 point for every €1."


def test_less_than_one_step_still_counts_in_an_order() -> None:
    assert said(with_price(50)) == "Counts towards your points: 1 point for every €1."


@pytest.mark.parametrize(
    ("product", "exclude", "why"),
    [
        ({"gift_card?": True}, {}, "Gift cards do not earn points."),
        ({}, {"products": [500, 501]}, "The shop has left this item out of its points."),
        ({}, {"vendors": ["Acme", "SALTMARSH"]}, "The shop has left this item out of its points."),
    ],
)
def test_what_does_not_earn_says_why(product: dict[str, Any], exclude: dict[str, Any], why: str) -> None:
    storefront = replace(MEMBER, product={**MUG, **product}, program=program(exclude=exclude))
    assert said(storefront) == f"This item does not earn points. Why? {why}"


@pytest.mark.parametrize(
    "storefront",
    [
        replace(MEMBER, program=None),
        replace(MEMBER, program=program(live=False)),
        replace(MEMBER, program=program(paused=True)),
        replace(MEMBER, product=None),
        with_price(0),
    ],
)
def test_nothing_is_shown_where_nothing_is_true(storefront: Storefront) -> None:
    assert said(storefront) == ""


def test_the_theme_editor_has_a_sample_before_launch_and_the_truth_after() -> None:
    assert said(replace(MEMBER, program=None, design_mode=True)) == "Earns 28 points. Sample"
    assert said(replace(VISITOR, design_mode=True)) == "Earns 28 points. Join for free to keep them."


def test_in_german_and_french() -> None:
    assert said(replace(VISITOR, locale="de")) == "Bringt 28 Punkte. Kostenlos mitmachen und behalten."
    assert said(replace(with_price(150), locale="fr")) == "Rapporte 1 point."


def test_variants_that_earn_the_same_share_a_sentence() -> None:
    variants = [{"id": n, "price": price} for n, price in [(1, 1000), (2, 3000), (3, 1050), (4, 3099)]]
    product = {**MUG, "variants": variants, "selected_or_first_available_variant": {"id": 2}}
    storefront = replace(MEMBER, product=product)
    assert re.findall(r'data-variants="([^"]*)"', storefront.block("product-points")) == [" 1  3 ", " 2  4 "]
    assert said(storefront) == "Earns 30 points."


def test_choosing_a_variant_shows_its_points_and_asks_nobody(visit: Visitor, shop: Any) -> None:
    page = visit(MEMBER)
    before = len(shop.asked)
    page.locator("[name=id]").select_option("12")
    page.get_by_text("Earns 36 points.").wait_for()
    assert page.get_by_text("Earns 28 points.").is_hidden()
    page.evaluate("""() => { const field = document.querySelector('[name=id]'); field.replaceWith(Object.assign(
        document.createElement('input'), {type: 'hidden', name: 'id', value: '11'}));
        document.querySelector('form').dispatchEvent(new Event('change', {bubbles: true})) }""")
    page.get_by_text("Earns 28 points.").wait_for()
    # A variant that Liquid did not list: what is shown stays.
    page.evaluate("document.querySelector('[name=id]').value = '99'")
    page.evaluate("document.querySelector('form').dispatchEvent(new Event('change', {bubbles: true}))")
    page.wait_for_timeout(30)
    assert page.get_by_text("Earns 28 points.").is_visible()
    assert len(shop.asked) == before


def test_one_size_needs_no_second_sentence() -> None:
    assert replace(MEMBER, product=ONE_SIZE).block("product-points").count("<p ") == 1

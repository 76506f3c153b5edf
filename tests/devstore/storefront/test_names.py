"""Shopify has every filter, tag and property that our Liquid claims: the theme and the extension cannot use others."""

import json
from pathlib import Path

import pytest

from app.devstore.storefront.dialect import LiquidFolder
from app.devstore.storefront.objects import Catalogue, cart_drop, customer_drop, routes_drop, shop_drop
from app.devstore.storefront.objects.globals import app_drop, localization_drop
from tests.devstore.storefront.conftest import ROOT

NAMES = json.loads((ROOT / "tests/data/shopify/liquid-names.json").read_text(encoding="utf-8"))
ALIASES = {"t", "handle"}  # named in the descriptions of `translate` and `handleize`
INTERNAL = {"content", "output", "illegal", "#"}  # python-liquid's names for text, {{ }}, mistakes and inline comments
ELSEWHERE = {"schema"}  # documented with sections and theme app extensions, not among the tags


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> LiquidFolder:
    return LiquidFolder(Path(tmp_path_factory.mktemp("theme")), "")


def test_every_filter_is_shopifys(folder):
    assert set(folder.filters) - set(NAMES["filters"]) == ALIASES


def test_every_tag_is_shopifys(folder):
    assert set(folder.tags) - set(NAMES["tags"]) == INTERNAL | ELSEWHERE


def test_the_money_filters_are_all_there(folder):
    wanted = {name for name in NAMES["filters"] if name.startswith("money")}
    assert wanted <= set(folder.filters)


def properties(drop) -> set[str]:
    return set(drop._facts) | set(drop._lazy)


def test_objects_have_only_shopifys_properties(devstore, shop):
    catalogue = Catalogue(devstore, shop, "/")
    found = devstore.products(shop)[0]
    product = catalogue.product(found)
    customer = customer_drop(devstore, shop, devstore.customers(shop)[0], "/")
    drops = {
        "product": product,
        "variant": product["variants"][0],
        "image": product["featured_image"],
        "product_option": product["options_with_values"][0],
        "collection": catalogue.everything(),
        "cart": cart_drop(catalogue, shop, None),
        "customer": customer,
        "address": customer["default_address"],
        "shop": shop_drop(shop, "https://x", "/", {"products": 1, "collections": 1}),
        "routes": routes_drop("/", "/"),
        "localization": localization_drop(shop, "en", "/"),
        "app": app_drop(devstore, shop),
    }
    foreign = {name: properties(drop) - set(NAMES["objects"][name]) for name, drop in drops.items()}
    assert {name: extra for name, extra in foreign.items() if extra} == {}

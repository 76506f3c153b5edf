"""The theme extension that ships renders in our theme, with and without program, customer and member; and is inert."""

import json

import pytest

from app.devstore.storefront import theme_settings

NASTY = "</script><script>alert(1)</script>\"><img src=x onerror=alert(2)>'{{ 7 | times: 7 }}"


@pytest.fixture
def enabled(devstore, shop):
    """Everything the extension has, on and placed."""
    devstore.apps.install(shop)
    for _, block in theme_settings.offered(devstore):
        if block.is_embed:
            theme_settings.set_embed(devstore, shop, block.handle, True)
        else:
            theme_settings.place_block(devstore, shop, block.handle)


def member(devstore, shop, customer, **changes):
    value = {"v": 1, "available": 240, "pending": 64, "reserved": 0, "debt": 0, "next_at": "2026-12-03T00:00:00Z"}
    owner = f"gid://shopify/Customer/{customer.id}"
    text = json.dumps({**value, "seq": 12, "at": "2026-11-21T14:05:00Z", **changes})
    devstore.metafield_store.set(shop, owner, "$app:loyalty", "member", "json", text)


def clean(text):
    return "Liquid error" not in text and "Translation missing" not in text


def test_brings_a_launcher_and_a_product_block(devstore):
    assert {"launcher", "product-points"} <= {block.handle for _, block in theme_settings.offered(devstore)}


@pytest.mark.parametrize("path", ["/", "/products/cobalt-mug", "/cart", "/?design_mode=1", "/?locale=de"])
@pytest.mark.parametrize("state", ["nothing", "program", "customer", "member", "paused", "not live"])
def test_renders_without_a_mistake(visitor, devstore, shop, publish, enabled, path, state):
    customer = devstore.customers(shop)[0]
    if state != "nothing":
        publish(live=state != "not live", paused=state == "paused")
    if state in ("customer", "member"):
        visitor.post("/account/login", data={"customer_id": customer.id})
    if state == "member":
        member(devstore, shop, customer)
    text = visitor.get(path).text
    assert clean(text)
    if state == "member":
        assert "240" in text


def test_shows_a_visitor_nothing_before_launch(visitor, enabled, publish):
    publish(live=False)
    assert "rg-launch" not in visitor.get("/").text


def test_names_from_people_stay_text(visitor, devstore, shop, publish, enabled):
    publish(name=NASTY)
    product = devstore.create_product(shop, title=NASTY, handle="nasty", vendor=NASTY, price_minor=2800)
    customer = devstore.create_customer(shop, email="n@example.com", first_name=NASTY, last_name=NASTY, quiet=True)
    member(devstore, shop, customer, available=NASTY, pending=NASTY, next_at=NASTY)
    visitor.post("/account/login", data={"customer_id": customer.id})
    for path in ("/", f"/products/{product.handle}", "/cart"):
        text = visitor.get(path).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path

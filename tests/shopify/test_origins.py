import base64

import pytest

from app.shopify.origins import Origins, decode_host

SHOP = "saltmarsh.myshopify.com"
REAL = Origins()
BY_HOST = Origins("http://{shop}.localhost:9292")
BY_PATH = Origins("http://127.0.0.1:9292/{shop}")


def test_in_production_addresses_are_shopifys():
    assert REAL.api(SHOP) == REAL.storefront(SHOP) == "https://saltmarsh.myshopify.com"
    assert (REAL.admin(), REAL.cdn()) == ("https://admin.shopify.com", "https://cdn.shopify.com")
    assert REAL.frame_ancestors(SHOP) == "https://saltmarsh.myshopify.com https://admin.shopify.com"


def test_a_host_template_gives_every_shop_a_host_and_the_admin_plain_localhost():
    assert BY_HOST.api(SHOP) == BY_HOST.storefront(SHOP) == "http://saltmarsh.myshopify.com.localhost:9292"
    assert (BY_HOST.admin(), BY_HOST.cdn()) == ("http://localhost:9292/-/admin", "http://localhost:9292/-/cdn")
    assert BY_HOST.frame_ancestors(SHOP) == (
        "https://saltmarsh.myshopify.com https://admin.shopify.com "
        "http://saltmarsh.myshopify.com.localhost:9292 http://localhost:9292"
    )


def test_a_path_template_keeps_everything_on_its_host():
    assert BY_PATH.api(SHOP) == BY_PATH.storefront(SHOP) == "http://127.0.0.1:9292/saltmarsh.myshopify.com"
    assert (BY_PATH.admin(), BY_PATH.cdn()) == ("http://127.0.0.1:9292/-/admin", "http://127.0.0.1:9292/-/cdn")
    assert BY_PATH.frame_ancestors(SHOP) == (
        "https://saltmarsh.myshopify.com https://admin.shopify.com http://127.0.0.1:9292"
    )


@pytest.mark.parametrize(
    "template", ["https://{shop}", "http://evil.example/{shop}", "http://{shop}.example.com", "{shop}"]
)
def test_refuses_a_template_that_leaves_the_machine(template):
    with pytest.raises(ValueError, match="SHOPIFY_ORIGIN"):
        Origins(template)


@pytest.mark.parametrize("shop", ["evil.com", "a.myshopify.com/x", "a.myshopify.com@evil.com", "A.myshopify.com", ""])
def test_speaks_to_shops_only(shop):
    for call in (REAL.api, REAL.storefront, REAL.frame_ancestors, BY_PATH.api):
        with pytest.raises(ValueError, match="shop"):
            call(shop)


def test_links_into_the_theme_editor():
    assert REAL.embed_editor_link(SHOP, "abc123", "points") == (
        "https://saltmarsh.myshopify.com/admin/themes/current/editor?context=apps&template=index&activateAppId=abc123/points"
    )
    assert BY_HOST.block_editor_link(SHOP, "abc123", "product-points") == (
        "http://saltmarsh.myshopify.com.localhost:9292/admin/themes/current/editor"
        "?template=product&addAppBlockId=abc123/product-points&target=mainSection"
    )


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode().rstrip("=")


def test_finds_the_app_in_the_admin_by_the_host_parameter():
    host = encoded("admin.shopify.com/store/saltmarsh")
    assert REAL.app_in_admin(host, "abc") == "https://admin.shopify.com/store/saltmarsh/apps/abc/"
    assert BY_HOST.app_in_admin(host, "abc") == "http://localhost:9292/-/admin/store/saltmarsh/apps/abc/"
    older = encoded("saltmarsh.myshopify.com/admin")
    assert REAL.app_in_admin(older, "abc") == "https://saltmarsh.myshopify.com/admin/apps/abc/"


@pytest.mark.parametrize(
    "place",
    ["evil.com/store/x", "admin.shopify.com.evil.com/store/x", "admin.shopify.com@evil.com/",
     "saltmarsh.myshopify.com",
     "admin.shopify.com/store/x/../y", "//evil.com", "saltmarsh.myshopify.com/admin/../x", "admin.shopify.com/store/"],
)  # fmt: skip
def test_a_host_parameter_names_nothing_but_an_admin(place):
    assert decode_host(encoded(place)) is None
    assert REAL.app_in_admin(encoded(place), "abc") is None


@pytest.mark.parametrize("value", [None, "", "%%%", "===", "a", "é", "A" * 500])
def test_a_host_parameter_may_be_anything(value):
    assert decode_host(value) is None

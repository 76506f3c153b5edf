import pytest

from app.shopify.shops import exact_shop_domain, shop_domain


@pytest.mark.parametrize("name", ["acme.myshopify.com", "a.myshopify.com", "acme-2.myshopify.com", "1.myshopify.com"])
def test_knows_a_shop(name):
    assert shop_domain(name) == name
    assert exact_shop_domain(name) == name


def test_lowers_letters_where_people_or_browsers_write_them():
    assert shop_domain("Acme.MyShopify.com") == "acme.myshopify.com"
    assert exact_shop_domain("Acme.myshopify.com") is None


@pytest.mark.parametrize(
    "value", ["acme", "acme.myshopify.com\n", " acme.myshopify.com", "", None, 7, b"a.myshopify.com"]
)
def test_completes_and_strips_nothing(value):
    assert shop_domain(value) is None

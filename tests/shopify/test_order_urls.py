import pytest

from app.shopify.order_bodies import shop_id_of_order_url


@pytest.mark.parametrize(
    "url",
    [
        "https://jsmith.myshopify.com/548380009/orders/123456abcd/authenticate?key=abcdefg",
        "https://shop.example.org/548380009/orders/123456abcd",
        "https://shop.example.org/fr-ca/548380009/orders/123456abcd?x=1",
        "http://jsmith.myshopify.com.localhost:9292/548380009/orders/1a",
        "http://127.0.0.1:9292/jsmith.myshopify.com/548380009/orders/1a",
    ],
)
def test_a_status_page_says_whose_order_it_is(url):
    assert shop_id_of_order_url(url) == 548380009


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        7,
        [],
        "https://x.org/orders/1",
        "https://x.org/0/orders/1",
        "https://x.org/١٢/orders/1",
        "548380009/orders/1",
        "https://x.org/548380009/orders/",
        "https://x.org/?u=/548380009/orders/1",
        "https://x.org/#/548380009/orders/1",
        "javascript:/548380009/orders/1",
        f"https://x.org/{2**63}/orders/1",
    ],
)
def test_anything_else_says_nothing(url):
    assert shop_id_of_order_url(url) is None

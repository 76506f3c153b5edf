"""Every page answers, in the theme, on a shop's own origin; what testers typed stays text."""

import pytest

from tests.devstore.storefront.conftest import Visitor

PWNED = '"><img src=x onerror=alert(1)>{{ 7 | times: 7 }}</title><script>alert(2)</script>'

PAGES = {
    "/": "Pots for every day of the week",
    "/collections/all": "All pots",
    "/collections/vases": "Vases",
    "/products/cobalt-mug": "Cobalt mug",
    "/collections/tableware/products/cobalt-mug": "Cobalt mug",
    "/search": "Search",
    "/search?q=vase": "Tall vase, moss",
    "/pages/studio": "The studio",
    "/pages/terms": "Terms",
    "/pages/shipping-and-returns": "Shipping and returns",
    "/cart": "There is nothing in it yet.",
    "/account/login": "Ines Duarte",
    "/customer_authentication/login?return_to=/cart": "Log in",
    "/account/register": "Create an account",
}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_in_the_theme(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert PAGES[path] in answer.text
    assert "Liquid error" not in answer.text
    assert "Translation missing" not in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/products/nothing", "/collections/nothing", "/pages/nothing"])
def test_what_does_not_exist_is_the_themes_own_404(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert "That page is not here" in answer.text


@pytest.mark.parametrize("path", ["/products/cobalt-mug", "/cart", "/account/login", "/collections/all?page=2"])
def test_the_same_pages_below_a_path_link_below_it(app, path):
    visitor = Visitor(app.test_client(), "http://127.0.0.1:9292")
    text = visitor.get("/saltmarsh.myshopify.com" + path).text
    assert 'href="/saltmarsh.myshopify.com/cart"' in text
    assert 'href="/cart"' not in text
    assert 'src="/cdn' not in text
    assert '"routes":{"root":"/saltmarsh.myshopify.com/"}' in text


def test_scripts_find_the_basics_of_the_shop(visitor):
    text = visitor.get("/").text
    assert '"shop":"saltmarsh.myshopify.com"' in text
    assert '"designMode":false' in text
    assert '"designMode":true' in visitor.get("/?design_mode=1").text


def test_a_variant_in_the_address_is_chosen(visitor, variant):
    second = variant("cobalt-mug", 1)
    text = visitor.get(f"/products/cobalt-mug?variant={second.id}").text
    assert f'value="{second.id}" data-price="€24.00" checked' in text


def test_product_json_is_shopifys(visitor, variant):
    body = visitor.get("/products/cobalt-mug.js").get_json()
    assert body["title"] == "Cobalt mug"
    assert [each["price"] for each in body["variants"]] == [2800, 2400]
    assert "product" not in body["variants"][0]


def test_files_are_served_under_hashed_addresses(visitor):
    text = visitor.get("/").text
    stylesheet = text.split('<link href="')[1].split('"')[0]
    answer = visitor.get(stylesheet)
    assert answer.content_type.startswith("text/css")
    assert "immutable" in answer.headers["Cache-Control"]
    assert visitor.get("/cdn/shop/t/1/assets/..%2Flayout%2Ftheme.liquid").status_code == 404


def test_a_picture_is_an_svg_that_may_do_nothing(visitor):
    answer = visitor.get("/cdn/shop/files/mug-cobalt.svg?width=400")
    assert answer.content_type.startswith("image/svg+xml")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_what_was_typed_stays_text_on_every_page(app, devstore, shop, visitor):
    product = devstore.create_product(
        shop,
        title=PWNED,
        handle="pwned",
        description=PWNED,
        product_type=PWNED,
        tags=[PWNED],
        collections=["vases"],
        option_names=[PWNED],
        variants=[{"title": PWNED, "price_minor": 100, "options": [PWNED]}],
    )
    customer = devstore.create_customer(
        shop, email="pwned@example.com", first_name=PWNED, last_name=PWNED, city=PWNED, address1=PWNED
    )
    visitor.post("/account/login", data={"customer_id": customer.id, "return_to": "/"})
    visitor.add(product.variants[0])
    visitor.post("/cart", data={"discount": PWNED, "note": PWNED})
    paths = ["/", "/products/pwned", "/collections/vases", "/cart", "/checkout", "/account", "/account/login"]
    order = devstore.create_order(shop, [_line(product)], customer_id=customer.id, quiet=True)
    paths += [f"/orders/{order.id}/{order.token}", "/search?q=%22%3E%3Cscript%3Ealert(3)%3C/script%3E"]
    for path in paths:
        text = visitor.get(path).text
        for piece in ("<img src=x", "<script>alert", "</title><script>"):
            assert piece not in text, (path, piece)


def _line(product):
    from app.devstore.state import CartLine

    return CartLine(product.variants[0].id, 1)

"""The order is what the page showed, for whoever the form says."""

import re

import pytest

FORM = {
    "email": "new@example.com",
    "first_name": "Nora",
    "last_name": "Vos",
    "address1": "Zeeweg 3",
    "zip": "2011 AB",
    "city": "Haarlem",
    "shipping": "standard",
    "payment": "now",
}


def place(visitor, **changes):
    """Fill in the form as the page has it and send it."""
    form = {**FORM, **changes}
    choices = {key: value for key, value in form.items() if value is not None}
    page = visitor.post("/checkout", data={**choices, "refresh": "1"}).text
    total = re.search(r'name="shown_total" value="(\d+)"', page)
    assert total, page
    return visitor.post("/checkout", data={**choices, "shown_total": total[1], "place": ""}), int(total[1])


def placed(devstore, shop):
    return devstore.orders(shop)[0]


def test_the_order_costs_what_the_page_showed(visitor, devstore, shop, variant):
    visitor.add(variant("cobalt-mug", 1), 2)
    visitor.post("/cart", data={"discount": "TENOFF"})
    answer, shown = place(visitor)
    order = placed(devstore, shop)
    figures = devstore.figures(order)
    assert shown == figures.total_minor == 4320 + 495
    assert (figures.financial_status, order.test, order.discount_applications[0].code) == ("paid", False, "TENOFF")
    assert answer.headers["Location"].startswith(f"/{shop.id}/orders/{order.token}")
    assert visitor.cart()["items"] == []


def test_collecting_costs_no_shipping(visitor, devstore, shop, variant):
    visitor.add(variant("straw-mug"))
    _, shown = place(visitor, shipping="collect", address1=None, zip=None, city=None)
    assert shown == 2800
    assert placed(devstore, shop).shipping == []


def test_paying_later_leaves_it_pending_until_the_status_page_pays(visitor, devstore, shop, variant):
    visitor.add(variant("straw-mug"))
    answer, _ = place(visitor, payment="later")
    order = placed(devstore, shop)
    assert devstore.figures(order).financial_status == "pending"
    page = visitor.get(answer.headers["Location"]).text
    assert "This order waits for its payment." in page
    visitor.post(f"/{shop.id}/orders/{order.token}/pay")
    assert devstore.figures(placed(devstore, shop)).financial_status == "paid"


def test_a_guest_becomes_a_customer_without_an_account(visitor, devstore, shop, variant):
    visitor.add(variant("straw-mug"))
    place(visitor)
    customer = devstore.customer(shop, placed(devstore, shop).customer_id)
    assert (customer.email, customer.state, customer.verified_email) == ("new@example.com", "disabled", False)


def test_a_guest_with_a_known_address_is_that_customer(visitor, devstore, shop, variant):
    known = devstore.customers(shop)[0]
    visitor.add(variant("straw-mug"))
    place(visitor, email=known.email.upper())
    assert placed(devstore, shop).customer_id == known.id


def test_an_order_can_have_no_customer_at_all(visitor, devstore, shop, variant):
    before = len(devstore.customers(shop))
    visitor.add(variant("straw-mug"))
    place(visitor, nobody="on")
    order = placed(devstore, shop)
    assert (order.customer_id, order.email) == (None, "new@example.com")
    assert len(devstore.customers(shop)) == before


def test_who_is_logged_in_orders(visitor, devstore, shop, variant):
    customer = devstore.customers(shop)[1]
    visitor.post("/account/login", data={"customer_id": customer.id})
    visitor.add(variant("straw-mug"))
    assert customer.email in visitor.get("/checkout").text
    place(visitor, email="other@example.com")
    order = placed(devstore, shop)
    assert (order.customer_id, order.email) == (customer.id, "other@example.com")
    assert order.name in visitor.get("/account").text


def test_test_orders_and_other_currencies(visitor, devstore, shop, variant):
    visitor.add(variant("straw-mug"))
    answer, shown = place(visitor, test="on", currency="JPY", shipping="collect")
    order = placed(devstore, shop)
    assert (order.test, order.presentment_currency, shown) == (True, "JPY", 2800)
    assert "¥4,575 JPY" in visitor.get(answer.headers["Location"]).text


def test_what_is_missing_is_said_beside_its_field(visitor, devstore, shop, variant):
    visitor.add(variant("straw-mug"))
    answer, _ = place(visitor, email="nobody", last_name="", city="")
    assert answer.status_code == 422
    for words in ("Enter an e-mail address", "Enter a last name.", "Enter a city."):
        assert words in answer.text
    assert 'value="Zeeweg 3"' in answer.text
    assert devstore.orders(shop) == []


def test_a_total_that_changed_is_shown_again_before_it_is_ordered(visitor, devstore, shop, variant):
    visitor.add(variant("straw-mug"))
    answer = visitor.post("/checkout", data={**FORM, "shown_total": "2800", "place": ""})
    assert answer.status_code == 409
    assert "The total has changed" in answer.text
    assert devstore.orders(shop) == []


def test_a_new_code_is_priced_before_anything_is_ordered(visitor, devstore, shop, variant):
    visitor.add(variant("straw-mug"))
    answer = visitor.post("/checkout", data={**FORM, "code": "TENOFF", "shown_total": "3295", "place": ""})
    assert "€30.15" in answer.text
    assert devstore.orders(shop) == []


@pytest.mark.parametrize(
    "path", ["/orders/{id}/{token}", "/{shop}/orders/{token}", "/{shop}/orders/{token}/authenticate"]
)
def test_an_order_has_its_page_under_every_address(visitor, devstore, shop, variant, path):
    visitor.add(variant("straw-mug"))
    place(visitor)
    order = placed(devstore, shop)
    page = visitor.get(path.format(id=order.id, token=order.token, shop=shop.id))
    assert page.status_code == 200
    assert order.name in page.text


def test_an_order_is_hidden_without_its_token(visitor, devstore, shop, variant):
    visitor.add(variant("straw-mug"))
    place(visitor)
    order = placed(devstore, shop)
    assert visitor.get(f"/orders/{order.id}/{'0' * 32}").status_code == 404
    assert visitor.get(f"/orders/{order.id + 1}/{order.token}").status_code == 404
    assert visitor.get(f"/{shop.id + 1}/orders/{order.token}").status_code == 404


def test_an_empty_cart_has_no_checkout(visitor):
    assert visitor.get("/checkout").headers["Location"] == "/cart"
    assert visitor.post("/checkout", data=FORM).headers["Location"] == "/cart"


def test_a_gift_card_is_not_sent_anywhere(visitor, devstore, shop, variant):
    visitor.add(variant("gift-card"))
    assert 'name="shipping"' not in visitor.get("/checkout").text
    _, shown = place(visitor, address1=None, zip=None, city=None)
    assert shown == 2500

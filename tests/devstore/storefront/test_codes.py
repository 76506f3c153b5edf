"""Codes on the cart and in the checkout: several, in and out, what each takes off, and why one does nothing."""

import re
import threading

import pytest

from app.devstore.discounts import keeping
from app.devstore.storefront import checkout
from tests.devstore.storefront.conftest import Visitor
from tests.devstore.storefront.test_checkout import FORM, place, placed


@pytest.fixture
def offer(devstore, shop):
    def create(code, **terms):
        return devstore.create_discount(
            shop, **{"title": f"Discount {code}", "kind": "percentage", "code": code, **terms}
        )

    return create


def applicable(cart):
    return {row["code"]: row["applicable"] for row in cart["discount_codes"]}


def test_update_js_replaces_the_codes(visitor, variant, offer):
    offer("TEN", percent="10", combines={"order": True, "shipping": True})
    offer("FIVE", kind="fixed_amount", amount_minor=500, combines={"order": True})
    offer("SHIP", kind="free_shipping", combines={"order": True})
    visitor.add(variant("straw-mug"))
    cart = visitor.post("/cart/update.js", json={"discount": "TEN,FIVE"}).get_json()
    assert applicable(cart) == {"TEN": True, "FIVE": True}
    assert (cart["total_price"], cart["total_discount"]) == (2800 - 280 - 500, 780)
    assert [(a["title"], a["total_allocated_amount"]) for a in cart["cart_level_discount_applications"]] == [
        ("TEN", 280),
        ("FIVE", 500),
    ]
    cart = visitor.post("/cart/update.js", json={"discount": " ten , SHIP, ten"}).get_json()
    assert (applicable(cart), cart["total_price"]) == ({"ten": True, "SHIP": True}, 2520)
    cart = visitor.post("/cart/update.js", json={"discount": ""}).get_json()
    assert (cart["discount_codes"], cart["total_price"]) == ([], 2800)


def test_a_code_that_does_not_combine_is_not_applicable(visitor, variant, offer):
    offer("FIVE", kind="fixed_amount", amount_minor=500)
    visitor.add(variant("straw-mug"))
    cart = visitor.post("/cart/update.js", json={"discount": "TENOFF,FIVE,NOPE"}).get_json()
    assert applicable(cart) == {"TENOFF": False, "FIVE": True, "NOPE": False}
    page = visitor.get("/cart").text
    assert "TENOFF can&#39;t be combined with FIVE" in page
    assert "NOPE is not a code of this shop" in page
    assert "−€5.00" in page


def test_a_discount_of_some_items_is_shown_with_its_line(visitor, variant, devstore, shop, offer):
    mug = devstore.product_by_handle(shop, "straw-mug")
    offer("MUGS", percent="25", product_ids=[mug.id])
    added = visitor.post("/cart/add.js", json={"id": mug.variants[0].id, "quantity": 2}).get_json()
    assert added["discounts"] == []
    visitor.add(variant("bud-vase-straw"))
    cart = visitor.post("/cart/update.js", json={"discount": "MUGS"}).get_json()
    line, other = cart["items"]
    assert line["discounts"] == [{"title": "MUGS", "amount": 1400}]
    assert (line["final_line_price"], line["total_discount"], other["discounts"]) == (4200, 1400, [])
    assert line["line_level_discount_allocations"][0]["discount_application"]["target_selection"] == "entitled"
    assert (cart["cart_level_discount_applications"], cart["total_price"]) == ([], 6600)
    assert "MUGS (−€14.00)" in visitor.get("/cart").text
    assert visitor.post("/cart/add.js", json={"id": mug.variants[0].id}).get_json()["discounts"][0]["amount"] == 2100


def test_a_link_sets_the_code_and_replaces_others(visitor, variant):
    visitor.add(variant("straw-mug"))
    visitor.get("/discount/TENOFF")
    assert visitor.get("/discount/FIVER?redirect=/cart").headers["Location"] == "/cart"
    assert applicable(visitor.cart()) == {"FIVER": True}


def test_codes_wait_in_an_empty_cart(visitor):
    visitor.get("/discount/TENOFF")
    assert visitor.cart()["discount_codes"] == [{"code": "TENOFF", "applicable": False}]


def test_the_cart_form_adds_codes_and_takes_them_out(visitor, variant, offer):
    offer("FIVE", kind="fixed_amount", amount_minor=500, combines={"order": True})
    offer("ONE", kind="fixed_amount", amount_minor=100, combines={"order": True})
    visitor.add(variant("straw-mug"))
    visitor.post("/cart", data={"discount": "FIVE"})
    visitor.post("/cart", data={"discount": "ONE"})
    visitor.post("/cart", data={"updates[]": ["2"], "discount": ""})  # a change of quantity leaves codes alone
    assert applicable(visitor.cart()) == {"FIVE": True, "ONE": True}
    assert 'name="remove_discount" value="FIVE"' in visitor.get("/cart").text
    visitor.post("/cart", data={"remove_discount": "FIVE"})
    assert (applicable(visitor.cart()), visitor.cart()["total_price"]) == ({"ONE": True}, 5500)


def test_the_checkout_adds_codes_and_takes_them_out(visitor, variant, devstore, shop, offer):
    offer("FIVE", kind="fixed_amount", amount_minor=500, combines={"shipping": True})
    offer("SHIP", kind="free_shipping", combines={"order": True})
    visitor.add(variant("straw-mug"))
    visitor.post("/checkout", data={**FORM, "code": "FIVE"})
    page = visitor.post("/checkout", data={**FORM, "code": "SHIP"}).text
    assert "−€5.00" in page
    assert "Free shipping" in page
    assert re.search(r'name="shown_total" value="2300"', page)
    page = visitor.post("/checkout", data={**FORM, "remove_code": "FIVE"}).text
    assert re.search(r'name="shown_total" value="2800"', page)
    place(visitor)
    order = placed(devstore, shop)
    assert [a.code for a in order.discount_applications] == ["SHIP"]
    assert [a.amount_minor for a in order.shipping[0].allocations] == [495]
    assert visitor.cart()["discount_codes"] == []


def test_what_is_collected_needs_no_free_shipping(visitor, variant, devstore, shop, offer):
    """The code is not used up for nothing."""
    offer("SHIP", kind="free_shipping", usage_limit=1)
    visitor.add(variant("straw-mug"))
    visitor.get("/discount/SHIP")
    assert applicable(visitor.cart()) == {"SHIP": True}
    page = visitor.post("/checkout", data={**FORM, "shipping": "collect", "refresh": "1"}).text
    assert "SHIP is for shipping, and nothing is shipped" in page
    place(visitor, shipping="collect")
    assert placed(devstore, shop).discount_applications == []
    assert devstore.codes.find(shop, "SHIP").used == 0


def test_a_single_use_is_a_single_use(app, visitor, variant, devstore, shop, offer):
    offer("ONCE", kind="fixed_amount", amount_minor=500, usage_limit=1)
    other = Visitor(app.test_client())
    for each in (visitor, other):
        each.add(variant("straw-mug"))
        each.get("/discount/once")
    place(visitor)
    assert applicable(other.cart()) == {"once": False}
    assert "ONCE was used already" in other.get("/cart").text
    _, shown = place(other)
    assert shown == 2800 + 495
    assert placed(devstore, shop).discount_applications == []


def test_the_last_use_goes_to_one_of_two_checkouts(app, visitor, variant, devstore, shop, offer, monkeypatch):
    """Both have seen the price with the code; the other is shown why it is gone, and orders nothing."""
    offer("RACED", kind="fixed_amount", amount_minor=500, usage_limit=1)
    visitors = [visitor, Visitor(app.test_client())]
    for each in visitors:
        each.add(variant("straw-mug"))
        each.get("/discount/RACED")
        assert "2795" in each.get("/checkout").text
    # Both are past the look at the total before either places its order.
    both, place_order = threading.Barrier(2), checkout._place
    monkeypatch.setattr(checkout, "_place", lambda *args: (both.wait(10), place_order(*args))[1])
    answers = []

    def send(each):
        answers.append(each.post("/checkout", data={**FORM, "shown_total": "2795", "place": ""}))

    threads = [threading.Thread(target=send, args=(each,)) for each in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    lost = next(answer for answer in answers if answer.status_code == 409)
    assert "RACED was used already. Have a look before you order." in lost.text
    assert 'name="shown_total" value="3295"' in lost.text
    assert len(devstore.orders(shop)) == 1
    assert devstore.codes.find(shop, "RACED").used == 1


def test_a_code_that_was_deleted_is_no_code(visitor, variant, devstore, shop, offer):
    offer("GONE", percent="10")
    visitor.add(variant("straw-mug"))
    visitor.get("/discount/GONE")
    keeping.delete_code(devstore, shop, devstore.codes.find(shop, "GONE"))
    assert applicable(visitor.cart()) == {"GONE": False}

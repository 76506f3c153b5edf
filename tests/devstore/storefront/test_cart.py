"""The cart adds up, through forms and through the Ajax API."""

import pytest

from tests.devstore.storefront.conftest import Visitor


def test_lines_and_totals_add_up(visitor, variant):
    visitor.add(variant("cobalt-mug", 1), 2)  # 24.00
    visitor.add(variant("bud-vase-straw"))  # 24.00
    visitor.add(variant("cobalt-mug", 1))
    cart = visitor.cart()
    assert [(item["title"], item["quantity"], item["final_line_price"]) for item in cart["items"]] == [
        ("Cobalt mug - 250 ml", 3, 7200),
        ("Bud vase, straw", 1, 2400),
    ]
    assert (cart["item_count"], cart["total_price"], cart["currency"]) == (4, 9600, "EUR")
    assert "€96.00" in visitor.get("/cart").text


def test_the_ajax_api_adds_changes_updates_and_clears(visitor, variant):
    mug, vase = variant("straw-mug"), variant("tall-vase-moss")
    added = visitor.post("/cart/add.js", json={"items": [{"id": mug.id, "quantity": 2}, {"id": vase.id}]}).get_json()
    assert [item["quantity"] for item in added["items"]] == [2, 1]
    one = visitor.post("/cart/add.js", data={"id": mug.id}).get_json()
    assert (one["variant_id"], one["quantity"]) == (mug.id, 3)
    changed = visitor.post("/cart/change.js", json={"line": 1, "quantity": 1}).get_json()
    assert changed["item_count"] == 2
    assert visitor.post("/cart/change.js", json={"id": vase.id, "quantity": 0}).get_json()["item_count"] == 1
    updated = visitor.post("/cart/update.js", json={"updates": {str(mug.id): 5}, "note": "Paper, please"}).get_json()
    assert (updated["item_count"], updated["note"]) == (5, "Paper, please")
    assert visitor.post("/cart/clear.js").get_json()["items"] == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/cart/add.js", {"id": 1}, 404),
        ("/cart/add.js", {"id": "pots"}, 404),
        ("/cart/add.js", {"items": ["pots"]}, 404),
        ("/cart/add.js", [], 404),
        ("/cart/change.js", {"line": 9, "quantity": 1}, 422),
        ("/cart/change.js", {"id": "9", "quantity": 1}, 422),
        ("/cart/change.js", {"line": 1, "quantity": "many"}, 422),
        ("/cart/update.js", {"updates": {"1": "x"}}, 422),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(visitor, path, body, status):
    answer = visitor.post(path, json=body)
    assert answer.status_code == status
    assert answer.get_json()["description"]


def test_a_thousand_of_one_and_no_more(visitor, variant):
    mug = variant("straw-mug")
    visitor.add(mug, 1000)
    assert visitor.post("/cart/add.js", json={"id": mug.id}).status_code == 422
    assert visitor.cart()["item_count"] == 1000


def test_sold_out_is_refused(visitor, devstore, shop, variant):
    product = devstore.product_by_handle(shop, "straw-mug")
    product.variants[0].inventory = 0
    devstore.store.save(product)
    assert visitor.post("/cart/add.js", json={"id": variant("straw-mug").id}).status_code == 422
    assert "Sold out" in visitor.get("/products/straw-mug").text


def test_the_cart_form_sets_quantities_by_line_and_removes_zeros(visitor, variant):
    visitor.add(variant("straw-mug"))
    visitor.add(variant("tall-vase-moss"))
    visitor.post("/cart", data={"updates[]": ["3", "0"]})
    assert [item["quantity"] for item in visitor.cart()["items"]] == [3]


def test_the_remove_link_works_without_a_script(visitor, variant):
    visitor.add(variant("straw-mug"))
    link = visitor.cart()["items"][0]["url_to_remove"]
    assert visitor.get(link).status_code == 303
    assert visitor.cart()["items"] == []


def test_a_code_for_the_whole_cart_is_off_its_total_not_its_lines(visitor, variant):
    visitor.add(variant("cobalt-mug", 1), 2)
    visitor.add(variant("bud-vase-straw"))
    visitor.post("/cart", data={"discount": "tenoff"})
    cart = visitor.cart()
    assert cart["total_price"] == 6480
    assert [item["final_line_price"] for item in cart["items"]] == [4800, 2400]
    assert cart["cart_level_discount_applications"][0]["total_allocated_amount"] == 720
    assert cart["discount_codes"] == [{"code": "tenoff", "applicable": True}]


def test_a_code_that_does_nothing_says_so(visitor, variant):
    visitor.add(variant("straw-mug"))
    visitor.post("/cart", data={"discount": "NOPE"})
    assert visitor.cart()["total_price"] == 2800
    assert "NOPE is not a code of this shop" in visitor.get("/cart").text


def test_a_discount_link_waits_in_the_cart_and_goes_on(visitor, variant):
    answer = visitor.get("/discount/TENOFF?redirect=/collections/all")
    assert answer.headers["Location"] == "/collections/all"
    visitor.add(variant("straw-mug"))
    assert visitor.cart()["total_price"] == 2520


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "/ok\r\nX: y"])
def test_a_discount_link_leads_nowhere_else(visitor, target):
    answer = visitor.get("/discount/TENOFF", query_string={"redirect": target})
    assert answer.headers["Location"] == "/"


def test_two_visitors_have_two_carts(app, visitor, variant):
    visitor.add(variant("straw-mug"))
    assert Visitor(app.test_client()).cart()["items"] == []


def test_a_product_that_is_gone_leaves_the_cart(visitor, devstore, shop, variant):
    visitor.add(variant("straw-mug"))
    devstore.store.delete(devstore.product_by_handle(shop, "straw-mug"))
    assert visitor.cart()["items"] == []


def test_below_a_path_every_step_stays_below_it(app, variant):
    visitor = Visitor(app.test_client(), "http://127.0.0.1:9292")
    root = "/saltmarsh.myshopify.com"
    answer = visitor.post(f"{root}/cart/add", data={"id": variant("straw-mug").id})
    assert answer.headers["Location"] == f"{root}/cart"
    assert visitor.get(f"{root}/cart.js").get_json()["item_count"] == 1
    for target in ("/checkout", f"{root}/checkout"):
        answer = visitor.get(f"{root}/discount/TENOFF", query_string={"redirect": target})
        assert answer.headers["Location"] == f"{root}/checkout"

"""A dev store that was filled before discounts had many codes opens with the same discounts."""

from __future__ import annotations

from app.devstore.discounts.older import bring_up_to_date
from app.devstore.state import CartLine


def test_a_discount_that_carried_its_code_goes_on(control, shop):
    devstore = control.devstore
    mug = devstore.product_by_handle(shop, "straw-mug")
    kept = (
        '{"id":41,"shop_id":%d,"title":"Kept","kind":"percentage","code":"Kept10","percent":"10","amount_minor":0,'
        '"minimum_minor":0,"product_ids":[%d],"usage_limit":3,"used":2,"starts_at":null,"ends_at":null}'
    )
    with devstore.store.writing() as connection:
        connection.execute(
            "INSERT INTO records VALUES ('Discount', ?, 41, '', '', ?)", (shop.id, kept % (shop.id, mug.id))
        )
    bring_up_to_date(devstore.store)
    bring_up_to_date(devstore.store)
    order = devstore.create_order(shop, [CartLine(mug.variants[0].id)], code="KEPT10")
    assert order.discount_applications[0].code == "Kept10"
    code = devstore.codes.find(shop, "kept10")
    assert (code.used, code.discount_id) == (3, 41)
    assert devstore.draft(shop, [CartLine(mug.variants[0].id)], codes=["kept10"]).problems == {
        "kept10": "Kept10 was used already"
    }

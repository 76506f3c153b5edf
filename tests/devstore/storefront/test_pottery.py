"""Pictures are well-formed, small, and one a product."""

from xml.etree import ElementTree

import pytest

from app.devstore.storefront import pottery

SHAPES = sorted(pottery._DRAWN)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_a_drawing_without_anything_from_elsewhere(shape):
    drawing = pottery.picture(f"{shape}-moss")
    ElementTree.fromstring(drawing)
    assert len(drawing) < 2500
    assert "href" not in drawing
    assert "{" not in drawing


def test_a_key_is_a_shape_and_a_glaze_in_any_order():
    assert pottery.picture("celadon-supper-bowl") == pottery.picture("bowl-celadon")
    assert pottery.picture("bowl-celadon") != pottery.picture("bowl-ink")


def test_an_unknown_key_is_a_jar():
    assert pottery.picture("hat") == pottery.picture("jar-ash")


def test_the_shelf_has_three_pots_whose_clips_do_not_collide():
    ids = [element.get("id") for element in ElementTree.fromstring(pottery.shelf()).iter() if element.get("id")]
    assert len(ids) == len(set(ids)) == 3


def test_every_product_of_a_new_shop_has_a_picture_of_its_own(devstore, shop):
    products = devstore.products(shop)
    assert len({pottery.picture(product.picture or product.handle) for product in products}) == len(products) >= 12

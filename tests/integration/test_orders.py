"""smoke"""
from .worlds import adds_up
def test_smoke(world):
    shop = world.shop()
    order = shop.order(("cobalt-mug", 3))
    assert shop.points() == 69
    assert adds_up(world.app)

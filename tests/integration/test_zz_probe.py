import time
import pytest
from .worlds import *


@pytest.mark.parametrize("which", ["world", "postgres_world"])
def test_p(which, request):
    world = request.getfixturevalue(which)
    shop = world.shop()
    order = shop.order(("cobalt-mug", 9))
    shop.at_rest()
    for n in range(6):
        t = time.time()
        shop.change(order, "refund", lines={"0": 1})
        t1 = time.time()
        shop.at_rest()
        t2 = time.time()
        ds = shop.deliveries()[-2:]
        print(
            which,
            f"change {t1 - t:.3f} rest {t2 - t1:.3f}",
            [(d.topic, f"{d.received_at.timestamp() - t:.3f}", f"{d.finished_at.timestamp() - t:.3f}") for d in ds],
        )

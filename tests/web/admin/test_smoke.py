from .conftest import words_of
from ...support import deliver, drain, order_body, refund_body
import pytest

@pytest.mark.parametrize("path", ["/", "/admin/", "/admin/program", "/admin/program/versions", "/admin/program/versions/1", "/admin/members", "/admin/activity", "/admin/activity?source=deliveries", "/admin/privacy", "/admin/settings", "/admin/storefront?panel=on&block=off", "/admin/program/vendors"])
def test_pages(db, clock, merchant, path):
    deliver(db, "orders/paid", order_body(lines=[("28.00", 3)]))
    drain(db, clock)
    deliver(db, "refunds/create", refund_body(1, units={1: 1}))
    deliver(db, "orders/paid", b"{}", webhook_id="x")
    drain(db, clock)
    answer = merchant.get(path)
    assert answer.status == 200, words_of(answer)
    print(words_of(answer)[:1500])

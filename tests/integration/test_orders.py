"""What becomes of an order, by what Shopify tells of it: each figure worked out by hand.

The shop's prices hold 21 % tax, which earns nothing; the starter program gives a point for every whole euro. Three
cobalt mugs at 28.00 are 84.00, of which 84.00 × 21 ÷ 121 = 14.58 is tax: 69.42, so 69 points.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from app.clock import utcnow
from app.program.settings import Counts

from .stores import eventually, next_second
from .worlds import Shop, World, adds_up

MUGS = ("cobalt-mug", 3)


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """(database, whether an edit that removes units writes a refund): nobody knows which the real platform does."""
    database, writes_refund = request.param
    world: World = request.getfixturevalue("world" if database == "sqlite" else "postgres_world")
    shop = world.shop(edit_writes_refund=writes_refund)
    yield shop
    assert adds_up(world.app)


@pytest.mark.parametrize("shop", [("sqlite", True), ("sqlite", False)], ids=["refund", "none"], indirect=True)
def test_the_life_of_an_order(shop: Shop) -> None:
    order = shop.order(MUGS, ("supper-bowl-celadon", 2), pay=False)
    assert shop.points() == 0

    # Two bowls at 42.00 are 84.00 too: 2 × 69.42 = 138.84.
    shop.change(order, "pay")
    assert shop.points() == 138

    # One of three mugs comes back: 46.28 + 69.42 = 115.70.
    shop.change(order, "refund", lines={"0": 1})
    assert shop.points() == 115

    # One of two bowls is taken out: 46.28 + 34.71 = 80.99.
    order = shop.change(order, "edit", quantities={"1": 1})
    assert shop.points() == 80

    # What it cost is paid out. No unit goes with it, and it is not counted twice.
    shop.change(order, "refund", amount_minor=4200)
    assert shop.points() == 80

    # Money for a scratch: 80.99 − 10.00 = 70.99.
    shop.change(order, "refund", amount_minor=1000)
    assert shop.points() == 70

    # A teapot is added: 84.00 − 14.58 = 69.42 more, but 84.00 is owed: 70.99 + 69.42 − 84.00 = 56.41.
    order = shop.change(order, "edit", add=[{"product": "teapot-ink", "quantity": 1}])
    assert shop.points() == 56
    # Paid within the second in which the edit was fetched: Shopify's dates cannot tell, so the app looks once more.
    shop.change(order, "pay")
    eventually(lambda: shop.points() == 140, "the teapot is paid: 140.41")

    shop.change(order, "cancel")
    assert shop.points() == 0
    assert shop.balance()["debt"] == 0


@pytest.mark.parametrize("shop", [("sqlite", True), ("postgresql", False)], ids=["refund", "none"], indirect=True)
def test_units_come_back_one_by_one_in_any_order(shop: Shop) -> None:
    """5 cups at 16.50 less 10 %: 82.50 − 8.25 = 74.25, tax 12.89: 61.36. Two plates at 22.00 less 10 %: 39.60 − 6.87
    = 32.73. Together 94.09.
    """
    order = shop.order(("espresso-cup-oxide", 5), ("side-plate-ash", 2), code="TENOFF")
    assert shop.points() == 94
    shop.change(order, "refund", lines={"0": 2, "1": 1})
    assert shop.points() == 53  # 36.816 + 16.365 = 53.181
    shop.change(order, "edit", quantities={"0": 1})
    assert shop.points() == 28  # 12.272 + 16.365 = 28.637
    shop.change(order, "refund", lines={"1": 1}, restock=False)
    assert shop.points() == 12  # 12.272
    shop.change(order, "refund", lines={"0": 1})
    assert shop.points() == 0


KINDS = {
    # What is bought, how, and the points of it.
    "a code for every line": ([MUGS], {"code": "TENOFF"}, 62),  # 75.60 − 13.12 = 62.48
    "a code across lines": ([MUGS, ("straw-mug", 1)], {"code": "FIVER"}, 88),  # 112.00 − 5.00 = 107.00 − 18.57 = 88.43
    "tax on top": ([MUGS], {"taxes_included": False}, 84),
    "paid in dollars": ([MUGS], {"presentment_currency": "USD"}, 69),
    "paid in yen": ([MUGS], {"presentment_currency": "JPY"}, 69),
    "a gift card alone": ([("gift-card", 2)], {}, 0),
    "a gift card beside a mug": ([("gift-card", 1), ("straw-mug", 1)], {}, 23),  # 28.00 − 4.86 = 23.14
    "a tip": ([("straw-mug", 1)], {"tip_minor": 700}, 23),
    "shipping": ([("straw-mug", 1)], {"shipping": True}, 23),  # 4.95 of it
    "nothing to pay": ([("straw-mug", 2, 0)], {}, 0),
    "a test order": ([MUGS], {"test": True}, 0),
    "99 cents": ([("straw-mug", 1, 99)], {"taxes_included": False}, 0),
    "a point exactly": ([("straw-mug", 1, 100)], {"taxes_included": False}, 1),
}


def test_kinds_of_orders(world: World) -> None:
    """Each by a customer of its own, all at once."""
    shop = world.shop()
    wanted, orders = {}, {}
    for number, (kind, (lines, options, points)) in enumerate(KINDS.items()):
        customer = shop.do("customers", email=f"buyer{number}@example.com")["id"]
        orders[kind] = shop.order(*lines, customer=customer, **options)
        wanted[kind] = (customer, points)
    shop.at_rest()
    assert {kind: shop.balance(customer)["available"] for kind, (customer, _) in wanted.items()} == {
        kind: points for kind, (_, points) in wanted.items()
    }
    # Half of each is sent back, or all where there is one: never less than nothing, and whole orders leave nothing.
    for order in orders.values():
        units = order["order"]["line_items"]
        shop.change(order, "refund", lines={str(place): line["quantity"] for place, line in enumerate(units)})
    shop.at_rest()
    assert {kind: shop.balance(customer)["available"] for kind, (customer, _) in wanted.items()} == dict.fromkeys(
        KINDS, 0
    )
    assert adds_up(world.app)


def test_a_shop_that_counts_yen(world: World) -> None:
    """Yen have no minor units: a point per 100. 3 × 2,800 = 8,400, tax 1,458: 6,942."""
    shop = world.shop(currency="JPY", presentment_rates={})
    order = shop.order(MUGS)
    assert shop.points() == 69
    shop.change(order, "refund", lines={"0": 1})
    assert shop.points() == 46  # 4,628


def test_tax_and_shipping_count_where_the_merchant_says_so(world: World) -> None:
    shop = world.shop(launched=False)
    shop.launch(counts=Counts(tax=True, shipping=True))
    order = shop.order(("straw-mug", 1))
    assert shop.points() == 32  # 28.00 + 4.95
    shop.change(order, "refund", shipping_minor=495)
    assert shop.points() == 28
    on_top = shop.order(("straw-mug", 1), customer="ada@example.com", taxes_included=False, shipping=False)
    ada = shop.customer("ada@example.com")
    assert shop.points(ada) == 33  # 28.00 + 5.88
    shop.change(on_top, "cancel")
    assert shop.points(ada) == 0


def test_an_authorized_order_earns_when_it_is_captured(world: World) -> None:
    shop = world.shop()
    order = shop.order(MUGS, pay=False)
    shop.change(order, "authorize")
    assert shop.points() == 0
    shop.change(order, "pay")
    assert shop.points() == 69
    never_paid = shop.order(MUGS, pay=False)
    shop.change(never_paid, "cancel")
    assert shop.points() == 69


def test_a_test_order_counts_where_a_development_store_asks_for_it(world: World) -> None:
    shop = world.shop(launched=False)
    shop.launch(test_orders=True)
    shop.order(MUGS, test=True)
    assert shop.points() == 69


def test_an_order_that_staff_move_to_another_customer(world: World) -> None:
    shop = world.shop()
    ines, tomas = shop.customer(), shop.customer("tomas@example.com")
    order = shop.order(MUGS)
    assert shop.points(ines) == 69
    shop.change(order, "customer", customer=tomas)
    assert (shop.points(ines), shop.points(tomas)) == (0, 69)
    shop.change(order, "refund", lines={"0": 1})
    assert (shop.points(ines), shop.points(tomas)) == (0, 46)
    # All of this within a second or so, and Shopify's dates have no finer: the app asks, and asks again.
    shop.change(order, "customer", customer=ines)
    eventually(lambda: (shop.points(ines), shop.points(tomas)) == (46, 0), "the order is Ines's again")
    assert adds_up(world.app)


def test_a_guests_points_wait_for_a_verified_address(world: World) -> None:
    shop = world.shop()
    order = shop.order(MUGS, email="Pieter@Example.com ")
    shop.change(order, "refund", lines={"0": 1})
    pieter = shop.do("customers", email="pieter@example.com", verified_email=False)["id"]
    assert shop.points(pieter) == 0
    shop.store.patch(f"shops/{shop.domain}/customers/{pieter}", verified_email=True)
    assert shop.points(pieter) == 46
    shop.change(order, "refund", lines={"0": 1})
    assert shop.points(pieter) == 23
    # A further order of the same address, still without the account, joins at once.
    shop.order(("straw-mug", 1), email="pieter@example.com")
    assert shop.points(pieter) == 46


def test_merged_customers_keep_one_book(world: World) -> None:
    shop = world.shop()
    ines, ada = shop.customer(), shop.customer("ada@example.com")
    first, second = shop.order(MUGS), shop.order(("straw-mug", 1), customer=ada)
    assert (shop.points(ines), shop.points(ada)) == (69, 23)
    shop.do(f"customers/{ines}/merge", gone_id=ada)
    assert shop.points(ines) == 92
    shop.change(second, "refund", lines={"0": 1})
    shop.change(first, "refund", lines={"0": 1})
    assert shop.points(ines) == 46
    assert adds_up(world.app)


def test_points_spent_elsewhere_are_owed_back(world: World) -> None:
    """Points corrected away, then the order comes back: debt, which the next order pays first."""
    shop = world.shop()
    order = shop.order(MUGS)
    shop.at_rest()
    answer = shop.press(f"/admin/members/{shop.member()}/adjust", points="-60", reason="Spent at a fair", key="fair")
    assert answer.status_code == 303
    assert shop.points() == 9
    shop.change(order, "refund", lines={"0": 2})
    assert shop.points() == -37  # 23 remain of 69, and 60 are gone
    assert (shop.balance()["available"], shop.balance()["debt"]) == (0, 37)
    shop.order(MUGS)
    assert shop.points() == 32
    assert (shop.balance()["available"], shop.balance()["debt"]) == (32, 0)
    assert adds_up(world.app)


def test_points_for_shipped_orders_wait_out_their_hold(world: World) -> None:
    """Points when everything is shipped, 14 days after that."""
    shop = world.shop(launched=False)
    shop.launch(trigger="fulfilled", hold_days=14)
    now = utcnow().replace(microsecond=0)
    placed, shipped = (now - timedelta(days=20)).isoformat(), now - timedelta(days=10)
    order = shop.order(MUGS, at=placed)
    assert shop.points() == 0
    shop.change(order, "fulfil", lines={"0": 1}, at=shipped.isoformat())
    assert shop.points() == 0  # in part
    shop.change(order, "fulfil", at=shipped.isoformat())
    assert shop.points() == 69
    assert (shop.balance()["available"], shop.balance()["pending"]) == (0, 69)
    said = shop.asks(customer_id=shop.customer()).json()["member"]
    assert datetime.fromisoformat(said["next_at"]) == shipped + timedelta(days=14)
    shop.change(order, "refund", lines={"0": 1})
    assert shop.points() == 46

    long_shipped = shop.order(("straw-mug", 1), at=placed, customer="ada@example.com")
    shop.change(long_shipped, "fulfil", at=(now - timedelta(days=15)).isoformat())
    ada = shop.customer("ada@example.com")
    assert (shop.points(ada), shop.balance(ada)["available"]) == (23, 23)

    world.app.ahead = timedelta(days=4, minutes=2)
    shop.order(("straw-mug", 1), pay=False)  # something to wake up for, at the worker's own time
    eventually(lambda: shop.balance()["available"] == 46, "the hold is over")
    assert shop.balance()["pending"] == 0
    assert adds_up(world.app)


def test_the_program_of_an_orders_own_second(world: World) -> None:
    """A new rate is for orders from now on; refunds of an earlier one go by the rate it was placed at."""
    shop = world.shop()
    a_minute_ago = utcnow().replace(microsecond=0) - timedelta(minutes=1)
    before = shop.order(MUGS, at=a_minute_ago.isoformat())
    assert shop.points() == 69
    assert world.app.command("program", "launch", "--shop", shop.domain, "--preset", "starter-double").exit_code == 0
    after = shop.order(("straw-mug", 1))
    assert shop.points() == 69 + 46  # 23 whole euros at 2
    shop.change(before, "refund", lines={"0": 1})
    assert shop.points() == 46 + 46
    assert world.app.command("program", "pause", "--shop", shop.domain).exit_code == 0
    shop.change(after, "refund", lines={"0": 1})
    paused = shop.order(MUGS)
    assert shop.points() == 46
    next_second()  # the pause ends at the start of the second in which it is ended
    assert world.app.command("program", "launch", "--shop", shop.domain).exit_code == 0
    shop.change(paused, "touch", note="still of the pause")
    assert shop.points() == 46

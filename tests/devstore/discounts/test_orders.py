"""What discounts do to orders: amounts that add up, the right units, the right set, and each use counted once."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from app.devstore.errors import Refusal
from app.devstore.records import Order
from app.devstore.state import CartLine

from .conftest import SHOP, fresh


@pytest.fixture
def offer(control):
    """A discount of these terms with one code, or an automatic one; it is gone after the test."""
    made = []

    def create(code: str | None = None, **terms: Any) -> Any:
        sent = {"title": code or "Automatic", "kind": "percentage", **terms}
        made.append(control.post(f"shops/{SHOP}/discounts", **sent, **({"code": code} if code else {})))
        return made[-1]

    yield create
    for discount in made:
        control.delete(f"shops/{SHOP}/discounts/{discount['id']}")


@pytest.fixture
def ids(control, shop):
    """ids("straw-mug") -> (product id, variant id)"""

    def find(handle: str) -> tuple[int, int]:
        product = control.devstore.product_by_handle(shop, handle)
        return product.id, product.variants[0].id

    return find


@pytest.fixture
def cart(control, shop, ids):
    """The draft of a cart by handles, with these codes."""

    def draft(goods: dict[str, int], *codes: str, **options: Any) -> Any:
        lines = [CartLine(ids(handle)[1], quantity) for handle, quantity in goods.items()]
        return control.devstore.draft(shop, lines, codes=codes, **options)

    return draft


def off(order: Order) -> list[list[int]]:
    return [[a.amount_minor for a in line.allocations] for line in order.lines]


def saved(order: Order) -> int:
    return sum(a.amount_minor for line in order.all_lines for a in line.allocations)


# straw-mug 28.00, side-plate-ash 22.00, spoon-rest-rust 12.75, bud-vase-straw 24.00, tall-vase-moss 80.00


def test_an_amount_is_off_once_or_off_each_item(offer, cart, ids):
    mugs = {"items": {"products": [ids("straw-mug")[0]]}, "kind": "fixed_amount", "amount_minor": 500}
    offer("ONCEOFF", **mugs)
    offer("EACHOFF", each=True, **mugs)
    goods = {"straw-mug": 3, "side-plate-ash": 1}
    once, each = cart(goods, "ONCEOFF").order, cart(goods, "EACHOFF").order
    assert (off(once), off(each)) == ([[500], []], [[1500], []])
    assert once.discount_applications[0].allocation_method == "across"
    (applied,) = each.discount_applications
    assert (applied.allocation_method, applied.target_selection, applied.value) == ("each", "entitled", "5.0")


def test_a_variant_or_a_collection_is_meant_alone(offer, cart, ids):
    offer("SMALLMUG", percent="100", items={"variants": [ids("straw-mug")[1]]})
    assert off(cart({"straw-mug": 1, "cobalt-mug": 1}, "SMALLMUG").order) == [[2800], []]


def test_a_collection_is_meant_by_its_products(control, shop, offer, cart):
    vases = next(c for c in control.devstore.collections(shop) if c.handle == "vases")
    offer("VASES", percent="50", items={"collections": [vases.id]})
    assert off(cart({"straw-mug": 1, "bud-vase-straw": 1}, "VASES").order) == [[], [1200]]


def test_gift_cards_are_never_discounted(offer, cart):
    offer("GIFTS", percent="10")
    assert off(cart({"gift-card": 1, "straw-mug": 1}, "GIFTS").order) == [[], [280]]
    assert cart({"gift-card": 1}, "GIFTS").problems == {"GIFTS": "GIFTS isn't valid for the items in your cart"}


@pytest.mark.parametrize(
    ("buys", "goods", "expected"),
    [
        ({"buys_quantity": 1}, {"straw-mug": 1, "side-plate-ash": 1}, [[], [2200]]),
        ({"buys_quantity": 1}, {"straw-mug": 1, "side-plate-ash": 3}, [[], [2200]]),  # one of three is free
        ({"buys_quantity": 2}, {"straw-mug": 2, "side-plate-ash": 2}, [[], [2200]]),
        ({"buys_minor": 5600}, {"straw-mug": 2, "side-plate-ash": 1}, [[], [2200]]),
        ({"buys_quantity": 1, "uses_per_order": None}, {"straw-mug": 2, "side-plate-ash": 3}, [[], [4400]]),
        ({"buys_quantity": 1, "percent": "50"}, {"straw-mug": 1, "side-plate-ash": 1}, [[], [1100]]),
        ({"buys_quantity": 1, "gets_quantity": 2}, {"straw-mug": 1, "side-plate-ash": 3}, [[], [4400]]),
    ],
)
def test_bxgy_makes_exactly_its_units_cheaper(offer, cart, ids, buys, goods, expected):
    code = fresh("BXGY")
    offer(
        code,
        **{
            "kind": "bxgy",
            "percent": "100",
            "gets_quantity": 1,
            "uses_per_order": 1,
            "buys": {"products": [ids("straw-mug")[0]]},
            "items": {"products": [ids("side-plate-ash")[0]]},
            **buys,
        },
    )
    made = cart(goods, code)
    assert made.problems == {}
    assert off(made.order) == expected
    assert made.order.discount_applications[0].allocation_method == "each"


def test_a_unit_that_is_bought_is_not_got_as_well(offer, cart, ids):
    mug = {"products": [ids("straw-mug")[0]]}
    offer("TWOFORONE", kind="bxgy", percent="100", gets_quantity=1, buys=mug, items=mug, buys_quantity=1)
    assert "bought beside" in cart({"straw-mug": 1}, "TWOFORONE").problems["TWOFORONE"]
    assert off(cart({"straw-mug": 5}, "TWOFORONE").order) == [[5600]]


def test_the_free_item_must_be_in_the_cart_already(offer, cart, ids):
    offer(
        "FREEPLATE",
        kind="bxgy",
        percent="100",
        gets_quantity=1,
        buys={"products": [ids("straw-mug")[0]]},
        items={"products": [ids("side-plate-ash")[0]]},
        buys_minor=2800,
    )
    made = cart({"straw-mug": 3}, "FREEPLATE")
    assert made.problems == {"FREEPLATE": "the item that FREEPLATE is for is not in your cart"}
    assert saved(made.order) == 0
    assert "€28.00 of other items" in cart({"side-plate-ash": 3}, "FREEPLATE").problems["FREEPLATE"]


def test_free_shipping_takes_off_shipping_within_its_reach(offer, cart):
    offer("SHIPFREE", kind="free_shipping", maximum_shipping_minor=500)
    made = cart({"straw-mug": 1}, "SHIPFREE").order
    assert ([a.amount_minor for a in made.shipping[0].allocations], off(made)) == ([495], [[]])
    offer("SHIPLESS", kind="free_shipping", maximum_shipping_minor=400)
    assert "up to €4.00" in cart({"straw-mug": 1}, "SHIPLESS").problems["SHIPLESS"]
    nothing = cart({"straw-mug": 1}, "SHIPFREE", shipping=False)
    assert nothing.problems == {"SHIPFREE": "SHIPFREE is for shipping, and nothing is shipped"}
    assert nothing.order.discount_applications == []
    unknown = cart({"straw-mug": 1}, "SHIPFREE", shipping=None)
    assert (unknown.problems, unknown.order.discount_applications[0].code) == ({}, "SHIPFREE")


def test_minimums_are_of_what_the_discount_is_for(offer, cart, ids):
    offer("FROM50", percent="10", minimum_minor=5000)
    assert cart({"straw-mug": 1}, "FROM50").problems == {"FROM50": "FROM50 needs a purchase of €50.00 or more"}
    assert cart({"straw-mug": 2}, "from50").problems == {}
    offer("THREEMUGS", percent="10", minimum_quantity=3, items={"products": [ids("straw-mug")[0]]})
    assert "3 items or more" in cart({"straw-mug": 2, "side-plate-ash": 5}, "THREEMUGS").problems["THREEMUGS"]
    assert cart({"straw-mug": 3}, "THREEMUGS").problems == {}


def test_dates_bound_a_code(offer, cart):
    offer("NOTYET", percent="10", starts_at="2099-01-01T00:00:00Z")
    offer("NOMORE", percent="10", starts_at="2019-01-01T00:00:00Z", ends_at="2020-01-01T00:00:00Z")
    problems = cart({"straw-mug": 1}, "NOTYET", "NOMORE", "NEVER").problems
    assert problems == {
        "NEVER": "NEVER is not a code of this shop",
        "NOTYET": "NOTYET cannot be used yet",
        "NOMORE": "NOMORE has expired",
    }


def test_discounts_that_do_not_combine_leave_the_better_one(offer, cart):
    offer("TENTH", percent="10")
    offer("FIVE", kind="fixed_amount", amount_minor=500)
    small, large = (cart({"straw-mug": units}, "TENTH", "FIVE") for units in (1, 4))
    assert (saved(small.order), small.problems) == (500, {"TENTH": "TENTH can't be combined with FIVE"})
    assert (saved(large.order), large.problems) == (1120, {"FIVE": "FIVE can't be combined with TENTH"})


def test_of_two_that_are_equal_the_last_one_stays(offer, cart):
    offer("FIRST5", kind="fixed_amount", amount_minor=500)
    offer("LAST5", kind="fixed_amount", amount_minor=500)
    assert list(cart({"straw-mug": 1}, "FIRST5", "LAST5").problems) == ["FIRST5"]
    assert list(cart({"straw-mug": 1}, "LAST5", "FIRST5").problems) == ["LAST5"]


def test_both_must_agree_to_combine(offer, cart):
    offer("OPEN", percent="10", combines={"order": True, "shipping": True})
    offer("CLOSED", kind="fixed_amount", amount_minor=100)
    assert list(cart({"straw-mug": 1}, "OPEN", "CLOSED").problems) == ["CLOSED"]
    offer("OPEN2", kind="fixed_amount", amount_minor=500, combines={"order": True})
    offer("SHIPTOO", kind="free_shipping", combines={"order": True})
    both = cart({"straw-mug": 1}, "OPEN", "OPEN2")
    assert (both.problems, off(both.order)) == ({}, [[280, 500]])  # each starts from the whole subtotal
    assert list(cart({"straw-mug": 1}, "OPEN", "OPEN2", "SHIPTOO").problems) == ["SHIPTOO"]
    assert cart({"straw-mug": 1}, "OPEN", "SHIPTOO").problems == {}


def test_product_discounts_come_before_order_discounts_and_once_a_line(offer, cart, ids):
    all_of_them = {"product": True, "order": True, "shipping": True}
    mug = {"products": [ids("straw-mug")[0]]}
    offer("MUG25", percent="25", items=mug, combines=all_of_them)
    offer("MUG10", percent="10", items=mug, combines=all_of_them)
    offer("ALL10", percent="10", combines=all_of_them)
    made = cart({"straw-mug": 1, "side-plate-ash": 1}, "ALL10", "MUG25")
    assert off(made.order) == [[210, 700], [220]]  # a tenth of 21.00 and of 22.00
    assert [a.code for a in made.order.discount_applications] == ["ALL10", "MUG25"]
    twice = cart({"straw-mug": 1}, "MUG10", "MUG25")
    assert twice.problems == {"MUG10": "MUG10 is for items that are discounted already"}


def test_an_automatic_discount_may_be_better_than_a_code(offer, cart):
    offer(None, title="Open day", percent="50")
    offer("LITTLE", percent="5")
    made = cart({"straw-mug": 1}, "LITTLE")
    assert made.problems == {"LITTLE": "LITTLE can't be combined with Open day"}
    assert [(a.kind, a.title) for a in made.order.discount_applications] == [("automatic", "Open day")]


def test_five_codes_and_one_for_shipping(offer, cart):
    open_to_all = {"combines": {"order": True, "shipping": True, "product": True}}
    codes = [f"PART{n}" for n in range(6)]
    for n, code in enumerate(codes):
        offer(code, kind="fixed_amount", amount_minor=100 + n, **open_to_all)
    offer("PARTSHIP", kind="free_shipping", combines={"order": True})
    made = cart({"tall-vase-moss": 1}, *codes, "PARTSHIP")
    assert made.problems == {"PART0": "PART0 is one code too many: an order takes 5"}
    assert len(made.order.discount_applications) == 6


def test_the_order_prints_codes_applications_and_allocations_as_shopify_does(control, offer):
    offer("PRINTED", percent="10", combines={"shipping": True})
    offer("PRINTSHIP", kind="free_shipping", combines={"order": True})
    body = control.order(codes=["printed", "PRINTSHIP"], quantity=2)["order"]
    assert body["discount_codes"] == [
        {"code": "PRINTED", "amount": "5.60", "type": "percentage"},
        {"code": "PRINTSHIP", "amount": "4.95", "type": "shipping"},
    ]
    assert body["discount_applications"] == [
        {
            "target_type": "line_item",
            "type": "discount_code",
            "value": "10.0",
            "value_type": "percentage",
            "allocation_method": "across",
            "target_selection": "all",
            "code": "PRINTED",
        },
        {
            "target_type": "shipping_line",
            "type": "discount_code",
            "value": "100.0",
            "value_type": "percentage",
            "allocation_method": "each",
            "target_selection": "all",
            "code": "PRINTSHIP",
        },
    ]
    allocation = body["line_items"][0]["discount_allocations"][0]
    assert (allocation["amount"], allocation["discount_application_index"]) == ("5.60", 0)
    shipped = body["shipping_lines"][0]
    assert (shipped["price"], shipped["discounted_price"]) == ("4.95", "0.00")
    assert shipped["discount_allocations"][0]["discount_application_index"] == 1
    assert body["total_discounts"] == "10.55"


def test_the_admin_api_prints_the_same_and_searches_the_first_code_only(control, ask, offer):
    first, second = fresh(), fresh()
    offer(first, percent="10", combines={"order": True})
    offer(second, kind="fixed_amount", amount_minor=300, combines={"order": True})
    made = control.order(codes=[first, second])
    found = ask(
        """query ($id: ID!) { order(id: $id) { discountCode discountCodes discountApplications(first: 5) { nodes {
          __typename index targetType allocationMethod value { ... on MoneyV2 { amount }
            ... on PricingPercentageValue { percentage } } ... on DiscountCodeApplication { code } } } } }""",
        id=f"gid://shopify/Order/{made['id']}",
    )
    assert (found["discountCode"], found["discountCodes"]) == (first, [first, second])
    assert [(a["code"], a["value"]) for a in found["discountApplications"]["nodes"]] == [
        (first, {"percentage": 10}),
        (second, {"amount": "3.0"}),
    ]
    search = "query ($query: String) { orders(first: 5, query: $query) { nodes { legacyResourceId } } }"
    assert ask(search, query=f"discount_code:{first}")["nodes"] == [{"legacyResourceId": str(made["id"])}]
    assert ask(search, query=f"discount_code:{second}")["nodes"] == []


def test_a_used_up_code_stays_used_up_when_its_order_is_cancelled(control, shop, offer):
    discount = offer("SINGLE", percent="10", usage_limit=1)
    made = control.order(code="SINGLE")
    code = control.get(f"shops/{SHOP}/codes/single")
    assert (code["used"], code["discount"]["used"]) == (1, 1)
    control.change(made, "cancel")
    assert control.get(f"shops/{SHOP}/discounts/{discount['id']}/codes")[0]["used"] == 1
    with pytest.raises(Refusal, match="SINGLE was used already"):
        control.devstore.create_order(shop, [CartLine(made["order"]["line_items"][0]["variant_id"])], code="SINGLE")


def test_a_limit_is_of_each_code(control, offer):
    discount = offer("LIMITA", percent="10", usage_limit=1)
    control.post(f"shops/{SHOP}/discounts/{discount['id']}/codes", code="LIMITB")
    control.order(code="LIMITA")
    control.order(code="LIMITB")
    shown = control.get(f"shops/{SHOP}/discounts/{discount['id']}/codes")
    assert [(code["code"], code["used"]) for code in shown] == [("LIMITA", 1), ("LIMITB", 1)]


def test_of_many_who_race_for_the_last_use_one_wins(control, shop, ids, offer):
    offer("RACED", percent="10", usage_limit=1)
    won, lost = [], []
    start = threading.Barrier(8)

    def buy() -> None:
        start.wait()
        try:
            won.append(control.devstore.create_order(shop, [CartLine(ids("straw-mug")[1])], code="RACED"))
        except Refusal as refusal:
            lost.append(str(refusal))

    threads = [threading.Thread(target=buy) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert lost == ["RACED was used already"] * 7
    assert control.get(f"shops/{SHOP}/codes/RACED")["used"] == 1


def test_a_code_that_collides_is_refused(control, offer):
    offer("COLLIDES", percent="10")
    answer = control.session.post(
        f"{control.root}/-/control/shops/{SHOP}/discounts",
        json={"title": "x", "kind": "percentage", "percent": "5", "code": "collides"},
        timeout=10,
    )
    assert (answer.status_code, answer.json()) == (422, {"error": "the code collides is taken"})


def test_a_code_is_deleted_behind_the_apps_back(control, offer):
    offer("VANISH", percent="10")
    control.delete(f"shops/{SHOP}/codes/vanish")
    assert control.session.get(f"{control.root}/-/control/shops/{SHOP}/codes/VANISH", timeout=10).status_code == 404

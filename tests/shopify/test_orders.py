"""Orders fetched, through a stand-in that executes our documents on the real schema and pages as Shopify does."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from graphql import graphql_sync

from app.errors import Rejected, Throttled
from app.program.facts import OrderFacts
from app.program.money import parse_micro
from app.shopify import orders
from app.shopify.client import AdminClient
from app.shopify.order_nodes import order_facts_of_node
from app.shopify.orders import OrderSighting, fetch_order, sweep_orders, sweep_page
from app.shopify.origins import Origins
from tests.shopify.signing import NOW, SHOP
from tests.shopify.test_documents import schema

URL = f"https://{SHOP}/admin/api/2026-10/graphql.json"
RECORDED = json.loads((Path(__file__).parents[1] / "data/shopify/recorded-orders.json").read_text())


def money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}


class Store:
    """Answers the Admin API from a few dicts. A list that a query pages becomes a connection."""

    def __init__(self, *nodes: dict[str, Any]) -> None:
        self.nodes = {node["id"]: node for node in nodes}
        self.calls = 0
        self.before_call = lambda call: None

    def answer(self, request) -> tuple[int, dict, str]:
        self.calls += 1
        self.before_call(self.calls)
        asked = json.loads(request.body)
        result = graphql_sync(
            schema(), asked["query"], root_value=self, variable_values=asked["variables"],
            field_resolver=self.resolve,
            type_resolver=lambda value, *_: value.get("__typename") or value["id"].split("/")[3],
        )  # fmt: skip
        assert not result.errors, result.errors
        return 200, {}, json.dumps({"data": result.data})

    def resolve(self, source, info, **arguments):
        name = info.field_name
        if source is self:
            if name in ("order", "node"):
                return self.nodes.get(arguments["id"])
            if name == "orders":
                since = arguments["query"].split("'")[1].replace("Z", "")
                found = [n for n in self.nodes.values() if n["id"].split("/")[3] == "Order" and n["updatedAt"] >= since]
                found.sort(key=lambda node: node["updatedAt"])
                return self.page(found, {**arguments, "first": self.page_size or arguments["first"]})
        value = source.get(name)
        if isinstance(value, list) and str(info.return_type).endswith("Connection!"):
            return self.page(value, arguments)
        if isinstance(value, list) and "first" in arguments:
            return value[: arguments["first"]]
        return value

    page_size = 0

    def page(self, items: list, arguments: dict[str, Any]) -> dict[str, Any]:
        start = int(arguments.get("after") or 0)
        end = start + arguments["first"]
        more = end < len(items)
        return {"nodes": items[start:end], "pageInfo": {"hasNextPage": more, "endCursor": str(end) if items else None}}


def allocation(amount: str, code: str | None = None) -> dict[str, Any]:
    """A part of a discount: of a code's, else of an automatic one."""
    kind = "DiscountCodeApplication" if code else "AutomaticDiscountApplication"
    return {"allocatedAmountSet": money(amount), "discountApplication": {"__typename": kind, "code": code}}


def line(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{number}", "title": f"Bowl {number}", "quantity": 2, "currentQuantity": 2,
        "isGiftCard": False, "vendor": "Saltmarsh", "originalUnitPriceSet": money("10.0"),
        "discountAllocations": [allocation("1.5", "spring10"), allocation("0.5")],
        "taxLines": [{"priceSet": money("2.85")}], "product": {"id": "gid://shopify/Product/9"},
        "variant": {"id": "gid://shopify/ProductVariant/8"}, **changes,
    }  # fmt: skip


def shipping(amount: str = "5.0") -> dict[str, Any]:
    return {"title": "Post", "originalPriceSet": money(amount), "discountAllocations": [], "taxLines": []}


def refund(number: int, units: int = 1, lines: int = 1, adjustments: int = 0, back: int = 0) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Refund/{number}", "createdAt": "2026-11-20T10:00:00Z",
        "refundLineItems": [
            {"quantity": units, "lineItem": {"id": f"gid://shopify/LineItem/{n}"}} for n in range(1, lines + 1)
        ],
        "orderAdjustments": [{"amountSet": money("-0.10")}] * adjustments,
        "refundShippingLines": [{"subtotalAmountSet": money("1.0"), "taxAmountSet": money("0.19")}] * back,
    }  # fmt: skip


def payment(amount: str, at: str, kind: str = "SALE", status: str = "SUCCESS") -> dict[str, Any]:
    return {"kind": kind, "status": status, "processedAt": at, "amountSet": money(amount)}


def order(number: int = 1001, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Order/{number}", "name": f"#{number}", "createdAt": "2026-11-19T10:00:00Z",
        "updatedAt": "2026-11-20T10:00:00Z", "cancelledAt": None, "test": False, "currencyCode": "EUR",
        "taxesIncluded": True, "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED",
        "sourceName": "web", "discountCodes": ["Spring10"], "email": "a@example.com",
        "customer": {"id": "gid://shopify/Customer/77", "verifiedEmail": True},
        "totalOutstandingSet": money("0.0"), "originalTotalPriceSet": money("43.0"), "lineItems": [line(1), line(2)],
        "shippingLines": [shipping()], "refunds": [], "fulfillments": [],
        "transactions": [payment("43.0", "2026-11-19T10:00:05Z")], **changes,
    }  # fmt: skip


@pytest.fixture
def shopify():
    with responses.RequestsMock() as mock:
        yield lambda store: mock.add_callback("POST", URL, callback=store.answer)


def client() -> AdminClient:
    return AdminClient(Origins(), SHOP, "shpat_x")


def fetch(store: Store, number: int = 1001) -> OrderFacts | None:
    return fetch_order(client(), number, now=NOW, hash_address=lambda address: f"hash of {address}")


def test_reads_an_order(shopify):
    fulfillments = [
        {"createdAt": "2026-11-20T08:00:00Z", "status": "SUCCESS"},
        {"createdAt": "2026-11-20T09:00:00Z", "status": "CANCELLED"},
    ]
    store = Store(order(displayFulfillmentStatus="PARTIALLY_FULFILLED", fulfillments=fulfillments))
    shopify(store)
    facts = fetch(store)
    snapshot = facts.snapshot
    assert (facts.order_id, facts.customer_id, facts.address_hash, store.calls) == (1001, 77, None, 1)
    assert (snapshot.financial_status, snapshot.fulfillment_status) == ("paid", "partial")
    assert (snapshot.read_at, snapshot.fulfilled_at) == (NOW, datetime(2026, 11, 20, 8, tzinfo=UTC))
    assert snapshot.taxes_included and not snapshot.test and snapshot.currency == "EUR"
    first = snapshot.lines[0]
    assert (first.line_id, first.product_id, first.variant_id, first.kind) == (1, 9, 8, "product")
    assert (first.price_micro, first.discount_micro, first.tax_micro) == (10_000_000, 2_000_000, 2_850_000)
    assert snapshot.shipping_lines[0].price_micro == 5_000_000
    assert facts.paid_at == datetime(2026, 11, 19, 10, 0, 5, tzinfo=UTC)


def test_tells_what_each_code_took_off_lines_and_shipping(shopify):
    free = {**shipping(), "discountAllocations": [allocation("5.0", "SHIPFREE")]}
    codes = ["SPRING10", "shipfree", "TooSmall"]
    store = Store(order(lineItems=[line(n) for n in range(1, 28)], shippingLines=[free], discountCodes=codes))
    shopify(store)
    assert fetch(store).codes == (("SHIPFREE", 5_000_000), ("SPRING10", 27 * 1_500_000), ("TOOSMALL", 0))


def test_an_unknown_order_is_none(shopify):
    store = Store()
    shopify(store)
    assert fetch(store) is None


def test_a_guests_address_is_hashed_and_never_kept(shopify):
    shopify(Store(order(customer=None)))
    facts = fetch(None)
    assert (facts.customer_id, facts.address_hash) == (None, "hash of a@example.com")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "product"),
        ({"isGiftCard": True}, "gift_card"),
        ({"title": "Tip", "product": None}, "tip"),
        ({"title": "Tip"}, "product"),
    ],
)
def test_tells_gift_cards_and_tips_from_products(shopify, changes, kind):
    shopify(Store(order(lineItems=[line(1, **changes)])))
    assert fetch(None).snapshot.lines[0].kind == kind


@pytest.mark.parametrize(
    ("transactions", "paid_at"),
    [
        ([payment("20.0", "2026-11-19T10:00:00Z"), payment("23.0", "2026-11-19T12:00:00Z", "CAPTURE")], 12),
        ([payment("23.0", "2026-11-19T12:00:00Z"), payment("20.0", "2026-11-19T10:00:00Z")], 12),
        ([payment("42.99", "2026-11-19T10:00:00Z")], None),
        ([payment("43.0", "2026-11-19T10:00:00Z", "AUTHORIZATION")], None),
        ([payment("43.0", "2026-11-19T10:00:00Z", status="FAILURE")], None),
        ([payment("43.0", "2026-11-19T10:00:00Z", "REFUND")], None),
        ([], None),
    ],
)
def test_paid_once_sales_and_captures_reach_the_original_total(shopify, transactions, paid_at):
    shopify(Store(order(displayFinancialStatus="VOIDED", transactions=transactions)))
    assert fetch(None).paid_at == (datetime(2026, 11, 19, paid_at, tzinfo=UTC) if paid_at else None)


def test_reads_a_refund_with_shipping_and_a_discrepancy(shopify):
    shopify(Store(order(refunds=[refund(5, lines=2, adjustments=1, back=1)])))
    facts = fetch(None)
    (found,) = facts.refunds
    assert (found.refund_id, found.units, found.adjustment_micro) == (5, ((1, 1), (2, 1)), -100_000)
    assert (found.shipping_micro, found.shipping_tax_micro) == (1_000_000, 190_000)
    assert facts.snapshot.contained_refunds == (5,)


def test_a_large_order_is_read_to_its_last_page(shopify):
    """120 lines, 12 shipping lines, 9 refunds of which one has 250 lines, 40 payments, 30 fulfilments."""
    refunds = [refund(n) for n in range(1, 9)] + [refund(9, lines=250, adjustments=60, back=55)]
    store = Store(
        order(
            lineItems=[line(n) for n in range(1, 121)],
            shippingLines=[shipping(f"{n}.0") for n in range(12)],
            refunds=refunds,
            transactions=[payment("1.0", f"2026-11-19T10:{n:02}:00Z") for n in range(50)],
            fulfillments=[{"createdAt": f"2026-11-20T08:{n:02}:00Z", "status": "SUCCESS"} for n in range(30)],
        ),
        *refunds,
    )
    shopify(store)
    facts = fetch(store)
    assert [found.line_id for found in facts.snapshot.lines] == list(range(1, 121))
    assert [found.price_micro for found in facts.snapshot.shipping_lines] == [n * 1_000_000 for n in range(12)]
    assert [found.refund_id for found in facts.refunds] == list(range(1, 10))
    assert len(facts.refunds[-1].units) == 250
    assert (facts.refunds[-1].adjustment_micro, facts.refunds[-1].shipping_micro) == (-6_000_000, 55_000_000)
    assert facts.snapshot.fulfilled_at == datetime(2026, 11, 20, 8, 29, tzinfo=UTC)
    assert facts.paid_at == datetime(2026, 11, 19, 10, 42, tzinfo=UTC)


def test_an_order_that_moves_between_its_pages_is_read_again(shopify):
    store = Store(order(lineItems=[line(n) for n in range(1, 31)]))
    found = store.nodes["gid://shopify/Order/1001"]
    store.before_call = lambda call: call == 2 and found.update(updatedAt="2026-11-20T11:00:00Z")
    shopify(store)
    facts = fetch(store)
    assert facts.snapshot.updated_at == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert (len(facts.snapshot.lines), store.calls) == (30, 4)
    store.before_call = lambda call: found.update(updatedAt=f"2026-11-20T11:00:{call:02}Z")
    with pytest.raises(Throttled):
        fetch(store)


@pytest.mark.parametrize(
    "field", ["createdAt", "taxesIncluded", "displayFinancialStatus", "test", "cancelledAt", "refunds", "discountCodes"]
)
def test_a_field_that_decides_points_is_never_guessed(field):
    node = whole(order())
    del node[field]
    with pytest.raises(Exception, match=field):
        order_facts_of_node(node, read_at=NOW, hash_address=None)


@responses.activate
def test_another_order_than_asked_is_refused():
    responses.post(
        URL,
        json={"data": {"order": {**whole(order(7)), "lineItems": {"nodes": [], "pageInfo": {"hasNextPage": False}}}}},
    )
    with pytest.raises(Rejected):
        fetch_order(client(), 1001, now=NOW)


@pytest.mark.parametrize(
    "found",
    [
        [],
        7,
        {"id": "gid://shopify/Order/1001"},
        {"id": "gid://shopify/Order/1001", "refunds": [7], "lineItems": {"nodes": [], "pageInfo": {}}},
        {"id": "gid://shopify/Order/1001", "refunds": {}, "lineItems": {"nodes": []}},
    ],
)
@responses.activate
def test_a_malformed_answer_is_refused(found):
    responses.post(URL, json={"data": {"order": found}})
    with pytest.raises(Rejected):
        fetch_order(client(), 1001, now=NOW)


def test_a_sweep_goes_on_until_everything_is_seen(shopify):
    store = Store(*(order(n, updatedAt=f"2026-11-{1 + n // 60:02}T10:{n % 60:02}:00Z") for n in range(300)))
    store.page_size = 7
    shopify(store)
    pages = list(sweep_orders(client(), datetime(2026, 11, 2, 10, tzinfo=UTC)))
    assert [found.order_id for page in pages for found in page.orders] == list(range(60, 300))
    assert [page.done for page in pages] == [False] * 34 + [True]
    resumed = list(sweep_orders(client(), pages[4].next_since, pages[4].next_cursor))
    assert resumed == pages[5:]


def test_a_sweep_starts_anew_before_a_cursor_ends(shopify, monkeypatch):
    monkeypatch.setattr(orders, "OBJECTS_A_CURSOR_REACHES", 20)
    store = Store(*(order(n, updatedAt=f"2026-11-02T10:{n // 3:02}:00Z") for n in range(1, 91)))
    store.page_size = 8
    shopify(store)
    pages = list(sweep_orders(client(), datetime(2026, 11, 2, tzinfo=UTC)))
    assert {found.order_id for page in pages for found in page.orders} == set(range(1, 91))
    assert any(page.next_cursor is None and not page.done for page in pages)


def test_an_empty_sweep(shopify):
    shopify(Store())
    page = sweep_page(client(), NOW)
    assert (page.orders, page.done) == ((), True)


def test_a_sighting_knows_what_is_known():
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    facts = order_facts_of_node(whole(order()), read_at=NOW, hash_address=None)
    seen = OrderSighting(1001, at, None, "paid", None)
    assert seen.is_known_from(facts)
    assert not seen.is_known_from(None)
    assert not OrderSighting(1001, at + timedelta(seconds=1), None, "paid", None).is_known_from(facts)
    assert OrderSighting(1001, at - timedelta(seconds=1), None, "pending", None).is_known_from(facts)
    assert not OrderSighting(1001, at, None, "partially_refunded", None).is_known_from(facts)
    assert not OrderSighting(1001, at, None, "paid", "fulfilled").is_known_from(facts)
    assert not OrderSighting(1001, at, at, "paid", None).is_known_from(facts)


def whole(node: dict[str, Any]) -> dict[str, Any]:
    """A node with its lists as connections, as ``orders`` hands it on."""
    node = copy.deepcopy(node)
    for name in ("lineItems", "shippingLines"):
        if isinstance(node.get(name), list):
            node[name] = {"nodes": node[name]}
    for found in node.get("refunds") or []:
        for name in ("refundLineItems", "orderAdjustments", "refundShippingLines"):
            if isinstance(found.get(name, []), list):
                found[name] = {"nodes": found.get(name, [])}
    return node


def recorded(number: int) -> OrderFacts:
    """Facts of an order as Shopify really answered; what its query did not ask for is filled in from ``order()``."""
    node = RECORDED[number]["order"]
    template = order()
    lines = [
        {**line(place), "discountAllocations": [], **found} for place, found in enumerate(node["lineItems"]["nodes"], 1)
    ]
    shippings = [{**shipping(), **found} for found in node.get("shippingLines", {}).get("nodes", [])]
    refunds = [{**refund(1), **found} for found in node.get("refunds", [])]
    payments = [{**payment("0", "2026-11-19T10:00:00Z"), **found} for found in node.get("transactions", [])]
    filled = {**template, **node, "lineItems": lines, "shippingLines": shippings, "refunds": refunds,
              "transactions": payments, "originalTotalPriceSet": node.get("totalPriceSet", money("134.5"))}  # fmt: skip
    return order_facts_of_node(whole(filled), read_at=NOW, hash_address=None)


def test_recorded_partly_refunded_order():
    """#1401: two tees of 45.00, a mug of 30.00 that came back, shipping 12.00; paid 134.50 in one sale."""
    facts = recorded(0)
    snapshot = facts.snapshot
    assert (facts.order_id, snapshot.name, snapshot.financial_status) == (6832000000000, "#1401", "partially_refunded")
    assert snapshot.fulfillment_status == "fulfilled"
    assert snapshot.fulfilled_at == datetime(2026, 4, 23, 16, 30, tzinfo=UTC)
    assert [(found.line_id, found.quantity, found.price_micro, found.tax_micro) for found in snapshot.lines] == [
        (7001, 2, 45_000_000, 10_000_000), (7002, 1, 30_000_000, 0),
    ]  # fmt: skip
    assert [(found.refund_id, found.units) for found in facts.refunds] == [(4001, ((7002, 1),))]
    assert facts.ever_paid


@pytest.mark.parametrize("number", range(len(RECORDED)))
def test_recorded_orders_add_up(number):
    """Lines less discounts give the subtotal Shopify itself recorded, wherever the recording has both."""
    facts = recorded(number)
    node = RECORDED[number]["order"]
    if "subtotalPriceSet" in node and "fixedDiscount" not in RECORDED[number]["at"]:
        total = sum(found.price_micro * found.quantity - found.discount_micro for found in facts.snapshot.lines)
        assert total == parse_micro(node["subtotalPriceSet"]["shopMoney"]["amount"])

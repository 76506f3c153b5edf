import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.errors import Parked
from app.program.facts import OrderFacts
from app.shopify.payloads import (
    AppUninstalled,
    CustomerDeleted,
    CustomerNews,
    CustomerRedacted,
    CustomersMerged,
    DataRequested,
    Ignored,
    OrderNews,
    OrderToFetch,
    ScopesUpdated,
    ShopRedacted,
    ShopUpdated,
    Subject,
    read_delivery,
)

DATA = Path(__file__).parents[1] / "data/shopify"
PAYLOADS = DATA / "payloads"
FOREIGN_TO_ORDERS = {"orders/delete", "orders/link_requested", "orders/risk_assessment_changed"}


def published(topic: str) -> bytes:
    return (PAYLOADS / f"{topic.replace('/', '__')}.json").read_bytes()


def captured(name: str) -> dict[str, Any]:
    return json.loads((PAYLOADS / "captured" / f"{name}.json").read_bytes())


def read(topic: str, content: Any):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_delivery(topic, body, hash_address=lambda address: f"hash of {address}")


def order_news(content: dict[str, Any]) -> OrderNews:
    news = read("orders/updated", content)
    assert isinstance(news, OrderNews)
    return news


SIX_LINES = captured("orders__create.web-six-lines-2023")


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_every_published_example_is_read_ignored_or_explained(path):
    topic = path.stem.replace("__", "/")
    try:
        news = read(topic, path.read_bytes())
    except Parked as reason:
        # The published privacy examples name the shop "{shop}.myshopify.com".
        assert "shop_domain is not a shop's domain" in str(reason)
    else:
        assert news is not None


@pytest.mark.parametrize("topic", ["create", "paid", "updated", "cancelled", "fulfilled", "partially_fulfilled"])
def test_reads_the_published_order(topic):
    news = read(f"orders/{topic}", published(f"orders/{topic}"))
    snapshot = news.facts.snapshot
    assert (news.order_id, news.shop_id) == (820982911946154500, 548380009)
    assert (snapshot.name, snapshot.currency, snapshot.financial_status, snapshot.test) == (
        "#9999",
        "USD",
        "voided",
        True,
    )
    assert [line.price_micro for line in snapshot.lines] == [
        89_990_000,
        19_990_000,
        24_990_000,
        159_990_000,
        119_990_000,
    ]
    assert snapshot.total_outstanding_micro == 414_950_000
    assert snapshot.created_at == datetime(2022, 1, 1, tzinfo=UTC)
    assert snapshot.shipping_lines[0].price_micro == 10_000_000
    assert news.facts.cancelled_at == datetime(2022, 1, 1, tzinfo=UTC) and not news.facts.ever_paid


def test_reads_a_captured_order_with_tax_and_a_customer():
    news = order_news(captured("orders__rest.pln-tax-fulfilled-2024"))
    snapshot = news.facts.snapshot
    assert [(line.quantity, line.price_micro, line.tax_micro) for line in snapshot.lines] == [
        (2, *(micro_of("orders__rest.pln-tax-fulfilled-2024", 0))),
        (3, *(micro_of("orders__rest.pln-tax-fulfilled-2024", 1))),
    ]
    assert snapshot.fulfilled_at == datetime(2024, 10, 8, 12, 7, 59, tzinfo=UTC)
    assert (news.facts.customer_id, snapshot.customer_verified, snapshot.address_hash) == (6670178025000, True, None)
    assert news.facts.paid_at == snapshot.updated_at


def micro_of(name: str, place: int) -> tuple[int, int]:
    """(price, tax) of a line in micros, by way of Decimal."""
    from decimal import Decimal

    line = captured(name)["line_items"][place]
    amounts = (line["price"], sum((Decimal(tax["price"]) for tax in line["tax_lines"]), Decimal(0)))
    return tuple(int(Decimal(amount) * 1_000_000) for amount in amounts)  # type: ignore[return-value]


def test_amounts_are_the_shops_currency():
    """Shop AUD, buyer USD: the buyer's amounts are in the same body and must not be taken."""
    news = order_news(captured("orders__create.multicurrency-usd-presentment-2020"))
    line = captured("orders__create.multicurrency-usd-presentment-2020")["line_items"][0]["price_set"]
    assert news.facts.snapshot.currency == line["shop_money"]["currency_code"] == "AUD"
    assert line["presentment_money"]["amount"] != line["shop_money"]["amount"]
    assert news.facts.snapshot.lines[0].price_micro == int(line["shop_money"]["amount"].replace(".", "")) * 10_000


def test_a_guests_address_is_hashed():
    body = {**SIX_LINES, "customer": None, "email": "Guest@example.com"}
    facts = order_news(body).facts
    assert (facts.customer_id, facts.address_hash) == (None, "hash of Guest@example.com")
    assert "example.com" not in json.dumps(facts.to_json()).replace("hash of Guest@example.com", "")
    assert read_delivery("orders/paid", json.dumps(body).encode()).facts.address_hash is None


def test_the_facts_survive_being_stored():
    for path in sorted((PAYLOADS / "captured").glob("orders__*.json")):
        facts = order_news(json.loads(path.read_bytes())).facts
        assert OrderFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_one_moment_with_two_offsets_is_one_snapshot():
    shifted = {**SIX_LINES, "created_at": "2023-11-27T20:24:07+00:00"}
    assert SIX_LINES["created_at"] == "2023-11-27T15:24:07-05:00"
    assert order_news(shifted).facts == order_news(SIX_LINES).facts


def test_gift_cards_tips_and_removed_shipping():
    lines = [{**SIX_LINES["line_items"][0], "id": 1, "gift_card": True},
             {**SIX_LINES["line_items"][0], "id": 2, "tip": {"payment_gateway": "x"}}]  # fmt: skip
    shipping = [{"title": "gone", "is_removed": True}, {"title": "Post", "price": "4.90", "is_removed": False}]
    snapshot = order_news({**SIX_LINES, "line_items": lines, "shipping_lines": shipping}).facts.snapshot
    assert [line.kind for line in snapshot.lines] == ["gift_card", "tip"]
    assert [line.price_micro for line in snapshot.shipping_lines] == [4_900_000]


def test_a_code_that_took_nothing_off_was_used_all_the_same():
    facts = order_news(captured("orders__cancelled.free-shipping-code-refunded-2024")).facts
    assert facts.snapshot.codes == facts.codes == (("FREESHIP2024", 0),)


def test_a_discount_made_by_hand_took_nothing_off_by_its_code():
    assert order_news(captured("orders__create.guest-percentage-2025")).facts.codes == (("0124D", 0),)


def coded(**changes: Any) -> dict[str, Any]:
    """Two codes and an automatic discount: one code on lines, in other letters, and one on shipping."""
    amount = {"shop_money": {"amount": "3.25"}, "presentment_money": {"amount": "4.00"}}
    line = {
        **SIX_LINES["line_items"][0],
        "discount_allocations": [
            {"amount": "4.00", "amount_set": amount, "discount_application_index": 1},
            {"amount": "1.00", "discount_application_index": 0},
            {"amount": "2.00", "discount_application_index": 9},
        ],
    }
    removed = {"title": "Was", "price": "9.00", "is_removed": True, "discount_allocations": [share("9.00", 2)]}
    return {
        **SIX_LINES,
        "discount_codes": [{"code": "spring10", "amount": "7.25", "type": "fixed_amount"}, {"code": "K7QX"}],
        "discount_applications": [
            {"type": "automatic", "title": "Sale"},
            {"type": "discount_code", "code": "Spring10"},
            {"type": "discount_code", "code": "K7QX"},
        ],
        "line_items": [line, {**line, "discount_allocations": [share("4.00", 1)]}],
        "shipping_lines": [{"title": "Post", "price": "5.00", "discount_allocations": [share("5.00", 2)]}, removed],
        **changes,
    }


def share(amount: str, place: int) -> dict[str, Any]:
    return {"amount": amount, "discount_application_index": place}


def test_tells_what_each_code_took_off_lines_and_shipping():
    facts = order_news(coded()).facts
    assert facts.codes == (("K7QX", 5_000_000), ("SPRING10", 7_250_000))
    assert OrderFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_a_body_without_applications_still_names_its_codes():
    trimmed = {name: value for name, value in coded().items() if name != "discount_applications"}
    assert order_news(trimmed).facts.codes == (("K7QX", 0), ("SPRING10", 0))


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("discount_codes", {"code": "A"}, "discount_codes is not a list"),
        ("discount_codes", [{"code": 7}], "discount_codes.0.code is not text"),
        ("discount_applications", [{"code": "A"}], "discount_applications.0.type is missing"),
        ("discount_applications", [{"type": "discount_code"}], "discount_applications.0.code is missing"),
    ],
)
def test_a_misshapen_code_is_parked(field, value, problem):
    with pytest.raises(Parked, match=problem):
        order_news(coded(**{field: value}))


def test_cancelled_and_failed_fulfilments_are_none():
    made = [{"created_at": f"2026-11-20T0{hour}:00:00Z", "status": status}
            for hour, status in ((1, "success"), (2, "cancelled"), (3, "failure"), (4, "error"))]  # fmt: skip
    assert order_news({**SIX_LINES, "fulfillments": made}).facts.snapshot.fulfilled_at.hour == 1


def bag(amount: str) -> dict[str, Any]:
    return {
        "shop_money": {"amount": amount, "currency_code": "EUR"},
        "presentment_money": {"amount": "999", "currency_code": "USD"},
    }


def test_reads_a_refund_on_its_own():
    news = read("refunds/create", published("refunds/create"))
    (refund,) = news.facts.refunds
    assert (news.order_id, refund.refund_id, news.facts.snapshot) == (820982911946154500, 890088186047892400, None)
    assert (487817672276298560, 1) in refund.units and len(refund.units) == 5


@pytest.mark.parametrize(
    ("adjustments", "shipping", "expected"),
    [
        ([], [], (0, 0, 0)),
        ([("refund_discrepancy", "-2.50", "0.00")], [], (-2_500_000, 0, 0)),
        ([("refund_discrepancy", "89.64", "0.00"), ("refund_discrepancy", "-9.64", "0")], [], (80_000_000, 0, 0)),
        ([("shipping_refund", "-5.00", "-0.95")], [], (0, 5_000_000, 950_000)),
        ([("shipping_refund", "-5.00", "-0.95")], [("5.00", None)], (0, 5_000_000, 950_000)),
        (
            [("shipping_refund", "-5.00", "-0.95"), ("refund_discrepancy", "-1", "0")],
            [("5.00", "0.95")],
            (-1_000_000, 5_000_000, 950_000),
        ),
        ([], [("2.00", "0.38")], (0, 2_000_000, 380_000)),
    ],
)
def test_money_of_a_refund_that_is_tied_to_no_line(adjustments, shipping, expected):
    content = {
        **json.loads(published("refunds/create")),
        "order_adjustments": [
            {"kind": kind, "amount_set": bag(amount), "tax_amount_set": bag(tax)} for kind, amount, tax in adjustments
        ],
        "refund_shipping_lines": [
            {"subtotal_amount_set": bag(amount), **({"tax_amount_set": bag(tax)} if tax else {})}
            for amount, tax in shipping
        ],
    }
    (refund,) = read("refunds/create", content).facts.refunds
    assert (refund.adjustment_micro, refund.shipping_micro, refund.shipping_tax_micro) == expected


def test_published_refunds_of_shipping():
    """REST's own examples: an adjustment of -5.00 with a shipping line of 5.00 is 5.00 once."""
    examples = json.loads(gzip.decompress((DATA / "rest-refund-examples.json.gz").read_bytes()))
    refunds = [e["body"]["refund"] for e in examples if "refund" in e["body"]]
    found = []
    for refund in refunds:
        if refund.get("id") and refund.get("order_id") and refund.get("created_at"):
            found.append(read("refunds/create", refund).facts.refunds[0].shipping_micro)
    assert 5_000_000 in found and max(found) == 5_000_000


def test_every_published_rest_order_is_read():
    examples = json.loads(gzip.decompress((DATA / "rest-order-examples.json.gz").read_bytes()))
    orders = [order for e in examples for order in [e["body"].get("order"), *e["body"].get("orders", [])] if order]
    whole = [order for order in orders if {"line_items", "refunds", "currency"} <= order.keys()]
    assert len(whole) >= 20
    for order in whole:
        assert order_news(order).facts.order_id == order["id"]


def test_ids_come_as_numbers_text_or_gids():
    for given in (450789469, "450789469", "gid://shopify/Order/450789469"):
        assert order_news({**SIX_LINES, "id": given}).order_id == 450789469


def test_an_amount_written_as_a_number_is_read_exactly():
    lines = [{**SIX_LINES["line_items"][0], "price_set": {"shop_money": {"amount": 0.1}}}]
    assert order_news({**SIX_LINES, "line_items": lines}).facts.snapshot.lines[0].price_micro == 100_000
    body = json.dumps({**SIX_LINES, "line_items": lines}).replace('"amount": 0.1', '"amount": 9007199254.740993')
    assert read("orders/paid", body.encode()).facts.snapshot.lines[0].price_micro == 9007199254_740993


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("id", None, "id is missing"),
        ("id", 1.5, "id is not an id"),
        ("id", 2**63, "id is not an id"),
        ("updated_at", None, "updated_at is missing"),
        ("updated_at", "yesterday", "updated_at is not a date and time"),
        ("updated_at", "2026-11-20T10:00:00", "updated_at names no offset"),
        ("currency", "euro", "currency is not a currency code"),
        ("line_items", None, "line_items is missing"),
        ("line_items", {}, "line_items is not a list"),
        ("line_items", [7], "line_items.0 is not an object"),
        ("refunds", None, "refunds is missing"),
        ("test", "no", "test is not true or false"),
        ("taxes_included", None, "taxes_included is not true or false"),
        ("total_outstanding", "much", "total_outstanding is not an amount of money"),
        ("name", "a\x00b", "name holds a NUL character"),
        ("customer", "Bob", "customer is not an object"),
    ],
)
def test_a_misshapen_order_is_parked_with_its_field(field, value, problem):
    with pytest.raises(Parked, match=problem) as reason:
        order_news({**SIX_LINES, field: value})
    assert str(reason.value).startswith("This orders/updated delivery cannot be read: ")


@pytest.mark.parametrize(
    "field", ["financial_status", "cancelled_at", "refunds", "line_items", "test", "taxes_included"]
)
def test_a_field_that_decides_points_is_never_guessed(field):
    with pytest.raises(Parked, match=f"{field} is missing"):
        order_news({name: value for name, value in SIX_LINES.items() if name != field})


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("quantity", -1, "line_items.0.quantity is not a whole number"),
        ("quantity", "2", "line_items.0.quantity is not a whole number"),
        ("price_set", {"shop_money": {}}, "line_items.0.price_set.shop_money.amount is missing"),
        ("price_set", {"shop_money": {"amount": "-1.00"}}, "line_items.0.price_set is negative"),
        ("price_set", {"shop_money": {"amount": "1e400"}}, "line_items.0.price_set is not an amount"),
        ("discount_allocations", None, "line_items.0.discount_allocations is missing"),
        ("discount_allocations", [{"amount": "x"}], "line_items.0.discount_allocations.0.amount is not an amount"),
        ("tax_lines", {"a": 1}, "line_items.0.tax_lines is not a list"),
    ],
)
def test_a_misshapen_line_is_parked_with_its_place(field, value, problem):
    lines = [{**SIX_LINES["line_items"][0], field: value}]
    with pytest.raises(Parked, match=problem):
        order_news({**SIX_LINES, "line_items": lines})


def test_the_other_topics():
    assert read("orders/edited", published("orders/edited")) == OrderToFetch(820982911946154500)
    assert read("customers/delete", published("customers/delete")) == CustomerDeleted(706405506930370000)
    assert read("customers/merge", published("customers/merge")) == CustomersMerged(1, 2, completed=False)
    merged = {**json.loads(published("customers/merge")), "status": "completed"}
    assert read("customers/merge", merged) == CustomersMerged(1, 2, completed=True)
    assert read("app/scopes_update", published("app/scopes_update")) == ScopesUpdated(
        548380009, ("read_products", "write_products"), datetime(2024, 6, 25, tzinfo=UTC)
    )
    assert read("app/uninstalled", published("app/uninstalled")) == AppUninstalled(548380009, None)
    assert read("app/uninstalled", captured("app__uninstalled.captured-old")) == AppUninstalled(
        690933842, "example-shop.myshopify.com"
    )
    assert read("shop/update", published("shop/update")) == ShopUpdated(548380009, None, "Super Toys", "USD", None)
    customer = read("customers/create", published("customers/create"))
    assert customer == CustomerNews(
        706405506930370000,
        "hash of bob@biller.com",
        True,
        datetime(2022, 1, 1, tzinfo=UTC),
        datetime(2022, 1, 1, tzinfo=UTC),
    )
    assert read("carts/update", b"anything") == Ignored("carts/update")


SHOP = {"shop_id": 954889, "shop_domain": "acme.myshopify.com"}
PERSON = {"id": 191167, "email": "john@example.com", "phone": "555-625-1199"}
REDACTION = {**SHOP, "customer": PERSON, "orders_to_redact": [299938, 280263]}
REQUEST = {**SHOP, "customer": PERSON, "orders_requested": [299938], "data_request": {"id": 9999}}


def test_the_privacy_topics():
    subject = Subject(191167, "hash of john@example.com")
    assert read("customers/redact", REDACTION) == CustomerRedacted(
        954889, "acme.myshopify.com", subject, (299938, 280263)
    )
    assert read("customers/data_request", REQUEST) == DataRequested(
        954889, "acme.myshopify.com", subject, (299938,), 9999
    )
    assert read("shop/redact", SHOP) == ShopRedacted(954889, "acme.myshopify.com")
    by_address = {**REDACTION, "customer": {"id": None, "email": "a@b.c"}}
    assert read("customers/redact", by_address).subject == Subject(None, "hash of a@b.c")


def bodies() -> dict[str, bytes]:
    """One whole body for each topic we read."""
    orders = ("orders/create", "orders/edited", "refunds/create")
    others = ("customers/update", "customers/delete", "customers/merge", "app/uninstalled", "app/scopes_update")
    return {topic: published(topic) for topic in orders + others} | {
        "customers/redact": json.dumps(REDACTION).encode(),
        "customers/data_request": json.dumps(REQUEST).encode(),
        "shop/redact": json.dumps(SHOP).encode(),
    }


# app/uninstalled and shop/update are one shape; a customer's deletion says nothing but its id.
SAME_SHAPE = {("customers/update", "customers/delete")}


@pytest.mark.parametrize("topic", sorted(bodies()))
def test_a_body_under_another_topic_is_parked(topic):
    for other, body in bodies().items():
        if other != topic and (other, topic) not in SAME_SHAPE:
            with pytest.raises(Parked):
                read(topic, body)


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        ("shop/redact", {**SHOP, "customer": None}),
        ("shop/redact", {**SHOP, "orders_to_redact": []}),
        ("customers/redact", {**REDACTION, "data_request": {"id": 1}}),
        ("customers/redact", {name: value for name, value in REDACTION.items() if name != "orders_to_redact"}),
        ("customers/redact", {**REDACTION, "customer": None}),
        ("customers/redact", {**REDACTION, "customer": {}}),
        ("customers/redact", {**REDACTION, "orders_to_redact": [1, "x"]}),
        ("customers/redact", {**REDACTION, "shop_domain": "acme.myshopify.com.evil.com"}),
        ("customers/data_request", {**REQUEST, "data_request": None}),
        ("customers/merge", {**json.loads(published("customers/merge")), "admin_graphql_api_customer_deleted_id": 1}),
    ],
)
def test_a_privacy_topic_has_exactly_its_own_fields(topic, content):
    with pytest.raises(Parked):
        read(topic, content)

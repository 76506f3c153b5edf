"""G26, the parsers' part: whatever a signed body holds, reading it gives news or a reason, and does so quickly.

Every field of real bodies is replaced by every hostile value, one at a time; then whole bodies that are no JSON, or
JSON meant to hurt a parser. What the receiver answers and where it is parked is tested over HTTP.
"""

import json
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.errors import Parked
from app.program.facts import OrderFacts
from app.shopify.payloads import TOPICS, OrderNews, read_delivery

PAYLOADS = Path(__file__).parents[1] / "data/shopify/payloads"
SHOP = {"shop_id": 1, "shop_domain": "x.myshopify.com"}
PERSON = {"id": 7, "email": "a@b.c", "phone": None}

# As JSON text, since most of them no Python value stands for.
HOSTILE = [
    "null", "true", "false", "0", "-0", "-1", "1", "1.5", "-0.0", "1e400", "-1e400", "1e-400", "1E+5",
    "9007199254740993",
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "9" * 400, "0.1", "1" + "0" * 5_000, "NaN",
    "Infinity", "-Infinity",
    '""', '" "', '"0"', '"-1"', '"1"', '"1.005"', '"1e5"', '"1e999999"', '"NaN"', '"Infinity"', '"\\u0000"',
    '"a\\u0000b"', '"\\ud800"',
    '"\\udfff\\ud800"', '"\\u202e"', '"' + "x" * 70_000 + '"', '"' + "9" * 5_000 + '"', '"0.' + "1" * 5_000 + '"',
    '"١٢"', '"+1"', '"1_000"', '"0x10"',
    '"2026-11-21T20:12:00Z"', '"2026-11-21T20:12:60Z"', '"2026-02-30T00:00:00Z"', '"0001-01-01T00:00:00+14:00"',
    '"9999-12-31T23:59:59-14:00"',
    '"2026-11-21"', '"2026-11-21T20:12:00"', '"20261121T201200Z"', '"2026-W47-6T20:12:00Z"',
    '"2026-11-21T20:12:00+99:99"', '"gid://shopify/Order/1"',
    '"gid://shopify/Order/0"', '"gid://shopify/Order/9223372036854775808"', "[]", "[[]]", "[null]", "[0]", '["x"]',
    "[{}]", "{}", '{"id":1}',
    '{"amount":"1"}', '{"shop_money":null}', '{"shop_money":{"amount":null}}', '{"shop_money":{"amount":1.1}}',
    '{"shop_money":[]}', '{"a":1,"a":2}',
    "[" * 60 + "]" * 60, '{"a":' * 60 + "1" + "}" * 60,
]  # fmt: skip
MARK = "\u0001here\u0001"


def bodies() -> dict[str, Any]:
    """One real body for each topic."""
    found = {topic: json.loads((PAYLOADS / f"{topic.replace('/', '__')}.json").read_text()) for topic in TOPICS}
    for topic in ("orders/create", "orders/paid", "orders/updated", "orders/fulfilled", "orders/partially_fulfilled"):
        name = {"orders/fulfilled": "orders__fulfilled.gift-card-line-2024"}.get(
            topic, "orders__create.web-six-lines-2023"
        )
        found[topic] = json.loads((PAYLOADS / "captured" / f"{name}.json").read_text())
        found[topic]["line_items"] = found[topic]["line_items"][:1]
    found["orders/cancelled"] = json.loads(
        (PAYLOADS / "captured/orders__cancelled.free-shipping-code-refunded-2024.json").read_text()
    )
    found["refunds/create"]["refund_line_items"] = found["refunds/create"]["refund_line_items"][:1]
    found["customers/redact"] = {**SHOP, "customer": PERSON, "orders_to_redact": [1]}
    found["customers/data_request"] = {**SHOP, "customer": PERSON, "orders_requested": [1], "data_request": {"id": 1}}
    found["shop/redact"] = SHOP
    return found


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Every place in a JSON value, the value itself included."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inside:
        yield from places(part, (*path, name))


def with_mark(value: Any, path: tuple) -> Any:
    if not path:
        return MARK
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_mark(value[path[0]], path[1:])
    return copy


def read(topic: str, body: bytes) -> str | None:
    """None when the body was read or parked as it should be, else what went wrong."""
    started = time.perf_counter()
    try:
        news = read_delivery(topic, body, hash_address=lambda address: f"{len(address):x}")
        if isinstance(news, OrderNews):
            text = json.dumps(news.facts.to_json())  # can be stored: no NUL, no surrogate, no float
            assert OrderFacts.from_json(json.loads(text)) == news.facts
            assert "\\u0000" not in text and "\\ud8" not in text and text.isascii()
    except Parked as reason:
        if not str(reason).startswith(f"This {topic} delivery cannot be read: "):
            return f"says {reason}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - started
    return f"took {seconds:.1f} s" if seconds > 5 else None


def test_every_field_with_every_hostile_value(gauntlet):
    random = gauntlet.random("G26")
    wrong, tried = [], 0
    whole = bodies()
    for topic in sorted(whole):
        everywhere = list(places(whole[topic]))
        # Every place gets a few of the values, the ones that are read get them all: about 5,000 in sum.
        for path in everywhere:
            marked = json.dumps(with_mark(whole[topic], path))
            for hostile in random.sample(HOSTILE, 4) if len(everywhere) > 40 else HOSTILE:
                tried += 1
                if problem := read(topic, marked.replace(json.dumps(MARK), hostile).encode("utf-8", "surrogatepass")):
                    wrong.append((topic, path, hostile[:40], problem))
    gauntlet.record("G26", n=tried, failures=len(wrong))
    assert tried >= 5_000
    assert not wrong


READ_OF_AN_ORDER = ["id", "name", "created_at", "updated_at", "cancelled_at", "test", "currency", "taxes_included",
                    "financial_status",
                    "fulfillment_status", "total_outstanding", "source_name", "customer", "email", "order_status_url",
                    "line_items",
                    "shipping_lines", "refunds", "fulfillments"]  # fmt: skip
READ_OF_A_LINE = ["id", "title", "quantity", "current_quantity", "price_set", "price", "discount_allocations",
                  "tax_lines", "product_id",
                  "variant_id", "vendor", "gift_card", "tip"]  # fmt: skip


def test_every_field_that_is_read_with_every_hostile_value(gauntlet):
    wrong, tried = [], 0
    order = bodies()["orders/paid"]
    paths = [(name,) for name in READ_OF_AN_ORDER] + [("line_items", 0, name) for name in READ_OF_A_LINE]
    order["line_items"][0].setdefault("current_quantity", 1)
    order["line_items"][0].setdefault("tip", None)
    for path in paths:
        marked = json.dumps(with_mark(order, path))
        for hostile in HOSTILE:
            tried += 1
            if problem := read(
                "orders/paid", marked.replace(json.dumps(MARK), hostile).encode("utf-8", "surrogatepass")
            ):
                wrong.append((path, hostile[:40], problem))
    gauntlet.record("G26", n=tried, failures=len(wrong))
    assert not wrong


def whole_bodies() -> list[bytes]:
    order = json.dumps(bodies()["orders/paid"]).encode()
    return [
        b"", b" ", b"\x00", b"{", b"}", b"[", b"{}", b"[]", b"null", b"true", b"7", b'"x"', b"NaN", b"nul",
        b"\xff\xfe\x00", b"\xef\xbb\xbf{}",
        order[:-1], order + b"}", order + order, b"[" + order + b"]", order.decode().encode("utf-16"),
        b"\xef\xbb\xbf" + order,
        b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"[" * 1_000_000,
        b'{"id":' + b"9" * 100_000 + b"}",
        b'{"id":1e' + b"9" * 100_000 + b"}", b'{"id":0.' + b"1" * 100_000 + b"}", b'{"id":' + b"-" * 100_000 + b"}",
        order.replace(b'"test": ', b'"a": [' + b"{}," * 200_000 + b'{}], "test": '), order.replace(b'"test": ',
        b'"test": true, "test": '),
        b'{"a":"' + b"x" * 1_000_000 + b'"}', b'{"' + b"x" * 1_000_000 + b'":1}',
        b"{" + b'"a":1,' * 100_000 + b'"a":1}',
        b'{"line_items":[' + b"null," * 100_000 + b"null]}", b'{"a":"\\ud800"}', b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\u0000"}', b'{"__proto__":{"test":false}}',
        b"code=1&shop=x.myshopify.com", b"<?xml version='1.0'?><order/>", b"\x1f\x8b\x08\x00", b"%PDF-1.7",
        b"id: 1\ntest: true\n",
    ]  # fmt: skip


def test_bodies_that_are_no_order_at_all(gauntlet):
    wrong, tried = [], 0
    tracemalloc.start()
    for body in whole_bodies():
        for topic in ("orders/paid", "refunds/create", "customers/update", "shop/redact", "app/scopes_update"):
            tried += 1
            if problem := read(topic, body):
                wrong.append((topic, body[:40], problem))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    gauntlet.record("G26", n=tried, failures=len(wrong))
    assert not wrong
    assert peak < 100_000_000

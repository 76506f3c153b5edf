"""Real webhook bodies with one thing wrong: any field of another type, numbers no program wants,
text no database takes."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from hypothesis import strategies as st

from ..conftest import DOMAIN, SHOP_ID
from ..support import PAYLOADS, order_body, refund_body

MARK = "\u0001here\u0001"
Path = tuple[str | int, ...]

# What stands in a field instead of its value, as JSON text (some of it is none).
VALUES: tuple[bytes, ...] = (
    b"null", b"true", b"false", b"0", b"-0", b"-1", b"1", b"1.5", b"-0.0", b"1e400", b"-1e400", b"1e-400", b"1E5",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616", b"1" + b"0" * 40,
    b"9" * 5_000, b"9" * 100_000, b"0." + b"1" * 5_000, b"1e999999999", b"NaN", b"Infinity", b"-Infinity", b"undefined",
    b'""', b'" "', b'"0"', b'"-1"', b'"1.5"', b'"1e5"', b'"1e400"', b'"NaN"', b'"null"', b'"9999999999999999999.99"',
    b'"12.3456789"', b'"' + b"9" * 10_000 + b'"', b'"0x10"', b'"1,000.00"', b'"\xd9\xa1\xd9\xa2"', b'"\\u0000"',
    b'"a\\u0000b"', b'"\\ud800"', b'"\\udfff\\ud800"', b'"\\ud83d\\ude00"', b'"\xed\xa0\x80"', b'"\xff\xfe"',
    b'"\\u202e"',
    b'"' + b"a" * 1_000_000 + b'"', b'"' + "\U0001f600".encode() * 1_000 + b'"', b'"\\"', b'"' + b"\\n" * 1_000 + b'"',
    b'"2026-11-21T12:00:00Z"', b'"2026-11-21"', b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31T23:59:59-14:00"',
    b'"2026-02-30T00:00:00Z"', b'"2026-11-21T12:00:60Z"', b'"2026-11-21T24:00:00Z"', b'"-2026-11-21T12:00:00Z"',
    b'"20261121T120000Z"', b'"2026-W47-6T12:00:00Z"', b'"gid://shopify/Order/1"', b'"gid://shopify/Order/0"',
    b'"gid://shopify/Customer/99999999999999999999"', b"[]", b"{}", b"[null]", b"[[]]", b"[{}]", b'[""]', b"[1,2]",
    b'{"id":1}', b'{"amount":"1.00"}', b'{"shop_money":null}', b'{"shop_money":{"amount":{}}}', b'{"shop_money":[]}',
    b'{"shop_money":{"amount":"-0.01","currency_code":"EUR"}}', b'{"shop_money":{"amount":0.1}}',
    b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 1_000 + b"1" + b"}" * 1_000, b"[" * 1_000 + b"]" * 1_000, b"[" * 50_000,
    b'{"a":1,"a":2}', b'{"":""}', b'{"__proto__":{}}', b"/* */ 1", b"'x'", b"1 2", b"\x00", b"", b"sealed:x",
    b'"sealed:x"',
    b'"https://saltmarsh.myshopify.com/91740864812/orders/x/authenticate?key=1"', b'"XXX"', b'"JPY"', b'"paid"',
)  # fmt: skip

# What is done to a whole body.
WRECKS = (
    lambda body: body[: len(body) // 2], lambda body: b"\xef\xbb\xbf" + body, lambda body: body + b"}",
    lambda body: b"[" + body + b"]",
    lambda body: body.decode().encode("utf-16"), lambda body: b"", lambda body: b"null", lambda body: b"[]",
    lambda body: b"{}",
    lambda body: b'"' + body[:50].replace(b'"', b"") + b'"', lambda body: b"\x00" * 50, lambda body: b"sealed:" + body,
    lambda body: body.replace(b":", b"=", 1), lambda body: b"\r\n" + body + b"\r\n",
    lambda body: body[:-1] + b',"id":2}',
    lambda body: body[:-1] + b',"line_items":null}', lambda body: body.replace(b"{", b'{"id":1,"id":"x",', 1),
    lambda body: b"{" + b'"a":1,' * 20_000 + b'"b":1}', lambda body: bytes(range(256)),
    lambda body: b"%PDF-1.7\n" + body,
)  # fmt: skip


@cache
def subjects() -> tuple[tuple[str, dict[str, Any]], ...]:
    """(topic, body) of everything we read, made this shop's own, so that it is worked and not merely asked about."""
    ours = {"shop_id": SHOP_ID, "shop_domain": DOMAIN}
    url = f"https://{DOMAIN}/{SHOP_ID}/orders/abc/authenticate?key=1"
    found: list[tuple[str, dict[str, Any]]] = [
        ("orders/paid", order_body(lines=[("28.00", 3), ("5.00", 1)], refunds=[refund_body(9, units={1: 1})])),
        ("refunds/create", refund_body(8, units={1: 1}, adjustments=["-1.00"])),
    ]
    for path in sorted([*PAYLOADS.glob("*.json"), *PAYLOADS.glob("captured/*.json")]):
        topic = path.name.split(".")[0].replace("__", "/")
        if not topic.startswith(("orders/", "refunds/", "customers/", "app/", "shop/")):
            continue
        body = json.loads(path.read_bytes())
        topic = "orders/updated" if topic == "orders/rest" else topic
        if "line_items" in body:
            body["order_status_url"] = url
        body.update({name: value for name, value in ours.items() if name in body})
        if "myshopify_domain" in body:
            body.update(id=SHOP_ID, myshopify_domain=DOMAIN)
        found.append((topic, body))
    # An uninstall ends the shop, and an erasure everything: they have tests of their own.
    return tuple(item for item in found if item[0] not in ("app/uninstalled", "shop/redact"))


@cache
def paths(number: int) -> tuple[Path, ...]:
    """Every place in a body, the whole of it left out."""
    return tuple(_paths(subjects()[number][1], ()))


def _paths(value: Any, at: Path) -> list[Path]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at] * bool(at) + [path for key, part in items for path in _paths(part, (*at, key))]


def with_value(body: Any, path: Path, value: bytes) -> bytes:
    """The body's JSON with ``value``, as it stands, in that place."""
    return json.dumps(_replaced(body, path)).encode().replace(json.dumps(MARK).encode(), value)


def without(body: Any, path: Path) -> bytes:
    """The body's JSON without that name (or item)."""
    return json.dumps(_replaced(body, path, drop=True)).encode()


def _replaced(value: Any, path: Path, *, drop: bool = False) -> Any:
    if not path:
        return MARK
    key, rest = path[0], path[1:]
    copied = dict(value) if isinstance(value, dict) else list(value)
    if drop and not rest:
        del copied[key]  # type: ignore[arg-type]
    else:
        copied[key] = _replaced(value[key], rest, drop=drop)  # type: ignore[index]
    return copied


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[str, bytes]:
    """(topic, body) with something wrong, or nothing but the topic."""
    number = draw(st.integers(0, len(subjects()) - 1))
    topic, body = subjects()[number]
    place = draw(st.sampled_from(paths(number)))
    match draw(st.integers(0, 9)):
        case 0:
            return topic, without(body, place)
        case 1:
            return topic, draw(st.sampled_from(WRECKS))(json.dumps(body).encode())
        case 2:
            return draw(st.sampled_from([topic for topic, _ in subjects()])), with_value(body, place, b"null")
        case 3:
            value = draw(st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                max_leaves=6,
            ))  # fmt: skip
            return topic, with_value(body, place, json.dumps(value).encode())
        case _:
            return topic, with_value(body, place, draw(st.sampled_from(VALUES)))

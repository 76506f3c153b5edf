"""Read Shopify's JSON without trusting its shape.

Every reader either returns a value of the promised type or raises Misshapen, which names the field and says what is
wrong with it; nothing a body can hold raises anything else. Amounts become whole micros and never a float.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import orjson

from app.program.money import micro_per_minor, parse_micro

T = TypeVar("T")

MAX_TEXT = 255  # characters kept of a title or a name
_ID_TEXT = re.compile(r"(?:gid://shopify/[A-Za-z]+/)?([1-9][0-9]{0,18})", re.ASCII)


class Misshapen(Exception):
    """A body is not what its topic promises. ``str()`` is a sentence without its full stop."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}")
        self.field = field
        self.problem = problem

    def inside(self, prefix: str) -> Misshapen:
        return Misshapen(f"{prefix}.{self.field}" if self.field else prefix, self.problem)


class InexactNumber(Exception):
    """An amount was written as a JSON number with a fraction: the text must be read again, in decimals."""


def read_object(body: bytes, read: Callable[[dict[str, Any]], T]) -> T:
    """Parse a body and read it.

    orjson is five times as fast as the standard library and refuses NaN, lone surrogates and deep nesting, but makes
    floats of fractions. Shopify writes amounts as strings nearly always, so the exact and slow parser is kept for the
    body that does not.
    """
    try:
        return read(an_object(orjson.loads(body)))
    except orjson.JSONDecodeError:
        raise Misshapen("the body", "is not JSON") from None
    except InexactNumber:
        pass
    try:
        return read(an_object(json.loads(body, parse_float=Decimal)))
    except (ValueError, RecursionError, ArithmeticError):
        raise Misshapen("the body", "holds numbers or nesting that cannot be read") from None


def an_object(value: object) -> dict[str, Any]:
    if type(value) is not dict:
        raise Misshapen("the body", "is not an object")
    return value


def each(source: dict[str, Any], name: str, read: Callable[[dict[str, Any]], T], *, optional: bool = False) -> list[T]:
    """Read every object of a list; a missing list is an error unless optional."""
    items = source.get(name)
    if type(items) is not list:
        if items is None and optional:
            return []
        raise Misshapen(name, "is missing" if items is None else "is not a list")
    values: list[T] = []
    try:
        for item in items:
            if type(item) is not dict:
                raise Misshapen("", "is not an object")
            values.append(read(item))
    except Misshapen as error:
        raise error.inside(f"{name}.{len(values)}") from None
    return values


def part(source: dict[str, Any], name: str) -> dict[str, Any] | None:
    """An object inside, or None where there is null or nothing."""
    value = source.get(name)
    if value is None or type(value) is dict:
        return value
    raise Misshapen(name, "is not an object")


def required_part(source: dict[str, Any], name: str) -> dict[str, Any]:
    value = part(source, name)
    if value is None:
        raise Misshapen(name, "is missing")
    return value


def required(source: dict[str, Any], name: str) -> Any:
    """A value that may be null but must be there: its absence must not be taken for null."""
    try:
        return source[name]
    except KeyError:
        raise Misshapen(name, "is missing") from None


def number_id(source: dict[str, Any], name: str) -> int:
    """Shopify's id as a number: from a number, its digits, or a GID."""
    found = optional_id(source, name)
    if found is None:
        raise Misshapen(name, "is missing")
    return found


def optional_id(source: dict[str, Any], name: str) -> int | None:
    value = source.get(name)
    if value is None:
        return None
    if type(value) is int and 0 < value < 2**63:
        return value
    found = _ID_TEXT.fullmatch(value) if type(value) is str else None
    if found is None or int(found[1]) >= 2**63:
        raise Misshapen(name, "is not an id")
    return int(found[1])


def count(source: dict[str, Any], name: str) -> int:
    """A whole number of things, 0 or more."""
    found = optional_count(source, name)
    if found is None:
        raise Misshapen(name, "is missing")
    return found


def optional_count(source: dict[str, Any], name: str) -> int | None:
    value = source.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 10**9:
        raise Misshapen(name, "is not a whole number")
    return value


def flag(source: dict[str, Any], name: str) -> bool:
    value = required(source, name)
    if type(value) is not bool:
        raise Misshapen(name, "is not true or false")
    return value


def optional_flag(source: dict[str, Any], name: str) -> bool | None:
    return flag(source, name) if source.get(name) is not None else None


def text(source: dict[str, Any], name: str) -> str:
    found = optional_text(source, name)
    if found is None:
        raise Misshapen(name, "is missing")
    return found


def optional_text(source: dict[str, Any], name: str) -> str | None:
    """Text cut to what a page can show. NUL is refused: PostgreSQL cannot store it, and no shop can type it."""
    value = source.get(name)
    if value is None:
        return None
    if type(value) is not str:
        raise Misshapen(name, "is not text")
    if "\x00" in value:
        raise Misshapen(name, "holds a NUL character")
    return value if len(value) <= MAX_TEXT else value[:MAX_TEXT]


def moment(source: dict[str, Any], name: str) -> datetime:
    found = optional_moment(source, name)
    if found is None:
        raise Misshapen(name, "is missing")
    return found


def optional_moment(source: dict[str, Any], name: str) -> datetime | None:
    """``2024-01-12T02:42:45-05:00`` as an aware datetime in UTC."""
    value = source.get(name)
    if value is None:
        return None
    if type(value) is not str or not 19 <= len(value) <= 35 or value[10] != "T":
        raise Misshapen(name, "is not a date and time")
    try:
        found = datetime.fromisoformat(value.replace(":60", ":59", 1) if value[16:19] == ":60" else value)
        if found.tzinfo is None:
            raise Misshapen(name, "names no offset from UTC")
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Misshapen(name, "is not a date and time") from None


def shop_money(source: dict[str, Any], bag: str, plain: str | None = None) -> int:
    """A REST amount in micros of the shop's currency, 0 or more: from ``{bag}.shop_money``, else the plain field.

    Older bodies have the plain field only; both are in shop currency.
    """
    found = signed_shop_money(source, bag, plain)
    if found < 0:
        raise Misshapen(bag, "is negative")
    return found


def signed_shop_money(source: dict[str, Any], bag: str, plain: str | None = None) -> int:
    money = source.get(bag)
    if money is not None:
        try:
            return micro(money["shop_money"]["amount"], bag)
        except (KeyError, TypeError, IndexError):
            raise Misshapen(f"{bag}.shop_money.amount", "is missing") from None
    if plain is None or source.get(plain) is None:
        raise Misshapen(bag, "is missing")
    return micro(source[plain], plain)


def micro(amount: object, name: str) -> int:
    """An amount in micros. Raises InexactNumber for a float, so that it is never rounded."""
    if type(amount) is float:
        raise InexactNumber
    if type(amount) is not str and type(amount) is not int and type(amount) is not Decimal:
        raise Misshapen(name, "is not an amount of money")
    try:
        return parse_micro(amount)
    except (ValueError, ArithmeticError):
        raise Misshapen(name, "is not an amount of money") from None


def minor_amount(source: dict[str, Any], name: str) -> tuple[int, str]:
    """GraphQL's MoneyV2 as (minor units, currency)."""
    money = required_part(source, name)
    currency = text(money, "currencyCode")
    minor, rest = divmod(micro(text(money, "amount"), name), micro_per_minor(currency))
    if rest:
        raise Misshapen(name, f"is no whole number of {currency}'s smallest unit")
    return minor, currency


def next_cursor(connection: dict[str, Any]) -> str | None:
    """Where the next page of a connection begins; None after the last one."""
    info = required_part(connection, "pageInfo")
    if not flag(info, "hasNextPage"):
        return None
    cursor = info.get("endCursor")
    if type(cursor) is not str or not cursor:
        raise Misshapen("pageInfo.endCursor", "is missing")
    return cursor


def following_page(connection: dict[str, Any], cursor: str | None) -> str | None:
    """`next_cursor` of a list that is read to its end: it must go on, or it would be read for ever."""
    following = next_cursor(connection)
    if following is not None and following == cursor:
        raise Misshapen("pageInfo.endCursor", "does not go on")
    return following

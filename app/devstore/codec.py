"""Dataclasses to JSON and back, by their type hints: enough for the records here and no more."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def dumps(record: Any) -> str:
    """A record as compact JSON; moments as ISO 8601 in UTC."""
    return json.dumps(plain(record), separators=(",", ":"), ensure_ascii=False)


def loads(kind: type[T], text: str) -> T:
    """The record that ``dumps`` wrote. Fields added since take their defaults."""
    return _build(kind, json.loads(text))


def plain(value: Any) -> Any:
    """A record as dicts, lists and strings."""
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _build(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if dataclasses.is_dataclass(hint):
        hints = _hints(typing.cast(type, hint))
        return typing.cast(type, hint)(**{name: _build(hints[name], v) for name, v in value.items() if name in hints})
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _build(next(a for a in typing.get_args(hint) if a is not type(None)), value)
    if origin is list:
        item = typing.get_args(hint)[0]
        return [_build(item, v) for v in value]
    if hint is datetime:
        return datetime.fromisoformat(value)
    return value

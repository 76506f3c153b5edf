"""Connections: pages of 250 at most, cursors as Shopify makes them (base64 of {"last_id", "last_value"})."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from graphql import GraphQLError

from ..store import Store

T = TypeVar("T")
MOST = 250


@dataclass(frozen=True)
class Page:
    """What a connection was asked for, by the arguments all of them share."""

    first: int | None = None
    last: int | None = None
    after: str | None = None
    before: str | None = None
    reverse: bool = False

    @property
    def size(self) -> int:
        """How many are wanted. Raises when neither or both of first and last are given, or too many."""
        if self.first is None and self.last is None:
            raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
        if self.first is not None and self.last is not None:
            raise GraphQLError("providing both first and last is not supported", extensions={"code": "BAD_REQUEST"})
        name, size = ("first", self.first) if self.first is not None else ("last", self.last)
        assert size is not None
        if not 0 <= size <= MOST:
            raise GraphQLError(f"{name} must be between 0 and {MOST}", extensions={"code": "BAD_REQUEST"})
        return size


def pages(
    items: list[T], id_of: Callable[[T], int], page: Page, *, value_of: Callable[[T], Any] | None = None
) -> dict[str, Any]:
    """A page of a list that is in order already (an order's lines, a product's variants)."""
    size = page.size
    ordered = list(reversed(items)) if page.reverse else items
    ids = [id_of(item) for item in ordered]
    start = ids.index(_id(page.after, ids)) + 1 if page.after else 0
    end = ids.index(_id(page.before, ids)) if page.before else len(ordered)
    chosen = ordered[start:end]
    if page.first is not None:
        kept = chosen[:size]
        more_after, more_before = len(chosen) > size, start > 0
    else:
        kept = chosen[max(0, len(chosen) - size) :]
        more_after, more_before = end < len(ordered), len(chosen) > size
    cursors = [encode(id_of(item), value_of(item) if value_of else str(id_of(item))) for item in kept]
    return connection(kept, cursors, more_after, more_before)


def stored_page(
    store: Store,
    kind: type[T],
    shop_id: int,
    page: Page,
    *,
    order: str,
    keep: Callable[[T], bool],
    not_before: datetime | None = None,
) -> dict[str, Any]:
    """A page of stored records ordered by id, created_at or updated_at; only as much is read as the page needs.

    ``not_before`` is a lower bound the filter is known to have on the ordering column: reading starts there.
    """
    size, backwards = page.size, page.last is not None
    if (backwards and page.after) or (not backwards and page.before):
        raise GraphQLError("first with before, and last with after, are not in the dev store")
    cursor = page.before if backwards else page.after
    position = decode(cursor, order) if cursor else None
    down = page.reverse != backwards
    if position is None and not_before and order != "id" and not down:
        position = (not_before.astimezone(UTC).isoformat(), 0)
    found = (item for item in store.page(kind, shop_id, order=order, reverse=down, after=position) if keep(item))
    kept = list(itertools.islice(found, size + 1)) if size else []
    more, kept = len(kept) > size, kept[:size]
    if backwards:
        kept.reverse()
    cursors = [_stored_cursor(item, order) for item in kept]
    return connection(kept, cursors, bool(cursor) if backwards else more, more if backwards else bool(cursor))


def connection(items: list[Any], cursors: list[str], more_after: bool, more_before: bool) -> dict[str, Any]:
    return {
        "nodes": items,
        "edges": [{"cursor": cursor, "node": item} for cursor, item in zip(cursors, items, strict=True)],
        "pageInfo": {
            "hasNextPage": more_after,
            "hasPreviousPage": more_before,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def mapped(page: dict[str, Any], wrap: Callable[[Any], Any]) -> dict[str, Any]:
    """The same page with each item wrapped."""
    nodes: Iterator[Any] = map(wrap, page["nodes"])
    wrapped = list(nodes)
    edges = [{**edge, "node": item} for edge, item in zip(page["edges"], wrapped, strict=True)]
    return {**page, "nodes": wrapped, "edges": edges}


def encode(last_id: int, last_value: Any) -> str:
    return base64.b64encode(
        json.dumps({"last_id": last_id, "last_value": last_value}, separators=(",", ":")).encode()
    ).decode()


def decode(cursor: str, order: str) -> tuple[str, int]:
    """Where a stored page goes on: the ordering column's value and the id. Raises for a cursor of another place."""
    try:
        at = json.loads(base64.b64decode(cursor, validate=True))
        value = "" if order == "id" else datetime.fromisoformat(at["last_value"]).isoformat()
        return value, int(at["last_id"])
    except (ValueError, KeyError, TypeError) as wrong:
        raise _invalid(cursor) from wrong


def _stored_cursor(item: Any, order: str) -> str:
    value = str(item.id) if order == "id" else getattr(item, order).isoformat()
    return encode(item.id, value)


def _id(cursor: str, ids: Iterable[int]) -> int:
    try:
        id = int(json.loads(base64.b64decode(cursor, validate=True))["last_id"])
    except (ValueError, KeyError, TypeError) as wrong:
        raise _invalid(cursor) from wrong
    if id not in ids:
        raise _invalid(cursor)
    return id


def _invalid(cursor: str) -> GraphQLError:
    return GraphQLError(f"Invalid cursor for current pagination sort: {cursor!r}", extensions={"code": "BAD_REQUEST"})

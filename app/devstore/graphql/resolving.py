"""How a field finds its answer.

Every type of ours has a table: ``register("Order", {"name": lambda order, asked: order.record.name, …})``. A resolver
takes the object, the ``Asked`` (the shop, the app, the scopes) and the field's arguments by their schema names. A
resolver with a parameter ``page`` gets first, last, after, before and reverse as one ``Page``. An object may also be a
plain dict, whose keys answer. No entry, or an argument the entry does not take, is the error "not
in the dev store".
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLResolveInfo

from ..faults import Fault
from ..records import Installation, Shop
from . import access
from .paging import Page

if TYPE_CHECKING:
    from ..state import DevStore

_PAGING = frozenset(("first", "last", "after", "before", "reverse"))
Resolver = Callable[..., Any]
_TABLES: dict[str, dict[str, Resolver]] = {}
_TAKES: dict[Resolver, frozenset[str]] = {}


@dataclass(frozen=True)
class Asked:
    """Who asks: the context of one request."""

    devstore: DevStore
    shop: Shop
    installation: Installation
    scopes: tuple[str, ...]
    fault: Fault | None = None  # what is to go wrong with this request (``faults``)


def register(type_name: str, table: dict[str, Resolver]) -> None:
    """Add resolvers for the fields of a type."""
    _TABLES.setdefault(type_name, {}).update(table)


def resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """Answer one field; graphql-core calls this for every field of ours."""
    parent, name = info.parent_type.name, info.field_name
    asked: Asked = info.context
    access.check(parent, name, info.return_type, asked.scopes)
    resolver = _TABLES.get(parent, {}).get(name)
    if resolver is None:
        if isinstance(source, dict) and name in source:
            return source[name]
        raise unknown(f"{parent}.{name}")
    given = {key: value for key, value in arguments.items() if value is not None}
    if "page" in _takes(resolver):
        given["page"] = Page(**{key: given.pop(key) for key in _PAGING & given.keys()})
    # Arguments left at a default of false ask for nothing.
    left_out = {key for key in set(given) - _takes(resolver) if given[key] is not False}
    if left_out:
        raise unknown(f"{parent}.{name}({', '.join(sorted(left_out))}:)")
    return resolver(source, asked, **{key: given[key] for key in given if key in _takes(resolver)})


def resolve_type(value: Any, _info: GraphQLResolveInfo, _abstract: Any) -> str:
    """The concrete type of an object behind an interface or union."""
    return value["__typename"] if isinstance(value, dict) else value.typename


def unknown(what: str) -> GraphQLError:
    return GraphQLError(f"not in the dev store: {what}", extensions={"code": "NOT_IN_THE_DEV_STORE"})


def _takes(resolver: Resolver) -> frozenset[str]:
    if resolver not in _TAKES:
        parameters = list(inspect.signature(resolver).parameters.values())[2:]
        _TAKES[resolver] = frozenset(p.name for p in parameters)
    return _TAKES[resolver]

"""``include_fields``: the parts of a body a subscription asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def trim(body: Any, paths: Iterable[str]) -> Any:
    """Keep the named fields; "customer.id" keeps one field of an object, "line_items.id" of every item of a list.

    A field the body does not have is left out; no paths at all keep everything.
    """
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for part in path.split("."):
            node = node.setdefault(part, {})
    return _keep(body, tree)


def _keep(value: Any, tree: dict[str, Any]) -> Any:
    if not tree or value is None:
        return value
    if isinstance(value, list):
        return [_keep(item, tree) for item in value]
    if isinstance(value, dict):
        return {name: _keep(value[name], below) for name, below in tree.items() if name in value}
    return value

"""`metafields`: what apps and merchants keep on a customer, a product or the app itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...records import Metafield
from ..dialect import Drop

if TYPE_CHECKING:
    from ...state import DevStore


def metafields_drop(devstore: DevStore, metafields: Iterable[Metafield]) -> Drop:
    """`metafields[namespace].key.value`; the app's own namespaces answer to `$app:…` too."""
    reserved = f"app--{devstore.app.id}"
    namespaces: dict[str, dict[str, Drop]] = {}
    for metafield in metafields:
        drop = Drop(
            {"type": metafield.type, "value": _value(metafield), "list?": metafield.type.startswith("list.")},
            text=metafield.value,
        )
        namespaces.setdefault(metafield.namespace, {})[metafield.key] = drop
    for namespace in list(namespaces):
        if namespace == reserved or namespace.startswith(f"{reserved}--"):
            alias = "$app" + namespace[len(reserved) :].replace("--", ":", 1)
            namespaces[alias] = namespaces[namespace]
    return Drop({name: Drop(fields) for name, fields in namespaces.items()})


def _value(metafield: Metafield) -> Any:
    """What `.value` is in Liquid: JSON parsed, numbers and booleans as such, the rest text."""
    if metafield.type == "boolean":
        return metafield.value == "true"
    if metafield.type == "number_integer":
        return int(metafield.value)
    if metafield.type == "number_decimal":
        return Decimal(metafield.value)
    if metafield.type == "json" or metafield.type.startswith("list."):
        try:
            parsed: Any = json.loads(metafield.value, parse_float=Decimal)
        except ValueError:
            return None
        return dict(parsed) if isinstance(parsed, Mapping) else parsed
    return metafield.value

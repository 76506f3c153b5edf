"""Writes: metafields and their definitions, tags."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from ..access import denied, has
from ..gids import parse
from ..resolving import Asked, register
from ..views import CustomerView, MetafieldView, OrderView, ProductView
from . import definitions
from .metafields import OWNER_TYPES, digest, find_owner

_MOST = 25
_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_WRITE = {
    "CUSTOMER": "write_customers",
    "ORDER": "write_orders",
    "PRODUCT": "write_products",
    "PRODUCTVARIANT": "write_products",
}
_LARGEST = {"json": 2_000_000, "single_line_text_field": 65_535}  # characters


def metafields_set(_: Any, asked: Asked, metafields: list[dict[str, Any]]) -> dict[str, Any]:
    """All or none."""
    if len(metafields) > _MOST:
        message = f"Exceeded the maximum metafields input limit of {_MOST}."
        return _refused([_problem(["metafields"], message, "LESS_THAN_OR_EQUAL_TO", None)])
    for wanted in metafields:
        _may_write(asked, "metafieldsSet", parse(wanted["ownerId"])[0])
    with asked.devstore.store.writing():
        problems = [problem for index, wanted in enumerate(metafields) for problem in _check(asked, index, wanted)]
        if problems:
            return _refused(problems)
        store = asked.devstore.metafield_store
        made = [
            store.set(asked.shop, m["ownerId"], m.get("namespace"), m["key"], _type(asked, m) or "", m["value"])
            for m in metafields
        ]
    return {"metafields": [MetafieldView(metafield) for metafield in made], "userErrors": []}


def metafields_delete(_: Any, asked: Asked, metafields: list[dict[str, Any]]) -> dict[str, Any]:
    """What is not there is deleted already: null in its place."""
    deleted: list[dict[str, Any] | None] = []
    for wanted in metafields:
        _may_write(asked, "metafieldsDelete", parse(wanted["ownerId"])[0])
    with asked.devstore.store.writing():
        for wanted in metafields:
            found = asked.devstore.metafield(asked.shop, wanted["ownerId"], wanted["namespace"], wanted["key"])
            if found:
                asked.devstore.store.delete(found)
            deleted.append({"ownerId": found.owner, "namespace": found.namespace, "key": found.key} if found else None)
    return {"deletedMetafields": deleted, "userErrors": []}


def definition_create(_: Any, asked: Asked, definition: dict[str, Any]) -> dict[str, Any]:
    scope = _WRITE.get(definition["ownerType"])
    if scope and not has(asked.scopes, scope):
        raise denied("metafieldDefinitionCreate", f"`{scope}` access scope.")
    with asked.devstore.store.writing():
        return definitions.create(asked, definition)


def definition_delete(
    _: Any,
    asked: Asked,
    id=None,
    identifier=None,
    deleteAllAssociatedMetafields=False,
) -> dict[str, Any]:
    with asked.devstore.store.writing():
        return definitions.delete(asked, id, identifier, metafields_too=deleteAllAssociatedMetafields)


def change_tags(asked: Asked, field: str, id: str, tags: list[str], *, add: bool) -> dict[str, Any]:
    """tagsAdd and tagsRemove, on customers, orders and products."""
    kind, _ = parse(id)
    _may_write(asked, field, kind)
    with asked.devstore.store.writing():
        view = find_owner(asked, id)
        if not isinstance(view, CustomerView | OrderView | ProductView):
            return {"node": None, "userErrors": [{"field": ["id"], "message": f"{kind} does not exist"}]}
        record = view.record
        record.tags = sorted({*record.tags, *tags} if add else set(record.tags) - set(tags))
        if isinstance(view, CustomerView):
            asked.devstore.update_customer(asked.shop, record.id, tags=record.tags)
        else:
            asked.devstore.store.save(record)
        return {"node": find_owner(asked, id), "userErrors": []}


def _may_write(asked: Asked, field: str, kind: str) -> None:
    scope = _WRITE.get(OWNER_TYPES.get(kind, ""))
    if scope and not has(asked.scopes, scope):
        raise denied(field, f"`{scope}` access scope.")


def _check(asked: Asked, index: int, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything wrong with one input."""

    def problem(field: str, message: str, code: str) -> dict[str, Any]:
        return _problem(["metafields", str(index), field], message, code, index)

    namespace, key = wanted.get("namespace") or "$app", wanted["key"]
    problems = [problem(*found) for found in (*_namespace_problems(namespace), *_key_problems(key))]
    if find_owner(asked, wanted["ownerId"]) is None:
        problems.append(problem("ownerId", "Owner does not exist.", "INVALID"))
    store = asked.devstore.metafield_store
    resolved, mine = store.resolve(namespace), store.resolve("$app")
    if resolved.startswith("app--") and resolved != mine and not resolved.startswith(f"{mine}--"):
        message = "Access to this namespace and key on Metafields for this resource type is not allowed."
        problems.append(problem("namespace", message, "APP_NOT_AUTHORIZED"))
    kind = _type(asked, wanted)
    if not kind:
        problems.append(problem("type", "Type can't be blank", "BLANK"))
    elif kind not in definitions.TYPES:
        problems.append(problem("type", f"Type name {kind} is not a valid type.", "INCLUSION"))
    elif wrong := _value_problem(kind, wanted["value"]):
        code = "TOO_LONG" if "maximum" in wrong else "INVALID_VALUE" if wanted["value"] else "BLANK"
        problems.append(problem("value", wrong, code))
    if not problems and "compareDigest" in wanted:
        found = store.get(asked.shop, wanted["ownerId"], namespace, key)
        if (digest(found) if found else None) != wanted["compareDigest"]:
            message = (
                "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."
            )
            problems.append(problem("compareDigest", message, "STALE_OBJECT"))
    return problems


def _namespace_problems(namespace: str) -> list[tuple[str, str, str]]:
    name = namespace.removeprefix("$app:") if namespace != "$app" else "app"
    if len(name) < 3:
        return [("namespace", "Namespace is too short (minimum is 3 characters)", "TOO_SHORT")]
    if not _NAME.fullmatch(name):
        return [("namespace", "Namespace contains one or more invalid characters.", "INVALID")]
    return []


def _key_problems(key: str) -> list[tuple[str, str, str]]:
    if len(key) < 2:
        return [("key", "Key is too short (minimum is 2 characters)", "TOO_SHORT")]
    if len(key) > 64:
        return [("key", "Key is too long (maximum is 64 characters)", "TOO_LONG")]
    if not _NAME.fullmatch(key):
        return [("key", "Key contains one or more invalid characters.", "INVALID")]
    return []


def _type(asked: Asked, wanted: dict[str, Any]) -> str | None:
    """The type sent, or the definition's."""
    if wanted.get("type"):
        return wanted["type"]
    kind = parse(wanted["ownerId"])[0]
    defined = asked.devstore.metafield_store.definition(
        asked.shop, OWNER_TYPES.get(kind, ""), wanted.get("namespace"), wanted["key"]
    )
    return defined.type if defined else None


def _value_problem(type: str, value: str) -> str | None:
    if not value:
        return "Value can't be blank."
    if len(value) > _LARGEST.get(type, 5_000_000):
        return f"Value is too long (maximum is {_LARGEST.get(type, 5_000_000)} characters)"
    try:
        match type:
            case "json" | "money":
                json.loads(value)
            case "number_integer":
                int(value)
            case "number_decimal":
                Decimal(value)
            case "boolean" if value not in ("true", "false"):
                raise ValueError(value)
    except (ValueError, InvalidOperation):
        kinds = {"json": "JSON", "money": "JSON", "boolean": "boolean"}
        return f"Value is invalid {kinds.get(type, type.replace('_', ' '))}."
    return None


def _problem(field: list[str], message: str, code: str, index: int | None) -> dict[str, Any]:
    return {"field": field, "message": message, "code": code, "elementIndex": index}


def _refused(problems: list[dict[str, Any]]) -> dict[str, Any]:
    return {"metafields": None, "userErrors": problems}


register(
    "Mutation",
    {
        "metafieldsSet": metafields_set,
        "metafieldsDelete": metafields_delete,
        "metafieldDefinitionCreate": definition_create,
        "metafieldDefinitionDelete": definition_delete,
        "tagsAdd": lambda _, asked, id, tags: change_tags(asked, "tagsAdd", id, tags, add=True),
        "tagsRemove": lambda _, asked, id, tags: change_tags(asked, "tagsRemove", id, tags, add=False),
    },
)

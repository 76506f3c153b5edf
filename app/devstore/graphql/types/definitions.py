"""Metafield definitions: reading them and making them."""

from __future__ import annotations

import re
from typing import Any

from ...records import MetafieldDefinition
from ..gids import gid, number
from ..paging import Page, pages
from ..resolving import Asked, register, unknown

TYPES = {
    "boolean": "TRUE_FALSE",
    "date": "DATE_TIME",
    "date_time": "DATE_TIME",
    "id": "TEXT",
    "json": "CUSTOM",
    "money": "CURRENCY",
    "multi_line_text_field": "TEXT",
    "number_decimal": "NUMBER",
    "number_integer": "NUMBER",
    "single_line_text_field": "TEXT",
    "url": "URL",
}
"""The types the dev store checks values of -> their category."""
_NAME = re.compile(r"[a-zA-Z0-9_-]+")


def create(asked: Asked, wanted: dict[str, Any]) -> dict[str, Any]:
    """metafieldDefinitionCreate: every problem at once, as Shopify reports them."""
    namespace, key = wanted.get("namespace") or "$app", wanted["key"]
    for unsupported in ("capabilities", "constraints", "validations", "useAsCollectionCondition"):
        if wanted.get(unsupported):
            raise unknown(f"MetafieldDefinitionInput.{unsupported}")
    problems = [*_name_problems("Namespace", namespace, 3, 255), *_name_problems("Key", key, 2, 64)]
    if wanted["type"] not in TYPES:
        valid = ", ".join(sorted(TYPES))
        message = f"Type name {wanted['type']} is not a valid type. Valid types are: {valid}."
        problems.append(_problem("type", message, "INCLUSION"))
    store = asked.devstore.metafield_store
    own = namespace == "$app" or namespace.startswith("$app:")
    access = dict(wanted.get("access") or {})
    if access.get("admin") and not own:
        problems.append(
            _problem("access", "Setting admin access is not allowed here.", "ADMIN_ACCESS_INPUT_NOT_ALLOWED")
        )
    if not problems and store.definition(asked.shop, wanted["ownerType"], namespace, key):
        owner = wanted["ownerType"].capitalize()
        message = f"Key is in use for {owner} metafields on the '{store.resolve(namespace)}' namespace."
        problems.append(_problem("key", message, "TAKEN"))
    if problems:
        return {"createdDefinition": None, "userErrors": problems}
    made = MetafieldDefinition(
        id=asked.devstore.store.next_id("metafield_definition"),
        shop_id=asked.shop.id,
        owner_type=wanted["ownerType"],
        namespace=store.resolve(namespace),
        key=key,
        name=wanted["name"],
        type=wanted["type"],
        description=wanted.get("description"),
        access=access,
    )
    return {"createdDefinition": asked.devstore.store.add(made), "userErrors": []}


def delete(asked: Asked, id: str | None, identifier: dict[str, Any] | None, *, metafields_too: bool) -> dict[str, Any]:
    """metafieldDefinitionDelete."""
    found = one(asked, id, identifier)
    if found is None:
        error = {"field": ["id"], "message": "Definition not found.", "code": "NOT_FOUND"}
        return {"deletedDefinitionId": None, "deletedDefinition": None, "userErrors": [error]}
    from ...records import Metafield

    if metafields_too:
        for metafield in asked.devstore.store.list(Metafield, asked.shop.id):
            if (metafield.namespace, metafield.key) == (found.namespace, found.key):
                asked.devstore.store.delete(metafield)
    asked.devstore.store.delete(found)
    return {
        "deletedDefinitionId": gid("MetafieldDefinition", found.id),
        "deletedDefinition": {"ownerType": found.owner_type, "namespace": found.namespace, "key": found.key},
        "userErrors": [],
    }


def find(asked: Asked, id: int) -> MetafieldDefinition | None:
    return asked.devstore.store.get(MetafieldDefinition, asked.shop.id, id)


def one(asked: Asked, id: str | None, identifier: dict[str, Any] | None) -> MetafieldDefinition | None:
    if id is not None:
        return find(asked, number(id, "MetafieldDefinition") or 0)
    wanted = identifier or {}
    return asked.devstore.metafield_store.definition(
        asked.shop, wanted["ownerType"], wanted.get("namespace"), wanted["key"]
    )


def many(
    _: Any,
    asked: Asked,
    page: Page,
    ownerType: str,
    namespace: str | None = None,
    key: str | None = None,
) -> Any:
    store = asked.devstore.metafield_store
    found = [d for d in store.definitions(asked.shop) if d.owner_type == ownerType]
    if namespace is not None:
        found = [d for d in found if d.namespace == store.resolve(namespace)]
    if key is not None:
        found = [d for d in found if d.key == key]
    return pages(found, lambda d: d.id, page)


def _name_problems(what: str, value: str, least: int, most: int) -> list[dict[str, Any]]:
    name = value.removeprefix("$app:") if value != "$app" else "app"
    field = what.lower()
    if len(name) < least:
        return [_problem(field, f"{what} is too short (minimum is {least} characters)", "TOO_SHORT")]
    if len(name) > most:
        return [_problem(field, f"{what} is too long (maximum is {most} characters)", "TOO_LONG")]
    if not _NAME.fullmatch(name):
        return [_problem(field, f"{what} contains one or more invalid characters.", "INVALID_CHARACTER")]
    return []


def _problem(field: str, message: str, code: str) -> dict[str, Any]:
    return {"field": ["definition", field], "message": message, "code": code}


def _access(d: MetafieldDefinition, _: Asked) -> dict[str, Any]:
    return {
        "admin": d.access.get("admin", "PUBLIC_READ_WRITE"),
        "storefront": d.access.get("storefront", "NONE"),
        "customerAccount": d.access.get("customerAccount", "NONE"),
    }


MetafieldDefinition.typename = "MetafieldDefinition"  # type: ignore[attr-defined]

register(
    "MetafieldDefinition",
    {
        "id": lambda d, _: gid("MetafieldDefinition", d.id),
        "name": lambda d, _: d.name,
        "namespace": lambda d, _: d.namespace,
        "key": lambda d, _: d.key,
        "description": lambda d, _: d.description,
        "ownerType": lambda d, _: d.owner_type,
        "type": lambda d, _: {"name": d.type, "category": TYPES[d.type]},
        "access": _access,
        "validations": lambda d, _: [],
        "pinnedPosition": lambda d, _: None,
    },
)

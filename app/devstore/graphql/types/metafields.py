"""Metafields, read from whatever owns them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ... import clock
from ...records import Metafield
from ..gids import gid, parse
from ..paging import Page, pages
from ..resolving import Asked, register
from ..views import CustomerView, InstallationView, MetafieldView, OrderView, ProductView, ShopView, VariantView

OWNER_TYPES = {
    "Customer": "CUSTOMER",
    "Order": "ORDER",
    "Product": "PRODUCT",
    "ProductVariant": "PRODUCTVARIANT",
    "Shop": "SHOP",
    "AppInstallation": "API_PERMISSION",
}
"""GID kind -> MetafieldOwnerType."""


def owner_gid(owner: Any) -> str:
    """The GID of a view that can own metafields."""
    id = owner.id if isinstance(owner, InstallationView) else owner.record.id
    return gid(owner.typename, id)


def digest(metafield: Metafield) -> str:
    """What compareDigest is compared with."""
    return hashlib.sha256(f"{metafield.type}\0{metafield.value}".encode()).hexdigest()


def _one(owner: Any, asked: Asked, key: str, namespace: str | None = None) -> MetafieldView | None:
    found = asked.devstore.metafield(asked.shop, owner_gid(owner), namespace or "$app", key)
    return MetafieldView(found) if found and readable(asked, found) else None


def _many(owner: Any, asked: Asked, page: Page, namespace: str | None = None, keys: list[str] | None = None) -> Any:
    resolve = asked.devstore.metafield_store.resolve
    found = [m for m in asked.devstore.metafields(asked.shop, owner_gid(owner)) if readable(asked, m)]
    if namespace is not None:
        found = [m for m in found if m.namespace == resolve(namespace)]
    if keys is not None:
        wanted = {(resolve(k.rpartition(".")[0]), k.rpartition(".")[2]) for k in keys}
        found = [m for m in found if (m.namespace, m.key) in wanted]
    views = [MetafieldView(m) for m in found]
    return pages(views, lambda v: v.record.id, page)


def readable(asked: Asked, metafield: Metafield) -> bool:
    """Another app's reserved namespace is not ours to see."""
    mine = asked.devstore.metafield_store.resolve("$app")
    namespace = metafield.namespace
    return not namespace.startswith("app--") or namespace == mine or namespace.startswith(f"{mine}--")


def find_owner(asked: Asked, owner: str) -> Any:
    """The view a metafield belongs to, or None."""
    from .roots import node

    kind, id = parse(owner)
    if kind == "AppInstallation":
        return InstallationView(id, asked.scopes) if id == asked.installation.id else None
    return node(asked, owner) if kind in OWNER_TYPES else None


def _definition(m: MetafieldView, asked: Asked) -> Any:
    kind, _ = parse(m.record.owner)
    return asked.devstore.metafield_store.definition(asked.shop, OWNER_TYPES[kind], m.record.namespace, m.record.key)


register(
    "Metafield",
    {
        "id": lambda m, _: gid("Metafield", m.record.id),
        "legacyResourceId": lambda m, _: str(m.record.id),
        "namespace": lambda m, _: m.record.namespace,
        "key": lambda m, _: m.record.key,
        "type": lambda m, _: m.record.type,
        "value": lambda m, _: m.record.value,
        "jsonValue": lambda m, _: json.loads(m.record.value) if m.record.type == "json" else m.record.value,
        "compareDigest": lambda m, _: digest(m.record),
        "sizeInBytes": lambda m, _: len(m.record.value.encode()),
        "ownerType": lambda m, _: OWNER_TYPES[parse(m.record.owner)[0]],
        "owner": lambda m, asked: find_owner(asked, m.record.owner),
        "definition": _definition,
        "createdAt": lambda m, _: clock.graphql(m.record.created_at),
        "updatedAt": lambda m, _: clock.graphql(m.record.updated_at),
    },
)

for _view in (CustomerView, InstallationView, OrderView, ProductView, ShopView, VariantView):
    register(_view.typename, {"metafield": _one, "metafields": _many})

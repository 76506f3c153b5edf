"""Metafields, and how namespaces are spelled.

"$app:loyalty" and "$app" are the app's own: kept as "app--<app id>--loyalty" and "app--<app id>". An omitted namespace
in the Admin API means "$app".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import clock
from .records import Metafield, MetafieldDefinition, Shop

if TYPE_CHECKING:
    from .state import DevStore


class Metafields:
    def __init__(self, devstore: DevStore) -> None:
        self.devstore = devstore
        self.store = devstore.store

    def resolve(self, namespace: str | None) -> str:
        """The namespace as it is kept. "$app:loyalty" -> "app--1234--loyalty"."""
        namespace = namespace or "$app"
        if namespace == "$app":
            return f"app--{self.devstore.app.id}"
        if namespace.startswith("$app:"):
            return f"app--{self.devstore.app.id}--{namespace.removeprefix('$app:')}"
        return namespace

    def get(self, shop: Shop, owner: str, namespace: str | None, key: str) -> Metafield | None:
        resolved = self.resolve(namespace)
        return next((m for m in self.of(shop, owner) if m.namespace == resolved and m.key == key), None)

    def of(self, shop: Shop, owner: str) -> list[Metafield]:
        return [m for m in self.store.list(Metafield, shop.id) if m.owner == owner]

    def set(self, shop: Shop, owner: str, namespace: str | None, key: str, type: str, value: str) -> Metafield:
        """Create or replace; checks are the caller's."""
        with self.store.writing():
            now = clock.now()
            found = self.get(shop, owner, namespace, key)
            if found is None:
                found = Metafield(
                    id=self.store.next_id("metafield"),
                    shop_id=shop.id,
                    owner=owner,
                    namespace=self.resolve(namespace),
                    key=key,
                    type=type,
                    value=value,
                    created_at=now,
                    updated_at=now,
                )
            found.type, found.value, found.updated_at = type, value, now
            return self.store.save(found)

    def drop_owner(self, shop: Shop, owner: str) -> None:
        for metafield in self.of(shop, owner):
            self.store.delete(metafield)

    def definitions(self, shop: Shop) -> list[MetafieldDefinition]:
        return self.store.list(MetafieldDefinition, shop.id)

    def definition(self, shop: Shop, owner_type: str, namespace: str | None, key: str) -> MetafieldDefinition | None:
        wanted = (owner_type, self.resolve(namespace), key)
        return next((d for d in self.definitions(shop) if (d.owner_type, d.namespace, d.key) == wanted), None)

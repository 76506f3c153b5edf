"""Which lines of a cart an ``Items`` means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..records import Line, Shop
from .records import Items

if TYPE_CHECKING:
    from ..state import DevStore


class Goods:
    """The shop's goods; collections are looked up once, and only when a discount asks for one."""

    def __init__(self, devstore: DevStore, shop: Shop) -> None:
        self._devstore, self._shop = devstore, shop
        self._collections: dict[int, set[int]] | None = None

    def means(self, items: Items, line: Line) -> bool:
        """Discounts never touch gift cards."""
        if line.gift_card:
            return False
        if items.all or line.product_id in items.products or line.variant_id in items.variants:
            return True
        return bool(items.collections) and not self._in(line.product_id).isdisjoint(items.collections)

    def among(self, items: Items, lines: Sequence[Line]) -> list[int]:
        """The places of the lines that are meant."""
        return [place for place, line in enumerate(lines) if self.means(items, line)]

    def _in(self, product_id: int | None) -> set[int]:
        if self._collections is None:
            ids = {collection.handle: collection.id for collection in self._devstore.collections(self._shop)}
            self._collections = {
                product.id: {ids[handle] for handle in product.collections if handle in ids}
                for product in self._devstore.products(self._shop)
            }
        return self._collections.get(product_id or 0, set())

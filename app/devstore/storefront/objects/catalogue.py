"""`product`, `variant`, `image`, `collection`: what is for sale. Prices are in Liquid's hundredths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ... import clock
from ...money import decimals
from ...records import Collection, Product, Shop, Variant
from ..dialect import Drop
from ..dialect.money import as_liquid_amount
from .metafields import metafields_drop

if TYPE_CHECKING:
    from ...state import DevStore

PICTURE_SIZE = 1600
"""Pixels a side that pictures claim to have; they are drawings, and as sharp at any size."""


class Catalogue:
    """A shop's products and collections as Liquid objects. `root` is the shop's root with its closing slash."""

    def __init__(self, devstore: DevStore, shop: Shop, root: str) -> None:
        self.devstore = devstore
        self.shop = shop
        self.root = root

    def price(self, minor: int | None) -> int | None:
        """Minor units as Liquid counts them."""
        return None if minor is None else as_liquid_amount(minor, decimals(self.shop.currency))

    def image(self, product: Product) -> Drop:
        """The product's picture."""
        src = f"{self.root}cdn/shop/files/{product.picture or product.handle}.svg"
        return Drop(
            {
                "id": product.id,
                "src": src,
                "alt": product.title,
                "width": PICTURE_SIZE,
                "height": PICTURE_SIZE,
                "aspect_ratio": 1,
                "product_id": product.id,
                "position": 1,
                "media_type": "image",
            },
            text=src,
        )

    def variant(self, product: Product, variant: Variant, selected_id: int | None = None) -> Drop:
        """One variant. It names its product lazily, so neither is endless."""
        options = [*variant.options, None, None, None]
        return Drop(
            {
                "id": variant.id,
                "title": variant.title,
                "option1": options[0] or variant.title,
                "option2": options[1],
                "option3": options[2],
                "options": variant.options or [variant.title],
                "sku": variant.sku,
                "price": self.price(variant.price_minor),
                "compare_at_price": self.price(variant.compare_at_minor),
                "available": variant.inventory > 0,
                "inventory_quantity": variant.inventory,
                "inventory_policy": "deny",
                "requires_shipping": not product.gift_card,
                "taxable": product.taxable and not product.gift_card,
                "selected": variant.id == selected_id,
                "url": f"{self.root}products/{product.handle}?variant={variant.id}",
            },
            {"product": lambda: self.product(product), "image": lambda: self.image(product)},
        )

    def product(self, product: Product, variant_id: int | None = None) -> Drop:
        """One product; `variant_id` is the one in the address, if it is one of its own."""
        chosen = next((variant for variant in product.variants if variant.id == variant_id), None)
        first = next((variant for variant in product.variants if variant.inventory > 0), None)
        current = chosen or first or product.variants[0]
        variants = [self.variant(product, variant, current.id) for variant in product.variants]
        prices = sorted(variant.price_minor for variant in product.variants)
        compared = sorted(v.compare_at_minor for v in product.variants if v.compare_at_minor is not None)
        drops = dict(zip((variant.id for variant in product.variants), variants, strict=True))
        facts = {
            "id": product.id,
            "title": product.title,
            "handle": product.handle,
            "vendor": product.vendor,
            "type": product.product_type,
            "description": product.description,
            "content": product.description,
            "price": self.price(prices[0]),
            "price_min": self.price(prices[0]),
            "price_max": self.price(prices[-1]),
            "price_varies": prices[0] != prices[-1],
            "compare_at_price": self.price(compared[0] if compared else None),
            "available": first is not None,
            "tags": sorted(product.tags),
            "gift_card?": product.gift_card,
            "options": product.option_names or ["Title"],
            "has_only_default_variant": not product.option_names,
            "variants": variants,
            "variants_count": len(variants),
            "featured_image": self.image(product),
            "images": [self.image(product)],
            "url": f"{self.root}products/{product.handle}",
            "created_at": clock.rest(product.created_at, self.shop.timezone),
            "published_at": clock.rest(product.created_at, self.shop.timezone),
        }
        gid = f"gid://shopify/Product/{product.id}"
        return Drop(
            facts,
            {
                "selected_variant": lambda: drops[chosen.id] if chosen else None,
                "first_available_variant": lambda: drops[first.id] if first else None,
                "selected_or_first_available_variant": lambda: drops[current.id],
                "options_with_values": lambda: self._options(product, current),
                "collections": lambda: [
                    self.collection(found)
                    for found in self.devstore.collections(self.shop)
                    if found.handle in product.collections
                ],
                "metafields": lambda: metafields_drop(self.devstore, self.devstore.metafields(self.shop, gid)),
            },
            text=product.title,
        )

    def collection(self, collection: Collection) -> Drop:
        """One collection and, when asked, its products."""
        return Drop(
            {
                "id": collection.id,
                "handle": collection.handle,
                "title": collection.title,
                "description": collection.description,
                "url": f"{self.root}collections/{collection.handle}",
            },
            {
                "products": lambda: self.products(self.devstore.products_in(self.shop, collection.handle)),
                "products_count": lambda: len(self.devstore.products_in(self.shop, collection.handle)),
            },
            text=collection.title,
        )

    def everything(self) -> Drop:
        """`/collections/all`: every product, the order the shop was filled in."""
        products = self.devstore.products(self.shop)
        facts: dict[str, Any] = {
            "id": 0,
            "handle": "all",
            "title": "All pots",
            "description": "",
            "url": f"{self.root}collections/all",
            "products": self.products(products),
            "products_count": len(products),
        }
        return Drop(facts, text="All pots")

    def products(self, products: Sequence[Product]) -> list[Drop]:
        """Several products."""
        return [self.product(product) for product in products]

    def goes_with(self, product: Product, count: int = 4) -> list[Drop]:
        """Other products to show below this one: those that share a collection first, gift cards last."""
        others = [other for other in self.devstore.products(self.shop) if other.id != product.id]
        others.sort(key=lambda other: (other.gift_card, not set(other.collections) & set(product.collections)))
        return self.products(others[:count])

    def _options(self, product: Product, current: Variant) -> list[Drop]:
        found = []
        for index, name in enumerate(product.option_names):
            values = list(dict.fromkeys(variant.options[index] for variant in product.variants))
            selected = current.options[index]
            found.append(
                Drop({"name": name, "position": index + 1, "values": values, "selected_value": selected}, text=name)
            )
        return found

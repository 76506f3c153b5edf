"""Products, variants and collections."""

from __future__ import annotations

from typing import Any

from ... import clock
from ...money import graphql_amount, rest_amount
from ...records import Collection, Product
from ..gids import gid, number
from ..paging import Page, mapped, pages, stored_page
from ..resolving import Asked, register, unknown
from ..searching import Search
from ..views import ProductView, VariantView

_SORTS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "ID": "id", "RELEVANCE": "id", "TITLE": "title"}

_SEARCH = {
    "id": lambda p: p.id,
    "title": lambda p: p.title,
    "handle": lambda p: p.handle,
    "vendor": lambda p: p.vendor,
    "product_type": lambda p: p.product_type,
    "tag": lambda p: p.tags,
    "status": lambda p: "active",
    "gift_card": lambda p: p.gift_card,
    "sku": lambda p: [v.sku for v in p.variants],
    "created_at": lambda p: p.created_at,
    "updated_at": lambda p: p.updated_at,
}


def search(query: str | None) -> Search:
    return Search(query or "", _SEARCH, lambda p: f"{p.title} {p.vendor} {p.product_type} {' '.join(p.tags)}")


def connection(
    asked: Asked,
    page: Page,
    *,
    query: str | None = None,
    sortKey: str = "ID",
) -> dict[str, Any]:
    if sortKey not in _SORTS:
        raise unknown(f"products(sortKey: {sortKey})")
    wanted = search(query)
    if _SORTS[sortKey] == "title":
        by_title = sorted(filter(wanted.matches, asked.devstore.products(asked.shop)), key=lambda p: p.title.lower())
        views = [ProductView(product) for product in by_title]
        return pages(
            views,
            lambda v: v.record.id,
            page,
            value_of=lambda v: v.record.title,
        )
    found = stored_page(asked.devstore.store, Product, asked.shop.id, page, order=_SORTS[sortKey], keep=wanted.matches)
    return mapped(found, ProductView)


def find(asked: Asked, id: int) -> ProductView | None:
    record = asked.devstore.product(asked.shop, id)
    return ProductView(record) if record else None


def find_variant(asked: Asked, id: int) -> VariantView | None:
    found = asked.devstore.variant(asked.shop, id)
    return VariantView(*found) if found else None


def collections(
    asked: Asked,
    page: Page,
    *,
    query: str | None = None,
    handles: list[str] | None = None,
) -> dict[str, Any]:
    """Collections of the shop, or those of one product."""
    fields = {"id": lambda c: c.id, "title": lambda c: c.title, "handle": lambda c: c.handle}
    wanted = Search(query or "", fields, lambda c: c.title)
    found = [c for c in asked.devstore.collections(asked.shop) if handles is None or c.handle in handles]
    return pages(
        [c for c in found if wanted.matches(c)],
        lambda c: c.id,
        page,
    )


def find_collection(asked: Asked, id: int) -> Collection | None:
    return asked.devstore.store.get(Collection, asked.shop.id, id)


def _variants(p: ProductView, _: Asked, page: Page) -> Any:
    views = [VariantView(p.record, variant) for variant in p.record.variants]
    return pages(views, lambda v: v.record.id, page)


def _collections(p: ProductView, asked: Asked, page: Page, query=None) -> Any:
    return collections(asked, page, query=query, handles=p.record.collections)


def _in_collection(p: ProductView, asked: Asked, id: str) -> bool:
    wanted = find_collection(asked, number(id, "Collection") or 0)
    return wanted is not None and wanted.handle in p.record.collections


def _prices(p: ProductView, asked: Asked) -> dict[str, Any]:
    prices = [v.price_minor for v in p.record.variants]
    return {
        name: {"amount": graphql_amount(minor, asked.shop.currency), "currencyCode": asked.shop.currency}
        for name, minor in (("minVariantPrice", min(prices)), ("maxVariantPrice", max(prices)))
    }


register(
    "Product",
    {
        "id": lambda p, _: gid("Product", p.record.id),
        "legacyResourceId": lambda p, _: str(p.record.id),
        "title": lambda p, _: p.record.title,
        "handle": lambda p, _: p.record.handle,
        "vendor": lambda p, _: p.record.vendor,
        "productType": lambda p, _: p.record.product_type,
        "description": lambda p, _, truncateAt=None: p.record.description[:truncateAt],
        "descriptionHtml": lambda p, _: f"<p>{p.record.description}</p>",
        "tags": lambda p, _: p.record.tags,
        "status": lambda p, _: "ACTIVE",
        "isGiftCard": lambda p, _: p.record.gift_card,
        "hasOnlyDefaultVariant": lambda p, _: p.record.variants[0].title == "Default Title",
        "totalInventory": lambda p, _: sum(v.inventory for v in p.record.variants),
        "createdAt": lambda p, _: clock.graphql(p.record.created_at),
        "updatedAt": lambda p, _: clock.graphql(p.record.updated_at),
        "publishedAt": lambda p, _: clock.graphql(p.record.created_at),
        "onlineStoreUrl": lambda p, asked: f"https://{asked.shop.domain}/products/{p.record.handle}",
        "featuredMedia": lambda p, _: None,
        "priceRangeV2": _prices,
        "variants": _variants,
        "collections": _collections,
        "inCollection": _in_collection,
    },
)

register(
    "ProductVariant",
    {
        "id": lambda v, _: gid("ProductVariant", v.record.id),
        "legacyResourceId": lambda v, _: str(v.record.id),
        "title": lambda v, _: v.record.title,
        "displayName": lambda v, _: f"{v.product.title} - {v.record.title}",
        "sku": lambda v, _: v.record.sku,
        "price": lambda v, asked: rest_amount(v.record.price_minor, asked.shop.currency),
        "compareAtPrice": lambda v, asked: (
            rest_amount(v.record.compare_at_minor, asked.shop.currency) if v.record.compare_at_minor else None
        ),
        "inventoryQuantity": lambda v, _: v.record.inventory,
        "availableForSale": lambda v, _: v.record.inventory > 0,
        "taxable": lambda v, _: v.product.taxable,
        "position": lambda v, _: v.product.variants.index(v.record) + 1,
        "product": lambda v, _: ProductView(v.product),
        "selectedOptions": lambda v, _: [
            {"name": name, "value": value}
            for name, value in zip(v.product.option_names, v.record.options, strict=False)
        ],
    },
)

register(
    "Collection",
    {
        "id": lambda c, _: gid("Collection", c.id),
        "legacyResourceId": lambda c, _: str(c.id),
        "title": lambda c, _: c.title,
        "handle": lambda c, _: c.handle,
        "description": lambda c, _, truncateAt=None: c.description[:truncateAt],
        "products": lambda c, asked, page: pages(
            [ProductView(p) for p in asked.devstore.products_in(asked.shop, c.handle)],
            lambda v: v.record.id,
            page,
        ),
    },
)

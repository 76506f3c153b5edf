"""The query root: where every read begins."""

from __future__ import annotations

from typing import Any

from ..gids import number, parse
from ..paging import Page, pages
from ..resolving import Asked, register, unknown
from ..schema import API_VERSION
from ..views import InstallationView, ProductView, ShopView
from . import customers, definitions, discount_codes, discounts, gift_cards, orders, products, shops, store_credit
from .installation import app


def node(asked: Asked, id: str) -> Any:
    """Anything by its GID; None when there is no such thing, an error for a kind the dev store does not keep."""
    kind, wanted = parse(id)
    match kind:
        case "Order":
            return orders.find(asked, wanted)
        case "Customer":
            return customers.find(asked, wanted)
        case "Refund":
            return orders.find_refund(asked, wanted)
        case "LineItem":
            return orders.find_line(asked, wanted)
        case "Product":
            return products.find(asked, wanted)
        case "ProductVariant":
            return products.find_variant(asked, wanted)
        case "Shop":
            return ShopView(asked.shop) if wanted == asked.shop.id else None
        case "AppInstallation":
            return current_installation(asked) if wanted == asked.installation.id else None
        case "MetafieldDefinition":
            return definitions.find(asked, wanted)
        case "DiscountCodeNode":
            return discounts.find(asked, wanted)
        case "GiftCard":
            return gift_cards.find(asked, wanted)
        case "StoreCreditAccount":
            return store_credit.find(asked, wanted)
        case "DiscountRedeemCodeBulkCreation":
            return discount_codes.find_creation(asked, id)
    raise unknown(f"node of kind {kind}")


def current_installation(asked: Asked) -> InstallationView:
    return InstallationView(asked.installation.id, tuple(asked.installation.scopes))


def _nodes(_: Any, asked: Asked, ids: list[str]) -> list[Any]:
    from graphql import GraphQLError

    if len(ids) > 250:
        raise GraphQLError(
            f"The input array size of {len(ids)} is greater than the maximum allowed of 250.",
            extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
        )
    return [node(asked, id) for id in ids]


def _by_identifier(_: Any, asked: Asked, identifier: dict[str, Any]) -> Any:
    if id := identifier.get("id"):
        return customers.find(asked, number(id, "Customer") or 0)
    if address := identifier.get("emailAddress"):
        found = asked.devstore.customer_by_email(asked.shop, address)
        return customers.find(asked, found.id) if found else None
    raise unknown(f"customerByIdentifier({', '.join(identifier)})")


def _customers_count(_: Any, asked: Asked, query: str | None = None, limit: int | None = None) -> dict[str, Any]:
    wanted = customers.search(query)
    found = sum(wanted.matches(c) for c in asked.devstore.customers(asked.shop))
    return {"count": min(found, limit or found), "precision": "AT_LEAST" if limit and found > limit else "EXACT"}


def _products_count(_: Any, asked: Asked, query: str | None = None, limit: int | None = None) -> dict[str, Any]:
    wanted = products.search(query)
    found = sum(wanted.matches(p) for p in asked.devstore.products(asked.shop))
    return {"count": min(found, limit or found), "precision": "AT_LEAST" if limit and found > limit else "EXACT"}


def _variants(_: Any, asked: Asked, page: Page, query=None) -> Any:
    from ..views import VariantView

    wanted = products.search(query)
    found = [VariantView(p, v) for p in asked.devstore.products(asked.shop) if wanted.matches(p) for v in p.variants]
    return pages(found, lambda v: v.record.id, page)


def _product_by_handle(asked: Asked, handle: str) -> ProductView | None:
    found = asked.devstore.product_by_handle(asked.shop, handle)
    return ProductView(found) if found else None


register(
    "QueryRoot",
    {
        "shop": lambda _, asked: ShopView(asked.shop),
        "app": lambda _, asked: app(asked),
        "currentAppInstallation": lambda _, asked: current_installation(asked),
        "node": lambda _, asked, id: node(asked, id),
        "nodes": _nodes,
        "order": lambda _, asked, id: orders.find(asked, number(id, "Order") or 0),
        "orders": lambda _, asked, page, query=None, sortKey="PROCESSED_AT": orders.connection(
            asked, page, query=query, sortKey=sortKey
        ),
        "ordersCount": lambda _, asked, query=None, limit=None: orders.count(asked, query, limit),
        "refund": lambda _, asked, id: orders.find_refund(asked, number(id, "Refund") or 0),
        "customer": lambda _, asked, id: customers.find(asked, number(id, "Customer") or 0),
        "customers": lambda _, asked, page, query=None, sortKey="ID": customers.connection(
            asked, page, query=query, sortKey=sortKey
        ),
        "customersCount": _customers_count,
        "customerByIdentifier": _by_identifier,
        "product": lambda _, asked, id: products.find(asked, number(id, "Product") or 0),
        "productByHandle": lambda _, asked, handle: _product_by_handle(asked, handle),
        "products": lambda _, asked, page, query=None, sortKey="ID": products.connection(
            asked, page, query=query, sortKey=sortKey
        ),
        "productsCount": _products_count,
        "productVendors": lambda _, asked, page: shops.vendors(asked.shop, asked, page),
        "productTypes": lambda _, asked, page: shops.types(asked.shop, asked, page),
        "productTags": lambda _, asked, page: shops.tags(asked.shop, asked, page),
        "productVariant": lambda _, asked, id: products.find_variant(asked, number(id, "ProductVariant") or 0),
        "productVariants": _variants,
        "collection": lambda _, asked, id: products.find_collection(asked, number(id, "Collection") or 0),
        "collections": lambda _, asked, page, query=None: products.collections(asked, page, query=query),
        "metafieldDefinition": lambda _, asked, id=None, identifier=None: definitions.one(asked, id, identifier),
        "metafieldDefinitions": definitions.many,
        "publicApiVersions": lambda _, asked: [
            {"handle": API_VERSION, "displayName": f"{API_VERSION} (Latest)", "supported": True}
        ],
    },
)

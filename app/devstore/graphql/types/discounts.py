"""Discounts with codes: their terms, as the Admin API words them, and how they are found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from ... import clock
from ...discounts.records import Discount, Items
from ...discounts.words import summary
from ...money import graphql_amount
from ..gids import gid, number
from ..paging import Page, mapped, pages, stored_page
from ..resolving import Asked, register, unknown
from ..searching import Search
from ..views import ProductView, VariantView
from .discount_codes import codes, count
from .products import find_collection


@dataclass(frozen=True)
class DiscountNodeView:
    record: Discount
    typename: ClassVar[str] = "DiscountCodeNode"


@dataclass(frozen=True)
class DiscountView:
    """The discount itself, whose type says which kind it is."""

    record: Discount

    @property
    def typename(self) -> str:
        kinds = {"free_shipping": "DiscountCodeFreeShipping", "bxgy": "DiscountCodeBxgy"}
        return kinds.get(self.record.kind, "DiscountCodeBasic")


_SEARCH = {
    "id": lambda d: d.id,
    "title": lambda d: d.title,
    "status": lambda d: d.status(clock.now()),
    "type": lambda d: [d.kind, "all"],
    "discount_type": lambda d: "bogo" if d.kind == "bxgy" else d.kind,
    "tag": lambda d: d.tags,
    "times_used": lambda d: d.used,
    "created_at": lambda d: d.created_at,
    "updated_at": lambda d: d.updated_at,
    "starts_at": lambda d: d.starts_at or d.created_at,
    "ends_at": lambda d: d.ends_at,
}
_SORTS = {"ID": "id", "CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "RELEVANCE": "id"}


def find(asked: Asked, id: int) -> DiscountNodeView | None:
    """A discount with codes; an automatic one is none."""
    record = asked.devstore.discount_by_id(asked.shop, id)
    return DiscountNodeView(record) if record and not record.automatic else None


def by_gid(asked: Asked, id: str) -> Discount | None:
    found = find(asked, number(id, "DiscountCodeNode") or 0)
    return found.record if found else None


def by_code(_: Any, asked: Asked, code: str) -> DiscountNodeView | None:
    record = asked.devstore.discount(asked.shop, code)
    return DiscountNodeView(record) if record else None


def connection(
    _: Any, asked: Asked, page: Page, query: str | None = None, sortKey: str = "CREATED_AT"
) -> dict[str, Any]:
    if sortKey not in _SORTS:
        raise unknown(f"codeDiscountNodes(sortKey: {sortKey})")
    wanted = Search(query or "", _SEARCH, lambda d: d.title)
    found = stored_page(
        asked.devstore.store,
        Discount,
        asked.shop.id,
        page,
        order=_SORTS[sortKey],
        keep=lambda d: not d.automatic and wanted.matches(d),
        not_before=wanted.lower(_SORTS[sortKey]),
    )
    return mapped(found, DiscountNodeView)


def _money(asked: Asked, minor: int) -> dict[str, Any]:
    return {"amount": graphql_amount(minor, asked.shop.currency), "currencyCode": asked.shop.currency}


def _items(items: Items) -> dict[str, Any]:
    if items.all:
        return {"__typename": "AllDiscountItems", "allItems": True}
    if items.collections:
        return {"__typename": "DiscountCollections", "items": items}
    return {"__typename": "DiscountProducts", "items": items}


def _percentage(percent: str) -> dict[str, Any]:
    return {"__typename": "DiscountPercentage", "percentage": float(Decimal(percent) / 100)}


def _gets(v: DiscountView, asked: Asked) -> dict[str, Any]:
    d = v.record
    if d.kind == "bxgy":
        value: dict[str, Any] = {
            "__typename": "DiscountOnQuantity",
            "quantity": {"quantity": str(d.gets_quantity)},
            "effect": _percentage(d.percent),
        }
    elif d.kind == "fixed_amount":
        value = {
            "__typename": "DiscountAmount",
            "amount": _money(asked, d.amount_minor),
            "appliesOnEachItem": d.each,
        }
    else:
        value = _percentage(d.percent)
    return {"value": value, "items": _items(d.items), "appliesOnOneTimePurchase": True, "appliesOnSubscription": False}


def _buys(v: DiscountView, asked: Asked) -> dict[str, Any]:
    d = v.record
    value = (
        {"__typename": "DiscountQuantity", "quantity": str(d.buys_quantity)}
        if d.buys_quantity is not None
        else {"__typename": "DiscountPurchaseAmount", "amount": graphql_amount(d.buys_minor or 0, asked.shop.currency)}
    )
    return {"value": value, "items": _items(d.buys), "isOneTimePurchase": True, "isSubscription": False}


def _minimum(v: DiscountView, asked: Asked) -> dict[str, Any] | None:
    if v.record.minimum_minor:
        subtotal = _money(asked, v.record.minimum_minor)
        return {"__typename": "DiscountMinimumSubtotal", "greaterThanOrEqualToSubtotal": subtotal}
    if v.record.minimum_quantity:
        quantity = str(v.record.minimum_quantity)
        return {"__typename": "DiscountMinimumQuantity", "greaterThanOrEqualToQuantity": quantity}
    return None


def _combines(v: DiscountView, _: Asked) -> dict[str, Any]:
    allowed = v.record.combines
    return {
        "productDiscounts": allowed.product,
        "orderDiscounts": allowed.order,
        "shippingDiscounts": allowed.shipping,
        "productDiscountsWithTagsOnSameCartLine": [],
    }


def _summary(v: DiscountView, asked: Asked) -> str:
    return summary(v.record, asked.shop.currency)


def _short_summary(v: DiscountView, asked: Asked) -> str:
    return _summary(v, asked).split(" • ")[0]


def _starts(d: Discount) -> datetime:
    return d.starts_at or d.created_at


_SHARED: dict[str, Any] = {
    "title": lambda v, _: v.record.title,
    "status": lambda v, _: v.record.status(clock.now()).upper(),
    "summary": _summary,
    "startsAt": lambda v, _: clock.graphql(_starts(v.record)),
    "endsAt": lambda v, _: clock.graphql(v.record.ends_at),
    "createdAt": lambda v, _: clock.graphql(v.record.created_at),
    "updatedAt": lambda v, _: clock.graphql(v.record.updated_at),
    "asyncUsageCount": lambda v, _: v.record.used,
    "discountClass": lambda v, _: v.record.discount_class.upper(),
    "discountClasses": lambda v, _: [v.record.discount_class.upper()],
    "combinesWith": _combines,
    "codes": lambda v, asked, page, query=None, sortKey="ID": codes(asked, v.record, page, query, sortKey),
    "codesCount": lambda v, asked: count(asked, v.record),
    "context": lambda v, _: {"__typename": "DiscountBuyerSelectionAll", "all": "ALL"},
    "appliesOncePerCustomer": lambda v, _: False,
    "usageLimit": lambda v, _: v.record.usage_limit,
    "tags": lambda v, _: v.record.tags,
    "hasTimelineComment": lambda v, _: False,
}

register(
    "DiscountCodeNode",
    {
        "id": lambda v, _: gid("DiscountCodeNode", v.record.id),
        "codeDiscount": lambda v, _: DiscountView(v.record),
    },
)
register(
    "DiscountCodeBasic",
    {
        **_SHARED,
        "customerGets": _gets,
        "minimumRequirement": _minimum,
        "recurringCycleLimit": lambda v, _: None,
        "shortSummary": _short_summary,
    },
)
register(
    "DiscountCodeFreeShipping",
    {
        **_SHARED,
        "minimumRequirement": _minimum,
        "destinationSelection": lambda v, _: {"__typename": "DiscountCountryAll", "allCountries": True},
        "maximumShippingPrice": lambda v, asked: (
            _money(asked, v.record.maximum_shipping_minor) if v.record.maximum_shipping_minor is not None else None
        ),
        "appliesOnOneTimePurchase": lambda v, _: True,
        "appliesOnSubscription": lambda v, _: False,
        "recurringCycleLimit": lambda v, _: None,
        "shortSummary": _short_summary,
    },
)
register(
    "DiscountCodeBxgy",
    {
        **_SHARED,
        "customerBuys": _buys,
        "customerGets": _gets,
        "usesPerOrderLimit": lambda v, _: v.record.uses_per_order,
    },
)


def _products(v: dict[str, Any], asked: Asked, page: Page) -> Any:
    found = [asked.devstore.product(asked.shop, id) for id in v["items"].products]
    return pages([ProductView(product) for product in found if product], lambda p: p.record.id, page)


def _variants(v: dict[str, Any], asked: Asked, page: Page) -> Any:
    found = [asked.devstore.variant(asked.shop, id) for id in v["items"].variants]
    return pages([VariantView(*pair) for pair in found if pair], lambda p: p.record.id, page)


def _collections(v: dict[str, Any], asked: Asked, page: Page) -> Any:
    found = [find_collection(asked, id) for id in v["items"].collections]
    return pages([collection for collection in found if collection], lambda c: c.id, page)


register("DiscountProducts", {"products": _products, "productVariants": _variants})
register("DiscountCollections", {"collections": _collections})
register(
    "QueryRoot",
    {
        "codeDiscountNode": lambda _, asked, id: find(asked, number(id, "DiscountCodeNode") or 0),
        "codeDiscountNodeByCode": by_code,
        "codeDiscountNodes": connection,
    },
)

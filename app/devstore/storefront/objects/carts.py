"""`cart` and its `line_item`s, from the order the cart would become."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...bodies.orders import allocated
from ...money import decimals
from ...ordering.figures import figures
from ...records import DiscountApplication, Order, Shop
from ..dialect import Drop
from ..dialect.money import as_liquid_amount
from .catalogue import Catalogue
from .globals import currency_drop


def cart_drop(
    catalogue: Catalogue, shop: Shop, quote: Order | None, *, note: str = "", attributes: dict[str, str] | None = None
) -> Drop:
    """The cart; `quote` is its lines as an unsaved order without shipping, None when it is empty."""
    exponent = decimals(shop.currency)

    def price(minor: int) -> int:
        return as_liquid_amount(minor, exponent)

    totals = figures(quote) if quote else None
    applied = quote.discount_applications if quote else []
    items: list[Drop] = []
    for number, found in enumerate(totals.lines if totals else (), start=1):
        items.append(_line(catalogue, number, found, applied, price))
    facts: dict[str, Any] = {
        "items": items,
        "item_count": sum(item["quantity"] for item in items),
        "empty?": not items,
        "currency": currency_drop(shop.currency),
        "original_total_price": price(totals.line_items_minor) if totals else 0,
        "items_subtotal_price": sum(item["final_line_price"] for item in items),
        "total_price": price(totals.subtotal_minor) if totals else 0,
        "checkout_charge_amount": price(totals.subtotal_minor) if totals else 0,
        "total_discount": price(totals.discounts_minor) if totals else 0,
        "total_weight": 0,
        "requires_shipping": any(item["requires_shipping"] for item in items),
        "taxes_included": shop.taxes_included,
        "note": note,
        "attributes": dict(attributes or {}),
        "cart_level_discount_applications": [
            {**_application(a), "total_allocated_amount": price(allocated(quote, index))}
            for index, a in enumerate(applied)
            if quote and a.target_type == "line_item" and not _of_a_line(a)
        ],
    }
    return Drop(facts)


def discount_rows(
    codes: Sequence[str], problems: Mapping[str, str], quote: Order | None, price: Callable[[int], int | None]
) -> list[dict[str, Any]]:
    """For the cart's and the checkout's sums: what every discount takes off, and why a code takes off nothing."""
    applied = list(enumerate(quote.discount_applications)) if quote else []
    rows = [
        {
            "title": a.code or a.title,
            "code": a.code or "",
            "shipping": a.target_type == "shipping_line",
            "amount": price(allocated(quote, index)) if quote else None,
        }
        for index, a in applied
    ]
    waiting = [] if quote else [{"title": code, "code": code} for code in codes]
    refused = [{"title": code, "code": code, "problem": problems[code]} for code in codes if code in problems]
    return [*rows, *refused, *waiting]


def _of_a_line(applied: DiscountApplication) -> bool:
    """Of some products, and so shown with their lines; not of the whole cart."""
    return applied.target_type == "line_item" and applied.target_selection == "entitled"


def _application(applied: DiscountApplication) -> dict[str, Any]:
    return {
        "title": applied.code or applied.title,
        "type": applied.kind,
        "value": applied.value,
        "value_type": applied.value_type,
        "allocation_method": applied.allocation_method,
        "target_selection": applied.target_selection,
        "target_type": applied.target_type,
    }


def _line(catalogue: Catalogue, number: int, found: Any, applied: list[DiscountApplication], price: Any) -> Drop:
    line = found.line
    own = [(applied[a.application], a.amount_minor) for a in line.allocations if _of_a_line(applied[a.application])]
    net = line.price_minor * line.quantity - sum(minor for _, minor in own)
    product = catalogue.devstore.product(catalogue.shop, line.product_id)
    if product is None:  # a quote is made of variants that exist
        raise LookupError(line.product_id)
    variant = next(variant for variant in product.variants if variant.id == line.variant_id)
    facts = {
        "id": line.variant_id,
        "key": f"{line.variant_id}:{number}",
        "index": number,
        "title": line.title if line.variant_title is None else f"{line.title} - {line.variant_title}",
        "product_title": line.title,
        "variant_title": line.variant_title,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "vendor": line.vendor,
        "sku": line.sku,
        "quantity": line.quantity,
        "price": price(line.price_minor),
        "original_price": price(line.price_minor),
        "line_price": price(line.price_minor * line.quantity),
        "original_line_price": price(line.price_minor * line.quantity),
        "final_price": price(net // line.quantity),
        "final_line_price": price(net),
        "line_level_discount_allocations": [
            {"amount": price(minor), "discount_application": _application(a)} for a, minor in own
        ],
        "discounts": [{"title": a.code or a.title, "amount": price(minor)} for a, minor in own],
        "line_level_total_discount": price(sum(minor for _, minor in own)),
        "total_discount": price(found.discount_minor),
        "gift_card": line.gift_card,
        "taxable": line.taxable,
        "requires_shipping": line.requires_shipping,
        "properties": {},
        "url": f"{catalogue.root}products/{product.handle}?variant={line.variant_id}",
        "url_to_remove": f"{catalogue.root}cart/change?line={number}&quantity=0",
        "image": catalogue.image(product),
    }
    return Drop(
        facts,
        {"product": lambda: catalogue.product(product), "variant": lambda: catalogue.variant(product, variant)},
        text=facts["title"],
    )

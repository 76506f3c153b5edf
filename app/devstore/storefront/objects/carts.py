"""`cart` and its `line_item`s, from the order the cart would become."""

from __future__ import annotations

from typing import Any

from ...money import decimals
from ...ordering.figures import figures
from ...records import Order, Shop
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
    saved = [
        sum(a.amount_minor for line in quote.lines for a in line.allocations if a.application == index) if quote else 0
        for index in range(len(applied))
    ]
    items: list[Drop] = []
    for number, found in enumerate(totals.lines if totals else (), start=1):
        items.append(_line(catalogue, number, found, price))
    facts: dict[str, Any] = {
        "items": items,
        "item_count": sum(item["quantity"] for item in items),
        "empty?": not items,
        "currency": currency_drop(shop.currency),
        "original_total_price": price(totals.line_items_minor) if totals else 0,
        "items_subtotal_price": price(totals.subtotal_minor) if totals else 0,
        "total_price": price(totals.subtotal_minor) if totals else 0,
        "checkout_charge_amount": price(totals.subtotal_minor) if totals else 0,
        "total_discount": price(totals.discounts_minor) if totals else 0,
        "total_weight": 0,
        "requires_shipping": any(item["requires_shipping"] for item in items),
        "taxes_included": shop.taxes_included,
        "note": note,
        "attributes": dict(attributes or {}),
        "cart_level_discount_applications": [
            {"title": a.code or a.title, "type": a.kind, "total_allocated_amount": price(amount)}
            for a, amount in zip(applied, saved, strict=True)
        ],
    }
    return Drop(facts)


def _line(catalogue: Catalogue, number: int, found: Any, price: Any) -> Drop:
    line = found.line
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
        "final_price": price(found.net_minor // line.quantity),
        "final_line_price": price(found.net_minor),
        "line_level_total_discount": price(found.discount_minor),
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

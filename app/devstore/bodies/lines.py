"""REST bodies of line items and shipping lines, with what discounts and taxes did to them."""

from __future__ import annotations

from typing import Any

from ..ordering.figures import LineFigures, shipping_net
from ..records import Allocation, Line, ShippingLine, TaxLine
from .amounts import Amounts


def line_body(money: Amounts, f: LineFigures) -> dict[str, Any]:
    line = f.line
    return {
        "id": line.id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}",
        "attributed_staffs": [],
        "current_quantity": f.current,
        "fulfillable_quantity": f.fulfillable,
        "fulfillment_service": "gift_card" if line.gift_card else "manual",
        "fulfillment_status": f.fulfilment_status,
        "gift_card": line.gift_card,
        "grams": 0,
        "name": line_name(line),
        **money.both("price", line.price_minor),
        "product_exists": line.product_id is not None,
        "product_id": line.product_id,
        "properties": [],
        "quantity": line.quantity,
        "requires_shipping": line.requires_shipping,
        "sales_line_item_group_id": None,
        "sku": line.sku,
        "taxable": line.taxable,
        "title": line.title,
        # Only discounts tied to the line itself are counted here; allocations carry the shared ones.
        **money.both("total_discount", 0),
        "variant_id": line.variant_id,
        "variant_inventory_management": None if line.gift_card else "shopify",
        "variant_title": line.variant_title,
        "vendor": line.vendor,
        "tax_lines": [tax_body(money, tax) for tax in line.taxes],
        "duties": [],
        "discount_allocations": _allocations(money, line.allocations),
    }


def shipping_body(money: Amounts, line: ShippingLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "carrier_identifier": None,
        "code": line.code,
        "current_discounted_price_set": money.set(shipping_net(line)),
        **money.both("discounted_price", shipping_net(line)),
        "is_removed": False,
        "phone": None,
        **money.both("price", line.price_minor),
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": line.title,
        "tax_lines": [tax_body(money, tax) for tax in line.taxes],
        "discount_allocations": _allocations(money, line.allocations),
    }


def line_name(line: Line) -> str:
    return f"{line.title} - {line.variant_title}" if line.variant_title else line.title


def tax_body(money: Amounts, tax: TaxLine) -> dict[str, Any]:
    return {
        "channel_liable": False,
        **money.both("price", tax.amount_minor),
        "rate": float(tax.rate),
        "title": tax.title,
    }


def _allocations(money: Amounts, allocations: list[Allocation]) -> list[dict[str, Any]]:
    return [{**money.both("amount", a.amount_minor), "discount_application_index": a.application} for a in allocations]

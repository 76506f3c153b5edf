"""REST bodies of orders, refunds and edits, as the webhooks of API version 2026-10 carry them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .. import clock
from ..ordering.figures import Figures, LineFigures, figures, shipping_net
from ..records import Allocation, Fulfilment, Line, Order, Refund, RefundLine, ShippingLine, Shop, TaxLine, Transaction
from .amounts import Amounts
from .people import address, customer_body

if TYPE_CHECKING:
    from ..state import DevStore


def order_body(devstore: DevStore, shop: Shop, order: Order) -> dict[str, Any]:
    """The whole order, as orders/create, paid, updated, fulfilled and cancelled send it."""
    money, totals = Amounts.of(order), figures(order)
    customer = devstore.customer(shop, order.customer_id) if order.customer_id else None
    where = address(shop, customer) if customer else None
    lines = {f.line.id: line_body(money, f) for f in totals.lines}
    return {
        "id": order.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
        "app_id": 580111,
        "browser_ip": "127.0.0.1",
        "buyer_accepts_marketing": False,
        "cancel_reason": order.cancel_reason,
        "cancelled_at": clock.rest(order.cancelled_at, shop.timezone),
        "cart_token": order.cart_token,
        "checkout_token": order.token[::-1],
        "client_details": None,
        "closed_at": clock.rest(order.closed_at, shop.timezone),
        "company": None,
        "confirmation_number": order.token[:9].upper(),
        "confirmed": True,
        "contact_email": order.email,
        "created_at": clock.rest(order.created_at, shop.timezone),
        "currency": order.currency,
        "current_shipping_price_set": money.set(totals.current_shipping_minor),
        **money.both("current_subtotal_price", totals.current_subtotal_minor),
        "current_total_additional_fees_set": None,
        **money.both("current_total_discounts", totals.current_discounts_minor),
        "current_total_duties_set": None,
        **money.both("current_total_price", totals.current_total_minor),
        **money.both("current_total_tax", totals.current_tax_minor),
        "customer_locale": shop.locale,
        "device_id": None,
        "discount_codes": _codes(money, order),
        "duties_included": False,
        "email": order.email,
        "estimated_taxes": False,
        "financial_status": totals.financial_status,
        "fulfillment_status": totals.fulfilment_status,
        "landing_site": "/",
        "landing_site_ref": None,
        "location_id": None,
        "merchant_business_entity_id": None,
        "merchant_of_record_app_id": None,
        "name": order.name,
        "note": order.note,
        "note_attributes": [{"name": name, "value": value} for name, value in order.attributes.items()],
        "number": order.number - 1000,
        "order_number": order.number,
        "order_status_url": status_url(shop, order),
        "original_total_additional_fees_set": None,
        "original_total_duties_set": None,
        "payment_gateway_names": sorted({t.gateway for t in order.transactions}),
        "phone": None,
        "po_number": None,
        "presentment_currency": order.presentment_currency,
        "processed_at": clock.rest(order.processed_at, shop.timezone),
        "reference": None,
        "referring_site": "",
        "source_identifier": None,
        "source_name": order.source_name,
        "source_url": None,
        **money.both("subtotal_price", totals.subtotal_minor),
        "tags": ", ".join(order.tags),
        "tax_exempt": False,
        "tax_lines": _tax_totals(money, order),
        "taxes_included": order.taxes_included,
        "test": order.test,
        "token": order.token,
        "total_cash_rounding_payment_adjustment_set": money.set(0),
        "total_cash_rounding_refund_adjustment_set": money.set(0),
        **money.both("total_discounts", totals.discounts_minor),
        **money.both("total_line_items_price", totals.line_items_minor),
        "total_outstanding": money.text(totals.outstanding_minor),
        **money.both("total_price", totals.total_minor),
        "total_shipping_price_set": money.set(totals.shipping_minor),
        **money.both("total_tax", totals.tax_minor),
        "total_tip_received": money.text(order.tip_minor),
        "total_weight": 0,
        "updated_at": clock.rest(order.updated_at, shop.timezone),
        "user_id": None,
        "billing_address": where,
        "customer": customer_body(shop, customer) if customer else None,
        "discount_applications": [_application(order, i) for i in range(len(order.discount_applications))],
        "fulfillments": [_fulfilment(shop, order, n, f, lines) for n, f in enumerate(order.fulfilments, 1)],
        "line_items": list(lines.values()),
        "payment_terms": None,
        "refunds": [refund_body(devstore, shop, order, refund) for refund in order.refunds],
        "shipping_address": where,
        "shipping_lines": [shipping_body(money, line) for line in order.shipping],
        "returns": [],
        "line_item_groups": [],
    }


def refund_body(devstore: DevStore, shop: Shop, order: Order, refund: Refund) -> dict[str, Any]:
    """As refunds/create sends it, and as the order's own ``refunds`` carries it."""
    money, totals = Amounts.of(order), figures(order)
    by_id = {line.id: line for line in order.shipping}
    return {
        "id": refund.id,
        "order_id": order.id,
        "created_at": clock.rest(refund.created_at, shop.timezone),
        "note": refund.note,
        "user_id": None,
        "processed_at": clock.rest(refund.created_at, shop.timezone),
        "duties": [],
        "total_duties_set": money.set(0),
        "return": None,
        "refund_shipping_lines": [
            {
                "id": back.id,
                "shipping_line_id": back.shipping_line_id,
                "subtotal_amount_set": money.set(back.subtotal_minor),
                "tax_amount_set": money.set(back.tax_minor),
                "shipping_line": shipping_body(money, by_id[back.shipping_line_id]),
            }
            for back in refund.shipping
        ],
        "restock": refund.restock,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund.id}",
        "order_adjustments": [
            {
                "id": a.id,
                "order_id": order.id,
                "refund_id": refund.id,
                **money.both("amount", a.amount_minor),
                **money.both("tax_amount", a.tax_minor),
                "kind": a.kind,
                "reason": a.reason,
            }
            for a in refund.adjustments
        ],
        "refund_line_items": [_refund_line(shop, money, totals, back) for back in refund.lines],
        "transactions": [
            _transaction(shop, order, money, t) for t in order.transactions if t.id in refund.transaction_ids
        ],
    }


def edit_body(
    shop: Shop, order: Order, id: int, at: datetime, additions: dict[int, int], removals: dict[int, int]
) -> dict[str, Any]:
    """orders/edited: which lines changed by how much; no order. ``additions`` and ``removals`` are units by line id."""
    return {
        "order_edit": {
            "id": id,
            "app_id": None,
            "created_at": clock.rest(at, shop.timezone),
            "notify_customer": False,
            "order_id": order.id,
            "staff_note": "",
            "user_id": None,
            "line_items": {
                "additions": [{"id": line, "delta": delta} for line, delta in additions.items()],
                "removals": [{"id": line, "delta": delta} for line, delta in removals.items()],
            },
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
            "committed_at": clock.rest(at, shop.timezone),
        }
    }


def status_url(shop: Shop, order: Order) -> str:
    """The order's status page; the shop's id is in its path, which is what ties a webhook's body to its shop."""
    return f"https://{shop.domain}/{shop.id}/orders/{order.token}/authenticate?key={order.token[:12]}"


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
        "tax_lines": [_tax(money, tax) for tax in line.taxes],
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
        "tax_lines": [_tax(money, tax) for tax in line.taxes],
        "discount_allocations": _allocations(money, line.allocations),
    }


def line_name(line: Line) -> str:
    return f"{line.title} - {line.variant_title}" if line.variant_title else line.title


def _tax(money: Amounts, tax: TaxLine) -> dict[str, Any]:
    return {
        "channel_liable": False,
        **money.both("price", tax.amount_minor),
        "rate": float(tax.rate),
        "title": tax.title,
    }


def _tax_totals(money: Amounts, order: Order) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], int] = {}
    for line in (*order.lines, *order.shipping):
        for tax in line.taxes:
            sums[tax.title, tax.rate] = sums.get((tax.title, tax.rate), 0) + tax.amount_minor
    return [_tax(money, TaxLine(title, rate, minor)) for (title, rate), minor in sums.items()]


def _allocations(money: Amounts, allocations: list[Allocation]) -> list[dict[str, Any]]:
    return [{**money.both("amount", a.amount_minor), "discount_application_index": a.application} for a in allocations]


def allocated(order: Order, index: int) -> int:
    """What one discount application took off, lines and shipping together."""
    return sum(
        a.amount_minor for line in (*order.lines, *order.shipping) for a in line.allocations if a.application == index
    )


def _codes(money: Amounts, order: Order) -> list[dict[str, Any]]:
    return [
        {
            "code": a.code,
            "amount": money.text(allocated(order, i)),
            "type": "shipping" if a.target_type == "shipping_line" else a.value_type,
        }
        for i, a in enumerate(order.discount_applications)
        if a.code
    ]


def _application(order: Order, index: int) -> dict[str, Any]:
    a = order.discount_applications[index]
    named = {"code": a.code} if a.code else {"title": a.title}
    if a.kind == "manual":
        named["description"] = a.title
    return {
        "target_type": a.target_type,
        "type": a.kind,
        "value": a.value,
        "value_type": a.value_type,
        "allocation_method": a.allocation_method,
        "target_selection": a.target_selection,
        **named,
    }


def _fulfilment(shop: Shop, order: Order, n: int, made: Fulfilment, lines: dict[int, dict[str, Any]]) -> dict[str, Any]:
    at = clock.rest(made.created_at, shop.timezone)
    return {
        "id": made.id,
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{made.id}",
        "created_at": at,
        "location_id": shop.id + 7,
        "name": f"{order.name}.{n}",
        "order_id": order.id,
        "origin_address": {},
        "receipt": {},
        "service": made.service,
        "shipment_status": None,
        "status": "success",
        "tracking_company": made.tracking_company,
        "tracking_number": made.tracking_number,
        "tracking_numbers": [made.tracking_number] if made.tracking_number else [],
        "tracking_url": None,
        "tracking_urls": [],
        "updated_at": at,
        "line_items": [{**lines[f.line_id], "quantity": f.quantity} for f in made.lines],
    }


def _refund_line(shop: Shop, money: Amounts, totals: Figures, back: RefundLine) -> dict[str, Any]:
    return {
        "id": back.id,
        "line_item_id": back.line_id,
        "location_id": None if back.restock_type == "no_restock" else shop.id + 7,
        "quantity": back.quantity,
        "restock_type": back.restock_type,
        # Shopify prints these two as numbers, everything else as strings.
        "subtotal": float(money.text(back.subtotal_minor)),
        "subtotal_set": money.set(back.subtotal_minor),
        "total_tax": float(money.text(back.tax_minor)),
        "total_tax_set": money.set(back.tax_minor),
        "line_item": line_body(money, totals.line(back.line_id)),
    }


def _transaction(shop: Shop, order: Order, money: Amounts, t: Transaction) -> dict[str, Any]:
    at = clock.rest(t.processed_at, shop.timezone)
    return {
        "id": t.id,
        "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{t.id}",
        "amount": money.text(t.amount_minor),
        "amount_rounding": None,
        "authorization": None,
        "created_at": at,
        "currency": order.currency,
        "device_id": None,
        "error_code": None,
        "gateway": t.gateway,
        "kind": t.kind,
        "location_id": None,
        "manual_payment_gateway": False,
        "message": "Bogus Gateway: Forced success",
        "order_id": order.id,
        "parent_id": t.parent_id,
        "payment_id": f"{order.name}.{t.id % 100}",
        "processed_at": at,
        "receipt": {},
        "source_name": order.source_name,
        "status": t.status,
        "test": order.test,
        "total_unsettled_set": {
            side: {"amount": "0.0", "currency": order.currency} for side in ("presentment_money", "shop_money")
        },
        "user_id": None,
    }

"""REST bodies of orders, refunds and edits, as the webhooks of API version 2026-10 carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import clock
from ..ordering.figures import figures
from ..records import Fulfilment, Order, Shop, TaxLine
from .amounts import Amounts
from .lines import line_body, shipping_body, tax_body
from .people import address, customer_body
from .refunds import refund_body

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
        "refunds": [refund_body(shop, order, refund) for refund in order.refunds],
        "shipping_address": where,
        "shipping_lines": [shipping_body(money, line) for line in order.shipping],
        "returns": [],
        "line_item_groups": [],
    }


def status_url(shop: Shop, order: Order) -> str:
    """The order's status page; the shop's id is in its path, which is what ties a webhook's body to its shop."""
    return f"https://{shop.domain}/{shop.id}/orders/{order.token}/authenticate?key={order.token[:12]}"


def _tax_totals(money: Amounts, order: Order) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], int] = {}
    for line in order.all_lines:
        for tax in line.taxes:
            sums[tax.title, tax.rate] = sums.get((tax.title, tax.rate), 0) + tax.amount_minor
    return [tax_body(money, TaxLine(title, rate, minor)) for (title, rate), minor in sums.items()]


def allocated(order: Order, index: int) -> int:
    """What one discount application took off, lines and shipping together."""
    return sum(a.amount_minor for line in order.all_lines for a in line.allocations if a.application == index)


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

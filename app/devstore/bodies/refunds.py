"""REST bodies of refunds and of order edits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .. import clock
from ..ordering.figures import Figures, figures
from ..records import Order, Refund, RefundLine, Shop, Transaction
from .amounts import Amounts
from .lines import line_body, shipping_body


def refund_body(shop: Shop, order: Order, refund: Refund) -> dict[str, Any]:
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
        "message": "Bogus Gateway: Forced success" if t.gateway == "bogus" else None,
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

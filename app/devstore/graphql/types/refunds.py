"""Refunds: their lines, shipping, adjustments and transactions."""

from __future__ import annotations

from typing import Any

from ... import clock
from ..gids import gid
from ..paging import Page, pages
from ..resolving import Asked, register
from ..views import RefundView, TransactionView

_REASONS = {
    "Refund discrepancy": "REFUND_DISCREPANCY",
    "Pending refund discrepancy": "PENDING_REFUND_DISCREPANCY",
}


def _lines(v: RefundView, _: Asked, page: Page) -> Any:
    items: list[dict[str, Any]] = [
        {
            "number": back.id,
            "id": gid("RefundLineItem", back.id),
            "quantity": back.quantity,
            "restockType": back.restock_type.upper(),
            "restocked": back.restock_type != "no_restock",
            "lineItem": v.order.line(back.line_id),
            "priceSet": v.order.money(v.order.record.line(back.line_id).price_minor),
            "subtotalSet": v.order.money(back.subtotal_minor),
            "totalTaxSet": v.order.money(back.tax_minor),
        }
        for back in v.record.lines
    ]
    return pages(items, lambda i: i["number"], page)


def _shipping(v: RefundView, _: Asked, page: Page) -> Any:
    by_id = {line.id: line for line in v.order.record.shipping}
    items: list[dict[str, Any]] = [
        {
            "number": back.id,
            "id": gid("RefundShippingLine", back.id),
            "shippingLine": (v.order, by_id[back.shipping_line_id]),
            "subtotalAmountSet": v.order.money(back.subtotal_minor),
            "taxAmountSet": v.order.money(back.tax_minor),
        }
        for back in v.record.shipping
    ]
    return pages(items, lambda i: i["number"], page)


def _adjustments(v: RefundView, _: Asked, page: Page) -> Any:
    """Discrepancies alone: what was paid back for shipping is in refundShippingLines here."""
    items: list[dict[str, Any]] = [
        {
            "number": a.id,
            "id": gid("OrderAdjustment", a.id),
            "reason": _REASONS[a.reason],
            "amountSet": v.order.money(a.amount_minor),
            "taxAmountSet": v.order.money(a.tax_minor),
        }
        for a in v.record.adjustments
        if a.kind == "refund_discrepancy"
    ]
    return pages(items, lambda i: i["number"], page)


def _transactions(v: RefundView, _: Asked, page: Page) -> Any:
    items = [TransactionView(v.order, t) for t in v.order.record.transactions if t.id in v.record.transaction_ids]
    return pages(items, lambda i: i.record.id, page)


def _refunded(v: RefundView, _: Asked) -> dict[str, Any]:
    ids = v.record.transaction_ids
    return v.order.money(sum(t.amount_minor for t in v.order.record.transactions if t.id in ids))


register(
    "Refund",
    {
        "id": lambda v, _: gid("Refund", v.record.id),
        "legacyResourceId": lambda v, _: str(v.record.id),
        "createdAt": lambda v, _: clock.graphql(v.record.created_at),
        "processedAt": lambda v, _: clock.graphql(v.record.created_at),
        "updatedAt": lambda v, _: clock.graphql(v.record.created_at),
        "note": lambda v, _: v.record.note,
        "order": lambda v, _: v.order,
        "return": lambda v, _: None,
        "totalRefundedSet": _refunded,
        "refundLineItems": _lines,
        "refundShippingLines": _shipping,
        "orderAdjustments": _adjustments,
        "transactions": _transactions,
    },
)

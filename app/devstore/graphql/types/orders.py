"""Order: totals, statuses, and the way to its lines, refunds, fulfilments and transactions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ... import clock
from ...bodies.orders import status_url
from ...records import Order
from ..access import has
from ..gids import gid
from ..paging import Page, mapped, pages, stored_page
from ..resolving import Asked, register, unknown
from ..searching import Search
from ..views import CustomerView, FulfilmentView, LineView, OrderView, RefundView, TransactionView

_SORTS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "ID": "id", "PROCESSED_AT": "created_at"}
"""Orders here are processed when they are created."""
_VISIBLE = timedelta(days=60)

_SEARCH = {
    "id": lambda o: o.id,
    "name": lambda o: [o.name, str(o.number)],
    "email": lambda o: o.email or "",
    "created_at": lambda o: o.created_at,
    "processed_at": lambda o: o.processed_at,
    "updated_at": lambda o: o.updated_at,
    "customer_id": lambda o: o.customer_id,
    "test": lambda o: o.test,
    "tag": lambda o: o.tags,
    "source_name": lambda o: o.source_name,
    "cart_token": lambda o: o.cart_token or "",
    "discount_code": lambda o: next((a.code for a in o.discount_applications if a.code), ""),
    "status": lambda o: ["cancelled" if o.cancelled_at else "closed" if o.closed_at else "open", "any"],
    "financial_status": lambda o: _totals(o).financial_status,
    "fulfillment_status": lambda o: {None: "unshipped", "partial": "partial", "fulfilled": "shipped"}[
        _totals(o).fulfilment_status
    ],
}


def _totals(order: Order) -> Any:
    from ...ordering.figures import figures

    return figures(order)


def find(asked: Asked, id: int) -> OrderView | None:
    """The order, unless it is older than the app may see."""
    record = asked.devstore.order(asked.shop, id)
    return OrderView(asked.shop, record) if record and visible(asked, record) else None


def find_refund(asked: Asked, id: int) -> RefundView | None:
    """A refund of any order the app may see."""
    for record in asked.devstore.store.page(Order, asked.shop.id, reverse=True):
        for refund in record.refunds:
            if refund.id == id and visible(asked, record):
                return RefundView(OrderView(asked.shop, record), refund)
    return None


def find_line(asked: Asked, id: int) -> LineView | None:
    """A line item of any order the app may see."""
    for record in asked.devstore.store.page(Order, asked.shop.id, reverse=True):
        if any(line.id == id for line in record.lines) and visible(asked, record):
            return OrderView(asked.shop, record).line(id)
    return None


def visible(asked: Asked, record: Order) -> bool:
    """Without read_all_orders an app sees the last 60 days only."""
    return has(asked.scopes, "read_all_orders") or record.created_at >= clock.now() - _VISIBLE


def search(query: str | None) -> Search:
    return Search(
        query or "", _SEARCH, lambda o: f"{o.name} {o.email or ''} {' '.join(line.title for line in o.lines)}"
    )


def connection(
    asked: Asked,
    page: Page,
    *,
    query: str | None = None,
    sortKey: str = "PROCESSED_AT",
    customer_id: int | None = None,
) -> dict[str, Any]:
    """Orders of the shop, or of one customer."""
    if sortKey not in _SORTS:
        raise unknown(f"orders(sortKey: {sortKey})")
    wanted = search(query)
    order = _SORTS[sortKey]
    found = stored_page(
        asked.devstore.store,
        Order,
        asked.shop.id,
        page,
        order=order,
        keep=lambda o: (customer_id in (None, o.customer_id)) and visible(asked, o) and wanted.matches(o),
        not_before=wanted.lower(order),
    )
    return mapped(found, lambda record: OrderView(asked.shop, record))


def count(asked: Asked, query: str | None, limit: int | None) -> dict[str, Any]:
    wanted = search(query)
    found = sum(visible(asked, o) and wanted.matches(o) for o in asked.devstore.store.page(Order, asked.shop.id))
    most = 10_000 if limit is None else limit
    return {"count": min(found, most), "precision": "AT_LEAST" if found > most else "EXACT"}


def _lines(o: OrderView, _: Asked, page: Page) -> Any:
    views = [LineView(o, f) for f in o.totals.lines]
    return pages(
        views,
        lambda v: v.figures.line.id,
        page,
    )


def _shipping_lines(o: OrderView, _: Asked, page: Page, includeRemovals=False) -> Any:
    views = [(o, line) for line in o.record.shipping]
    return pages(views, lambda v: v[1].id, page)


def _discounts(o: OrderView, _: Asked, page: Page) -> Any:
    views = [application(o, index) for index in range(len(o.record.discount_applications))]
    return pages(views, lambda v: v["index"], page)


def application(o: OrderView, index: int) -> dict[str, Any]:
    """A DiscountApplication: by code, automatic, or by staff."""
    a = o.record.discount_applications[index]
    kind = {"discount_code": "DiscountCodeApplication", "automatic": "AutomaticDiscountApplication"}
    percent = a.value_type == "percentage"
    value = (
        {"__typename": "PricingPercentageValue", "percentage": float(a.value)}
        if percent
        else {"__typename": "MoneyV2", "amount": f"{float(a.value)}", "currencyCode": o.record.currency}
    )
    return {
        "__typename": kind.get(a.kind, "ManualDiscountApplication"),
        "index": index,
        "code": a.code,
        "title": a.title,
        "description": a.title,
        "allocationMethod": a.allocation_method.upper(),
        "targetSelection": a.target_selection.upper(),
        "targetType": a.target_type.upper(),
        "value": value,
    }


def _tax_lines(o: OrderView, *, current: bool) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], int] = {}
    for f in o.totals.lines:
        for tax in f.line.taxes:
            part = f.current_tax_minor if current else tax.amount_minor
            sums[tax.title, tax.rate] = sums.get((tax.title, tax.rate), 0) + part
    return [tax_line(o, title, rate, minor) for (title, rate), minor in sums.items() if minor or not current]


def tax_line(o: OrderView, title: str, rate: str, minor: int) -> dict[str, Any]:
    return {
        "title": title,
        "rate": float(rate),
        "ratePercentage": float(rate) * 100,
        "channelLiable": False,
        "source": "shopify",
        "priceSet": o.money(minor),
    }


def _transactions(o: OrderView, _: Asked, first: int | None = None) -> list[TransactionView]:
    return [TransactionView(o, t) for t in o.record.transactions][:first]


def _address(o: OrderView, asked: Asked) -> dict[str, Any] | None:
    from .customers import address

    customer = asked.devstore.customer(asked.shop, o.record.customer_id) if o.record.customer_id else None
    return address(asked.shop, customer) if customer else None


def _customer(o: OrderView, asked: Asked) -> CustomerView | None:
    customer = asked.devstore.customer(asked.shop, o.record.customer_id) if o.record.customer_id else None
    return CustomerView(customer) if customer else None


_FULFILMENT = {None: "UNFULFILLED", "partial": "PARTIALLY_FULFILLED", "fulfilled": "FULFILLED"}

register(
    "Order",
    {
        "id": lambda o, _: gid("Order", o.record.id),
        "legacyResourceId": lambda o, _: str(o.record.id),
        "name": lambda o, _: o.record.name,
        "number": lambda o, _: o.record.number - 1000,
        "createdAt": lambda o, _: clock.graphql(o.record.created_at),
        "processedAt": lambda o, _: clock.graphql(o.record.processed_at),
        "updatedAt": lambda o, _: clock.graphql(o.record.updated_at),
        "cancelledAt": lambda o, _: clock.graphql(o.record.cancelled_at),
        "cancelReason": lambda o, _: o.record.cancel_reason and o.record.cancel_reason.upper(),
        "closed": lambda o, _: o.record.closed_at is not None,
        "closedAt": lambda o, _: clock.graphql(o.record.closed_at),
        "confirmed": lambda o, _: True,
        "edited": lambda o, _: o.record.edited,
        "test": lambda o, _: o.record.test,
        "email": lambda o, _: o.record.email,
        "phone": lambda o, _: None,
        "note": lambda o, _: o.record.note,
        "tags": lambda o, _: o.record.tags,
        "customAttributes": lambda o, _: [{"key": k, "value": v} for k, v in o.record.attributes.items()],
        "cartToken": lambda o, _: o.record.cart_token,
        "sourceName": lambda o, _: o.record.source_name,
        "statusPageUrl": lambda o, asked: status_url(asked.shop, o.record),
        "currencyCode": lambda o, _: o.record.currency,
        "presentmentCurrencyCode": lambda o, _: o.record.presentment_currency,
        "customerLocale": lambda o, asked: asked.shop.locale,
        "taxesIncluded": lambda o, _: o.record.taxes_included,
        "taxExempt": lambda o, _: False,
        "estimatedTaxes": lambda o, _: False,
        "dutiesIncluded": lambda o, _: False,
        "displayFinancialStatus": lambda o, _: o.totals.financial_status.upper(),
        "displayFulfillmentStatus": lambda o, _: _FULFILMENT[o.totals.fulfilment_status],
        "fullyPaid": lambda o, _: o.totals.outstanding_minor <= 0 and o.totals.financial_status != "voided",
        "unpaid": lambda o, _: o.totals.received_minor == 0 and o.totals.total_minor > 0,
        "requiresShipping": lambda o, _: any(line.requires_shipping for line in o.record.lines),
        "refundable": lambda o, _: o.totals.received_minor > o.totals.refunded_minor,
        "customer": _customer,
        "billingAddress": _address,
        "shippingAddress": _address,
        "displayAddress": _address,
        "lineItems": _lines,
        "subtotalLineItemsQuantity": lambda o, _: sum(line.quantity for line in o.record.lines),
        "currentSubtotalLineItemsQuantity": lambda o, _: sum(f.current for f in o.totals.lines),
        "shippingLines": _shipping_lines,
        "shippingLine": lambda o, _: (o, o.record.shipping[0]) if o.record.shipping else None,
        "discountApplications": _discounts,
        "discountCode": lambda o, _: next((a.code for a in o.record.discount_applications if a.code), None),
        "discountCodes": lambda o, _: [a.code for a in o.record.discount_applications if a.code],
        "taxLines": lambda o, _: _tax_lines(o, current=False),
        "currentTaxLines": lambda o, _: _tax_lines(o, current=True),
        "refunds": lambda o, _, first=None: [RefundView(o, r) for r in o.record.refunds][:first],
        "fulfillments": lambda o, _, first=None: [
            FulfilmentView(o, f, n) for n, f in enumerate(o.record.fulfilments, 1)
        ][:first],
        "transactions": _transactions,
        "paymentGatewayNames": lambda o, _: sorted({t.gateway for t in o.record.transactions}),
        "subtotalPriceSet": lambda o, _: o.money(o.totals.subtotal_minor),
        "totalPriceSet": lambda o, _: o.money(o.totals.total_minor),
        "originalTotalPriceSet": lambda o, _: o.money(o.record.original_total_minor),
        "totalTaxSet": lambda o, _: o.money(o.totals.tax_minor),
        "totalDiscountsSet": lambda o, _: o.money(o.totals.discounts_minor),
        "totalShippingPriceSet": lambda o, _: o.money(o.totals.shipping_minor),
        "totalTipReceivedSet": lambda o, _: o.money(o.record.tip_minor),
        "totalReceivedSet": lambda o, _: o.money(o.totals.received_minor),
        "totalRefundedSet": lambda o, _: o.money(o.totals.refunded_minor),
        "totalRefundedShippingSet": lambda o, _: o.money(o.totals.shipping_minor - o.totals.current_shipping_minor),
        "totalOutstandingSet": lambda o, _: o.money(o.totals.outstanding_minor),
        "netPaymentSet": lambda o, _: o.money(o.totals.received_minor - o.totals.refunded_minor),
        "currentSubtotalPriceSet": lambda o, _: o.money(o.totals.current_subtotal_minor),
        "currentTotalPriceSet": lambda o, _: o.money(o.totals.current_total_minor),
        "currentTotalTaxSet": lambda o, _: o.money(o.totals.current_tax_minor),
        "currentTotalDiscountsSet": lambda o, _: o.money(o.totals.current_discounts_minor),
        "currentShippingPriceSet": lambda o, _: o.money(o.totals.current_shipping_minor),
        "refundDiscrepancySet": lambda o, _: o.money(
            sum(a.amount_minor for r in o.record.refunds for a in r.adjustments if a.kind == "refund_discrepancy")
        ),
    },
)

"""Line items, shipping lines, fulfilments, transactions, and what discounts and taxes did to them."""

from __future__ import annotations

from typing import Any

from ... import clock
from ...bodies.lines import line_name
from ...money import portion
from ...ordering.figures import shipping_net
from ...records import Allocation, ShippingLine
from ..gids import gid
from ..paging import Page, pages
from ..resolving import Asked, register
from ..views import FulfilmentView, LineView, OrderView, ProductView, TransactionView, VariantView
from .orders import application, tax_line


def _allocations(o: OrderView, allocations: list[Allocation]) -> list[dict[str, Any]]:
    return [
        {"allocatedAmountSet": o.money(a.amount_minor), "discountApplication": application(o, a.application)}
        for a in allocations
    ]


def _product(v: LineView, asked: Asked) -> ProductView | None:
    id = v.figures.line.product_id
    found = asked.devstore.product(asked.shop, id) if id else None
    return ProductView(found) if found else None


def _variant(v: LineView, asked: Asked) -> VariantView | None:
    id = v.figures.line.variant_id
    found = asked.devstore.variant(asked.shop, id) if id else None
    return VariantView(*found) if found else None


def _unit_net(v: LineView, _: Asked) -> dict[str, Any]:
    """One unit's price after every discount, rounded."""
    return v.order.money(portion(v.figures.net_minor, 1, v.figures.line.quantity))


register(
    "LineItem",
    {
        "id": lambda v, _: gid("LineItem", v.figures.line.id),
        "title": lambda v, _: v.figures.line.title,
        "name": lambda v, _: line_name(v.figures.line),
        "variantTitle": lambda v, _: v.figures.line.variant_title,
        "vendor": lambda v, _: v.figures.line.vendor,
        "sku": lambda v, _: v.figures.line.sku or None,
        "quantity": lambda v, _: v.figures.line.quantity,
        "currentQuantity": lambda v, _: v.figures.current,
        "refundableQuantity": lambda v, _: v.figures.current,
        "unfulfilledQuantity": lambda v, _: v.figures.fulfillable,
        "nonFulfillableQuantity": lambda v, _: v.figures.taken,
        "isGiftCard": lambda v, _: v.figures.line.gift_card,
        "requiresShipping": lambda v, _: v.figures.line.requires_shipping,
        "taxable": lambda v, _: v.figures.line.taxable,
        "customAttributes": lambda v, _: [],
        "product": _product,
        "variant": _variant,
        "originalUnitPriceSet": lambda v, _: v.order.money(v.figures.line.price_minor),
        "originalTotalSet": lambda v, _: v.order.money(v.figures.line.price_minor * v.figures.line.quantity),
        # Without code discounts, which order-wide allocations are: Shopify counts discounts of the line alone here.
        "discountedUnitPriceSet": lambda v, _: v.order.money(v.figures.line.price_minor),
        "discountedUnitPriceAfterAllDiscountsSet": _unit_net,
        "totalDiscountSet": lambda v, _: v.order.money(0),
        "discountAllocations": lambda v, _: _allocations(v.order, v.figures.line.allocations),
        "taxLines": lambda v, _, first=None: [
            tax_line(v.order, t.title, t.rate, t.amount_minor) for t in v.figures.line.taxes
        ][:first],
    },
)


def _shipping(name: str) -> Any:
    """Shipping lines travel as (order, line)."""

    def read(v: tuple[OrderView, ShippingLine], _: Asked) -> Any:
        order, line = v
        match name:
            case "price":
                return order.money(line.price_minor)
            case "net":
                return order.money(shipping_net(line))
            case "allocations":
                return _allocations(order, line.allocations)
            case _:
                return [tax_line(order, t.title, t.rate, t.amount_minor) for t in line.taxes]

    return read


register(
    "ShippingLine",
    {
        "id": lambda v, _: gid("ShippingLine", v[1].id),
        "title": lambda v, _: v[1].title,
        "code": lambda v, _: v[1].code,
        "source": lambda v, _: "shopify",
        "carrierIdentifier": lambda v, _: None,
        "custom": lambda v, _: False,
        "isRemoved": lambda v, _: False,
        "originalPriceSet": _shipping("price"),
        "discountedPriceSet": _shipping("net"),
        "currentDiscountedPriceSet": _shipping("net"),
        "discountAllocations": _shipping("allocations"),
        "taxLines": _shipping("taxes"),
    },
)


def _fulfilled_lines(v: FulfilmentView, _: Asked, page: Page) -> Any:
    items: list[dict[str, Any]] = [
        {"id": gid("FulfillmentLineItem", line.line_id + 1), "quantity": line.quantity, "number": line.line_id}
        | {"lineItem": v.order.line(line.line_id)}
        for line in v.record.lines
    ]
    return pages(items, lambda i: i["number"], page)


register(
    "Fulfillment",
    {
        "id": lambda v, _: gid("Fulfillment", v.record.id),
        "legacyResourceId": lambda v, _: str(v.record.id),
        "name": lambda v, _: f"{v.order.record.name}-F{v.number}",
        "createdAt": lambda v, _: clock.graphql(v.record.created_at),
        "updatedAt": lambda v, _: clock.graphql(v.record.created_at),
        "status": lambda v, _: "SUCCESS",
        "displayStatus": lambda v, _: "FULFILLED",
        "totalQuantity": lambda v, _: sum(line.quantity for line in v.record.lines),
        "requiresShipping": lambda v, _: v.record.service != "gift_card",
        "order": lambda v, _: v.order,
        "trackingInfo": lambda v, _, first=None: [],
        "fulfillmentLineItems": _fulfilled_lines,
    },
)

register(
    "OrderTransaction",
    {
        "id": lambda v, _: gid("OrderTransaction", v.record.id),
        "kind": lambda v, _: v.record.kind.upper(),
        "status": lambda v, _: v.record.status.upper(),
        "gateway": lambda v, _: v.record.gateway,
        "formattedGateway": lambda v, _: v.record.gateway.title(),
        "createdAt": lambda v, _: clock.graphql(v.record.processed_at),
        "processedAt": lambda v, _: clock.graphql(v.record.processed_at),
        "amountSet": lambda v, _: v.order.money(v.record.amount_minor),
        "test": lambda v, _: v.order.record.test,
        "errorCode": lambda v, _: None,
        "manualPaymentGateway": lambda v, _: False,
        "order": lambda v, _: v.order,
        "parentTransaction": lambda v, _: next(
            (TransactionView(v.order, t) for t in v.order.record.transactions if t.id == v.record.parent_id), None
        ),
    },
)

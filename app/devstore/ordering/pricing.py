"""Prices a list of lines: discounts shared out, taxes in or on top, shipping.

Discounts never touch gift cards. A percentage or a fixed amount over an order is shared across its lines by value, in
whole minor units that add up (Shopify's allocation method "across"); one for some products touches those lines only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from ..money import graphql_amount, rounded, share
from ..records import Allocation, Discount, DiscountApplication, Line, Order, ShippingLine, Shop, TaxLine


def applies(discount: Discount, lines: Sequence[Line], at: datetime) -> bool:
    """Whether a discount can be used on these lines now."""
    if (discount.starts_at and at < discount.starts_at) or (discount.ends_at and at >= discount.ends_at):
        return False
    if discount.usage_limit is not None and discount.used >= discount.usage_limit:
        return False
    eligible = sum(line.price_minor * line.quantity for line in entitled(discount, lines))
    return eligible > 0 and eligible >= discount.minimum_minor


def entitled(discount: Discount, lines: Sequence[Line]) -> list[Line]:
    return [
        line
        for line in lines
        if not line.gift_card and (not discount.product_ids or line.product_id in discount.product_ids)
    ]


def discount_order(order: Order, discount: Discount) -> None:
    """Add the application and its allocations; what was allocated before is left out of the base."""
    index = len(order.discount_applications)
    shipping = discount.kind == "free_shipping"
    percentage = discount.kind != "fixed_amount"
    order.discount_applications.append(
        DiscountApplication(
            kind="discount_code" if discount.code else "automatic",
            title=discount.title,
            code=discount.code,
            target_type="shipping_line" if shipping else "line_item",
            value_type="percentage" if percentage else "fixed_amount",
            value="100.0"
            if shipping
            else f"{Decimal(discount.percent):.1f}"
            if percentage
            else graphql_amount(discount.amount_minor, order.currency),
            allocation_method="each" if shipping else "across",
            target_selection="entitled" if discount.product_ids else "all",
        )
    )
    if shipping:
        for shipped in order.shipping:
            shipped.allocations.append(Allocation(index, shipped.price_minor))
        return
    lines = entitled(discount, order.lines)
    bases = [net(line) for line in lines]
    wanted = rounded(Decimal(sum(bases)) * Decimal(discount.percent) / 100) if percentage else discount.amount_minor
    for line, part in zip(lines, share(min(wanted, sum(bases)), bases), strict=True):
        if part:
            line.allocations.append(Allocation(index, part))


def net(line: Line) -> int:
    """price × quantity − discounts."""
    return line.price_minor * line.quantity - sum(a.amount_minor for a in line.allocations)


def tax_lines(net_minor: int, shop: Shop, *, included: bool, taxable: bool) -> list[TaxLine]:
    """The tax in (``included``) or on an amount, half up to the minor unit."""
    rate = Decimal(shop.tax_rate)
    if not taxable or not rate:
        return []
    tax = Decimal(net_minor) * rate / (1 + rate) if included else Decimal(net_minor) * rate
    return [TaxLine(shop.tax_title, shop.tax_rate, rounded(tax))]


def shipping_line(shop: Shop, lines: Sequence[Line], id: int) -> ShippingLine | None:
    """The shop's one way of shipping; none when nothing is shipped."""
    shipped = [line for line in lines if line.requires_shipping]
    if not shipped:
        return None
    worth = sum(net(line) for line in shipped)
    free = shop.free_shipping_from_minor is not None and worth >= shop.free_shipping_from_minor
    return ShippingLine(id=id, title="Standard", code="Standard", price_minor=0 if free else shop.shipping_minor)

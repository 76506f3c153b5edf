"""Prices a list of lines: discounts written onto them (``discounts.bill`` says how much), taxes, shipping."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ..discounts.bill import Bill, Offer
from ..money import graphql_amount, rounded
from ..records import Allocation, DiscountApplication, Line, Order, ShippingLine, Shop, TaxLine


def discount(order: Order, bill: Bill, offers: Sequence[Offer]) -> None:
    """Write what was taken off as applications, in the order of ``offers``, and allocations."""
    parts = {part.offer: part for part in bill.parts}
    for index, offer in enumerate(offer for offer in offers if offer in parts):
        order.discount_applications.append(application(offer, order.currency))
        part = parts[offer]
        for line, minor in zip(order.lines, part.lines, strict=True):
            if minor:
                line.allocations.append(Allocation(index, minor))
        # A discount of shipping names the line even when it was free already. In a cart there is no line yet.
        if offer.discount.discount_class == "shipping":
            for shipped, minor in zip(order.shipping, part.shipping, strict=False):
                shipped.allocations.append(Allocation(index, minor))


def application(offer: Offer, currency: str) -> DiscountApplication:
    terms = offer.discount
    shipping, fixed = terms.discount_class == "shipping", terms.kind == "fixed_amount"
    return DiscountApplication(
        kind="discount_code" if offer.code else "automatic",
        title=terms.title,
        code=offer.code.code if offer.code else None,
        discount_id=terms.id,
        target_type="shipping_line" if shipping else "line_item",
        value_type="fixed_amount" if fixed else "percentage",
        value="100.0"
        if shipping
        else graphql_amount(terms.amount_minor, currency)
        if fixed
        else f"{Decimal(terms.percent):.1f}",
        allocation_method="each" if shipping or terms.each or terms.kind == "bxgy" else "across",
        target_selection="entitled" if terms.discount_class == "product" else "all",
    )


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

"""Totals, statuses and what remains of an order, worked out from its facts.

The one place that does; REST bodies and GraphQL both print what this says. All amounts in minor units of shop currency.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..money import portion
from ..records import Line, Order, ShippingLine


@dataclass(frozen=True)
class LineFigures:
    """One line: ``quantity`` units ordered, ``current`` of them remain (not refunded, not removed)."""

    line: Line
    current: int
    fulfilled: int
    fulfillable: int
    discount_minor: int  # of all units
    net_minor: int  # price × quantity − discounts, all units
    tax_minor: int  # all units
    current_discount_minor: int
    current_net_minor: int
    current_tax_minor: int

    @property
    def taken(self) -> int:
        """Units refunded or removed so far."""
        return self.line.quantity - self.current

    def value(self, units: int) -> tuple[int, int]:
        """Net and tax of the next ``units`` to be taken; all takings of a line add up to its whole."""
        quantity = self.line.quantity
        return tuple(  # type: ignore[return-value]
            portion(total, self.taken + units, quantity) - portion(total, self.taken, quantity)
            for total in (self.net_minor, self.tax_minor)
        )

    @property
    def fulfilment_status(self) -> str | None:
        if not self.fulfilled:
            return None
        return "partial" if self.fulfillable else "fulfilled"


@dataclass(frozen=True)
class Figures:
    """An order's totals. ``current_*`` leaves out what was refunded or removed."""

    lines: tuple[LineFigures, ...]
    line_items_minor: int
    discounts_minor: int
    subtotal_minor: int
    shipping_minor: int  # after discounts
    tax_minor: int
    total_minor: int
    current_discounts_minor: int
    current_subtotal_minor: int
    current_shipping_minor: int
    current_tax_minor: int
    current_total_minor: int
    received_minor: int
    refunded_minor: int
    outstanding_minor: int  # negative: owed to the customer
    pending_refund_minor: int  # taken out by edits and not paid back yet
    financial_status: str  # pending, authorized, partially_paid, paid, partially_refunded, refunded, voided
    fulfilment_status: str | None  # None, partial, fulfilled

    def line(self, line_id: int) -> LineFigures:
        return next(found for found in self.lines if found.line.id == line_id)


def figures(order: Order) -> Figures:
    """Work out everything that is not a fact of its own."""
    lines = tuple(line_figures(order, line) for line in order.lines)
    shipping = sum(shipping_net(line) for line in order.shipping)
    shipping_tax = sum(tax.amount_minor for line in order.shipping for tax in line.taxes)
    received = _sum(order, "sale", "capture")
    shipping_back = sum(back.subtotal_minor for refund in order.refunds for back in refund.shipping)
    tip = order.tip_minor
    if order.cancelled_at and not received:  # voided: nothing of it remains, shipping and tip neither
        shipping_back, tip = shipping, 0
    shipping_tax_back = sum(back.tax_minor for refund in order.refunds for back in refund.shipping)
    shipping_discount = sum(a.amount_minor for line in order.shipping for a in line.allocations)
    subtotal = sum(f.net_minor for f in lines)
    current_subtotal = sum(f.current_net_minor for f in lines)
    tax = sum(f.tax_minor for f in lines) + shipping_tax
    current_tax = sum(f.current_tax_minor for f in lines) + shipping_tax - shipping_tax_back
    on_top, current_on_top = (0, 0) if order.taxes_included else (tax, current_tax)
    current_total = current_subtotal + shipping - shipping_back + current_on_top + tip
    refunded = _sum(order, "refund")
    settled = _settled_discrepancies(order)
    outstanding = 0 if order.cancelled_at else current_total - (received - refunded) + settled
    total = subtotal + shipping + on_top + order.tip_minor
    return Figures(
        lines=lines,
        line_items_minor=sum(line.price_minor * line.quantity for line in order.lines),
        discounts_minor=sum(f.discount_minor for f in lines) + shipping_discount,
        subtotal_minor=subtotal,
        shipping_minor=shipping,
        tax_minor=tax,
        total_minor=total,
        current_discounts_minor=sum(f.current_discount_minor for f in lines) + shipping_discount,
        current_subtotal_minor=current_subtotal,
        current_shipping_minor=shipping - shipping_back,
        current_tax_minor=current_tax,
        current_total_minor=current_total,
        received_minor=received,
        refunded_minor=refunded,
        outstanding_minor=outstanding,
        pending_refund_minor=max(0, -outstanding) if received else 0,
        financial_status=financial_status(order, received, refunded, outstanding, total),
        fulfilment_status=fulfilment_status(lines),
    )


def line_figures(order: Order, line: Line) -> LineFigures:
    back = [r for refund in order.refunds for r in refund.lines if r.line_id == line.id and not r.removal]
    current = line.quantity - line.removed - sum(r.quantity for r in back)
    fulfilled = sum(f.quantity for ful in order.fulfilments for f in ful.lines if f.line_id == line.id)
    discount = sum(a.amount_minor for a in line.allocations)
    net = line.price_minor * line.quantity - discount
    tax = sum(t.amount_minor for t in line.taxes)
    taken = line.quantity - current
    return LineFigures(
        line=line,
        current=current,
        fulfilled=fulfilled,
        fulfillable=max(0, line.quantity - line.removed - sum(r.unfulfilled for r in back) - fulfilled),
        discount_minor=discount,
        net_minor=net,
        tax_minor=tax,
        current_discount_minor=discount - portion(discount, taken, line.quantity),
        current_net_minor=net - portion(net, taken, line.quantity),
        current_tax_minor=tax - portion(tax, taken, line.quantity),
    )


def shipping_net(line: ShippingLine) -> int:
    return line.price_minor - sum(a.amount_minor for a in line.allocations)


def financial_status(order: Order, received: int, refunded: int, outstanding: int, total: int) -> str:
    if received == 0:
        if order.cancelled_at:
            return "voided"
        if any(t.kind == "authorization" and t.status == "success" for t in order.transactions):
            return "authorized"
        return "paid" if total == 0 else "pending"
    if refunded:
        return "refunded" if refunded >= received else "partially_refunded"
    return "partially_paid" if outstanding > 0 else "paid"


def fulfilment_status(lines: tuple[LineFigures, ...]) -> str | None:
    if not any(f.fulfilled for f in lines):
        return None
    return "partial" if any(f.fulfillable for f in lines) else "fulfilled"


def _sum(order: Order, *kinds: str) -> int:
    return sum(t.amount_minor for t in order.transactions if t.kind in kinds and t.status == "success")


def _settled_discrepancies(order: Order) -> int:
    """Money no unit accounts for and nobody is owed: all discrepancies but those of refunds still to be paid."""
    return sum(
        a.amount_minor + a.tax_minor
        for refund in order.refunds
        for a in refund.adjustments
        if a.kind == "refund_discrepancy" and a.reason != "Pending refund discrepancy"
    )

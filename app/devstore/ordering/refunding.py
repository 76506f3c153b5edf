"""Refunds: units of lines, shipping, or money that no line accounts for.

What goes back and what comes back need not agree; the difference is an order adjustment "refund_discrepancy", negative
when more money left than the units and shipping were worth, positive when less did (a restocking fee). Money paid out
for units an edit had taken out earlier is set against that pending refund first.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from .. import clock
from ..errors import Refusal
from ..records import Adjustment, Order, Refund, RefundLine, RefundShipping, Shop
from . import tendering
from .announcing import announce, load
from .figures import Figures, figures, shipping_net

if TYPE_CHECKING:
    from ..state import DevStore


def refund(
    devstore: DevStore,
    shop: Shop,
    id: int,
    *,
    lines: dict[int, int],
    restock: bool,
    shipping_minor: int,
    amount_minor: int | None,
    note: str | None,
    at: datetime | None,
) -> Order:
    """Refund and tell: refunds/create, then orders/updated."""
    with devstore.store.writing():
        order = load(devstore, shop, id)
        made = add(
            devstore,
            order,
            lines=lines,
            restock=restock,
            shipping_minor=shipping_minor,
            amount_minor=amount_minor,
            note=note,
            at=at or clock.now(),
        )
        order.updated_at = max(order.updated_at, made.created_at)
        devstore.store.save(order)
        announce(devstore, shop, order, ["refunds/create", "orders/updated"], refund=made)
        return order


def add(
    devstore: DevStore,
    order: Order,
    *,
    lines: dict[int, int],
    restock: bool,
    shipping_minor: int,
    amount_minor: int | None,
    note: str | None,
    at: datetime,
    restock_type: str | None = None,
) -> Refund:
    """Append the refund to the order. Raises Refusal when it asks for more units or money than there are."""
    before = figures(order)
    made = Refund(id=devstore.store.next_id("refund"), created_at=at, note=note, restock=restock)
    for line_id, quantity in lines.items():
        if quantity:
            made.lines.append(_line(devstore, before, line_id, quantity, restock, restock_type))
    if shipping_minor:
        _shipping(devstore, order, before, made, shipping_minor)
    back: list[RefundLine | RefundShipping] = [*made.lines, *made.shipping]
    worth = sum(part.subtotal_minor + (0 if order.taxes_included else part.tax_minor) for part in back)
    # What was not paid yet cannot be paid back: it is simply owed no more.
    worth -= min(max(0, before.outstanding_minor), worth)
    left = before.received_minor - before.refunded_minor
    amount = min(worth, left) if amount_minor is None else amount_minor
    if not 0 <= amount <= left:
        raise Refusal("that is more than what was paid and not refunded yet")
    if not made.lines and not made.shipping and not amount:
        raise Refusal("there is nothing to refund")
    if amount:
        made.transaction_ids += [t.id for t in tendering.give_back(devstore, order, amount, at)]
    # An order nobody paid for has no money to disagree about.
    if before.received_minor:
        _discrepancy(devstore, made, worth - amount, before.pending_refund_minor)
    order.refunds.append(made)
    return made


def adjustment(devstore: DevStore, amount_minor: int, reason: str, kind: str = "refund_discrepancy") -> Adjustment:
    return Adjustment(
        id=devstore.store.next_id("adjustment"), amount_minor=amount_minor, tax_minor=0, kind=kind, reason=reason
    )


def _line(
    devstore: DevStore, before: Figures, line_id: int, quantity: int, restock: bool, restock_type: str | None
) -> RefundLine:
    try:
        line = before.line(line_id)
    except StopIteration:
        raise Refusal("there is no such line on this order") from None
    if quantity < 0 or quantity > line.current:
        raise Refusal(f"only {line.current} of {line.line.title} can be refunded")
    net, tax = line.value(quantity)
    unfulfilled = min(quantity, line.fulfillable)
    return RefundLine(
        id=devstore.store.next_id("refund_line"),
        line_id=line_id,
        quantity=quantity,
        restock_type=restock_type or ("no_restock" if not restock else "cancel" if unfulfilled else "return"),
        subtotal_minor=net,
        tax_minor=tax,
        unfulfilled=unfulfilled,
    )


def _shipping(devstore: DevStore, order: Order, before: Figures, made: Refund, amount_minor: int) -> None:
    """Shipping money goes back line by line, and as the "shipping_refund" adjustment the REST body also carries."""
    if amount_minor < 0 or amount_minor > before.current_shipping_minor:
        raise Refusal("that is more than what was paid for shipping")
    rest = amount_minor
    for line in order.shipping:
        gone = sum(s.subtotal_minor for r in order.refunds for s in r.shipping if s.shipping_line_id == line.id)
        part = min(rest, shipping_net(line) - gone)
        if part:
            made.shipping.append(RefundShipping(devstore.store.next_id("refund_shipping"), line.id, part, 0))
            rest -= part
    made.adjustments.append(adjustment(devstore, -amount_minor, "Shipping refund", "shipping_refund"))


def _discrepancy(devstore: DevStore, made: Refund, difference: int, pending: int) -> None:
    if difference < 0 and pending:
        owed = min(pending, -difference)
        made.adjustments.append(adjustment(devstore, -owed, "Pending refund discrepancy"))
        difference += owed
    if difference:
        made.adjustments.append(adjustment(devstore, difference, "Refund discrepancy"))

"""Edits: units taken out, units and variants added, after the order was placed.

Taken out, units leave ``current_quantity`` and the totals called current; what was paid for them is owed back until a
refund pays it. Whether Shopify also writes a refund record for them is not documented, so a shop can do either
(``Shop.edit_writes_refund``): a refund with the lines, no transaction and a positive "Pending refund discrepancy" for
what is owed, or none. Added units are outstanding until they are paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from .. import clock
from ..bodies.refunds import edit_body
from ..errors import Refusal
from ..records import Line, Order, Refund, RefundLine, Shop
from . import pricing
from .announcing import announce, load
from .creating import CartLine, new_line
from .figures import figures
from .refunding import adjustment

if TYPE_CHECKING:
    from ..state import DevStore


def edit(
    devstore: DevStore,
    shop: Shop,
    id: int,
    *,
    quantities: dict[int, int],
    add: Sequence[CartLine],
    at: datetime | None,
) -> Order:
    """Change the order and tell: orders/edited (which carries no order), orders/updated, perhaps refunds/create."""
    with devstore.store.writing():
        order = load(devstore, shop, id)
        if order.cancelled_at:
            raise Refusal("a cancelled order cannot be edited")
        now = at or clock.now()
        before = figures(order)
        additions, removals = {}, {}
        made = Refund(id=devstore.store.next_id("refund"), created_at=now, restock=True)
        for line_id, wanted in quantities.items():
            try:
                line = before.line(line_id)
            except StopIteration:
                raise Refusal("there is no such line on this order") from None
            if wanted < 0:
                raise Refusal("a quantity cannot be negative")
            if wanted < line.current:
                removals[line_id] = _remove(devstore, order, made, line_id, line.current - wanted)
            elif wanted > line.current:
                added = _raise(devstore, shop, order, line_id, wanted - line.current)
                additions[added.id] = wanted - line.current
        for wanted_line in add:
            added = _add(devstore, shop, order, wanted_line)
            additions[added.id] = wanted_line.quantity
        if not additions and not removals:
            raise Refusal("nothing was changed")
        order.edited = True
        order.updated_at = max(order.updated_at, now)
        topics = ["orders/updated"]
        if made.lines and shop.edit_writes_refund:
            owed = figures(order).pending_refund_minor - before.pending_refund_minor
            if owed > 0:
                made.adjustments.append(adjustment(devstore, owed, "Pending refund discrepancy"))
            order.refunds.append(made)
            topics.append("refunds/create")
        devstore.store.save(order)
        devstore.webhooks.emit(
            shop,
            "orders/edited",
            edit_body(shop, order, devstore.store.next_id("edit"), now, additions, removals),
            event=devstore.webhooks.new_event(),
        )
        announce(devstore, shop, order, topics, refund=made)
        return order


def _remove(devstore: DevStore, order: Order, made: Refund, line_id: int, units: int) -> int:
    line = figures(order).line(line_id)
    if units > line.fulfillable:
        raise Refusal("units that were shipped cannot be removed: refund them")
    net, tax = line.value(units)
    made.lines.append(
        RefundLine(
            id=devstore.store.next_id("refund_line"),
            line_id=line_id,
            quantity=units,
            restock_type="cancel",
            subtotal_minor=net,
            tax_minor=tax,
            unfulfilled=units,
            removal=True,
        )
    )
    line.line.removed += units
    return units


def _raise(devstore: DevStore, shop: Shop, order: Order, line_id: int, units: int) -> Line:
    """More of a line. Units that came with a discount, or left, keep their own line: the new ones are a further one."""
    line = order.line(line_id)
    if not line.allocations and figures(order).line(line_id).taken == 0:
        line.quantity += units
        line.taxes = pricing.tax_lines(pricing.net(line), shop, included=order.taxes_included, taxable=line.taxable)
        return line
    return _add(devstore, shop, order, CartLine(line.variant_id or 0, units, line.price_minor))


def _add(devstore: DevStore, shop: Shop, order: Order, wanted: CartLine) -> Line:
    found = devstore.variant(shop, wanted.variant_id)
    if found is None or wanted.quantity < 1:
        raise Refusal("there is no such variant, or no quantity")
    line = new_line(*found, wanted.quantity, wanted.price_minor)
    line.id = devstore.store.next_id("line")
    line.taxes = pricing.tax_lines(pricing.net(line), shop, included=order.taxes_included, taxable=line.taxable)
    order.lines.append(line)
    return line

"""What remains of an order: units and value of each line, shipping, and money tied to no line.

`what_remains` is the one place that knows how refunds and edits take value away. Shopify's own shape of an edit that
removes units is not known for certain (DESIGN §1), so both are read:

* it writes a refund with the units and a positive "pending refund" discrepancy; paying the difference out writes a
  negative one. The two cancel.
* it writes nothing but the lower `current_quantity`; paying out writes a negative discrepancy alone, which is set
  against the value the edit removed before it takes anything more.

Amounts are micros, exact: an int, or a Fraction where a share does not divide. Nothing is rounded here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from app.program.facts import LineFacts, OrderFacts, RefundFacts, ShippingFacts, Snapshot

Exact = int | Fraction


@dataclass(frozen=True, slots=True)
class RemainingLine:
    """A line as ordered, and what is left of it."""

    line: LineFacts
    remaining: int  # units
    returned: int  # units that came back by refunds; other missing units were removed by an edit
    ordered: Exact  # value of all its units, micros
    value: Exact  # value of the units that remain, micros


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of an order as of a moment. `outstanding` and `paid_back` reduce whatever counts, down to zero."""

    lines: tuple[RemainingLine, ...]
    shipping_ordered: Exact
    shipping: Exact
    outstanding: Exact  # of an order once paid: what an edit added and nobody has paid yet
    paid_back: Exact  # money that went back without units
    edited: bool  # an edit took units away
    refunds: tuple[RefundFacts, ...]  # those that counted


def what_remains(facts: OrderFacts, *, with_tax: bool = False, as_of: datetime | None = None) -> Remains:
    """How much of the order is left; the snapshot must be known.

    `with_tax` counts tax as value, whether prices include it or not. `as_of` takes only refunds from before that
    moment, and leaves out what is outstanding, which has no date.
    """
    snapshot = facts.snapshot
    if snapshot is None:
        raise ValueError("an order without a snapshot waits; nothing is known of what remains")
    refunds = facts.refunds
    if as_of is not None:
        refunds = tuple(refund for refund in refunds if refund.created_at < as_of)
    units = _units(snapshot, facts.refunds, refunds)

    lines: list[RemainingLine] = []
    removed_value: Exact = 0
    edited = False
    for line in snapshot.lines:
        remaining, returned, removed = units.of(line)
        ordered = _value(line.price_micro * line.quantity, line, snapshot.taxes_included, with_tax)
        lines.append(
            RemainingLine(line, remaining, returned, ordered, _share(ordered, remaining, line.quantity)),
        )
        if removed:
            # Paying out gives back tax too, whatever counts for points.
            edited = True
            paid = _value(line.price_micro * line.quantity, line, snapshot.taxes_included, with_tax=True)
            removed_value += _share(paid, removed, line.quantity)

    shipping_ordered = sum(
        _value(line.price_micro, line, snapshot.taxes_included, with_tax) for line in snapshot.shipping_lines
    )
    outstanding = snapshot.total_outstanding_micro or 0
    discrepancy = sum(refund.adjustment_micro for refund in refunds)
    return Remains(
        lines=tuple(lines),
        shipping_ordered=shipping_ordered,
        shipping=max(0, shipping_ordered - _shipping_back(refunds, snapshot.taxes_included, with_tax)),
        outstanding=max(0, outstanding) if facts.ever_paid and as_of is None else 0,
        paid_back=max(0, -discrepancy - removed_value) if discrepancy < 0 else 0,
        edited=edited,
        refunds=refunds,
    )


@dataclass(frozen=True, slots=True)
class _Units:
    """Units per line: refunded inside the snapshot's knowledge, outside it, and inside but not yet as of the moment."""

    inside: Counter[int]
    outside: Counter[int]
    not_yet: Counter[int]

    def of(self, line: LineFacts) -> tuple[int, int, int]:
        """(remaining, returned, removed by an edit)."""
        inside, outside = self.inside[line.line_id], self.outside[line.line_id]
        returned = min(line.quantity, inside + outside)
        if line.current_quantity is None:
            return max(0, line.quantity - inside - outside), returned, 0
        current = line.current_quantity + self.not_yet[line.line_id]
        return max(0, current - outside), returned, max(0, line.quantity - current - inside)


def _units(snapshot: Snapshot, refunds: tuple[RefundFacts, ...], counted: tuple[RefundFacts, ...]) -> _Units:
    units = _Units(Counter(), Counter(), Counter())
    for refund in refunds:
        contained = refund.refund_id in snapshot.contained_refunds
        if refund in counted:
            target = units.inside if contained else units.outside
        elif contained:
            target = units.not_yet
        else:
            continue
        for line_id, count in refund.units:
            target[line_id] += count
    return units


def _value(price: int, line: LineFacts | ShippingFacts, taxes_included: bool, with_tax: bool) -> int:
    """Price less discounts, with or without tax.

    Never below zero: a line of negative value would make its return raise the award.
    """
    value = price - line.discount_micro
    if taxes_included and not with_tax:
        value -= line.tax_micro
    elif with_tax and not taxes_included:
        value += line.tax_micro
    return max(0, value)


def _share(value: Exact, units: int, of: int) -> Exact:
    """value × units ÷ of, exactly; 0 of a line without units."""
    if units == of:
        return value if of else 0
    if of == 0:
        return 0
    whole, rest = divmod(value * units, of)
    return whole if not rest else Fraction(value * units, of)


def _shipping_back(refunds: tuple[RefundFacts, ...], taxes_included: bool, with_tax: bool) -> int:
    back = 0
    for refund in refunds:
        back += refund.shipping_micro
        if taxes_included and not with_tax:
            back -= refund.shipping_tax_micro
        elif with_tax and not taxes_included:
            back += refund.shipping_tax_micro
    return back

"""Decide how many points an order earns.

Facts and settings in, a Decision out: an order is judged by what remains of it (remaining.py), under the settings of
its own moment. Everything is summed exactly and rounded once, so no refund, edit or order of arrival can leave a point
behind.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import cast

from app.program.decision import REASONS, Decision, DecisionLine, LineReason, Rate, Reason, Reduction
from app.program.facts import LineFacts, OrderFacts, Snapshot
from app.program.money import exponent, micro_per_minor
from app.program.remaining import Exact, RemainingLine, Remains, what_remains
from app.program.settings import Earning, ProgramSettings

__all__ = ["Decision", "decide", "points_for"]

_FULFILLED = ("fulfilled", "fulfillment_not_required")
_NO_DATE = datetime.min.replace(tzinfo=UTC)
_MOST_POINTS = 2**53  # what a browser's numbers hold exactly; a database's BIGINT holds more


def decide(
    facts: OrderFacts,
    settings: ProgramSettings | None,
    *,
    why_not: str | None = None,
    as_of: datetime | None = None,
) -> Decision:
    """What the order earns under the settings of its own moment.

    `why_not` is a reason only the caller knows (no program in force: "not_started", "paused"); it ends the matter, and
    must be given when there are no settings, unless the order itself is not known yet. `as_of` decides by what had
    happened before that moment, for the fold over a member's earlier orders. ValueError when the points are beyond
    counting: no order of this world is.
    """
    if facts.snapshot is None:
        return _nothing(facts, "waiting_for_order")
    if why_not is not None:
        return _nothing(facts, _known_reason(why_not))
    if settings is None:
        raise ValueError("without settings there must be a reason")
    if reason := _reason_not_to_look(facts, facts.snapshot, settings, as_of):
        return _nothing(facts, reason)

    earning = settings.earning
    remains = what_remains(facts, with_tax=earning.counts.tax, as_of=as_of)
    lines = (*(_judge(line, earning) for line in remains.lines), *_shipping(remains, earning))
    reductions = _reductions(remains)
    eligible = _exactly(sum(line.value for line in lines if line.counted) - sum(cut.amount for cut in reductions))
    eligible = max(0, eligible)
    points = points_for(eligible, earning, settings.currency)
    return Decision(
        points=points,
        reason=None if points else _why_zero(lines, eligible, earning, settings.currency),
        currency=facts.snapshot.currency,
        eligible_micro=eligible,
        lines=lines,
        reductions=reductions,
        rate=Rate(earning.points, earning.per_minor, earning.rounding, earning.minimum_order_minor),
        matures_at=_matures_at(facts, earning) if points else None,
        occurred_at=_latest_change(facts, earning, lines, remains),
    )


def points_for(eligible: Exact, earning: Earning, currency: str) -> int:
    """Points for whole steps of `per_minor`, as rounded by the merchant's choice: 12.75 at 2 per 1.00 is 24.

    Rounding chooses what becomes of the last, broken step; it never splits a step's points.
    """
    unit = micro_per_minor(currency)
    if eligible < earning.minimum_order_minor * unit:
        return 0
    per = earning.per_minor * unit
    if earning.rounding == "down":
        steps = math.floor(eligible // per)
    elif earning.rounding == "up":
        steps = -math.floor(-eligible // per)
    else:
        steps = math.floor((2 * eligible + per) // (2 * per))
    points = steps * earning.points
    if points > _MOST_POINTS:
        raise ValueError("the order would earn more points than can be counted")
    return points


def _known_reason(why_not: str) -> Reason:
    """A reason without words would reach a page as nothing at all."""
    if why_not not in REASONS:
        raise ValueError(f"no such reason: {why_not}")
    return cast(Reason, why_not)


def _reason_not_to_look(
    facts: OrderFacts, snapshot: Snapshot, settings: ProgramSettings, as_of: datetime | None
) -> Reason | None:
    """Why the order earns nothing whatever is in it."""
    if snapshot.test and not settings.earning.test_orders:
        return "test_order"
    if facts.cancelled_at and (as_of is None or facts.cancelled_at < as_of):
        return "cancelled"
    if snapshot.financial_status == "voided":
        return "voided"
    if snapshot.financial_status == "expired":
        return "expired"
    if facts.customer is None and facts.address is None and not facts.redacted:
        return "no_customer"
    if exponent(snapshot.currency) != exponent(settings.currency):
        # A shop that changed its currency goes on earning at the same rate per whole unit until a version says
        # otherwise. Where a whole unit is another size (yen for euros) that would be absurd.
        return "other_currency"
    if not facts.ever_paid:
        return "not_paid"
    if settings.earning.trigger == "fulfilled" and snapshot.fulfillment_status not in _FULFILLED:
        return "not_fulfilled"
    return None


def _judge(line: RemainingLine, earning: Earning) -> DecisionLine:
    why = _why_not_counted(line.line, earning)
    return DecisionLine(
        line_id=line.line.line_id,
        title=line.line.title,
        quantity=line.line.quantity,
        remaining=line.remaining,
        returned=line.returned,
        ordered=line.ordered,
        value=line.value,
        counted=why is None,
        why=why,
    )


def _why_not_counted(line: LineFacts, earning: Earning) -> LineReason | None:
    if line.kind != "product":
        return line.kind
    if line.product_id in earning.exclude.product_ids:
        return "excluded_product"
    if line.vendor and earning.exclude.vendors and line.vendor.strip().casefold() in earning.exclude.vendor_names:
        return "excluded_vendor"
    return None


def _shipping(remains: Remains, earning: Earning) -> tuple[DecisionLine, ...]:
    if not remains.shipping_ordered:
        return ()
    counted = earning.counts.shipping
    return (
        DecisionLine(
            line_id=None,
            title="Shipping",
            quantity=1,
            remaining=1 if remains.shipping else 0,
            returned=0 if remains.shipping else 1,
            ordered=remains.shipping_ordered,
            value=remains.shipping,
            counted=counted,
            why=None if counted else "shipping",
        ),
    )


def _reductions(remains: Remains) -> tuple[Reduction, ...]:
    cuts = (Reduction("outstanding", remains.outstanding), Reduction("paid_back", _exactly(remains.paid_back)))
    return tuple(cut for cut in cuts if cut.amount)


def _why_zero(lines: tuple[DecisionLine, ...], eligible: Exact, earning: Earning, currency: str) -> Reason:
    counted = [line for line in lines if line.counted]
    products = [line for line in lines if line.line_id is not None]
    if products and not any(line.counted for line in products) and not any(line.value for line in counted):
        whys = {line.why for line in products if line.why != "tip"}
        return "gift_card_only" if whys == {"gift_card"} else "excluded"
    if not any(line.ordered for line in counted):
        return "zero_total"
    if not eligible:
        return "nothing_left"
    if eligible < earning.minimum_order_minor * micro_per_minor(currency):
        return "below_minimum"
    return "too_small"


def _matures_at(facts: OrderFacts, earning: Earning) -> datetime | None:
    since = _earned_at(facts, earning)
    return since + timedelta(days=earning.hold_days) if earning.hold_days and since else None


def _earned_at(facts: OrderFacts, earning: Earning) -> datetime | None:
    """When the trigger was met: the hold counts from here. An order that needs no fulfilment has no later moment."""
    fulfilled_at = facts.snapshot.fulfilled_at if facts.snapshot else None
    return fulfilled_at or facts.paid_at if earning.trigger == "fulfilled" else facts.paid_at


def _latest_change(facts: OrderFacts, earning: Earning, lines: tuple[DecisionLine, ...], remains: Remains) -> datetime:
    """The latest date among the facts that made the award what it is.

    An edit carries no date of its own: its body's `updated_at` is the first we know of it.
    """
    assert facts.snapshot is not None
    counted = {line.line_id for line in lines if line.counted}
    moments = [facts.snapshot.created_at]
    if earned_at := _earned_at(facts, earning):
        moments.append(earned_at)
    for refund in remains.refunds:
        units = any(count and line_id in counted for line_id, count in refund.units)
        if units or refund.adjustment_micro or (refund.shipping_micro and earning.counts.shipping):
            moments.append(refund.created_at)
    if remains.edited or remains.outstanding:
        moments.append(facts.snapshot.updated_at)
    return max(moments)


def _nothing(facts: OrderFacts, reason: Reason) -> Decision:
    """No points, and when that came about."""
    snapshot = facts.snapshot
    if snapshot is None:
        moments = [_NO_DATE, *(refund.created_at for refund in facts.refunds)]
        return Decision(points=0, occurred_at=max(moments), reason=reason)
    moments = [snapshot.created_at]
    if reason in ("voided", "expired", "not_fulfilled"):
        moments.append(snapshot.updated_at)
    if reason == "cancelled" and facts.cancelled_at:
        moments.append(facts.cancelled_at)
    return Decision(points=0, occurred_at=max(moments), reason=reason, currency=snapshot.currency)


def _exactly(value: Exact) -> Exact:
    """The same number, as an int when it is one: smaller to store, and equal decisions compare equal."""
    return int(value) if isinstance(value, Fraction) and value.denominator == 1 else value

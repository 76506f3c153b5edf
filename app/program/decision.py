"""What an order earned, with its working.

A Decision is stored with its order and must be readable years later without the settings it was made under, so it keeps
the rate, every line and every reduction. Amounts are micros of the shop's currency, exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from app.program.money import exact_text, micro_per_minor, parse_exact
from app.program.remaining import Exact
from app.program.settings import Rounding

# Why an order earns nothing.
Reason = Literal[
    "not_started",
    "paused",
    "waiting_for_order",
    "test_order",
    "cancelled",
    "voided",
    "expired",
    "no_customer",
    "other_currency",
    "not_paid",
    "not_fulfilled",
    "gift_card_only",
    "excluded",
    "zero_total",
    "nothing_left",
    "below_minimum",
    "too_small",
]
REASONS: tuple[str, ...] = get_args(Reason)

# Why a line does not count.
LineReason = Literal["gift_card", "tip", "excluded_product", "excluded_vendor", "shipping"]


@dataclass(frozen=True, slots=True)
class Rate:
    """How money became points in this decision."""

    points: int
    per_minor: int
    rounding: Rounding = "down"
    minimum_minor: int = 0


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One line's part. Shipping is a line too, without an id. Values are micros of the shop's currency, exact."""

    line_id: int | None
    title: str
    quantity: int
    remaining: int
    returned: int  # units that came back by refunds; others that are missing were removed by an edit
    ordered: Exact
    value: Exact  # of what remains
    counted: bool
    why: LineReason | None = None  # when it does not count


@dataclass(frozen=True, slots=True)
class Reduction:
    """Money tied to no line that lowers what counts, in micros."""

    why: Literal["outstanding", "paid_back"]
    amount: Exact


@dataclass(frozen=True, slots=True)
class Decision:
    """What an order earns, or why nothing."""

    points: int
    occurred_at: datetime  # the latest date among the facts that made it so; never the clock
    reason: Reason | None = None  # set exactly when points are 0
    currency: str = ""
    eligible_micro: Exact = 0  # what counted in the end
    lines: tuple[DecisionLine, ...] = ()
    reductions: tuple[Reduction, ...] = ()
    rate: Rate | None = None  # None when the order was not looked into
    matures_at: datetime | None = None  # None: available at once

    @property
    def eligible(self) -> str:
        """What counted, in units of the shop's currency: "51.2", or "20/3" where no decimal is exact."""
        return exact_text(self.eligible_micro)

    @property
    def eligible_minor(self) -> int:
        """What counted, in whole minor units, the broken one dropped."""
        return int(self.eligible_micro // micro_per_minor(self.currency))

    def to_json(self) -> dict[str, Any]:
        """A small JSON-able dict; `from_json` gives an equal decision back."""
        document: dict[str, Any] = {"points": self.points, "occurred_at": self.occurred_at.isoformat()}
        if self.reason:
            document["reason"] = self.reason
        if self.currency:
            document["currency"] = self.currency
        if self.rate:
            rate = self.rate
            document["rate"] = [rate.points, rate.per_minor, rate.rounding, rate.minimum_minor]
            document["eligible"] = self.eligible
        if self.lines:
            document["lines"] = [_line_document(line) for line in self.lines]
        if self.reductions:
            document["reductions"] = [[reduction.why, exact_text(reduction.amount)] for reduction in self.reductions]
        if self.matures_at:
            document["matures_at"] = self.matures_at.isoformat()
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Decision:
        """A decision as `to_json` wrote it."""
        get = document.get
        return cls(
            points=document["points"],
            occurred_at=datetime.fromisoformat(document["occurred_at"]),
            reason=get("reason"),
            currency=get("currency", ""),
            eligible_micro=parse_exact(get("eligible", "0")),
            lines=tuple([_line_from(line) for line in get("lines", ())]),
            reductions=tuple([Reduction(why, parse_exact(amount)) for why, amount in get("reductions", ())]),
            rate=Rate(*document["rate"]) if "rate" in document else None,
            matures_at=datetime.fromisoformat(document["matures_at"]) if "matures_at" in document else None,
        )


def _line_document(line: DecisionLine) -> dict[str, Any]:
    document: dict[str, Any] = {"title": line.title, "quantity": line.quantity, "ordered": exact_text(line.ordered)}
    if line.line_id is not None:
        document["id"] = line.line_id
    if line.remaining != line.quantity:
        document["remaining"] = line.remaining
    if line.value != line.ordered:
        document["value"] = exact_text(line.value)
    if line.returned:
        document["returned"] = line.returned
    if line.why:
        document["why"] = line.why
    return document


def _line_from(document: dict[str, Any]) -> DecisionLine:
    get = document.get
    quantity, ordered = document["quantity"], parse_exact(document["ordered"])
    return DecisionLine(
        line_id=get("id"),
        title=document["title"],
        quantity=quantity,
        remaining=get("remaining", quantity),
        returned=get("returned", 0),
        ordered=ordered,
        value=parse_exact(document["value"]) if "value" in document else ordered,
        counted="why" not in document,
        why=get("why"),
    )

"""Say it in words: a rate, a decision's working, and the one sentence a shopper reads.

The merchant's side uses the ledger's words, the shopper's side plain ones (never "deducted", "locked" or "owed").
English; sentences are whole, so that they can be translated whole.
"""

from __future__ import annotations

from datetime import UTC, date, tzinfo
from typing import Literal

from app.program.decision import Decision, DecisionLine
from app.program.money import format_money
from app.program.settings import ProgramSettings
from app.program.words import MINUS, day_text, money_text, points_text, rate_text

HistoryKind = Literal[
    "earned", "pending", "taken_back", "zero", "adjusted", "merged", "reserved", "released", "given_back", "used"
]
# What rewards do; their words are in `explaining_rewards`.
REWARD_KINDS = frozenset({"reserved", "released", "given_back", "used"})


def rate_words(settings: ProgramSettings) -> str:
    """1 point for every €1."""
    return rate_text(settings.earning.points, settings.earning.per_minor, settings.currency)


def explain(decision: Decision, settings: ProgramSettings | None = None, *, zone: tzinfo = UTC) -> list[str]:
    """The working, a line each, for the merchant: "3 × Ash mug: €84.00"."""
    rows = working(decision, settings, zone=zone)
    return [f"{label}: {value}" if value else label for label, value in rows]


def working(
    decision: Decision, settings: ProgramSettings | None = None, *, zone: tzinfo = UTC
) -> list[tuple[str, str]]:
    """The working as (what, how much), top to bottom: lines, what came back, what counts, the rate, the points.

    A decision keeps all it needs; `settings`, those it was made under, only add that tax counted. `zone` is the shop's.
    """
    if decision.rate is None:
        return [(f"Earned nothing: {_why_nothing(decision)}", "")]
    rows: list[tuple[str, str]] = []
    for line in decision.lines:
        rows += _line_rows(line, decision.currency)
    for cut in decision.reductions:
        rows.append((_REDUCTIONS[cut.why], MINUS + money_text(cut.amount, decision.currency)))
    tax = ", with tax" if settings is not None and settings.earning.counts.tax else ""
    rows.append((f"Counts{tax}", money_text(decision.eligible_micro, decision.currency)))
    if decision.points:
        rows.append((_rate(decision) + _ROUNDING[decision.rate.rounding], points_text(decision.points)))
    else:
        rows.append((f"Earned nothing: {_why_nothing(decision)}", ""))
    if decision.matures_at:
        rows.append(("Pending until", day_text(decision.matures_at, zone)))
    return rows


def reason_for_shopper(
    kind: HistoryKind,
    decision: Decision | None,
    previous: Decision | None = None,
    *,
    zone: tzinfo = UTC,
    today: date | None = None,
    note: str = "",
) -> str:
    """The sentence under a line of a shopper's history.

    `decision` is the one the entry followed from and `previous` the one before it. `zone` is the shop's; `today`
    decides whether a date needs its year (without it, dates show theirs). `note` is staff's reason for an adjustment.
    """
    if kind == "adjusted":
        return f"Corrected by the shop: {note}" if note else "Corrected by the shop."
    if kind == "merged":
        return "From another account of yours, which the shop joined with this one."
    if decision is None:
        return ""
    if kind == "taken_back":
        return _taken_back(decision, previous)
    if kind == "zero" or not decision.points:
        return _zero(decision)
    sentence = f"{_rate(decision)} of {money_text(decision.eligible_micro, decision.currency)}."
    if kind == "pending" and decision.matures_at:
        sentence += f" Yours on {day_text(decision.matures_at, zone, today)}."
    return sentence


_MERCHANT_REASONS: dict[str, str] = {
    "not_started": "programme not started when this order was placed.",
    "paused": "programme paused when this order was placed.",
    "waiting_for_order": "waiting for the order. A refund arrived before it.",
    "test_order": "a test order, and the program does not count them.",
    "cancelled": "the order was cancelled.",
    "voided": "its payment was voided.",
    "expired": "its payment expired.",
    "no_customer": "the order names no customer and no address.",
    "other_currency": "the order is in another currency than the program.",
    "not_paid": "not paid yet.",
    "not_fulfilled": "not fulfilled yet.",
    "gift_card_only": "only gift cards, which never earn.",
    "excluded": "nothing in it earns under this program.",
    "zero_total": "there was nothing to pay for what counts.",
    "nothing_left": "nothing is left of what counted.",
}
_SHOPPER_REASONS: dict[str, str] = {
    "not_started": "This order was placed before points began.",
    "paused": "Points were resting when this order was placed.",
    "waiting_for_order": "We are waiting for the details of this order.",
    "test_order": "A test order, which does not earn points.",
    "cancelled": "This order was cancelled.",
    "voided": "The payment for this order was called off.",
    "expired": "The payment for this order was not completed in time.",
    "no_customer": "This order was placed without an account.",
    "other_currency": "This order was in a currency that does not earn points here.",
    "not_paid": "Its points come when it is paid.",
    "not_fulfilled": "Its points come when everything has been sent.",
    "gift_card_only": "Buying a gift card does not earn points.",
    "excluded": "Nothing in this order earns points.",
    "zero_total": "There was nothing to pay for what earns points.",
    "nothing_left": "Everything in this order that earned points went back.",
}
_LINE_REASONS = {
    "gift_card": "gift cards never earn",
    "tip": "tips never earn",
    "excluded_product": "this product never earns",
    "excluded_vendor": "this vendor never earns",
    "shipping": "does not count",
}
_REDUCTIONS = {"outstanding": "Added later and not paid yet", "paid_back": "Paid back without a return"}
_ROUNDING = {"down": "", "nearest": ", to the nearest", "up": ", rounded up"}


def _rate(decision: Decision) -> str:
    assert decision.rate is not None
    return rate_text(decision.rate.points, decision.rate.per_minor, decision.currency)


def _line_rows(line: DecisionLine, currency: str) -> list[tuple[str, str]]:
    title = line.title if line.line_id is None else f"{line.quantity} × {line.title}"
    if line.why:
        return [(f"{title}, {_LINE_REASONS[line.why]}", money_text(line.ordered, currency))]
    rows = [(title, money_text(line.ordered, currency))]
    back = MINUS + money_text(line.ordered - line.value, currency)
    if line.line_id is None:
        return [*rows, ("Shipping paid back", back)] if line.value != line.ordered else rows
    gone = line.quantity - line.remaining
    if not gone:
        return rows
    how = "returned" if line.returned >= gone else "removed" if not line.returned else "returned or removed"
    return [*rows, (f"{gone} × {line.title} {how}", back)]


def _why_nothing(decision: Decision) -> str:
    """For the merchant, after "Earned nothing:"."""
    if decision.rate and decision.reason == "below_minimum":
        return f"orders from {format_money(decision.rate.minimum_minor, decision.currency)} earn."
    if decision.rate and decision.reason == "too_small":
        return f"less than {format_money(decision.rate.per_minor, decision.currency)}."
    return _MERCHANT_REASONS[decision.reason or "nothing_left"]


def _zero(decision: Decision) -> str:
    if decision.rate and decision.reason == "below_minimum":
        return f"Orders from {format_money(decision.rate.minimum_minor, decision.currency)} earn points."
    if decision.rate and decision.reason == "too_small":
        return f"{_rate(decision)}, and this was {money_text(decision.eligible_micro, decision.currency)}."
    return _SHOPPER_REASONS[decision.reason or "nothing_left"]


def _taken_back(decision: Decision, previous: Decision | None) -> str:
    """What went back, and what stays."""
    if decision.rate is None:
        because = _SHOPPER_REASONS[decision.reason or "nothing_left"].removesuffix(".")
        return f"{because}, so its points went back."
    keep = f" You keep the other {decision.points:,}." if decision.points else ""
    gone = _units_gone(decision, previous)
    if not gone:
        return _money_went_back(decision, previous) + keep
    worth = money_text(sum(was.value - line.value for was, line in gone), decision.currency)
    units = sum(was.remaining - line.remaining for was, line in gone)
    if len(gone) > 1:
        what = f"{units} items ({worth})"
    else:
        line = gone[0][1]
        # A product's name cannot be put in the plural by a program: "1 of 3 × Ash mug".
        what = (
            f"{units} of {line.quantity} × {line.title} ({worth})" if line.quantity > 1 else f"{line.title} ({worth})"
        )
    whose = "its" if units == 1 else "their"
    if all(line.returned - was.returned >= was.remaining - line.remaining for was, line in gone):
        return f"You returned {what}, so {whose} points went back.{keep}"
    return f"The shop took {what} off this order, so {whose} points went back.{keep}"


def _units_gone(decision: Decision, previous: Decision | None) -> list[tuple[DecisionLine, DecisionLine]]:
    """(before, now) of the counted lines that lost units since the previous decision."""
    before = {line.line_id: line for line in previous.lines} if previous else {}
    pairs = [(before[line.line_id], line) for line in decision.lines if line.line_id in before and line.counted]
    return [(was, line) for was, line in pairs if line.line_id is not None and line.remaining < was.remaining]


def _money_went_back(decision: Decision, previous: Decision | None) -> str:
    """A take-back without units: money paid back, something added and not paid yet, shipping."""
    before = {cut.why: cut.amount for cut in previous.reductions} if previous else {}
    for cut in decision.reductions:
        more = cut.amount - before.get(cut.why, 0)
        if more > 0 and cut.why == "paid_back":
            return f"The shop paid you back {money_text(more, decision.currency)}, so its points went back."
        if more > 0:
            return f"{money_text(more, decision.currency)} of this order is not paid yet. Its points come when it is."
    return "This order changed, so some of its points went back."

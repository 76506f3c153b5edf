"""The oracle: a second implementation of what everybody's balance must be.

Pure functions over the list of facts, the facts being the webhooks' own bodies. It imports nothing of the app, shares
no code and no arithmetic with it (units of money as fractions here, millionths as integers there), and never merges:
it sees everything at once and asks each time "what is the last word on this?".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Any

Webhook = tuple[str, dict[str, Any]]
DIGITS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3}
PAID = ("paid", "partially_refunded", "refunded")


@dataclass(frozen=True)
class Program:
    """What one version says, in units of money."""

    points: int = 1
    per: Fraction = Fraction(1)
    currency: str = "EUR"
    rounding: str = "down"
    tax: bool = False
    shipping: bool = False
    minimum: Fraction = Fraction(0)
    not_products: tuple[int, ...] = ()
    not_vendors: tuple[str, ...] = ()
    trigger: str = "paid"
    hold_days: int = 0
    test_orders: bool = False


@dataclass(frozen=True)
class Timeline:
    """Versions by their first second, and pauses."""

    versions: tuple[tuple[datetime, Program], ...]
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()

    def at(self, moment: datetime) -> Program | None:
        for start, end in self.pauses:
            if whole(start) <= moment and (end is None or moment < whole(end)):
                return None
        in_force = [program for start, program in self.versions if whole(start) <= moment]
        return in_force[-1] if in_force else None


@dataclass(frozen=True)
class Award:
    """What one order is worth now."""

    order_id: int
    customer_id: int | None
    address: str | None
    points: int
    matures_at: datetime | None


@dataclass
class Figures:
    """A customer's balance. Debt is what is missing below nothing."""

    net: int = 0
    pending: int = 0

    @property
    def available(self) -> int:
        return max(0, self.net)

    @property
    def debt(self) -> int:
        return max(0, -self.net)


def balances(
    facts: Iterable[Webhook],
    timeline: Timeline,
    now: datetime,
    adjustments: Iterable[tuple[int, int]] = (),
) -> dict[int, Figures]:
    """customer id → figures. ``adjustments`` are (customer id, points) that were not refused."""
    facts = list(facts)
    kept = _merges(facts)
    addresses = _verified_addresses(facts)
    figures: dict[int, Figures] = defaultdict(Figures)
    for award in awards(facts, timeline):
        customer = award.customer_id
        if customer is None:
            customer = addresses.get(award.address or "")
        if customer is None:
            continue
        book = figures[kept.get(customer, customer)]
        if award.matures_at is not None and award.matures_at > now:
            book.pending += award.points
        else:
            book.net += award.points
    for customer, points in adjustments:
        figures[kept.get(customer, customer)].net += points
    return dict(figures)


def awards(facts: Iterable[Webhook], timeline: Timeline) -> list[Award]:
    """What every order that was ever shown is worth."""
    bodies: dict[int, list[dict[str, Any]]] = defaultdict(list)
    refunds: dict[int, dict[int, dict[str, Any]]] = defaultdict(dict)
    for topic, body in facts:
        if topic == "refunds/create":
            refunds[body["order_id"]][body["id"]] = body
        elif topic.startswith("orders/"):
            bodies[body["id"]].append(body)
            for refund in body["refunds"]:
                refunds[body["id"]][refund["id"]] = refund
    return [award(shown, list(refunds[order_id].values()), timeline) for order_id, shown in bodies.items()]


def award(bodies: Sequence[dict[str, Any]], refunds: Sequence[dict[str, Any]], timeline: Timeline) -> Award:
    """What one order is worth, by everything ever shown of it."""
    last = max(bodies, key=_recency)
    named = [body for body in bodies if body["customer"]]
    customer = max(named, key=_recency)["customer"]["id"] if named else None
    addressed = [body for body in bodies if body.get("email") and not body["customer"]]
    address = max(addressed, key=_recency)["email"].strip().casefold() if addressed else None
    program = timeline.at(moment(last["created_at"]))
    points = 0
    matures_at = None
    paid = [moment(body["updated_at"]) for body in bodies if body["financial_status"] in PAID]
    if program is not None and (customer is not None or address is not None) and _counts(last, bodies, paid, program):
        points = _points(_eligible(last, refunds, program, bool(paid)), program)
        since = min(paid)
        if program.trigger == "fulfilled":
            sent = [moment(made["created_at"]) for made in last["fulfillments"] if made["status"] == "success"]
            since = max(sent) if sent else since
        if program.hold_days and points:
            matures_at = since + timedelta(days=program.hold_days)
    return Award(last["id"], customer, address, points, matures_at)


def _recency(body: dict[str, Any]) -> tuple[Any, ...]:
    """The last word: the latest change; of one second's, the furthest along."""
    return (
        moment(body["updated_at"]),
        body["financial_status"] in PAID,
        body["cancelled_at"] is not None,
        body["fulfillment_status"] == "fulfilled",
    )


def _counts(last: dict[str, Any], bodies: Sequence[dict[str, Any]], paid: list[datetime], program: Program) -> bool:
    """Whether the order earns at all."""
    if last["test"] and not program.test_orders:
        return False
    if any(body["cancelled_at"] for body in bodies):
        return False
    if last["financial_status"] in ("voided", "expired"):
        return False
    if DIGITS.get(last["currency"], 2) != DIGITS.get(program.currency, 2):
        return False
    if not paid:
        return False
    return program.trigger == "paid" or last["fulfillment_status"] == "fulfilled"


def _eligible(last: dict[str, Any], refunds: Sequence[dict[str, Any]], program: Program, paid: bool) -> Fraction:
    """What counts, in units of money: what is left of the lines, less money that left without units."""
    listed = {refund["id"] for refund in last["refunds"]}
    line_ids = {line["id"] for line in last["line_items"]}
    refunds = [
        refund
        for refund in refunds
        if refund["id"] in listed or all(item["line_item_id"] in line_ids for item in refund["refund_line_items"])
    ]
    eligible = edited_away = Fraction(0)
    for line in last["line_items"]:
        ordered = line["quantity"]
        known = _units(refunds, line["id"], lambda refund: refund["id"] in listed)
        unknown = _units(refunds, line["id"], lambda refund: refund["id"] not in listed)
        if "current_quantity" in line:
            left = max(0, line["current_quantity"] - unknown)
            removed = max(0, ordered - line["current_quantity"] - known)
        else:
            left, removed = max(0, ordered - known - unknown), 0
        if ordered:
            edited_away += _value(line, last["taxes_included"], True) * removed / ordered
            if _line_counts(line, program):
                eligible += _value(line, last["taxes_included"], program.tax) * left / ordered
    if program.shipping:
        eligible += _shipping(last, refunds, program)
    if paid:
        eligible -= max(Fraction(0), Fraction(last.get("total_outstanding") or 0))
    discrepancies = sum(
        (Fraction(entry["amount"]) for refund in refunds for entry in refund["order_adjustments"]
         if entry["kind"] != "shipping_refund"),
        Fraction(0),
    )  # fmt: skip
    if discrepancies < 0:
        eligible -= max(Fraction(0), -discrepancies - edited_away)
    return max(Fraction(0), eligible)


def _units(refunds: Sequence[dict[str, Any]], line_id: int, which: Any) -> int:
    return sum(
        item["quantity"]
        for refund in refunds
        if which(refund)
        for item in refund["refund_line_items"]
        if item["line_item_id"] == line_id
    )


def _line_counts(line: dict[str, Any], program: Program) -> bool:
    if line["gift_card"] or line.get("tip") is not None:
        return False
    vendor = (line["vendor"] or "").strip().casefold()
    return line["product_id"] not in program.not_products and vendor not in {
        name.casefold() for name in program.not_vendors
    }


def _value(line: dict[str, Any], taxes_included: bool, with_tax: bool) -> Fraction:
    """All units of a line: price less discounts, with or without tax; never below nothing."""
    value = Fraction(line["price_set"]["shop_money"]["amount"]) * line.get("quantity", 1)
    value -= sum(Fraction(part["amount_set"]["shop_money"]["amount"]) for part in line["discount_allocations"])
    tax = sum(Fraction(part["price_set"]["shop_money"]["amount"]) for part in line["tax_lines"])
    if taxes_included and not with_tax:
        value -= tax
    if with_tax and not taxes_included:
        value += tax
    return max(Fraction(0), value)


def _shipping(last: dict[str, Any], refunds: Sequence[dict[str, Any]], program: Program) -> Fraction:
    """What is left of the shipping, for the few programs that count it."""
    total = sum((_value(line, last["taxes_included"], program.tax) for line in last["shipping_lines"]), Fraction(0))
    for refund in refunds:
        for entry in refund["order_adjustments"]:
            if entry["kind"] == "shipping_refund":
                total += Fraction(entry["amount"])
                tax = Fraction(entry["tax_amount"])
                if last["taxes_included"] and not program.tax:
                    total -= tax
                if program.tax and not last["taxes_included"]:
                    total += tax
    return max(Fraction(0), total)


def _points(eligible: Fraction, program: Program) -> int:
    if eligible < program.minimum:
        return 0
    steps = eligible / program.per
    whole_steps = {"down": floor(steps), "up": ceil(steps), "nearest": floor(steps + Fraction(1, 2))}[program.rounding]
    return whole_steps * program.points


def _merges(facts: Iterable[Webhook]) -> dict[int, int]:
    """deleted customer → the one whose book counts in the end."""
    into: dict[int, int] = {}
    for topic, body in facts:
        if topic == "customers/merge" and body["status"] == "completed":
            deleted = int(body["admin_graphql_api_customer_deleted_id"].rsplit("/", 1)[1])
            into[deleted] = int(body["admin_graphql_api_customer_kept_id"].rsplit("/", 1)[1])
    ends = {}
    for customer in into:
        end = customer
        while end in into:
            end = into[end]
        ends[customer] = end
    return ends


def _verified_addresses(facts: Iterable[Webhook]) -> dict[str, int]:
    """address → customer, for addresses that were ever shown as proven."""
    return {
        body["email"].strip().casefold(): body["id"]
        for topic, body in facts
        if topic in ("customers/create", "customers/update") and body["verified_email"] and body["email"]
    }


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)

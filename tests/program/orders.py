"""Orders for the program's tests: short builders for literals, strategies for laws.

Money is written as a person would ("28.00"); moments are minutes after `START`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from app.program.codes import used_codes
from app.program.facts import LineFacts, OrderFacts, RefundFacts, ShippingFacts, Snapshot
from app.program.money import exponent, micro_per_minor, parse_micro
from app.program.settings import ProgramSettings

START = datetime(2026, 11, 21, 20, 12, tzinfo=UTC)
ORDER = 5731
MUG, BOWL, VASE = 11, 12, 13


def at(minutes):
    return START + timedelta(minutes=minutes)


def line(line_id=MUG, price="28.00", quantity=1, current=None, *, discount="0", tax="0", **more):
    return LineFacts(
        line_id=line_id,
        title=more.pop("title", "Ash mug"),
        quantity=quantity,
        price_micro=parse_micro(price),
        current_quantity=current,
        discount_micro=parse_micro(discount),
        tax_micro=parse_micro(tax),
        **more,
    )


def shipping(price="4.90", discount="0", tax="0"):
    return ShippingFacts("Standard", parse_micro(price), parse_micro(discount), parse_micro(tax))


def refund(refund_id=1, minutes=60, units=(), adjustment="0", shipping="0", shipping_tax="0"):
    return RefundFacts(
        refund_id=refund_id,
        created_at=at(minutes),
        units=tuple(dict(units).items()),
        adjustment_micro=parse_micro(adjustment),
        shipping_micro=parse_micro(shipping),
        shipping_tax_micro=parse_micro(shipping_tax),
    )


def snapshot(*lines, minutes=0, status="paid", outstanding=None, **more):
    more.setdefault("customer_id", 77)
    return Snapshot(
        name="#1001",
        created_at=START,
        updated_at=at(minutes),
        currency=more.pop("currency", "EUR"),
        lines=lines or (line(),),
        financial_status=status,
        total_outstanding_micro=None if outstanding is None else parse_micro(outstanding),
        **more,
    )


def order(*lines, refunds=(), outside=(), paid_at=None, **more):
    """An order seen once; `refunds` are listed in it, `outside` came by refunds/create only."""
    facts = OrderFacts.of_snapshot(ORDER, snapshot(*lines, **more), refunds, paid_at=paid_at)
    every = tuple(sorted((*facts.refunds, *outside), key=lambda refund: refund.refund_id))
    return replace(facts, refunds=every)


def program(points=1, per_minor=100, currency="EUR", **earning):
    return ProgramSettings.model_validate(
        {
            "name": "Saltmarsh Club",
            "currency": currency,
            "earning": {"points": points, "per_minor": per_minor, **earning},
        }
    )


ONE_PER_EURO = program()


# --- strategies -------------------------------------------------------------------------------------------------------

moments = st.integers(0, 4).map(lambda second: START + timedelta(seconds=second))
statuses = st.sampled_from([None, "pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded"])


@st.composite
def some_lines(draw, currency="EUR", *, most=4):
    unit = micro_per_minor(currency)
    lines = []
    for line_id in range(1, draw(st.integers(1, most)) + 1):
        price, quantity = draw(st.integers(0, 20_000)) * unit, draw(st.integers(0, 6))
        discount = draw(st.integers(0, 100)) * price * quantity // 100 // unit * unit
        tax = (price * quantity - discount) * draw(st.sampled_from([0, 7, 19, 25])) // 100 // unit * unit
        lines.append(
            LineFacts(
                line_id,
                f"Thing {line_id}",
                quantity,
                price,
                None,
                discount,
                tax,
                product_id=100 + line_id,
                vendor=draw(st.sampled_from([None, "Acme", "Saltmarsh"])),
                kind=draw(st.sampled_from(["product", "product", "product", "gift_card", "tip"])),
            )
        )
    return tuple(lines)


@st.composite
def some_refunds(draw):
    ids = draw(st.lists(st.integers(1, 4), unique=True, max_size=3))
    return tuple(
        RefundFacts(
            refund_id,
            draw(moments),
            units=tuple(draw(st.dictionaries(st.integers(1, 3), st.integers(0, 3), max_size=2)).items()),
            adjustment_micro=draw(st.integers(-3, 3)) * 1_000_000,
        )
        for refund_id in ids
    )


@st.composite
def some_facts(draw):
    """What any body or fetch about one order may say; few values, so that ties and repeats are common."""
    refunds = draw(some_refunds())
    if draw(st.integers(0, 4)) == 0 and refunds:
        return OrderFacts.of_refund(ORDER, refunds[0])
    read = draw(st.booleans())
    shown = Snapshot(
        name=draw(st.sampled_from(["#1001", "#1001-A"])),
        created_at=START,
        updated_at=draw(moments),
        currency="EUR",
        lines=draw(some_lines(most=2)),
        read_at=draw(moments) if read else None,
        financial_status=draw(statuses),
        fulfillment_status=draw(st.sampled_from([None, "partial", "fulfilled"])),
        cancelled_at=draw(st.none() | moments),
        fulfilled_at=draw(st.none() | moments),
        customer_id=draw(st.sampled_from([None, 77, 78])),
        address_hash=draw(st.sampled_from([None, "a1", "b2"])),
        codes=used_codes((), draw(st.lists(st.tuples(st.sampled_from(["K1", "K2"]), st.integers(0, 2)), max_size=2))),
    )
    return OrderFacts.of_snapshot(
        ORDER, shown, refunds, paid_at=draw(moments) if read and draw(st.booleans()) else None
    )


@st.composite
def an_order_and_its_returns(draw, currency=None, *, with_tax=None, returns=4):
    """A paid order, and refunds of units, each possible after those before it, some with a goodwill adjustment."""
    currency = currency or draw(st.sampled_from(["EUR", "JPY", "KWD"]))
    lines = draw(some_lines(currency, most=5))
    left = {line.line_id: line.quantity for line in lines}
    refunds = []
    for refund_id in range(1, draw(st.integers(0, returns)) + 1):
        units = {line_id: draw(st.integers(0, most)) for line_id, most in left.items() if most}
        for line_id, count in units.items():
            left[line_id] -= count
        refunds.append(
            RefundFacts(
                refund_id,
                at(refund_id),
                units=tuple((line_id, count) for line_id, count in units.items() if count),
                adjustment_micro=-draw(st.sampled_from([0, 0, 1, 250])) * micro_per_minor(currency),
            )
        )
    shown = Snapshot(
        name="#1001",
        created_at=START,
        updated_at=START,
        currency=currency,
        lines=lines,
        taxes_included=draw(st.booleans()),
        financial_status="paid",
        customer_id=77,
    )
    return OrderFacts.of_snapshot(ORDER, shown), tuple(refunds)


@st.composite
def some_program(draw, currency):
    return program(
        points=draw(st.integers(1, 7)),
        per_minor=draw(st.sampled_from([1, 3, 10 ** exponent(currency), 250])),
        currency=currency,
        rounding=draw(st.sampled_from(["down", "nearest", "up"])),
        counts={"tax": draw(st.booleans()), "shipping": draw(st.booleans())},
        minimum_order_minor=draw(st.sampled_from([0, 0, 500])),
        exclude={"products": draw(st.sampled_from([[], [101]])), "vendors": draw(st.sampled_from([[], ["ACME"]]))},
    )

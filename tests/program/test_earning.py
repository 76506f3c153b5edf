"""How many points an order earns: hand-worked cases, then laws."""

import json
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.program.decision import Decision
from app.program.earning import decide
from app.program.facts import OrderFacts
from app.program.merging import merge
from app.program.money import micro_per_minor
from tests.program.orders import (
    BOWL,
    MUG,
    ONE_PER_EURO,
    ORDER,
    START,
    VASE,
    an_order_and_its_returns,
    at,
    line,
    order,
    program,
    refund,
    shipping,
    some_program,
)

TWO_PER_EURO = program(points=2)

# Each worked by hand: what was ordered, under what program, the points, what counted.
HAND_WORKED = {
    "12.75 at 1 per whole 1.00": (order(line(price="12.75")), ONE_PER_EURO, 12, "12.75"),
    "12.75 at 2 per whole 1.00": (order(line(price="12.75")), TWO_PER_EURO, 24, "12.75"),
    "summed first, rounded once": (order(line(price="0.50"), line(BOWL, "0.50")), ONE_PER_EURO, 1, "1"),
    "3 per 2.50": (order(line(price="12.75")), program(points=3, per_minor=250), 15, "12.75"),
    "one cent short of a step": (order(line(price="19.99")), program(per_minor=1000), 1, "19.99"),
    "nearest, below half": (order(line(price="12.49")), program(rounding="nearest"), 12, "12.49"),
    "nearest, half": (order(line(price="12.50")), program(rounding="nearest"), 13, "12.5"),
    "up": (order(line(price="12.01")), program(rounding="up"), 13, "12.01"),
    "up, exact": (order(line(price="12.00")), program(rounding="up"), 12, "12"),
    "JPY per 100": (
        order(line(price="1250"), currency="JPY"),
        program(currency="JPY"),
        12,
        "1250",
    ),
    "KWD per 1.000": (
        order(line(price="12.999"), currency="KWD"),
        program(per_minor=1000, currency="KWD"),
        12,
        "12.999",
    ),
    "allocations of line and order discounts": (
        order(line(price="99.00", discount="9.78"), line(BOWL, "100.00", discount="5.08")),
        ONE_PER_EURO,
        184,
        "184.14",
    ),
    "included tax is out": (
        order(line(price="119.00", tax="19.00"), taxes_included=True),
        ONE_PER_EURO,
        100,
        "100",
    ),
    "included tax counts when asked": (
        order(line(price="119.00", tax="19.00"), taxes_included=True),
        program(counts={"tax": True}),
        119,
        "119",
    ),
    "added tax is out": (order(line(price="100.00", tax="19.00")), ONE_PER_EURO, 100, "100"),
    "added tax counts when asked": (
        order(line(price="100.00", tax="19.00")),
        program(counts={"tax": True}),
        119,
        "119",
    ),
    "shipping is out": (order(line(price="84.00"), shipping_lines=(shipping(),)), ONE_PER_EURO, 84, "84"),
    "shipping counts when asked": (
        order(line(price="84.00"), shipping_lines=(shipping("4.90"),)),
        program(counts={"shipping": True}),
        88,
        "88.9",
    ),
    "gift cards and tips are out": (
        order(line(price="10.00"), line(BOWL, "50.00", kind="gift_card"), line(VASE, "5.00", kind="tip")),
        ONE_PER_EURO,
        10,
        "10",
    ),
    "excluded product": (
        order(line(price="10.00", product_id=1), line(BOWL, "20.00", product_id=2)),
        program(exclude={"products": [2]}),
        10,
        "10",
    ),
    "excluded vendor, whatever its case": (
        order(line(price="10.00", vendor="Saltmarsh"), line(BOWL, "20.00", vendor="ACME ")),
        program(exclude={"vendors": ["Acme"]}),
        10,
        "10",
    ),
    "exactly the smallest order": (order(line(price="20.00")), program(minimum_order_minor=2000), 20, "20"),
    "one of three returned": (
        order(line(quantity=3, current=2), refunds=[refund(1, units={MUG: 1})]),
        ONE_PER_EURO,
        56,
        "56",
    ),
    "a third of a line that does not divide": (
        order(line(price="10.00", quantity=3, discount="10.00", current=1)),
        ONE_PER_EURO,
        6,
        "20/3",
    ),
    "thirds that add up again": (
        order(
            line(price="10.00", quantity=3, discount="10.00", current=1),
            line(BOWL, "10.00", quantity=3, discount="10.00", current=2),
        ),
        ONE_PER_EURO,
        20,
        "20",
    ),
    "money paid back without a return": (
        order(line(price="84.00"), refunds=[refund(1, adjustment="-10.00")]),
        ONE_PER_EURO,
        74,
        "74",
    ),
    "an edit up that is not paid yet": (
        order(line(price="84.00"), line(BOWL, "36.00"), outstanding="36.00"),
        ONE_PER_EURO,
        84,
        "84",
    ),
    "a currency with the same minor unit earns at the same rate": (order(currency="USD"), ONE_PER_EURO, 28, "28"),
    "test order where they count": (order(test=True), program(test_orders=True), 28, "28"),
}


@pytest.mark.parametrize(("facts", "settings", "points", "eligible"), HAND_WORKED.values(), ids=HAND_WORKED)
def test_hand_worked(facts, settings, points, eligible):
    decision = decide(facts, settings)
    assert (decision.points, decision.reason, decision.eligible) == (points, None, eligible)
    assert Decision.from_json(json.loads(json.dumps(decision.to_json()))) == decision


ZERO = {
    "waiting_for_order": (OrderFacts.of_refund(ORDER, refund()), ONE_PER_EURO),
    "test_order": (order(test=True), ONE_PER_EURO),
    "cancelled": (order(cancelled_at=at(5)), ONE_PER_EURO),
    "voided": (order(status="voided"), ONE_PER_EURO),
    "expired": (order(status="expired"), ONE_PER_EURO),
    "no_customer": (order(customer_id=None), ONE_PER_EURO),
    "other_currency": (order(currency="JPY"), ONE_PER_EURO),
    "not_paid": (order(status="pending"), ONE_PER_EURO),
    "not_fulfilled": (order(fulfillment_status="partial"), program(trigger="fulfilled")),
    "gift_card_only": (order(line(kind="gift_card")), ONE_PER_EURO),
    "excluded": (order(line(product_id=2), line(BOWL, kind="gift_card")), program(exclude={"products": [2]})),
    "zero_total": (order(line(price="28.00", discount="28.00")), ONE_PER_EURO),
    "nothing_left": (order(line(quantity=3, current=0)), ONE_PER_EURO),
    "below_minimum": (order(line(price="19.99")), program(minimum_order_minor=2000)),
    "too_small": (order(line(price="0.99")), ONE_PER_EURO),
}


@pytest.mark.parametrize(("reason", "case"), ZERO.items(), ids=ZERO)
def test_an_order_that_earns_nothing_says_why(reason, case):
    decision = decide(*case)
    assert (decision.points, decision.reason, decision.matures_at) == (0, reason, None)
    assert Decision.from_json(json.loads(json.dumps(decision.to_json()))) == decision


@pytest.mark.parametrize("why_not", ["not_started", "paused"])
def test_without_a_program_in_force_the_caller_says_why(why_not):
    assert decide(order(), None, why_not=why_not).reason == why_not


def test_without_a_program_and_without_a_reason_nothing_is_decided():
    with pytest.raises(ValueError):
        decide(order(), None)
    with pytest.raises(ValueError):
        decide(order(), None, why_not="because")


def test_a_refund_before_its_order_needs_no_program():
    assert decide(OrderFacts.of_refund(ORDER, refund()), None).reason == "waiting_for_order"


def test_a_guest_with_an_address_is_decided_and_a_redacted_order_stays_so():
    assert decide(order(customer_id=None, address_hash="a1"), ONE_PER_EURO).points == 28
    assert decide(order().without_person(), ONE_PER_EURO).points == 28


def test_a_refund_outside_and_one_inside_the_snapshot():
    facts = order(line(quantity=5, current=4), refunds=[refund(1, units={MUG: 1})], outside=[refund(2, units={MUG: 2})])
    assert decide(facts, ONE_PER_EURO).points == 56


def test_smallest_order_is_judged_by_what_remains():
    facts = order(line(price="15.00", quantity=2, current=1))
    assert decide(facts, program(minimum_order_minor=2000)).reason == "below_minimum"


def test_more_points_than_can_be_counted_is_an_error_and_not_a_number():
    with pytest.raises(ValueError):
        decide(order(line(price="999999999999", quantity=10**6)), program(points=10**6, per_minor=1))


class TestDates:
    def test_without_a_hold_points_are_there_at_once(self):
        assert decide(order(), ONE_PER_EURO).matures_at is None

    def test_a_hold_counts_from_the_payment(self):
        decision = decide(order(minutes=9, paid_at=at(3)), program(hold_days=14))
        assert decision.matures_at == at(3) + timedelta(days=14)

    def test_or_from_the_last_fulfilment(self):
        facts = order(fulfillment_status="fulfilled", fulfilled_at=at(90))
        decision = decide(facts, program(trigger="fulfilled", hold_days=1))
        assert (decision.matures_at, decision.occurred_at) == (at(90) + timedelta(days=1), at(90))

    def test_an_order_that_needs_no_fulfilment_counts_from_its_payment(self):
        facts = order(minutes=3, fulfillment_status="fulfillment_not_required")
        assert decide(facts, program(trigger="fulfilled", hold_days=1)).matures_at == at(3) + timedelta(days=1)

    def test_occurred_at_is_the_latest_fact_that_changed_the_award(self):
        paid = order(line(quantity=3, current=3), line(BOWL, kind="gift_card"), minutes=2, paid_at=at(1))
        assert decide(paid, ONE_PER_EURO).occurred_at == at(1)
        returned = merge(paid, OrderFacts.of_refund(ORDER, refund(1, minutes=60, units={MUG: 1})))
        assert decide(returned, ONE_PER_EURO).occurred_at == at(60)
        irrelevant = merge(returned, OrderFacts.of_refund(ORDER, refund(2, minutes=99, units={BOWL: 1}, shipping="1")))
        assert decide(irrelevant, ONE_PER_EURO).occurred_at == at(60)
        cancelled = merge(irrelevant, order(minutes=120, cancelled_at=at(110)))
        assert decide(cancelled, ONE_PER_EURO).occurred_at == at(110)

    def test_an_edit_is_dated_by_the_body_that_showed_it(self):
        assert decide(order(line(quantity=3, current=2), minutes=30, paid_at=at(1)), ONE_PER_EURO).occurred_at == at(30)


class TestAsOf:
    facts = order(
        line(quantity=3, current=2),
        minutes=60,
        refunds=[refund(1, minutes=30, units={MUG: 1})],
        cancelled_at=at(50),
        outstanding="10.00",
    )

    @pytest.mark.parametrize(("minutes", "points"), [(29, 84), (30, 84), (31, 56), (50, 56), (51, 0)])
    def test_decides_by_what_had_happened_before(self, minutes, points):
        assert decide(self.facts, ONE_PER_EURO, as_of=at(minutes)).points == points

    def test_an_order_paid_later_still_counts_from_its_creation(self):
        assert decide(order(minutes=90), ONE_PER_EURO, as_of=at(1)).points == 28


# --- laws -------------------------------------------------------------------------------------------------------------


def oracle(facts, settings):
    """Points a second way: Fractions of units throughout, straight from DESIGN §1, in a dozen lines."""
    earning, shown = settings.earning, facts.snapshot
    back = {}
    for one in facts.refunds:
        for line_id, count in one.units:
            back[line_id] = back.get(line_id, 0) + count
    eligible = Fraction(0)
    for item in shown.lines:
        vendor = (item.vendor or "").lower()
        if item.kind != "product" or item.product_id in earning.exclude.products:
            continue
        if vendor in [name.lower() for name in earning.exclude.vendors]:
            continue
        tax = earning.counts.tax - shown.taxes_included  # 1: add it, -1: take it out
        value = Fraction(item.price_micro * item.quantity - item.discount_micro + tax * item.tax_micro, 10**6)
        left = max(0, item.quantity - back.get(item.line_id, 0))
        eligible += max(Fraction(0), value) * Fraction(left, item.quantity) if item.quantity else 0
    eligible += min(Fraction(0), Fraction(sum(one.adjustment_micro for one in facts.refunds), 10**6))
    eligible = max(eligible, Fraction(0))
    unit = Fraction(micro_per_minor(settings.currency), 10**6)
    if eligible < earning.minimum_order_minor * unit:
        return 0
    steps = eligible / (earning.per_minor * unit)
    rounded = {
        "down": steps.numerator // steps.denominator,
        "up": -(-steps.numerator // steps.denominator),
        "nearest": (2 * steps.numerator + steps.denominator) // (2 * steps.denominator),
    }
    return rounded[earning.rounding] * earning.points


@st.composite
def orders_and_programs(draw):
    facts, refunds = draw(an_order_and_its_returns())
    return facts, refunds, draw(some_program(facts.snapshot.currency))


def after(facts, refunds):
    for one in refunds:
        facts = merge(facts, OrderFacts.of_refund(ORDER, one))
    return facts


@given(orders_and_programs())
def test_law_exact_in_every_currency(case):
    facts, refunds, settings = case
    assert decide(after(facts, refunds), settings).points == oracle(after(facts, refunds), settings)


@given(orders_and_programs())
def test_law_a_refund_can_only_lower_the_award(case):
    facts, refunds, settings = case
    points = [decide(after(facts, refunds[:count]), settings).points for count in range(len(refunds) + 1)]
    assert points == sorted(points, reverse=True)


@given(orders_and_programs(), st.randoms(use_true_random=False))
def test_law_the_order_of_refunds_is_irrelevant(case, random):
    facts, refunds, settings = case
    shuffled = list(refunds)
    random.shuffle(shuffled)
    assert decide(after(facts, refunds), settings) == decide(after(facts, shuffled), settings)


@given(orders_and_programs())
def test_law_returning_everything_leaves_nothing(case):
    facts, _, settings = case
    everything = refund(99, units={line.line_id: line.quantity for line in facts.snapshot.lines})
    assert decide(after(facts, [everything]), settings).points == 0


@given(orders_and_programs(), st.integers(0, 4))
def test_law_refunds_told_by_the_body_or_beside_it_end_alike(case, inside):
    """A later body that lists some refunds, with its own current quantities, decides as refunds/create alone did."""
    facts, refunds, settings = case
    listed, beside = refunds[:inside], refunds[inside:]
    back = {line.line_id: 0 for line in facts.snapshot.lines}
    for one in listed:
        for line_id, count in one.units:
            back[line_id] += count
    fields = {
        field: getattr(facts.snapshot, field)
        for field in ("name", "created_at", "currency", "taxes_included", "financial_status", "customer_id")
    }
    lines = tuple(
        type(line)(
            line.line_id, line.title, line.quantity, line.price_micro, line.quantity - back[line.line_id],
            line.discount_micro, line.tax_micro, line.product_id, line.variant_id, line.vendor, line.kind,
        )
        for line in facts.snapshot.lines
    )  # fmt: skip
    body = OrderFacts.of_snapshot(
        ORDER, type(facts.snapshot)(lines=lines, updated_at=START + timedelta(hours=1), **fields), listed
    )
    merged = after(merge(facts, body), beside)
    assert decide(merged, settings).points == decide(after(facts, refunds), settings).points


@given(orders_and_programs())
def test_law_a_decision_is_read_as_it_was_written(case):
    facts, refunds, settings = case
    decision = decide(after(facts, refunds), settings)
    assert Decision.from_json(json.loads(json.dumps(decision.to_json()))) == decision
    assert (decision.reason is None) == (decision.points > 0)
    fraction = Fraction(decision.eligible)
    assert fraction * 10**6 == decision.eligible_micro

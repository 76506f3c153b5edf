"""The words: a merchant's working, a shopper's sentence."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from app.program.decision import REASONS, Decision
from app.program.earning import decide
from app.program.explaining import explain, rate_words, reason_for_shopper
from app.program.facts import OrderFacts
from tests.program.orders import BOWL, MUG, ONE_PER_EURO, ORDER, at, line, order, program, refund, shipping

THREE_MUGS = line(quantity=3, current=3)
SHIPPED = (shipping("4.90"),)


def decided(*lines, settings=ONE_PER_EURO, **more):
    return decide(order(*lines, **more), settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (program(), "1 point for every €1"),
        (program(points=3, per_minor=250), "3 points for every €2.50"),
        (program(currency="JPY"), "1 point for every ¥100"),
        (program(points=1250, per_minor=1000, currency="KWD"), "1,250 points for every KWD\u00a01"),
    ],
)
def test_rate(settings, words):
    assert rate_words(settings) == words


class TestForTheMerchant:
    def test_every_line_what_came_back_and_what_counts(self):
        decision = decided(
            line(quantity=3, current=2),
            line(BOWL, "50.00", title="Gift card", kind="gift_card"),
            refunds=[refund(1, units={MUG: 1}, adjustment="-6.00")],
            shipping_lines=SHIPPED,
        )
        assert explain(decision, ONE_PER_EURO) == [
            "3 × Ash mug: €84.00",
            "1 × Ash mug returned: −€28.00",
            "1 × Gift card, gift cards never earn: €50.00",
            "Shipping, does not count: €4.90",
            "Paid back without a return: −€6.00",
            "Counts: €50.00",
            "1 point for every €1: 50 points",
        ]

    def test_removed_by_an_edit_is_not_returned(self):
        assert "1 × Ash mug removed: −€28.00" in explain(decided(line(quantity=3, current=2)))

    def test_what_the_program_says_about_tax_shipping_and_rounding(self):
        settings = program(rounding="nearest", counts={"tax": True, "shipping": True}, hold_days=14)
        decision = decided(THREE_MUGS, settings=settings, shipping_lines=SHIPPED, refunds=[refund(1, shipping="1.90")])
        assert explain(decision, settings) == [
            "3 × Ash mug: €84.00",
            "Shipping: €4.90",
            "Shipping paid back: −€1.90",
            "Counts, with tax: €87.00",
            "1 point for every €1, to the nearest: 87 points",
            "Pending until: 5 December 2026",
        ]

    def test_zero_has_its_working_too(self):
        assert explain(decided(line(price="0.80"))) == [
            "1 × Ash mug: €0.80",
            "Counts: €0.80",
            "Earned nothing: less than €1.00.",
        ]
        below = decided(settings=program(minimum_order_minor=5000))
        assert explain(below)[-1] == "Earned nothing: orders from €50.00 earn."

    def test_before_launch(self):
        decision = decide(order(), None, why_not="not_started")
        assert explain(decision) == ["Earned nothing: programme not started when this order was placed."]


class TestForTheShopper:
    def test_earned(self):
        assert reason_for_shopper("earned", decided(line(price="51.20"))) == "1 point for every €1 of €51.20."

    def test_pending_says_when_in_the_shop_s_own_day(self):
        decision = decided(line(price="51.20"), settings=program(hold_days=14))
        words = "1 point for every €1 of €51.20. Yours on "
        assert reason_for_shopper("pending", decision, today=date(2026, 11, 21)) == words + "5 December."
        assert reason_for_shopper("pending", decision, today=date(2025, 11, 21)) == words + "5 December 2026."
        auckland = ZoneInfo("Pacific/Auckland")
        assert reason_for_shopper("pending", decision, zone=auckland, today=date(2026, 1, 1)) == words + "6 December."

    def test_part_of_a_line_came_back(self):
        before = decided(THREE_MUGS)
        now = decided(THREE_MUGS, outside=[refund(1, units={MUG: 1})])
        assert reason_for_shopper("taken_back", now, before) == (
            "You returned 1 of 3 × Ash mug (€28.00), so its points went back. You keep the other 56."
        )

    def test_all_of_an_order_came_back(self):
        now = decided(outside=[refund(1, units={MUG: 1})])
        assert reason_for_shopper("taken_back", now, decided()) == (
            "You returned Ash mug (€28.00), so its points went back."
        )

    def test_several_lines_came_back(self):
        lines = THREE_MUGS, line(BOWL, "36.00", title="Supper bowl")
        now = decided(*lines, outside=[refund(1, units={MUG: 2, BOWL: 1})])
        assert reason_for_shopper("taken_back", now, decided(*lines)) == (
            "You returned 3 items (€92.00), so their points went back. You keep the other 28."
        )

    def test_only_what_came_back_since_is_named(self):
        first, second = refund(1, units={MUG: 1}), refund(2, units={MUG: 1})
        before, now = decided(THREE_MUGS, outside=[first]), decided(THREE_MUGS, outside=[first, second])
        assert reason_for_shopper("taken_back", now, before).startswith("You returned 1 of 3 × Ash mug (€28.00)")

    def test_an_edit_is_the_shop_s_doing(self):
        now = decided(line(quantity=3, current=1))
        assert reason_for_shopper("taken_back", now, decided(THREE_MUGS)) == (
            "The shop took 2 of 3 × Ash mug (€56.00) off this order, so their points went back. You keep the other 28."
        )

    def test_money_without_a_return(self):
        paid_back = decided(THREE_MUGS, outside=[refund(1, adjustment="-10.00")])
        assert reason_for_shopper("taken_back", paid_back, decided(THREE_MUGS)) == (
            "The shop paid you back €10.00, so its points went back. You keep the other 74."
        )
        outstanding = decided(THREE_MUGS, outstanding="14.00")
        assert reason_for_shopper("taken_back", outstanding, decided(THREE_MUGS)) == (
            "€14.00 of this order is not paid yet. Its points come when it is. You keep the other 70."
        )

    def test_cancelled(self):
        now = decided(THREE_MUGS, cancelled_at=at(5))
        assert reason_for_shopper("taken_back", now, decided(THREE_MUGS)) == (
            "This order was cancelled, so its points went back."
        )

    def test_without_the_decision_before_it_still_says_something_true(self):
        now = decided(THREE_MUGS, outside=[refund(1, units={MUG: 1})])
        assert reason_for_shopper("taken_back", now) == (
            "This order changed, so some of its points went back. You keep the other 56."
        )

    def test_zero(self):
        assert reason_for_shopper("zero", decided(line(kind="gift_card"))) == "Buying a gift card does not earn points."
        assert reason_for_shopper("zero", decided(line(price="0.80"))) == "1 point for every €1, and this was €0.80."
        small = decided(settings=program(minimum_order_minor=5000))
        assert reason_for_shopper("zero", small) == "Orders from €50.00 earn points."

    def test_adjusted_and_merged(self):
        assert reason_for_shopper("adjusted", None, note="a broken cup") == "Corrected by the shop: a broken cup"
        assert reason_for_shopper("adjusted", None) == "Corrected by the shop."
        assert reason_for_shopper("merged", None).startswith("From another account of yours")


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_words_on_both_sides(reason):
    bare = Decision(points=0, occurred_at=at(0), reason=reason, currency="EUR")
    full = decide(order(), ONE_PER_EURO)
    worked = Decision(points=0, occurred_at=at(0), reason=reason, currency="EUR", rate=full.rate, lines=full.lines)
    for decision in (bare, worked) if reason not in ("below_minimum", "too_small") else (worked,):
        for words in (explain(decision)[-1], reason_for_shopper("zero", decision)):
            assert words.endswith(".") and "!" not in words
        assert "went back" in reason_for_shopper("taken_back", decision, full)


def test_a_waiting_refund_says_so():
    decision = decide(OrderFacts.of_refund(ORDER, refund()), None)
    assert explain(decision) == ["Earned nothing: waiting for the order. A refund arrived before it."]

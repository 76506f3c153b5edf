"""What remains of an order: DESIGN §1, both shapes of an edit."""

from fractions import Fraction

import pytest

from app.program.facts import OrderFacts
from app.program.money import parse_micro
from app.program.remaining import what_remains
from tests.program.orders import BOWL, MUG, ORDER, at, line, order, refund, shipping


def units(facts, **how):
    return [left.remaining for left in what_remains(facts, **how).lines]


def values(facts, **how):
    return [Fraction(left.value, 10**6) for left in what_remains(facts, **how).lines]


def test_a_refund_the_snapshot_contains_is_in_its_current_quantity():
    assert units(order(line(quantity=3, current=2), refunds=[refund(1, units={MUG: 1})])) == [2]


def test_a_refund_outside_the_snapshot_is_taken_off():
    assert units(order(line(quantity=3, current=3), outside=[refund(1, units={MUG: 1})])) == [2]


def test_refunds_inside_and_outside_at_once():
    facts = order(line(quantity=5, current=4), refunds=[refund(1, units={MUG: 1})], outside=[refund(2, units={MUG: 2})])
    assert units(facts) == [2]
    assert what_remains(facts).lines[0].returned == 3


def test_without_current_quantity_all_refunds_are_taken_off():
    facts = order(line(quantity=5), refunds=[refund(1, units={MUG: 1})], outside=[refund(2, units={MUG: 2})])
    assert units(facts) == [2]


def test_never_below_zero():
    assert units(order(line(quantity=1, current=0), outside=[refund(1, units={MUG: 3})])) == [0]


def test_a_refund_of_a_line_the_snapshot_does_not_show_takes_nothing():
    assert units(order(line(quantity=1, current=1), outside=[refund(1, units={BOWL: 1})])) == [1]


def test_value_is_price_times_quantity_less_allocations():
    assert values(order(line(price="28.00", quantity=3, discount="4.00"))) == [80]


def test_included_taxes_are_taken_out_and_added_ones_left_alone():
    assert values(order(line(price="119.00", tax="19.00"), taxes_included=True)) == [100]
    assert values(order(line(price="100.00", tax="19.00"), taxes_included=False)) == [100]


def test_tax_counts_when_asked_in_either_kind_of_shop():
    assert values(order(line(price="119.00", tax="19.00"), taxes_included=True), with_tax=True) == [119]
    assert values(order(line(price="100.00", tax="19.00"), taxes_included=False), with_tax=True) == [119]


def test_a_share_is_kept_exact():
    assert values(order(line(price="10.00", quantity=3, discount="10.00", current=1))) == [Fraction(20, 3)]


def test_a_line_of_quantity_zero_is_worth_nothing():
    assert values(order(line(quantity=0, current=0, discount="0"))) == [0]


def test_a_line_is_never_worth_less_than_nothing():
    assert values(order(line(price="10.00", discount="12.00"))) == [0]


@pytest.mark.parametrize(("outstanding", "expected"), [(None, "0"), ("0.00", "0"), ("20.00", "20"), ("-5.00", "0")])
def test_what_is_outstanding_once_paid_reduces(outstanding, expected):
    assert what_remains(order(outstanding=outstanding)).outstanding == parse_micro(expected)


def test_what_is_outstanding_before_any_payment_does_not():
    assert what_remains(order(status="pending", outstanding="28.00")).outstanding == 0


@pytest.mark.parametrize(
    ("adjustments", "paid_back"),
    [
        (["-10.00"], "10"),
        (["-10.00", "-2.50"], "12.5"),
        (["28.00"], "0"),
        (["28.00", "-28.00"], "0"),
        (["28.00", "-30.00"], "2"),
    ],
)
def test_discrepancies_are_summed_with_their_signs(adjustments, paid_back):
    refunds = [refund(number, adjustment=amount) for number, amount in enumerate(adjustments, 1)]
    facts = order(line(quantity=3, current=3), outside=refunds)
    assert what_remains(facts).paid_back == parse_micro(paid_back)


class TestAnEditThatRemovesUnits:
    """Two of three mugs stay; the third, 28.00 and 5.32 tax, is paid out later."""

    def as_refund(self, *more):
        """Shape one: a refund with the unit and a positive "pending refund" discrepancy."""
        edit = refund(1, minutes=10, units={MUG: 1}, adjustment="33.32")
        return order(line(quantity=3, current=2, tax="15.96"), refunds=[edit, *more])

    def as_quantity(self, *more):
        """Shape two: only the lower current quantity."""
        return order(line(quantity=3, current=2, tax="15.96"), refunds=more)

    @pytest.mark.parametrize("shape", ["as_refund", "as_quantity"])
    def test_counts_once_before_and_after_its_money_is_paid_out(self, shape):
        before, after = getattr(self, shape)(), getattr(self, shape)(refund(2, adjustment="-33.32"))
        for facts in (before, after):
            assert units(facts) == [2]
            assert values(facts) == [56]
            assert what_remains(facts).paid_back == 0

    @pytest.mark.parametrize("shape", ["as_refund", "as_quantity"])
    def test_what_is_paid_back_beyond_it_reduces(self, shape):
        assert what_remains(getattr(self, shape)(refund(2, adjustment="-40.00"))).paid_back == parse_micro("6.68")

    def test_is_known_as_an_edit_only_when_no_refund_says_so(self):
        assert not what_remains(self.as_refund()).edited
        assert what_remains(self.as_quantity()).edited
        assert what_remains(self.as_quantity()).lines[0].returned == 0


def test_an_edit_that_adds_units_counts_them_when_they_are_paid():
    added = order(line(quantity=2, current=2), line(BOWL, "36.00"), outstanding="36.00")
    remains = what_remains(added)
    assert sum(left.value for left in remains.lines) - remains.outstanding == parse_micro("56")


class TestShipping:
    def test_is_worth_its_price_less_discounts(self):
        remains = what_remains(order(shipping_lines=(shipping("4.90", "1.00"), shipping("2.00"))))
        assert remains.shipping == remains.shipping_ordered == parse_micro("5.9")

    def test_refunded_shipping_is_taken_off_and_is_no_discrepancy(self):
        remains = what_remains(order(shipping_lines=(shipping("4.90"),), refunds=[refund(1, shipping="3.00")]))
        assert (remains.shipping, remains.paid_back) == (parse_micro("1.9"), 0)

    @pytest.mark.parametrize(
        ("included", "with_tax", "left"),
        [(True, False, "5"), (True, True, "6"), (False, False, "6"), (False, True, "7")],
    )
    def test_tax_is_treated_alike_in_charge_and_refund(self, included, with_tax, left):
        facts = order(
            shipping_lines=(shipping("12.00", tax="2.00"),),
            refunds=[refund(1, shipping="6.00", shipping_tax="1.00")],
            taxes_included=included,
        )
        assert what_remains(facts, with_tax=with_tax).shipping == parse_micro(left)


class TestAsOfAMoment:
    facts = order(
        line(quantity=5, current=3),
        refunds=[refund(1, minutes=10, units={MUG: 1}), refund(2, minutes=30, units={MUG: 1}, adjustment="-4.00")],
        outside=[refund(3, minutes=40, units={MUG: 1})],
        outstanding="9.00",
    )

    @pytest.mark.parametrize(("minutes", "left"), [(10, 5), (11, 4), (30, 4), (31, 3), (41, 2)])
    def test_only_refunds_before_it_count(self, minutes, left):
        assert units(self.facts, as_of=at(minutes)) == [left]

    def test_discrepancies_too_and_nothing_is_outstanding(self):
        assert what_remains(self.facts, as_of=at(30)).paid_back == 0
        assert what_remains(self.facts, as_of=at(31)).paid_back == parse_micro("4")
        assert what_remains(self.facts, as_of=at(31)).outstanding == 0
        assert what_remains(self.facts).outstanding == parse_micro("9")

    def test_an_edit_counts_as_made_with_the_order(self):
        assert units(order(line(quantity=3, current=2)), as_of=at(0)) == [2]


def test_nothing_can_be_said_without_a_snapshot():
    with pytest.raises(ValueError):
        what_remains(OrderFacts.of_refund(ORDER, refund()))

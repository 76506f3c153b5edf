"""Merging facts is a join: DESIGN §1, a test a sentence, and the laws."""

import itertools
import json
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.program.codes import used_codes
from app.program.facts import OrderFacts
from app.program.merging import merge
from tests.program.orders import BOWL, MUG, ORDER, START, at, line, order, refund, snapshot, some_facts


def merge_all(*facts):
    merged = None
    for fact in facts:
        merged = merge(merged, fact)
    return merged


def of(minutes=0, status="paid", refunds=(), paid_at=None, lines=(), **more):
    return OrderFacts.of_snapshot(
        ORDER, snapshot(*lines, minutes=minutes, status=status, **more), refunds, paid_at=paid_at
    )


# --- laws -------------------------------------------------------------------------------------------------------------


@given(some_facts(), some_facts())
def test_law_order_makes_no_difference(a, b):
    assert merge(a, b) == merge(b, a)


@given(some_facts(), some_facts(), some_facts())
def test_law_grouping_makes_no_difference(a, b, c):
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(some_facts(), some_facts())
def test_law_repeats_make_no_difference(a, b):
    assert merge(a, a) == a
    assert merge(merge(a, b), b) == merge(a, b)
    assert merge(None, a) == a


@given(st.lists(some_facts(), min_size=1, max_size=4))
def test_law_every_permutation_ends_in_the_same_facts(facts):
    ends = [merge_all(*permutation) for permutation in itertools.permutations(facts)]
    assert all(end == ends[0] for end in ends)


@given(some_facts(), some_facts())
def test_law_what_is_stored_between_makes_no_difference(a, b):
    stored = json.loads(json.dumps(a.to_json()))
    assert OrderFacts.from_json(stored) == a
    merged = merge(OrderFacts.from_json(stored), b)
    assert merged == merge(a, b)
    assert OrderFacts.from_json(json.loads(json.dumps(merged.to_json()))) == merged


@given(st.lists(some_facts(), min_size=1, max_size=3), st.integers(0, 2))
def test_law_a_redacted_order_stays_redacted(facts, when):
    facts[when % len(facts)] = facts[when % len(facts)].without_person()
    ends = [merge_all(*permutation) for permutation in itertools.permutations(facts)]
    assert all(end == ends[0] for end in ends)
    stored = json.dumps(ends[0].to_json())
    assert "#1001" not in stored and ends[0].customer is None and ends[0].address is None


# --- sentences --------------------------------------------------------------------------------------------------------


def test_facts_of_two_orders_are_not_merged():
    with pytest.raises(ValueError):
        merge(of(), OrderFacts.of_refund(ORDER + 1, refund()))


def test_the_latest_update_wins():
    assert merge(of(5, status="paid"), of(3, status="pending")).snapshot.financial_status == "paid"


def test_among_equal_updates_a_fetch_wins_and_the_latest_first():
    webhook, early, late = of(name_of := 5), of(name_of, read_at=at(6)), of(name_of, read_at=at(7))
    assert merge_all(late, webhook, early).snapshot.read_at == at(7)
    assert merge_all(webhook, early).snapshot.read_at == at(6)


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ({"status": "pending"}, {"status": "paid"}),
        ({}, {"cancelled_at": START}),
        ({}, {"fulfillment_status": "fulfilled"}),
        ({"status": "pending", "fulfillment_status": "fulfilled"}, {"status": "paid"}),
    ],
)
def test_ties_go_to_paid_then_cancelled_then_fulfilled(less, more):
    assert merge(of(**more), of(**less)).snapshot == of(**more).snapshot


def test_what_still_ties_is_settled_by_the_digest():
    a, b = of(lines=[line(price="1.00")]), of(lines=[line(price="2.00")])
    greater = max((a, b), key=lambda facts: facts.snapshot.digest)
    assert merge(a, b).snapshot == merge(b, a).snapshot == greater.snapshot


PEOPLE = [{"customer_id": 7001}, {"customer_id": 7002}, {"customer_id": 7001, "customer_verified": False},
          {"customer_id": None, "address_hash": "0a"}, {"customer_id": None, "address_hash": "0b"}]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PEOPLE, 2)))
def test_two_people_in_one_second_end_as_one_of_them_whoever_came_first(one, other):
    a, b = of(**one), of(**other)
    assert merge(a, b) == merge(b, a)
    assert merge(a, b).snapshot in (a.snapshot, b.snapshot)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PEOPLE, 2)))
def test_what_is_left_of_an_erased_order_is_the_same_whoever_it_was(one, other):
    """Its digest has no key: were it of the person too, a list of customers would be enough to find them in it."""
    assert of(**one).without_person().to_json() == of(**other).without_person().to_json()


@given(some_facts(), some_facts())
def test_law_erasing_before_or_after_makes_no_difference(a, b):
    assert merge(a.without_person(), b) == merge(a, b).without_person()


def test_moments_are_compared_as_instants():
    sydney = timezone(timedelta(hours=11))
    assert of(updated := 5) == of(updated)
    local = OrderFacts.of_snapshot(ORDER, snapshot(minutes=5))
    moved = OrderFacts.of_snapshot(
        ORDER,
        type(local.snapshot)(
            **{
                field: getattr(local.snapshot, field)
                for field in ("name", "currency", "lines", "financial_status", "customer_id")
            },
            created_at=START.astimezone(sydney),
            updated_at=at(5).astimezone(sydney),
        ),
    )
    assert moved == local and moved.snapshot.digest == local.snapshot.digest


def test_refunds_are_a_union_by_id():
    merged = merge_all(of(refunds=[refund(1)]), OrderFacts.of_refund(ORDER, refund(2)), of(9, refunds=[refund(3)]))
    assert [known.refund_id for known in merged.refunds] == [1, 2, 3]
    assert merged.snapshot.contained_refunds == (3,)


def test_the_same_refund_twice_is_the_one_with_the_greater_digest():
    a, b = refund(1, units={MUG: 1}), refund(1, units={MUG: 2})
    kept = merge(OrderFacts.of_refund(ORDER, a), OrderFacts.of_refund(ORDER, b)).refunds
    assert kept == (max((a, b), key=lambda version: version.digest),)


def test_one_line_listed_twice_in_a_refund_is_added_up():
    from app.program.facts import RefundFacts

    assert RefundFacts(1, START, units=((BOWL, 1), (MUG, 1), (BOWL, 2))).units == ((MUG, 1), (BOWL, 3))


def test_cancelled_at_is_the_earliest_seen_from_stale_bodies_too():
    merged = merge_all(of(9, cancelled_at=at(8)), of(3, cancelled_at=at(2)), of(20))
    assert merged.cancelled_at == at(2)
    assert merged.snapshot.cancelled_at is None


@pytest.mark.parametrize("status", ["paid", "partially_refunded", "refunded"])
def test_ever_paid_is_what_some_body_showed(status):
    merged = merge_all(of(1, status="pending"), of(2, status=status), of(3, status="voided"))
    assert merged.ever_paid and merged.paid_at == at(2)


@pytest.mark.parametrize("status", [None, "pending", "authorized", "partially_paid", "voided", "expired"])
def test_other_statuses_do_not_show_a_payment(status):
    assert not of(status=status).ever_paid


def test_paid_at_is_the_least_of_bodies_and_of_the_transaction():
    assert merge(of(5), of(3)).paid_at == at(3)
    assert merge(of(5), of(9, read_at=at(10), paid_at=at(1))).paid_at == at(1)
    assert of(4, status="pending", read_at=at(9), paid_at=at(2)).paid_at == at(2)
    assert of(4, paid_at=at(9)).paid_at == at(4)


def test_null_never_takes_a_customer_away():
    merged = merge(of(1, customer_id=77, address_hash="a1"), of(5, customer_id=None))
    assert (merged.customer_id, merged.address_hash) == (77, "a1")


def test_the_customer_is_that_of_the_greatest_snapshot_that_names_one():
    merged = merge_all(of(9, customer_id=None), of(3, customer_id=77), of(5, customer_id=78), of(4, customer_id=79))
    assert merged.customer_id == 78
    stored = OrderFacts.from_json(merged.to_json())
    assert merge(stored, of(4, customer_id=80)).customer_id == 78
    assert merge(stored, of(6, customer_id=80)).customer_id == 80


def test_codes_are_a_union_with_the_winning_snapshots_amounts():
    merged = merge_all(of(1, codes=(("AA", 9), ("BB", 4))), of(5, codes=(("AA", 7),)), of(3, codes=(("BB", 6),)))
    assert merged.snapshot.codes == (("AA", 7),)
    assert merged.codes == (("AA", 7), ("BB", 6))
    assert OrderFacts.from_json(json.loads(json.dumps(merged.to_json()))).codes == merged.codes


def test_codes_are_stored_once_and_only_where_there_are_any():
    plain, coded = of(), of(codes=(("AA", 7),))
    assert "codes" not in plain.to_json()["snapshot"] and plain.codes == ()
    assert coded.to_json()["snapshot"]["codes"] == [["AA", 7]] and "codes_seen" not in coded.to_json()
    assert coded.snapshot.digest != plain.snapshot.digest


def test_a_redacted_order_keeps_its_codes():
    erased = of(codes=(("AA", 7),)).without_person()
    assert erased.codes == (("AA", 7),)
    assert merge(erased, of(5, codes=())).codes == (("AA", 7),)


def test_a_code_is_the_same_in_any_case():
    assert used_codes(["summer", " ", "AA"], [("Summer", 3), ("SUMMER", 4)]) == (("AA", 0), ("SUMMER", 7))


def test_a_refund_before_its_order_waits():
    early = OrderFacts.of_refund(ORDER, refund(1, units={MUG: 1}))
    assert early.snapshot is None and early.created_at is None and not early.ever_paid
    assert merge(early, of()) == order(outside=[refund(1, units={MUG: 1})])

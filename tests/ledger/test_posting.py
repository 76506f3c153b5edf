"""What one movement does, a sentence each, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.ledger import KeyReused, NotEnoughPoints, adjust, audit, transfer

from ..conftest import NOW
from .posting import SHOP, award, busy_books, drawn, figures, posting, take_back


def test_an_award_is_available_at_once(db):
    award(db, 1, 5731, 28)
    assert figures(db, 1) == (28, 0, 0, 0)


def test_an_award_on_hold_is_pending_until_its_day(db):
    award(db, 1, 5731, 28, hold_days=14)
    assert figures(db, 1) == (0, 28, 0, 0)
    with posting(db, 1, lots=("order:5731",), now=NOW + timedelta(days=13, hours=23)) as books:
        assert books.mature(1, "order:5731") == 0
    with posting(db, 1, lots=("order:5731",), now=NOW + timedelta(days=14)) as books:
        assert books.mature(1, "order:5731") == 28
    assert figures(db, 1) == (28, 0, 0, 0)


def test_pending_points_whose_hold_is_lifted_are_due_now(db):
    award(db, 1, 5731, 28, hold_days=14)
    award(db, 1, 5731, 2, settled=2)  # decided again without a hold
    assert figures(db, 1) == (2, 28, 0, 0)
    with posting(db, 1, lots=("order:5731",)) as books:
        assert books.mature(1, "order:5731") == 28


def test_a_take_back_draws_from_pending_then_its_own_lot_then_the_soonest_to_expire_then_becomes_debt(db):
    award(db, 1, 1, 10, age_days=9)
    award(db, 1, 2, 10, age_days=1, expires_in_days=30)
    award(db, 1, 3, 10, age_days=1, expires_in_days=5)
    award(db, 1, 4, 10, age_days=3)
    award(db, 1, 5, 10, age_days=2)
    award(db, 1, 5, 10, settled=2, hold_days=14)
    take_back(db, 1, 5, 70, settled=3)
    assert drawn(db, 1, "order:5:settled:3") == [
        ("pending", "issued", 10, "order:5"),
        ("available", "issued", 10, "order:5"),
        ("available", "issued", 10, "order:3"),  # expires in 5 days
        ("available", "issued", 10, "order:2"),  # in 30
        ("available", "issued", 10, "order:1"),  # never; the oldest first
        ("available", "issued", 10, "order:4"),
        ("debt", "issued", 10, None),
    ]
    assert figures(db, 1) == (0, 0, 0, 10)


def test_what_becomes_available_repays_debt_first_in_an_entry_of_its_own(db):
    award(db, 1, 1, 10)
    with db.transaction() as session:
        adjust(session, shop_id=SHOP, member_id=1, key="spent", points=-10, now=NOW)
    take_back(db, 1, 1, 10)
    assert figures(db, 1) == (0, 0, 0, 10)
    award(db, 1, 2, 4)
    assert drawn(db, 1, "order:2:settled:1") == [
        ("issued", "available", 4, "order:2"),
        ("available", "debt", 4, "order:2"),
    ]
    assert figures(db, 1) == (0, 0, 0, 6)
    with db.transaction() as session:
        adjust(session, shop_id=SHOP, member_id=1, key="gift", points=10, now=NOW)
    assert figures(db, 1) == (4, 0, 0, 0)


def test_pending_points_repay_debt_only_when_they_mature(db):
    award(db, 1, 1, 10)
    with db.transaction() as session:
        adjust(session, shop_id=SHOP, member_id=1, key="spent", points=-10, now=NOW)
    take_back(db, 1, 1, 10)
    award(db, 1, 2, 12, hold_days=1)
    assert figures(db, 1) == (0, 12, 0, 10)
    with posting(db, 1, lots=("order:2",), now=NOW + timedelta(days=1)) as books:
        books.mature(1, "order:2")
    assert figures(db, 1) == (2, 0, 0, 0)


def test_points_removed_by_hand_are_refused_beyond_what_is_available(db):
    award(db, 1, 1, 10)
    award(db, 1, 2, 50, hold_days=3)
    with pytest.raises(NotEnoughPoints, match="Only 10 points"), db.transaction() as session:
        adjust(session, shop_id=SHOP, member_id=1, key="k", points=-11, now=NOW)
    assert figures(db, 1) == (10, 50, 0, 0)


@pytest.mark.parametrize("points", [0, 10**15 + 1, -(10**15) - 1])
def test_an_adjustment_that_is_no_number_of_points_is_refused(db, points):
    with pytest.raises(ValueError), db.transaction() as session:
        adjust(session, shop_id=SHOP, member_id=1, key="k", points=points, now=NOW)


@pytest.mark.parametrize("points", [0, -1])
def test_a_movement_is_a_positive_number_of_points(db, points):
    with pytest.raises(ValueError, match="positive"), posting(db, 1) as books:
        books.award(1, cause="order:1", event="order:1:settled:1", points=points, occurred_at=NOW, earned_at=NOW)


def test_the_same_adjustment_again_is_nothing(db):
    for expected in (True, False, False):
        with db.transaction() as session:
            assert adjust(session, shop_id=SHOP, member_id=1, key="k", points=7, now=NOW) is expected
    assert figures(db, 1) == (7, 0, 0, 0)


def test_the_same_key_with_other_contents_is_an_error(db):
    with db.transaction() as session:
        adjust(session, shop_id=SHOP, member_id=1, key="k", points=7, now=NOW)
    for member, points in ((1, 8), (1, -7), (2, 7)):
        with pytest.raises(KeyReused), db.transaction() as session:
            adjust(session, shop_id=SHOP, member_id=member, key="k", points=points, now=NOW)
    assert figures(db, 1) == (7, 0, 0, 0)
    assert figures(db, 2) == (0, 0, 0, 0)


def test_the_same_key_in_another_shop_is_another_key(db):
    for shop in (SHOP, SHOP + 1):
        with db.transaction() as session:
            assert adjust(session, shop_id=shop, member_id=1, key="k", points=7, now=NOW)


def test_a_transfer_keeps_names_and_dates_of_lots_and_moves_debt(db):
    award(db, 1, 1, 10, age_days=9)
    award(db, 1, 2, 20, hold_days=5)
    award(db, 2, 3, 6)
    with db.transaction() as session:
        adjust(session, shop_id=SHOP, member_id=2, key="spent", points=-6, now=NOW)
    take_back(db, 2, 3, 6)
    assert figures(db, 2) == (0, 0, 0, 6)
    with db.transaction() as session:
        transfer(session, shop_id=SHOP, source_id=2, target_id=1, now=NOW)
    assert figures(db, 2) == (0, 0, 0, 0)
    assert figures(db, 1) == (4, 20, 0, 0)
    with db.transaction() as session:  # nothing left to move: nothing happens
        transfer(session, shop_id=SHOP, source_id=2, target_id=1, now=NOW)
    with posting(db, 1, lots=("order:2",), now=NOW + timedelta(days=5)) as books:
        assert books.mature(1, "order:2") == 20


def test_points_received_from_another_member_repay_debt_first(db):
    award(db, 1, 1, 10)
    with db.transaction() as session:
        adjust(session, shop_id=SHOP, member_id=1, key="spent", points=-10, now=NOW)
    take_back(db, 1, 1, 10)
    award(db, 2, 2, 25)
    with db.transaction() as session:
        transfer(session, shop_id=SHOP, source_id=2, target_id=1, now=NOW)
    assert figures(db, 1) == (15, 0, 0, 0)


def test_busy_books_add_up(db):
    busy_books(db)
    with db.reading() as session:
        assert audit(session, SHOP) == []

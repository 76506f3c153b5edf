"""Points set aside for a reward: where they come from, where they return to, and what becomes of them in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.ledger import Entry, Lot, NotEnoughPoints, audit, transfer

from ..conftest import NOW
from .posting import SHOP, award, drawn, figures, posting, take_back


def reserve(db, member, points, event=1, now=NOW, cause="redemption:a"):
    with posting(db, member, now=now) as books:
        books.reserve(member, cause=cause, event=f"{cause}:{event}", points=points, occurred_at=now)


def move(db, verb, member, points, event, now=NOW, cause="redemption:a"):
    with posting(db, member, now=now) as books:
        getattr(books, verb)(member, cause=cause, event=f"{cause}:{event}", points=points, occurred_at=now)


def lots(db, member):
    """lot → (available, age in days, days until it expires), of lots that hold something."""
    with db.reading() as session:
        rows = session.scalars(select(Lot).where(Lot.shop_id == SHOP, Lot.member_id == member, Lot.available > 0))
        return {
            row.lot: (row.available, (NOW - row.earned_at).days, row.expires_at and (row.expires_at - NOW).days)
            for row in rows
        }


def adds_up(db):
    with db.reading() as session:
        return audit(session, SHOP) == []


def test_points_are_set_aside_from_the_soonest_to_expire(db):
    award(db, 1, 1, 50, age_days=9)
    award(db, 1, 2, 50, age_days=1, expires_in_days=30)
    award(db, 1, 3, 50, age_days=1, expires_in_days=5)
    reserve(db, 1, 120)
    assert drawn(db, 1, "redemption:a:1") == [
        ("available", "reserved", 50, "order:3"),
        ("available", "reserved", 50, "order:2"),
        ("available", "reserved", 20, "order:1"),
    ]
    assert figures(db, 1) == (30, 0, 120, 0)


def test_released_points_return_to_their_lots_with_their_dates(db):
    award(db, 1, 1, 50, age_days=9)
    award(db, 1, 2, 50, age_days=1, expires_in_days=30)
    before = lots(db, 1)
    reserve(db, 1, 80)
    move(db, "release", 1, 80, 2, now=NOW + timedelta(days=20))
    assert lots(db, 1) == before
    assert adds_up(db)


def test_what_was_drawn_last_returns_first(db):
    award(db, 1, 1, 50, age_days=9)
    award(db, 1, 2, 50, age_days=1, expires_in_days=30)
    reserve(db, 1, 80)
    move(db, "redeem", 1, 80, 2)
    move(db, "give_back", 1, 40, 3)
    assert lots(db, 1) == {"order:1": (50, 9, None), "order:2": (10, 1, 30)}


def test_a_lot_drawn_from_again_counts_as_drawn_last(db):
    award(db, 1, 1, 30, expires_in_days=5)
    award(db, 1, 2, 30, expires_in_days=30)
    reserve(db, 1, 60)
    move(db, "release", 1, 60, 2, now=NOW + timedelta(minutes=1))
    with posting(db, 1) as books:  # only the lot that was drawn first is left for it this time, and then the other
        books.adjust(1, event="adjust:x", points=-30, occurred_at=NOW)
    award(db, 1, 1, 10, settled=2, expires_in_days=5)
    move(db, "redeem_after_all", 1, 40, 3, now=NOW + timedelta(minutes=2))
    assert drawn(db, 1, "redemption:a:3") == [
        ("available", "redeemed", 10, "order:1"),
        ("available", "redeemed", 30, "order:2"),
    ]
    move(db, "give_back", 1, 35, 4, now=NOW + timedelta(minutes=3))
    assert lots(db, 1) == {"order:2": (30, 0, 30), "order:1": (5, 0, 5)}
    assert adds_up(db)


def test_more_than_is_available_is_refused_and_nothing_is_posted(db):
    award(db, 1, 1, 99)
    award(db, 1, 2, 50, hold_days=3)
    with pytest.raises(NotEnoughPoints, match="99 points are available, 100 are needed"):
        reserve(db, 1, 100)
    assert figures(db, 1) == (99, 50, 0, 0)


def test_what_is_set_aside_is_out_of_reach_of_a_take_back(db):
    award(db, 1, 1, 30)
    reserve(db, 1, 20)
    take_back(db, 1, 1, 30)
    assert figures(db, 1) == (0, 0, 20, 20)
    move(db, "release", 1, 20, 2)  # and repays what that left owing
    assert figures(db, 1) == (0, 0, 0, 0)
    assert adds_up(db)


def test_points_spent_after_all_beyond_what_is_there_become_debt(db):
    award(db, 1, 1, 100)
    reserve(db, 1, 100)
    move(db, "release", 1, 100, 2)
    with posting(db, 1) as books:
        books.adjust(1, event="adjust:x", points=-70, occurred_at=NOW)
    move(db, "redeem_after_all", 1, 100, 3)
    assert figures(db, 1) == (0, 0, 0, 70)
    assert adds_up(db)


def test_points_that_were_never_in_a_lot_come_back_in_one_of_their_own_however_often(db):
    award(db, 1, 1, 100)
    reserve(db, 1, 100)
    move(db, "release", 1, 100, 2)
    with posting(db, 1) as books:
        books.adjust(1, event="adjust:x", points=-100, occurred_at=NOW)
    move(db, "redeem_after_all", 1, 100, 3)  # all of it debt
    award(db, 1, 2, 100, age_days=4)  # which this repays
    for event in (4, 6, 8):
        move(db, "give_back", 1, 100, event)
        assert lots(db, 1) == {"redemption:a": (100, 0, None)}
        move(db, "redeem_after_all", 1, 100, event + 1)
        assert figures(db, 1) == (0, 0, 0, 0)
    assert adds_up(db)


def test_a_merge_takes_what_is_set_aside_along_and_it_returns_to_lots_with_the_old_dates(db):
    award(db, 1, 1, 40, age_days=9, expires_in_days=30)
    award(db, 2, 2, 10, age_days=2)
    reserve(db, 1, 40)
    merge(db, 1, 2)
    assert figures(db, 1) == (0, 0, 0, 0)
    assert figures(db, 2) == (10, 0, 40, 0)
    move(db, "release", 2, 40, 2)
    assert lots(db, 2) == {"order:1": (40, 9, 30), "order:2": (10, 2, None)}
    assert adds_up(db)


def test_merged_twice_it_still_comes_along_with_its_dates(db):
    award(db, 1, 1, 40, age_days=9, expires_in_days=30)
    reserve(db, 1, 40)
    merge(db, 1, 2)
    merge(db, 2, 3)
    assert figures(db, 3) == (0, 0, 40, 0)
    move(db, "redeem", 3, 40, 2)
    merge(db, 3, 4)
    move(db, "give_back", 4, 40, 3)
    assert lots(db, 4) == {"order:1": (40, 9, 30)}
    assert adds_up(db)


def test_a_movement_that_would_take_more_than_is_set_aside_is_a_bug_and_not_a_balance(db):
    award(db, 1, 1, 40)
    reserve(db, 1, 30)
    for verb in ("release", "redeem"):
        with pytest.raises(RuntimeError, match="reserved of member 1 would fall below zero"):
            move(db, verb, 1, 31, 2)
    assert figures(db, 1) == (10, 0, 30, 0)


def test_every_part_of_an_event_has_a_key_of_its_own(db):
    award(db, 1, 1, 30)
    award(db, 1, 2, 30)
    reserve(db, 1, 60)
    with db.reading() as session:
        keys = session.scalars(select(Entry.key).where(Entry.event == "redemption:a:1")).all()
    assert sorted(keys) == ["redemption:a:1/1.3", "redemption:a:1/1.4"]


def merge(db, source, target):
    with db.transaction() as session:
        transfer(session, shop_id=SHOP, source_id=source, target_id=target, now=NOW)

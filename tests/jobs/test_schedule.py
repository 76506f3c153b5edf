"""What happens by itself, once a period and shop."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.jobs.schedule import ask_for_due_work
from app.models import Job, JobState, Shop, ShopToken

from ..conftest import NOW, SHOP_ID
from ..support import add_shop, deliver, drain, jobs, order_body


@pytest.fixture
def ask(db, clock):
    def ask() -> int:
        with db.transaction() as session:
            return ask_for_due_work(session, now=clock())

    return ask


def test_a_sweep_a_day_for_every_installed_shop(db, clock, ask):
    add_shop(db, program=None, installed=NOW)
    assert ask() == 0  # the installation asked for the first one
    clock.advance(hours=24, seconds=1)
    assert ask() == 1
    assert ("reconcile", "sweep") in jobs(db)
    assert ask() == 0  # it waits already
    assert jobs(db)["reconcile", "sweep"].wanted == 1
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).reconciled_at = clock()
        session.execute(Job.__table__.delete())
    assert ask() == 0
    clock.advance(hours=24, seconds=1)
    assert ask() == 1


def test_an_uninstalled_shop_is_not_swept(db, clock, ask):
    add_shop(db, program=None, installed=NOW, token=False)
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).uninstalled_at = NOW
    clock.advance(days=3)
    assert ask() == 0


def test_a_parked_sweep_is_tried_again_an_hour_later(db, clock, ask):
    add_shop(db, program=None, installed=NOW)
    clock.advance(days=2)
    ask()
    with db.transaction() as session:
        session.execute(Job.__table__.update().values(state=JobState.PARKED, tries=8))
    clock.advance(minutes=59)
    assert ask() == 0
    clock.advance(minutes=2)
    assert ask() == 1
    assert jobs(db)["reconcile", "sweep"].tries == 0


def test_a_token_unused_for_a_week_is_kept_alive(db, clock, ask):
    add_shop(db, program=None, installed=NOW)
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).reconciled_at = NOW + timedelta(days=365)
    clock.advance(days=7, seconds=1)
    assert ask() == 1
    assert ("keep_alive", "") in jobs(db)
    with db.transaction() as session:
        session.get_one(ShopToken, SHOP_ID).needs_reopening = True
        session.execute(Job.__table__.delete())
    assert ask() == 0  # only the merchant can help


def test_old_deliveries_are_forgotten(db, clock, ask):
    add_shop(db, installed=NOW, token=False)
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    clock.advance(days=31, seconds=1)
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).reconciled_at = clock()
    assert ask() == 1
    assert ("forget_old", "") in jobs(db)

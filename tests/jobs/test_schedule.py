"""What happens by itself, once a period and shop."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.jobs import schedule
from app.jobs.schedule import ask_for_due_work
from app.loyalty.hand_out import AMBIGUOUS
from app.loyalty.programs import publish
from app.models import Job, JobState, Redemption, RedemptionState, Shop, ShopToken
from app.program.presets import preset

from ..conftest import NOW, SHOP_ID
from ..rewarding import fill_pool, redeemed, the_reward
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


# --- rewards --------------------------------------------------------------------------------------------------------

OTHER = SHOP_ID + 1


def shop_with_redemptions(db, clock, count: int, *, shop_id: int = SHOP_ID, domain: str = "a.myshopify.com") -> list:
    """So many redemptions that have their code, and no job at all."""
    add_shop(db, shop_id=shop_id, domain=domain, installed=NOW)
    order = order_body(lines=[("1000.00", 1)], shop_id=shop_id, domain=domain)
    deliver(db, "orders/paid", order, domain=domain)
    drain(db, clock)
    fill_pool(db, the_reward().reward_id, 500, count=count, shop_id=shop_id)
    made = [redeemed(db, clock, 7001, key=f"k{number}", shop_id=shop_id) for number in range(count)]
    with db.transaction() as session:
        session.execute(update(Shop).values(reconciled_at=NOW + timedelta(days=365)))
        session.execute(Job.__table__.delete())
    return made


def become(db, redemptions: list, **values) -> None:
    ids = [each.redemption_id for each in redemptions]
    with db.transaction() as session:
        session.execute(update(Redemption).where(Redemption.redemption_id.in_(ids)).values(**values))


def lost_work(db, shop_id: int = SHOP_ID) -> set[tuple[str, str]]:
    kinds = ("make_codes", "hand_out", "delete_codes", "sweep_releases", "finish_releases")
    return {(kind, subject) for kind, subject in jobs(db, shop_id=shop_id) if kind in kinds}


def test_what_was_lost_is_asked_for_again_where_it_was(db, clock, ask):
    made = shop_with_redemptions(db, clock, 6)
    become(db, made[:1], state=RedemptionState.RELEASING)
    clock.advance(minutes=6)
    ask()
    assert lost_work(db) == {("delete_codes", "")}
    become(db, made[:1], code_gone_at=clock())
    become(db, made[1:2], state=RedemptionState.RELEASING, code_gone_at=clock(), swept_at=clock())
    become(db, made[2:4], state=RedemptionState.RESERVED, code=None)
    become(db, made[4:5], state=RedemptionState.RESERVED, code=None, discount_key=None)
    ask()
    assert lost_work(db) == {
        ("delete_codes", ""), ("sweep_releases", ""), ("finish_releases", ""), ("make_codes", made[2].discount_key),
        ("hand_out", made[4].redemption_id),
    }  # fmt: skip
    assert jobs(db)["make_codes", made[2].discount_key].arguments == {"key": made[2].discount_key}
    assert jobs(db)["hand_out", made[4].redemption_id].arguments == {"redemption_id": made[4].redemption_id}


def test_what_cannot_be_helped_hides_nothing_that_can(db, clock, ask, monkeypatch):
    """Neither what waits for a person, nor what was just parked, nor a shop with more than is asked for at once."""
    monkeypatch.setattr(schedule, "MOST_LOST", 2)
    made = shop_with_redemptions(db, clock, 6)
    become(db, made, state=RedemptionState.RESERVED, code=None, discount_key=None)
    become(db, made[:3], asked_at=clock(), problem=AMBIGUOUS)
    become(db, made[:5], reserved_at=clock() - timedelta(days=1))
    clock.advance(minutes=6)
    late = shop_with_redemptions(db, clock, 1, shop_id=OTHER, domain="b.myshopify.com")
    become(db, late, state=RedemptionState.RELEASING)
    clock.advance(minutes=6)
    ask()
    assert lost_work(db) == {("hand_out", each.redemption_id) for each in made[3:5]}
    with db.transaction() as session:
        session.execute(update(Job).values(state=JobState.PARKED, due_at=clock()))
    clock.advance(minutes=1)
    ask()
    assert ("hand_out", made[5].redemption_id) in lost_work(db)
    assert lost_work(db, OTHER) == {("delete_codes", "")}
    clock.advance(minutes=60)  # what was parked is tried again
    ask()
    assert jobs(db)["hand_out", made[3].redemption_id].state is JobState.DUE


def test_a_job_that_waits_for_its_date_is_not_asked_for(db, clock, ask):
    made = shop_with_redemptions(db, clock, 1)
    become(db, made, state=RedemptionState.RELEASING)
    clock.advance(minutes=6)
    ask()
    with db.transaction() as session:
        session.execute(update(Job).where(Job.kind == "delete_codes").values(due_at=clock() + timedelta(hours=9)))
    ask()
    assert jobs(db)["delete_codes", ""].due_at == clock() + timedelta(hours=9)


def test_a_version_that_starts_later_keeps_nobody_from_looking_at_the_pools_each_day(db, clock, ask):
    shop_with_redemptions(db, clock, 1)
    starts_at = clock() + timedelta(days=100)
    with db.transaction() as session:
        shop, settings = session.get_one(Shop, SHOP_ID), preset("starter-double", "EUR")
        publish(session, shop, settings, author="test", now=clock(), starts_at=starts_at)
    clock.advance(days=1)
    ask()
    due = {subject: job.due_at for (kind, subject), job in jobs(db).items() if kind == "stock_pools"}
    assert due == {"": clock(), "v2": starts_at}

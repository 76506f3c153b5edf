"""The queue: asked twice is one job, tried again with growing gaps, parked in the end; fair, fenced, and awake."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from app.db import Direct
from app.errors import AccessRevoked, Throttled
from app.jobs import worker as worker_module
from app.jobs.handlers import NETWORK, RECORD, WAITED_FOR
from app.jobs.queue import (
    LEASE,
    Fenced,
    asking_soon_for,
    backoff,
    claim,
    enqueue,
    finish_job,
    hold,
    next_job,
    release,
    wake,
)
from app.jobs.worker import Worker
from app.models import Delivery, DueShop, Job, JobState, Lane

from ..conftest import NOW, SHOP_ID
from ..support import access_for, add_shop, available, deliver, drain, jobs, order_body, outcomes

SECOND, SECOND_DOMAIN = SHOP_ID + 1, "other.myshopify.com"


class TickingClock:
    """A clock that goes on a little whenever it is looked at: time passes by working, not by waiting."""

    def __init__(self, step: timedelta = timedelta(milliseconds=50)) -> None:
        self.now, self.step = NOW, step

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@pytest.fixture
def shop(db, clock):
    """A shop with nothing to do."""
    add_shop(db, program=None, installed=NOW, token=False)
    drain(db, clock)
    clock.advance(minutes=2)
    drain(db, clock)
    return SHOP_ID


@pytest.fixture
def probe(monkeypatch):
    """Kinds of job that note that they ran, and do what the test says."""
    ran: list[tuple[str, dict[str, Any]]] = []
    ran_by: dict[str, Callable[..., Any]] = {}

    def record(session: Any, shop_id: int, arguments: dict[str, Any], now: datetime) -> None:
        ran.append(("record", arguments))
        ran_by.get("record", lambda *_: None)(session, shop_id, arguments)

    def network(access: Any, shop_id: int, arguments: dict[str, Any]) -> None:
        ran.append(("network", arguments))
        ran_by.get("network", lambda *_: None)(access, shop_id, arguments)

    monkeypatch.setitem(RECORD, "record_probe", record)
    monkeypatch.setitem(NETWORK, "network_probe", network)
    return ran, ran_by


def ask(db, kind: str, now: datetime, **more: Any) -> None:
    lane = Lane.SETTLE if kind.startswith("record") else Lane.NETWORK
    with db.transaction() as session:
        enqueue(session, SHOP_ID, kind, lane=lane, now=now, **more)


# --- jobs ----------------------------------------------------------------------------------------------------------


def test_work_asked_for_twice_is_one_job_at_the_earlier_date(db, clock, shop, probe):
    ran, _ = probe
    ask(db, "network_probe", clock(), due_at=clock() + timedelta(seconds=9), arguments={"n": 1})
    ask(db, "network_probe", clock(), due_at=clock() + timedelta(seconds=5), arguments={"n": 2})
    ask(db, "network_probe", clock(), due_at=clock() + timedelta(seconds=7), arguments={"n": 3})
    assert jobs(db)["network_probe", ""].due_at == clock() + timedelta(seconds=5)
    clock.advance(seconds=4)
    drain(db, clock)
    assert ran == []
    clock.advance(seconds=1)
    drain(db, clock)
    assert ran == [("network", {"n": 3})]
    assert jobs(db) == {}


def test_other_subjects_are_other_jobs(db, clock, shop, probe):
    ran, _ = probe
    for subject in ("1", "2"):
        ask(db, "record_probe", clock(), subject=subject, arguments={"subject": subject})
    drain(db, clock)
    assert sorted(arguments["subject"] for _, arguments in ran) == ["1", "2"]


@pytest.mark.parametrize("kind", ["record_probe", "network_probe"])
def test_work_asked_for_while_it_runs_runs_again(db, clock, shop, probe, kind):
    ran, does = probe

    def ask_again(where: Any, shop_id: int, arguments: dict[str, Any]) -> None:
        if len(ran) == 1 and kind.startswith("record"):
            enqueue(where, SHOP_ID, kind, lane=Lane.SETTLE, now=clock())
        elif len(ran) == 1:
            ask(db, kind, clock())

    does[kind.split("_")[0]] = ask_again
    ask(db, kind, clock())
    drain(db, clock)
    clock.advance(seconds=2)
    drain(db, clock)
    assert len(ran) == 2
    assert jobs(db) == {}


@pytest.mark.parametrize("kind", ["record_probe", "network_probe"])
def test_work_that_asks_for_itself_later_waits_until_then(db, clock, shop, probe, kind):
    """Asked for a minute later while it runs, it is not due at once: it would ask again, and for ever."""
    ran, does = probe
    lane = Lane.SETTLE if kind.startswith("record") else Lane.NETWORK

    def look_again(where: Any, shop_id: int, arguments: dict[str, Any]) -> None:
        assert len(ran) < 20  # else it would go on for ever
        later = {"lane": lane, "now": clock(), "due_at": clock() + timedelta(seconds=60)}
        if lane is Lane.SETTLE:
            enqueue(where, SHOP_ID, kind, **later)
        else:
            ask(db, kind, clock(), due_at=later["due_at"])

    does[kind.split("_")[0]] = look_again
    ask(db, kind, clock())
    ask(db, kind, clock())  # twice before it ran: once is enough
    for round_ in range(1, 4):
        drain(db, clock)
        assert len(ran) == round_
        assert jobs(db)[kind, ""].due_at == clock() + timedelta(seconds=60)
        clock.advance(seconds=59)
        drain(db, clock)
        assert len(ran) == round_
        clock.advance(seconds=1)


def test_who_wants_it_sooner_than_it_wants_itself_has_it_sooner(db, clock, shop, probe):
    ran, does = probe

    def look_again(*_: Any) -> None:
        if len(ran) == 1:
            ask(db, "network_probe", clock(), due_at=clock() + timedelta(seconds=60))
            ask(db, "network_probe", clock(), due_at=clock() + timedelta(seconds=5))
            ask(db, "network_probe", clock(), due_at=clock() + timedelta(seconds=90))

    does["network"] = look_again
    ask(db, "network_probe", clock())
    drain(db, clock)
    assert (len(ran), jobs(db)["network_probe", ""].due_at) == (1, clock() + timedelta(seconds=5))
    ask(db, "network_probe", clock())
    drain(db, clock)
    assert (len(ran), jobs(db)) == (2, {})


def test_a_job_that_fails_is_tried_eight_times_with_growing_gaps_and_parked(db, clock, shop, probe):
    ran, does = probe

    def fail(*_: Any) -> None:
        raise ValueError("a bug")

    does["network"] = fail
    ask(db, "network_probe", clock())
    gaps = []
    for _ in range(8):
        drain(db, clock)
        job = jobs(db)["network_probe", ""]
        gaps.append((job.due_at - clock()).total_seconds())
        clock.now = job.due_at
    assert len(ran) == 8
    assert (job.state, job.tries, job.outcome) == (JobState.PARKED, 8, "It failed (ValueError).")
    assert all(2**n <= gap <= 1.25 * 2**n + 0.001 for n, gap in enumerate(gaps, start=1))
    clock.advance(hours=1)
    drain(db, clock)
    assert len(ran) == 8
    ask(db, "network_probe", clock())  # asked for anew, it has eight tries again
    drain(db, clock)
    assert (len(ran), jobs(db)["network_probe", ""].tries) == (9, 1)


def test_a_busy_shopify_says_when_to_come_back(db, clock, shop, probe):
    _, does = probe

    def throttle(*_: Any) -> None:
        raise Throttled("wait", retry_after=77)

    does["network"] = throttle
    ask(db, "network_probe", clock())
    drain(db, clock)
    assert jobs(db)["network_probe", ""].due_at == clock() + timedelta(seconds=77)


def test_asking_again_does_not_cut_short_the_wait_of_a_job_that_failed(db, clock, shop, probe):
    ran, does = probe

    def throttle(*_: Any) -> None:
        raise Throttled("wait", retry_after=77)

    does["network"] = throttle
    ask(db, "network_probe", clock())
    for _ in range(76):  # as members' balances change every second while Shopify is down
        drain(db, clock)
        clock.advance(seconds=1)
        ask(db, "network_probe", clock(), arguments={"newest": True})
    assert len(ran) == 1
    clock.advance(seconds=1)
    drain(db, clock)
    assert ran[1:] == [("network", {"newest": True})]


def test_a_job_whose_access_is_gone_is_parked_at_once(db, clock, shop, probe):
    _, does = probe

    def refuse(*_: Any) -> None:
        raise AccessRevoked("gone")

    does["network"] = refuse
    ask(db, "network_probe", clock())
    drain(db, clock)
    assert jobs(db)["network_probe", ""].state is JobState.PARKED


def test_a_job_of_a_kind_nobody_knows_stops_no_other(db, clock, shop, probe):
    ran, _ = probe
    with db.transaction() as session:
        enqueue(session, SHOP_ID, "of_yesterday", lane=Lane.NETWORK, now=clock())
    clock.advance(seconds=1)
    ask(db, "network_probe", clock())
    drain(db, clock)
    assert ran == [("network", {})]
    assert jobs(db)["of_yesterday", ""].tries == 1


def test_a_job_commits_with_what_caused_it_or_not_at_all(db, clock, shop, probe):
    ran, does = probe

    def half(session: Any, shop_id: int, arguments: dict[str, Any]) -> None:
        enqueue(session, SHOP_ID, "network_probe", lane=Lane.NETWORK, now=clock())
        raise ValueError("after asking for more")

    does["record"] = half
    ask(db, "record_probe", clock())
    drain(db, clock)
    assert ran == [("record", {})]
    assert list(jobs(db)) == [("record_probe", "")]


def test_the_gaps_between_tries_end_at_ten_minutes():
    assert [round(backoff(tries).total_seconds() / 1.13, -1) for tries in (10, 30)] == pytest.approx(
        [600, 600], rel=0.15
    )


def test_what_somebody_waits_for_goes_first_unless_the_other_waited_much_longer(db, clock, shop):
    for seconds, kind in ((0, "sync_members"), (1, "delete_codes"), (20, "make_codes"), (90, "hand_out")):
        with db.transaction() as session:
            enqueue(session, SHOP_ID, kind, lane=Lane.NETWORK, now=clock(), due_at=clock() + timedelta(seconds=seconds))
    clock.advance(seconds=100)
    lease = claim(db, Lane.NETWORK, clock())
    order = []
    while (job := next_job(db, lease, clock(), first=WAITED_FOR)) is not None:
        order.append(job.kind)
        with db.transaction() as session:
            finish_job(session, job, clock())
    assert order == ["make_codes", "sync_members", "delete_codes", "hand_out"]


# --- lanes ---------------------------------------------------------------------------------------------------------


def test_a_shop_with_five_thousand_deliveries_delays_the_other_by_no_more_than_a_slice(db):
    clock = TickingClock()
    add_shop(db, program=None, installed=NOW, token=False)
    add_shop(db, shop_id=SECOND, domain=SECOND_DOMAIN, installed=NOW, token=False)
    worker = Worker(access_for(db, clock))
    worker.drain()
    clock.now += timedelta(seconds=2)
    flood = [
        {
            "shop_id": SHOP_ID, "key": number.to_bytes(32, "big"), "topic": "products/update", "source": "webhook",
            "webhook_id": str(number), "api_version": "", "received_at": clock.now, "body": b"{}", "state": "new",
            "due_at": clock.now, "tries": 0, "outcome": "", "about": "",
        }
        for number in range(5000)
    ]  # fmt: skip
    with db.transaction() as session:
        session.execute(Delivery.__table__.insert(), flood)
        session.execute(DueShop.__table__.update().values(next_due=clock.now - timedelta(minutes=1)))
    deliver(db, "orders/paid", order_body(shop_id=SECOND, domain=SECOND_DOMAIN), now=clock.now, domain=SECOND_DOMAIN)
    began = clock.now
    served = []
    while available(db, 7001, shop_id=SECOND) == 0:
        lease = claim(db, Lane.SETTLE, clock())
        assert lease is not None
        served.append(lease.shop_id)
        worker.serve(lease)
    assert len(served) <= 2, "one slice of the flood at most comes first"
    assert clock.now - began < timedelta(seconds=3)
    with db.reading() as session:
        left = session.scalars(select(Delivery.key).where(Delivery.shop_id == SHOP_ID, Delivery.state == "new")).all()
    assert left, "the flood is not through yet"
    sequence = []
    while (lease := claim(db, Lane.SETTLE, clock())) is not None and len(sequence) < 60:
        sequence.append(lease.shop_id)
        worker.serve(lease)
    assert {state for _, state, _ in outcomes(db)} == {"ignored"}


def test_the_shop_served_least_recently_comes_first(db, clock):
    for number in range(4):
        add_shop(db, shop_id=SHOP_ID + number, domain=f"s{number}.myshopify.com", program=None, installed=NOW)
    served = []
    for _ in range(8):
        clock.advance(seconds=1)
        lease = claim(db, Lane.SETTLE, clock())
        served.append(lease.shop_id)
        with db.transaction() as session:  # always due
            session.execute(DueShop.__table__.update().values(lease_until=None, next_due=NOW))
    assert sorted(served[:4]) == [SHOP_ID + number for number in range(4)]
    assert served[4:] == served[:4]


def test_one_lane_of_a_shop_has_one_holder_and_the_other_lane_its_own(db, clock, shop):
    clock.advance(minutes=2)
    assert claim(db, Lane.SETTLE, clock()) is not None
    assert claim(db, Lane.SETTLE, clock()) is None
    assert claim(db, Lane.NETWORK, clock()) is not None


def test_a_worker_that_slept_through_its_lease_is_fenced_off(db, clock, shop):
    clock.advance(minutes=2)
    asleep = claim(db, Lane.SETTLE, clock())
    clock.advance(seconds=LEASE.total_seconds() + 1)
    awake = claim(db, Lane.SETTLE, clock())
    assert (awake.shop_id, awake.fence) == (asleep.shop_id, asleep.fence + 1)
    with pytest.raises(Fenced), db.transaction() as session:
        hold(session, asleep, clock())
    release(db, asleep, worked=True, now=clock())  # gives nothing back: it has nothing
    with db.transaction() as session:
        hold(session, awake, clock())


def test_a_worker_that_lost_its_lease_in_the_middle_of_a_batch_writes_nothing(db, clock, monkeypatch):
    add_shop(db, installed=NOW, token=False)
    drain(db, clock)
    clock.advance(minutes=2)
    deliver(db, "orders/paid", order_body(), now=clock())
    deliver(db, "orders/paid", {"broken": 1}, now=clock())
    thief = []

    def understand_slowly(*arguments: Any) -> Any:
        if not thief:
            clock.advance(seconds=LEASE.total_seconds() + 1)
            thief.append(claim(db, Lane.SETTLE, clock()))
        return honest(*arguments)

    honest = worker_module.understand
    monkeypatch.setattr(worker_module, "understand", understand_slowly)
    worker = Worker(access_for(db, clock))
    worker.serve(claim(db, Lane.SETTLE, clock()))
    assert [state for _, state, _ in outcomes(db)] == ["new", "new"]
    assert available(db, 7001) == 0
    worker.serve(thief[0])
    assert available(db, 7001) == 28


def test_a_job_of_a_lost_lease_is_not_begun(db, clock, shop, probe):
    ran, _ = probe
    ask(db, "network_probe", clock())
    ask(db, "record_probe", clock())
    worker = Worker(access_for(db, clock))
    for lane in Lane:
        lost = claim(db, lane, clock())
        clock.advance(seconds=LEASE.total_seconds() + 1)
        assert claim(db, lane, clock()) is not None
        worker.serve(lost)
    assert ran == []


def test_a_job_that_waits_long_for_shopify_keeps_its_lease(db, clock, shop, probe, monkeypatch):
    """Two minutes, with the lease renewed meanwhile; nobody else begins the same job."""
    monkeypatch.setattr(worker_module, "RENEW_EVERY_S", 0.02)
    claimed: list[Any] = []

    def lease_until() -> datetime:
        with db.reading() as session:
            return session.get_one(DueShop, (shop, Lane.NETWORK)).lease_until

    def wait(access: Any, shop_id: int, arguments: dict[str, Any]) -> None:
        for _ in range(4):
            clock.advance(seconds=30)
            until = time.monotonic() + 5
            while lease_until() <= clock() and time.monotonic() < until:
                time.sleep(0.01)
            claimed.append(claim(db, Lane.NETWORK, clock()))

    probe[1]["network"] = wait
    ask(db, "network_probe", clock())
    drain(db, clock)
    assert claimed == [None] * 4


def test_a_wake_up_between_two_transactions_is_not_lost(postgres_db, clock):
    db = postgres_db
    add_shop(db, installed=NOW, token=False)
    drain(db, clock)
    clock.advance(seconds=2)
    deliver(db, "orders/paid", order_body(), now=clock())
    with db.transaction() as session:
        # The lane is due, so this one touches nothing; it commits only after the lane has been served and given back.
        session.add(
            Delivery(
                shop_id=SHOP_ID, key=b"late", topic="products/update", webhook_id="late", received_at=clock(),
                body=b"{}", due_at=clock(),
            )
        )  # fmt: skip
        session.flush()
        wake(session, SHOP_ID, Lane.SETTLE, clock())
        drain(db, clock)
        assert available(db, 7001) == 28
    drain(db, clock)
    assert {topic: state for topic, state, _ in outcomes(db)}["products/update"] == "ignored"


def test_who_wakes_a_lane_that_is_being_looked_at_is_heard(db, clock, shop):
    """The worker saw nothing to do, and gives the lane back for a minute; meanwhile there is something."""
    clock.advance(minutes=2)
    lease = claim(db, Lane.SETTLE, clock())
    with db.transaction() as session:
        wake(session, SHOP_ID, Lane.SETTLE, clock())
    release(db, lease, worked=False, now=clock())
    assert claim(db, Lane.SETTLE, clock()) is not None


def test_every_lane_is_looked_at_once_a_minute(db, clock, shop):
    with db.reading() as session:
        due = session.execute(select(DueShop.lane, DueShop.next_due).where(DueShop.shop_id == SHOP_ID)).all()
    assert {lane for lane, _ in due} == set(Lane)
    assert all(next_due <= clock() + timedelta(minutes=1) for _, next_due in due)


def test_the_next_look_is_when_the_next_work_is(db, clock, shop, probe):
    ask(db, "record_probe", clock(), due_at=clock() + timedelta(seconds=20))
    clock.advance(minutes=1)
    with db.transaction() as session:
        session.execute(Job.__table__.update().values(due_at=clock() + timedelta(seconds=20)))
    lease = claim(db, Lane.SETTLE, clock())
    release(db, lease, worked=False, now=clock())
    with db.reading() as session:
        assert session.get_one(DueShop, (SHOP_ID, Lane.SETTLE)).next_due == clock() + timedelta(seconds=20)
        assert next_job(db, lease, clock()) is None


def test_points_that_cannot_mature_stop_neither_deliveries_nor_other_shops(db, clock, monkeypatch):
    add_shop(db, installed=NOW, token=False)

    def contradict(*_: Any, **__: Any) -> int:
        raise RuntimeError("lots of member 1 hold 5 points fewer than its balance")

    monkeypatch.setattr(worker_module, "mature_due", contradict)
    deliver(db, "orders/paid", order_body())
    drain(db, clock)
    assert available(db, 7001) == 28
    with db.reading() as session:
        assert session.get_one(DueShop, (SHOP_ID, Lane.SETTLE)).next_due > clock()


def test_what_is_asked_for_once_is_left_as_it_was_asked_for(db, clock):
    """Many ask at the same time, and none of them waits for the others on one job's row."""
    add_shop(db)
    for number in (1, 2):
        asked = asking_soon_for(
            SHOP_ID, "forget_old", lane=Lane.SETTLE, now=clock(), subject="one", arguments={"n": number}, once=True
        )
        db.directly(partial(Direct.write, writes=asked))
        clock.advance(seconds=5)
    job = jobs(db)["forget_old", "one"]
    assert (job.arguments, job.wanted, job.due_at) == ({"n": 1}, 1, NOW)
    drain(db, clock)
    assert ("forget_old", "one") not in jobs(db)

"""The queue: asking for work, and picking whom to serve.

A job commits with the entry that caused it, in the same database, so a crash loses neither. `due_shops` says which
shop is served next; the worker that holds its lease then names that shop in every statement.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, event, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, SessionTransaction

from ..db import Database, Direct, Prepared, upsert
from ..models import IS_ISSUED, Delivery, DeliveryState, DueShop, Job, JobState, Lane, Redemption

LEASE = timedelta(seconds=60)
LOOK_AGAIN = timedelta(seconds=1)  # a wake-up can be lost between two transactions: look once more
LOOK_ANYWAY = timedelta(seconds=30)  # a wake-up that was lost stays within what redaction promises
WAITS_FOR_OTHERS = timedelta(seconds=30)  # a job that is in no hurry, for those that are
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_TRIES = 8  # then a delivery or job is parked
PATIENT_TRIES = 4  # about 16 seconds between two tries


class Fenced(Exception):
    """This worker slept through its lease: somebody else serves the shop now, so nothing of its work may be written."""


@dataclass(frozen=True, slots=True)
class Lease:
    shop_id: int
    lane: Lane
    fence: int


def enqueue(
    session: Session,
    shop_id: int,
    kind: str,
    *,
    lane: Lane,
    now: datetime,
    subject: str = "",
    arguments: dict[str, Any] | None = None,
    due_at: datetime | None = None,
) -> None:
    """Ask for work. Asked twice before it ran it is one job, done at the earlier of the two dates; asked while it runs
    it is done again, at the date asked for.

    A job that failed keeps the date of its next try: a busy shop asks every second, and Shopify said to wait.
    """
    due_at = due_at or now
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    asked = _asked(shop_id, kind, lane=lane, now=now, due_at=due_at, subject=subject, arguments=arguments)
    session.execute(_asking(insert), asked)
    wake(session, shop_id, lane, due_at)


def enqueue_directly(
    direct: Direct, shop_id: int, kind: str, *, lane: Lane, now: datetime, subject: str = "", arguments: dict[str, Any]
) -> None:
    """`enqueue`, straight on the driver. In a transaction of its own the lane is woken once it is committed: until then
    nobody would find the job, and a lane that was woken before might be at rest again.
    """
    direct.ask(JOB, **_asked(shop_id, kind, lane=lane, now=now, due_at=now, subject=subject, arguments=arguments))
    if direct.session is not None:
        wake(direct.session, shop_id, lane, now)
    else:
        direct.afterwards[WAKE, shop_id, lane] = {"shop": shop_id, "of": lane, "when": now}


def asking_soon_for(
    shop_id: int,
    kind: str,
    *,
    lane: Lane,
    now: datetime,
    subject: str = "",
    arguments: dict[str, Any] | None = None,
    once: bool = False,
) -> list[tuple[Prepared, dict[str, Any]]]:
    """Writes that ask for work which may wait for half a minute, should the lane come to rest at this very moment.

    ``once``: what was asked for already is left as it is, so that nobody waits for whoever asks at the same time. For
    work that will be asked for again anyway: should it be running, it may have looked too early.
    """
    return [
        (
            JOB_ONCE if once else JOB,
            _asked(shop_id, kind, lane=lane, now=now, due_at=now, subject=subject, arguments=arguments),
        ),
        (WAKE_UNLESS_LOCKED, {"shop": shop_id, "of": lane, "when": now}),
    ]


def _asking(insert: Any, *, once: bool = False) -> Any:
    names = ("shop_id", "job_id", "kind", "subject", "arguments", "lane", "due_at")
    statement = insert(Job.__table__).values(
        {name: bindparam(name) for name in names} | {"state": JobState.DUE, "tries": 0, "wanted": 1, "outcome": ""}
    )
    if once:
        return statement.on_conflict_do_nothing()
    fresh, is_due = statement.excluded, Job.state == JobState.DUE
    may_run = is_due & (Job.due_at <= bindparam("asked_at", type_=Job.due_at.type))
    return statement.on_conflict_do_update(
        index_elements=["shop_id", "kind", "subject"],
        set_={
            "arguments": fresh.arguments,
            "due_at": case((is_due & ((Job.tries > 0) | (Job.due_at < fresh.due_at)), Job.due_at), else_=fresh.due_at),
            "tries": case((is_due, Job.tries), else_=0),
            "state": JobState.DUE,
            "wanted": Job.wanted + 1,
            "again_at": case(
                (may_run & ((Job.again_at.is_(None)) | (fresh.due_at < Job.again_at)), fresh.due_at),
                (may_run, Job.again_at),
            ),
        },
    )


def _asked(
    shop_id: int,
    kind: str,
    *,
    lane: Lane,
    now: datetime,
    due_at: datetime,
    subject: str,
    arguments: dict[str, Any] | None,
) -> dict[str, Any]:
    return {
        "shop_id": shop_id, "job_id": secrets.token_hex(8), "kind": kind, "subject": subject,
        "arguments": arguments or {}, "lane": lane, "due_at": due_at, "asked_at": now,
    }  # fmt: skip


JOB = Prepared(_asking)
JOB_ONCE = Prepared(partial(_asking, once=True))
_ASLEEP = (DueShop.shop_id == bindparam("shop"), DueShop.lane == bindparam("of"), DueShop.next_due > bindparam("when"))
WAKE_UNLESS_LOCKED = Prepared(
    lambda insert: (
        update(DueShop)
        .where(*_ASLEEP, DueShop.shop_id.in_(select(DueShop.shop_id).where(*_ASLEEP).with_for_update(skip_locked=True)))
        .values(next_due=bindparam("when"))
    )
)
WAKE = Prepared(
    lambda insert: (
        update(DueShop)
        .where(
            DueShop.shop_id == bindparam("shop"), DueShop.lane == bindparam("of"), DueShop.next_due > bindparam("when")
        )
        .values(next_due=bindparam("when"))
    )
)


def wake(session: Session, shop_id: int, lane: Lane, when: datetime) -> None:
    """Make a lane due. Touches nothing when it is due already, so a flood of webhooks does not queue on one row."""
    # Whoever holds the lane's row may be waiting for what this transaction holds: never wait for it here.
    _make_due(session, shop_id, lane, when, skip_locked=True)
    if session.get_bind().dialect.name == "sqlite":
        return  # writers wait for each other there: nobody looks between this and the commit
    # A lane that was due already may be looked at before this transaction commits, and rest for a minute afterwards.
    woken = session.info.get(_WOKEN)
    if woken is None:
        woken = session.info[_WOKEN] = {}
        event.listen(session, "after_transaction_end", _wake_again)
    woken[shop_id, lane] = min(when, woken.get((shop_id, lane), when))


_WOKEN = "lanes woken"


def _wake_again(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is not None or not session.info.get(_WOKEN):
        return
    woken = sorted(session.info[_WOKEN].items())
    session.info[_WOKEN].clear()
    with suppress(SQLAlchemyError), Session(session.get_bind()) as another, another.begin():
        for (shop_id, lane), when in woken:
            _make_due(another, shop_id, lane, when)


def _make_due(session: Session, shop_id: int, lane: Lane, when: datetime, *, skip_locked: bool = False) -> None:
    asleep = [DueShop.shop_id == shop_id, DueShop.lane == lane, DueShop.next_due > when]
    if skip_locked:
        free = select(DueShop.shop_id).where(*asleep).with_for_update(skip_locked=True)
        asleep = [DueShop.shop_id == shop_id, DueShop.lane == lane, DueShop.shop_id.in_(free)]
    session.execute(update(DueShop).where(*asleep).values(next_due=when).execution_options(synchronize_session=False))


def open_lanes(session: Session, shop_id: int, now: datetime) -> None:
    """A shop's two lanes, made once, at install."""
    rows = [{"shop_id": shop_id, "lane": lane, "next_due": now, "last_served": now, "fence": 0} for lane in Lane]
    session.execute(upsert(session, DueShop).on_conflict_do_nothing(index_elements=["shop_id", "lane"]), rows)
    for lane in Lane:
        wake(session, shop_id, lane, now)


def claim(db: Database, lane: Lane, now: datetime) -> Lease | None:
    """Lease the due shop that was served least recently, or None when there is none."""
    due = (DueShop.lane == lane, DueShop.next_due <= now, (DueShop.lease_until.is_(None)) | (DueShop.lease_until < now))
    if db.is_sqlite:
        # An idle worker must not take the write lock ten times a second only to see that there is nothing to do.
        with db.reading() as session:
            if session.scalar(select(DueShop.shop_id).where(*due).limit(1)) is None:
                return None
    with db.transaction() as session:
        next_shop = select(DueShop.shop_id).where(*due).order_by(DueShop.last_served).limit(1)
        shop_id = session.scalar(next_shop.with_for_update(skip_locked=True))
        if shop_id is None:
            return None
        fence = session.scalar(
            update(DueShop)
            .where(DueShop.shop_id == shop_id, DueShop.lane == lane)
            # Not due while it is held, so that who wakes it meanwhile leaves a mark; `release` keeps that.
            .values(lease_until=now + LEASE, fence=DueShop.fence + 1, last_served=now, next_due=now + LOOK_ANYWAY)
            .returning(DueShop.fence)
            .execution_options(synchronize_session=False)
        )
        return Lease(shop_id, lane, fence or 0)


def hold(session: Session, lease: Lease, now: datetime) -> None:
    """First statement of every transaction of a lease's work: still ours, or `Fenced`. Renews the lease."""
    held = session.execute(
        update(DueShop)
        .where(DueShop.shop_id == lease.shop_id, DueShop.lane == lease.lane, DueShop.fence == lease.fence)
        .values(lease_until=now + LEASE)
        .execution_options(synchronize_session=False)
    )
    if held.rowcount != 1:  # type: ignore[attr-defined]
        raise Fenced


def wait_for_settling(session: Session, shop_id: int) -> None:
    """Take the settling lane's row for the length of this transaction, as its worker does with every batch.

    First statement of whatever changes members or their balances outside the lane. Such transactions and the worker
    touch the same rows in orders of their own, and would else wait for each other for ever.
    """
    session.execute(
        select(DueShop.fence).where(DueShop.shop_id == shop_id, DueShop.lane == Lane.SETTLE).with_for_update()
    ).all()


def release(db: Database, lease: Lease, *, worked: bool, now: datetime) -> None:
    """Give the lane back, due again when its next work is (and a second later when it did work)."""
    with db.transaction() as session:
        soonest = now + LOOK_AGAIN if worked else now + LOOK_ANYWAY
        # Work that is due although none was done came in just now, or cannot be done: no spinning on it.
        earliest = now if worked else now + LOOK_AGAIN
        for due_at in _future_work(session, lease, now):
            soonest = min(soonest, max(due_at, earliest))
        session.execute(
            update(DueShop)
            .where(DueShop.shop_id == lease.shop_id, DueShop.lane == lease.lane, DueShop.fence == lease.fence)
            .values(lease_until=None, next_due=case((DueShop.next_due < soonest, DueShop.next_due), else_=soonest))
            .execution_options(synchronize_session=False)
        )


def _future_work(session: Session, lease: Lease, now: datetime) -> list[datetime]:
    found = [
        session.scalar(
            select(func.min(Job.due_at)).where(
                Job.shop_id == lease.shop_id, Job.lane == lease.lane, Job.state == JobState.DUE
            )
        )
    ]
    if lease.lane is Lane.SETTLE:
        found.append(
            session.scalar(
                select(func.min(Delivery.due_at)).where(
                    Delivery.shop_id == lease.shop_id, Delivery.state == DeliveryState.NEW
                )
            )
        )
        # Lots mature on their own dates; the ledger's table is named in words, since jobs do not import the ledger.
        found.append(
            session.scalar(
                text("SELECT min(matures_at) AS matures_at FROM lots WHERE shop_id = :shop_id AND pending > 0").columns(
                    matures_at=DueShop.next_due.type
                ),
                {"shop_id": lease.shop_id},
            )
        )
        found.append(
            session.scalar(
                select(func.min(Redemption.expires_at)).where(Redemption.shop_id == lease.shop_id, IS_ISSUED)
            )
        )
    return [moment for moment in found if moment is not None]


def end_leases(db: Database) -> None:
    """Take every lane back from whoever held it: a process that was killed would keep its shops waiting for a minute.

    For a database that only one worker serves. Were there another after all, it would be fenced off.
    """
    with db.transaction() as session:
        held = update(DueShop).where(DueShop.lease_until.is_not(None))
        session.execute(held.values(lease_until=None, next_due=EPOCH))


def next_job(db: Database, lease: Lease, now: datetime, *, first: Collection[str] = ()) -> Job | None:
    """The lane's job that has been due longest; kinds in ``first`` go before others, unless those waited much longer.

    Whoever asked for it until now is served by the run that begins.
    """
    with db.reading() as session:
        due = select(Job).where(Job.shop_id == lease.shop_id, Job.state == JobState.DUE, Job.due_at <= now)
        due = due.order_by(Job.due_at).limit(1)
        job = session.scalars(due.where(Job.lane == lease.lane)).first()
        if job is not None and first and job.kind not in first:
            urgent = session.scalars(due.where(Job.lane == lease.lane, Job.kind.in_(sorted(first)))).first()
            if urgent is not None and urgent.due_at < job.due_at + WAITS_FOR_OTHERS:
                job = urgent
    if job is not None and job.again_at is not None:
        with db.transaction() as session:
            session.execute(update(Job).where(*_as_seen(job)).values(again_at=None))
    return job


def finish_job(session: Session, job: Job, now: datetime) -> None:
    """Done: gone, unless it was asked for again while it ran. Then it waits until the earliest date asked for."""
    gone = session.execute(Job.__table__.delete().where(*_as_seen(job)))  # type: ignore[attr-defined]
    if gone.rowcount == 0:  # type: ignore[attr-defined]
        session.execute(
            update(Job)
            .where(Job.shop_id == job.shop_id, Job.job_id == job.job_id)
            .values(tries=0, wanted=1, due_at=func.coalesce(Job.again_at, now), again_at=None)
        )


def _as_seen(job: Job) -> tuple[ColumnElement[bool], ...]:
    """Its row, unless somebody has asked for it since."""
    return (Job.shop_id == job.shop_id, Job.job_id == job.job_id, Job.wanted == job.wanted)


def fail_job(
    session: Session,
    job: Job,
    why: str,
    now: datetime,
    *,
    retry_after: float = 0,
    final: bool = False,
    patient: bool = False,
) -> None:
    """Try again with growing gaps, or park the job where an operator sees it. A patient one tries on, and soon."""
    tries = min(job.tries + 1, PATIENT_TRIES) if patient else job.tries + 1
    parked = final or tries >= MOST_TRIES
    session.execute(
        update(Job)
        .where(Job.shop_id == job.shop_id, Job.job_id == job.job_id)
        .values(
            tries=tries,
            state=JobState.PARKED if parked else JobState.DUE,
            due_at=now + max(backoff(tries), timedelta(seconds=retry_after)),
            outcome=why,
        )
    )


def try_parked_jobs(session: Session, shop_id: int, lane: Lane, now: datetime) -> None:
    """Whatever parked the lane's jobs may be mended: all of them are due again."""
    session.execute(
        update(Job)
        .where(Job.shop_id == shop_id, Job.lane == lane, Job.state == JobState.PARKED)
        .values(state=JobState.DUE, tries=0, due_at=now)
    )
    wake(session, shop_id, lane, now)


def backoff(tries: int) -> timedelta:
    """2, 4, 8 … seconds, at most ten minutes, with up to a quarter more so that retries do not march in step."""
    seconds = min(2**tries, 600)
    return timedelta(seconds=seconds, milliseconds=secrets.randbelow(seconds * 250 + 1))

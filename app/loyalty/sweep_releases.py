"""Make sure that nobody used what is let go: a minute after its code is gone, orders from around then are looked for.

Shopify's search for a code knows only an order's first one, so the orders are paged. One sweep serves everything whose
code was gone a minute before it began. It goes a page a turn, so that other shops' work gets in between.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from ..jobs.queue import enqueue
from ..models import IS_HELD, Job, JobState, Lane, Redemption, RedemptionState
from .access import Access
from .reconcile import Sweep, begin, work_page
from .release import SWEEP_AFTER

KIND, UNDER_WAY = "sweep_releases", "sweep"  # the job that begins sweeps has no subject; the one that goes on has
SWEEP_FROM = timedelta(minutes=10)  # before the deletion was confirmed
WORK_FOR_S = 1.5  # of one turn, for orders of a page that are to be fetched


def sweep_releases(access: Access, shop_id: int, arguments: dict[str, Any]) -> None:
    """Network verb: begin a sweep for what is a minute old, or go on with one by a page."""
    if arguments:
        _go_on(access, shop_id, Sweep.from_json(arguments))
        return
    now = access.clock()
    with access.db.reading() as session:
        first = session.scalar(_oldest(shop_id))
        under_way = session.scalar(
            select(Job.job_id).where(
                Job.shop_id == shop_id, Job.kind == KIND, Job.subject == UNDER_WAY, Job.state == JobState.DUE
            )
        )
    if first is None or under_way is not None:
        return  # the one that is under way looks at its end for what came since
    if first <= now - SWEEP_AFTER:
        _go_on(access, shop_id, begin(access, shop_id, first - SWEEP_FROM))
        return
    with access.db.transaction() as session:
        enqueue(session, shop_id, KIND, lane=Lane.NETWORK, now=now, due_at=first + SWEEP_AFTER)


def _go_on(access: Access, shop_id: int, sweep: Sweep) -> None:
    sweep, done = work_page(access, shop_id, sweep, until=time.monotonic() + WORK_FOR_S)
    with access.db.transaction() as session:
        now = access.clock()
        if done:
            # The date is that of its end: whatever it found came in by then, and is settled before anything goes back.
            due = (*_gone(shop_id), Redemption.code_gone_at <= sweep.started - SWEEP_AFTER)
            session.execute(update(Redemption).where(*due).values(swept_at=now))
            enqueue(session, shop_id, "finish_releases", lane=Lane.SETTLE, now=now)
            if (later := session.scalar(_oldest(shop_id))) is not None:
                enqueue(session, shop_id, KIND, lane=Lane.NETWORK, now=now, due_at=max(now, later + SWEEP_AFTER))
        else:
            enqueue(session, shop_id, KIND, lane=Lane.NETWORK, now=now, subject=UNDER_WAY, arguments=sweep.to_json())


def _oldest(shop_id: int) -> Any:
    return select(func.min(Redemption.code_gone_at)).where(*_gone(shop_id))


def _gone(shop_id: int) -> tuple[Any, ...]:
    """Their codes are gone, and no sweep was made since."""
    return (
        Redemption.shop_id == shop_id,
        IS_HELD,
        Redemption.state == RedemptionState.RELEASING,
        Redemption.swept_at.is_(None),
        Redemption.code_gone_at.is_not(None),
    )

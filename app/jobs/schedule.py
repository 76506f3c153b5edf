"""What happens by itself: asked for once a period and shop, by whichever worker looks first.

Each job's subject names its period, and a job asked for twice is one job; a small table-free rule keeps finished
periods from running again: the period is derived from what the last run left behind in the shop's own rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Delivery, DeliveryState, Job, JobState, Shop, ShopToken
from .handlers import ask_for

RECONCILE_EVERY = timedelta(hours=24)
KEEP_ALIVE_EVERY = timedelta(days=7)
FORGET_AFTER = timedelta(
    days=31
)  # a day more than they are kept: they go a day's worth at a time, not minute by minute
TRY_PARKED_EVERY = timedelta(hours=1)


def ask_for_due_work(session: Session, *, now: datetime) -> int:
    """Enqueue what is due for every installed shop. Returns how many jobs were asked for."""
    asked = 0
    late = now - RECONCILE_EVERY
    for shop_id in session.scalars(
        select(Shop.shop_id).where(
            Shop.uninstalled_at.is_(None),
            (Shop.reconciled_at < late) | (Shop.reconciled_at.is_(None)),
            Shop.installed_at < late,
        )
    ):
        asked += _ask_once(session, shop_id, "reconcile", now=now, subject="sweep")
    # A refresh token that is not used dies after 90 days, and the shop's background work with it (PLATFORM §2.4).
    for shop_id in session.scalars(
        select(ShopToken.shop_id).where(
            ShopToken.refreshed_at < now - KEEP_ALIVE_EVERY, ShopToken.needs_reopening.is_(False)
        )
    ):
        asked += _ask_once(session, shop_id, "keep_alive", now=now)
    for shop_id in session.scalars(
        select(Delivery.shop_id)
        .where(
            Delivery.received_at < now - FORGET_AFTER,
            Delivery.state.in_([DeliveryState.DONE, DeliveryState.IGNORED]),
        )
        .distinct()
    ):
        asked += _ask_once(session, shop_id, "forget_old", now=now)
    return asked


def _ask_once(session: Session, shop_id: int, kind: str, *, now: datetime, subject: str = "") -> bool:
    """Ask, unless it waits already: asked every minute, a long sweep would be run again as soon as it was done.

    One that was parked (its token died, its scope is missing) is tried again now and then.
    """
    waiting = session.execute(
        select(Job.state, Job.due_at).where(Job.shop_id == shop_id, Job.kind == kind, Job.subject == subject)
    ).first()
    if waiting is not None and (waiting.state == JobState.DUE or waiting.due_at > now - TRY_PARKED_EVERY):
        return False
    ask_for(session, shop_id, kind, now=now, subject=subject)
    return True

"""What happens by itself: asked for once a period and shop, by whichever worker looks first.

Each job's subject names its period, and a job asked for twice is one job; a small table-free rule keeps finished
periods from running again: the period is derived from what the last run left behind in the shop's own rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..models import (
    Delivery,
    DeliveryState,
    Discount,
    Job,
    JobState,
    Redemption,
    RedemptionState,
    Shop,
    ShopToken,
)
from .handlers import ask_for

RECONCILE_EVERY = timedelta(hours=24)
KEEP_ALIVE_EVERY = timedelta(days=7)
FORGET_AFTER = timedelta(
    days=31
)  # a day more than they are kept: they go a day's worth at a time, not minute by minute
TRY_PARKED_EVERY = timedelta(hours=1)
LOST_AFTER = timedelta(minutes=5)
MOST_LOST = 500


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
    return asked + _ask_for_rewards(session, now=now)


def _ask_for_rewards(session: Session, *, now: datetime) -> int:
    """Codes made ahead, old ones tidied away; and whatever points wait for work that was lost on the way (a parked job,
    an uninstall in between) is asked for again.
    """
    asked = 0
    day = f"{now:%Y-%m-%d}"
    offering = select(Discount.shop_id).join(Shop, Shop.shop_id == Discount.shop_id).distinct()
    for shop_id in session.scalars(
        offering.where(Shop.uninstalled_at.is_(None), Discount.removed_at.is_(None), Shop.pools_day != day)
    ).all():
        session.execute(update(Shop).where(Shop.shop_id == shop_id).values(pools_day=day))
        asked += _ask_once(session, shop_id, "stock_pools", now=now)
        asked += _ask_once(session, shop_id, "tidy_codes", now=now)
    held = (
        select(Redemption.shop_id, Redemption.state, Redemption.redemption_id, Redemption.discount_key)
        .join(Shop, Shop.shop_id == Redemption.shop_id)
        .where(
            Shop.uninstalled_at.is_(None),
            Redemption.state.in_([RedemptionState.RESERVED, RedemptionState.RELEASING]),
            Redemption.reserved_at < now - LOST_AFTER,
        )
        .limit(MOST_LOST)
    )
    wanted: set[tuple[int, str, str]] = set()
    for row in session.execute(held):
        if row.state is RedemptionState.RELEASING:
            wanted |= {(row.shop_id, kind, "") for kind in ("delete_codes", "sweep_releases", "finish_releases")}
        elif row.discount_key:
            wanted.add((row.shop_id, "make_codes", row.discount_key))
        else:
            wanted.add((row.shop_id, "hand_out", row.redemption_id))
    for shop_id, kind, subject in sorted(wanted):
        arguments = {"make_codes": {"key": subject}, "hand_out": {"redemption_id": subject}}.get(kind, {})
        asked += _ask_once(session, shop_id, kind, now=now, subject=subject, arguments=arguments)
    return asked


def _ask_once(
    session: Session,
    shop_id: int,
    kind: str,
    *,
    now: datetime,
    subject: str = "",
    arguments: dict[str, str] | None = None,
) -> bool:
    """Ask, unless it waits already: asked every minute, a long sweep would be run again as soon as it was done.

    One that was parked (its token died, its scope is missing) is tried again now and then.
    """
    waiting = session.execute(
        select(Job.state, Job.due_at).where(Job.shop_id == shop_id, Job.kind == kind, Job.subject == subject)
    ).first()
    if waiting is not None and (waiting.state == JobState.DUE or waiting.due_at > now - TRY_PARKED_EVERY):
        return False
    ask_for(session, shop_id, kind, now=now, subject=subject, arguments=arguments or {})
    return True

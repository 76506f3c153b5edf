"""What happens by itself: asked for once a period and shop, by whichever worker looks first.

Each job's subject names its period, and a job asked for twice is one job; a small table-free rule keeps finished
periods from running again: the period is derived from what the last run left behind in the shop's own rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import String, case, func, literal_column, select, update
from sqlalchemy.orm import Session

from ..loyalty.hand_out import AMBIGUOUS
from ..models import (
    IS_HELD,
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
from ..models.stated import stated
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
    """Codes made ahead, old ones tidied away, and what was lost on the way to a shopper or back."""
    asked = 0
    day = f"{now:%Y-%m-%d}"
    offering = select(Discount.shop_id).join(Shop, Shop.shop_id == Discount.shop_id).distinct()
    for shop_id in session.scalars(
        offering.where(Shop.uninstalled_at.is_(None), Discount.removed_at.is_(None), Shop.pools_day != day)
    ).all():
        session.execute(update(Shop).where(Shop.shop_id == shop_id).values(pools_day=day))
        asked += _ask_once(session, shop_id, "stock_pools", now=now)
        asked += _ask_once(session, shop_id, "tidy_codes", now=now)
    return asked + _ask_for_lost_work(session, now=now)


def _ask_for_lost_work(session: Session, *, now: datetime) -> int:
    """Points that wait for work nobody has to do any more (a parked job, an uninstall in between), those that wait
    longest first.

    Not what a job waits for, or a person: that cannot be helped, and would hide whatever can behind it.
    """
    is_releasing = stated(Redemption.state, RedemptionState.RELEASING)
    kind = case(
        (is_releasing & Redemption.code_gone_at.is_(None), literal_column("'delete_codes'", String)),
        (is_releasing & Redemption.swept_at.is_(None), literal_column("'sweep_releases'")),
        (is_releasing, literal_column("'finish_releases'")),
        (Redemption.discount_key.is_not(None), literal_column("'make_codes'")),
        else_=literal_column("'hand_out'"),
    )
    subject = case(
        (is_releasing, literal_column("''", String)),
        else_=func.coalesce(Redemption.discount_key, Redemption.redemption_id),
    )
    seen_to = select(Job.job_id).where(
        Job.shop_id == Redemption.shop_id,
        Job.kind == kind,
        (Job.subject == subject) | (Job.kind == "sweep_releases"),
        (Job.state == JobState.DUE) | (Job.due_at > now - TRY_PARKED_EVERY),
    )
    lost = session.execute(
        select(Redemption.shop_id, kind.label("kind"), subject.label("subject"))
        .join(Shop, Shop.shop_id == Redemption.shop_id)
        .where(
            Shop.uninstalled_at.is_(None),
            IS_HELD,
            Redemption.reserved_at < now - LOST_AFTER,
            Redemption.problem != AMBIGUOUS,
            ~seen_to.exists(),
        )
        .group_by(Redemption.shop_id, kind, subject)
        .order_by(func.min(Redemption.reserved_at), Redemption.shop_id)
        .limit(MOST_LOST)
    ).all()
    names = {"make_codes": "key", "hand_out": "redemption_id"}
    for row in lost:
        arguments = {names[row.kind]: row.subject} if row.kind in names else {}
        ask_for(session, row.shop_id, row.kind, now=now, subject=row.subject, arguments=arguments)
    return len(lost)


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

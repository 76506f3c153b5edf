"""How much is waiting, over all shops. Counts only: no shop, no customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...models import Delivery, DeliveryState, DueShop, Job, JobState, Shop

# Every lane is looked at once a minute while a worker runs; twice that overdue means that none does.
OVERDUE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Figures:
    deliveries: dict[str, int]  # by state
    jobs: dict[str, int]  # by state
    shops_installed: int
    oldest_delivery_seconds: float  # of those not worked yet


def is_overdue(session: Session, now: datetime) -> bool:
    """Whether a lane waits that nobody serves."""
    unserved = (DueShop.lease_until.is_(None)) | (DueShop.lease_until < now)
    overdue = select(func.count()).select_from(DueShop).where(DueShop.next_due < now - OVERDUE, unserved)
    return bool(session.scalar(overdue))


def backlog(session: Session) -> int:
    """Deliveries that wait to be worked."""
    new = select(func.count()).select_from(Delivery).where(Delivery.state == DeliveryState.NEW)
    return session.scalar(new) or 0


def figures(session: Session, now: datetime) -> Figures:
    deliveries = session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))
    jobs = {
        state: session.scalar(select(func.count()).select_from(Job).where(Job.state == state)) or 0
        for state in JobState
    }
    oldest = session.scalar(select(func.min(Delivery.received_at)).where(Delivery.state == DeliveryState.NEW))
    installed = select(func.count()).select_from(Shop).where(Shop.uninstalled_at.is_(None))
    return Figures(
        deliveries={str(state): count for state, count in deliveries},
        jobs={str(state): count for state, count in jobs.items()},
        shops_installed=session.scalar(installed) or 0,
        oldest_delivery_seconds=(now - oldest).total_seconds() if oldest else 0,
    )

"""Codes ahead of demand: how many each pool should hold, by what was kept of late, and which pools are wanted."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ..db import Direct
from ..jobs.queue import enqueue
from ..models import IS_FREE, Code, Discount, Lane, Redemption, RedemptionState, RewardTerms, Shop
from ..program.redeeming import month_of_issue
from ..program.rewards import Reward
from .equip import code_amount, discount_key, want_discount
from .programs import live_settings, timeline

LEAST_POOL, LARGEST_POOL = 20, 10_000
FORECAST_FROM, FORECAST_FOR = timedelta(days=14), timedelta(days=7)
COLD_AFTER = timedelta(days=30)
NEXT_MONTH_AHEAD = timedelta(days=3)
# What was let go counts for nothing: whoever redeems and cancels all day would have codes made by the thousand.
KEPT = (RedemptionState.RESERVED, RedemptionState.ISSUED, RedemptionState.USED)


def stock_pools(session: Session, shop_id: int, *, now: datetime, key: str | None = None) -> int:
    """Record verb: say how many codes each reward's pool should hold, and have those filled that run low. With ``key``
    that pool alone, by somebody who took a code of it.

    Returns how many pools are to be filled. Sliders are made on demand: each of their amounts is a discount of its own.
    """
    shop = session.get(Shop, shop_id)
    settings = live_settings(session, shop_id, now)
    if shop is None or not shop.is_installed or settings is None or "write_discounts" not in shop.scopes.split(","):
        return 0
    if key is not None and not _is_low(session, shop_id, key):
        return 0
    asked = 0
    months = {month_of_issue(moment, shop.zone) for moment in (now, now + NEXT_MONTH_AHEAD)}
    for reward_id, reward in settings.rewards_by_id.items():
        if not reward.is_code or reward.steps is not None or _has_ended(reward, now):
            continue
        direct = Direct.of(session)
        amount = code_amount(direct, shop_id, reward_id, reward, reward.amount_minor)
        pools = {discount_key(reward_id, amount, month): month for month in sorted(months)}
        if key is not None and key not in pools:
            continue
        wanted = forecast(session, shop_id, reward.slot, now)
        for name, month in pools.items() if wanted else ():
            if key in (None, name):
                want_discount(direct, shop_id, reward_id, reward, amount, month, shop.zone)
                asked += want_codes(session, shop_id, name, wanted, now)
    return asked


def want_codes(session: Session, shop_id: int, key: str, wanted: int, now: datetime) -> bool:
    """Note how many free codes the pool should hold; below half of that, have them made."""
    session.execute(update(Discount).where(Discount.shop_id == shop_id, Discount.key == key).values(wanted=wanted))
    low = _is_low(session, shop_id, key)
    if low:
        enqueue(session, shop_id, "make_codes", lane=Lane.NETWORK, now=now, subject=key, arguments={"key": key})
    return low


def _is_low(session: Session, shop_id: int, key: str) -> bool:
    wanted = session.scalar(select(Discount.wanted).where(Discount.shop_id == shop_id, Discount.key == key)) or 0
    return free_codes(session, shop_id, key) < -(-wanted // 2)


def free_codes(session: Session, shop_id: int, key: str) -> int:
    return session.scalar(select(func.count()).where(Code.shop_id == shop_id, Code.discount_key == key, IS_FREE)) or 0


def forecast(session: Session, shop_id: int, slot: str, now: datetime) -> int:
    """How many codes a reward will need within a week, by the last two, with half as many again; a few for a start.

    0 for one that was never had since it was first offered a month ago: it is made on demand.
    """
    recent = session.scalar(
        select(func.count()).where(
            Redemption.shop_id == shop_id,
            Redemption.slot == slot,
            Redemption.reserved_at > now - FORECAST_FROM,
            Redemption.state.in_(KEPT),
        )
    )
    if not recent and _is_cold(session, shop_id, slot, now):
        return 0
    likely = (recent or 0) * 3 * FORECAST_FOR // (2 * FORECAST_FROM)
    return min(LEAST_POOL + likely, LARGEST_POOL)


def _is_cold(session: Session, shop_id: int, slot: str, now: datetime) -> bool:
    last = session.scalar(
        select(func.max(Redemption.reserved_at)).where(Redemption.shop_id == shop_id, Redemption.slot == slot)
    )
    offered = session.scalar(
        select(func.min(RewardTerms.noted_at)).where(RewardTerms.shop_id == shop_id, RewardTerms.slot == slot)
    )
    since = max(moment for moment in (last, offered, datetime.min.replace(tzinfo=now.tzinfo)) if moment is not None)
    return since < now - COLD_AFTER


def rewards_to_come(session: Session, shop_id: int, now: datetime) -> dict[str, Reward]:
    """By id: whatever can be had now, or of a version that waits to start. Of everything else no code is handed out."""
    versions = timeline(session, shop_id)
    current = max([place for place, start in enumerate(versions.starts) if start <= now], default=0)
    return {
        reward_id: reward
        for _, settings in versions.versions[current:]
        for reward_id, reward in settings.rewards_by_id.items()
        if not _has_ended(reward, now)
    }


def _has_ended(reward: Reward, now: datetime) -> bool:
    return reward.ends_at is not None and reward.ends_at <= now

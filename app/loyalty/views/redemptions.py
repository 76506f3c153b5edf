"""What a shopper is told of rewards and of their own redemptions (DESIGN §8). Never anybody else's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import NotFound
from ...models import Order, Redemption, RedemptionState, RewardUse, Shop
from ...program.explaining_rewards import last_day
from ...program.redeeming import cheapest, period_name
from ...program.rewards import Reward, reward_title
from ...program.settings import ProgramSettings
from ..redeem import Redeemed
from ..sync import moment_text
from ..using import terms_of

HELD = (RedemptionState.RESERVED, RedemptionState.ISSUED, RedemptionState.RELEASING)
MOST_HELD = 50


def redemption_of(session: Session, shop_id: int, member_id: int | None, redemption_id: str) -> dict[str, Any]:
    """One of the member's redemptions. Raises `NotFound` for anybody else's, as for none."""
    # What is no id at all (a NUL, which PostgreSQL would not even look for) is as little there as anybody else's.
    could_be = len(redemption_id) <= 64 and redemption_id.isascii() and redemption_id.isprintable()
    redemption = session.get(Redemption, (shop_id, redemption_id)) if could_be else None
    if redemption is None or member_id is None or redemption.member_id != member_id:
        raise NotFound("There is no such redemption.")
    return describe_redemption(session, redemption)


def describe_redemption(session: Session, redemption: Redemption) -> dict[str, Any]:
    """The redemption's JSON. Which order used it is said to nobody but whose order it is."""
    terms = terms_of(session, redemption.shop_id, {redemption.reward_id})
    zone = session.get_one(Shop, redemption.shop_id).zone
    document = redemption_document(redemption, terms[redemption.reward_id], zone)
    if redemption.order_id is not None and not redemption.by_other:
        order = session.get(Order, (redemption.shop_id, redemption.order_id))
        document["order"] = (order.name if order else "") or None
    return document


def _code(redemption: Redemption | Redeemed) -> str | None:
    card = redemption.card_code if isinstance(redemption, Redemption) else None
    return redemption.code or card


def redemption_document(redemption: Redemption | Redeemed, reward: Reward, zone: tzinfo) -> dict[str, Any]:
    """The code is there while it can be used; a gift card's for ever, since it is money of theirs."""
    shows_code = redemption.state is RedemptionState.ISSUED or (
        redemption.state is RedemptionState.USED and reward.kind == "gift_card"
    )
    return {
        "id": redemption.redemption_id,
        "state": str(redemption.state),
        "code": _code(redemption) if shows_code else None,
        "points": redemption.points,
        "title": redemption.title,
        "kind": reward.kind,
        "amount_minor": redemption.amount_minor,
        "until": moment_text(redemption.expires_at),
        "last_day": last_day(redemption.expires_at, zone).isoformat() if redemption.expires_at else None,
        "reward_id": redemption.reward_id,
        "variant_id": reward.product.variant_id if reward.product else None,
        "minimum_minor": reward.minimum_for(redemption.amount_minor),
        "combines": reward.combines.order or reward.combines.product,
        "why": redemption.why or None,
        "order": None,
    }


def held_redemptions(session: Session, shop_id: int, member_id: int) -> list[dict[str, Any]]:
    """What the member holds now, newest first."""
    found = session.scalars(
        select(Redemption)
        .where(Redemption.shop_id == shop_id, Redemption.member_id == member_id, Redemption.state.in_(HELD))
        .order_by(Redemption.reserved_at.desc())
        .limit(MOST_HELD)
    ).all()
    terms = terms_of(session, shop_id, {redemption.reward_id for redemption in found})
    zone = session.get_one(Shop, shop_id).zone
    return [redemption_document(redemption, terms[redemption.reward_id], zone) for redemption in found]


def offered_rewards(
    session: Session,
    shop_id: int,
    settings: ProgramSettings,
    *,
    member_id: int | None,
    available: int,
    paused: bool,
    now: datetime,
    zone: tzinfo,
) -> list[dict[str, Any]]:
    """Every reward of the program in force, in the merchant's order, with why it cannot be had right now."""
    used = _used_up(session, shop_id, settings)
    had = _had(session, shop_id, member_id, settings) if member_id is not None else {}
    answer = []
    for reward_id, reward in settings.rewards_by_id.items():
        points = cheapest(reward)
        reason = _why_not(reward, paused=paused, used=used, had=had.get(reward.slot, []), now=now, zone=zone)
        if reason is None and member_id is not None and available < points:
            reason = "not_enough_points"
        answer.append(
            {
                "id": reward_id,
                "title": reward_title(reward, settings.currency),
                "points": points,
                "affordable": member_id is not None and reason is None,
                "reason": reason,
                "kind": reward.kind,
                "amount_minor": reward.amount_minor,
                "minimum_minor": reward.minimum_for(reward.amounts()[0]),
                "only_products": bool(reward.only_products),
                "starts_at": moment_text(reward.starts_at),
                "valid_days": reward.valid_days if reward.is_code else None,
                "combines": reward.combines.order or reward.combines.product,
                "steps": _steps(reward, settings.currency),
            }
        )
    return answer


def _steps(reward: Reward, currency: str) -> dict[str, Any] | None:
    """A slider's stops: what each costs is the stop's number times ``points``, and it takes that much off."""
    if reward.steps is None:
        return None
    return {
        "points": reward.points,
        "least": reward.steps.least,
        "most": reward.steps.most,
        "titles": [reward_title(reward, currency, amount) for amount in reward.amounts()],
        "minimums": [reward.minimum_for(amount) for amount in reward.amounts()],
    }


def _why_not(
    reward: Reward,
    *,
    paused: bool,
    used: Mapping[tuple[str, str, str], int],
    had: list[datetime],
    now: datetime,
    zone: tzinfo,
) -> str | None:
    if paused:
        return "paused"
    if reward.starts_at is not None and now < reward.starts_at:
        return "not_yet"
    if reward.ends_at is not None and now >= reward.ends_at:
        return "ended"
    if reward.stock is not None:
        period = period_name(reward.stock.period, now, zone)
        if used.get((reward.slot, "stock", period), 0) >= reward.stock.count:
            return "sold_out"
    if reward.budget is not None:
        period = period_name(reward.budget.period, now, zone)
        least = reward.cost_of_one(reward.amounts()[0]) or 0
        if used.get((reward.slot, "budget", period), 0) + least > reward.budget.amount_minor:
            return "sold_out"
    if reward.per_member is not None:
        period = period_name(reward.per_member.period, now, zone)
        if sum(period_name(reward.per_member.period, at, zone) == period for at in had) >= reward.per_member.count:
            return "limit_used"
    return None


def _used_up(session: Session, shop_id: int, settings: ProgramSettings) -> dict[tuple[str, str, str], int]:
    slots = [reward.slot for reward in settings.rewards if reward.stock or reward.budget]
    if not slots:
        return {}
    rows = session.execute(
        select(RewardUse.slot, RewardUse.what, RewardUse.period, RewardUse.used).where(
            RewardUse.shop_id == shop_id, RewardUse.slot.in_(slots)
        )
    )
    return {(row.slot, row.what, row.period): row.used for row in rows}


def _had(session: Session, shop_id: int, member_id: int, settings: ProgramSettings) -> dict[str, list[datetime]]:
    """slot → when this member had it, for rewards with a limit a member."""
    had: dict[str, list[datetime]] = {}
    for reward in settings.rewards:
        if reward.per_member is not None:
            moments = session.scalars(
                select(Redemption.reserved_at)
                .where(
                    Redemption.shop_id == shop_id,
                    Redemption.member_id == member_id,
                    Redemption.slot == reward.slot,
                    Redemption.state != RedemptionState.RELEASED,
                )
                .order_by(Redemption.reserved_at.desc())
                .limit(reward.per_member.count)
            )
            had[reward.slot] = list(moments)
    return had

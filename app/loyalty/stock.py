"""Stock and budgets of rewards: counted by a guarded UPDATE, so that nobody has the last one twice (FEATURES R11)."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from ..db import Direct, Prepared
from ..errors import Refused
from ..models import Redemption, RewardUse
from ..program.redeeming import Offer, period_name
from ..program.rewards import Reward

WITHOUT_END = 2**62
_KEY = ("shop_id", "slot", "what", "period")


def _this_one(prefix: str = "") -> tuple[Any, ...]:
    return tuple(getattr(RewardUse, name) == bindparam(prefix + name) for name in _KEY)


BEGIN_COUNT = Prepared(
    lambda insert: (
        insert(RewardUse.__table__)
        .values({name: bindparam(name) for name in _KEY} | {"used": 0})
        .on_conflict_do_nothing()
    )
)
COUNT = Prepared(
    lambda insert: (
        update(RewardUse)
        .where(*_this_one("its_"), RewardUse.used + bindparam("much") <= bindparam("most"))
        .values(used=RewardUse.used + bindparam("much"))
        .returning(RewardUse.used)
    )
)


def take_stock(
    direct: Direct,
    shop_id: int,
    reward: Reward,
    agreed: Offer,
    now: datetime,
    zone: tzinfo,
    *,
    even_the_last: bool = False,
) -> list[list[object]]:
    """Count it against the reward's stock and budget. Returns what was counted, to be given back with the points.

    ``even_the_last`` counts beyond what there is: of a reward that was had after all there is no refusing any more.
    """
    counted: list[list[object]] = []
    if reward.stock is not None:
        period = period_name(reward.stock.period, now, zone)
        counted.append(["stock", period, 1])
        most = WITHOUT_END if even_the_last else reward.stock.count
        _count(direct, shop_id, reward.slot, "stock", period, 1, most)
    if reward.budget is not None:
        period, cost = period_name(reward.budget.period, now, zone), reward.cost_of_one(agreed.amount_minor) or 0
        counted.append(["budget", period, cost])
        most = WITHOUT_END if even_the_last else reward.budget.amount_minor
        _count(direct, shop_id, reward.slot, "budget", period, cost, most)
    return counted


def _count(direct: Direct, shop_id: int, slot: str, what: str, period: str, much: int, most: int) -> None:
    key = {"shop_id": shop_id, "slot": slot, "what": what, "period": period}
    direct.ask(BEGIN_COUNT, **key)
    if direct.ask(COUNT, **{f"its_{name}": value for name, value in key.items()}, much=much, most=most).first() is None:
        raise Refused("All gone for now.", code="sold_out", field="reward_id")


def put_back(session: Session, redemption: Redemption) -> None:
    """What was counted of stock and budget may be had again: its points were returned."""
    for what, period, much in redemption.counted:
        session.execute(
            update(RewardUse)
            .where(
                RewardUse.shop_id == redemption.shop_id,
                RewardUse.slot == redemption.slot,
                RewardUse.what == what,
                RewardUse.period == period,
            )
            .values(used=RewardUse.used - much)
            .execution_options(synchronize_session=False)
        )
    redemption.counted = []

"""Builders for tests about rewards: pools of codes, redemptions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.db import Database, Direct, insert_rows
from app.loyalty.equip import discount_key, want_discount
from app.loyalty.make_codes import new_code
from app.loyalty.members import members_of
from app.loyalty.redeem import Wanted, redeem
from app.models import Code, CodeState, Discount, Redemption, Shop
from app.program.presets import preset
from app.program.redeeming import month_of_issue
from app.program.rewards import Reward, reward_id
from app.program.settings import ProgramSettings

from .conftest import NOW, SHOP_ID


@dataclass(frozen=True, slots=True)
class Offered:
    reward_id: str
    reward: Reward


def the_reward(settings: ProgramSettings | None = None, index: int = 0) -> Offered:
    """A program's reward (the starter's when not given), with its id."""
    settings = settings or preset("starter", "EUR")
    reward = settings.rewards[index]
    return Offered(reward_id(reward, settings.currency), reward)


def fill_pool(
    db: Database, offered: str, amount_minor: int | None, *, count: int, shop_id: int = SHOP_ID, now: datetime = NOW
) -> str:
    """Codes that Shopify has, as `make_codes` leaves them. Returns the discount's key."""
    with db.transaction() as session:
        shop = session.get_one(Shop, shop_id)
        month = month_of_issue(now, shop.zone)
        reward = _reward_of(session, shop_id, offered)
        want_discount(Direct.of(session), shop_id, offered, reward, amount_minor, month, shop.zone)
        key = discount_key(offered, amount_minor, month)
        discount = session.get_one(Discount, (shop_id, key), populate_existing=True)
        discount.gid = "gid://shopify/DiscountCodeNode/1"
        codes = [
            {
                "shop_id": shop_id, "code": new_code(), "discount_key": key, "state": CodeState.FREE,
                "gid": f"gid://shopify/DiscountRedeemCode/{number}", "redemption_id": None, "chosen_at": now,
            }
            for number in range(1, count + 1)
        ]  # fmt: skip
        session.flush()
        insert_rows(session, Code, codes)
    return key


def _reward_of(session, shop_id: int, offered: str) -> Reward:
    from app.loyalty.using import terms_of

    return terms_of(session, shop_id, {offered})[offered]


def redeemed(
    db: Database,
    clock: Callable[[], datetime],
    customer_id: int,
    *,
    key: str,
    points: int | None = None,
    offered: str | None = None,
    shop_id: int = SHOP_ID,
) -> Redemption:
    """What the storefront's POST does: a redemption, new or the key's."""
    wanted = Wanted(offered or the_reward().reward_id, key, points)
    with db.transaction() as session:
        shop = session.get_one(Shop, shop_id)
        member_id = members_of(session, shop_id, [customer_id]).get(customer_id)
        redemption, _ = redeem(session, shop, member_id, wanted, now=clock())
    return redemption

"""Give a redemption what it is for: a code out of the pool, or the job that gets it one, a card or the credit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from ..db import Direct, Prepared
from ..jobs.queue import enqueue_directly
from ..models import Code, CodeState, Discount, Lane, Redemption, RedemptionState
from ..program.redeeming import end_of_codes, month_of_issue, usable_until
from ..program.rewards import Reward

# In words, not as a value: only then does a plan that is kept use the index of the free ones.
IS_FREE = text("codes.state = 'free'")
TAKE_CODE = Prepared(
    lambda insert: (
        update(Code)
        .where(
            Code.shop_id == bindparam("shop"),
            Code.code
            == select(Code.code)
            .where(Code.shop_id == bindparam("shop"), Code.discount_key == bindparam("key"), IS_FREE)
            .order_by(Code.chosen_at)  # as only that index has them: no other looks cheaper when a shop has one pool
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery(),
        )
        .values(state=CodeState.TAKEN, redemption_id=bindparam("redemption"))
        .returning(Code.code)
    )
)
WANT_DISCOUNT = Prepared(
    lambda insert: (
        insert(Discount.__table__)
        .values(
            {name: bindparam(name) for name in ("shop_id", "key", "reward_id", "amount_minor", "month", "ends_at")}
            | {"wanted": 0, "problem": ""}
        )
        .on_conflict_do_nothing()
    )
)


@dataclass(frozen=True, slots=True)
class Equipped:
    """What a redemption has now. Without a code it stays reserved until a job has got it what it is for."""

    discount_key: str | None = None
    code: str | None = None
    usable_until: datetime | None = None  # promised, with the code

    @property
    def state(self) -> RedemptionState:
        return RedemptionState.RESERVED if self.code is None else RedemptionState.ISSUED


def equip(
    direct: Direct,
    shop_id: int,
    redemption_id: str,
    reward_id: str,
    reward: Reward,
    amount_minor: int | None,
    *,
    now: datetime,
    zone: tzinfo,
) -> Equipped:
    """A code from the pool, at once; else the job that gets one, or the card, goes with the redemption.

    The caller holds the balance of its member.
    """
    if not reward.is_code:
        enqueue_directly(
            direct, shop_id, "hand_out", lane=Lane.NETWORK, now=now, subject=redemption_id,
            arguments={"redemption_id": redemption_id},
        )  # fmt: skip
        return Equipped()
    month = month_of_issue(now, zone)
    key = discount_key(reward_id, amount_minor, month)
    code = take_code(direct, shop_id, key, redemption_id)
    if code is None:
        want_discount(direct, shop_id, reward_id, reward, amount_minor, month, zone)
        enqueue_directly(
            direct, shop_id, "make_codes", lane=Lane.NETWORK, now=now, subject=key, arguments={"key": key}
        )  # fmt: skip
        return Equipped(key)
    return Equipped(key, code, usable_until(now, reward.valid_days, zone))


def discount_key(reward_id: str, amount_minor: int | None, month: str) -> str:
    """The one discount at Shopify for these terms, this amount and this month: "r5e717a97a7cce61-500-2026-11"."""
    return f"{reward_id}-{'x' if amount_minor is None else amount_minor}-{month}"


def take_code(direct: Direct, shop_id: int, key: str, redemption_id: str) -> str | None:
    """A free code of that discount, now this redemption's alone; None when the pool is empty."""
    taken = direct.ask(TAKE_CODE, shop=shop_id, key=key, redemption=redemption_id).first()
    return None if taken is None else str(taken.code)


def want_discount(
    direct: Direct, shop_id: int, reward_id: str, reward: Reward, amount_minor: int | None, month: str, zone: tzinfo
) -> None:
    """Note the discount that is to be made at Shopify. Noted already: nothing."""
    direct.ask(
        WANT_DISCOUNT,
        shop_id=shop_id,
        key=discount_key(reward_id, amount_minor, month),
        reward_id=reward_id,
        amount_minor=amount_minor,
        month=month,
        ends_at=end_of_codes(month, reward.valid_days, zone),
    )


def issue(redemption: Redemption, code: str, reward: Reward, now: datetime, zone: tzinfo) -> None:
    """The shopper has the code, and until when is promised."""
    redemption.state, redemption.code, redemption.issued_at = RedemptionState.ISSUED, code, now
    redemption.expires_at = usable_until(now, reward.valid_days, zone)
    redemption.problem = ""


def equip_again(session: Session, redemption: Redemption, reward: Reward, now: datetime, zone: tzinfo) -> None:
    """Another code for one that is held already, from the month it is now."""
    got = equip(
        Direct.of(session), redemption.shop_id, redemption.redemption_id, redemption.reward_id, reward,
        redemption.amount_minor, now=now, zone=zone,
    )  # fmt: skip
    redemption.discount_key = got.discount_key
    if got.code is not None:
        issue(redemption, got.code, reward, now, zone)

"""Give a redemption what it is for: a code out of the pool, or the job that gets it one, a card or the credit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from ..db import Direct, Prepared
from ..jobs.queue import asking_soon_for, enqueue_directly
from ..models import Code, CodeState, Discount, Lane, Redemption, RedemptionState, RewardTerms, Shop
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
PRICE = Prepared(
    lambda insert: select(RewardTerms.price_minor).where(
        RewardTerms.shop_id == bindparam("shop"), RewardTerms.reward_id == bindparam("reward")
    )
)
# Every eighth code by its last character, which is as random as any die: who takes it has the pool looked after.
LOOKS_AFTER_POOL = frozenset("0123")


@dataclass(frozen=True, slots=True)
class Due:
    """What a redemption is to get: a code of a discount, and until when that will be promised; or a card, or credit."""

    shop_id: int
    redemption_id: str
    reward_id: str
    reward: Reward
    amount_minor: int | None  # as `code_amount` has it
    now: datetime
    zone: tzinfo

    @property
    def month(self) -> str:
        return month_of_issue(self.now, self.zone)

    @property
    def discount_key(self) -> str | None:
        return discount_key(self.reward_id, self.amount_minor, self.month) if self.reward.is_code else None

    @property
    def usable_until(self) -> datetime:
        return usable_until(self.now, self.reward.valid_days, self.zone)

    def taking(self) -> tuple[Prepared, dict[str, object]]:
        """The write that takes a free code for it. It answers with the code, or with nothing when the pool is empty."""
        return TAKE_CODE, {"shop": self.shop_id, "key": self.discount_key, "redemption": self.redemption_id}

    def ask_for_it(self, direct: Direct) -> None:
        """There was no code in the pool, or it is none: the job that gets it goes with the redemption."""
        kind, subject, arguments = "hand_out", self.redemption_id, {"redemption_id": self.redemption_id}
        if (key := self.discount_key) is not None:
            want_discount(
                direct, self.shop_id, self.reward_id, self.reward, self.amount_minor, self.month, self.zone
            )  # fmt: skip
            kind, subject, arguments = "make_codes", key, {"key": key}
        enqueue_directly(
            direct, self.shop_id, kind, lane=Lane.NETWORK, now=self.now, subject=subject, arguments=arguments
        )  # fmt: skip

    def look_after_pool(self, direct: Direct, code: str) -> None:
        """Of the codes taken some ask whether the pool runs low, so that it is filled before it is empty."""
        key = self.discount_key
        if code[-1] in LOOKS_AFTER_POOL and self.reward.steps is None and key is not None:
            direct.write(
                asking_soon_for(
                    self.shop_id,
                    "stock_pools",
                    lane=Lane.SETTLE,
                    now=self.now,
                    subject=key,
                    arguments={"key": key},
                    once=True,
                )
            )


def code_amount(direct: Direct, shop_id: int, reward_id: str, reward: Reward, amount_minor: int | None) -> int | None:
    """What tells the discounts of a reward apart: the amount chosen. Of a free product its price, where that is not the
    one its terms were saved with.
    """
    if reward.product is None:
        return amount_minor
    known = direct.ask(PRICE, shop=shop_id, reward=reward_id).first()
    return None if known is None or known.price_minor in (None, reward.product.price_minor) else int(known.price_minor)


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


def have_another_code(session: Session, redemption: Redemption, reward: Reward, now: datetime) -> None:
    """In place of the one it had: a code of this month, with a promise of its own. The caller holds the balance."""
    redemption.state, redemption.reissue, redemption.code = RedemptionState.RESERVED, False, None
    redemption.issued_at = redemption.expires_at = redemption.releasing_at = None
    redemption.code_gone_at = redemption.swept_at = None
    redemption.why = redemption.by = ""
    equip_again(session, redemption, reward, now, session.get_one(Shop, redemption.shop_id).zone)


def equip_again(session: Session, redemption: Redemption, reward: Reward, now: datetime, zone: tzinfo) -> None:
    """Another code for one that is held already, from the month it is now. The caller holds its member's balance."""
    shop_id, reward_id, direct = redemption.shop_id, redemption.reward_id, Direct.of(session)
    amount = code_amount(direct, shop_id, reward_id, reward, redemption.amount_minor)
    due = Due(shop_id, redemption.redemption_id, reward_id, reward, amount, now, zone)
    redemption.discount_key = due.discount_key
    code = take_code(direct, shop_id, due.discount_key or "", due.redemption_id)
    if code is None:
        due.ask_for_it(direct)
    else:
        issue(redemption, code, reward, now, zone)

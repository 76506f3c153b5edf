"""What points buy, at Shopify: a reward's terms, the discounts made of them, and their codes (DESIGN §4 Redeem)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Enum, ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base
from .stated import stated


class CodeState(StrEnum):
    """Where a code is. One we made at Shopify is in a pool (``free``), or belongs to one redemption (``taken``)."""

    CHOSEN = "chosen"  # drawn, and perhaps sent; whether Shopify has it is not known yet
    FREE = "free"
    TAKEN = "taken"
    RETIRED = "retired"  # its month is over and nobody had it: to be deleted at Shopify
    GONE = "gone"  # not at Shopify (any more)


def words(enum: type, name: str) -> Enum:
    return Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=16,
        name=name,
        values_callable=lambda members: [member.value for member in members],
    )


class RewardTerms(Base):
    """The terms behind a reward's id, as they were when the id was first used. Never changed: redemptions pin them.

    What a free product costs now is no term, and is kept beside them.
    """

    __tablename__ = "reward_terms"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "reward_id"),
        ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], ondelete="CASCADE"),
        Index("ix_reward_terms_slot", "shop_id", "slot"),
    )

    shop_id: Mapped[int]
    reward_id: Mapped[str]  # program.rewards.reward_id
    slot: Mapped[str]  # the merchant's reward through all its edits
    currency: Mapped[str]
    reward: Mapped[dict[str, Any]] = mapped_column(JSON)  # a program.rewards.Reward
    noted_at: Mapped[datetime]
    price_minor: Mapped[int | None]  # of a free product, as Shopify had it last; None: not asked yet


class Discount(Base):
    """One discount at Shopify: a reward's terms, one amount, the month of issue. Many codes, never edited."""

    __tablename__ = "discounts"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "key"),
        ForeignKeyConstraint(["shop_id", "reward_id"], ["reward_terms.shop_id", "reward_terms.reward_id"]),
        Index("ix_discounts_reward", "shop_id", "reward_id", "month"),
    )

    shop_id: Mapped[int]
    key: Mapped[str]  # reward id, amount, month: "r5e71-500-2026-11"; also a tag of the discount at Shopify
    reward_id: Mapped[str]
    amount_minor: Mapped[int | None]  # what the shopper chose; None where the reward is no amount
    month: Mapped[str]  # of issue, in the shop's time: "2026-11"
    gid: Mapped[str | None]  # None: not made yet, or not known to be
    ends_at: Mapped[datetime]  # a backstop; the promised date is kept by deleting the code
    wanted: Mapped[int] = mapped_column(default=0)  # codes the pool should hold
    bulk_gid: Mapped[str | None]  # the bulk creation that is running
    bulk_at: Mapped[datetime | None]  # since when the chosen codes may have been sent
    problem: Mapped[str] = mapped_column(default="")  # why no codes can be made, in words
    made_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]  # deleted at Shopify, once none of its codes was out


class Code(Base):
    """One code of a discount. Chosen here before Shopify hears of it, so that a retry finds it and makes no second."""

    __tablename__ = "codes"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "code"),
        ForeignKeyConstraint(["shop_id", "discount_key"], ["discounts.shop_id", "discounts.key"]),
        Index(
            "ix_codes_free", "shop_id", "discount_key", "chosen_at",
            postgresql_where=text("state = 'free'"), sqlite_where=text("state = 'free'"),
        ),
        Index(
            "ix_codes_open", "shop_id", "discount_key",
            postgresql_where=text("state IN ('chosen', 'retired')"),
            sqlite_where=text("state IN ('chosen', 'retired')"),
        ),
    )  # fmt: skip

    shop_id: Mapped[int]
    code: Mapped[str]  # 13 characters of Crockford's base32, from `secrets`: 65 bits
    discount_key: Mapped[str]
    state: Mapped[CodeState] = mapped_column(words(CodeState, "code_state"), default=CodeState.CHOSEN)
    gid: Mapped[str | None]
    redemption_id: Mapped[str | None]
    chosen_at: Mapped[datetime]
    look_at: Mapped[datetime | None]  # called back and still there: when to try again; None: not tried yet


# As the partial indexes have them. Whoever asks for one of the two asks for it beside IS_ODD.
IS_ODD = stated(Code.state, CodeState.CHOSEN, CodeState.RETIRED)
IS_FREE = stated(Code.state, CodeState.FREE)


class RewardUse(Base):
    """How much of a reward's stock or budget is used up in a period. Only ever changed by a guarded UPDATE."""

    __tablename__ = "reward_uses"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "slot", "what", "period"),
        ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], ondelete="CASCADE"),
    )

    shop_id: Mapped[int]
    slot: Mapped[str]
    what: Mapped[str]  # "stock" or "budget"
    period: Mapped[str]  # "" for ever, "2026-11-27", "2026-W48", "2026-11", "2026"
    used: Mapped[int] = mapped_column(default=0)

"""A redemption: points set aside for a reward, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, Encrypted
from .reward import words
from .stated import stated


class RedemptionState(StrEnum):
    """reserved → issued → used, or releasing → released (DESIGN §3). Gift cards and store credit go to used at once."""

    RESERVED = "reserved"  # points are set aside; the code, card or credit is being made
    ISSUED = "issued"  # the shopper has the code
    USED = "used"
    RELEASING = "releasing"  # the code is being deleted, and it is made sure that no order has used it
    RELEASED = "released"  # the points are back


class Redemption(Base):
    """Changed only by whoever holds its member's balance (`Books.open`): that lock is what makes its states exact."""

    __tablename__ = "redemptions"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "redemption_id"),
        UniqueConstraint("shop_id", "key_hash"),
        ForeignKeyConstraint(["shop_id", "member_id"], ["members.shop_id", "members.member_id"]),
        ForeignKeyConstraint(["shop_id", "reward_id"], ["reward_terms.shop_id", "reward_terms.reward_id"]),
        Index("ix_redemptions_member", "shop_id", "member_id", "reserved_at"),
        Index("ix_redemptions_slot", "shop_id", "slot", "reserved_at"),
        Index("ix_redemptions_code", "shop_id", "code"),
        Index("ix_redemptions_order", "shop_id", "order_id"),
        Index(
            "ix_redemptions_held", "shop_id", "state", "reserved_at",
            postgresql_where=text("state IN ('reserved', 'releasing')"),
            sqlite_where=text("state IN ('reserved', 'releasing')"),
        ),
        Index(
            "ix_redemptions_expiring", "shop_id", "expires_at",
            postgresql_where=text("state = 'issued'"), sqlite_where=text("state = 'issued'"),
        ),
        Index(
            "ix_redemptions_gid", "shop_id", "shopify_gid",
            postgresql_where=text("shopify_gid IS NOT NULL"), sqlite_where=text("shopify_gid IS NOT NULL"),
        ),
    )  # fmt: skip

    shop_id: Mapped[int]
    redemption_id: Mapped[str]  # random; what the shopper's address names
    key_hash: Mapped[str]  # keyed, of the member and their idempotency key
    member_id: Mapped[int]
    reward_id: Mapped[str]
    slot: Mapped[str]
    title: Mapped[str]  # as the shopper read it
    points: Mapped[int]
    amount_minor: Mapped[int | None]
    version: Mapped[int | None]  # the program version it was redeemed under
    state: Mapped[RedemptionState] = mapped_column(
        words(RedemptionState, "redemption_state"), default=RedemptionState.RESERVED
    )
    code: Mapped[str | None]  # of a discount
    card_code: Mapped[str | None] = mapped_column(Encrypted)  # a gift card's: money in whoever's hands it is
    discount_key: Mapped[str | None]
    counted: Mapped[list[Any]] = mapped_column(JSON, default=list)  # [what, period, how much] of stock and budget taken
    reserved_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]  # promised: usable until then; set when issued
    asked_at: Mapped[datetime | None]  # Shopify was asked for the card or the credit; the answer may have been lost
    shopify_gid: Mapped[str | None]  # the gift card, or the credit's transaction
    # Letting go.
    why: Mapped[str] = mapped_column(default="")  # expired, cancelled, staff, not_made, deleted
    by: Mapped[str] = mapped_column(default="")  # who cancelled or gave back: "shopper", "staff 1234"
    releasing_at: Mapped[datetime | None]
    code_gone_at: Mapped[datetime | None]  # Shopify confirmed that the code is deleted
    swept_at: Mapped[datetime | None]  # orders from around that moment have been looked for
    released_at: Mapped[datetime | None]
    # Used.
    used_at: Mapped[datetime | None]
    order_id: Mapped[int | None]
    by_other: Mapped[bool] = mapped_column(Boolean, default=False)  # somebody else's order used the code
    after_all: Mapped[bool] = mapped_column(Boolean, default=False)  # it was used when its points were back already
    given_back: Mapped[int] = mapped_column(default=0)  # points returned: the order went back, or staff said so
    cost_minor: Mapped[int | None]  # what the order was lowered by, or the card or credit
    events: Mapped[int] = mapped_column(default=0)  # how often the ledger was posted to; the n of its event's name
    problem: Mapped[str] = mapped_column(Text, default="")  # what is in the way, in words for the merchant
    reissue: Mapped[bool] = mapped_column(Boolean, default=False)  # once let go it gets a new code, not its points back
    staff_back: Mapped[int] = mapped_column(default=0)  # points staff gave back for a used reward, whatever its order


# As the partial indexes have them. Whoever asks for one state of those held asks for it beside IS_HELD.
IS_HELD = stated(Redemption.state, RedemptionState.RESERVED, RedemptionState.RELEASING)
IS_ISSUED = stated(Redemption.state, RedemptionState.ISSUED)


class CodeUse(Base):
    """An order that shows a code of a redemption. The earliest of them is the one that used it."""

    __tablename__ = "code_uses"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "redemption_id", "order_id"),
        ForeignKeyConstraint(
            ["shop_id", "redemption_id"], ["redemptions.shop_id", "redemptions.redemption_id"], ondelete="CASCADE"
        ),
    )

    shop_id: Mapped[int]
    redemption_id: Mapped[str]
    order_id: Mapped[int]
    ordered_at: Mapped[datetime]


class FailedTry(Base):
    """Refused guesses of one customer in one minute: what rate limits count (never honest redemptions)."""

    __tablename__ = "failed_tries"
    __table_args__ = (PrimaryKeyConstraint("shop_id", "who", "minute"),)

    shop_id: Mapped[int]
    who: Mapped[str]  # keyed hash of the customer's id
    minute: Mapped[int]  # since 1970
    tries: Mapped[int] = mapped_column(default=0)

"""A member: somebody with a customer id at one shop."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class Member(Base):
    """``member_id`` is random and the only name the books know; ``customer_id`` stands here and nowhere else,
    so that redaction clears one column and leaves the books whole.
    """

    __tablename__ = "members"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "member_id"),
        UniqueConstraint("shop_id", "customer_id"),
        Index("ix_members_joined", "shop_id", "joined_at", "member_id"),
        Index("ix_members_address", "shop_id", "address_hash"),
        Index(
            "ix_members_dirty", "shop_id",
            postgresql_where=text("wanted_seq > synced_seq"), sqlite_where=text("wanted_seq > synced_seq"),
        ),
    )  # fmt: skip

    shop_id: Mapped[int]
    member_id: Mapped[int]
    customer_id: Mapped[int | None]
    # The keyed hash of the customer's address while Shopify calls it verified: guests' orders find their member by it.
    address_hash: Mapped[str | None]
    seen_at: Mapped[datetime | None]  # `updated_at` of the customer body that said so; an older body changes nothing
    joined_at: Mapped[datetime]
    merged_into: Mapped[int | None]  # the member whose books this one's went to
    closed_at: Mapped[datetime | None]  # the customer was deleted at Shopify
    redacted_at: Mapped[datetime | None]
    last_order_at: Mapped[datetime | None]
    wanted_seq: Mapped[int] = mapped_column(default=0)  # the balance the metafield should show …
    synced_seq: Mapped[int] = mapped_column(default=0)  # … and the one it shows


class RedactedCustomer(Base):
    """A customer we were told to forget, as a keyed hash, so that a late webhook cannot bring them back."""

    __tablename__ = "redacted_customers"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "customer_hash"),
        ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], ondelete="CASCADE"),
    )

    shop_id: Mapped[int]
    customer_hash: Mapped[str]
    redacted_at: Mapped[datetime]

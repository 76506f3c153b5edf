"""An order's merged facts, the decision they led to, and adjustments by hand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class Order(Base):
    """Everything known about one order, and what the ledger holds for it.

    ``facts`` and ``decision`` are the JSON of `program.facts.OrderFacts` and `program.earning.Decision`: read and
    written whole, never queried, so they are text. Orders with no member hold no entries.
    """

    __tablename__ = "orders"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "order_id"),
        Index("ix_orders_member", "shop_id", "member_id", "created_at"),
        Index("ix_orders_created", "shop_id", "created_at"),
        Index("ix_orders_name", "shop_id", "name"),
        Index(
            "ix_orders_guest", "shop_id", "address_hash",
            postgresql_where=text("address_hash IS NOT NULL"), sqlite_where=text("address_hash IS NOT NULL"),
        ),
    )  # fmt: skip

    shop_id: Mapped[int]
    order_id: Mapped[int]
    name: Mapped[str] = mapped_column(default="")  # "#1001"; emptied by redaction
    member_id: Mapped[int | None]
    address_hash: Mapped[str | None]  # a guest's, while nobody has claimed the order
    created_at: Mapped[datetime | None]  # None: only a refund of it is known so far
    facts: Mapped[str] = mapped_column(Text)
    decision: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str | None]  # why it earned nothing, as a code
    points: Mapped[int] = mapped_column(default=0)  # what the ledger holds for this order and its member
    settlements: Mapped[int] = mapped_column(default=0)  # how often that changed; the n of "order:5731:settled:n"
    revenue_minor: Mapped[int] = mapped_column(default=0)  # what remains of it, in shop currency's minor units
    settled_at: Mapped[datetime | None]
    redacted: Mapped[bool] = mapped_column(Boolean, default=False)


class Decision(Base):
    """Why an order's points changed: one row for each time the ledger was posted to because of it."""

    __tablename__ = "decisions"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "order_id", "number"),
        ForeignKeyConstraint(["shop_id", "order_id"], ["orders.shop_id", "orders.order_id"], ondelete="CASCADE"),
    )

    shop_id: Mapped[int]
    order_id: Mapped[int]
    number: Mapped[int]
    version: Mapped[int | None]  # the program version that was in force
    decision: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime]


class Adjustment(Base):
    """The words to an adjustment's number. They may name people, so they live outside the append-only entries."""

    __tablename__ = "adjustments"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "key"),
        ForeignKeyConstraint(["shop_id", "member_id"], ["members.shop_id", "members.member_id"], ondelete="CASCADE"),
    )

    shop_id: Mapped[int]
    key: Mapped[str]
    member_id: Mapped[int]
    points: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    author: Mapped[str]
    adjusted_at: Mapped[datetime]

"""A shop's program: published versions, the draft, and pauses. All dated facts, none ever edited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKeyConstraint, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class ProgramVersion(Base):
    """One published set of rules, in force from the start of the second of ``starts_at`` until the next one's."""

    __tablename__ = "program_versions"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "number"),
        ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], ondelete="CASCADE"),
    )

    shop_id: Mapped[int]
    number: Mapped[int]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    starts_at: Mapped[datetime]  # now or later when published, never backdated
    published_at: Mapped[datetime]
    author: Mapped[str] = mapped_column(default="")  # "staff 1234", "command line"
    changes: Mapped[list[str]] = mapped_column(JSON, default=list)  # against the version before, in words


class Draft(Base):
    """What the merchant is working on. One a shop."""

    __tablename__ = "drafts"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id"),
        ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], ondelete="CASCADE"),
    )

    shop_id: Mapped[int] = mapped_column(autoincrement=False)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_at: Mapped[datetime]
    author: Mapped[str] = mapped_column(default="")


class Pause(Base):
    """A time during which orders earn nothing. Open while ``ends_at`` is null."""

    __tablename__ = "pauses"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "starts_at"),
        ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], ondelete="CASCADE"),
    )

    shop_id: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]

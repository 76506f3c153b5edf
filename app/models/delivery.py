"""What came in and what is to be done: the webhook inbox, jobs, and who is to be served next (DESIGN §6)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    DDL,
    JSON,
    Enum,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class DeliveryState(StrEnum):
    NEW = "new"
    DONE = "done"
    IGNORED = "ignored"
    PARKED = "parked"


class JobState(StrEnum):
    DUE = "due"
    PARKED = "parked"


class Lane(StrEnum):
    """One lane for what only needs the database, one for what asks Shopify: a slow Shopify delays no points."""

    SETTLE = "settle"
    NETWORK = "network"


def _words(enum: type, name: str) -> Enum:
    return Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=16,
        name=name,
        values_callable=lambda e: [m.value for m in e],
    )


class Delivery(Base):
    """One received webhook (or one order fetched from Shopify, which is settled through the same door).

    ``key`` is a digest of topic, delivery id and body: ids are unsigned headers, and one used on another body must
    not swallow the real delivery.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "key"),
        Index(
            "ix_deliveries_due",
            "shop_id",
            "due_at",
            postgresql_where=text("state = 'new'"),
            sqlite_where=text("state = 'new'"),
        ),
        Index(
            "ix_deliveries_parked",
            "shop_id",
            "received_at",
            postgresql_where=text("state = 'parked'"),
            sqlite_where=text("state = 'parked'"),
        ),
        Index("ix_deliveries_received", "shop_id", "received_at", postgresql_using="brin"),
    )

    shop_id: Mapped[int]
    key: Mapped[bytes]
    topic: Mapped[str]
    source: Mapped[str] = mapped_column(String, default="webhook")  # "webhook", or "fetch" for what we asked for
    webhook_id: Mapped[str] = mapped_column(default="")
    api_version: Mapped[str] = mapped_column(default="")
    triggered_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    body: Mapped[bytes | None]  # erased once settled; encrypted when parked
    state: Mapped[DeliveryState] = mapped_column(_words(DeliveryState, "delivery_state"), default=DeliveryState.NEW)
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str] = mapped_column(Text, default="")  # in words: what it did, why it was ignored or parked
    about: Mapped[str] = mapped_column(default="")  # "order 5731": so that redaction finds parked bodies
    finished_at: Mapped[datetime | None]


class Job(Base):
    """Work for later. The same work asked for twice before it ran is one job."""

    __tablename__ = "jobs"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "job_id"),
        UniqueConstraint("shop_id", "kind", "subject"),
        ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], ondelete="CASCADE"),
        Index(
            "ix_jobs_due",
            "shop_id",
            "lane",
            "due_at",
            postgresql_where=text("state = 'due'"),
            sqlite_where=text("state = 'due'"),
        ),
    )

    shop_id: Mapped[int]
    job_id: Mapped[str]
    kind: Mapped[str]  # a name in jobs.handlers
    subject: Mapped[str] = mapped_column(default="")  # what it is about; part of what makes it the same work
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    lane: Mapped[Lane] = mapped_column(_words(Lane, "job_lane"))
    due_at: Mapped[datetime]
    state: Mapped[JobState] = mapped_column(_words(JobState, "job_state"), default=JobState.DUE)
    tries: Mapped[int] = mapped_column(default=0)
    wanted: Mapped[int] = mapped_column(default=1)  # counts requests: one made while the job runs is not lost
    again_at: Mapped[datetime | None]  # when it is wanted again, by whoever asked since it was due
    outcome: Mapped[str] = mapped_column(Text, default="")


class DueShop(Base):
    """Which shop to serve next, lane by lane, least recently served first. The one table read across shops."""

    __tablename__ = "due_shops"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "lane"),
        Index("ix_due_shops_next", "lane", "last_served", "next_due"),
    )

    shop_id: Mapped[int]
    lane: Mapped[Lane] = mapped_column(_words(Lane, "due_lane"))
    next_due: Mapped[datetime]
    last_served: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)  # a worker that slept through its lease holds an old number


# Bodies are small, short-lived JSON: keep them in the row while they fit, and spend nothing on compressing them.
for _statement in (
    "ALTER TABLE deliveries SET (toast_tuple_target = 8160)",
    "ALTER TABLE deliveries ALTER COLUMN body SET STORAGE EXTERNAL",
):
    event.listen(Delivery.__table__, "after_create", DDL(_statement).execute_if(dialect="postgresql"))

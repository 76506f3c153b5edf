"""The books' tables. `entries` is the truth; `balances`, `lots` and `day_totals` are caches the audit recomputes."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    DDL,
    CheckConstraint,
    Date,
    Enum,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base
from .accounts import Account, Kind


def _words(enum: type, name: str) -> Enum:
    """An enum as VARCHAR with a CHECK: PostgreSQL's own enums cannot lose a value again in a migration."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=16,
        name=name,
        values_callable=lambda members: [member.value for member in members],
    )


class Entry(Base):
    """One movement of points from a source to a target account, for one member.

    Written once, never changed: a mistake is corrected by a further entry. Triggers refuse UPDATE and DELETE.
    """

    __tablename__ = "entries"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "key"),
        UniqueConstraint("shop_id", "member_id", "seq"),
        ForeignKeyConstraint(["shop_id", "member_id"], ["balances.shop_id", "balances.member_id"]),
        CheckConstraint("points > 0", name="points_positive"),
        CheckConstraint("source <> target", name="accounts_differ"),
        Index("ix_entries_shop_id_cause", "shop_id", "cause"),
    )

    shop_id: Mapped[int]
    key: Mapped[str]  # once and for all; the event and the part of it: "order:5731:settled:2/1"
    event: Mapped[str]  # what happened, as one line of history: "order:5731:settled:2"
    cause: Mapped[str]  # what it happened to: "order:5731"
    member_id: Mapped[int]
    seq: Mapped[int]  # 1, 2, 3 … within the member
    kind: Mapped[Kind] = mapped_column(_words(Kind, "kind"))
    source: Mapped[Account] = mapped_column(_words(Account, "source"))
    target: Mapped[Account] = mapped_column(_words(Account, "target"))
    points: Mapped[int]
    lot: Mapped[str | None]  # the lot whose points moved; None where debt moved
    occurred_at: Mapped[datetime]  # the fact's own time
    posted_at: Mapped[datetime]  # ours; "balance at a moment" reads this one
    digest: Mapped[bytes]  # SHA-256 over this entry and the member's previous digest


class Balance(Base):
    """One row a member: what the entries add up to, and the head of the member's chain of digests."""

    __tablename__ = "balances"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "member_id"),
        CheckConstraint("available >= 0 AND pending >= 0 AND reserved >= 0 AND debt >= 0", name="not_negative"),
        CheckConstraint("available = 0 OR debt = 0", name="debt_first"),
    )

    shop_id: Mapped[int]
    member_id: Mapped[int]
    available: Mapped[int] = mapped_column(default=0)
    pending: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)
    debt: Mapped[int] = mapped_column(default=0)
    seq: Mapped[int] = mapped_column(default=0)
    head: Mapped[bytes] = mapped_column(default=b"")


class Lot(Base):
    """Points that came in together: what is left of one order's or one adjustment's points."""

    __tablename__ = "lots"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "member_id", "lot"),
        ForeignKeyConstraint(["shop_id", "member_id"], ["balances.shop_id", "balances.member_id"]),
        CheckConstraint("pending >= 0 AND available >= 0", name="not_negative"),
        Index(
            "ix_lots_due", "shop_id", "matures_at",
            postgresql_where=text("pending > 0"), sqlite_where=text("pending > 0"),
        ),
        Index(
            "ix_lots_open",
            "shop_id", "member_id", "expires_at", "earned_at",
            postgresql_where=text("available > 0"), sqlite_where=text("available > 0"),
        ),
    )  # fmt: skip

    shop_id: Mapped[int]
    member_id: Mapped[int]
    lot: Mapped[str]  # the cause that made it: "order:5731"
    pending: Mapped[int] = mapped_column(default=0)
    available: Mapped[int] = mapped_column(default=0)
    earned_at: Mapped[datetime]
    matures_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class DayTotal(Base):
    """What moved in a shop on a UTC day, by kind: the home page's numbers without a scan."""

    __tablename__ = "day_totals"
    __table_args__ = (PrimaryKeyConstraint("shop_id", "day", "kind"),)

    shop_id: Mapped[int]
    day: Mapped[date] = mapped_column(Date)
    kind: Mapped[str]  # a Kind; "adjusted_up" and "adjusted_down" tell adjustments apart
    points: Mapped[int]


class Erasure(Base):
    """A shop whose books are being erased, for the length of one transaction: the only key to the triggers."""

    __tablename__ = "erasures"
    __table_args__ = (PrimaryKeyConstraint("shop_id"),)

    shop_id: Mapped[int] = mapped_column(autoincrement=False)


# The books cannot be changed, only added to; erasing a whole shop (shop/redact) is the one exception.
GUARDS_SQLITE = (
    """CREATE TRIGGER entries_never_updated BEFORE UPDATE ON entries
       BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END""",
    """CREATE TRIGGER entries_never_deleted BEFORE DELETE ON entries
       WHEN NOT EXISTS (SELECT 1 FROM erasures WHERE erasures.shop_id = OLD.shop_id)
       BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END""",
)
GUARDS_POSTGRESQL = (
    """CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF TG_OP = 'DELETE' THEN
           IF EXISTS (SELECT 1 FROM erasures WHERE erasures.shop_id = OLD.shop_id) THEN RETURN OLD; END IF;
         END IF;
         RAISE EXCEPTION 'entries are never changed';
       END $$""",
    """CREATE TRIGGER entries_never_changed BEFORE UPDATE OR DELETE ON entries
       FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """CREATE TRIGGER entries_never_truncated BEFORE TRUNCATE ON entries
       FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
)
for _statement in GUARDS_SQLITE:
    event.listen(Entry.__table__, "after_create", DDL(_statement.replace("%", "%%")).execute_if(dialect="sqlite"))
for _statement in GUARDS_POSTGRESQL:
    event.listen(Entry.__table__, "after_create", DDL(_statement.replace("%", "%%")).execute_if(dialect="postgresql"))

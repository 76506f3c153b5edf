"""A shop that installed Regulars, and the tokens it gave us."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Boolean, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, Encrypted


class Shop(Base):
    """The tenant. Its key is Shopify's numeric id; the domain may change hands and is only a unique column."""

    __tablename__ = "shops"
    __table_args__ = (PrimaryKeyConstraint("shop_id"), UniqueConstraint("domain"))

    shop_id: Mapped[int] = mapped_column(autoincrement=False)
    domain: Mapped[str]  # acme.myshopify.com
    name: Mapped[str] = mapped_column(default="")
    currency: Mapped[str]  # ISO 4217, the shop's own
    timezone: Mapped[str] = mapped_column(default="UTC")  # IANA
    primary_url: Mapped[str] = mapped_column(default="")
    is_development: Mapped[bool] = mapped_column(Boolean, default=False)  # every checkout there is a test order
    scopes: Mapped[str] = mapped_column(default="")  # granted, comma-separated
    app_installation_id: Mapped[str] = mapped_column(default="")  # GID: owner of the program metafield
    installed_at: Mapped[datetime]
    uninstalled_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]  # the newest session token's own date: only an installed app gets one
    # Secret of this shop alone, for hashing addresses and forgotten customers; it goes when the shop is erased.
    hash_key: Mapped[str] = mapped_column(Encrypted)
    published_seq: Mapped[int] = mapped_column(default=0)  # how often the program metafield was wanted …
    synced_seq: Mapped[int] = mapped_column(default=0)  # … and which of these Shopify has
    reconciled_at: Mapped[datetime | None]  # orders updated before this were compared with Shopify's
    recovered: Mapped[int] = mapped_column(default=0)  # orders the last reconciliation found missing or stale
    pools_day: Mapped[str] = mapped_column(default="")  # when its pools of codes were last looked after: "2026-11-27"
    setup_dismissed: Mapped[bool] = mapped_column(Boolean, default=False)

    @property
    def is_installed(self) -> bool:
        return self.uninstalled_at is None

    @property
    def zone(self) -> tzinfo:
        """The shop's own time."""
        return zone_named(self.timezone)


class ShopToken(Base):
    """The shop's one expiring offline token and what refreshes it. Encrypted at rest.

    Refreshing is single-flight: who sets ``lease_until`` (and nobody else) asks Shopify, and writes the new pair with
    ``token_version + 1`` (DESIGN §4 Install).
    """

    __tablename__ = "shop_tokens"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id"),
        ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], ondelete="CASCADE"),
    )

    shop_id: Mapped[int] = mapped_column(autoincrement=False)
    access_token: Mapped[str] = mapped_column(Encrypted)
    access_expires_at: Mapped[datetime]
    refresh_token: Mapped[str] = mapped_column(Encrypted)
    refresh_expires_at: Mapped[datetime]
    token_version: Mapped[int] = mapped_column(default=1)
    lease_until: Mapped[datetime | None]
    refreshed_at: Mapped[datetime]
    needs_reopening: Mapped[bool] = mapped_column(Boolean, default=False)  # refresh died: a merchant must open the app


def zone_named(name: str) -> tzinfo:
    """A shop's zone; UTC for one that this machine has not heard of."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")

"""Requests under privacy law that a merchant must answer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped

from ..db import Base


class PrivacyRequest(Base):
    """A shopper asked the shop for their data. The answer is made when it is downloaded, not stored."""

    __tablename__ = "privacy_requests"
    __table_args__ = (
        PrimaryKeyConstraint("shop_id", "request_id"),
        ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], ondelete="CASCADE"),
    )

    shop_id: Mapped[int]
    request_id: Mapped[int]  # Shopify's data_request id
    customer_id: Mapped[int | None]  # cleared when the customer is redacted
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]  # 30 days later (PLATFORM §3.3)
    downloaded_at: Mapped[datetime | None]
    downloaded_by: Mapped[str | None]

"""One member's figures while they are being posted to: what they hold, lot by lot, and where their chain of digests is.

Plain data. `opened` reads it and writes it back, `books` moves points in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FAR = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class LotState:
    lot: str
    earned_at: datetime
    pending: int = 0
    available: int = 0
    matures_at: datetime | None = None
    expires_at: datetime | None = None
    is_new: bool = True
    changed: bool = True

    @property
    def soonest_first(self) -> tuple[datetime, datetime, str]:
        return (self.expires_at or FAR, self.earned_at, self.lot)


@dataclass(slots=True)
class Book:
    """One member's figures while they are being posted to."""

    member_id: int
    available: int = 0
    pending: int = 0
    reserved: int = 0
    debt: int = 0
    seq: int = 0
    head: bytes = b""
    is_new: bool = True
    changed: bool = False
    all_lots_known: bool = False
    lots: dict[str, LotState] = field(default_factory=dict)


def chained_digest(previous: bytes, entry: dict[str, Any]) -> bytes:
    """SHA-256 over the member's previous digest and every column of this entry, unambiguously written."""
    content = [
        entry["shop_id"], entry["key"], entry["event"], entry["cause"], entry["member_id"], entry["seq"],
        entry["kind"], entry["source"], entry["target"], entry["points"], entry["lot"],
        (entry["occurred_at"] - EPOCH) // MICROSECOND, (entry["posted_at"] - EPOCH) // MICROSECOND,
    ]  # fmt: skip
    return sha256(bytes(previous) + orjson.dumps(content)).digest()

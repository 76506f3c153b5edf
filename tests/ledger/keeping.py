"""A second way to keep one member's book, in plain dictionaries: what the ledger's laws are tested against."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

FAR = datetime(9999, 12, 31)  # noqa: DTZ001 - compared with moments whose zone was taken off


@dataclass
class KeptLot:
    name: str
    earned_at: datetime
    pending: int = 0
    available: int = 0
    matures_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def soonest_first(self) -> tuple[datetime, datetime, str]:
        expires_at = self.expires_at.replace(tzinfo=None) if self.expires_at else FAR
        return expires_at, self.earned_at.replace(tzinfo=None), self.name


@dataclass
class Keeper:
    """Lots and debt; everything else follows from them."""

    lots: dict[str, KeptLot] = field(default_factory=dict)
    debt: int = 0

    @property
    def available(self) -> int:
        return sum(lot.available for lot in self.lots.values())

    @property
    def pending(self) -> int:
        return sum(lot.pending for lot in self.lots.values())

    def lot(self, name: str, earned_at: datetime) -> KeptLot:
        return self.lots.setdefault(name, KeptLot(name, earned_at))

    def enter(self, lot: KeptLot, points: int) -> None:
        """Into available, debt first."""
        repaid = min(points, self.debt)
        self.debt -= repaid
        lot.available += points - repaid

    def draw(self, points: int, first: str | None = None) -> int:
        """Out of available: the named lot, then the soonest to expire, the oldest. Returns what could not be had."""
        queue = sorted(self.lots.values(), key=lambda lot: (lot.name != first, lot.soonest_first))
        for lot in queue:
            part = min(points, lot.available)
            lot.available -= part
            points -= part
        return points

    def take_back(self, name: str, points: int) -> None:
        own = self.lots.get(name)
        if own is not None:
            part = min(points, own.pending)
            own.pending -= part
            points -= part
        self.debt += self.draw(points, name)

    def open_lots(self) -> dict[str, tuple[int, int]]:
        return {lot.name: (lot.pending, lot.available) for lot in self.lots.values() if lot.pending or lot.available}

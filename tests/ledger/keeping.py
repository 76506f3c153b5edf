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
    reserved: int = 0

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

    def draw_for(self, reward: KeptReward, points: int) -> int:
        """Out of available for a reward, which remembers the lots. Returns what could not be had."""
        before = {name: lot.available for name, lot in self.lots.items()}
        missing = self.draw(points)
        for lot in sorted(self.lots.values(), key=lambda lot: lot.soonest_first):
            if part := before[lot.name] - lot.available:
                reward.drawn = [*(pair for pair in reward.drawn if pair[0] != lot.name),
                                (lot.name, reward.of(lot.name) + part)]  # fmt: skip
        return missing

    def put_back(self, reward: KeptReward, points: int, now: datetime) -> None:
        """To the lots they were drawn from, the last drawn first; what was never in one makes a lot of its own."""
        for name, drawn in reversed(reward.drawn):
            part = min(points, max(0, drawn))
            if part:
                self.enter(self.lots[name], part)
                reward.returned(name, part)
            points -= part
        if points:
            self.enter(self.lot(reward.cause, now), points)
            reward.returned(reward.cause, points)

    def open_lots(self) -> dict[str, tuple[int, int, datetime, datetime | None]]:
        return {
            lot.name: (lot.pending, lot.available, lot.earned_at, lot.expires_at)
            for lot in self.lots.values()
            if lot.pending or lot.available
        }


@dataclass
class KeptReward:
    """Points one reward holds or cost, and the lots they came out of, in the order drawn."""

    cause: str
    member: int
    points: int
    reserved: int = 0
    redeemed: int = 0
    drawn: list[tuple[str, int]] = field(default_factory=list)
    events: int = 0

    @property
    def free(self) -> int:
        """What was returned, and may be spent after all."""
        return self.points - self.reserved - self.redeemed

    def of(self, lot: str) -> int:
        return dict(self.drawn).get(lot, 0)

    def returned(self, lot: str, points: int) -> None:
        known = dict(self.drawn)
        known[lot] = known.get(lot, 0) - points
        self.drawn = list(known.items())

    def next_event(self) -> dict[str, str]:
        self.events += 1
        return {"cause": self.cause, "event": f"{self.cause}:{self.events}"}

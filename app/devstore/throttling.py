"""The Admin API's leaky buckets: one per shop (there is one app), filled at a steady rate, emptied by query cost."""

from __future__ import annotations

import threading
import time
from typing import Any


class Buckets:
    """Costs are whole points; ``size`` and ``restore`` (points a second) are for every shop."""

    def __init__(self, size: int, restore: int) -> None:
        self._lock = threading.Lock()
        self.resize(size, restore)

    def resize(self, size: int, restore: int) -> None:
        """Set them anew, full."""
        with self._lock:
            self.size, self.restore = size, restore
            self._levels: dict[int, tuple[float, float]] = {}  # shop id -> points available, at this monotonic time

    def take(self, shop_id: int, requested: int) -> bool:
        """Take the requested cost, or nothing at all."""
        with self._lock:
            available = self._available(shop_id)
            if requested > available:
                return False
            self._levels[shop_id] = (available - requested, time.monotonic())
            return True

    def lower(self, shop_id: int, below: int) -> None:
        """Leave half of a cost, so that what costs that much has to wait for the other half."""
        with self._lock:
            self._levels[shop_id] = (min(self._available(shop_id), below // 2), time.monotonic())

    def give_back(self, shop_id: int, points: int) -> None:
        """The part of a requested cost that was not spent."""
        with self._lock:
            self._levels[shop_id] = (min(self.size, self._available(shop_id) + points), time.monotonic())

    def status(self, shop_id: int) -> dict[str, Any]:
        """As ``extensions.cost.throttleStatus`` prints it."""
        with self._lock:
            return {
                "maximumAvailable": self.size,
                "currentlyAvailable": int(self._available(shop_id)),
                "restoreRate": self.restore,
            }

    def _available(self, shop_id: int) -> float:
        now = time.monotonic()
        level, at = self._levels.get(shop_id, (self.size, now))
        return min(self.size, level + (now - at) * self.restore)

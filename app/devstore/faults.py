"""How the Admin API, or the token endpoint, misbehaves when a test asks for it.

``next`` is a list of faults for the coming calls, one each, "ok" for none; ``percent`` and ``kinds`` are a share of all
calls by ``seed``. Faults: 500, 502, 429 (Retry-After 1), 401, 402, 423, throttled (200 with THROTTLED), html (200, not
JSON), truncated (200, half of the JSON), reset (the connection is cut), lost (done, but the answer is cut: the caller
cannot know), slow (two seconds late).
"""

from __future__ import annotations

import random
import threading

KINDS = ("500", "502", "429", "401", "402", "423", "throttled", "html", "truncated", "reset", "lost", "slow")


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.set()

    def set(
        self, next: list[str] | None = None, percent: int = 0, kinds: list[str] | None = None, seed: int = 0
    ) -> dict[str, object]:
        """Replace what was asked for before; nothing means good behaviour. Raises ValueError for an unknown fault."""
        next, kinds = [str(kind) for kind in next or []], [str(kind) for kind in kinds or KINDS]
        if unknown := {*next, *kinds} - {*KINDS, "ok"}:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        with self._lock:
            self._next, self._percent, self._kinds, self._dice = next, percent, kinds, random.Random(seed)
        return {"next": next, "percent": percent, "kinds": kinds, "seed": seed}

    def draw(self) -> str | None:
        """The fault of this call, or None."""
        with self._lock:
            if self._next:
                drawn = self._next.pop(0)
                return None if drawn == "ok" else drawn
            if self._percent and self._dice.randrange(100) < self._percent:
                return self._dice.choice(self._kinds)
            return None

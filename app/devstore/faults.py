"""How the Admin API, or the token endpoint, misbehaves when a test asks for it: a schedule, made again from its seed.

``next`` is a list of faults for the coming calls, one each, "ok" for none; after it ``percent`` of the calls get one of
``kinds``. The nth call of an operation always gets the same, whatever else is going on, since its dice are the seed,
its name and n. ``operations`` names the GraphQL operations that misbehave (empty: all), and ``by_operation`` gives some
a schedule of their own: {"GiftCardCreate": {"next": ["lost"], "percent": 20, "kinds": ["500"]}}.

Nothing is done     500, 502, 503; 429 (Retry-After 1); 401, 402, 423 (frozen, locked); html (200, not JSON); reset
                    (the connection is cut); timeout_before (cut after ``seconds``)
Done, and lost      lost (cut at once); timeout_after (cut after ``seconds``); truncated (half of the JSON);
                    drip_cut (a byte at a time for ``seconds``, cut before the last)
Done, late          slow (after ``seconds``); drip (a byte at a time for ``seconds``)
Of the Admin API    throttled (the bucket is emptied below what this costs); missing_scope (as if nothing were granted);
                    partial (``share`` percent of a bulk add's codes fail), stuck (it is not done for ``polls`` looks);
                    taken (a merchant makes the same code a moment earlier)
The last three wait for a call they can happen to.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

WEATHER = (
    *("500", "502", "503", "429", "html", "reset", "timeout_before"),
    *("lost", "timeout_after", "truncated", "drip_cut", "slow", "drip"),
)
REFUSALS = ("401", "402", "423")
_BULK = frozenset(("discountRedeemCodeBulkAdd",))
_CREATING = frozenset(
    ("discountCodeBasicCreate", "discountCodeFreeShippingCreate", "discountCodeBxgyCreate", "giftCardCreate")
)
# What can only happen to some mutations.
HAPPENS_TO = {"partial": _BULK, "stuck": _BULK, "taken": _BULK | _CREATING}
API_KINDS = (*WEATHER, *REFUSALS, "throttled", "missing_scope", *HAPPENS_TO)
TOKEN_KINDS = (*WEATHER, *REFUSALS)
_KEPT = 10_000


@dataclass(frozen=True)
class Fault:
    """What is to go wrong with one call. ``seed`` is that call's own."""

    kind: str
    seconds: float
    polls: int
    share: int
    seed: str

    def struck(self, count: int) -> frozenset[int]:
        """Which of a bulk add's codes, by their place, are the unlucky ones: at least one of them."""
        return frozenset(random.Random(self.seed).sample(range(count), min(count, max(1, count * self.share // 100))))


def struck(fault: Fault | None, kind: str, count: int = 1) -> frozenset[int]:
    """The places of ``count`` codes that a "partial" or "taken" strikes; none when this call has no such fault."""
    return fault.struck(count) if fault and fault.kind == kind else frozenset()


def polls_until_done(fault: Fault | None) -> int:
    """How often a bulk creation still answers that it is not done, because it is stuck."""
    return fault.polls if fault and fault.kind == "stuck" else 0


@dataclass
class Plan:
    """A schedule of some operations, or of all the others. Raises ValueError for an unknown fault."""

    next: list[str] = field(default_factory=list)
    percent: int = 0
    kinds: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.next, self.kinds = [str(kind) for kind in self.next], [str(kind) for kind in self.kinds]

    def draw(self, dice: random.Random, fields: Collection[str]) -> str | None:
        """The kind for this call. A listed fault that cannot happen to it waits for one it can happen to."""
        if self.next:
            return self.next.pop(0) if _can_happen(self.next[0], fields) else None
        kinds = [kind for kind in self.kinds if _can_happen(kind, fields)]
        return dice.choice(kinds) if dice.randrange(100) < self.percent and kinds else None


class Faults:
    def __init__(self, kinds: tuple[str, ...]) -> None:
        self.kinds = kinds
        self._lock = threading.Lock()
        self.set()

    def set(
        self,
        next: list[str] | None = None,
        percent: int = 0,
        kinds: list[str] | None = None,
        seed: int = 0,
        operations: list[str] | None = None,
        by_operation: Mapping[str, Mapping[str, Any]] | None = None,
        seconds: float = 2.0,
        polls: int = 3,
        share: int = 30,
    ) -> dict[str, object]:
        """Replace what was asked for before, and count anew; nothing means good behaviour.

        Raises ValueError for an unknown fault, TypeError for an unknown option. Without ``kinds`` it is the weather.
        """
        usual = Plan(next or [], percent, kinds or list(WEATHER))
        own = {name: Plan(**{"kinds": usual.kinds, **options}) for name, options in (by_operation or {}).items()}
        for plan in (usual, *own.values()):
            if unknown := {*plan.next, *plan.kinds} - {*self.kinds, "ok"}:
                raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        with self._lock:
            self._usual, self._own = usual, own
            self._operations, self._seed = list(operations or []), seed
            self._seconds, self._polls, self._share = float(seconds), int(polls), int(share)
            self._calls: Counter[str] = Counter()
            self._done: list[tuple[str, int, str]] = []
            return self._schedule()

    def draw(self, operation: str = "", fields: Collection[str] = ()) -> Fault | None:
        """The fault of this call of an operation, or None. ``fields`` are those the operation begins with."""
        with self._lock:
            plan = self._own.get(operation)
            if plan is None and self._operations and operation not in self._operations:
                return None
            self._calls[operation] += 1
            call = self._calls[operation]
            seed = f"{self._seed}/{operation}/{call}"
            kind = (plan or self._usual).draw(random.Random(seed), fields)
            if kind is None or kind == "ok":
                return None
            self._done.append((operation, call, kind))
            del self._done[:-_KEPT]
            return Fault(kind, self._seconds, self._polls, self._share, seed)

    def report(self) -> dict[str, object]:
        """The schedule as it stands and what came of it: calls and faults since it was set, and each in its order."""
        with self._lock:
            by_operation: dict[str, Counter[str]] = {name: Counter() for name in self._calls}
            for operation, _, kind in self._done:
                by_operation[operation][kind] += 1
            return {
                "schedule": self._schedule(),
                "calls": dict(self._calls),
                "kinds": dict(sum(by_operation.values(), Counter())),
                "operations": {name: dict(counts) for name, counts in by_operation.items() if counts},
                "done": [{"operation": name, "call": call, "kind": kind} for name, call, kind in self._done],
            }

    def _schedule(self) -> dict[str, object]:
        return {
            **asdict(self._usual),
            "seed": self._seed,
            "operations": self._operations,
            "by_operation": {name: asdict(plan) for name, plan in self._own.items()},
            "seconds": self._seconds,
            "polls": self._polls,
            "share": self._share,
        }


def _can_happen(kind: str, fields: Collection[str]) -> bool:
    return kind not in HAPPENS_TO or not HAPPENS_TO[kind].isdisjoint(fields)

"""Work the Admin API promises and does a moment later: a row for each job, one thread that works them off.

    add(shop, kind, facts) -> id     queue it; a Job's id is a UUID, as on Shopify
    done(shop, id)                   whether it is done; None when there is no such job
    control(hold=…, seconds=…)       keep work back until it is let go; how long work waits before it begins
    finish(id), work_off()           this job, or all that waits, now and in this thread

A kind's function does a part of the work in one transaction and says whether that was all, so what is half done can
be seen, and a store that stops in between goes on where it was.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .records import Shop

if TYPE_CHECKING:
    from .state import DevStore

Work = Callable[["DevStore", Shop, dict[str, Any]], bool]
_CONTROLS: dict[str, Any] = {"hold": False, "seconds": 0.1}


class Jobs:
    def __init__(self, devstore: DevStore, kinds: dict[str, Work]) -> None:
        self.devstore = devstore
        self.store = devstore.store
        self.kinds = kinds
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the part that is being done, then stop."""
        self._stopping = True
        self._wake.set()
        if self._thread:
            self._thread.join()

    def add(self, shop: Shop, kind: str, facts: dict[str, Any]) -> str:
        id = str(uuid.uuid4())
        with self.store.writing() as connection:
            connection.execute(
                "INSERT INTO jobs (id, shop_id, kind, due_at, facts) VALUES (?, ?, ?, ?, ?)",
                (id, shop.id, kind, time.time() + self.controls()["seconds"], json.dumps(facts)),
            )
        self._wake.set()
        return id

    def finish(self, id: str) -> None:
        """Do this one to its end, now."""
        while self._step(only=id):
            pass

    def done(self, shop: Shop, id: str) -> bool | None:
        found = self.store.rows("SELECT done FROM jobs WHERE shop_id = ? AND id = ?", shop.id, id)
        return bool(found[0][0]) if found else None

    def controls(self) -> dict[str, Any]:
        return {**_CONTROLS, **(self.store.kept(0, "jobs", "controls") or {})}

    def control(self, **changes: Any) -> dict[str, Any]:
        """Change how work is done from now on. Raises ValueError for a name there is not."""
        if unknown := set(changes) - set(_CONTROLS):
            raise ValueError(f"no such control: {', '.join(sorted(unknown))}")
        now = {**self.controls(), **changes}
        self.store.keep(0, "jobs", "controls", now)
        self._wake.set()
        return now

    def pending(self) -> int:
        return self.store.rows("SELECT count(*) FROM jobs WHERE done = 0")[0][0]

    def work_off(self) -> None:
        """Held work too."""
        while self._step():
            pass

    def _run(self) -> None:
        while not self._stopping:
            # Cleared before looking: what is queued after the look sets it again.
            self._wake.clear()
            if self.controls()["hold"] or not self._step(before=time.time()):
                self._wait()

    def _step(self, *, before: float = float("inf"), only: str = "") -> bool:
        """A part of the job that waits longest. False when none is due."""
        with self.store.writing() as connection:
            found = connection.execute(
                "SELECT id, shop_id, kind, facts FROM jobs WHERE done = 0 AND due_at <= ? AND (? = '' OR id = ?) "
                "ORDER BY due_at LIMIT 1",
                (before, only, only),
            ).fetchone()
            if found is None:
                return False
            id, shop_id, kind, facts = found
            shop = self.devstore.shop_by_id(shop_id)
            if shop is None or self.kinds[kind](self.devstore, shop, json.loads(facts)):
                connection.execute("UPDATE jobs SET done = 1 WHERE id = ?", (id,))
            return True

    def _wait(self) -> None:
        """Until something is queued, let go, or due."""
        ((due_at,),) = self.store.rows("SELECT min(due_at) FROM jobs WHERE done = 0")
        held = due_at is None or self.controls()["hold"]
        seconds = 30.0 if held else min(30.0, due_at - time.time())
        if seconds > 0 and not self._stopping:
            self._wake.wait(seconds)

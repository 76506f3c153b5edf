"""What is owed to the app: every delivery is a row, written in the transaction of what it tells about.

    emit(shop, topic, body, event=…)     queue it for every subscription of the TOML that may have it
    new_event()                          one merchant action; its deliveries share the event id
    deliveries(shop=None, …)             newest first, for the log page
    pending()                            how many are still to be sent (held ones too)
    resend(seq)                          the same delivery once more: same ids, same body
    controls() / control(**changes)      hold, drop_next, drop_percent, drop_topics, duplicates, shuffle, seed
    release(shuffle=False)               let held deliveries go

States: due → sending → sent, or due again (a retry), or failed after the last; held; dropped (a test's doing).
"""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import clock
from ..records import Shop
from ..settings import Subscription
from .sender import Senders
from .topics import covered
from .trimming import trim

if TYPE_CHECKING:
    from ..state import DevStore

_CONTROLS: dict[str, Any] = {
    "hold": False,  # keep everything back until release()
    "drop_next": 0,  # lose this many, for ever
    "drop_percent": 0,  # lose this share of the rest, by seed
    "drop_topics": [],  # losing is limited to these; empty: any
    "duplicates": 0,  # send each this many times more
    "shuffle": False,  # send what is due in random order
    "seed": 0,
}
_KEPT = 5000
_COLUMNS = "seq, shop, topic, name, url, webhook_id, event_id, triggered_at, state, tries, due_at, status, ms, note"


@dataclass(frozen=True)
class Delivery:
    """One row, without its body."""

    seq: int
    shop: str
    topic: str
    name: str | None
    url: str
    webhook_id: str
    event_id: str
    triggered_at: str
    state: str
    tries: int
    due_at: float
    status: str | None  # of the last try: "200", "timed out", "refused"
    ms: int | None
    note: str | None


class Webhooks:
    def __init__(self, devstore: DevStore) -> None:
        self.devstore = devstore
        self.store = devstore.store
        self.wake = threading.Event()
        self._senders = Senders(self)
        self._dice = random.Random(self.controls()["seed"])

    def start(self) -> None:
        """Send what is due. Whatever an earlier run was sending when it stopped is tried again."""
        with self.store.writing() as connection:
            connection.execute("UPDATE deliveries SET state = 'due' WHERE state = 'sending'")
        self._senders.start()

    def stop(self) -> None:
        self._senders.stop()

    def new_event(self) -> str:
        return str(uuid.uuid4())

    def emit(
        self,
        shop: Shop,
        topic: str,
        body: dict[str, Any],
        *,
        event: str,
        installation: Any = None,
    ) -> int:
        """Queue one topic's deliveries; returns how many.

        Nothing goes to an app that is not installed or lacks the topic's scope; ``installation`` stands in where the
        installation is gone by now (app/uninstalled, shop/redact).
        """
        installation = installation or self.devstore.apps.installed(shop)
        if installation is None:
            return 0
        wanted = [s for s in self.devstore.app.subscriptions if s.topic == topic]
        wanted = [s for s in wanted if s.compliance or covered(topic, installation.scopes)]
        for subscription in wanted:
            self._queue(shop, subscription, body, event)
        return len(wanted)

    def _queue(self, shop: Shop, subscription: Subscription, body: dict[str, Any], event: str) -> None:
        text = json.dumps(trim(body, subscription.include_fields), separators=(",", ":"), ensure_ascii=False)
        with self.store.writing() as connection:
            controls = self.controls()
            state, copies = self._fate(subscription.topic, controls)
            row = (
                shop.domain,
                subscription.topic,
                subscription.name,
                subscription.uri,
                str(uuid.uuid4()),
                event,
                clock.precisely().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                text.encode(),
                state,
                time.time(),
            )
            for copy in range(copies):
                connection.execute(
                    "INSERT INTO deliveries (shop, topic, name, url, webhook_id, event_id, triggered_at, body, state, "
                    "due_at, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*row, "duplicate" if copy else None),
                )
            # What was settled long ago goes, so that a long storm does not fill the disk.
            connection.execute(
                "DELETE FROM deliveries WHERE state IN ('sent', 'failed', 'dropped') "
                "AND seq <= (SELECT max(seq) FROM deliveries) - ?",
                (_KEPT,),
            )
        self.notify()

    def _fate(self, topic: str, controls: dict[str, Any]) -> tuple[str, int]:
        """The state a new delivery starts in, and how many copies of it."""
        if not controls["drop_topics"] or topic in controls["drop_topics"]:
            if controls["drop_next"] > 0:
                self.control(drop_next=controls["drop_next"] - 1)
                return "dropped", 1
            if controls["drop_percent"] and self._dice.randrange(100) < controls["drop_percent"]:
                return "dropped", 1
        return ("held" if controls["hold"] else "due"), 1 + controls["duplicates"]

    def resend(self, seq: int) -> bool:
        """One more copy of a delivery, whatever became of it. False when there is none of that number."""
        with self.store.writing() as connection:
            made = connection.execute(
                "INSERT INTO deliveries (shop, topic, name, url, webhook_id, event_id, triggered_at, body, state, "
                "due_at, note) SELECT shop, topic, name, url, webhook_id, event_id, triggered_at, body, 'due', ?, "
                "'duplicate' FROM deliveries WHERE seq = ?",
                (time.time(), seq),
            ).rowcount
        self.notify()
        return bool(made)

    def controls(self) -> dict[str, Any]:
        return {**_CONTROLS, **(self.store.kept(0, "webhooks", "controls") or {})}

    def control(self, **changes: Any) -> dict[str, Any]:
        """Change how deliveries are treated from now on. Raises ValueError for a name there is not."""
        if unknown := set(changes) - set(_CONTROLS):
            raise ValueError(f"no such control: {', '.join(sorted(unknown))}")
        now = {**self.controls(), **changes}
        self.store.keep(0, "webhooks", "controls", now)
        if "seed" in changes:
            self._dice = random.Random(changes["seed"])
        self.notify()
        return now

    def release(self, *, shuffle: bool = False) -> int:
        """Let held deliveries go, in their order or shuffled; holding ends. Returns how many."""
        with self.store.writing() as connection:
            held = [
                seq for (seq,) in connection.execute("SELECT seq FROM deliveries WHERE state = 'held' ORDER BY seq")
            ]
            if shuffle:
                self._dice.shuffle(held)
            start = time.time() - len(held) / 1e4
            for place, seq in enumerate(held):
                connection.execute(
                    "UPDATE deliveries SET state = 'due', due_at = ? WHERE seq = ?", (start + place / 1e4, seq)
                )
            self.control(hold=False)
        self.notify()
        return len(held)

    def retry_now(self) -> None:
        """Bring every waiting retry forward to now."""
        with self.store.writing() as connection:
            connection.execute("UPDATE deliveries SET due_at = ? WHERE state = 'due'", (time.time(),))
        self.notify()

    def pending(self, *, held: bool = True) -> int:
        states = "('due', 'sending', 'held')" if held else "('due', 'sending')"
        return self.store.rows(f"SELECT count(*) FROM deliveries WHERE state IN {states}")[0][0]  # noqa: S608

    def deliveries(
        self, *, shop: str | None = None, state: str | None = None, limit: int = 200, after: int = 0
    ) -> list[Delivery]:
        """Newest first."""
        rows = self.store.rows(
            f"SELECT {_COLUMNS} FROM deliveries WHERE seq > ? AND (? IS NULL OR shop = ?) "  # noqa: S608
            "AND (? IS NULL OR state = ?) ORDER BY seq DESC LIMIT ?",
            after,
            shop,
            shop,
            state,
            state,
            limit,
        )
        return [Delivery(*row) for row in rows]

    def body(self, seq: int) -> bytes | None:
        """The bytes of one delivery, for the tester's eyes."""
        found = self.store.rows("SELECT body FROM deliveries WHERE seq = ?", seq)
        return found[0][0] if found else None

    def notify(self) -> None:
        self.wake.set()

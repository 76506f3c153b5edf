"""What the app and the dev store said to each other: one row a message, without tokens, signatures or bodies."""

from __future__ import annotations

from dataclasses import dataclass

from . import clock
from .store import Store

_KEPT = 5000


@dataclass(frozen=True)
class Message:
    """``kind`` is webhook (we called the app), proxy (we forwarded a shopper), api or oauth (the app called us).

    ``name`` is the topic, the GraphQL operation, or the grant; ``path`` has no query; ``ms`` is how long it took.
    """

    seq: int
    at: str
    kind: str
    shop: str
    method: str
    path: str
    name: str
    status: str
    ms: int
    note: str


class Traffic:
    def __init__(self, store: Store) -> None:
        self.store = store

    def add(
        self, kind: str, shop: str, method: str, path: str, name: str, status: str | int, ms: float, note: str = ""
    ) -> None:
        """Note one message; the oldest beyond 5,000 go."""
        at = clock.precisely().isoformat(timespec="milliseconds")
        with self.store.writing() as connection:
            seq = connection.execute(
                "INSERT INTO traffic (at, kind, shop, method, path, name, status, ms, note) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (at, kind, shop, method, path.partition("?")[0], name, str(status), round(ms), note),
            ).lastrowid
            if seq and seq % 500 == 0:
                connection.execute("DELETE FROM traffic WHERE seq <= ?", (seq - _KEPT,))

    def recent(
        self, *, limit: int = 200, after: int = 0, kind: str | None = None, shop: str | None = None
    ) -> list[Message]:
        """Newest first, those with a ``seq`` above ``after``."""
        rows = self.store.rows(
            "SELECT * FROM traffic WHERE seq > ? AND (? IS NULL OR kind = ?) AND (? IS NULL OR shop = ?) "
            "ORDER BY seq DESC LIMIT ?",
            after,
            kind,
            kind,
            shop,
            shop,
            limit,
        )
        return [Message(*row) for row in rows]

    def clear(self) -> None:
        with self.store.writing() as connection:
            connection.execute("DELETE FROM traffic")

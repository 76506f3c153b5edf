"""One SQLite file with everything the dev store knows; it outlives restarts.

Records (see ``records``) are JSON documents with the columns that lists are ordered by. One connection, one lock: the
dev store serves a handful of browsers and one app, and a verb must see and leave a whole state.

    store.add(record) / store.save(record)   write a record (``save`` replaces)
    store.get(Order, shop_id, id)            one record or None
    store.list(Order, shop_id)               all of a shop, by id
    store.page(...)                          ordered by id, created_at or updated_at, for GraphQL connections
    store.delete(record)
    store.next_id("order")                   a fresh 13-digit id
    store.keep(shop_id, "cart", key, value)  any JSON beside the records (carts, sessions, theme settings)
    store.kept(shop_id, "cart", key)         the same or None
    with store.writing():                    several writes as one transaction
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from . import codec

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
  kind TEXT NOT NULL, shop_id INTEGER NOT NULL, id INTEGER NOT NULL,
  created_at TEXT NOT NULL DEFAULT '', updated_at TEXT NOT NULL DEFAULT '', data TEXT NOT NULL,
  PRIMARY KEY (kind, shop_id, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_updated ON records (kind, shop_id, updated_at, id);
CREATE INDEX IF NOT EXISTS records_created ON records (kind, shop_id, created_at, id);
CREATE TABLE IF NOT EXISTS kept (
  shop_id INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (shop_id, kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS redeem_codes (
  shop_id INTEGER NOT NULL, folded TEXT NOT NULL, id INTEGER NOT NULL, discount_id INTEGER NOT NULL, code TEXT NOT NULL,
  used INTEGER NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (shop_id, id), UNIQUE (shop_id, folded)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS redeem_codes_discount ON redeem_codes (shop_id, discount_id, id);
CREATE TABLE IF NOT EXISTS bulk_codes (
  creation_id INTEGER NOT NULL, place INTEGER NOT NULL, code TEXT NOT NULL, unlucky INTEGER NOT NULL,
  redeem_code_id INTEGER, error TEXT, PRIMARY KEY (creation_id, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY, shop_id INTEGER NOT NULL, kind TEXT NOT NULL, due_at REAL NOT NULL,
  done INTEGER NOT NULL DEFAULT 0, facts TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (done, due_at);
CREATE TABLE IF NOT EXISTS deliveries (
  seq INTEGER PRIMARY KEY, shop TEXT NOT NULL, topic TEXT NOT NULL, name TEXT, url TEXT NOT NULL,
  webhook_id TEXT NOT NULL, event_id TEXT NOT NULL, triggered_at TEXT NOT NULL, body BLOB NOT NULL,
  state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, due_at REAL NOT NULL, status TEXT, ms INTEGER,
  note TEXT);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
CREATE TABLE IF NOT EXISTS traffic (
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, shop TEXT NOT NULL, method TEXT NOT NULL,
  path TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, ms INTEGER NOT NULL, note TEXT NOT NULL DEFAULT '');
"""

# Shopify's ids of different things are far apart and grow in steps of 32,768; so do ours, at 13 digits.
_ID_BASES = {
    "shop": 6_887_561_647_016,
    "product": 8_273_463_836_886,
    "variant": 4_484_304_391_739,
    "customer": 6_971_943_256_278,
    "order": 5_364_772_372_694,
    "line": 1_334_749_705_032,
    "refund": 8_878_371_965_021,
    "transaction": 6_327_309_467_862,
    "fulfilment": 4_829_441_392_854,
    "discount": 1_657_363_792_178,
    "redeem_code": 22_157_230_211_378,
    "bulk_creation": 799_635_341_618,
}
_ID_STEP = 32_768


class Store:
    """The file and its lock. ``path`` None keeps everything in memory (tests of single verbs)."""

    def __init__(self, path: Path | None) -> None:
        self.lock = threading.RLock()
        self._depth = 0
        self.connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute("PRAGMA busy_timeout = 5000")
        self.connection.executescript(_SCHEMA)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; nested uses join the outer one. An exception undoes all of it."""
        with self.lock:
            if self._depth == 0:
                self.connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self.connection
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self.connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self.connection.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[tuple]:
        """A read, whole, so no cursor outlives the lock."""
        with self.lock:
            return self.connection.execute(sql, values).fetchall()

    def next_id(self, kind: str) -> int:
        """A fresh id of this kind, 13 digits."""
        with self.writing() as connection:
            row = connection.execute(
                "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
                (f"id:{kind}",),
            ).fetchone()
        return _ID_BASES.get(kind, 1_030_976_844_003) + row[0] * _ID_STEP

    def save(self, record: Any) -> Any:
        """Write a record, new or changed."""
        with self.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)",
                (
                    type(record).__name__,
                    getattr(record, "shop_id", record.id),
                    record.id,
                    _moment(record, "created_at"),
                    _moment(record, "updated_at"),
                    codec.dumps(record),
                ),
            )
        return record

    add = save

    def get(self, kind: type[T], shop_id: int, id: int) -> T | None:
        found = self.rows(
            "SELECT data FROM records WHERE kind = ? AND shop_id = ? AND id = ?", kind.__name__, shop_id, id
        )
        return codec.loads(kind, found[0][0]) if found else None

    def list(self, kind: type[T], shop_id: int | None = None) -> list[T]:
        """All records of a kind, of one shop or (shops themselves, mostly) of all, by id."""
        if shop_id is None:
            found = self.rows("SELECT data FROM records WHERE kind = ? ORDER BY shop_id, id", kind.__name__)
        else:
            found = self.rows(
                "SELECT data FROM records WHERE kind = ? AND shop_id = ? ORDER BY id", kind.__name__, shop_id
            )
        return [codec.loads(kind, data) for (data,) in found]

    def page(
        self,
        kind: type[T],
        shop_id: int,
        *,
        order: str = "id",
        reverse: bool = False,
        after: tuple[str, int] | None = None,
    ) -> Iterator[T]:
        """Records in order from just beyond ``after`` (its sort value and id), read in batches of 250.

        ``order`` is id, created_at or updated_at; ties go by id. The lock is not held between batches.
        """
        column = {"id": "''", "created_at": "created_at", "updated_at": "updated_at"}[order]
        direction, beyond = ("DESC", "<") if reverse else ("ASC", ">")
        while True:
            where = f"AND ({column}, id) {beyond} (?, ?)" if after else ""
            sql = (
                f"SELECT {column}, id, data FROM records WHERE kind = ? AND shop_id = ? {where} "  # noqa: S608
                f"ORDER BY {column} {direction}, id {direction} LIMIT 250"
            )
            batch = self.rows(sql, kind.__name__, shop_id, *(after or ()))
            for _, _, data in batch:
                yield codec.loads(kind, data)
            if len(batch) < 250:
                return
            after = (batch[-1][0], batch[-1][1])

    def delete(self, record: Any) -> None:
        with self.writing() as connection:
            connection.execute(
                "DELETE FROM records WHERE kind = ? AND shop_id = ? AND id = ?",
                (type(record).__name__, getattr(record, "shop_id", record.id), record.id),
            )

    def keep(self, shop_id: int, kind: str, key: str, value: Any) -> None:
        """Keep any JSON under a name; None forgets it."""
        with self.writing() as connection:
            connection.execute("DELETE FROM kept WHERE shop_id = ? AND kind = ? AND key = ?", (shop_id, kind, key))
            if value is not None:
                connection.execute("INSERT INTO kept VALUES (?, ?, ?, ?)", (shop_id, kind, key, json.dumps(value)))

    def kept(self, shop_id: int, kind: str, key: str) -> Any:
        found = self.rows("SELECT data FROM kept WHERE shop_id = ? AND kind = ? AND key = ?", shop_id, kind, key)
        return json.loads(found[0][0]) if found else None

    def close(self) -> None:
        with self.lock:
            self.connection.close()


def _moment(record: Any, name: str) -> str:
    value = getattr(record, name, None)
    return value.isoformat() if value else ""

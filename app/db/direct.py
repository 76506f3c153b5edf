"""Statements straight on the driver, for the few paths that somebody waits for.

SQLAlchemy says what a statement is, on both databases. What it costs to run one through a session (most of a
millisecond of processor time) is spared by writing it out once. On PostgreSQL, statements that need not wait for each
other's answers go together, in one round trip.

    FIND = Prepared(lambda insert: select(Shop.shop_id).where(Shop.domain == bindparam("domain")))
    found = direct.ask(FIND, domain=domain).first()
"""

from __future__ import annotations

import re
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar

import orjson
import psycopg
from sqlalchemy import JSON, Boolean, DateTime, Dialect, Integer, LargeBinary, String, TypeDecorator
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from .line import Line

Row = Any  # a tuple whose fields have the columns' names
Convert = Callable[[Any], Any]
Write = tuple["Prepared", dict[str, Any]]
T = TypeVar("T")


class Prepared:
    """A statement, written out once for each database. ``build`` is given the dialect's own ``insert``, which knows
    ON CONFLICT.
    """

    def __init__(self, build: Callable[[Any], Any]) -> None:
        self._build = build
        self._written: dict[bool, _Written] = {}

    def on(self, postgres: bool) -> _Written:
        written = self._written.get(postgres)
        if written is None:
            own = postgresql if postgres else sqlite
            written = self._written[postgres] = _write_out(self._build(own.insert), _DIALECTS[postgres])
        return written


# By place on both: neither driver has to look for names.
_DIALECTS: dict[bool, Dialect] = {True: PGDialect_psycopg(paramstyle="numeric_dollar"), False: sqlite.dialect()}


class _Written(NamedTuple):
    """SQL in the driver's own words, how each value goes in, how each column comes out."""

    sql: str
    order: tuple[str, ...]  # of the values
    constants: dict[str, Any]  # values that are part of the statement
    converts: tuple[tuple[str, Convert], ...]
    row: Callable[[list[Any]], Row] | None
    reads: tuple[tuple[int, Convert], ...]
    texts: tuple[Convert, ...]  # from PostgreSQL's text to what psycopg would have made of it

    def values(self, given: dict[str, Any]) -> list[Any]:
        ready = {**self.constants, **given}
        for name, convert in self.converts:
            if name in given and given[name] is not None:
                ready[name] = convert(given[name])
        return [ready[name] for name in self.order]

    def read(self, fetched: Sequence[Any]) -> Row:
        values = list(fetched)
        for place, convert in self.reads:
            values[place] = convert(values[place])
        assert self.row is not None
        return self.row(values)

    def read_texts(self, texts: list[bytes | None]) -> Row:
        return self.read([None if text is None else read(text) for read, text in zip(self.texts, texts, strict=True)])


def _write_out(statement: Any, dialect: Dialect) -> _Written:
    compiled = statement.compile(dialect=dialect)
    into = {
        name: parameter.type.dialect_impl(dialect).bind_processor(dialect)
        for parameter, name in compiled.bind_names.items()
    }
    constants = {
        name: into[name](value) if into[name] else value
        for name, value in compiled.construct_params(_check=False).items()
        if value is not None
    }
    columns = list(getattr(statement, "exported_columns", ()))
    out = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return _Written(
        sql=str(compiled),
        order=tuple(compiled.positiontup),
        constants=constants,
        converts=tuple((name, convert) for name, convert in into.items() if convert),
        row=_rows_of([str(column.key) for column in columns]) if columns else None,
        reads=tuple((place, convert) for place, convert in enumerate(out) if convert),
        texts=tuple(_reader(column.type) for column in columns),
    )


def _reader(kind: Any) -> Convert:
    """How a column's text is read."""
    kind = kind.impl if isinstance(kind, TypeDecorator) else kind
    for types, read in _READERS:
        if isinstance(kind, types):
            return read
    raise TypeError(f"columns of {kind!r} are not asked for directly")


_READERS: tuple[tuple[Any, Convert], ...] = (
    (Integer, int),
    (Boolean, b"t".__eq__),
    (DateTime, lambda text: datetime.fromisoformat(text.decode())),
    (LargeBinary, lambda text: bytes.fromhex(text[2:].decode())),
    (JSON, orjson.loads),
    (String, bytes.decode),  # enums too
)


def _rows_of(names: list[str]) -> Callable[[list[Any]], Row]:
    kind: Any = namedtuple("Found", names)  # type: ignore[misc]
    return kind._make


@lru_cache(maxsize=256)
def _in_one(statements: tuple[str, ...], lengths: tuple[int, ...], answer: str) -> str:
    """Several writes as one statement of PostgreSQL's, their places counted on; they may name each other's rows."""
    parts, before = [], 0
    for number, (sql, length) in enumerate(zip(statements, lengths, strict=True)):
        counted = re.sub(r"\$(\d+)", partial(_moved, before), sql)
        parts.append(f"w{number} AS ({counted})")
        before += length
    return f"WITH {', '.join(parts)} {answer}"


def _moved(by: int, place: re.Match[str]) -> str:
    return f"${int(place[1]) + by}"


class Answer:
    """What came of a statement. Looking at it waits for whatever was asked up to there."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Callable[[], list[Row]]) -> None:
        self._rows = rows

    def all(self) -> list[Row]:
        return self._rows()

    def first(self) -> Row | None:
        return next(iter(self._rows()), None)


class Direct:
    """A transaction's connection to the database, past SQLAlchemy's session. Whoever began the transaction ends it."""

    def __init__(self, line: Line) -> None:
        """A transaction of its own, on a PostgreSQL connection of one's own; `in_one_go` makes it."""
        self._line = line
        self.is_postgres = True
        self.session: Session | None = None
        """Whose transaction it is; None: its own."""
        self.afterwards: dict[tuple[Prepared, *tuple[Any, ...]], dict[str, Any]] = {}
        """Of its own transaction: statements to run once it is committed, each under a key of its own, with values."""

    @classmethod
    def of(cls, session: Session) -> Direct:
        """Inside a session's transaction: with what it has written so far, and committed when that is."""
        session.flush()
        return _InSession(session)

    def ask(self, statement: Prepared, **values: Any) -> Answer:
        written = statement.on(self.is_postgres)
        rows = self._run(written.sql, written.values(values), written)
        return Answer(rows)

    def write(self, writes: Sequence[Write]) -> None:
        """Statements that nobody looks at the answer of, no two of them about the same rows: PostgreSQL takes them as
        one, in a quarter of the time.
        """
        if self.is_postgres:
            self._write_in_one(writes, "SELECT 1", None)
        else:
            for statement, values in writes:
                self.ask(statement, **values)

    def write_after(self, first: Write, writes: Sequence[Write]) -> Answer:
        """The same on PostgreSQL alone, where ``writes`` may name the rows that ``first`` returns, as ``w0``; these are
        the answer.
        """
        return Answer(self._write_in_one([first, *writes], "SELECT * FROM w0", first[0].on(True)))

    def _write_in_one(self, writes: Sequence[Write], answer: str, read: _Written | None) -> Callable[[], list[Row]]:
        written = [(statement.on(True), values) for statement, values in writes]
        statements, given = tuple(each.sql for each, _ in written), [each.values(values) for each, values in written]
        sql = _in_one(statements, tuple(map(len, given)), answer)
        return self._run(sql, [value for some in given for value in some], read)

    def _run(self, sql: str, values: list[Any], written: _Written | None) -> Callable[[], list[Row]]:
        sent = self._line.send(sql, values)
        if written is None:
            return list
        return lambda: [written.read_texts(row) for row in self._line.rows(sent)]


class _InSession(Direct):
    """By cursors, since the session's transaction is the driver's to begin."""

    def __init__(self, session: Session) -> None:
        connection = session.connection()
        self.session, self._connection = session, connection.connection.driver_connection
        self.is_postgres = connection.dialect.name == "postgresql"

    def _run(self, sql: str, values: list[Any], written: _Written | None) -> Callable[[], list[Row]]:
        with sqlalchemys_errors():
            connection: Any = self._connection
            cursor = psycopg.RawCursor(connection) if self.is_postgres else connection.cursor()
            cursor.execute(sql, values)
            fetched = cursor.fetchall() if written is not None and written.row is not None else []
        return lambda: [written.read(row) for row in fetched] if written is not None else []


def in_one_go(line: Line, work: Callable[[Direct], T]) -> T:
    """``work`` as a transaction, in as few round trips as it looks at answers."""
    direct = Direct(line)
    with sqlalchemys_errors():
        try:
            done = work(direct)
            line.finish()
        except BaseException:
            line.give_up()
            raise
        if direct.afterwards:
            with suppress(psycopg.Error):  # a courtesy: what was done is done
                for (statement, *_), values in direct.afterwards.items():
                    direct.ask(statement, **values)
                line.finish()
    return done


@contextmanager
def sqlalchemys_errors() -> Iterator[None]:
    """The driver's errors are SQLAlchemy's, as they are everywhere else."""
    try:
        yield
    except (psycopg.Error, sqlite3.Error) as error:
        kind = psycopg.Error if isinstance(error, psycopg.Error) else sqlite3.Error
        raise DBAPIError.instance(None, None, error, kind, dialect=_DIALECTS[kind is psycopg.Error]) from error

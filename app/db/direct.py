"""Statements straight on the driver, for the few paths that somebody waits for.

SQLAlchemy says what a statement is, on both databases. What it costs to run one through a session (most of a
millisecond of processor time) is spared by writing it out once. On PostgreSQL, statements that need not wait for each
other's answers go together, in one round trip.

    FIND = Prepared(lambda insert: select(Shop.shop_id).where(Shop.domain == bindparam("domain")))
    found = direct.ask(FIND, domain=domain).first()
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import psycopg
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Row = Any  # a tuple whose fields have the columns' names
Convert = Callable[[Any], Any]
T = TypeVar("T")


class Prepared:
    """A statement, written out once for each database. ``build`` is given the dialect's own ``insert``, which knows
    ON CONFLICT.
    """

    def __init__(self, build: Callable[[Any], Any]) -> None:
        self._build = build
        self._written: dict[str, _Written] = {}

    def on(self, dialect: Dialect) -> _Written:
        written = self._written.get(dialect.name)
        if written is None:
            own = postgresql if dialect.name == "postgresql" else sqlite
            written = self._written[dialect.name] = _write_out(self._build(own.insert), dialect)
        return written


class _Written(NamedTuple):
    """SQL in the driver's own words, how each value goes in, how each column comes out."""

    sql: str
    order: tuple[str, ...] | None  # of the values, where the driver knows them by place
    constants: dict[str, Any]  # values that are part of the statement
    converts: tuple[tuple[str, Convert], ...]
    row: Callable[[list[Any]], Row] | None
    reads: tuple[tuple[int, Convert], ...]

    def values(self, given: dict[str, Any]) -> Any:
        ready = {**self.constants, **given}
        for name, convert in self.converts:
            if name in given and given[name] is not None:
                ready[name] = convert(given[name])
        return ready if self.order is None else [ready[name] for name in self.order]

    def read(self, fetched: tuple[Any, ...]) -> Row:
        values = list(fetched)
        for place, convert in self.reads:
            values[place] = convert(values[place])
        assert self.row is not None
        return self.row(values)


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
        order=tuple(compiled.positiontup) if compiled.positional else None,
        constants=constants,
        converts=tuple((name, convert) for name, convert in into.items() if convert),
        row=_rows_of([str(column.key) for column in columns]) if columns else None,
        reads=tuple((place, convert) for place, convert in enumerate(out) if convert),
    )


def _rows_of(names: list[str]) -> Callable[[list[Any]], Row]:
    kind: Any = namedtuple("Found", names)  # type: ignore[misc]
    return kind._make


class Answer:
    """What came of a statement. Looking at it waits for whatever was asked up to there."""

    __slots__ = ("_cursor", "_direct", "_written")

    def __init__(self, direct: Direct, cursor: Any, written: _Written) -> None:
        self._direct, self._cursor, self._written = direct, cursor, written

    def all(self) -> list[Row]:
        with self._direct.erring():
            return [self._written.read(row) for row in self._cursor.fetchall()]

    def first(self) -> Row | None:
        with self._direct.erring():
            row = self._cursor.fetchone()
        return None if row is None else self._written.read(row)


class Direct:
    """A transaction's connection to the database, past SQLAlchemy's session. Whoever began the transaction ends it."""

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self._connection, self._dialect = connection, dialect
        self.session: Session | None = None
        """Whose transaction it is; None: its own."""
        self.afterwards: dict[tuple[Prepared, *tuple[Any, ...]], dict[str, Any]] = {}
        """Of its own transaction: statements to run once it is committed, each under a key of its own, with values."""

    @classmethod
    def of(cls, session: Session) -> Direct:
        """Inside a session's transaction: with what it has written so far, and committed when that is."""
        session.flush()
        connection = session.connection()
        direct = cls(connection.connection.driver_connection, connection.dialect)
        direct.session = session
        return direct

    def ask(self, statement: Prepared, **values: Any) -> Answer:
        written = statement.on(self._dialect)
        with self.erring():
            cursor = self._connection.cursor()
            cursor.execute(written.sql, written.values(values))
        return Answer(self, cursor, written)

    @contextmanager
    def erring(self) -> Iterator[None]:
        """The driver's errors are SQLAlchemy's, as they are everywhere else."""
        try:
            yield
        except (psycopg.Error, sqlite3.Error) as error:
            kind = psycopg.Error if isinstance(error, psycopg.Error) else sqlite3.Error
            raise DBAPIError.instance(None, None, error, kind, dialect=self._dialect) from error


def in_one_go(connection: psycopg.Connection[Any], dialect: Dialect, work: Callable[[Direct], T]) -> T:
    """``work`` as a transaction of an autocommitting PostgreSQL connection, in as few round trips as it looks at
    answers: the first statements go with the BEGIN, the last ones with the COMMIT.
    """
    direct = Direct(connection, dialect)
    commit: Any = None
    try:
        with direct.erring(), connection.pipeline():
            connection.execute("BEGIN")
            done = work(direct)
            commit = connection.execute("COMMIT")
            for (statement, *_), values in direct.afterwards.items():
                direct.ask(statement, **values)
    except BaseException as error:
        if isinstance(error, DBAPIError) and commit is not None and commit.statusmessage == "COMMIT":
            return done  # what comes afterwards is a courtesy
        if not connection.broken:
            connection.rollback()
        raise
    return done

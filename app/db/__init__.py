"""The database: engines, transactions, and what every table has in common.

One `Database` per process. `transaction()` writes, `reading()` only reads; nothing else opens a connection. The
SQLite rules here (DESIGN §5) are what makes a 200 durable: WAL, ``synchronous=FULL``, writers that open with BEGIN
IMMEDIATE so that two of them queue instead of failing half-way, and readers on an engine of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast
from weakref import WeakSet

import psycopg
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Enum,
    LargeBinary,
    MetaData,
    String,
    Table,
    any_,
    bindparam,
    create_engine,
    event,
    insert,
    literal,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator

from .direct import Direct, Prepared, Row, in_one_go
from .line import Line

# Shopify gives up on a webhook after five seconds: an answer of 503 must come before that.
BUSY_TIMEOUT_MS = 4_000
POSTGRES_CONNECT_TIMEOUT_S = 3
POSTGRES_POOL_TIMEOUT_S = 3
# In UTC every moment we store can be read back; in another zone the year 1 is the year before, which Python has not.
POSTGRES_OPTIONS = "-c timezone=UTC -c lock_timeout=30s"
# Answers are read as text, and what is asked there are a few rows by their keys, whatever the values: planned once.
DIRECT_OPTIONS = f"{POSTGRES_OPTIONS} -c datestyle=ISO -c plan_cache_mode=force_generic_plan"


RACES_LOST = 5
LOST_A_RACE = ("40001", "40P01")  # PostgreSQL's serialization_failure and deadlock_detected

T = TypeVar("T")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC, on both databases. SQLite forgets the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: moments in this program are aware")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Encrypted(TypeDecorator[str]):
    """Text that only this program's keys can read at rest (tokens, hash keys, parked bodies).

    The first key of ENCRYPTION_KEYS encrypts, all of them decrypt; `flask keys rotate` writes everything anew.
    """

    impl = LargeBinary
    cache_ok = True
    keys: MultiFernet | None = None

    @classmethod
    def use(cls, keys: list[str] | tuple[str, ...]) -> None:
        cls.keys = MultiFernet([Fernet(key) for key in keys])

    @classmethod
    def box(cls) -> MultiFernet:
        if cls.keys is None:
            raise RuntimeError("no ENCRYPTION_KEYS: call Encrypted.use() first")
        return cls.keys

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else self.box().encrypt(value.encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        try:
            return self.box().decrypt(bytes(value)).decode()
        except InvalidToken:
            raise RuntimeError("a stored secret cannot be read with the present ENCRYPTION_KEYS") from None


class Base(DeclarativeBase):
    """Every table's base: named constraints, and types that mean the same on both databases."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    # BIGINT: Shopify's ids overflow INTEGER on PostgreSQL, and pass unnoticed on SQLite.
    type_annotation_map = {int: BigInteger, datetime: UtcDateTime, bytes: LargeBinary, str: String}


class Database:
    """The process's two engines. ``url`` is an SQLAlchemy URL; see `config` for how it is derived."""

    def __init__(self, url: str | URL, *, pool_size: int = 20) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if (path := self.url.database) and not path.startswith((":", "file:")):
                Path(path).parent.mkdir(parents=True, exist_ok=True)  # a fresh clone has no instance folder
            self.engine = _sqlite_engine(self.url, begin="BEGIN IMMEDIATE", pool_size=pool_size)
            self.reader = _sqlite_engine(self.url, begin="BEGIN", pool_size=pool_size)
        else:
            self.engine = self.reader = create_engine(
                self.url,
                hide_parameters=True,
                pool_size=pool_size,
                max_overflow=pool_size,
                pool_timeout=POSTGRES_POOL_TIMEOUT_S,
                pool_pre_ping=True,
                connect_args={"connect_timeout": POSTGRES_CONNECT_TIMEOUT_S, "options": POSTGRES_OPTIONS},
            )
        self._local = threading.local()
        self._kept: WeakSet[psycopg.Connection[Any]] = WeakSet()  # by threads, for as long as they live
        self._write = sessionmaker(self.engine, expire_on_commit=False)
        self._read = sessionmaker(self.reader, expire_on_commit=False)

    @property
    def metadata(self) -> MetaData:
        """For Flask-Migrate."""
        return Base.metadata

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end of the block, or rolls back when the block raises."""
        with self._write.begin() as session:
            yield session

    @contextmanager
    def reading(self, *, one_moment: bool = False) -> Iterator[Session]:
        """A session for looking only; what it changed by mistake is rolled back.

        With ``one_moment`` all its statements see the database as of the first; on SQLite they always do.
        """
        with self._read() as session:
            if one_moment and not self.is_sqlite:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    def run(self, work: Callable[[Session], T]) -> T:
        """Do ``work`` in a transaction, and again when the database says that it lost a race (a deadlock)."""
        for attempt in range(1, RACES_LOST + 1):
            try:
                with self.transaction() as session:
                    return work(session)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in LOST_A_RACE or attempt == RACES_LOST:
                    raise
        raise AssertionError("unreachable")

    def directly(self, work: Callable[[Direct], T]) -> T:
        """`run`, for what is asked straight on the driver: on PostgreSQL by a connection that each thread keeps.

        A connection that the server closed meanwhile is replaced, once. So ``work`` may be done again although it was
        committed, and only the answer was lost: what it writes must have a key to be found again by.
        """
        if self.is_sqlite:
            return self.run(lambda session: work(Direct.of(session)))
        return self._on_own_line(work)

    def look(self, statement: Prepared, **values: Any) -> list[Row]:
        """The rows that one reading statement finds, straight on the driver."""
        if self.is_sqlite:
            with self.reading() as session:
                return Direct.of(session).ask(statement, **values).all()
        return self._on_own_line(lambda direct: direct.ask(statement, **values).all())

    def _on_own_line(self, work: Callable[[Direct], T]) -> T:
        for attempt in range(1, RACES_LOST + 1):
            line = self._own_line()
            try:
                return in_one_go(line, work)
            except DBAPIError as error:
                raced = getattr(error.orig, "sqlstate", None) in LOST_A_RACE
                if attempt == RACES_LOST or not (raced or (line.is_broken and attempt == 1)):
                    raise
        raise AssertionError("unreachable")

    def _own_line(self) -> Line:
        line: Line | None = getattr(self._local, "line", None)
        if line is None or line.is_broken:
            try:
                line = self._local.line = Line(self._connect(DIRECT_OPTIONS))
            except psycopg.Error as error:
                raise OperationalError("connect", None, error) from error
        return line

    def store(self, statement: str, parameters: Mapping[str, Any]) -> int:
        """Run one statement as a transaction of its own (PostgreSQL only). Returns the number it answers with.

        Straight on the driver, on a connection each thread keeps: half of what SQLAlchemy's pool would add to the
        hottest path. A connection the server closed meanwhile is replaced, once: the statement had not begun on it, or
        stores what it stores at most once. Raises OperationalError when it could not be stored.
        """
        for attempt in (1, 2):
            try:
                if getattr(self._local, "cursor", None) is None:
                    self._local.cursor = None
                    self._local.cursor = self._connect("-c lock_timeout=3s").cursor()
                row = self._local.cursor.execute(statement, parameters).fetchone()
                return int(row[0])
            except psycopg.Error as error:
                lost = self._local.cursor is None or self._local.cursor.connection.broken
                if lost:
                    self._local.cursor = None
                if not lost or attempt == 2:
                    raise OperationalError("store", None, error) from error
        raise AssertionError("unreachable")

    def _connect(self, options: str) -> psycopg.Connection[Any]:
        arguments = self.engine.dialect.create_connect_args(self.url)[1]
        more = {"connect_timeout": POSTGRES_CONNECT_TIMEOUT_S, "options": options}
        connection = psycopg.connect(**{**arguments, **more}, autocommit=True)
        self._kept.add(connection)
        return connection

    def empty_log(self) -> None:
        """Empty SQLite's write-ahead log, where what was overwritten is kept: after somebody was forgotten."""
        if self.is_sqlite:
            connection = self.engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    def dispose(self) -> None:
        """Close what is open, threads' own connections too: nobody may be asking anything any more."""
        self.engine.dispose()
        self.reader.dispose()
        for connection in list(self._kept):
            connection.close()
        self._local = threading.local()


def among(session: Session, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """``column`` is one of ``values``. On PostgreSQL the values are one array, so that the statement's text stays the
    same however many there are, and is neither compiled nor planned anew for every batch.
    """
    if session.get_bind().dialect.name == "postgresql":
        return cast(ColumnElement[bool], column == any_(literal(list(values), postgresql.ARRAY(column.type))))
    return cast(ColumnElement[bool], column.in_(list(values)))


def upsert(session: Session, model: type[Base]) -> Any:
    """An INSERT of the session's own dialect, which knows ON CONFLICT (SQLAlchemy's common one does not)."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(model.__table__)


def write_rows(session: Session, model: type[Base], rows: Sequence[tuple[bool, dict[str, Any]]]) -> None:
    """Write (is new, row) pairs: the new ones inserted, the others updated by primary key, each kind in one batch."""
    insert_rows(session, model, [row for is_new, row in rows if is_new])
    update_rows(session, model, [row for is_new, row in rows if not is_new])


def insert_rows(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all name the same columns. On PostgreSQL by COPY: a fifth of what INSERT costs both sides."""
    table = cast(Table, model.__table__)
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), list(rows))
        return
    names = list(rows[0])
    write = [_writer(table.c[name]) for name in names]
    columns = ", ".join(f'"{name}"' for name in names)
    with _cursor(connection) as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([convert(row[name]) for name, convert in zip(names, write, strict=True)])


def update_rows(
    session: Session, model: type[Base], rows: Sequence[dict[str, Any]], *, keys: Sequence[str] | None = None
) -> None:
    """Update rows by ``keys`` (the primary key when not given); every other column a row names is set.

    On PostgreSQL one statement over arrays, whatever the number of rows.
    """
    table = cast(Table, model.__table__)
    if not rows:
        return
    keys = keys or [column.name for column in table.primary_key]
    values = [name for name in rows[0] if name not in keys]
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        statement = (
            update(table)
            .where(*(table.c[key] == bindparam(f"key_{key}") for key in keys))
            .values({name: bindparam(name) for name in values})
        )
        parameters = [{**{f"key_{key}": row[key] for key in keys}, **{n: row[n] for n in values}} for row in rows]
        connection.execute(statement, parameters)
        return
    names = [*keys, *values]
    arrays = []
    for name in names:
        convert = _writer(table.c[name])
        arrays.append([convert(row[name]) for row in rows])
    kinds = [table.c[name].type.compile(dialect=connection.dialect).split("(")[0] for name in names]
    unnested = ", ".join(f"%s::{kind}[]" for kind in kinds)
    assigned = ", ".join(f'"{name}" = rows."{name}"' for name in values)
    matched = " AND ".join(f'{table.name}."{key}" = rows."{key}"' for key in keys)
    columns = ", ".join(f'"{name}"' for name in names)
    with _cursor(connection) as cursor:
        # Names are this program's own columns, never anybody's input.
        cursor.execute(
            f"UPDATE {table.name} SET {assigned} FROM unnest({unnested}) AS rows ({columns}) WHERE {matched}",  # noqa: S608
            arrays,
        )


@contextmanager
def _cursor(connection: Connection) -> Iterator[Any]:
    """The driver's own cursor, inside SQLAlchemy's transaction; what goes wrong is SQLAlchemy's error, as elsewhere."""
    try:
        with connection.connection.driver_connection.cursor() as cursor:  # type: ignore[union-attr]
            yield cursor
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, dialect=connection.dialect) from error


def _writer(column: Any) -> Callable[[Any], Any]:
    """How a value of this column goes to the driver, past SQLAlchemy: decorated types and enums have their own way."""
    if isinstance(column.type, TypeDecorator):
        decorated, dialect = column.type, postgresql.dialect()
        return lambda value: decorated.process_bind_param(value, dialect)
    if isinstance(column.type, Enum):
        return lambda value: None if value is None else str(value)
    return lambda value: value


def _sqlite_engine(url: URL, *, begin: str, pool_size: int) -> Engine:
    # hide_parameters, on both databases: what a statement was given is people's data, and errors are logged.
    engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not open transactions of its own: `opened` does
        cursor = connection.cursor()
        # secure_delete: a redacted value must not survive in a free page of the file.
        # recursive_triggers: without them INSERT OR REPLACE deletes an entry past the trigger that refuses it.
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "recursive_triggers=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def opened(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine

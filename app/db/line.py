"""PostgreSQL by its protocol, for `direct`: statements that were prepared, sent together, answered in order.

libpq through psycopg's thin wrapper, without its cursors: those spend six times the processor time of the statement
itself on being told what it is. Everything is sent as text. What is sent up to one Sync is a transaction: no BEGIN and
no COMMIT to wait for, and whatever fails takes all of it back.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from select import POLLIN, POLLOUT, poll
from typing import Any

import orjson
import psycopg
from psycopg import errors, pq
from psycopg.types.json import Json, Jsonb

LONGEST_WAIT_MS = 40_000  # beyond lock_timeout: then nobody is there any more
# A plan or a name that this connection has and the server has not (a migration, a pooler between us).
FORGOTTEN = ("0A000", "26000")
_numbers = itertools.count()


class Sent:
    """A statement under way, and its rows once they are here: the columns' text, None for NULL."""

    __slots__ = ("naming", "rows")

    def __init__(self, naming: str | None = None) -> None:
        self.naming = naming  # of a preparation: what is prepared
        self.rows: list[list[bytes | None]] | None = None


class Line:
    """One connection, used by one thread. `finish` or `give_up` ends what `send` began."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self._pq = connection.pgconn
        self._names: dict[str, bytes] = {}
        self._under_way: deque[Sent] = deque()
        self._ready = poll()
        self._ready.register(self._pq.socket, POLLIN)

    @property
    def is_broken(self) -> bool:
        return self.connection.closed

    def send(self, sql: str, values: Sequence[Any]) -> Sent:
        texts = [None if value is None else _text(value) for value in values]
        if not self._under_way:
            self._pq.enter_pipeline_mode()
        name = self._names.get(sql)
        if name is None:
            name = self._names[sql] = b"direct%d" % next(_numbers)
            self._pq.send_prepare(name, sql.encode())
            self._under_way.append(Sent(sql))
        self._pq.send_query_prepared(name, texts)
        self._under_way.append(sent := Sent())
        return sent

    def rows(self, sent: Sent) -> list[list[bytes | None]]:
        """Waits for the statement, and with it for all that were sent before."""
        if sent.rows is None:
            self._pq.send_flush_request()
            self._flush()
            while sent.rows is None:
                self._receive()
        return sent.rows

    def finish(self) -> None:
        """Commit. Raises what any of the statements raised; then nothing was done."""
        if self._under_way or self._pq.pipeline_status != pq.PipelineStatus.OFF:
            self._end()

    def give_up(self) -> None:
        """Take back what was sent."""
        if not self.is_broken and self._pq.pipeline_status != pq.PipelineStatus.OFF:
            with suppress(psycopg.Error):
                self._pq.send_query_params(b"ROLLBACK", [])
                self._under_way.append(Sent())
                self._end()

    def _end(self) -> None:
        self._pq.pipeline_sync()
        self._flush()
        failure: psycopg.Error | None = None
        while self._under_way and not self.is_broken:
            try:
                self._receive()
            except psycopg.Error as error:
                failure = failure or error  # the first is the reason; those after it were not tried
        self._under_way.clear()
        while not self.is_broken:  # what comes of the Sync: the commit may fail as well
            result = self._next_result()
            if result is None or result.status == pq.ExecStatus.PIPELINE_SYNC:
                self._pq.exit_pipeline_mode()
                break
            failure = failure or errors.error_from_result(result)
        if failure is not None:
            raise failure

    def _receive(self) -> None:
        """The answer that is next."""
        result = self._next_result()
        if result is None:
            raise self._lost("the connection was closed")
        self._next_result()  # None: the end of this answer
        sent = self._under_way.popleft()
        if result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            columns = range(result.nfields)
            sent.rows = [[result.get_value(row, column) for column in columns] for row in range(result.ntuples)]
            return
        if sent.naming is not None:
            del self._names[sent.naming]
        if result.status == pq.ExecStatus.PIPELINE_ABORTED:
            raise errors.PipelineAborted("a statement before it failed")
        failure = errors.error_from_result(result)
        if failure.sqlstate in FORGOTTEN:
            raise self._lost(str(failure))
        raise failure

    def _next_result(self) -> Any:
        while self._pq.is_busy():
            if not self._ready.poll(LONGEST_WAIT_MS):
                raise self._lost("no answer")
            self._pq.consume_input()
        return self._pq.get_result()

    def _flush(self) -> None:
        while self._pq.flush():
            with_room = poll()
            with_room.register(self._pq.socket, POLLIN | POLLOUT)
            if not with_room.poll(LONGEST_WAIT_MS):
                raise self._lost("nothing can be sent")
            self._pq.consume_input()

    def _lost(self, why: str) -> psycopg.OperationalError:
        self.connection.close()
        return psycopg.OperationalError(why)


def _text(value: Any) -> bytes:
    """A value as PostgreSQL reads it."""
    write = _WRITERS.get(type(value)) or next(
        (write for kind, write in _WRITERS.items() if isinstance(value, kind)), None
    )
    if write is None:
        raise TypeError(f"a {type(value).__name__} is no value of a statement")
    return write(value)


def _utf8(value: str) -> bytes:
    try:
        text = value.encode()
    except UnicodeEncodeError:
        raise psycopg.DataError("this text is not Unicode") from None
    if b"\0" in text:  # libpq would end the text there
        raise psycopg.DataError("a text cannot hold NUL")
    return text


_WRITERS: dict[type, Callable[[Any], bytes]] = {
    str: _utf8,
    bool: lambda value: b"t" if value else b"f",
    int: lambda value: b"%d" % value,
    datetime: lambda value: value.isoformat().encode(),
    bytes: lambda value: b"\\x" + value.hex().encode(),
    Json: lambda value: orjson.dumps(value.obj),
    Jsonb: lambda value: orjson.dumps(value.obj),
}

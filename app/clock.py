"""The one place that reads the wall clock; everything else is handed the moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path


def utcnow() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


class MovedClock:
    """As far ahead of `utcnow` as a file says in seconds; no file is no difference. For development only.

    A dev store writes the file when its time is moved, so that both programs live on the same day: signatures, tokens
    and orders carry its dates.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return utcnow() + self._read()

    def _read(self) -> timedelta:
        # Asked for each time, which takes a microsecond or two: a token made just after a move must be valid at once.
        try:
            status = self._path.stat()
            if (seen := (status.st_ino, status.st_mtime_ns)) != self._seen:
                self._ahead = timedelta(seconds=int(self._path.read_text(encoding="ascii")))
                self._seen = seen
        except FileNotFoundError:
            self._seen, self._ahead = None, timedelta()
        return self._ahead

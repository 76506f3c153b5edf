"""The dev store's clock: whole seconds, as Shopify's dates have, and as far ahead of the system's as it was moved.

One for the process. How far is kept in a file of its data, as seconds in plain text; an app under test that reads the
same file lives on the same day.

    now()  ago(days=…)  timestamp()       moments; ``timestamp`` is seconds since 1970
    keep_in(path)                         read how far, and write it there from now on
    move(days=…)  move_back()  ahead()    forward; to the system's time again; how far, as a timedelta
    rest(moment, timezone)  graphql(moment)    as the wire prints them
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

_file: Path | None = None
_ahead = timedelta()


def now() -> datetime:
    """Now, aware, in UTC, whole seconds."""
    return precisely().replace(microsecond=0)


def precisely() -> datetime:
    """Now, for what has finer dates than orders: headers of webhooks, the log."""
    return datetime.now(UTC) + _ahead


def ago(**delta: float) -> datetime:
    return now() - timedelta(**delta)


def timestamp() -> float:
    return time.time() + _ahead.total_seconds()


def keep_in(path: Path) -> None:
    global _file, _ahead
    _file = path
    _ahead = timedelta(seconds=int(path.read_text(encoding="ascii"))) if path.exists() else timedelta()


def ahead() -> timedelta:
    return _ahead


def move(by: timedelta) -> None:
    """Forward only: a shop's past cannot be undone. Raises ValueError, and OverflowError beyond the year 9999."""
    if by < timedelta():
        raise ValueError("time moves forward only")
    _set(_ahead + by)


def move_back() -> None:
    """To the system's time: what happened meanwhile lies in the future."""
    _set(timedelta())


def rest(moment: datetime | None, timezone: str) -> str | None:
    """As REST bodies print it: with the shop's own offset."""
    return moment.astimezone(ZoneInfo(timezone)).isoformat(timespec="seconds") if moment else None


def graphql(moment: datetime | None) -> str | None:
    """As GraphQL prints it: "2026-11-21T14:05:00Z"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _set(ahead: timedelta) -> None:
    global _ahead
    _ = datetime.now(UTC) + ahead + timedelta(days=3650)  # what the shop promises for years to come must have a date
    if _file is not None:
        # Another file in place of the old one, so that nobody reads half a number.
        written = _file.with_suffix(".new")
        written.write_text(str(int(ahead.total_seconds())), encoding="ascii")
        written.replace(_file)
    _ahead = timedelta(seconds=int(ahead.total_seconds()))

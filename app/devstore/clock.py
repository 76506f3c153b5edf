"""The dev store's clock: whole seconds, as Shopify's dates have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """Now, aware, in UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def ago(**delta: float) -> datetime:
    return now() - timedelta(**delta)


def rest(moment: datetime | None, timezone: str) -> str | None:
    """As REST bodies print it: with the shop's own offset."""
    return moment.astimezone(ZoneInfo(timezone)).isoformat(timespec="seconds") if moment else None


def graphql(moment: datetime | None) -> str | None:
    """As GraphQL prints it: "2026-11-21T14:05:00Z"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None

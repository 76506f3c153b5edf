"""Recompute everything from the entries, and say where a cache or a digest does not agree.

Reads one shop at a time, entries in the members' own order, so memory stays flat however long the books are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import LargeBinary, String, case, cast, func, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from .accounts import MEMBER_ACCOUNTS, UNCOUNTED, Account, Kind, change
from .book import chained_digest
from .models import Balance, DayTotal, Entry, Lot

COLUMNS = (
    "shop_id", "key", "event", "cause", "member_id", "seq", "kind", "source", "target", "points", "lot",
    "occurred_at", "posted_at", "digest",
)  # fmt: skip


ENUMS = ("kind", "source", "target")
MOMENTS = ("occurred_at", "posted_at")
NUMBERS = ("shop_id", "member_id", "seq", "points")


@dataclass(slots=True)
class _Tally:
    seq: int = 0
    head: bytes = b""
    accounts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MEMBER_ACCOUNTS, 0))
    lots: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))


def audit(session: Session, shop_id: int) -> list[str]:
    """Every disagreement in one shop's books, in words. Empty: every number adds up.

    Checks each entry's digest and place in its member's chain, balances, lots, day totals, that no figure is below
    zero at any step (I2–I4), and that what moved out of one member moved into another (I1).
    """
    problems: list[str] = []
    tallies: dict[int, _Tally] = {}
    day_totals: dict[tuple[Any, str], int] = defaultdict(int)
    moved = 0
    for entry in _entries(session, shop_id):
        where = f"shop {shop_id} member {entry['member_id']} entry {entry['key']}"
        if not all(isinstance(entry[name], int) for name in NUMBERS) or not isinstance(entry["posted_at"], datetime):
            problems.append(f"{where}: it holds something that is no number, or no moment")
            continue
        tally = tallies.setdefault(entry["member_id"], _Tally())
        if entry["seq"] != tally.seq + 1:
            problems.append(f"{where}: number {entry['seq']} follows {tally.seq}")
        if bytes(entry["digest"]) != _digest_or_nothing(tally.head, entry):
            problems.append(f"{where}: its digest does not match its contents")
        tally.seq, tally.head = entry["seq"], bytes(entry["digest"])
        _apply(tally, entry)
        problems.extend(f"{where}: {account} falls to {n}" for account, n in tally.accounts.items() if n < 0)
        moved += entry["points"] * ((entry["target"] == Account.MOVED) - (entry["source"] == Account.MOVED))
        if entry["kind"] not in UNCOUNTED:
            day_totals[entry["posted_at"].date(), _day_kind(entry)] += entry["points"]
    if moved:
        problems.append(f"shop {shop_id}: {moved} points left one member without reaching another")
    problems.extend(_check_balances(session, shop_id, tallies))
    problems.extend(_check_lots(session, shop_id, tallies))
    problems.extend(_check_day_totals(session, shop_id, day_totals))
    return problems


def balance_at(session: Session, shop_id: int, member_id: int, at: datetime) -> dict[str, int]:
    """A member's four figures at a past moment, from the entries posted until then."""
    accounts = dict.fromkeys((Account.AVAILABLE, Account.PENDING, Account.RESERVED, Account.DEBT), 0)
    moved = session.execute(
        select(Entry.source, Entry.target, func.sum(Entry.points))
        .where(Entry.shop_id == shop_id, Entry.member_id == member_id, Entry.posted_at <= at)
        .group_by(Entry.source, Entry.target)
    )
    for source, target, points in moved:
        for account in accounts:
            accounts[account] += change(account, source, target, int(points))
    return {str(account): points for account, points in accounts.items()}


def _entries(session: Session, shop_id: int) -> Iterator[dict[str, Any]]:
    table = Entry.__table__
    # Read past the types that check what they read: a flipped byte must be reported, not crash the reading of it.
    if session.get_bind().dialect.name == "sqlite":  # whose columns hold whatever bytes were put there
        columns = [_raw(table.c[name]) for name in COLUMNS]
    else:
        columns = [type_coerce(table.c[name], String) if name in ENUMS else table.c[name] for name in COLUMNS]
    rows = session.execute(
        select(*columns)
        .where(table.c.shop_id == shop_id)
        .order_by(table.c.member_id, table.c.seq)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        entry = dict(zip(COLUMNS, row, strict=True))
        for name, value in entry.items():
            if isinstance(value, bytes) and name != "digest":
                entry[name] = _moment_or_text(value) if name in MOMENTS else value.decode("utf-8", "backslashreplace")
        yield entry


def _raw(column: Any) -> Any:
    """A SQLite column as what it holds: numbers as they are, everything else as bytes."""
    content: Any = cast(column, LargeBinary)
    if column.name in NUMBERS:
        content = case((func.typeof(column) == "integer", column), else_=content)
    return type_coerce(content, NullType).label(column.name)


def _moment_or_text(value: bytes) -> datetime | str:
    text = value.decode("utf-8", "backslashreplace")
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return text  # whose digest cannot be right


def _digest_or_nothing(head: bytes, entry: dict[str, Any]) -> bytes:
    try:
        return chained_digest(head, entry)
    except (TypeError, ValueError, OverflowError):
        return b""


def _apply(tally: _Tally, entry: dict[str, Any]) -> None:
    for account in MEMBER_ACCOUNTS:
        tally.accounts[account] += change(account, entry["source"], entry["target"], entry["points"])
    if entry["lot"] is not None:
        lot = tally.lots[entry["lot"]]
        lot[0] += change(Account.PENDING, entry["source"], entry["target"], entry["points"])
        lot[1] += change(Account.AVAILABLE, entry["source"], entry["target"], entry["points"])


def _day_kind(entry: dict[str, Any]) -> str:
    if entry["kind"] == Kind.ADJUSTED:
        return "adjusted_up" if entry["source"] == Account.ADJUSTED else "adjusted_down"
    return str(entry["kind"])


def _check_balances(session: Session, shop_id: int, tallies: dict[int, _Tally]) -> Iterator[str]:
    seen = set()
    for row in session.execute(select(Balance.__table__).where(Balance.shop_id == shop_id)).mappings():
        seen.add(row["member_id"])
        tally = tallies.get(row["member_id"], _Tally())
        where = f"shop {shop_id} member {row['member_id']}"
        for account in sorted(MEMBER_ACCOUNTS):
            if row[account] != tally.accounts[account]:
                yield f"{where}: {account} is {row[account]}, its entries say {tally.accounts[account]}"
        if (row["seq"], bytes(row["head"])) != (tally.seq, tally.head):
            yield f"{where}: the balance ends at entry {row['seq']}, the entries at {tally.seq}"
    for member_id in tallies.keys() - seen:
        yield f"shop {shop_id} member {member_id}: entries without a balance"


def _check_lots(session: Session, shop_id: int, tallies: dict[int, _Tally]) -> Iterator[str]:
    open_lots = {
        (member_id, name): lot for member_id, tally in tallies.items() for name, lot in tally.lots.items() if any(lot)
    }
    for row in session.execute(
        select(Lot.member_id, Lot.lot, Lot.pending, Lot.available).where(Lot.shop_id == shop_id)
    ):
        expected = open_lots.pop((row.member_id, row.lot), [0, 0])
        if [row.pending, row.available] != expected:
            yield (
                f"shop {shop_id} member {row.member_id} lot {row.lot}: {row.pending} pending and {row.available} "
                f"available, its entries say {expected[0]} and {expected[1]}"
            )
    for member_id, name in open_lots:
        yield f"shop {shop_id} member {member_id} lot {name}: entries without a lot"


def _check_day_totals(session: Session, shop_id: int, expected: dict[tuple[Any, str], int]) -> Iterator[str]:
    stored = {
        (row.day, row.kind): row.points
        for row in session.execute(
            select(DayTotal.day, DayTotal.kind, DayTotal.points).where(DayTotal.shop_id == shop_id)
        )
    }
    for day, kind in sorted(stored.keys() | expected.keys()):
        kept, counted = stored.get((day, kind), 0), expected.get((day, kind), 0)
        if kept != counted:
            yield f"shop {shop_id} on {day}: {kind} is {kept}, its entries say {counted}"

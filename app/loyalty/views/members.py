"""The members list, and one member's profile with its ledger.

Names and addresses are never stored here: they are asked of Shopify when a page shows them, and the page does without
when Shopify does not answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from ...errors import MissingScope, NotFound, ShopifyError
from ...ledger import Account, Balance, Entry
from ...ledger.audit import balance_at
from ...models import Member, Order, Shop
from ...shopify.customers import CustomerName, customer_names, search_customers
from ..access import Access
from ..sync import next_maturing
from .history import Cursor, HistoryLine, history
from .orders import ledger_title

PAGE = 25
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class MemberRow:
    member_id: int
    customer_id: int | None  # None: forgotten
    joined_at: datetime
    last_order_at: datetime | None
    available: int
    pending: int
    debt: int


@dataclass(frozen=True, slots=True)
class MembersPage:
    rows: list[MemberRow]
    newer: str | None  # cursors of the pages before and after this one
    older: str | None


@dataclass(frozen=True, slots=True)
class Names:
    """What Shopify said about some customers; ``trouble`` says in words why it said nothing."""

    known: dict[int, CustomerName]
    trouble: str = ""

    def of(self, customer_id: int | None) -> str:
        """Whom to show: the name, else the address, else the number."""
        if customer_id is None:
            return "Forgotten customer"
        found = self.known.get(customer_id)
        return (found.name or found.email if found else "") or f"Customer {customer_id}"

    def email(self, customer_id: int | None) -> str:
        found = self.known.get(customer_id or 0)
        return found.email if found else ""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line of history with the number of points available after it."""

    line: HistoryLine
    title: str
    available_after: int


@dataclass(frozen=True, slots=True)
class Profile:
    member: Member
    available: int
    pending: int
    reserved: int
    debt: int
    matures_at: datetime | None  # when the next of the pending points become available
    orders: int
    lines: list[LedgerLine]
    older: str | None


def page_of_members(
    session: Session, shop_id: int, *, older: str | None = None, newer: str | None = None, limit: int = PAGE
) -> MembersPage:
    """Members, the newest first, by key: any page costs what the first one does."""
    place = (Member.joined_at, Member.member_id)
    after, before = _key(older), _key(newer)
    if before is not None:
        where = tuple_(*place) > before
        rows = _rows(session, shop_id, [where], limit + 1, oldest_first=True)
        more_newer, rows = len(rows) > limit, rows[:limit][::-1]
        more_older = True
    else:
        wheres = [tuple_(*place) < after] if after is not None else []
        rows = _rows(session, shop_id, wheres, limit + 1)
        more_older, rows, more_newer = len(rows) > limit, rows[:limit], after is not None
    return MembersPage(
        rows=rows,
        newer=_key_text(rows[0]) if rows and more_newer else None,
        older=_key_text(rows[-1]) if rows and more_older else None,
    )


def members_with_customers(session: Session, shop_id: int, customer_ids: Iterable[int]) -> list[MemberRow]:
    """The members these customers are, those merged away shown as who they were merged into."""
    wanted = list(dict.fromkeys(customer_id for customer_id in customer_ids if 0 < customer_id <= LARGEST_ID))
    if not wanted:
        return []
    found = session.execute(
        select(Member.member_id, Member.merged_into).where(Member.shop_id == shop_id, Member.customer_id.in_(wanted))
    )
    ids = {row.merged_into or row.member_id for row in found}
    return _rows(session, shop_id, [Member.member_id.in_(ids)], PAGE)


def member_with_order(session: Session, shop_id: int, order_name: str) -> list[MemberRow]:
    """The member who placed an order of this name ("#1031" or "1031")."""
    names = {order_name, f"#{order_name.lstrip('#')}"}
    ids = session.scalars(
        select(Order.member_id)
        .where(Order.shop_id == shop_id, Order.name.in_(names), Order.member_id.is_not(None))
        .limit(PAGE)
    ).all()
    return _rows(session, shop_id, [Member.member_id.in_(ids)], PAGE) if ids else []


def names(access: Access, shop_id: int, customer_ids: Iterable[int | None]) -> Names:
    """Network verb: who these customers are, as far as Shopify tells us now."""
    wanted = [customer_id for customer_id in customer_ids if customer_id is not None]
    if not wanted:
        return Names({})
    try:
        return Names(access.ask(shop_id, lambda client: customer_names(client, wanted)))
    except ShopifyError as error:
        return Names({}, _trouble(error, "so customers are shown by their number."))


def search(access: Access, shop_id: int, text: str) -> Names:
    """Network verb: customers by name or address, as Shopify's own search finds them. Not all need be members."""
    try:
        page = access.ask(shop_id, lambda client: search_customers(client, text, first=PAGE))
    except ShopifyError as error:
        return Names({}, _trouble(error, "so only customer numbers and order names can be searched."))
    return Names({customer.customer_id: customer for customer in page.customers})


def profile(session: Session, shop: Shop, member_id: int, *, cursor: str | None = None) -> Profile:
    """One member. Raises `NotFound` in the same words for a member of another shop and for none at all."""
    member = session.get(Member, (shop.shop_id, member_id)) if 0 < member_id <= LARGEST_ID else None
    if member is None:
        raise NotFound("There is no such member.")
    balance = session.get(Balance, (shop.shop_id, member_id))
    lines, following = history(session, shop.shop_id, member_id, cursor=Cursor.parse(cursor))
    orders = session.scalar(
        select(func.count()).where(Order.shop_id == shop.shop_id, Order.member_id == member_id).select_from(Order)
    )
    return Profile(
        member=member,
        available=balance.available if balance else 0,
        pending=balance.pending if balance else 0,
        reserved=balance.reserved if balance else 0,
        debt=balance.debt if balance else 0,
        matures_at=next_maturing(session, shop.shop_id, [member_id]).get(member_id),
        orders=orders or 0,
        lines=_with_available(session, shop.shop_id, member_id, lines, balance.available if balance else 0),
        older=str(following) if following else None,
    )


def balance_on(session: Session, shop_id: int, member_id: int, moment: datetime) -> dict[str, int]:
    """The member's four figures at a moment, from what had been posted by then."""
    return balance_at(session, shop_id, member_id, moment)


def _rows(
    session: Session, shop_id: int, wheres: Sequence[ColumnElement[bool]], limit: int, *, oldest_first: bool = False
) -> list[MemberRow]:
    place = (Member.joined_at, Member.member_id)
    found = session.execute(
        select(
            Member.member_id,
            Member.customer_id,
            Member.joined_at,
            Member.last_order_at,
            func.coalesce(Balance.available, 0),
            func.coalesce(Balance.pending, 0),
            func.coalesce(Balance.debt, 0),
        )
        .outerjoin(Balance, (Balance.shop_id == Member.shop_id) & (Balance.member_id == Member.member_id))
        .where(Member.shop_id == shop_id, Member.merged_into.is_(None), *wheres)
        .order_by(*(place if oldest_first else [column.desc() for column in place]))
        .limit(limit)
    )
    return [MemberRow(*row) for row in found]


def _with_available(
    session: Session, shop_id: int, member_id: int, lines: list[HistoryLine], available_now: int
) -> list[LedgerLine]:
    """Put beside each line what was available after it, counted back from today's balance.

    What was posted after the page's first line is summed by the database; the page's own movements are read.
    """
    if not lines:
        return []
    mine = (Entry.shop_id == shop_id, Entry.member_id == member_id)
    points_in = func.coalesce(func.sum(Entry.points), 0)
    later = (*mine, Entry.posted_at > lines[0].at)
    gained = session.scalar(select(points_in).where(*later, Entry.target == Account.AVAILABLE)) or 0
    lost = session.scalar(select(points_in).where(*later, Entry.source == Account.AVAILABLE)) or 0
    running = available_now - int(gained) + int(lost)

    moves = session.execute(
        select(Entry.posted_at, Entry.event, Entry.source, Entry.target, Entry.points)
        .where(*mine, Entry.posted_at <= lines[0].at, Entry.posted_at >= lines[-1].at)
        .order_by(Entry.seq.desc())
    ).all()
    changes: dict[str, int] = {}
    for move in moves:
        into, out_of = move.target == Account.AVAILABLE, move.source == Account.AVAILABLE
        changes[move.event] = changes.get(move.event, 0) + move.points * (into - out_of)
    shown = []
    for line in lines:
        shown.append(LedgerLine(line, ledger_title(line), running))
        running -= changes.pop(line.event, 0)
    return shown


def _trouble(error: ShopifyError, so: str) -> str:
    if isinstance(error, MissingScope):
        return f"Regulars has no permission to read customers, {so}"
    return f"Shopify does not answer right now, {so}"


def _key(text: str | None) -> tuple[datetime, int] | None:
    """A cursor as `_key_text` wrote it; None for none, and for anything else: the first page is a good answer."""
    if not text or len(text) > 64:
        return None
    micros, _, member_id = text.partition("-")
    try:
        return EPOCH + timedelta(microseconds=int(micros)), max(0, min(int(member_id), LARGEST_ID))
    except (ValueError, OverflowError):
        return None


def _key_text(row: MemberRow) -> str:
    return f"{(row.joined_at - EPOCH) // timedelta(microseconds=1)}-{row.member_id}"

"""Settle orders: post the difference between what they should have earned and what the ledger holds for them.

The heart of the product (DESIGN §1.1). No handler adds points "because an event came": facts are merged into the
order's row, `program.earning.decide` says what the merged facts are worth, and only the difference is posted. Any
delivery, repeat, permutation, back-fill or sweep runs this one function and ends in the same ledger.

It works on many orders at once, in a fixed number of statements a batch, because a flash sale sends thousands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import orjson
from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from ..db import among, insert_rows, write_rows
from ..errors import Parked
from ..jobs.queue import enqueue
from ..ledger import Books
from ..models import Decision, Lane, Member, Order, Shop
from ..program.earning import Decision as Decided
from ..program.earning import decide
from ..program.facts import OrderFacts
from ..program.merging import merge
from ..program.money import micro_per_minor
from ..program.remaining import what_remains
from .members import forgotten, join, mark_dirty, members_by_address, members_of
from .programs import Timeline
from .using import Shown, Uses

SYNC_DEBOUNCE = timedelta(seconds=1)
REFUND_WAITS = timedelta(minutes=1)  # for its order; then the order is fetched
COLUMNS = (
    Order.order_id, Order.name, Order.member_id, Order.address_hash, Order.created_at, Order.facts, Order.decision,
    Order.reason, Order.points, Order.settlements, Order.revenue_minor, Order.settled_at, Order.redacted,
)  # fmt: skip


@dataclass(slots=True)
class _Work:
    """One order on its way through a batch."""

    order_id: int
    row: dict[str, Any] | None  # as stored; None: never seen
    facts: OrderFacts
    member_id: int | None = None
    version: int | None = None
    decided: Decided | None = None
    settlements: int = 0
    points: int = 0  # what the ledger will hold when this is written
    disputed: bool = False  # whose it is, only Shopify can tell

    @property
    def held(self) -> int:
        return self.row["points"] if self.row else 0

    @property
    def held_by(self) -> int | None:
        return self.row["member_id"] if self.row else None


def settle_orders(
    session: Session,
    shop: Shop,
    news: Mapping[int, OrderFacts],
    timeline: Timeline,
    *,
    now: datetime,
    again: Iterable[int] = (),
    may_belong_to: Mapping[int, int] | None = None,
    refused: dict[int, str] | None = None,
) -> dict[int, str]:
    """Merge ``news`` into the orders they are about and settle those, and the orders of ``again``, anew.

    ``may_belong_to`` maps guests' orders to a member whose verified address they were placed with. Returns, for each
    order, what happened, in words for the inbox. The caller holds the shop's settling lane, so nobody else settles
    this shop meanwhile. An order that cannot be decided is left out and noted with its reason in ``refused``; without
    that it raises `Parked`.
    """
    work = _merged(session, shop.shop_id, news, again)
    if not work:
        return {}
    _find_members(session, shop, work, timeline, may_belong_to or {}, now)
    for item in work:
        created_at = item.facts.created_at
        number, settings, why_not = timeline.at(created_at) if created_at else (None, None, "waiting_for_order")
        item.version = number
        try:
            item.decided = decide(_its_own(item.facts), settings, why_not=why_not)
        except ValueError as error:  # amounts beyond counting: no order of this world, so somebody must look at it
            reason = f"Order {item.order_id} cannot be decided: {error}."
            if refused is None:
                raise Parked(reason) from None
            refused[item.order_id] = reason
    work = [item for item in work if item.decided is not None]
    books = Books(session, shop.shop_id, now=now)
    shown = {item.order_id: _shown(item, now) for item in work if item.facts.codes}
    uses = Uses(session, shop.shop_id, shown)
    concerned = {member for item in work for member in (item.member_id, item.held_by) if member is not None}
    books.open(concerned | uses.owners, [f"order:{item.order_id}" for item in work])
    outcomes = {item.order_id: _post(books, item, now) for item in work}
    uses.settle(books)
    _write(session, shop.shop_id, work, now)
    books.close()
    _tell(session, shop.shop_id, work, books, now)
    return outcomes


def _shown(item: _Work, now: datetime) -> Shown:
    assert item.decided is not None
    return Shown(_its_own(item.facts), item.member_id, item.decided.occurred_at or now)


def _its_own(facts: OrderFacts) -> OrderFacts:
    """The facts without refunds that name lines this order does not have.

    A refunds/create body is tied to its order by a number alone. One with foreign lines is another shop's, or of an
    edit we have not seen: it is kept, and counts once a snapshot shows its lines or lists it.
    """
    if facts.snapshot is None or not facts.refunds:
        return facts
    lines = {line.line_id for line in facts.snapshot.lines}
    listed = facts.snapshot.contained_refunds
    own = tuple(
        refund
        for refund in facts.refunds
        if refund.refund_id in listed or all(line_id in lines for line_id, _ in refund.units)
    )
    return facts if len(own) == len(facts.refunds) else replace(facts, refunds=own)


def _merged(session: Session, shop_id: int, news: Mapping[int, OrderFacts], again: Iterable[int]) -> list[_Work]:
    wanted = sorted(news.keys() | set(again))
    rows: dict[int, dict[str, Any]] = {}
    for start in range(0, len(wanted), 500):
        some = among(session, Order.order_id, wanted[start : start + 500])
        found = session.execute(select(*COLUMNS).where(Order.shop_id == shop_id, some))
        rows.update({row["order_id"]: dict(row) for row in found.mappings()})
    work = []
    for order_id in wanted:
        row, facts = rows.get(order_id), news.get(order_id)
        if row is not None:
            known = OrderFacts.from_json(orjson.loads(row["facts"]))
            ask = disputed(known, facts)
            facts = known if facts is None else merge(known, facts)
        else:
            ask = False
        if facts is not None:
            settlements, points = (row["settlements"], row["points"]) if row else (0, 0)
            work.append(_Work(order_id, row, facts, settlements=settlements, points=points, disputed=ask))
    return work


def disputed(known: OrderFacts | None, news: OrderFacts | None) -> bool:
    """Whether two bodies of one second name different customers. Dates are no finer, so Shopify must be asked: merging
    would give the order to either, and a sweep would find it unchanged.
    """
    if known is None or news is None or known.customer is None or news.customer is None:
        return False
    *mine, _ = known.customer.key  # all that decides but the digest, which has no meaning
    *theirs, _ = news.customer.key
    return known.customer.value != news.customer.value and mine == theirs


def _find_members(
    session: Session, shop: Shop, work: list[_Work], timeline: Timeline, may_belong_to: Mapping[int, int], now: datetime
) -> None:
    customers = {item.facts.customer_id for item in work if item.facts.customer_id is not None}
    gone = forgotten(session, shop, customers)
    known = members_of(session, shop.shop_id, customers - gone)
    # Everyone with a customer id is a member from launch on; before it there is no program to be a member of.
    if timeline.is_launched(now):
        known |= join(session, shop.shop_id, customers - gone - known.keys(), now)
    guests = {
        item.facts.address_hash
        for item in work
        if item.facts.customer_id is None and item.facts.address_hash is not None and item.held_by is None
    }
    by_address = members_by_address(session, shop.shop_id, guests)
    for item in work:
        customer_id = item.facts.customer_id
        if customer_id in gone or item.facts.redacted:
            item.facts = item.facts.without_person()
            item.member_id = item.held_by
        elif customer_id is not None:
            item.member_id = known.get(customer_id)
        else:
            item.member_id = (
                item.held_by or may_belong_to.get(item.order_id) or by_address.get(item.facts.address_hash or "")
            )


def _post(books: Books, item: _Work, now: datetime) -> str:
    decided = item.decided
    assert decided is not None
    cause = f"order:{item.order_id}"
    target = decided.points if item.member_id is not None else 0
    held = item.held
    if held and item.held_by != item.member_id:
        # Staff moved the order to another customer: taken back from the first, given to the second, in one breath.
        item.settlements += 1
        event = f"{cause}:settled:{item.settlements}"
        assert item.held_by is not None
        books.take_back(item.held_by, cause=cause, event=event, points=held, occurred_at=decided.occurred_at or now)
        if target and item.member_id is not None:
            _award(books, item, event, target)
        item.points = target
        return f"Moved {held} points to another member." if target else f"Took back {held} points."
    if target == held:
        if held and item.member_id is not None:
            books.hold_until(item.member_id, cause, decided.matures_at)
        return f"Order worth {target} points, as before." if item.settlements else "Order earns nothing."
    item.settlements += 1
    event = f"{cause}:settled:{item.settlements}"
    item.points = target
    assert item.member_id is not None
    if target > held:
        _award(books, item, event, target - held)
        return f"Awarded {target - held} points."
    books.hold_until(item.member_id, cause, decided.matures_at)
    books.take_back(
        item.member_id, cause=cause, event=event, points=held - target, occurred_at=decided.occurred_at or now
    )
    return f"Took back {held - target} points."


def _award(books: Books, item: _Work, event: str, points: int) -> None:
    assert item.member_id is not None and item.decided is not None and item.facts.created_at is not None
    books.award(
        item.member_id,
        cause=f"order:{item.order_id}",
        event=event,
        points=points,
        occurred_at=item.decided.occurred_at or item.facts.created_at,
        earned_at=item.facts.created_at,
        matures_at=item.decided.matures_at,
    )


def _write(session: Session, shop_id: int, work: list[_Work], now: datetime) -> None:
    rows, decisions = [], []
    for item in work:
        decided, facts = item.decided, item.facts
        assert decided is not None
        decision = orjson.dumps(decided.to_json()).decode()
        row = {
            "shop_id": shop_id,
            "order_id": item.order_id,
            "name": facts.snapshot.name if facts.snapshot else "",
            "member_id": item.member_id,
            "address_hash": facts.address_hash if item.member_id is None else None,
            "created_at": facts.created_at,
            "facts": orjson.dumps(facts.to_json()).decode(),
            "decision": decision,
            "reason": _reason(item),
            "points": item.points,
            "settlements": item.settlements,
            "revenue_minor": _revenue_minor(facts, decided),
            "settled_at": now,
            "redacted": facts.redacted,
        }
        before = {**item.row, "shop_id": shop_id, "settled_at": now} if item.row else None
        if row != before:
            rows.append((item.row is None, row))
        if item.settlements != (item.row["settlements"] if item.row else 0):
            decisions.append(
                {
                    "shop_id": shop_id, "order_id": item.order_id, "number": item.settlements,
                    "version": item.version, "decision": decision, "decided_at": now,
                }
            )  # fmt: skip
    write_rows(session, Order, rows)
    insert_rows(session, Decision, decisions)


def _revenue_minor(facts: OrderFacts, decided: Decided) -> int:
    """What remains of the goods of a paid order, in whole minor units, without tax: also of one that earns nothing."""
    snapshot = facts.snapshot
    if snapshot is None or not facts.ever_paid or facts.cancelled_at or (snapshot.test and not decided.points):
        return 0
    values = [line.value for line in decided.lines if line.line_id is not None]
    if not decided.lines:  # it was not looked into: a guest's, or from before the launch
        values = [line.value for line in what_remains(facts).lines]
    return int(sum(values) // micro_per_minor(snapshot.currency))


def _reason(item: _Work) -> str | None:
    assert item.decided is not None
    if item.member_id is None and item.decided.points:
        return "waiting_for_customer" if item.facts.address_hash else "no_customer"
    return item.decided.reason


def _tell(session: Session, shop_id: int, work: list[_Work], books: Books, now: datetime) -> None:
    """What follows from a settlement: metafields to send, members' last orders, orders to ask Shopify for."""
    posted = {member_id: books.balance(member_id).seq for member_id in books.members_posted_to}
    mark_dirty(session, shop_id, posted)
    if posted:
        enqueue(session, shop_id, "sync_members", lane=Lane.NETWORK, now=now, due_at=now + SYNC_DEBOUNCE)
    latest: dict[int, datetime] = {}
    for item in work:
        if item.facts.created_at is None and item.row is None:
            enqueue(
                session, shop_id, "fetch_order", lane=Lane.NETWORK, now=now, subject=str(item.order_id),
                arguments={"order_id": item.order_id}, due_at=now + REFUND_WAITS,
            )  # fmt: skip
        if item.disputed:
            enqueue(
                session, shop_id, "fetch_order", lane=Lane.NETWORK, now=now, subject=str(item.order_id),
                arguments={"order_id": item.order_id},
            )  # fmt: skip
        if item.row is None and item.member_id is not None and item.facts.created_at is not None:
            latest[item.member_id] = max(item.facts.created_at, latest.get(item.member_id, item.facts.created_at))
    if latest:
        newer = (Member.last_order_at.is_(None)) | (Member.last_order_at < bindparam("moment"))
        session.connection().execute(
            update(cast(Table, Member.__table__))
            .where(Member.shop_id == shop_id, Member.member_id == bindparam("member"), newer)
            .values(last_order_at=bindparam("moment")),
            [{"member": member_id, "moment": moment} for member_id, moment in sorted(latest.items())],
        )

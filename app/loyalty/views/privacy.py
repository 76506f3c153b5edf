"""Data requests, and everything stored about one customer (PLATFORM §3.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ...errors import NotFound
from ...ledger import Balance, Entry
from ...models import Adjustment, Delivery, DeliveryState, Member, Order, PrivacyRequest, Redemption, Shop
from ...program.decision import Decision as Decided
from ...program.explaining import explain
from ...program.facts import OrderFacts
from ..inbox import body_of
from ..redact import what_it_says

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class DataRequest:
    request_id: int
    customer_id: int | None  # None: the customer was forgotten since, or none was named
    received_at: datetime
    due_at: datetime
    days_left: int  # begun days count
    downloaded_at: datetime | None
    downloaded_by: str | None
    is_overdue: bool

    @property
    def is_open(self) -> bool:
        return self.downloaded_at is None and self.customer_id is not None


def data_requests(session: Session, shop_id: int, now: datetime) -> list[DataRequest]:
    """The newest first, 200 at most: requests are rare."""
    rows = session.scalars(
        select(PrivacyRequest)
        .where(PrivacyRequest.shop_id == shop_id)
        .order_by(PrivacyRequest.received_at.desc())
        .limit(200)
    )
    return [_request(row, now) for row in rows]


def open_requests(session: Session, shop_id: int, now: datetime) -> tuple[int, int]:
    """(how many wait for an answer, days left of the most urgent), for the home page."""
    number, due_at = session.execute(
        select(func.count(), func.min(PrivacyRequest.due_at)).where(
            PrivacyRequest.shop_id == shop_id,
            PrivacyRequest.downloaded_at.is_(None),
            PrivacyRequest.customer_id.is_not(None),
        )
    ).one()
    return number, _days_left(due_at, now) if due_at else 0


def data_request(session: Session, shop_id: int, request_id: int, now: datetime) -> DataRequest:
    """Raises `NotFound` in the same words for another shop's and for none at all."""
    row = session.get(PrivacyRequest, (shop_id, request_id)) if 0 < request_id <= LARGEST_ID else None
    if row is None:
        raise NotFound("There is no such request.")
    return _request(row, now)


def _request(row: PrivacyRequest, now: datetime) -> DataRequest:
    return DataRequest(
        request_id=row.request_id,
        customer_id=row.customer_id,
        received_at=row.received_at,
        due_at=row.due_at,
        days_left=_days_left(row.due_at, now),
        downloaded_at=row.downloaded_at,
        downloaded_by=row.downloaded_by,
        is_overdue=row.due_at < now,
    )


def _days_left(due_at: datetime, now: datetime) -> int:
    """Days until then, a begun one counted; 0 or less when it is over."""
    return -((now - due_at) // timedelta(days=1))


def export(session: Session, shop: Shop, customer_id: int) -> dict[str, Any]:
    """Everything stored about one customer, JSON-able: membership, balance, every movement, orders with their working
    in words, adjustments, redemptions, and what Shopify sent that could not be worked yet. Names and addresses stand in
    that last part alone: they are stored nowhere else.
    """
    members = _members(session, shop.shop_id, customer_id)
    ids = [member.member_id for member in members]
    kept = next((member for member in members if member.customer_id == customer_id), None)
    balance = session.get(Balance, (shop.shop_id, kept.merged_into or kept.member_id)) if kept else None
    return {
        "shop": shop.domain,
        "customer_id": customer_id,
        "member": _member(kept) if kept else None,
        "balance": {
            "available": balance.available if balance else 0,
            "pending": balance.pending if balance else 0,
            "reserved": balance.reserved if balance else 0,
            "debt": balance.debt if balance else 0,
        },
        "entries": [_entry(entry) for entry in _entries(session, shop.shop_id, ids)],
        "orders": [_order(order, shop) for order in _orders(session, shop.shop_id, ids, customer_id)],
        "adjustments": [_adjustment(row) for row in _adjustments(session, shop.shop_id, ids)],
        "redemptions": [_redemption(row) for row in _redemptions(session, shop.shop_id, ids)],
        "waiting": [_waiting(row) for row in _parked_about(session, shop.shop_id, customer_id)],
    }


def _members(session: Session, shop_id: int, customer_id: int) -> list[Member]:
    """The customer's membership, and those that were merged into it."""
    own = list(session.scalars(select(Member).where(Member.shop_id == shop_id, Member.customer_id == customer_id)))
    ids = [member.member_id for member in own]
    if not ids:
        return []
    merged = session.scalars(select(Member).where(Member.shop_id == shop_id, Member.merged_into.in_(ids)))
    return own + list(merged)


def _entries(session: Session, shop_id: int, ids: list[int]) -> Iterable[Entry]:
    return session.scalars(
        select(Entry)
        .where(Entry.shop_id == shop_id, Entry.member_id.in_(ids))
        .order_by(Entry.posted_at, Entry.member_id, Entry.seq)
    )


def _orders(session: Session, shop_id: int, ids: list[int], customer_id: int) -> Iterable[Order]:
    """Their members' orders, and those from before they were a member, which only their facts tie to them."""
    in_facts = f'%"customer":[{customer_id}%'
    found = session.scalars(
        select(Order)
        .where(
            Order.shop_id == shop_id,
            or_(Order.member_id.in_(ids), Order.member_id.is_(None) & Order.facts.like(in_facts)),
        )
        .order_by(Order.created_at, Order.order_id)
    )
    for order in found:
        if order.member_id is not None or _facts(order).customer_id == customer_id:
            yield order


def _adjustments(session: Session, shop_id: int, ids: list[int]) -> Iterable[Adjustment]:
    return session.scalars(
        select(Adjustment)
        .where(Adjustment.shop_id == shop_id, Adjustment.member_id.in_(ids))
        .order_by(Adjustment.adjusted_at)
    )


def _redemptions(session: Session, shop_id: int, ids: list[int]) -> Iterable[Redemption]:
    return session.scalars(
        select(Redemption)
        .where(Redemption.shop_id == shop_id, Redemption.member_id.in_(ids))
        .order_by(Redemption.reserved_at, Redemption.redemption_id)
    )


def _parked_about(session: Session, shop_id: int, customer_id: int) -> Iterable[Delivery]:
    """Parked deliveries that name the customer's id: whole bodies, encrypted, until staff replay or discard them."""
    number = re.compile(rf"(?<![0-9]){customer_id}(?![0-9])")
    parked = session.scalars(
        select(Delivery)
        .where(Delivery.shop_id == shop_id, Delivery.state == DeliveryState.PARKED)
        .order_by(Delivery.received_at)
    )
    return (row for row in parked if number.search(what_it_says(body_of(row))))


def _waiting(row: Delivery) -> dict[str, Any]:
    return {
        "received_at": _text(row.received_at),
        "topic": row.topic,
        "why_it_waits": row.outcome,
        "body": body_of(row).decode("utf-8", "replace"),
    }


def _member(member: Member) -> dict[str, Any]:
    return {
        "member_id": member.member_id,
        "joined_at": _text(member.joined_at),
        "last_order_at": _text(member.last_order_at),
        "address_is_kept_as_a_hash": member.address_hash is not None,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "at": _text(entry.posted_at),
        "happened_at": _text(entry.occurred_at),
        "what": str(entry.kind),
        "from": str(entry.source),
        "to": str(entry.target),
        "points": entry.points,
        "because_of": entry.cause,
    }


def _order(order: Order, shop: Shop) -> dict[str, Any]:
    decided = Decided.from_json(orjson.loads(order.decision)) if order.decision else None
    return {
        "order_id": order.order_id,
        "name": order.name,
        "created_at": _text(order.created_at),
        "points": order.points,
        "why": explain(decided, zone=shop.zone) if decided else [],
        "facts": _facts(order).to_json(),
    }


def _facts(order: Order) -> OrderFacts:
    return OrderFacts.from_json(orjson.loads(order.facts))


def _adjustment(row: Adjustment) -> dict[str, Any]:
    return {"at": _text(row.adjusted_at), "points": row.points, "reason": row.reason, "by": row.author}


def _redemption(row: Redemption) -> dict[str, Any]:
    return {
        "id": row.redemption_id,
        "reward": row.title,
        "points": row.points,
        "state": str(row.state),
        "code": row.code or row.card_code,
        "redeemed_at": _text(row.reserved_at),
        "issued_at": _text(row.issued_at),
        "usable_until": _text(row.expires_at),
        "used_at": _text(row.used_at),
        "used_on_order": row.order_id,
        "points_given_back": row.given_back,
        "released_at": _text(row.released_at),
        "why_released": row.why,
        "by": row.by,
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None

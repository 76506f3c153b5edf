"""Forgetting: a customer, or a whole shop (PLATFORM §3.3).

The books stay whole when a customer is forgotten: entries name a random member id, and only that member's customer id
is cleared. A keyed hash of the id is kept, so that a late webhook cannot bring the person back or award them anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

import orjson
from cryptography.fernet import InvalidToken
from sqlalchemy import ColumnElement, delete, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from ..db import Base, upsert
from ..ledger.models import Erasure
from ..models import (
    Adjustment,
    Delivery,
    DeliveryState,
    Member,
    Order,
    PrivacyRequest,
    RedactedCustomer,
    Redemption,
    RedemptionState,
    Shop,
)
from ..program.facts import OrderFacts
from . import confirm
from .hand_out import settle_not_made
from .inbox import body_of
from .members import customer_hash, forgotten


def redact_customer(
    session: Session,
    shop: Shop,
    *,
    customer_id: int | None,
    hashed: str | None,
    marks: Iterable[str] = (),
    order_ids: Iterable[int] = (),
    now: datetime,
) -> str:
    """Erase everything that says who somebody was. Points, and the working behind them, stay. Returns what was done.

    ``hashed`` is the hash of their address; ``marks`` are the words that name them (address, phone), looked for in
    parked bodies.
    """
    shop_id, order_ids = shop.shop_id, list(order_ids)
    members = _members(session, shop_id, customer_id)
    # Every id they had: Shopify may still send orders under that of an account that was merged into theirs.
    ids = sorted({known_as for known_as in (customer_id, *(m.customer_id for m in members)) if known_as is not None})
    for known_as in ids:
        session.execute(
            upsert(session, RedactedCustomer)
            .values(shop_id=shop_id, customer_hash=customer_hash(shop, known_as), redacted_at=now)
            .on_conflict_do_nothing()
        )
    orders = _orders(session, shop_id, members, ids, hashed, order_ids)
    for order in orders:
        facts = OrderFacts.from_json(orjson.loads(order.facts)).without_person()
        order.facts = orjson.dumps(facts.to_json()).decode()
        order.name, order.address_hash, order.redacted = "", None, True
    # An order whose webhook is still on its way must not bring the person back either.
    for order_id in sorted(set(order_ids) - {order.order_id for order in orders}):
        unknown = OrderFacts(order_id=order_id).without_person()
        facts_text = orjson.dumps(unknown.to_json()).decode()
        session.add(Order(shop_id=shop_id, order_id=order_id, facts=facts_text, redacted=True))
    for member in members:
        member.customer_id = member.address_hash = member.seen_at = None
        member.redacted_at = now
    session.flush()
    member_ids = [member.member_id for member in members]
    if member_ids:
        session.execute(
            update(Adjustment)
            .where(Adjustment.shop_id == shop_id, Adjustment.member_id.in_(member_ids))
            .values(reason="")
        )
        _forget_redemptions(session, shop_id, member_ids, now)
    confirm.forget(session, shop_id, ids)
    session.execute(
        update(PrivacyRequest)
        .where(PrivacyRequest.shop_id == shop_id, PrivacyRequest.customer_id.in_(ids))
        .values(customer_id=None)
    )
    _erase_bodies(session, shop_id, marks, ids, orders, order_ids, now)
    return f"Forgot a customer: {len(members)} member, {len(orders)} orders."


def _forget_redemptions(session: Session, shop_id: int, member_ids: list[int], now: datetime) -> None:
    """What was redeemed stays, as the points do; what may name somebody, or is worth money to whoever reads it, goes.

    The code of a discount stays: by it alone an order that used it is known, and it is used up or deleted in time. What
    was not made yet has nobody to be made for.
    """
    mine = (Redemption.shop_id == shop_id, Redemption.member_id.in_(member_ids))
    unmade = (*mine, Redemption.state == RedemptionState.RESERVED)
    for redemption_id in session.scalars(
        select(Redemption.redemption_id).where(*unmade).order_by("redemption_id")
    ).all():
        settle_not_made(session, shop_id, redemption_id, "", by="", now=now)
    session.execute(
        update(Redemption)
        .where(*mine)
        .values(key_hash=literal("forgotten ") + Redemption.redemption_id, by="", problem="", card_code=None)
        .execution_options(synchronize_session=False)
    )


def _members(session: Session, shop_id: int, customer_id: int | None) -> list[Member]:
    if customer_id is None:
        return []
    own = list(session.scalars(select(Member).where(Member.shop_id == shop_id, Member.customer_id == customer_id)))
    # A merged customer's kept half is another customer; the halves merged into this one are this customer's.
    ids = [member.member_id for member in own]
    if not ids:
        return []
    return own + list(session.scalars(select(Member).where(Member.shop_id == shop_id, Member.merged_into.in_(ids))))


def _orders(
    session: Session, shop_id: int, members: list[Member], ids: list[int], hashed: str | None, order_ids: Iterable[int]
) -> list[Order]:
    which: list[ColumnElement[bool]] = [Order.order_id.in_(list(order_ids))]
    # An order may name them and be another member's (merged since), or nobody's (from before they were a member).
    for customer_id in ids:
        which += [
            Order.facts.like(f'%"customer":{opening}{customer_id}{end}%') for opening in ("", "[") for end in ",]}"
        ]
    if members:
        which.append(Order.member_id.in_([member.member_id for member in members]))
    if hashed:
        which.append(Order.address_hash == hashed)
    return list(session.scalars(select(Order).where(Order.shop_id == shop_id, or_(*which))))


def _erase_bodies(
    session: Session,
    shop_id: int,
    marks: Iterable[str],
    ids: list[int],
    orders: list[Order],
    order_ids: Iterable[int],
    now: datetime,
) -> None:
    """Bodies are kept while they wait to be tried again, by us or by staff: those that speak of this person go now."""
    about = {f"order {order.order_id}" for order in orders} | {f"order {order_id}" for order_id in order_ids}
    needles = [mark.casefold() for mark in marks if mark]
    number = re.compile(rf"(?<![0-9])({'|'.join(map(str, ids))})(?![0-9])") if ids else None
    waiting = session.scalars(
        select(Delivery).where(
            Delivery.shop_id == shop_id,
            (Delivery.state == DeliveryState.PARKED) | ((Delivery.state == DeliveryState.NEW) & (Delivery.tries > 0)),
        )
    )
    for delivery in waiting:
        said = what_it_says(_opened(delivery))
        if delivery.about in about or any(needle in said for needle in needles) or (number and number.search(said)):
            _erase(delivery, now)


def drop_forgotten(session: Session, shop: Shop, keys: Iterable[bytes], *, now: datetime) -> None:
    """Of what was just parked: a late delivery about somebody we were told to forget keeps no body."""
    parked = select(Delivery).where(
        Delivery.shop_id == shop.shop_id, Delivery.key.in_(list(keys)), Delivery.state == DeliveryState.PARKED
    )
    for delivery in session.scalars(parked.execution_options(populate_existing=True)):
        ids = {int(found) for found in _CUSTOMER_ID.findall(what_it_says(_opened(delivery)))}
        if forgotten(session, shop, {number for number in ids if number < 2**63}):
            _erase(delivery, now)


_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_CUSTOMER_ID = re.compile(r'(?:"(?:customer_)?id"\s*:\s*"?|shopify/customer/)([1-9][0-9]{0,18})(?![0-9])', re.ASCII)


def _opened(delivery: Delivery) -> bytes:
    """The body; empty where its key is lost, since what nobody can read must not keep others from being forgotten."""
    try:
        return body_of(delivery)
    except InvalidToken:
        return b""


def what_it_says(body: bytes) -> str:
    """A body's text in one letter case, its escapes read: how an address was written must not hide it."""
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), body.decode("utf-8", "replace")).casefold()


def _erase(delivery: Delivery, now: datetime) -> None:
    delivery.body, delivery.about, delivery.state, delivery.finished_at = None, "", DeliveryState.IGNORED, now
    delivery.outcome = f"{delivery.outcome} Erased: the customer was forgotten."[:500]


# Children before parents, as their foreign keys need.
_ERASED_FIRST = (
    "entries", "lots", "balances", "day_totals", "decisions", "orders", "adjustments", "code_uses", "redemptions",
    "codes", "discounts", "reward_terms", "members",
)  # fmt: skip


def redact_shop(session: Session, shop_id: int) -> str:
    """Erase a shop: every row of it in every table, the books too, and its keys. Nothing of another shop is touched."""
    session.execute(insert(Erasure).values(shop_id=shop_id))
    tables = Base.metadata.tables
    for name in _ERASED_FIRST:
        session.execute(delete(tables[name]).where(tables[name].c.shop_id == shop_id))
    for table in reversed(Base.metadata.sorted_tables):
        if table.name not in (*_ERASED_FIRST, Shop.__tablename__, Erasure.__tablename__):
            session.execute(delete(table).where(table.c.shop_id == shop_id))
    session.execute(delete(Shop).where(Shop.shop_id == shop_id))
    session.execute(delete(Erasure).where(Erasure.shop_id == shop_id))
    session.expire_all()
    return "The shop was erased."

"""Who an order belongs to: customers, guests, forgotten people."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from ..db import Prepared, among, insert_rows, update_rows
from ..models import Member, Order, RedactedCustomer, Shop


def normalised_address(address: str) -> str:
    """An e-mail address as it is compared: without outer space, in one letter case. Nothing cleverer: dots and plus
    parts are different mailboxes at some providers, and points must not go to a stranger.
    """
    return address.strip().casefold()


def address_hash(shop: Shop, address: str | None) -> str | None:
    """The keyed hash under which a guest's orders wait. The key is the shop's own and goes with it."""
    if not address or not address.strip():
        return None
    return _hash(shop, f"address:{normalised_address(address)}")


def customer_hash(shop: Shop, customer_id: int) -> str:
    return _hash(shop, f"customer:{customer_id}")


def _hash(shop: Shop, text: str) -> str:
    return hmac.new(shop.hash_key.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def new_member_id() -> int:
    """Random, so that it says nothing about the customer; 53 bits, so that JavaScript can hold it."""
    return secrets.randbits(53) or 1


def forgotten(session: Session, shop: Shop, customer_ids: Iterable[int]) -> set[int]:
    """Those of the customers we were told to forget."""
    hashes = {customer_hash(shop, customer_id): customer_id for customer_id in customer_ids}
    if not hashes:
        return set()
    found = session.scalars(
        select(RedactedCustomer.customer_hash).where(
            RedactedCustomer.shop_id == shop.shop_id, among(session, RedactedCustomer.customer_hash, list(hashes))
        )
    )
    return {hashes[found_hash] for found_hash in found}


def members_of(session: Session, shop_id: int, customer_ids: Iterable[int]) -> dict[int, int]:
    """customer id → the member whose books count (after merges, the kept one)."""
    wanted = list(set(customer_ids))
    if not wanted:
        return {}
    rows = session.execute(
        select(Member.customer_id, Member.member_id, Member.merged_into).where(
            Member.shop_id == shop_id, among(session, Member.customer_id, wanted)
        )
    )
    return {row.customer_id: row.merged_into or row.member_id for row in rows}


def members_by_address(session: Session, shop_id: int, hashes: Iterable[str]) -> dict[str, int]:
    wanted = list(set(hashes))
    if not wanted:
        return {}
    rows = session.execute(
        select(Member.address_hash, Member.member_id)
        .where(
            Member.shop_id == shop_id,
            among(session, Member.address_hash, wanted),
            Member.merged_into.is_(None),
            Member.closed_at.is_(None),  # who deleted their account and came back has a new one
        )
        .order_by(Member.joined_at.desc(), Member.member_id.desc())  # two customers with one address: the older
    )
    return {row.address_hash: row.member_id for row in rows}


def customer_at(session: Session, shop_id: int, hashed: str) -> int | None:
    """The customer whose verified address has this hash."""
    member_id = members_by_address(session, shop_id, [hashed]).get(hashed)
    member = session.get(Member, (shop_id, member_id)) if member_id is not None else None
    return member.customer_id if member else None


def join(session: Session, shop_id: int, customer_ids: Iterable[int], now: datetime) -> dict[int, int]:
    """Make members of these customers, who are none yet. Returns customer id → member id."""
    rows: list[dict[str, Any]] = [
        {
            "shop_id": shop_id, "member_id": new_member_id(), "customer_id": customer_id, "joined_at": now,
            "wanted_seq": 0, "synced_seq": 0,
        }
        for customer_id in sorted(set(customer_ids))
    ]  # fmt: skip
    insert_rows(session, Member, rows)
    return {row["customer_id"]: row["member_id"] for row in rows}


def see_customer(
    session: Session, shop: Shop, customer_id: int, *, hashed: str | None, seen_at: datetime | None, now: datetime
) -> tuple[int | None, list[int]]:
    """What a customers/* body says: this customer exists, with this *verified* address's hash (None: none verified).

    Returns the member and the orders that were waiting under the address, which the caller settles. An older body
    than one already seen changes nothing. (None, []) for a customer we were told to forget.
    """
    if forgotten(session, shop, [customer_id]):
        return None, []
    member_id = members_of(session, shop.shop_id, [customer_id]).get(customer_id)
    if member_id is None:
        member_id = join(session, shop.shop_id, [customer_id], now)[customer_id]
    member = session.get_one(Member, (shop.shop_id, member_id))
    if member.customer_id != customer_id:
        return member_id, []  # a late word of a customer who was merged away: their address is not the kept one's
    if member.seen_at is None or (seen_at is not None and seen_at >= member.seen_at):
        member.seen_at, member.address_hash = seen_at or member.seen_at, hashed
        session.flush()
    if hashed is None or member.address_hash != hashed:
        return member_id, []
    waiting = session.scalars(
        select(Order.order_id).where(
            Order.shop_id == shop.shop_id, Order.address_hash == hashed, Order.member_id.is_(None)
        )
    )
    return member_id, list(waiting)


# `mark_dirty`, of one member, straight on the driver.
DIRTY = Prepared(
    lambda insert: (
        update(Member)
        .where(Member.shop_id == bindparam("shop"), Member.member_id == bindparam("member"))
        .values(wanted_seq=bindparam("sequence"))
    )
)


def mark_dirty(session: Session, shop_id: int, sequences: dict[int, int]) -> None:
    """The members' metafields should show these sequences; a job sends them."""
    rows = [
        {"shop_id": shop_id, "member_id": member_id, "wanted_seq": sequence}
        for member_id, sequence in sorted(sequences.items())
    ]
    update_rows(session, Member, rows)

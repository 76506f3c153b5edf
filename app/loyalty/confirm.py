"""Is this customer the shop's? Asked of Shopify about customers nobody here has heard of.

A customers/* body names no shop, and the header that does is not signed: a body of one shop, sent again under another's
name, would make a member there, and give it the orders of guests with the same address. A customer an order of this
shop named is known; anybody else becomes a member when this shop's own Admin API knows them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..jobs.queue import enqueue
from ..models import Job, Lane, Shop
from ..shopify.customers import IDS_A_CALL, KnownCustomer, known_customers
from .access import Access
from .inbox import CONFIRMED, Fetched, hand_in
from .members import address_hash

KIND = "confirm_customers"
SECONDS_A_JOB = 20.0


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A customer as Shopify itself described them, and the customers that were merged into them before."""

    customer_id: int
    address_hash: str | None  # of their verified address
    updated_at: datetime
    merged_ids: tuple[int, ...]


def ask_about(session: Session, shop_id: int, customers: Mapping[int, Collection[int]], *, now: datetime) -> None:
    """Have Shopify asked about these customers: id → the ids of those merged into them. One job for all of a shop's."""
    waiting = _waiting(session, shop_id)
    for customer_id, merged_ids in customers.items():
        waiting[str(customer_id)] = sorted({*waiting.get(str(customer_id), ()), *merged_ids})
    enqueue(session, shop_id, KIND, lane=Lane.NETWORK, now=now, arguments={"customers": waiting})


def confirm_customers(access: Access, shop_id: int, waiting: Mapping[str, list[int]]) -> None:
    """Network verb: ask about them, a hundred a call, and hand in those the shop has. The others are nobody here."""
    rest, until = dict(waiting), time.monotonic() + SECONDS_A_JOB
    with access.db.reading() as session:
        shop = session.get_one(Shop, shop_id)
    while rest:
        some = {name: rest.pop(name) for name in list(rest)[:IDS_A_CALL]}
        found = access.ask(shop_id, partial(known_customers, customer_ids=[int(name) for name in some]))
        with access.db.transaction() as session:
            hand_in(session, shop_id, [_fetched(shop, customer, some) for customer in found], now=access.clock())
            forget_asked(session, shop_id, some, now=access.clock())
        if time.monotonic() > until:
            return


def forget_asked(session: Session, shop_id: int, names: Collection[str], *, now: datetime) -> None:
    """Record verb: these were asked about, or must not be asked about. Whoever is left is the next job's."""
    waiting = _waiting(session, shop_id)
    rest = {name: merged_ids for name, merged_ids in waiting.items() if name not in names}
    if rest:
        enqueue(session, shop_id, KIND, lane=Lane.NETWORK, now=now, arguments={"customers": rest})
    elif waiting:
        _keep(session, shop_id, {})


def forget(session: Session, shop_id: int, customer_ids: Collection[int]) -> None:
    """Record verb: these are not to be asked about, nor remembered as merged into another."""
    waiting = _waiting(session, shop_id)
    rest = {
        name: [merged_id for merged_id in merged_ids if merged_id not in customer_ids]
        for name, merged_ids in waiting.items()
        if int(name) not in customer_ids
    }
    if rest != waiting:
        _keep(session, shop_id, rest)


def read_confirmed(body: bytes) -> Confirmed:
    """What `confirm_customers` handed in."""
    said = orjson.loads(body)
    return Confirmed(
        said["customer"], said["address"], datetime.fromisoformat(said["updated_at"]), tuple(said["merged"])
    )


def _fetched(shop: Shop, customer: KnownCustomer, asked: Mapping[str, list[int]]) -> Fetched:
    body = {
        "customer": customer.customer_id,
        "address": address_hash(shop, customer.verified_address),
        "updated_at": customer.updated_at.isoformat(),
        "merged": asked[str(customer.customer_id)],
        # A delivery's key is a digest of its body. With this nobody can find a customer by trying ids.
        "salt": secrets.token_hex(16),
    }
    return Fetched(CONFIRMED, "", orjson.dumps(body), about="")


def _waiting(session: Session, shop_id: int) -> dict[str, list[int]]:
    """Who waits to be asked about. Locked: the settling lane adds while the network lane takes away."""
    arguments = session.scalar(select(Job.arguments).where(Job.shop_id == shop_id, Job.kind == KIND).with_for_update())
    return dict(arguments["customers"]) if arguments else {}


def _keep(session: Session, shop_id: int, waiting: dict[str, list[int]]) -> None:
    session.execute(
        update(Job).where(Job.shop_id == shop_id, Job.kind == KIND).values(arguments={"customers": waiting})
    )

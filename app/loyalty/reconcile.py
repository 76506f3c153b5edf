"""Reconcile: ask Shopify for every order changed since, and settle those we missed.

Webhooks are lost now and then, and for hours in an outage. The sweep pages the Admin API until it is done, hands what
is missing or newer into the inbox, and the same settling makes the ledger right; an order already known as Shopify
knows it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import orjson
from sqlalchemy import select, update

from ..db import Database
from ..errors import NotFound, Throttled
from ..jobs.queue import enqueue
from ..models import Lane, Order, Shop
from ..program.facts import OrderFacts
from ..shopify.orders import OBJECTS_A_CURSOR_REACHES, OrderSighting, fetch_order, sweep_page
from .access import Access
from .inbox import hand_in
from .members import address_hash

OVERLAP = timedelta(hours=25)  # a delivery may be a day late
REACH = timedelta(days=60)  # what read_orders lets us see
MOST_WAITS = 10  # for one answer
LONGEST_WAIT_S = 30.0

T = TypeVar("T")


def reconcile(
    access: Access, shop_id: int, *, since: datetime | None = None, wait: Callable[[float], None] | None = None
) -> tuple[int, int]:
    """Network verb. Returns (orders looked at, orders handed in for settling).

    ``wait`` waits that many seconds when Shopify is busy, and the sweep goes on. Without it `Throttled` is raised, and
    a later run need not fetch again what this one handed in: a worker has other shops to serve meanwhile.
    """
    started = access.clock()
    with access.db.reading() as session:
        shop = session.get(Shop, shop_id)
        if shop is None or not shop.is_installed:
            raise NotFound("The app is not installed there.")
    if since is None:
        since = shop.reconciled_at - OVERLAP if shop.reconciled_at else shop.installed_at - OVERLAP
    since = max(since, started - REACH)
    seen = recovered = 0
    cursor: str | None = None
    reached = 0  # orders this cursor has passed; Shopify's cursors end, so the sweep starts anew before that
    while True:
        page = _patiently(partial(access.ask, shop_id, partial(sweep_page, since=since, cursor=cursor)), wait)
        for order_id in _missed(access.db, shop_id, page.orders):
            recovered += _patiently(partial(fetch, access, shop_id, order_id), wait)
        seen += len(page.orders)
        reached += len(page.orders)
        if page.done:
            break
        since, cursor = page.next_since, page.next_cursor
        if reached >= OBJECTS_A_CURSOR_REACHES and page.orders[-1].updated_at > since:
            since, cursor, reached = page.orders[-1].updated_at, None, 0
    with access.db.transaction() as session:
        session.execute(update(Shop).where(Shop.shop_id == shop_id).values(reconciled_at=started, recovered=recovered))
    return seen, recovered


def _patiently(ask: Callable[[], T], wait: Callable[[float], None] | None) -> T:
    """Ask, and when Shopify is busy wait as long as it says and ask again, a few times."""
    for _ in range(MOST_WAITS if wait else 0):
        try:
            return ask()
        except Throttled as busy:
            assert wait is not None
            wait(min(busy.retry_after, LONGEST_WAIT_S))
    return ask()


def _missed(db: Database, shop_id: int, sightings: Sequence[OrderSighting]) -> list[int]:
    """Those we do not hold as Shopify shows them."""
    with db.reading() as session:
        stored = session.execute(
            select(Order.order_id, Order.facts).where(
                Order.shop_id == shop_id, Order.order_id.in_([sighting.order_id for sighting in sightings])
            )
        )
        known = {order_id: OrderFacts.from_json(orjson.loads(facts)) for order_id, facts in stored}
    return [sighting.order_id for sighting in sightings if not sighting.is_known_from(known.get(sighting.order_id))]


def fetch(access: Access, shop_id: int, order_id: int, *, last_look: bool = False) -> bool:
    """Network verb: ask for one order and hand it in. False when Shopify does not know it."""
    started = access.clock()
    with access.db.reading() as session:
        shop = session.get_one(Shop, shop_id)
    facts = access.ask(
        shop_id,
        lambda client: fetch_order(
            client, order_id, now=access.clock(), hash_address=lambda address: address_hash(shop, address)
        ),
    )
    if facts is None:
        return False
    with access.db.transaction() as session:
        hand_in(session, shop_id, [(order_id, orjson.dumps(facts.to_json()))], now=access.clock())
        if not last_look and facts.snapshot and facts.snapshot.updated_at >= started.replace(microsecond=0):
            # Shopify's dates have whole seconds: more may have happened in this one after we looked.
            enqueue(
                session, shop_id, "fetch_order", lane=Lane.NETWORK, now=started, subject=f"{order_id}:again",
                arguments={"order_id": order_id, "last_look": True}, due_at=started + timedelta(seconds=2),
            )  # fmt: skip
    return True

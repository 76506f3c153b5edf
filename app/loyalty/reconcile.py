"""Reconcile: ask Shopify for every order changed since, and settle those we missed.

Webhooks are lost now and then, and for hours in an outage. The sweep pages the Admin API until it is done, hands what
is missing or newer into the inbox, and the same settling makes the ledger right; an order already known as Shopify
knows it costs nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..errors import NotFound
from ..jobs.queue import enqueue
from ..models import Lane, Order, Shop
from ..program.facts import OrderFacts
from ..shopify.orders import fetch_order, sweep_orders
from .access import Access
from .inbox import hand_in
from .members import address_hash

OVERLAP = timedelta(hours=25)  # a delivery may be a day late
REACH = timedelta(days=60)  # what read_orders lets us see


def reconcile(access: Access, shop_id: int, *, since: datetime | None = None) -> tuple[int, int]:
    """Network verb. Returns (orders looked at, orders handed in for settling)."""
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
    while True:
        page = access.ask(
            shop_id,
            lambda client, after=cursor: sweep_orders(
                client, since, after=after, hash_address=lambda a: address_hash(shop, a)
            ),
        )
        with access.db.transaction() as session:
            missed = _missed(session, shop_id, page.orders)
            recovered += hand_in(
                session, shop_id, [(f.order_id, orjson.dumps(f.to_json())) for f in missed], now=access.clock()
            )
        seen += len(page.orders)
        cursor = page.next_cursor
        if cursor is None:
            break
    with access.db.transaction() as session:
        session.execute(update(Shop).where(Shop.shop_id == shop_id).values(reconciled_at=started, recovered=recovered))
    return seen, recovered


def _missed(session: Session, shop_id: int, fetched: list[OrderFacts]) -> list[OrderFacts]:
    """Those that tell something new: never seen, a newer body, a refund or cancellation we have not heard of."""
    stored = session.execute(
        select(Order.order_id, Order.facts).where(
            Order.shop_id == shop_id, Order.order_id.in_([facts.order_id for facts in fetched])
        )
    )
    known = {order_id: OrderFacts.from_json(orjson.loads(facts)) for order_id, facts in stored}
    return [facts for facts in fetched if _tells_more(facts, known.get(facts.order_id))]


def _tells_more(fetched: OrderFacts, known: OrderFacts | None) -> bool:
    if known is None or known.snapshot is None or fetched.snapshot is None:
        return True
    return (
        fetched.snapshot.updated_at > known.snapshot.updated_at
        or not {refund.refund_id for refund in fetched.refunds} <= {refund.refund_id for refund in known.refunds}
        or (fetched.ever_paid and not known.ever_paid)
        or (fetched.cancelled_at is not None and known.cancelled_at is None)
        or (fetched.customer_id is not None and fetched.customer_id != known.customer_id and not known.redacted)
    )


def fetch(access: Access, shop_id: int, order_id: int, *, last_look: bool = False) -> bool:
    """Network verb: ask for one order and hand it in. False when Shopify does not know it."""
    started = access.clock()
    with access.db.reading() as session:
        shop = session.get_one(Shop, shop_id)
    facts = access.ask(
        shop_id, lambda client: fetch_order(client, order_id, hash_address=lambda a: address_hash(shop, a))
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

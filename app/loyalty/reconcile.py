"""Reconcile: ask Shopify for every order changed since, and settle those we missed.

Webhooks are lost now and then, and for hours in an outage. The sweep pages the Admin API until it is done, hands what
is missing or newer into the inbox, and the same settling makes the ledger right; an order already known as Shopify
knows it costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import orjson
from sqlalchemy import select, update

from ..db import Database
from ..errors import NotFound, Throttled
from ..jobs.queue import enqueue
from ..models import Lane, Order, Shop
from ..program.facts import OrderFacts
from ..shopify.orders import OBJECTS_A_CURSOR_REACHES, OrderSighting, SweepPage, fetch_order, sweep_page
from .access import Access
from .inbox import FETCHED, Fetched, hand_in
from .members import address_hash

OVERLAP = timedelta(hours=25)  # a delivery may be a day late
REACH = timedelta(days=60)  # what read_orders lets us see
MOST_WAITS = 10  # for one answer
LONGEST_WAIT_S = 30.0
PAGE_SECONDS = 20.0  # of one job: a page may hold 250 orders to be fetched

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far a sweep has come. A job works one page of it and hands the rest on, in the arguments of the next."""

    started: datetime
    since: datetime
    cursor: str | None = None
    reached: int = 0  # orders this cursor has passed; Shopify's cursors end, so the sweep starts anew before that
    seen: int = 0
    recovered: int = 0
    fetched: tuple[int, ...] = ()  # of the page at this cursor, when there was no time for all that it was missing
    whole: bool = True  # nothing before it is left to be looked at: once done, everything is reconciled until its start

    def to_json(self) -> dict[str, Any]:
        document = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**document, "started": self.started.isoformat(), "since": self.since.isoformat()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Sweep:
        moments = {name: datetime.fromisoformat(document[name]) for name in ("started", "since")}
        return cls(**{**document, **moments, "fetched": tuple(document["fetched"])})

    def after(self, page: SweepPage) -> Sweep:
        """Where the next page begins."""
        seen, reached = self.seen + len(page.orders), self.reached + len(page.orders)
        last = page.orders[-1].updated_at if page.orders else page.next_since
        if reached >= OBJECTS_A_CURSOR_REACHES and last > page.next_since:
            return replace(self, since=last, cursor=None, reached=0, seen=seen, fetched=())
        return replace(self, since=page.next_since, cursor=page.next_cursor, reached=reached, seen=seen, fetched=())


def reconcile(
    access: Access, shop_id: int, *, since: datetime | None = None, wait: Callable[[float], None] | None = None
) -> tuple[int, int]:
    """Network verb: a whole sweep. Returns (orders looked at, orders handed in for settling).

    ``wait`` waits that many seconds when Shopify is busy, and the sweep goes on. Without it `Throttled` is raised, and
    a later run need not fetch again what this one handed in.
    """
    sweep, done = begin(access, shop_id, since), False
    while not done:
        sweep, done = work_page(access, shop_id, sweep, wait=wait)
    _finish(access, shop_id, sweep)
    return sweep.seen, sweep.recovered


def reconcile_on(access: Access, shop_id: int, arguments: dict[str, Any]) -> None:
    """Network verb: one page of a sweep, or as much of it as there is time for; the rest is the next job's.

    So a sweep of any length outlives no lease, other work of this shop and of others goes on between its pages, and
    after a crash it goes on from the page it was at.
    """
    sweep = Sweep.from_json(arguments) if arguments else begin(access, shop_id)
    sweep, done = work_page(access, shop_id, sweep, until=time.monotonic() + PAGE_SECONDS)
    if done:
        _finish(access, shop_id, sweep)
        return
    with access.db.transaction() as session:
        enqueue(
            session, shop_id, "reconcile", lane=Lane.NETWORK, now=access.clock(), subject="sweep",
            arguments=sweep.to_json(),
        )  # fmt: skip


def begin(access: Access, shop_id: int, since: datetime | None = None) -> Sweep:
    """Raises `NotFound` where the app is not installed."""
    started = access.clock()
    with access.db.reading() as session:
        shop = session.get(Shop, shop_id)
        if shop is None or not shop.is_installed:
            raise NotFound("The app is not installed there.")
    earliest = started - REACH
    reconciled = max(shop.reconciled_at - OVERLAP if shop.reconciled_at else shop.installed_at - OVERLAP, earliest)
    since = reconciled if since is None else max(since, earliest)
    return Sweep(started=started, since=since, whole=since <= reconciled)


def work_page(
    access: Access,
    shop_id: int,
    sweep: Sweep,
    *,
    wait: Callable[[float], None] | None = None,
    until: float | None = None,
) -> tuple[Sweep, bool]:
    """Look at the next page and hand in what is missing of it. Returns where the sweep is then, and whether it is done.

    With ``until`` (of the monotonic clock) it may come back to the same page, for what it had no time for.
    """
    fetched = 0
    look = partial(sweep_page, since=sweep.since, cursor=sweep.cursor)
    page = _patiently(partial(access.ask, shop_id, look), wait)
    for order_id in _missed(access.db, shop_id, page.orders):
        if order_id in sweep.fetched:
            continue  # handed in, and not settled yet
        if fetched and until is not None and time.monotonic() > until:
            return sweep, False
        found = _patiently(partial(fetch, access, shop_id, order_id), wait)
        sweep = replace(sweep, recovered=sweep.recovered + found, fetched=(*sweep.fetched, order_id))
        fetched += 1
    return sweep.after(page), page.done


def _finish(access: Access, shop_id: int, sweep: Sweep) -> None:
    """A look at the last minutes alone says nothing of the days before, which the next sweep still has to look at."""
    if not sweep.whole:
        return
    with access.db.transaction() as session:
        session.execute(
            update(Shop).where(Shop.shop_id == shop_id).values(reconciled_at=sweep.started, recovered=sweep.recovered)
        )


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
        order = Fetched(FETCHED, str(order_id), orjson.dumps(facts.to_json()), about=f"order {order_id}")
        hand_in(session, shop_id, [order], now=access.clock())
        if not last_look and facts.snapshot and facts.snapshot.updated_at >= started.replace(microsecond=0):
            # Shopify's dates have whole seconds: more may have happened in this one after we looked.
            enqueue(
                session, shop_id, "fetch_order", lane=Lane.NETWORK, now=started, subject=f"{order_id}:again",
                arguments={"order_id": order_id, "last_look": True}, due_at=started + timedelta(seconds=2),
            )  # fmt: skip
    return True

"""The webhook inbox: store first, understand later.

`receive` is all that happens in the request: one INSERT of the raw body. Everything else is the worker's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import bindparam, delete, literal, select, text, update
from sqlalchemy.orm import Session

from ..db import Database, Encrypted, UtcDateTime, update_rows, upsert
from ..errors import NotFound
from ..jobs.queue import MOST_TRIES, backoff, wake
from ..models import Delivery, DeliveryState, Lane

FETCHED = "orders/fetched"  # an order we asked Shopify for; never a webhook's topic, see Delivery.source
KEPT = timedelta(days=30)
LONGEST_HEADER = 255


def receive(
    db: Database,
    *,
    domain: str,
    topic: str,
    webhook_id: str,
    api_version: str,
    triggered_at: datetime | None,
    body: bytes,
    now: datetime,
) -> bool:
    """Store one verified webhook and wake its shop's lane. False: stored before, or a shop we do not know.

    Durable when it returns; raises SQLAlchemyError when it could not be stored. Shop and topic come from unsigned
    headers: they choose the inbox, and nothing else is believed of them here.
    """
    parameters = {
        "domain": domain,
        "key": delivery_key(topic, webhook_id, body),
        "topic": topic[:LONGEST_HEADER],
        "webhook_id": webhook_id[:LONGEST_HEADER],
        "api_version": api_version[:LONGEST_HEADER],
        "triggered_at": triggered_at,
        "now": now,
        # A body that begins as a sealed one would be opened as one: nothing keeps a sender from writing that.
        "body": seal(body) if is_sealed(body) else body,
    }
    if not db.is_sqlite:
        # The product's hottest path: one statement, one round trip, no ORM.
        return db.store(_RECEIVE, parameters)
    with db.transaction() as session:
        shop_id = session.scalar(text(f"{_INSERT} RETURNING shop_id").bindparams(_NOW, _TRIGGERED_AT), parameters)
        if shop_id is not None:
            wake(session, shop_id, Lane.SETTLE, now)
        return shop_id is not None


_INSERT = """
INSERT INTO deliveries
  (shop_id, key, topic, source, webhook_id, api_version, triggered_at, received_at, body, state, due_at, tries,
   outcome, about)
SELECT shop_id, :key, :topic, 'webhook', :webhook_id, :api_version, :triggered_at, :now, :body, 'new', :now, 0, '', ''
FROM shops WHERE domain = :domain
ON CONFLICT DO NOTHING"""
_NOW, _TRIGGERED_AT = bindparam("now", type_=UtcDateTime), bindparam("triggered_at", type_=UtcDateTime)
# As PostgreSQL's driver writes parameters. The lane is woken by the same statement, unless it is due within the second
# anyway, or its row is locked: then its worker is writing a batch, and looks again after it (jobs.queue). A flood of
# webhooks must not queue on one row.
_STORED = re.sub(r":(\w+)", r"%(\1)s", _INSERT)
_RECEIVE = f"""
WITH stored AS ({_STORED} RETURNING shop_id),
     asleep AS (SELECT due_shops.shop_id FROM due_shops JOIN stored ON due_shops.shop_id = stored.shop_id
                WHERE lane = 'settle' AND next_due >= %(now)s + interval '1 second'
                FOR UPDATE OF due_shops SKIP LOCKED),
     woken AS (UPDATE due_shops SET next_due = %(now)s FROM asleep
               WHERE due_shops.shop_id = asleep.shop_id AND lane = 'settle')
SELECT shop_id FROM stored"""  # noqa: S608 - constants of this file


def hand_in(session: Session, shop_id: int, fetched: Iterable[tuple[int, bytes]], *, now: datetime) -> int:
    """Orders fetched from Shopify go through the same door as webhooks: (order id, facts as JSON). Returns how many."""
    rows = [
        {
            "shop_id": shop_id, "key": delivery_key(FETCHED, str(order_id), facts), "topic": FETCHED, "source": "fetch",
            "webhook_id": str(order_id), "api_version": "", "triggered_at": None, "received_at": now, "body": facts,
            "state": DeliveryState.NEW, "due_at": now, "tries": 0, "outcome": "", "about": f"order {order_id}",
        }
        for order_id, facts in fetched
    ]  # fmt: skip
    if rows:
        session.execute(upsert(session, Delivery).on_conflict_do_nothing(), rows)
        wake(session, shop_id, Lane.SETTLE, now)
    return len(rows)


def delivery_key(topic: str, webhook_id: str, body: bytes) -> bytes:
    """One delivery's identity: topic, id and body together, each ended unambiguously. No id: the body stands for it."""
    digest = sha256()
    for part in (topic.encode("utf-8", "replace"), webhook_id.encode("utf-8", "replace")):
        digest.update(len(part).to_bytes(4, "big") + part)
    digest.update(body)
    return digest.digest()


class Taken(NamedTuple):
    """A delivery in a worker's hands: the columns it needs, and no more machinery than that."""

    shop_id: int
    key: bytes
    topic: str
    source: str
    triggered_at: datetime | None
    received_at: datetime
    body: bytes | None
    tries: int


def take(session: Session, shop_id: int, *, limit: int, now: datetime) -> list[Taken]:
    """The shop's deliveries that are due, oldest first. The caller holds the settling lane, so nobody else has them."""
    rows = session.execute(
        select(*(getattr(Delivery, name) for name in Taken._fields))
        .where(Delivery.shop_id == shop_id, Delivery.state == DeliveryState.NEW, Delivery.due_at <= now)
        .order_by(Delivery.due_at)
        .limit(limit)
    )
    return [Taken(*row) for row in rows]


def finish(
    session: Session, shop_id: int, outcomes: Iterable[tuple[Taken, DeliveryState, str]], *, now: datetime
) -> None:
    """Note what each delivery came to, and erase its body: it was somebody's data and has done its work."""
    rows = [
        {
            "shop_id": shop_id, "key": bytes(delivery.key), "body": None, "state": state, "outcome": outcome[:500],
            "finished_at": now,
        }
        for delivery, state, outcome in outcomes
    ]  # fmt: skip
    update_rows(session, Delivery, rows)


def fail(session: Session, delivery: Taken, reason: str, *, about: str, final: bool, now: datetime) -> None:
    """Try again later, or park: the merchant sees the reason and can replay. A parked body is kept encrypted."""
    tries = delivery.tries + 1
    where = (Delivery.shop_id == delivery.shop_id, Delivery.key == delivery.key)
    if final or tries >= MOST_TRIES:
        body = delivery.body if is_sealed(delivery.body) else seal(delivery.body or b"")
        session.execute(
            update(Delivery)
            .where(*where)
            .values(
                state=DeliveryState.PARKED, tries=tries, outcome=reason[:500], about=about, body=body, finished_at=now
            )
        )
    else:
        session.execute(
            update(Delivery).where(*where).values(tries=tries, outcome=reason[:500], due_at=now + backoff(tries))
        )


SEALED = b"sealed:"  # no JSON body begins like this, and `receive` seals what does


def is_sealed(body: bytes | None) -> bool:
    return body is not None and bytes(body).startswith(SEALED)


def seal(body: bytes) -> bytes:
    return SEALED + Encrypted.box().encrypt(bytes(body))


def body_of(delivery: Taken | Delivery) -> bytes:
    """The bytes Shopify sent, whether the delivery was parked in between or not."""
    body = bytes(delivery.body or b"")
    return Encrypted.box().decrypt(body.removeprefix(SEALED)) if is_sealed(body) else body


def replay(session: Session, shop_id: int, key: bytes, *, now: datetime) -> None:
    """Work a parked delivery again. Pressed twice it is one replay. Raises `NotFound` for another shop's or none."""
    found = session.execute(
        update(Delivery)
        .where(Delivery.shop_id == shop_id, Delivery.key == key, Delivery.state == DeliveryState.PARKED)
        .values(state=DeliveryState.NEW, tries=0, due_at=now)
    )
    if found.rowcount != 1:  # type: ignore[attr-defined]
        known = session.scalar(select(literal(1)).where(Delivery.shop_id == shop_id, Delivery.key == key))
        if known is None:
            raise NotFound("This delivery is not here any more.")
    wake(session, shop_id, Lane.SETTLE, now)


def replay_all(session: Session, shop_id: int, *, topic: str | None, now: datetime) -> int:
    """Work every parked delivery (of a topic) again. Returns how many."""
    where = [Delivery.shop_id == shop_id, Delivery.state == DeliveryState.PARKED]
    if topic:
        where.append(Delivery.topic == topic)
    found = session.execute(update(Delivery).where(*where).values(state=DeliveryState.NEW, tries=0, due_at=now))
    wake(session, shop_id, Lane.SETTLE, now)
    return int(found.rowcount)  # type: ignore[attr-defined]


def discard(session: Session, shop_id: int, key: bytes, *, by: str, now: datetime) -> None:
    """Give a parked delivery up: its body is erased, the line stays."""
    found = session.execute(
        update(Delivery)
        .where(Delivery.shop_id == shop_id, Delivery.key == key, Delivery.state == DeliveryState.PARKED)
        .values(
            state=DeliveryState.IGNORED,
            body=None,
            finished_at=now,
            outcome=Delivery.outcome + f" Discarded by {by}.",
        )
    )
    if found.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound("This delivery is not here any more.")


def forget_old(session: Session, shop_id: int, *, now: datetime) -> int:
    """Settled deliveries keep id, topic, digest and outcome for 30 days, to recognise repeats; then they go."""
    gone = session.execute(
        delete(Delivery).where(
            Delivery.shop_id == shop_id,
            Delivery.received_at < now - KEPT,
            Delivery.state.in_([DeliveryState.DONE, DeliveryState.IGNORED]),
        )
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]

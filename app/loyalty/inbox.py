"""The webhook inbox: store first, understand later.

`receive` is all that happens in the request: one INSERT of the raw bodies. Everything else is the worker's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, literal, select, text, update
from sqlalchemy.orm import Session

from ..db import Database, Encrypted, UtcDateTime, update_rows, upsert
from ..errors import NotFound
from ..jobs.queue import MOST_TRIES, backoff, wake
from ..models import Delivery, DeliveryState, Lane, Shop

# What we asked Shopify for: an order, a customer. Told from a webhook of such a topic by Delivery.source.
FETCHED, CONFIRMED = "orders/fetched", "customers/confirmed"
KEPT = timedelta(days=30)
LONGEST_HEADER = 255


@dataclass(frozen=True, slots=True)
class Arrival:
    """One verified webhook. Shop and topic come from unsigned headers: they choose the inbox, and nothing else is
    believed of them here.
    """

    domain: str
    topic: str
    webhook_id: str
    api_version: str
    triggered_at: datetime | None
    body: bytes
    received_at: datetime

    def parameters(self) -> dict[str, Any]:
        return {
            "domain": self.domain,
            "key": delivery_key(self.topic, self.webhook_id, self.body),
            "topic": self.topic[:LONGEST_HEADER],
            "webhook_id": self.webhook_id[:LONGEST_HEADER],
            "api_version": self.api_version[:LONGEST_HEADER],
            "triggered_at": self.triggered_at,
            "now": self.received_at,
            # A body that begins as a sealed one would be opened as one: nothing keeps a sender from writing that.
            "body": seal(self.body) if is_sealed(self.body) else self.body,
        }


def receive(db: Database, arrivals: Sequence[Arrival]) -> int:
    """Store verified webhooks, all of them or none, and wake their shops' lanes. Returns how many were new: one that
    was stored before, or is for a shop we do not know, is nothing.

    Durable when it returns; raises SQLAlchemyError when they could not be stored.
    """
    # In the order of their keys: two processes that store the same repeats would else wait for each other.
    rows = sorted((arrival.parameters() for arrival in arrivals), key=itemgetter("key"))
    if not db.is_sqlite:
        # The product's hottest path: one statement, one round trip, no ORM; bodies go as bytes (%b), not as hex.
        return db.store(_RECEIVE, {name: [row[name] for row in rows] for name in rows[0]})
    with db.transaction() as session:
        stored: int = session.execute(text(_INSERT).bindparams(_NOW, _TRIGGERED_AT), rows).rowcount  # type: ignore[attr-defined]
        for domain in sorted({arrival.domain for arrival in arrivals}) if stored else ():
            shop_id = session.scalar(select(Shop.shop_id).where(Shop.domain == domain))
            if shop_id is not None:
                wake(session, shop_id, Lane.SETTLE, arrivals[0].received_at)
        return stored


_INSERT = """
INSERT INTO deliveries
  (shop_id, key, topic, source, webhook_id, api_version, triggered_at, received_at, body, state, due_at, tries,
   outcome, about)
SELECT shop_id, :key, :topic, 'webhook', :webhook_id, :api_version, :triggered_at, :now, :body, 'new', :now, 0, '', ''
FROM shops WHERE domain = :domain
ON CONFLICT DO NOTHING"""
_NOW, _TRIGGERED_AT = bindparam("now", type_=UtcDateTime), bindparam("triggered_at", type_=UtcDateTime)
# As PostgreSQL's driver writes parameters; each is an array, so that the statement's text is the same for any number.
# Lanes are woken by the same statement, unless one is due within the second anyway, or its row is locked: then its
# worker is writing a batch, and looks again after it (jobs.queue). A flood of webhooks must not queue on one row.
_RECEIVE = """
WITH stored AS (
  INSERT INTO deliveries
    (shop_id, key, topic, source, webhook_id, api_version, triggered_at, received_at, body, state, due_at, tries,
     outcome, about)
  SELECT shop_id, key, topic, 'webhook', webhook_id, api_version, triggered_at, now, body, 'new', now, 0, '', ''
  FROM unnest(%(domain)b::text[], %(key)b::bytea[], %(topic)b::text[], %(webhook_id)b::text[], %(api_version)b::text[],
              %(triggered_at)b::timestamptz[], %(now)b::timestamptz[], %(body)b::bytea[])
    AS arrived (domain, key, topic, webhook_id, api_version, triggered_at, now, body)
  JOIN shops USING (domain)
  ON CONFLICT DO NOTHING
  RETURNING shop_id, received_at),
asleep AS (
  SELECT due_shops.shop_id FROM due_shops
  WHERE lane = 'settle' AND shop_id IN (SELECT shop_id FROM stored)
    AND next_due >= (SELECT min(received_at) FROM stored) + interval '1 second'
  FOR UPDATE SKIP LOCKED),
woken AS (
  UPDATE due_shops SET next_due = (SELECT min(received_at) FROM stored) FROM asleep
  WHERE due_shops.shop_id = asleep.shop_id AND lane = 'settle')
SELECT count(*) FROM stored"""


class Fetched(NamedTuple):
    """What Shopify answered, on its way to be settled."""

    topic: str
    name: str  # what it is about: with topic and body, what makes it the same delivery
    body: bytes
    about: str


def hand_in(session: Session, shop_id: int, fetched: Iterable[Fetched], *, now: datetime) -> int:
    """What was fetched from Shopify goes through the same door as webhooks. Returns how many."""
    rows = [
        {
            "shop_id": shop_id, "key": delivery_key(answer.topic, answer.name, answer.body), "topic": answer.topic,
            "source": "fetch", "webhook_id": answer.name, "api_version": "", "triggered_at": None, "received_at": now,
            "body": answer.body, "state": DeliveryState.NEW, "due_at": now, "tries": 0, "outcome": "",
            "about": answer.about,
        }
        for answer in fetched
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

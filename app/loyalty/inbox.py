"""The webhook inbox: store first, understand later.

`receive` is all that happens in the request: one INSERT of the raw body. Everything else is the worker's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import bindparam, delete, func, literal, select, update
from sqlalchemy.orm import Session

from ..db import Encrypted, upsert
from ..errors import NotFound
from ..jobs.queue import MOST_TRIES, backoff, wake
from ..models import Delivery, DeliveryState, Lane, Shop

FETCHED = "orders/fetched"  # an order we asked Shopify for; never a webhook's topic, see Delivery.source
KEPT = timedelta(days=30)
LONGEST_HEADER = 255


def receive(
    session: Session,
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

    Shop and topic come from unsigned headers: they choose the inbox, and nothing else is believed of them here.
    """
    key = delivery_key(topic, webhook_id, body)
    shop_id = session.scalar(select(Shop.shop_id).where(Shop.domain == domain))
    if shop_id is None:
        return False
    stored = session.scalar(
        upsert(session, Delivery)
        .values(
            shop_id=shop_id, key=key, topic=topic[:LONGEST_HEADER], source="webhook",
            webhook_id=webhook_id[:LONGEST_HEADER], api_version=api_version[:LONGEST_HEADER],
            triggered_at=triggered_at, received_at=now, body=body, state=DeliveryState.NEW, due_at=now,
            tries=0, outcome="", about="",
        )
        .on_conflict_do_nothing()
        .returning(literal(1))
    )  # fmt: skip
    if stored is None:
        return False
    wake(session, shop_id, Lane.SETTLE, now)
    return True


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


def take(session: Session, shop_id: int, *, limit: int, now: datetime) -> list[Delivery]:
    """The shop's deliveries that are due, oldest first. The caller holds the settling lane, so nobody else has them."""
    return list(
        session.scalars(
            select(Delivery)
            .where(Delivery.shop_id == shop_id, Delivery.state == DeliveryState.NEW, Delivery.due_at <= now)
            .order_by(Delivery.due_at)
            .limit(limit)
        )
    )


def finish(
    session: Session, shop_id: int, outcomes: Iterable[tuple[Delivery, DeliveryState, str]], *, now: datetime
) -> None:
    """Note what each delivery came to, and erase its body: it was somebody's data and has done its work."""
    rows = [
        {"the_key": delivery.key, "state": state, "outcome": outcome[:500], "finished_at": now}
        for delivery, state, outcome in outcomes
    ]
    if rows:
        statement = (
            update(Delivery.__table__)  # type: ignore[arg-type]
            .where(Delivery.shop_id == shop_id, Delivery.key == bindparam("the_key"))
            .values(
                body=None, state=bindparam("state"), outcome=bindparam("outcome"), finished_at=bindparam("finished_at")
            )
        )
        session.connection().execute(statement, rows)


def fail(session: Session, delivery: Delivery, reason: str, *, about: str, final: bool, now: datetime) -> None:
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


SEALED = b"sealed:"  # no JSON body begins like this


def is_sealed(body: bytes | None) -> bool:
    return body is not None and bytes(body).startswith(SEALED)


def seal(body: bytes) -> bytes:
    return SEALED + Encrypted.box().encrypt(bytes(body))


def body_of(delivery: Delivery) -> bytes:
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
            outcome=func.concat(Delivery.outcome, f" Discarded by {by}."),
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

"""Rate limits that count failures only: guesses at rewards, codes and other people's redemptions (GAUNTLET G28b).

Kept in the database, so that a limit is one limit however many processes there are, and found by the signed customer
id, so that no header resets it. Honest redemptions never write here.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..db import upsert
from ..errors import TooManyTries
from ..models import FailedTry, Shop
from .members import customer_hash

TRIES_A_MINUTE = 20
KEPT_MINUTES = 60


def check(session: Session, shop: Shop, customer_id: int, *, now: datetime) -> None:
    """Raises `TooManyTries` for somebody whose tries of this minute all came to nothing."""
    tries = session.scalar(
        select(FailedTry.tries).where(
            FailedTry.shop_id == shop.shop_id,
            FailedTry.who == customer_hash(shop, customer_id),
            FailedTry.minute == _minute(now),
        )
    )
    if tries is not None and tries >= TRIES_A_MINUTE:
        raise TooManyTries


def note(session: Session, shop: Shop, customer_id: int, *, now: datetime) -> None:
    """One more that came to nothing. Raises `TooManyTries` for one too many, however many come at once: each waits for
    the count of those before it. What is an hour old goes with it.
    """
    statement = upsert(session, FailedTry).values(
        shop_id=shop.shop_id, who=customer_hash(shop, customer_id), minute=_minute(now), tries=1
    )
    tries = session.scalar(
        statement.on_conflict_do_update(
            index_elements=["shop_id", "who", "minute"], set_={"tries": FailedTry.tries + 1}
        ).returning(FailedTry.tries)
    )
    if tries is not None and tries > TRIES_A_MINUTE:
        raise TooManyTries
    session.execute(
        delete(FailedTry).where(FailedTry.shop_id == shop.shop_id, FailedTry.minute < _minute(now) - KEPT_MINUTES)
    )


def _minute(now: datetime) -> int:
    return int(now.timestamp()) // 60

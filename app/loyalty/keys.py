"""Rotate ENCRYPTION_KEYS: everything encrypted at rest is written anew with the first key."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from ..models import Delivery, DeliveryState, Redemption, Shop, ShopToken
from .inbox import SEALED, body_of, seal


def rotate(session: Session) -> int:
    """Returns how many values were written. Old keys may be dropped once this has run."""
    written = 0
    for shop in session.scalars(select(Shop).order_by(Shop.shop_id)).all():
        # Reading decrypts with any key, writing encrypts with the first; only the attribute must be seen as changed.
        flag_modified(shop, "hash_key")
        written += 1
        # Locked: a pair refreshed between our reading and our writing would be overwritten by the dead one.
        token = session.get(ShopToken, shop.shop_id, with_for_update=True, populate_existing=True)
        if token is not None:
            flag_modified(token, "access_token")
            flag_modified(token, "refresh_token")
            written += 2
        written += _bodies(session, shop.shop_id) + _cards(session, shop.shop_id)
    session.flush()
    return written


def _cards(session: Session, shop_id: int) -> int:
    """Gift cards' codes."""
    cards = session.scalars(
        select(Redemption).where(Redemption.shop_id == shop_id, Redemption.card_code.is_not(None)).with_for_update()
    ).all()
    for redemption in cards:
        flag_modified(redemption, "card_code")
    return len(cards)


def _bodies(session: Session, shop_id: int) -> int:
    """Parked bodies, and those of parked deliveries that wait to be tried again."""
    sealed = session.scalars(
        select(Delivery)
        .where(
            Delivery.shop_id == shop_id,
            Delivery.state.in_([DeliveryState.PARKED, DeliveryState.NEW]),
            func.substr(Delivery.body, 1, len(SEALED)) == SEALED,
        )
        .with_for_update()
    ).all()
    for delivery in sealed:
        delivery.body = seal(body_of(delivery))
    return len(sealed)

"""Rotate ENCRYPTION_KEYS: everything encrypted at rest is written anew with the first key."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from ..models import Delivery, DeliveryState, Shop, ShopToken
from .inbox import body_of, is_sealed, seal


def rotate(session: Session) -> int:
    """Returns how many values were written. Old keys may be dropped once this has run."""
    written = 0
    for shop in session.scalars(select(Shop)):
        # Reading decrypts with any key, writing encrypts with the first; only the attribute must be seen as changed.
        flag_modified(shop, "hash_key")
        written += 1
    # Locked: a pair that a worker refreshed between our reading and our writing would be overwritten by the dead one.
    for token in session.scalars(select(ShopToken).order_by(ShopToken.shop_id).with_for_update()):
        flag_modified(token, "access_token")
        flag_modified(token, "refresh_token")
        written += 2
    for delivery in session.scalars(select(Delivery).where(Delivery.state == DeliveryState.PARKED).with_for_update()):
        if is_sealed(delivery.body):
            delivery.body = seal(body_of(delivery))
            written += 1
    session.flush()
    return written

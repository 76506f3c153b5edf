"""Which customer is logged in to a shop's storefront: a signed cookie of the dev store, read by pages and app proxy.

log_in(shop, customer_id)  log_out(shop)  logged_in(devstore, shop) -> Customer | None
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import session

from .records import Customer, Shop

if TYPE_CHECKING:
    from .state import DevStore


def log_in(shop: Shop, customer_id: int) -> None:
    session[_key(shop)] = customer_id


def log_out(shop: Shop) -> None:
    """Of this shop only."""
    session.pop(_key(shop), None)


def logged_in(devstore: DevStore, shop: Shop) -> Customer | None:
    """None for a visitor, and for a customer who is gone since."""
    customer_id = session.get(_key(shop))
    return devstore.customer(shop, customer_id) if isinstance(customer_id, int) else None


def _key(shop: Shop) -> str:
    return f"customer:{shop.id}"

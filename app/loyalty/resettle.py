"""Settle orders of a span again, because the rules that judge them became known later than they did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Order, Shop
from .programs import timeline
from .settle import settle_orders


def resettle(session: Session, shop_id: int, start: datetime, end: datetime, *, now: datetime) -> int:
    """Settle every order created in [start, end) anew. Returns how many."""
    shop = session.get_one(Shop, shop_id)
    order_ids = session.scalars(
        select(Order.order_id).where(Order.shop_id == shop_id, Order.created_at >= start, Order.created_at < end)
    ).all()
    settle_orders(session, shop, {}, timeline(session, shop_id), now=now, again=order_ids)
    return len(order_ids)

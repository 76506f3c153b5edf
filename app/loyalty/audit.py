"""The whole audit of a shop: the books, that they hold what every order's decision says (I5), and rewards (I7)."""

from __future__ import annotations

import orjson
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from .. import ledger
from ..ledger import Account, Entry
from ..models import Order
from .audit_rewards import audit_rewards


def audit_shop(session: Session, shop_id: int) -> list[str]:
    """Every disagreement, in words; empty when all is well."""
    problems = ledger.audit(session, shop_id)
    held = _held_by_cause(session, shop_id)
    rows = session.execute(
        select(Order.order_id, Order.member_id, Order.points, Order.decision)
        .where(Order.shop_id == shop_id)
        .execution_options(yield_per=1000)
    )
    for order_id, member_id, points, decision in rows:
        entries = held.pop(f"order:{order_id}", 0)
        if points != entries:
            problems.append(f"shop {shop_id} order {order_id}: holds {points} points, its entries say {entries}")
        decided = orjson.loads(decision)["points"] if decision and member_id is not None else 0
        if decided != points:
            problems.append(f"shop {shop_id} order {order_id}: holds {points} points, its decision says {decided}")
    problems += [
        f"shop {shop_id}: {points} points held for {cause}, which is not there"
        for cause, points in held.items()
        if points
    ]
    problems += audit_rewards(session, shop_id)
    return problems


def _held_by_cause(session: Session, shop_id: int) -> dict[str, int]:
    signed = case(
        (Entry.source == Account.ISSUED, Entry.points), (Entry.target == Account.ISSUED, -Entry.points), else_=0
    )
    rows = session.execute(
        select(Entry.cause, func.sum(signed))
        .where(Entry.shop_id == shop_id, Entry.cause.startswith("order:"))
        .group_by(Entry.cause)
    )
    return {cause: int(points) for cause, points in rows}

"""One customer's balance, now or at a past moment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from ...ledger import Balance
from ...ledger.audit import balance_at
from ..members import members_of


def balance_of(session: Session, shop_id: int, customer_id: int, *, at: datetime | None = None) -> dict[str, int]:
    """``available``, ``pending``, ``reserved``, ``debt``; zeros for a customer who is no member."""
    member_id = members_of(session, shop_id, [customer_id]).get(customer_id)
    if member_id is None:
        return dict.fromkeys(("available", "pending", "reserved", "debt"), 0)
    if at is not None:
        return balance_at(session, shop_id, member_id, at)
    balance = session.get(Balance, (shop_id, member_id)) or Balance(available=0, pending=0, reserved=0, debt=0)
    return {
        "available": balance.available,
        "pending": balance.pending,
        "reserved": balance.reserved,
        "debt": balance.debt,
    }

"""What an operator needs to know of one shop: never a secret, never a person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...models import Delivery, Job, Member, Order, ProgramVersion, Shop, ShopToken


def describe_shop(session: Session, shop: Shop) -> dict[str, Any]:
    token = session.get(ShopToken, shop.shop_id)
    return {
        "shop_id": shop.shop_id,
        "domain": shop.domain,
        "currency": shop.currency,
        "timezone": shop.timezone,
        "installed_at": shop.installed_at.isoformat(),
        "uninstalled_at": shop.uninstalled_at.isoformat() if shop.uninstalled_at else None,
        "scopes": shop.scopes,
        "token": _token(token),
        "versions": _count(session, ProgramVersion, shop.shop_id),
        "members": _count(session, Member, shop.shop_id),
        "orders": _count(session, Order, shop.shop_id),
        "deliveries": _by_state(session, Delivery, shop.shop_id),
        "jobs": _by_state(session, Job, shop.shop_id),
        "reconciled_at": shop.reconciled_at.isoformat() if shop.reconciled_at else None,
    }


def _token(token: ShopToken | None) -> str:
    if token is None:
        return "none"
    return "needs reopening" if token.needs_reopening else f"refreshed {token.refreshed_at.isoformat()}"


def _count(session: Session, model: Any, shop_id: int) -> int:
    return session.scalar(select(func.count()).select_from(model).where(model.shop_id == shop_id)) or 0


def _by_state(session: Session, model: Any, shop_id: int) -> dict[str, int]:
    rows = session.execute(select(model.state, func.count()).where(model.shop_id == shop_id).group_by(model.state))
    return {str(state): count for state, count in rows}

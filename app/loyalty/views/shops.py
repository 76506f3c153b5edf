"""Which shop is asking: what the doors need before anything else."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import Shop


def shop_of(session: Session, shop_id: int) -> Shop:
    """A shop whose token or signature was verified, so it exists."""
    return session.get_one(Shop, shop_id)


def installed_at(session: Session, domain: str) -> int | None:
    """The id of the shop that has the app installed under this domain."""
    return session.scalar(select(Shop.shop_id).where(Shop.domain == domain, Shop.uninstalled_at.is_(None)))


__all__ = ["Shop", "installed_at", "shop_of"]

"""Which shop is asking: what the doors need before anything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from ...db import Database, Prepared
from ...models import Member, Shop
from ...models.shop import zone_named


def shop_of(session: Session, shop_id: int) -> Shop:
    """A shop whose token or signature was verified, so it exists."""
    return session.get_one(Shop, shop_id)


def installed_at(session: Session, domain: str) -> int | None:
    """The id of the shop that has the app installed under this domain."""
    return session.scalar(select(Shop.shop_id).where(Shop.domain == domain, Shop.uninstalled_at.is_(None)))


@dataclass(frozen=True, slots=True)
class Standing:
    """A customer's place in a shop that has the app: whose books count for them, None for one never heard of."""

    shop_id: int
    member_id: int | None
    zone: tzinfo  # the shop's


STANDING = Prepared(
    lambda insert: (
        select(Shop.shop_id, Shop.timezone, Member.member_id, Member.merged_into)
        .outerjoin(Member, (Member.shop_id == Shop.shop_id) & (Member.customer_id == bindparam("customer")))
        .where(Shop.domain == bindparam("domain"), Shop.uninstalled_at.is_(None))
    )
)


def standing_of(db: Database, domain: str, customer_id: int | None) -> Standing | None:
    """In one question, since every request of a storefront begins with it. None where the app is not installed."""
    for row in db.look(STANDING, domain=domain, customer=customer_id):
        return Standing(row.shop_id, row.merged_into or row.member_id, zone_named(row.timezone))
    return None


__all__ = ["Shop", "Standing", "shop_of", "standing_of"]

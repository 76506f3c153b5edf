"""No dead codes: those of a past month that nobody had are deleted, then their discount (FEATURES R16).

A code that was never handed out cannot be used by anybody, so deleting it needs none of the care of `release`.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy import func, select, update

from ..models import Code, CodeState, Discount, Redemption, RedemptionState, Shop
from ..program.redeeming import month_of_issue
from ..shopify.discounts import delete_codes, delete_discount
from .access import Access

CODES_A_CALL = 250


def tidy_codes(access: Access, shop_id: int) -> None:
    """Network verb: delete what is left over of months that are past. Doing it again is nothing."""
    for key, gid in _past(access, shop_id):
        while codes := _retire(access, shop_id, key):
            gids = [code_gid for _, code_gid in codes if code_gid is not None]
            if gid is not None and gids:
                access.ask(shop_id, partial(delete_codes, discount_gid=gid, redeem_code_gids=gids))
            with access.db.transaction() as session:
                names = [code for code, _ in codes]
                session.execute(
                    update(Code).where(Code.shop_id == shop_id, Code.code.in_(names)).values(state=CodeState.GONE)
                )
        if _is_over(access, shop_id, key):
            if gid is not None:
                access.ask(shop_id, partial(delete_discount, discount_gid=gid))
            with access.db.transaction() as session:
                session.execute(
                    update(Discount)
                    .where(Discount.shop_id == shop_id, Discount.key == key)
                    .values(removed_at=access.clock())
                )


def _past(access: Access, shop_id: int) -> list[tuple[str, str | None]]:
    with access.db.reading() as session:
        shop = session.get(Shop, shop_id)
        if shop is None or not shop.is_installed:
            return []
        current = month_of_issue(access.clock(), shop.zone)
        rows = session.execute(
            select(Discount.key, Discount.gid).where(
                Discount.shop_id == shop_id, Discount.month < current, Discount.removed_at.is_(None)
            )
        )
        return [(row.key, row.gid) for row in rows]


def _retire(access: Access, shop_id: int, key: str) -> list[tuple[str, str | None]]:
    """A call's worth of codes that nobody can be given any more: (code, its id at Shopify)."""
    with access.db.transaction() as session:
        # No more of them for a month that is over.
        session.execute(update(Discount).where(Discount.shop_id == shop_id, Discount.key == key).values(wanted=0))
        free = select(Code.code).where(
            Code.shop_id == shop_id, Code.discount_key == key, Code.state.in_([CodeState.FREE, CodeState.RETIRED])
        )
        some = session.scalars(free.limit(CODES_A_CALL).with_for_update(skip_locked=True)).all()
        retired = session.execute(
            update(Code)
            .where(Code.shop_id == shop_id, Code.code.in_(some))
            .values(state=CodeState.RETIRED)
            .returning(Code.code, Code.gid)
        )
        return [(row.code, row.gid) for row in retired]


def _is_over(access: Access, shop_id: int, key: str) -> bool:
    """Whether the discount has ended and no code of it is with anybody."""
    with access.db.reading() as session:
        now: datetime = access.clock()
        discount = session.get_one(Discount, (shop_id, key))
        out = session.scalar(
            select(func.count()).where(
                Redemption.shop_id == shop_id,
                Redemption.discount_key == key,
                Redemption.state.in_([RedemptionState.RESERVED, RedemptionState.ISSUED, RedemptionState.RELEASING]),
            )
        )
        return discount.ends_at <= now and not out

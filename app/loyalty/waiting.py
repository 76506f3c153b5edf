"""Redemptions that wait for a code: they are served the oldest first, sent to another discount, or get their points
back. Each is changed under its member's balance, so nobody can call one back in the middle of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from ..db import Direct
from ..ledger import Books
from ..models import IS_HELD, Discount, Redemption, RedemptionState, RewardTerms, Shop
from ..program.rewards import Reward
from .access import Access
from .equip import issue, take_code
from .redeem import tell
from .release import give_points_back

SERVED_AT_ONCE = 250


def serve_waiting(access: Access, shop_id: int, key: str) -> int:
    """Hand free codes to the redemptions that wait for one of this discount. Returns how many got one."""
    served = 0
    with access.db.reading() as session:
        waiting = session.execute(_waiting_for(shop_id, key).limit(SERVED_AT_ONCE)).all()
    if not waiting:
        return 0
    with access.db.transaction() as session:
        now = access.clock()
        books = Books(session, shop_id, now=now)
        books.open(row.member_id for row in waiting)
        shop, discount = session.get_one(Shop, shop_id), session.get_one(Discount, (shop_id, key))
        reward = Reward.model_validate(session.get_one(RewardTerms, (shop_id, discount.reward_id)).reward)
        for redemption in _still_waiting(session, shop_id, waiting):
            code = take_code(Direct.of(session), shop_id, key, redemption.redemption_id)
            if code is None:
                break
            issue(redemption, code, reward, now, shop.zone)
            # One that waited into another month keeps no longer than its discount.
            redemption.expires_at = min(redemption.expires_at or discount.ends_at, discount.ends_at)
            served += 1
    return served


def send_waiting(session: Session, books: Books, shop_id: int, key: str, other_key: str) -> None:
    """Whoever waits for a code of this discount waits for one of the other."""
    waiting = session.execute(_waiting_for(shop_id, key)).all()
    books.open(row.member_id for row in waiting)
    for redemption in _still_waiting(session, shop_id, waiting):
        redemption.discount_key = other_key


def give_up(access: Access, shop_id: int, key: str, problem: str) -> None:
    """No code can be made of this discount: whoever waits for one has their points back, with the reason."""
    with access.db.transaction() as session:
        now = access.clock()
        waiting = session.execute(_waiting_for(shop_id, key)).all()
        books = Books(session, shop_id, now=now)
        books.open(row.member_id for row in waiting)
        for redemption in _still_waiting(session, shop_id, waiting):
            redemption.why, redemption.releasing_at = "not_made", now
            give_points_back(session, books, redemption, now=now)
            redemption.problem = problem[:500]
        session.execute(
            update(Discount)
            .where(Discount.shop_id == shop_id, Discount.key == key)
            .values(problem=problem[:500], wanted=0)
        )
        session.flush()
        books.close()
        tell(session, shop_id, books, now)


def _waiting_for(shop_id: int, key: str) -> Select[str, int]:
    return (
        select(Redemption.redemption_id, Redemption.member_id)
        .where(
            Redemption.shop_id == shop_id,
            IS_HELD,
            Redemption.state == RedemptionState.RESERVED,
            Redemption.discount_key == key,
        )
        .order_by(Redemption.reserved_at)
    )


def _still_waiting(session: Session, shop_id: int, waiting: Sequence[Any]) -> Sequence[Redemption]:
    """Those of them that wait, read under their balances' locks. One whose member was merged into another at this very
    moment is the other's, whose balance nobody holds here: it is left to the next round.
    """
    return session.scalars(
        select(Redemption)
        .where(
            Redemption.shop_id == shop_id,
            Redemption.redemption_id.in_([row.redemption_id for row in waiting]),
            Redemption.member_id.in_({row.member_id for row in waiting}),
            Redemption.state == RedemptionState.RESERVED,
        )
        .order_by(Redemption.reserved_at)
        .execution_options(populate_existing=True)
    ).all()

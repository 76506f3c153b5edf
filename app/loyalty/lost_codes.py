"""Codes that somebody deleted at Shopify behind our back: alone, or with their discount.

Those of a pool are not handed out any more. Who has one cannot use it, and nobody has used it unless an order says so:
once that has been looked for they get another code while their reward is offered, else their points back.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..errors import NotFound, Refused
from ..jobs.queue import enqueue
from ..models import IS_FREE, Code, CodeState, Discount, Lane, Redemption, RedemptionState
from ..shopify.discounts import count_codes, find_codes
from .access import Access
from .programs import live_settings
from .release import cancel, hold_redemption, reissue
from .sweep_releases import SWEEP_AFTER

COMPARED_AT_ONCE = 250
SEEN_EVERYWHERE = timedelta(minutes=10)  # what was made so long ago is in every one of Shopify's answers
AT_SHOPIFY = (CodeState.FREE, CodeState.TAKEN, CodeState.RETIRED)
REPLACED = "Somebody deleted its code in Shopify. It gets another one."
RETURNED = "Somebody deleted its code in Shopify, and the reward is not offered any more. Its points come back."


def replace_if_gone(access: Access, shop_id: int, key: str, gid: str) -> bool:
    """Network verb: whether Shopify does not know the discount any more. Then its codes are gone with it, and whoever
    needs one has another discount made. Doing it again, wherever it was interrupted, is nothing.
    """
    if access.ask(shop_id, lambda client: count_codes(client, gid)) is not None:
        return False
    pool = (Code.shop_id == shop_id, Code.discount_key == key)
    with access.db.transaction() as session:  # first: nobody is given one any more
        session.execute(update(Code).where(*pool, IS_FREE).values(state=CodeState.GONE))
    _make_good(access, shop_id, _out(access, shop_id, key, None))
    with access.db.transaction() as session:
        mine = (Discount.shop_id == shop_id, Discount.key == key)
        forgotten = {"gid": None, "bulk_gid": None, "bulk_at": None, "made_at": None}
        session.execute(update(Discount).where(*mine, Discount.gid == gid).values(**forgotten))
        held = select(Redemption.redemption_id).where(
            Redemption.shop_id == shop_id, Redemption.state == RedemptionState.ISSUED, Redemption.code == Code.code
        )
        rest = update(Code).where(*pool, Code.state.in_(AT_SHOPIFY), ~held.exists())
        session.execute(rest.values(state=CodeState.GONE).execution_options(synchronize_session=False))
    return True


def some_are_missing(access: Access, shop_id: int, key: str, gid: str, *, made_at: datetime | None, ours: int) -> bool:
    """Network verb: whether the discount has fewer codes than the ``ours`` that we know of. One that is gone altogether
    is seen to here.
    """
    if made_at is None or made_at > access.clock() - SEEN_EVERYWHERE:
        return False
    there = access.ask(shop_id, lambda client: count_codes(client, gid))
    if there is None:
        replace_if_gone(access, shop_id, key, gid)
        return False
    return there.is_exact and there.codes < ours


def compare_some(access: Access, shop_id: int, key: str, gid: str, after: str) -> str | None:
    """Network verb: look whether codes of ours are at Shopify, from the one that follows ``after`` on, and see to those
    that are not. Returns where to go on, None at the end.
    """
    with access.db.reading() as session:
        codes = session.scalars(
            select(Code.code)
            .where(
                Code.shop_id == shop_id, Code.discount_key == key, Code.code > after,
                Code.state.in_([CodeState.FREE, CodeState.TAKEN]),
            )
            .order_by(Code.code)
            .limit(COMPARED_AT_ONCE)
        ).all()  # fmt: skip
    there = access.ask(shop_id, lambda client: find_codes(client, gid, codes))
    if lost := [code for code in codes if code not in there]:
        with access.db.transaction() as session:
            pool = update(Code).where(Code.shop_id == shop_id, Code.code.in_(lost))
            session.execute(pool.where(IS_FREE).values(state=CodeState.GONE))
        out = _out(access, shop_id, key, lost)
        _make_good(access, shop_id, out)
        with access.db.transaction() as session:
            rest = pool.where(Code.state == CodeState.TAKEN, Code.code.not_in(out.values()))
            session.execute(rest.values(state=CodeState.GONE))
    return codes[-1] if len(codes) == COMPARED_AT_ONCE else None


def _out(access: Access, shop_id: int, key: str, codes: Sequence[str] | None) -> dict[str, str]:
    """Redemption → its code, of those that somebody has and can use; ``codes`` None means all of the discount's."""
    with access.db.reading() as session:
        found = session.execute(
            select(Redemption.redemption_id, Redemption.code).where(
                Redemption.shop_id == shop_id,
                Redemption.discount_key == key,
                Redemption.state == RedemptionState.ISSUED,
                *([Redemption.code.in_(codes)] if codes is not None else []),
            )
        )
        return {row.redemption_id: row.code for row in found}


def _make_good(access: Access, shop_id: int, out: dict[str, str]) -> None:
    for redemption_id, code in sorted(out.items()):
        with suppress(Refused, NotFound), access.db.transaction() as session:
            _let_go(session, shop_id, redemption_id, code, access.clock())


def _let_go(session: Session, shop_id: int, redemption_id: str, code: str, now: datetime) -> None:
    """Like any other release, but for the deletion, which is done."""
    _, redemption = hold_redemption(session, shop_id, redemption_id, now=now)
    if redemption.state is not RedemptionState.ISSUED or redemption.code != code:
        return
    settings = live_settings(session, shop_id, now)
    if settings is not None and redemption.reward_id in settings.rewards_by_id:
        reissue(session, shop_id, redemption_id, by="", now=now)
        redemption.problem = REPLACED
    else:
        cancel(session, shop_id, redemption_id, member_id=None, by="", why="deleted", now=now)
        redemption.problem = RETURNED
    redemption.code_gone_at = now
    session.execute(update(Code).where(Code.shop_id == shop_id, Code.code == code).values(state=CodeState.GONE))
    enqueue(session, shop_id, "sweep_releases", lane=Lane.NETWORK, now=now, due_at=now + SWEEP_AFTER)

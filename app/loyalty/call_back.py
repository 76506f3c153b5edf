"""Call codes back: once a code is deleted at Shopify, and Shopify confirms that, nobody can use it.

One turn takes a second or two. At the end of a month thousands of codes go, and in another shop somebody may be waiting
for theirs. A code that was looked at and is still there has a date for its next look, so that what cannot be deleted
now (it was used, Shopify refuses) hides nothing behind it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from ..errors import Rejected
from ..jobs.queue import enqueue
from ..models import IS_HELD, IS_ODD, Code, CodeState, Discount, Lane, Redemption, RedemptionState
from ..shopify.discounts import RedeemCode, delete_codes, find_codes, job_done
from ..shopify.orders import orders_with_code
from .access import Access
from .release import BEING_LOOKED_FOR, SWEEP_AFTER, UNFOUND

CODES_A_CALL = 250
WORK_FOR_S = 1.5
POLL_S = (0.0, 0.3, 0.6)
LOOK_AGAIN = timedelta(seconds=5)  # at a deletion that Shopify has not finished
LOOK_FOR_ORDER_AGAIN = timedelta(minutes=5)
FIND_WITHIN = timedelta(days=3)  # an order; later than that only a person can say what became of its code
LOOK_ANYWAY = timedelta(days=1)
LOOK_AFTER_REFUSAL = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Codes of one discount that are to be gone: as many as a call takes."""

    discount_gid: str | None
    codes: list[str]


def delete_released_codes(access: Access, shop_id: int) -> None:
    """Network verb: have the codes of everything that is being let go deleted, and note what Shopify confirms. With
    them go codes that took the place of one that was used all the same.
    """
    until = time.monotonic() + WORK_FOR_S
    while (batch := _next_batch(access, shop_id)) is not None:
        try:
            _delete(access, shop_id, batch, until)
        except Rejected as refusal:  # of this discount; the others are none the worse for it
            _look_later(
                access, shop_id, batch.codes, LOOK_AFTER_REFUSAL,
                problem=f"Shopify does not delete the code: {refusal.message}"[:500],
            )  # fmt: skip
        if time.monotonic() > until:
            break
    with access.db.transaction() as session:
        now = access.clock()
        looks = [session.execute(which.limit(1)).first() for which in _called_back(shop_id)]
        if moments := [row.look_at or now for row in looks if row is not None]:
            enqueue(session, shop_id, "delete_codes", lane=Lane.NETWORK, now=now, due_at=max(now, min(moments)))


def _next_batch(access: Access, shop_id: int) -> _Batch | None:
    with access.db.reading() as session:
        now = access.clock()
        due = [which.where(or_(Code.look_at.is_(None), Code.look_at <= now)) for which in _called_back(shop_id)]
        first = next((row for which in due if (row := session.execute(which.limit(1)).first())), None)
        if first is None:
            return None
        rows = [
            row
            for which in due
            for row in session.execute(which.where(Code.discount_key == first.discount_key).limit(CODES_A_CALL))
        ]
        discount = session.get_one(Discount, (shop_id, first.discount_key))
        return _Batch(discount.gid, [row.code for row in rows[:CODES_A_CALL]])


def _called_back(shop_id: int) -> tuple[Select[str, str, datetime | None], Select[str, str, datetime | None]]:
    """Codes that are to be gone and are not yet, those first whose next look is soonest: of redemptions that are being
    let go, and of used ones that have one too many.
    """
    which = select(Code.code, Code.discount_key, Code.look_at).order_by(Code.look_at.asc().nulls_first(), Code.code)
    return (
        which.join(Redemption, (Redemption.shop_id == Code.shop_id) & (Redemption.code == Code.code)).where(
            Redemption.shop_id == shop_id,
            IS_HELD,
            Redemption.state == RedemptionState.RELEASING,
            Redemption.code_gone_at.is_(None),
        ),
        which.where(Code.shop_id == shop_id, IS_ODD, Code.state == CodeState.RETIRED, Code.redemption_id.is_not(None)),
    )


def _delete(access: Access, shop_id: int, batch: _Batch, until: float) -> None:
    """Deleting a code that is gone is nothing, so all of it may be done again."""
    codes, gid = batch.codes, batch.discount_gid
    there = _find(access, shop_id, gid, codes)
    _note_gone(access, shop_id, [code for code in codes if code not in there])
    unused = {code: known for code, known in there.items() if not known.uses}
    if gid is not None and unused:
        gids = [known.gid for known in unused.values()]
        job = access.ask(shop_id, lambda client: delete_codes(client, gid, gids))
        if not _is_done(access, shop_id, job):
            _look_later(access, shop_id, list(unused), LOOK_AGAIN)
        else:
            left = _find(access, shop_id, gid, list(unused))
            _note_gone(access, shop_id, [code for code in unused if code not in left])
            _look_later(access, shop_id, [code for code, known in left.items() if not known.uses], LOOK_AGAIN)
            there |= left  # what was used in this very moment
    for code in [code for code, known in there.items() if known.uses]:
        _look_for_its_order(access, shop_id, code)
        if time.monotonic() > until:
            break  # the next turn looks at the others again


def _find(access: Access, shop_id: int, gid: str | None, codes: Sequence[str]) -> dict[str, RedeemCode]:
    return access.ask(shop_id, lambda client: find_codes(client, gid, codes)) if gid is not None else {}


def _is_done(access: Access, shop_id: int, job: str) -> bool:
    for pause in POLL_S:
        time.sleep(pause)
        try:
            if access.ask(shop_id, lambda client: job_done(client, job)):
                return True
        except Rejected as refusal:
            if refusal.code == "job_gone":
                return True  # so long ago that it is forgotten: what is still there says more
            raise
    return False


def _note_gone(access: Access, shop_id: int, codes: Sequence[str]) -> None:
    if not codes:
        return
    with access.db.transaction() as session:
        now = access.clock()
        session.execute(
            update(Redemption)
            .where(*_let_go_with(shop_id, codes), Redemption.code_gone_at.is_(None))
            .values(code_gone_at=now, problem="")
        )
        session.execute(update(Code).where(Code.shop_id == shop_id, Code.code.in_(codes)).values(state=CodeState.GONE))
        enqueue(session, shop_id, "sweep_releases", lane=Lane.NETWORK, now=now, due_at=now + SWEEP_AFTER)


def _look_later(
    access: Access, shop_id: int, codes: Sequence[str], later: timedelta, *, problem: str | None = None
) -> None:
    if not codes:
        return
    with access.db.transaction() as session:
        _note_look(session, shop_id, codes, access.clock() + later)
        if problem is not None:
            session.execute(update(Redemption).where(*_let_go_with(shop_id, codes)).values(problem=problem))


def _look_for_its_order(access: Access, shop_id: int, code: str) -> None:
    """Shopify counts a use of this code and we know of no order: it is asked for, and the points wait for it. Where
    none is found for days (it was deleted, it is older than what we may see) a person is asked.
    """
    order_ids = access.ask(shop_id, lambda client: orders_with_code(client, code))
    with access.db.transaction() as session:
        now = access.clock()
        mine = _let_go_with(shop_id, [code])
        since = session.scalar(select(Redemption.releasing_at).where(*mine))
        is_lost = since is None or since < now - FIND_WITHIN
        session.execute(update(Redemption).where(*mine).values(problem=UNFOUND if is_lost else BEING_LOOKED_FOR))
        _note_look(session, shop_id, [code], now + (LOOK_ANYWAY if is_lost else LOOK_FOR_ORDER_AGAIN))
        for order_id in order_ids:
            enqueue(
                session, shop_id, "fetch_order", lane=Lane.NETWORK, now=now, subject=str(order_id),
                arguments={"order_id": order_id},
            )  # fmt: skip


def _note_look(session: Session, shop_id: int, codes: Sequence[str], look_at: datetime) -> None:
    session.execute(update(Code).where(Code.shop_id == shop_id, Code.code.in_(codes)).values(look_at=look_at))


def _let_go_with(shop_id: int, codes: Sequence[str]) -> tuple[Any, ...]:
    """The redemptions that are being let go and have these codes."""
    return (
        Redemption.shop_id == shop_id, Redemption.code.in_(codes), Redemption.state == RedemptionState.RELEASING,
    )  # fmt: skip

"""Once a day, what we have at Shopify and what we think we have are made one (FEATURES R16).

No dead codes: those nobody can be given any more (their month is past, their terms are not offered, their product has
another price) are deleted, and a discount of a past month once none of its codes is out. A code that was never handed
out cannot be used by anybody, so deleting it needs none of the care of `release`. No lost codes: what somebody deleted
in Shopify is not handed out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ..db import Direct
from ..errors import Rejected
from ..jobs.queue import enqueue
from ..models import IS_FREE, IS_ODD, Code, CodeState, Discount, Lane, Redemption, RedemptionState, Shop
from ..program.redeeming import month_of_issue
from ..shopify.discounts import delete_codes, delete_discount, find_codes, find_discount_of_code, job_done
from .access import Access
from .equip import code_amount
from .lost_codes import compare_some, replace_if_gone, some_are_missing
from .pools import rewards_to_come
from .prices import PRODUCT_GONE, note_prices

log = logging.getLogger(__name__)

CODES_A_CALL = 250
WORK_FOR_S = 2.0  # one job; the rest is asked for again, so that other shops have their turn
PAUSES_S = (0.0, 0.2, 0.4)  # between looks at a deletion, while this job waits for it
LOOK_AGAIN = timedelta(seconds=5)
MOST_LOOKS = 20  # then it is tomorrow's
SETTLED_WITHIN = timedelta(hours=1)  # a code that was chosen so long ago is at Shopify, or never will be
IS_RETIRED = IS_ODD & (Code.state == CodeState.RETIRED) & Code.redemption_id.is_(None)
OUT = (RedemptionState.RESERVED, RedemptionState.ISSUED, RedemptionState.RELEASING)


@dataclass(slots=True)
class _Round:
    """How far a round through the shop's discounts has come. It goes on in the arguments of the next job."""

    done: str = ""  # the last discount that is done with, in the order of their keys; of the next one …
    deleted: str = ""  # … the last code whose deletion was asked for
    compared: str = ""  # … and the last that was compared
    unfinished: bool = False  # Shopify has not done yet what it was asked for
    looks: int = 0


@dataclass(frozen=True, slots=True)
class _Held:
    """A discount as we know it."""

    key: str
    reward_id: str
    gid: str | None
    made_at: datetime | None
    is_wanted: bool  # codes of it are handed out, now or next month
    is_past: bool
    codes: int  # that should be at Shopify


def tidy_codes(access: Access, shop_id: int, arguments: dict[str, Any] | None = None) -> None:
    """Network verb: a round through the shop's discounts, or as much of it as there is time for. What Shopify refuses
    about one of them is noted there, and keeps it from none of the others.
    """
    until = time.monotonic() + WORK_FOR_S
    place = _Round(**(arguments or {}))
    if not arguments:
        _retire(access, shop_id, without_product=_look_at_prices(access, shop_id))
    for held in _discounts(access, shop_id):
        if held.key <= place.done:
            continue
        try:
            if time.monotonic() > until or not _tidy(access, shop_id, held, place, until):
                _go_on(access, shop_id, place, timedelta())
                return
        except Rejected as refusal:
            log.warning("shop %s: discount %s cannot be tidied: %s", shop_id, held.key, refusal.message)
            if not held.is_wanted:
                _note(access, shop_id, held.key, problem=refusal.message[:500])
        place.done, place.deleted, place.compared = held.key, "", ""
    if place.unfinished and place.looks < MOST_LOOKS:
        _go_on(access, shop_id, _Round(looks=place.looks + 1), LOOK_AGAIN)


def _go_on(access: Access, shop_id: int, place: _Round, later: timedelta) -> None:
    with access.db.transaction() as session:
        now = access.clock()
        enqueue(
            session, shop_id, "tidy_codes", lane=Lane.NETWORK, now=now, arguments=asdict(place), due_at=now + later
        )  # fmt: skip


def _look_at_prices(access: Access, shop_id: int) -> set[str]:
    """Where a free product has another price, its pool is another from now on. Returns the rewards whose product is
    gone.
    """
    with access.db.reading() as session:
        offered = rewards_to_come(session, shop_id, access.clock())
    if all(reward.product is None for reward in offered.values()):
        return set()
    gone = note_prices(access, shop_id, offered)
    with access.db.transaction() as session:
        enqueue(session, shop_id, "stock_pools", lane=Lane.SETTLE, now=access.clock())
    return gone


def _retire(access: Access, shop_id: int, *, without_product: set[str]) -> None:
    """Of a pool that is not wanted any more nobody is given a code, and no more are made."""
    unwanted = {
        held.key: PRODUCT_GONE if held.is_wanted else ""
        for held in _discounts(access, shop_id)
        if not held.is_wanted or held.reward_id in without_product
    }
    with access.db.transaction() as session:
        long_ago = access.clock() - SETTLED_WITHIN
        never_made = IS_ODD & (Code.state == CodeState.CHOSEN) & (Code.chosen_at < long_ago)
        for key, problem in unwanted.items():
            mine = (Discount.shop_id == shop_id, Discount.key == key)
            session.execute(update(Discount).where(*mine).values(wanted=0, problem=problem))
            pool = update(Code).where(Code.shop_id == shop_id, Code.discount_key == key)
            for unused in (pool.where(IS_FREE), pool.where(never_made)):
                session.execute(
                    unused.values(state=CodeState.RETIRED).execution_options(synchronize_session=False)
                )  # fmt: skip


def _discounts(access: Access, shop_id: int) -> list[_Held]:
    """The shop's, by their keys."""
    with access.db.reading() as session:
        shop = session.get(Shop, shop_id)
        if shop is None or not shop.is_installed:
            return []
        now = access.clock()
        offered, direct = rewards_to_come(session, shop_id, now), Direct.of(session)
        priced = {
            reward_id: code_amount(direct, shop_id, reward_id, reward, None)
            for reward_id, reward in offered.items()
            if reward.product is not None
        }
        counted = session.execute(
            select(Code.discount_key, func.count())
            .where(Code.shop_id == shop_id, Code.state.in_([CodeState.FREE, CodeState.TAKEN]))
            .group_by(Code.discount_key)
        )
        codes = {row[0]: row[1] for row in counted}
        current = month_of_issue(now, shop.zone)
        rows = session.scalars(
            select(Discount)
            .where(Discount.shop_id == shop_id, Discount.removed_at.is_(None))
            .order_by(Discount.key)
        )  # fmt: skip
        return [
            _Held(
                key=discount.key,
                reward_id=discount.reward_id,
                gid=discount.gid,
                made_at=discount.made_at,
                is_wanted=discount.reward_id in offered
                and discount.month >= current
                and priced.get(discount.reward_id, discount.amount_minor) == discount.amount_minor,
                is_past=discount.month < current,
                codes=codes.get(discount.key, 0),
            )
            for discount in rows
        ]


def _tidy(access: Access, shop_id: int, held: _Held, place: _Round, until: float) -> bool:
    """One discount. False when there was no time for all of it."""
    if not place.compared:
        gid = held.gid or _made_unheard(access, shop_id, held)
        if held.is_past and not _is_out(access, shop_id, held.key):
            _remove(access, shop_id, held.key, gid)
            return True
        while codes := _retired(access, shop_id, held.key, place.deleted):
            place.unfinished |= not _delete(access, shop_id, held.key, gid, codes)
            place.deleted = codes[-1]
            if time.monotonic() > until:
                return False
        if held.gid is None or not some_are_missing(
            access, shop_id, held.key, held.gid, made_at=held.made_at, ours=held.codes
        ):
            return True
    assert held.gid is not None
    while (last := compare_some(access, shop_id, held.key, held.gid, place.compared)) is not None:
        place.compared = last
        if time.monotonic() > until:
            return False
    return True


def _made_unheard(access: Access, shop_id: int, held: _Held) -> str | None:
    """The discount that was perhaps made by a call whose answer was lost, and that nobody asked for again."""
    first = _retired(access, shop_id, held.key, "")[:1]
    found = access.ask(shop_id, lambda client: find_discount_of_code(client, first[0])) if first else None
    return found.discount_gid if found is not None and f"regulars-{held.key}" in found.tags else None


def _retired(access: Access, shop_id: int, key: str, after: str) -> Sequence[str]:
    """A call's worth of codes that nobody can be given any more."""
    with access.db.reading() as session:
        return session.scalars(
            select(Code.code)
            .where(Code.shop_id == shop_id, Code.discount_key == key, IS_RETIRED, Code.code > after)
            .order_by(Code.code)
            .limit(CODES_A_CALL)
        ).all()


def _delete(access: Access, shop_id: int, key: str, gid: str | None, codes: Sequence[str]) -> bool:
    """Whether Shopify says that all of them are gone. Deleting a code that is gone is nothing."""
    left: set[str] = set()
    try:
        if gid is not None and (there := access.ask(shop_id, partial(find_codes, discount_gid=gid, codes=codes))):
            gids = [known.gid for known in there.values()]
            job = access.ask(shop_id, partial(delete_codes, discount_gid=gid, redeem_code_gids=gids))
            left = set(there)
            if _is_done(access, shop_id, job):
                left = set(access.ask(shop_id, partial(find_codes, discount_gid=gid, codes=list(there))))
    except Rejected:
        if gid is None or not replace_if_gone(access, shop_id, key, gid):
            raise
    gone = [code for code in codes if code not in left]
    with access.db.transaction() as session:
        session.execute(
            update(Code)
            .where(Code.shop_id == shop_id, Code.code.in_(gone), Code.state == CodeState.RETIRED)
            .values(state=CodeState.GONE)
        )
    return not left


def _is_done(access: Access, shop_id: int, job: str) -> bool:
    for pause in PAUSES_S:
        time.sleep(pause)
        if access.ask(shop_id, lambda client: job_done(client, job)):
            return True
    return False


def _is_out(access: Access, shop_id: int, key: str) -> bool:
    with access.db.reading() as session:
        return _with_somebody(session, shop_id, key)


def _with_somebody(session: Session, shop_id: int, key: str) -> bool:
    """Whether a redemption has or waits for a code of it, or one is being called back."""
    held = select(Redemption.redemption_id).where(
        Redemption.shop_id == shop_id, Redemption.discount_key == key, Redemption.state.in_(OUT)
    )
    called_back = select(Code.code).where(
        Code.shop_id == shop_id,
        Code.discount_key == key,
        IS_ODD,
        Code.redemption_id.is_not(None),
    )
    return any(session.scalar(found.limit(1)) is not None for found in (held, called_back))


def _remove(access: Access, shop_id: int, key: str, gid: str | None) -> None:
    """Delete the discount, and with it all of its codes. Should somebody have asked for one at the last moment of its
    month it is made anew.
    """
    if gid is not None:
        access.ask(shop_id, partial(delete_discount, discount_gid=gid))
    with access.db.transaction() as session:
        mine = (Discount.shop_id == shop_id, Discount.key == key)
        session.execute(select(Discount.key).where(*mine).with_for_update())
        if _with_somebody(session, shop_id, key):
            session.execute(update(Discount).where(*mine).values(gid=None, bulk_gid=None, bulk_at=None))
        else:
            session.execute(update(Discount).where(*mine).values(removed_at=access.clock()))
        session.execute(
            update(Code)
            .where(Code.shop_id == shop_id, Code.discount_key == key, IS_RETIRED)
            .values(state=CodeState.GONE)
            .execution_options(synchronize_session=False)
        )


def _note(access: Access, shop_id: int, key: str, **values: object) -> None:
    with access.db.transaction() as session:
        session.execute(update(Discount).where(Discount.shop_id == shop_id, Discount.key == key).values(**values))

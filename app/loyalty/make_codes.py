"""Make codes at Shopify: one discount for a reward's terms and a month, any number of single-use codes under it.

Codes are minted ahead, so that a shopper has theirs at once; a reward nobody asks for is minted on demand. Every code
is chosen and stored here before Shopify hears of it. So whatever becomes of a call (done, not done, done but never
answered) the next try finds the same codes, and Shopify's own uniqueness makes each exist once: what it calls taken is
looked up, and is either ours or a merchant's, whose we leave alone.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ..db import insert_rows
from ..errors import AccessRevoked, MissingScope, Rejected
from ..jobs.queue import enqueue
from ..models import IS_HELD, IS_ODD, Code, CodeState, Discount, Lane, Redemption, RedemptionState, RewardTerms, Shop
from ..program.rewards import Reward, reward_title
from ..shopify.discounts import (
    BulkResult,
    DiscountTerms,
    add_codes,
    bulk_result,
    create_discount,
    find_codes,
    find_discount_of_code,
)
from .access import Access
from .lost_codes import replace_if_gone
from .pools import free_codes
from .prices import has_its_price
from .waiting import give_up, serve_waiting

# Crockford's base32: no I, L, O, U, so nothing that is typed by hand is mistaken. 13 characters are 65 bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 13
_OF_BYTE = "".join(ALPHABET[byte % 32] for byte in range(256)).encode()  # each of the 32 for eight of the 256
CODES_A_CALL = 250
WORK_FOR_S = 2.0  # one job; the rest is asked for again, so that other shops have their turn
PAUSES_S = (0.0, 0.2, 0.4, 0.8)  # between looks at a bulk creation, while this job waits for it
ANSWERED_WITHIN = timedelta(minutes=2)  # a bulk creation; after that its codes are simply sent again
LOOK_AGAIN = timedelta(seconds=1)


def new_code() -> str:
    return secrets.token_bytes(CODE_LENGTH).translate(_OF_BYTE).decode()


def make_codes(access: Access, shop_id: int, key: str, *, work_for_s: float = WORK_FOR_S) -> None:
    """Network verb: fill the pool of one discount, serve the redemptions that wait for a code of it first.

    `Throttled` goes through to the job, which tries again. When Shopify says no for good, or the shop does, what waits
    gets its points back and the discount says why.
    """
    try:
        rest = _work(access, shop_id, key, time.monotonic() + work_for_s)
    except (AccessRevoked, MissingScope, Rejected) as refusal:
        if refusal.code == "uninstalled":
            raise
        give_up(access, shop_id, key, refusal.message)
        return
    if rest is not None:
        with access.db.transaction() as session:
            now = access.clock()
            enqueue(
                session, shop_id, "make_codes", lane=Lane.NETWORK, now=now, subject=key, arguments={"key": key},
                due_at=now + rest,
            )  # fmt: skip


def _work(access: Access, shop_id: int, key: str, until: float) -> timedelta | None:
    """As much as there is time for. Returns when to go on; None when nothing is left to do."""
    priced = False
    while True:
        plan = _plan(access, shop_id, key)
        if plan is None or not (plan.chosen or plan.missing or plan.waiting):
            return None
        try:
            # Once a job. Codes that were chosen may be at Shopify by now, as what they were chosen for.
            if not priced and not plan.chosen and not has_its_price(access, shop_id, key):
                return None
            priced = True
            if plan.gid is None:
                _make_discount(access, shop_id, plan)
            elif plan.chosen:
                if not _confirm(access, shop_id, plan, until):
                    return LOOK_AGAIN
            elif plan.missing:
                _choose(access, shop_id, key, min(plan.missing, CODES_A_CALL))
        except Rejected:
            if plan.gid is None or not replace_if_gone(access, shop_id, key, plan.gid):
                raise
        served = serve_waiting(access, shop_id, key)
        if not (served or plan.chosen or plan.missing):
            return LOOK_AGAIN  # there are codes, and somebody else holds who waits for them
        if time.monotonic() > until:
            return timedelta()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a discount has and lacks."""

    terms: DiscountTerms
    gid: str | None
    bulk_gid: str | None
    bulk_at: datetime | None
    chosen: tuple[str, ...]  # not known to be at Shopify; a call's worth at most
    waiting: int  # redemptions without a code
    missing: int  # codes to choose yet


def _plan(access: Access, shop_id: int, key: str) -> _Plan | None:
    with access.db.reading() as session:
        shop = session.get(Shop, shop_id)
        discount = session.get(Discount, (shop_id, key))
        if shop is None or not shop.is_installed or discount is None:
            return None
        waiting = session.scalar(
            select(func.count()).where(
                Redemption.shop_id == shop_id,
                IS_HELD,
                Redemption.state == RedemptionState.RESERVED,
                Redemption.discount_key == key,
            )
        )
        # One that was removed was of a past month, and had at its last moment by somebody.
        is_removed = discount.removed_at is not None
        if is_removed and not waiting:
            return None
        terms = session.get_one(RewardTerms, (shop_id, discount.reward_id))
        reward = Reward.model_validate(terms.reward)
        mine = (Code.shop_id == shop_id, Code.discount_key == key, IS_ODD, Code.state == CodeState.CHOSEN)
        have = free_codes(session, shop_id, key) + (session.scalar(select(func.count()).where(*mine)) or 0)
        chosen = select(Code.code).where(*mine).order_by(Code.chosen_at, Code.code).limit(CODES_A_CALL)
        return _Plan(
            terms=DiscountTerms(
                reward=reward,
                currency=terms.currency,
                amount_minor=discount.amount_minor,
                title=reward_title(reward, terms.currency, discount.amount_minor),
                key=key,
                starts_at=access.clock() - timedelta(minutes=5),  # so that no clock of theirs finds it too early
                ends_at=discount.ends_at,
            ),
            gid=None if is_removed else discount.gid,
            bulk_gid=None if is_removed else discount.bulk_gid,
            bulk_at=None if is_removed else discount.bulk_at,
            chosen=tuple(session.scalars(chosen)),
            waiting=waiting or 0,
            missing=max(0, (waiting or 0) + discount.wanted - have),
        )


def _choose(access: Access, shop_id: int, key: str, count: int) -> None:
    """Draw codes and store them. One in 3 × 10¹⁹ is drawn twice; then this fails, and is done again."""
    with access.db.transaction() as session:
        now = access.clock()
        insert_rows(
            session,
            Code,
            [
                {
                    "shop_id": shop_id, "code": new_code(), "discount_key": key, "state": CodeState.CHOSEN, "gid": None,
                    "redemption_id": None, "chosen_at": now,
                }
                for _ in range(count)
            ],
        )  # fmt: skip


def _make_discount(access: Access, shop_id: int, plan: _Plan) -> None:
    """Create it with its first code, which is the name a lost answer is found by."""
    key = plan.terms.key
    if not plan.chosen:
        _choose(access, shop_id, key, 1)
        return
    first = plan.chosen[0]
    try:
        gid = access.ask(shop_id, lambda client: create_discount(client, plan.terms, first))
    except Rejected as refusal:
        if refusal.code not in ("TAKEN", "DUPLICATE"):
            raise
        found = access.ask(shop_id, lambda client: find_discount_of_code(client, first))
        if found is None:
            return  # gone again: the next round asks anew
        if f"regulars-{key}" not in found.tags:
            _set_codes(access, shop_id, CodeState.GONE, {first: None})  # a merchant's: ours will be another
            return
        gid = found.discount_gid
    with access.db.transaction() as session:
        _note(session, shop_id, key, gid=gid, made_at=access.clock(), bulk_gid=None, bulk_at=None, removed_at=None)
    _find(access, shop_id, key, gid, [first])


def _confirm(access: Access, shop_id: int, plan: _Plan, until: float) -> bool:
    """Find out which of the chosen codes exist, sending those that do not. False: Shopify is not done yet."""
    gid, key = plan.gid or "", plan.terms.key
    bulk = plan.bulk_gid
    if bulk is None:
        # They may have been sent before, by a call whose answer was lost.
        if plan.bulk_at is not None and _find(access, shop_id, key, gid, plan.chosen):
            return True
        _note_bulk(access, shop_id, key, None)
        bulk = access.ask(shop_id, lambda client: add_codes(client, gid, plan.chosen))
        _note_bulk(access, shop_id, key, bulk)
    try:
        result = _wait_for(access, shop_id, bulk, until)
    except Rejected as refusal:
        if refusal.code != "bulk_gone":
            raise
        _note_bulk(access, shop_id, key, None)  # what became of these codes is looked up, one by one
        return True
    if result is None:
        if plan.bulk_at is not None and access.clock() - plan.bulk_at > ANSWERED_WITHIN:
            _note_bulk(access, shop_id, key, None)
        return False
    _have_free(access, shop_id, key, result.imported)
    if taken := [code for code, why in result.failed.items() if code not in result.imported]:
        ours = _find(access, shop_id, key, gid, taken)
        # The others are a merchant's own, or are refused for what they are. Others will be drawn in their place.
        _set_codes(access, shop_id, CodeState.GONE, {code: None for code in taken if code not in ours})
    with access.db.transaction() as session:
        _note(session, shop_id, key, bulk_gid=None, bulk_at=None)
    return True


def _wait_for(access: Access, shop_id: int, bulk: str, until: float) -> BulkResult | None:
    """What became of a bulk creation; None when Shopify is not done within the time there is."""
    for pause in PAUSES_S:
        if pause and time.monotonic() + pause > until:
            break
        time.sleep(pause)
        result = access.ask(shop_id, lambda client: bulk_result(client, bulk))
        if result is not None:
            return result
    return None


def _find(access: Access, shop_id: int, key: str, gid: str, codes: Sequence[str]) -> set[str]:
    """Those of the codes that Shopify has under our discount: they are free to be handed out."""
    there = access.ask(shop_id, lambda client: find_codes(client, gid, codes))
    _have_free(access, shop_id, key, {code: known.gid for code, known in there.items()})
    return set(there)


def _have_free(access: Access, shop_id: int, key: str, codes: dict[str, str]) -> None:
    """Codes are made: whatever was in the way before is not any more."""
    _set_codes(access, shop_id, CodeState.FREE, codes)
    if codes:
        with access.db.transaction() as session:
            _note(session, shop_id, key, problem="")


def _note_bulk(access: Access, shop_id: int, key: str, bulk: str | None) -> None:
    """The chosen codes are being sent, or were, by this bulk creation."""
    with access.db.transaction() as session:
        _note(session, shop_id, key, bulk_gid=bulk, bulk_at=access.clock())


def _note(session: Session, shop_id: int, key: str, **values: object) -> None:
    session.execute(update(Discount).where(Discount.shop_id == shop_id, Discount.key == key).values(**values))


def _set_codes(access: Access, shop_id: int, state: CodeState, codes: dict[str, str] | dict[str, None]) -> None:
    """Only codes that were not known yet: one that was handed out meanwhile stays what it is."""
    if not codes:
        return
    with access.db.transaction() as session:
        for code, gid in sorted(codes.items()):
            session.execute(
                update(Code)
                .where(Code.shop_id == shop_id, Code.code == code, Code.state == CodeState.CHOSEN)
                .values(state=state, gid=gid)
            )

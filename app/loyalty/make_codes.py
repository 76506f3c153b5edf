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
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ..db import Direct, insert_rows
from ..errors import AccessRevoked, MissingScope, Rejected
from ..jobs.queue import enqueue
from ..ledger import Books
from ..models import Code, CodeState, Discount, Lane, Redemption, RedemptionState, RewardTerms, Shop
from ..program.redeeming import month_of_issue
from ..program.rewards import Reward, reward_title
from ..shopify.discounts import (
    DiscountTerms,
    add_codes,
    bulk_result,
    create_discount,
    find_codes,
    find_discount_of_code,
)
from .access import Access
from .equip import discount_key, issue, take_code, want_discount
from .programs import live_settings
from .redeem import tell
from .release import give_points_back

# Crockford's base32: no I, L, O, U, so nothing that is typed by hand is mistaken. 13 characters are 65 bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 13
CODES_A_CALL = 250
LEAST_POOL, LARGEST_POOL = 20, 10_000
FORECAST_FROM, FORECAST_FOR = timedelta(days=14), timedelta(days=7)
COLD_AFTER = timedelta(days=30)
NEXT_MONTH_AHEAD = timedelta(days=3)
WORK_FOR_S = 20.0  # one job; the rest is asked for again, so that no lease is outlived
POLL_S = (0.2, 0.4, 0.8, 1.5)
ANSWERED_WITHIN = timedelta(minutes=2)  # a bulk creation; after that its codes are simply sent again
LOOK_AGAIN = timedelta(seconds=2)


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def make_codes(access: Access, shop_id: int, key: str, *, work_for_s: float = WORK_FOR_S) -> None:
    """Network verb: fill the pool of one discount, serve the redemptions that wait for a code of it first.

    `Throttled` goes through to the job, which tries again. When Shopify says no for good, or the shop does, what waits
    gets its points back and the discount says why.
    """
    until = time.monotonic() + work_for_s
    try:
        while True:
            plan = _plan(access, shop_id, key)
            if plan is None or not (plan.chosen or plan.missing or plan.waiting):
                return
            if plan.gid is None:
                _make_discount(access, shop_id, plan)
            elif plan.chosen:
                if not _confirm(access, shop_id, plan, until):
                    break
            elif plan.missing > 0:
                _choose(access, shop_id, key, min(plan.missing, CODES_A_CALL))
            serve_waiting(access, shop_id, key)
            if time.monotonic() > until:
                break
    except (AccessRevoked, MissingScope, Rejected) as refusal:
        if refusal.code in ("uninstalled",):
            raise
        _give_up(access, shop_id, key, refusal.message)
        return
    with access.db.transaction() as session:
        now = access.clock()
        enqueue(
            session, shop_id, "make_codes", lane=Lane.NETWORK, now=now, subject=key, arguments={"key": key},
            due_at=now + LOOK_AGAIN,
        )  # fmt: skip


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
        if shop is None or not shop.is_installed or discount is None or discount.removed_at is not None:
            return None
        terms = session.get_one(RewardTerms, (shop_id, discount.reward_id))
        reward = Reward.model_validate(terms.reward)
        have = session.scalar(
            select(func.count()).where(
                Code.shop_id == shop_id,
                Code.discount_key == key,
                Code.state.in_([CodeState.FREE, CodeState.CHOSEN]),
            )
        )
        chosen = session.scalars(
            select(Code.code)
            .where(Code.shop_id == shop_id, Code.discount_key == key, Code.state == CodeState.CHOSEN)
            .order_by(Code.chosen_at, Code.code)
            .limit(CODES_A_CALL)
        ).all()
        waiting = session.scalar(
            select(func.count()).where(
                Redemption.shop_id == shop_id,
                Redemption.state == RedemptionState.RESERVED,
                Redemption.discount_key == key,
            )
        )
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
            gid=discount.gid,
            bulk_gid=discount.bulk_gid,
            bulk_at=discount.bulk_at,
            chosen=tuple(chosen),
            waiting=waiting or 0,
            missing=max(0, (waiting or 0) + discount.wanted - (have or 0)),
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
        session.execute(
            update(Discount)
            .where(Discount.shop_id == shop_id, Discount.key == key)
            .values(gid=gid, made_at=access.clock(), problem="")
        )
    _find(access, shop_id, gid, [first])


def _confirm(access: Access, shop_id: int, plan: _Plan, until: float) -> bool:
    """Find out which of the chosen codes exist, sending those that do not. False: Shopify is not done yet."""
    gid, key = plan.gid or "", plan.terms.key
    bulk = plan.bulk_gid
    if bulk is None:
        # They may have been sent before, by a call whose answer was lost.
        if plan.bulk_at is not None and _find(access, shop_id, gid, plan.chosen):
            return True
        _note_bulk(access, shop_id, key, None, sent=True)
        bulk = access.ask(shop_id, lambda client: add_codes(client, gid, plan.chosen))
        _note_bulk(access, shop_id, key, bulk, sent=True)
    for pause in (0.0, *POLL_S):
        time.sleep(pause)
        result = access.ask(shop_id, lambda client: bulk_result(client, bulk))
        if result is not None:
            break
        if time.monotonic() > until:
            return False
    else:
        if plan.bulk_at is not None and access.clock() - plan.bulk_at > ANSWERED_WITHIN:
            _note_bulk(access, shop_id, key, None, sent=True)
        return False
    _set_codes(access, shop_id, CodeState.FREE, result.imported)
    if taken := [code for code, why in result.failed.items() if code not in result.imported]:
        ours = _find(access, shop_id, gid, taken)
        # The others are a merchant's own, or are refused for what they are. Others will be drawn in their place.
        _set_codes(access, shop_id, CodeState.GONE, {code: None for code in taken if code not in ours})
    _note_bulk(access, shop_id, key, None, sent=False)
    return True


def _find(access: Access, shop_id: int, gid: str, codes: Sequence[str]) -> set[str]:
    """Those of the codes that Shopify has under our discount: they are free to be handed out."""
    there = access.ask(shop_id, lambda client: find_codes(client, gid, codes))
    _set_codes(access, shop_id, CodeState.FREE, {code: known.gid for code, known in there.items()})
    return set(there)


def _note_bulk(access: Access, shop_id: int, key: str, bulk: str | None, *, sent: bool) -> None:
    with access.db.transaction() as session:
        session.execute(
            update(Discount)
            .where(Discount.shop_id == shop_id, Discount.key == key)
            .values(bulk_gid=bulk, bulk_at=access.clock() if sent else None)
        )


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


def serve_waiting(access: Access, shop_id: int, key: str) -> int:
    """Hand free codes to the redemptions that wait for one of this discount, oldest first. Returns how many got one."""
    with access.db.reading() as session:
        waiting = session.execute(
            select(Redemption.redemption_id, Redemption.member_id)
            .where(
                Redemption.shop_id == shop_id,
                Redemption.state == RedemptionState.RESERVED,
                Redemption.discount_key == key,
            )
            .order_by(Redemption.reserved_at)
            .limit(CODES_A_CALL)
        ).all()
    served = 0
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


def _give_up(access: Access, shop_id: int, key: str, problem: str) -> None:
    """No code can be made of this discount: whoever waits for one has their points back, with the reason."""
    with access.db.transaction() as session:
        now = access.clock()
        waiting = session.execute(
            select(Redemption.redemption_id, Redemption.member_id).where(
                Redemption.shop_id == shop_id,
                Redemption.state == RedemptionState.RESERVED,
                Redemption.discount_key == key,
            )
        ).all()
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


# --- ahead of demand ------------------------------------------------------------------------------------------------


def stock_pools(session: Session, shop_id: int, *, now: datetime) -> int:
    """Record verb: say how many codes each reward's pool should hold, and have those made that run low.

    Returns how many pools are to be filled. Sliders are made on demand: each of their amounts is a discount of its own.
    """
    shop = session.get(Shop, shop_id)
    settings = live_settings(session, shop_id, now)
    if shop is None or not shop.is_installed or settings is None or "write_discounts" not in shop.scopes.split(","):
        return 0
    asked = 0
    months = {month_of_issue(moment, shop.zone) for moment in (now, now + NEXT_MONTH_AHEAD)}
    for reward_id, reward in settings.rewards_by_id.items():
        if not reward.is_code or reward.steps is not None or (reward.ends_at is not None and reward.ends_at <= now):
            continue
        wanted = forecast(session, shop_id, reward.slot, now)
        for month in sorted(months) if wanted else ():
            want_discount(Direct.of(session), shop_id, reward_id, reward, reward.amount_minor, month, shop.zone)
            key = discount_key(reward_id, reward.amount_minor, month)
            asked += want_codes(session, shop_id, key, wanted, now)
    return asked


def want_codes(session: Session, shop_id: int, key: str, wanted: int, now: datetime) -> bool:
    """Note how many free codes the pool should hold; below half of that, have them made."""
    free = session.scalar(
        select(func.count()).where(Code.shop_id == shop_id, Code.discount_key == key, Code.state == CodeState.FREE)
    )
    low = (free or 0) < -(-wanted // 2)
    session.execute(
        update(Discount).where(Discount.shop_id == shop_id, Discount.key == key).values(wanted=wanted if low else 0)
    )
    if low:
        enqueue(session, shop_id, "make_codes", lane=Lane.NETWORK, now=now, subject=key, arguments={"key": key})
    return low


def forecast(session: Session, shop_id: int, slot: str, now: datetime) -> int:
    """How many codes a reward will need within a week, by the last two, with half as many again; a few for a start.

    0 for one that was never had since it was first offered a month ago: it is made on demand.
    """
    recent = session.scalar(
        select(func.count()).where(
            Redemption.shop_id == shop_id, Redemption.slot == slot, Redemption.reserved_at > now - FORECAST_FROM
        )
    )
    if not recent and _is_cold(session, shop_id, slot, now):
        return 0
    likely = (recent or 0) * 3 * FORECAST_FOR // (2 * FORECAST_FROM)
    return min(LEAST_POOL + likely, LARGEST_POOL)


def _is_cold(session: Session, shop_id: int, slot: str, now: datetime) -> bool:
    last = session.scalar(
        select(func.max(Redemption.reserved_at)).where(Redemption.shop_id == shop_id, Redemption.slot == slot)
    )
    offered = session.scalar(
        select(func.min(RewardTerms.noted_at)).where(RewardTerms.shop_id == shop_id, RewardTerms.slot == slot)
    )
    since = max(moment for moment in (last, offered, datetime.min.replace(tzinfo=now.tzinfo)) if moment is not None)
    return since < now - COLD_AFTER

"""Redeem: set points aside for a reward, once for a key, and take a code from the pool (DESIGN §4 Redeem).

A record verb, and the one a shopper waits for. Everything that must be exact under races happens under the lock of the
member's balance (enough points, how many a member may have, the same key twice) or by a guarded UPDATE (stock, budget,
one code to one redemption).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, tzinfo
from hashlib import sha256

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..db import upsert
from ..errors import Invalid, NotFound, Refused
from ..jobs.queue import enqueue
from ..ledger import Books, NotEnoughPoints
from ..models import Code, CodeState, Discount, Lane, Member, Redemption, RedemptionState, RewardUse, Shop
from ..program.redeeming import Offer, end_of_codes, month_of_issue, offer, period_name, usable_until
from ..program.rewards import Reward, reward_title
from ..program.settings import ProgramSettings
from .members import mark_dirty
from .programs import Timeline, timeline

LONGEST_KEY = 255

_REFUSALS = {
    "not_yet": "This reward is not there yet.",
    "ended": "This reward has ended.",
    "invalid_amount": "Choose one of the amounts offered.",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a shopper asks for. ``points`` is the price they saw, or the amount chosen on a slider."""

    reward_id: str
    key: str
    points: int | None = None


def redeem(
    session: Session, shop: Shop, member_id: int | None, wanted: Wanted, *, now: datetime, by_staff: str = ""
) -> tuple[Redemption, bool]:
    """Reserve the points and take a code; without a code in the pool, the job that makes one goes with them.

    Returns the redemption, and whether it is new: the same key with the same contents is the same redemption, as it is
    now. Raises `Refused` with a code of DESIGN §8, `Invalid` for an id that never was or an amount that is none,
    `NotEnoughPoints`. A refusal changes nothing and does not use up the key. ``by_staff`` names staff who redeem in a
    member's place (a reissue); limits hold for them all the same.
    """
    if not 1 <= len(wanted.key) <= LONGEST_KEY or not wanted.key.isprintable():
        raise Invalid("The key is 1 to 255 printable characters.", field="key")
    known = timeline(session, shop.shop_id)
    books = Books(session, shop.shop_id, now=now)
    key_hash = ""
    if member_id is not None:
        books.open([member_id])
        key_hash = hash_of_key(member_id, wanted.key)
        # Looked up under the lock: of two requests with one key the second waits here, and then finds the first's.
        if (same := _of_key(session, shop.shop_id, key_hash)) is not None:
            return _confirmed(same, wanted), False
    number, settings, reward = _reward(known, wanted.reward_id, now)
    agreed = _offer(reward, settings, wanted, now)
    if member_id is None:  # somebody we have never heard of: a member with zeros
        raise NotEnoughPoints(f"0 points are available, {agreed.points:,} are needed.", field="points")
    if agreed.points > books.balance(member_id).available:
        available = books.balance(member_id).available
        raise NotEnoughPoints(f"{available:,} points are available, {agreed.points:,} are needed.", field="points")
    _may_redeem(session, shop.shop_id, member_id)
    zone = shop.zone
    _within_member_limit(session, shop.shop_id, member_id, reward, now, zone)
    redemption = Redemption(
        shop_id=shop.shop_id,
        redemption_id=secrets.token_urlsafe(12),
        key_hash=key_hash,
        member_id=member_id,
        reward_id=wanted.reward_id,
        slot=reward.slot,
        title=reward_title(reward, settings.currency, agreed.amount_minor),
        points=agreed.points,
        amount_minor=agreed.amount_minor,
        version=number,
        state=RedemptionState.RESERVED,
        counted=take_stock(session, shop.shop_id, reward, agreed, now, zone),
        reserved_at=now,
        by=by_staff,
        events=1,
    )
    cause = cause_of(redemption.redemption_id)
    books.reserve(member_id, cause=cause, event=f"{cause}:1", points=agreed.points, occurred_at=now)
    equip(session, shop, redemption, reward, now, zone)
    session.add(redemption)
    session.flush()
    books.close()
    tell(session, shop.shop_id, books, now)
    return redemption, True


def cause_of(redemption_id: str) -> str:
    """What the ledger calls it."""
    return f"redemption:{redemption_id}"


def hash_of_key(member_id: int, key: str) -> str:
    """Under which a caller's key is kept: it may name somebody, and the member id is as random as any salt."""
    return sha256(f"{member_id}:{key}".encode("utf-8", "surrogatepass")).hexdigest()


def _of_key(session: Session, shop_id: int, key_hash: str) -> Redemption | None:
    return session.scalars(
        select(Redemption)
        .where(Redemption.shop_id == shop_id, Redemption.key_hash == key_hash)
        .execution_options(populate_existing=True)
    ).first()


def _confirmed(redemption: Redemption, wanted: Wanted) -> Redemption:
    if redemption.reward_id != wanted.reward_id or wanted.points not in (None, redemption.points):
        raise Refused("This key was used for another redemption.", code="key_reused", field="key")
    return redemption


def _reward(known: Timeline, reward_id: str, now: datetime) -> tuple[int, ProgramSettings, Reward]:
    """The reward of that id in the version in force. One of an earlier version is retired; others never were."""
    started = [
        (number, settings)
        for start, (number, settings) in zip(known.starts, known.versions, strict=True)
        if start <= now
    ]
    if started:
        number, settings = started[-1]
        reward = settings.rewards_by_id.get(reward_id)
        if reward is not None:
            if known.is_paused(now):
                raise Refused("Points are resting. Yours are safe.", code="paused")
            return number, settings, reward
    if any(reward_id in settings.rewards_by_id for _, settings in started):
        raise Refused("This reward has changed. Have another look.", code="reward_changed", field="reward_id")
    raise Invalid("There is no such reward.", code="unknown_reward", field="reward_id")


def _offer(reward: Reward, settings: ProgramSettings, wanted: Wanted, now: datetime) -> Offer:
    agreed = offer(reward, wanted.points, now)
    if isinstance(agreed, Offer):
        return agreed
    if agreed == "price_changed":
        raise Refused(
            f"{reward_title(reward, settings.currency)} costs {reward.points:,} points now.",
            code="price_changed",
            field="points",
            points=reward.points,
        )
    if agreed == "invalid_amount":
        raise Invalid(_REFUSALS[agreed], code=agreed, field="points")
    raise Refused(_REFUSALS[agreed], code=agreed, field="reward_id")


def _may_redeem(session: Session, shop_id: int, member_id: int) -> None:
    member = session.execute(
        select(Member.redacted_at, Member.merged_into, Member.closed_at).where(
            Member.shop_id == shop_id, Member.member_id == member_id
        )
    ).one_or_none()
    if member is None or any(member):
        raise NotFound("There is no such member.")


def _within_member_limit(
    session: Session, shop_id: int, member_id: int, reward: Reward, now: datetime, zone: tzinfo
) -> None:
    """Counted, not kept as a number: nobody else redeems for this member while we hold their balance."""
    limit = reward.per_member
    if limit is None:
        return
    moments = session.scalars(
        select(Redemption.reserved_at)
        .where(
            Redemption.shop_id == shop_id,
            Redemption.member_id == member_id,
            Redemption.slot == reward.slot,
            Redemption.state != RedemptionState.RELEASED,
        )
        .order_by(Redemption.reserved_at.desc())
        .limit(limit.count)
    )
    current = period_name(limit.period, now, zone)
    if sum(period_name(limit.period, moment, zone) == current for moment in moments) >= limit.count:
        raise Refused("You have had this reward as often as it can be had.", code="limit_used", field="reward_id")


def take_stock(
    session: Session, shop_id: int, reward: Reward, agreed: Offer, now: datetime, zone: tzinfo
) -> list[list[object]]:
    """Count it against the reward's stock and budget. Returns what was counted, to be given back with the points."""
    counted: list[list[object]] = []
    if reward.stock is not None:
        counted.append(["stock", period_name(reward.stock.period, now, zone), 1])
        _count(session, shop_id, reward.slot, "stock", str(counted[-1][1]), 1, reward.stock.count)
    if reward.budget is not None:
        cost = reward.cost_of_one(agreed.amount_minor) or 0
        counted.append(["budget", period_name(reward.budget.period, now, zone), cost])
        _count(session, shop_id, reward.slot, "budget", str(counted[-1][1]), cost, reward.budget.amount_minor)
    return counted


def _count(session: Session, shop_id: int, slot: str, what: str, period: str, much: int, most: int) -> None:
    key = {"shop_id": shop_id, "slot": slot, "what": what, "period": period}
    session.execute(upsert(session, RewardUse).values(**key, used=0).on_conflict_do_nothing())
    taken = session.execute(
        update(RewardUse)
        .where(*(getattr(RewardUse, name) == value for name, value in key.items()), RewardUse.used + much <= most)
        .values(used=RewardUse.used + much)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("All gone for now.", code="sold_out", field="reward_id")


def put_back(session: Session, redemption: Redemption) -> None:
    """What was counted of stock and budget may be had again: its points were returned."""
    for what, period, much in redemption.counted:
        session.execute(
            update(RewardUse)
            .where(
                RewardUse.shop_id == redemption.shop_id,
                RewardUse.slot == redemption.slot,
                RewardUse.what == what,
                RewardUse.period == period,
            )
            .values(used=RewardUse.used - much)
            .execution_options(synchronize_session=False)
        )
    redemption.counted = []


def equip(session: Session, shop: Shop, redemption: Redemption, reward: Reward, now: datetime, zone: tzinfo) -> None:
    """A code from the pool makes it issued at once; else the job that gets one, or the card, goes with it.

    The caller holds the balance of the redemption's member.
    """
    if not reward.is_code:
        enqueue(
            session, shop.shop_id, "hand_out", lane=Lane.NETWORK, now=now, subject=redemption.redemption_id,
            arguments={"redemption_id": redemption.redemption_id},
        )  # fmt: skip
        return
    month = month_of_issue(now, zone)
    key = redemption.discount_key = discount_key(redemption.reward_id, redemption.amount_minor, month)
    code = take_code(session, shop.shop_id, key, redemption.redemption_id)
    if code is not None:
        issue(redemption, code, reward, now, zone)
    else:
        want_discount(session, shop, redemption.reward_id, reward, redemption.amount_minor, month, zone)
        enqueue(session, shop.shop_id, "make_codes", lane=Lane.NETWORK, now=now, subject=key, arguments={"key": key})


def discount_key(reward_id: str, amount_minor: int | None, month: str) -> str:
    """The one discount at Shopify for these terms, this amount and this month: "r5e717a97a7cce61-500-2026-11"."""
    return f"{reward_id}-{'x' if amount_minor is None else amount_minor}-{month}"


def take_code(session: Session, shop_id: int, key: str, redemption_id: str) -> str | None:
    """A free code of that discount, now this redemption's alone; None when the pool is empty."""
    free = (
        select(Code.code)
        .where(Code.shop_id == shop_id, Code.discount_key == key, Code.state == CodeState.FREE)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return session.scalar(
        update(Code)
        .where(Code.shop_id == shop_id, Code.code == free)
        .values(state=CodeState.TAKEN, redemption_id=redemption_id)
        .returning(Code.code)
        .execution_options(synchronize_session=False)
    )


def issue(redemption: Redemption, code: str, reward: Reward, now: datetime, zone: tzinfo) -> None:
    """The shopper has the code, and until when is promised."""
    redemption.state, redemption.code, redemption.issued_at = RedemptionState.ISSUED, code, now
    redemption.expires_at = usable_until(now, reward.valid_days, zone)
    redemption.problem = ""


def want_discount(
    session: Session, shop: Shop, reward_id: str, reward: Reward, amount_minor: int | None, month: str, zone: tzinfo
) -> None:
    """Note the discount that is to be made at Shopify. Noted already: nothing."""
    session.execute(
        upsert(session, Discount)
        .values(
            shop_id=shop.shop_id,
            key=discount_key(reward_id, amount_minor, month),
            reward_id=reward_id,
            amount_minor=amount_minor,
            month=month,
            ends_at=end_of_codes(month, reward.valid_days, zone),
            wanted=0,
            problem="",
        )
        .on_conflict_do_nothing()
    )


def tell(session: Session, shop_id: int, books: Books, now: datetime) -> None:
    """The members posted to have another balance: have their metafields written.

    Each by a job of its own name, so that redemptions do not wait for one another on one job's row; whichever runs
    first sends them all.
    """
    posted = {member_id: books.balance(member_id).seq for member_id in books.members_posted_to}
    if not posted:
        return
    mark_dirty(session, shop_id, posted)
    for member_id in posted:
        enqueue(session, shop_id, "sync_members", lane=Lane.NETWORK, now=now, subject=str(member_id))

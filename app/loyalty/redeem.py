"""Redeem: set points aside for a reward, once for a key, and take a code from the pool (DESIGN §4 Redeem).

A record verb, and the one a shopper waits for, so it asks the database directly (`db.direct`): what it must know in one
round trip, and what it writes, the code's taking with it, in another. Everything that must be exact under races happens
under the lock of the member's balance (enough points, how many a member may have, the same key twice) or by a guarded
UPDATE (stock, budget, one code to one redemption).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from hashlib import sha256
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..db import Database, Direct, Prepared
from ..db.direct import Write
from ..errors import Invalid, NotFound, Refused
from ..jobs.queue import asking_soon_for, enqueue
from ..ledger import BALANCE, Books, NotEnoughPoints, SingleBook
from ..models import Lane, Redemption, RedemptionState, Shop
from ..models.shop import zone_named
from ..program.redeeming import Offer, offer, period_name
from ..program.rewards import Reward, reward_title
from ..program.settings import ProgramSettings
from .equip import Due, code_amount
from .members import DIRTY, mark_dirty
from .programs import IN_FORCE, InForce, had_reward, in_force, next_second
from .redeem_statements import HAD, OF_CUSTOMER, OF_KEY, OF_MEMBER, RESERVE, RESERVE_TAKING
from .stock import take_stock
from .views.shops import standing_of

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


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A redemption made just now, as far as its shopper is told of it."""

    redemption_id: str
    reward_id: str
    reward: Reward
    title: str
    points: int
    amount_minor: int | None
    state: RedemptionState
    code: str | None
    expires_at: datetime | None
    zone: tzinfo  # the shop's
    why: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The key was used before, with the same contents: what was made then, as it may be by now."""

    shop_id: int
    member_id: int
    redemption_id: str


def redeem(
    session: Session, shop: Shop, member_id: int | None, wanted: Wanted, *, now: datetime, by_staff: str = ""
) -> tuple[Redemption, bool]:
    """Inside a session's transaction. Returns the redemption, and whether it is new.

    The same key with the same contents is the same redemption, as it is now. Raises `Refused` with a code of DESIGN §8,
    `Invalid` for an id that never was or an amount that is none, `NotEnoughPoints`. A refusal changes nothing and does
    not use up the key. ``by_staff`` names staff who redeem in a member's place; limits hold for them all the same.
    """
    done = _by_member(Direct.of(session), shop.shop_id, member_id, wanted, now, by_staff)
    redemption = session.get_one(Redemption, (shop.shop_id, done.redemption_id), populate_existing=True)
    return redemption, isinstance(done, Redeemed)


def redeem_for_customer(
    db: Database, domain: str, customer_id: int, wanted: Wanted, *, now: datetime
) -> Redeemed | Earlier:
    """`redeem` by the shortest way, in a transaction of its own. Raises `NotFound` where the app is not installed, too.

    Nobody looks for the key at first: nearly every one is new, and the table takes no second of its name. It is looked
    for once there is something to refuse.
    """
    whose = {"domain": domain, "customer": customer_id}

    def attempt(direct: Direct, *, looking: bool) -> Redeemed | Earlier | None:
        known = _known(direct, OF_CUSTOMER, whose, now)
        if known is None:
            return None
        if looking and (earlier := _earlier(direct, known, wanted)) is not None:
            return earlier
        try:
            return _redeem(direct, known, wanted, now)
        except (Refused, Invalid, NotFound):
            if (earlier := _earlier(direct, known, wanted)) is None:
                raise
            raise _UsedBefore(earlier) from None  # no return: what was counted before it was refused is taken back

    _check_key(wanted)
    try:
        done = db.directly(partial(attempt, looking=False))
    except _UsedBefore as found:
        return found.earlier
    except IntegrityError:
        done = db.directly(partial(attempt, looking=True))
    if done is not None:
        return done
    # Not installed, a customer we have never heard of, or one that was merged into another: the longer way.
    standing = standing_of(db, domain, customer_id)
    if standing is None:
        raise NotFound("This shop does not use Regulars.")
    return db.directly(lambda direct: _by_member(direct, standing.shop_id, standing.member_id, wanted, now))


class _UsedBefore(Exception):
    """What would have been refused was done already, under the same key."""

    def __init__(self, earlier: Earlier) -> None:
        super().__init__()
        self.earlier = earlier


@dataclass(frozen=True, slots=True)
class _Known:
    """What is read before anything is decided; the balance is locked."""

    shop_id: int
    member_id: int
    zone: tzinfo
    is_gone: bool
    rules: InForce | None
    books: SingleBook


def _known(direct: Direct, questions: tuple[Prepared, Prepared], whose: dict[str, Any], now: datetime) -> _Known | None:
    facts = direct.ask(questions[0], **whose, next_second=next_second(now))
    lots = direct.ask(questions[1], **whose)
    row = facts.first()
    if row is None:
        return None
    books = SingleBook(row.shop_id, row[: len(BALANCE)], lots.all(), now=now)
    return _Known(row.shop_id, row.member_id, zone_named(row.timezone), bool(row.gone), in_force(row), books)


def _by_member(
    direct: Direct, shop_id: int, member_id: int | None, wanted: Wanted, now: datetime, by_staff: str = ""
) -> Redeemed | Earlier:
    _check_key(wanted)
    known = _known(direct, OF_MEMBER, {"shop": shop_id, "member": member_id}, now)
    if known is None:  # never heard of, or never posted to: somebody with zeros
        rules = in_force(direct.ask(IN_FORCE, shop=shop_id, next_second=next_second(now)).first())
        agreed = _agreed(direct, shop_id, rules, wanted, now)[-1]
        raise NotEnoughPoints(f"0 points are available, {agreed.points:,} are needed.", field="points")
    return _earlier(direct, known, wanted) or _redeem(direct, known, wanted, now, by_staff)


def _check_key(wanted: Wanted) -> None:
    if not 1 <= len(wanted.key) <= LONGEST_KEY or not wanted.key.isprintable():
        raise Invalid("The key is 1 to 255 printable characters.", field="key")


def _earlier(direct: Direct, known: _Known, wanted: Wanted) -> Earlier | None:
    """What the key was used for. Under the lock: of two requests with one key the second waits, and then finds it."""
    key_hash = hash_of_key(known.member_id, wanted.key)
    same = direct.ask(OF_KEY, shop=known.shop_id, key_hash=key_hash).first()
    if same is None:
        return None
    if same.reward_id != wanted.reward_id or wanted.points not in (None, same.points):
        raise Refused("This key was used for another redemption.", code="key_reused", field="key")
    return Earlier(known.shop_id, known.member_id, same.redemption_id)


def _redeem(direct: Direct, known: _Known, wanted: Wanted, now: datetime, by_staff: str = "") -> Redeemed:
    """Reserve the points and take a code; without a code in the pool, the job that makes one goes with them."""
    shop_id, member_id, zone, book = known.shop_id, known.member_id, known.zone, known.books.book
    number, settings, reward, agreed = _agreed(direct, shop_id, known.rules, wanted, now)
    if agreed.points > book.available:
        raise NotEnoughPoints(f"{book.available:,} points are available, {agreed.points:,} are needed.", field="points")
    if known.is_gone:
        raise NotFound("There is no such member.")
    _within_member_limit(direct, shop_id, member_id, reward, now, zone)
    counted = take_stock(direct, shop_id, reward, agreed, now, zone)
    redemption_id = secrets.token_urlsafe(12)
    amount = code_amount(direct, shop_id, wanted.reward_id, reward, agreed.amount_minor)
    due = Due(shop_id, redemption_id, wanted.reward_id, reward, amount, now, zone)
    title = reward_title(reward, settings.currency, agreed.amount_minor)
    redemption = {
        "shop_id": shop_id,
        "redemption_id": redemption_id,
        "key_hash": hash_of_key(member_id, wanted.key),
        "member_id": member_id,
        "reward_id": wanted.reward_id,
        "slot": reward.slot,
        "title": title,
        "points": agreed.points,
        "amount_minor": agreed.amount_minor,
        "version": number,
        "discount_key": due.discount_key,
        "counted": counted,
        "reserved_at": now,
        "by": by_staff,
    }
    cause = cause_of(redemption_id)
    known.books.reserve(member_id, cause=cause, event=f"{cause}:1", points=agreed.points, occurred_at=now)
    dirty = {"shop": shop_id, "member": member_id, "sequence": book.seq}
    sync = asking_soon_for(shop_id, "sync_members", lane=Lane.NETWORK, now=now, subject=str(member_id))
    code = _write(direct, due, redemption, [*known.books.writes(), (DIRTY, dirty), *sync])
    if code is None:
        due.ask_for_it(direct)
    else:
        due.look_after_pool(direct, code)
    return Redeemed(
        redemption_id=redemption_id,
        reward_id=wanted.reward_id,
        reward=reward,
        title=title,
        points=agreed.points,
        amount_minor=agreed.amount_minor,
        state=RedemptionState.RESERVED if code is None else RedemptionState.ISSUED,
        code=code,
        expires_at=None if code is None else due.usable_until,
        zone=zone,
    )


def _write(direct: Direct, due: Due, redemption: dict[str, Any], more: list[Write]) -> str | None:
    """Take a code and write all there is to write: on PostgreSQL at once. Returns the code."""
    issued = {"issued_at": due.now, "expires_at": due.usable_until}
    nothing = {"state": RedemptionState.RESERVED, "code": None, "issued_at": None, "expires_at": None}
    taken = None
    if due.discount_key is None:
        direct.write([(RESERVE, {**redemption, **nothing}), *more])
    elif direct.is_postgres:
        taken = direct.write_after(due.taking(), [(RESERVE_TAKING, {**redemption, **issued}), *more]).first()
    else:
        statement, values = due.taking()
        taken = direct.ask(statement, **values).first()
        got = nothing if taken is None else {"state": RedemptionState.ISSUED, "code": taken.code, **issued}
        direct.write([(RESERVE, {**redemption, **got}), *more])
    return None if taken is None else str(taken.code)


def cause_of(redemption_id: str) -> str:
    """What the ledger calls it."""
    return f"redemption:{redemption_id}"


def hash_of_key(member_id: int, key: str) -> str:
    """Under which a caller's key is kept: it may name somebody, and the member id is as random as any salt."""
    return sha256(f"{member_id}:{key}".encode("utf-8", "surrogatepass")).hexdigest()


def _agreed(
    direct: Direct, shop_id: int, rules: InForce | None, wanted: Wanted, now: datetime
) -> tuple[int, ProgramSettings, Reward, Offer]:
    """What is had at which price by the version in force. One of an earlier version is retired; others never were."""
    reward = rules.settings.rewards_by_id.get(wanted.reward_id) if rules else None
    if rules is None or reward is None:
        if had_reward(direct, shop_id, wanted.reward_id, now):
            raise Refused("This reward has changed. Have another look.", code="reward_changed", field="reward_id")
        raise Invalid("There is no such reward.", code="unknown_reward", field="reward_id")
    if rules.paused:
        raise Refused("Points are resting. Yours are safe.", code="paused")
    return rules.number, rules.settings, reward, _offer(reward, rules.settings, wanted, now)


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


def _within_member_limit(
    direct: Direct, shop_id: int, member_id: int, reward: Reward, now: datetime, zone: tzinfo
) -> None:
    """Counted, not kept as a number: nobody else redeems for this member while we hold their balance."""
    limit = reward.per_member
    if limit is None:
        return
    had = direct.ask(HAD, shop=shop_id, member=member_id, slot=reward.slot, most=limit.count).all()
    current = period_name(limit.period, now, zone)
    if sum(period_name(limit.period, row.reserved_at, zone) == current for row in had) >= limit.count:
        raise Refused("You have had this reward as often as it can be had.", code="limit_used", field="reward_id")


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

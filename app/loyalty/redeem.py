"""Redeem: set points aside for a reward, once for a key, and take a code from the pool (DESIGN §4 Redeem).

A record verb, and the one a shopper waits for, so it asks the database directly (`db.direct`): what it must know in one
round trip, the code in another, and what it writes with the commit. Everything that must be exact under races happens
under the lock of the member's balance (enough points, how many a member may have, the same key twice) or by a guarded
UPDATE (stock, budget, one code to one redemption).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, tzinfo
from hashlib import sha256
from typing import Any

from sqlalchemy import String, bindparam, case, column, insert, literal, select, table, true
from sqlalchemy.orm import Session, aliased

from ..db import Direct, Prepared
from ..db.direct import Write
from ..errors import Invalid, NotFound, Refused
from ..jobs.queue import asking_soon_for, enqueue
from ..ledger import BALANCE, Balance, Books, NotEnoughPoints, SingleBook
from ..models import Lane, Member, Redemption, RedemptionState, Shop
from ..program.redeeming import Offer, offer, period_name
from ..program.rewards import Reward, reward_title
from ..program.settings import ProgramSettings
from .equip import Due
from .members import DIRTY, mark_dirty
from .programs import IN_FORCE, PAUSED, VERSION, InForce, had_reward, in_force, next_second
from .stock import take_stock

LONGEST_KEY = 255

_REFUSALS = {
    "not_yet": "This reward is not there yet.",
    "ended": "This reward has ended.",
    "invalid_amount": "Choose one of the amounts offered.",
}

_MINE = (Balance.shop_id == bindparam("shop"), Balance.member_id == bindparam("member"))
_SEEN = aliased(Balance)
# The balance, locked, and beside it what must be known. Who had to wait for the lock gets the balance as it is then,
# and everything else as it was before: that shows in ``seen``.
FACTS = Prepared(
    lambda insert: (
        select(
            *BALANCE,
            select(_SEEN.seq)
            .where(_SEEN.shop_id == bindparam("shop"), _SEEN.member_id == bindparam("member"))
            .scalar_subquery()
            .label("seen"),
            (Member.redacted_at.is_not(None) | Member.merged_into.is_not(None) | Member.closed_at.is_not(None)).label(
                "gone"
            ),
            Redemption.redemption_id,
            Redemption.reward_id,
            Redemption.points,
            VERSION.c.number,
            VERSION.c.settings,
            PAUSED,
        )
        .join(Member, (Member.shop_id == Balance.shop_id) & (Member.member_id == Balance.member_id))
        .outerjoin(VERSION, true())
        .outerjoin(Redemption, (Redemption.shop_id == Balance.shop_id) & (Redemption.key_hash == bindparam("key_hash")))
        .where(*_MINE)
        .with_for_update(of=Balance)
    )
)
OF_KEY = Prepared(
    lambda insert: select(Redemption.redemption_id, Redemption.reward_id, Redemption.points).where(
        Redemption.shop_id == bindparam("shop"), Redemption.key_hash == bindparam("key_hash")
    )
)
HAD = Prepared(
    lambda insert: (
        select(Redemption.reserved_at)
        .where(
            Redemption.shop_id == bindparam("shop"),
            Redemption.member_id == bindparam("member"),
            Redemption.slot == bindparam("slot"),
            Redemption.state != RedemptionState.RELEASED,
        )
        .order_by(Redemption.reserved_at.desc())
        .limit(bindparam("most", type_=Redemption.points.type))
    )
)
_GIVEN = (
    "shop_id", "redemption_id", "key_hash", "member_id", "reward_id", "slot", "title", "points", "amount_minor",
    "version", "discount_key", "counted", "reserved_at", "by",
)  # fmt: skip
_ISSUED = ("state", "code", "issued_at", "expires_at")
_BEGUN = {
    "why": "", "problem": "", "events": 1, "given_back": 0, "staff_back": 0, "by_other": False, "after_all": False,
    "reissue": False,
}  # fmt: skip
RESERVE = Prepared(
    lambda _: insert(Redemption).values({name: bindparam(name) for name in (*_GIVEN, *_ISSUED)} | _BEGUN)
)  # fmt: skip


def _reserve_taking(_: Any) -> Any:
    """`RESERVE` beside `TAKE_CODE`: issued with the code that was taken, if one was."""
    columns = Redemption.__table__.c
    taken = table("w0", column("code", String))
    given = {name: bindparam(name, type_=columns[name].type) for name in _GIVEN}
    begun = {name: literal(value, columns[name].type) for name, value in _BEGUN.items()}
    issued = {
        "state": case((taken.c.code.is_(None), RedemptionState.RESERVED.value), else_=RedemptionState.ISSUED.value),
        "code": taken.c.code,
        **{
            name: case((taken.c.code.is_not(None), bindparam(name, type_=columns[name].type)))
            for name in ("issued_at", "expires_at")
        },
    }
    rows = select(*given.values(), *begun.values(), *issued.values()).select_from(
        select(literal(1).label("one")).subquery("once").outerjoin(taken, true())
    )
    return insert(Redemption).from_select([*given, *begun, *issued], rows, include_defaults=False)


RESERVE_TAKING = Prepared(_reserve_taking)


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
    why: str = ""


def redeem(
    session: Session, shop: Shop, member_id: int | None, wanted: Wanted, *, now: datetime, by_staff: str = ""
) -> tuple[Redemption, bool]:
    """`redeem_directly` inside a session's transaction. Returns the redemption, and whether it is new."""
    done = redeem_directly(
        Direct.of(session), shop.shop_id, shop.zone, member_id, wanted, now=now, by_staff=by_staff
    )  # fmt: skip
    redemption_id = done if isinstance(done, str) else done.redemption_id
    redemption = session.get_one(Redemption, (shop.shop_id, redemption_id), populate_existing=True)
    return redemption, not isinstance(done, str)


def redeem_directly(
    direct: Direct,
    shop_id: int,
    zone: tzinfo,
    member_id: int | None,
    wanted: Wanted,
    *,
    now: datetime,
    by_staff: str = "",
) -> Redeemed | str:
    """Reserve the points and take a code; without a code in the pool, the job that makes one goes with them.

    Returns the redemption; for a key used before with the same contents, the id of what was made then. Raises `Refused`
    with a code of DESIGN §8, `Invalid` for an id that never was or an amount that is none, `NotEnoughPoints`. A refusal
    changes nothing and does not use up the key. ``by_staff`` names staff who redeem in a member's place; limits hold
    for them all the same.
    """
    if not 1 <= len(wanted.key) <= LONGEST_KEY or not wanted.key.isprintable():
        raise Invalid("The key is 1 to 255 printable characters.", field="key")
    facts = books = None
    key_hash = ""
    if member_id is not None:
        key_hash = hash_of_key(member_id, wanted.key)
        asked = direct.ask(FACTS, shop=shop_id, member=member_id, key_hash=key_hash, next_second=next_second(now))
        books = SingleBook(direct, shop_id, member_id, now=now)
        facts = asked.first()
    if member_id is None or books is None or facts is None:  # never heard of, or never posted to: somebody with zeros
        rules = in_force(direct.ask(IN_FORCE, shop=shop_id, next_second=next_second(now)).first())
        agreed = _agreed(direct, shop_id, rules, wanted, now)[-1]
        raise NotEnoughPoints(f"0 points are available, {agreed.points:,} are needed.", field="points")
    same = facts
    if facts.seen != facts.seq:  # of two requests with one key the second waited for the first, and finds what it made
        same = direct.ask(OF_KEY, shop=shop_id, key_hash=key_hash).first()
    if same is not None and same.redemption_id is not None:
        if same.reward_id != wanted.reward_id or wanted.points not in (None, same.points):
            raise Refused("This key was used for another redemption.", code="key_reused", field="key")
        return str(same.redemption_id)
    book = books.read(facts[: len(BALANCE)])
    number, settings, reward, agreed = _agreed(direct, shop_id, in_force(facts), wanted, now)
    if agreed.points > book.available:
        raise NotEnoughPoints(f"{book.available:,} points are available, {agreed.points:,} are needed.", field="points")
    if facts.gone:
        raise NotFound("There is no such member.")
    _within_member_limit(direct, shop_id, member_id, reward, now, zone)
    counted = take_stock(direct, shop_id, reward, agreed, now, zone)
    redemption_id = secrets.token_urlsafe(12)
    due = Due(shop_id, redemption_id, wanted.reward_id, reward, agreed.amount_minor, now, zone)
    title = reward_title(reward, settings.currency, agreed.amount_minor)
    redemption = {
        "shop_id": shop_id,
        "redemption_id": redemption_id,
        "key_hash": key_hash,
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
    books.reserve(member_id, cause=cause, event=f"{cause}:1", points=agreed.points, occurred_at=now)
    dirty = {"shop": shop_id, "member": member_id, "sequence": book.seq}
    sync = asking_soon_for(shop_id, "sync_members", lane=Lane.NETWORK, now=now, subject=str(member_id))
    code = _write(direct, due, redemption, [*books.writes(), (DIRTY, dirty), *sync])
    if code is None:
        due.ask_for_it(direct)
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

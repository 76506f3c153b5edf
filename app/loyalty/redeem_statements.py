"""What redeeming asks the database, and what it writes there: each statement said once, for both databases.

`redeem` decides; these are its words. What is asked before anything is decided is asked together, the lock first.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, bindparam, case, column, insert, literal, literal_column, or_, select, table, true

from ..db import Prepared
from ..ledger import BALANCE, LOT, Balance, Lot
from ..models import Member, Redemption, RedemptionState, Shop
from .programs import rules_of

# Who redeems: a member, or (for the storefront, which knows no more) a customer of the shop of that domain.
_MEMBER = (Balance.shop_id == bindparam("shop"), Balance.member_id == bindparam("member"))
_CUSTOMER = (
    Shop.domain == bindparam("domain"), Shop.uninstalled_at.is_(None), Member.customer_id == bindparam("customer"),
    Member.merged_into.is_(None),
)  # fmt: skip


def _facts(whose: tuple[Any, ...]) -> Prepared:
    """Their balance, locked, and beside it what must be known."""
    gone = (Member.redacted_at, Member.merged_into, Member.closed_at)
    return Prepared(
        lambda insert: (
            select(
                *BALANCE,
                Shop.shop_id,
                Shop.timezone,
                or_(*(date.is_not(None) for date in gone)).label("gone"),
                *rules_of(Shop.shop_id),
            )
            .select_from(Shop)
            .join(Member, Member.shop_id == Shop.shop_id)
            .join(Balance, (Balance.shop_id == Member.shop_id) & (Balance.member_id == Member.member_id))
            .where(*whose)
            .with_for_update(of=Balance)
        )
    )


def _lots(whose: tuple[Any, ...]) -> Prepared:
    """What of theirs can be drawn from: asked for together with the facts, and read under their lock."""
    return Prepared(
        lambda insert: (
            select(*LOT)
            .select_from(Shop)
            .join(Member, Member.shop_id == Shop.shop_id)
            .join(Balance, (Balance.shop_id == Member.shop_id) & (Balance.member_id == Member.member_id))
            .join(Lot, (Lot.shop_id == Member.shop_id) & (Lot.member_id == Member.member_id))
            .where(*whose, Lot.available > literal_column("0"))  # in words, for a plan that is kept: their index
        )
    )


OF_MEMBER = (_facts(_MEMBER), _lots(_MEMBER))
OF_CUSTOMER = (_facts(_CUSTOMER), _lots(_CUSTOMER))
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

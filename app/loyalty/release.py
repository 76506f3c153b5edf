"""Let go of a reward nobody used: first make sure that nobody can, then that nobody did, then the points return.

releasing → the code is deleted at Shopify → Shopify confirms (`call_back`) → a minute later every order from around
that moment has been looked for (`sweep_releases`) → every delivery received before is settled → released (DESIGN §4
Redeem). Whatever the order of events, points return for a code that no order shows, or are spent for one that an order
does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from ..errors import Invalid, NotFound, Refused
from ..jobs.queue import enqueue
from ..ledger import Books
from ..models import (
    IS_HELD,
    IS_ISSUED,
    Code,
    CodeState,
    Delivery,
    DeliveryState,
    Lane,
    Redemption,
    RedemptionState,
)
from .equip import have_another_code
from .redeem import tell
from .stock import put_back
from .using import give_back_to, next_event, terms_of

SWEEP_AFTER = timedelta(seconds=60)  # an order placed with the code in its last moment is there by then
FINISHED_AT_ONCE = 300
BEING_LOOKED_FOR = "Shopify says that this code was used. Its order is being looked for."
UNFOUND = (
    "Shopify says that this code was used, and its order cannot be found. Say which it was: used, or to be given back."
)


def cancel(
    session: Session, shop_id: int, redemption_id: str, *, member_id: int | None, by: str, why: str, now: datetime
) -> Redemption:
    """Begin to let go of a reward: by the shopper (``member_id`` is theirs) or by staff. Again is nothing.

    Raises `NotFound` for none of theirs, `Refused` when it was used, or cannot be called back any more.
    """
    books, redemption = hold_redemption(session, shop_id, redemption_id, now=now, member_id=member_id)
    let_go(session, books, redemption, why=why, by=by, now=now)
    books.close()
    tell(session, shop_id, books, now)
    return redemption


def reissue(session: Session, shop_id: int, redemption_id: str, *, by: str, now: datetime) -> Redemption:
    """Staff replace a code: the old one is let go like any other, then a new one takes its place. Again is nothing."""
    _, redemption = hold_redemption(session, shop_id, redemption_id, now=now)
    if redemption.state is RedemptionState.RELEASING and redemption.reissue:
        return redemption
    if redemption.state is not RedemptionState.ISSUED:
        raise Refused("Only a reward whose code is out and unused can get another code.", code="not_issued")
    _begin(session, redemption, why="reissued", by=by, now=now)
    redemption.reissue = True
    return redemption


def staff_gives_back(
    session: Session, shop_id: int, redemption_id: str, points: int, *, by: str, now: datetime
) -> Redemption:
    """Staff return ``points`` of a used reward in all, whatever becomes of its order; never more than were spent."""
    books, redemption = hold_redemption(session, shop_id, redemption_id, now=now)
    if redemption.state is not RedemptionState.USED:
        raise Refused("Only the points of a used reward can be given back. Cancel an unused one.", code="not_used")
    if not redemption.given_back < points <= redemption.points:
        raise Invalid(f"Enter {redemption.given_back + 1:,} to {redemption.points:,} points.", field="points")
    redemption.staff_back, redemption.by = points, by
    give_back_to(books, redemption, points, occurred_at=now)
    session.flush()
    books.close()
    tell(session, shop_id, books, now)
    return redemption


def staff_decides(session: Session, shop_id: int, redemption_id: str, *, used: bool, by: str, now: datetime) -> None:
    """Staff say what became of a code whose order cannot be found: used, or its points go back. Should an order show it
    after all, that counts.
    """
    books, redemption = hold_redemption(session, shop_id, redemption_id, now=now)
    if not order_is_lost(redemption):
        raise Refused("There is nothing to decide any more.", code="nothing_to_decide")
    redemption.by, redemption.problem, redemption.reissue = by, "", False
    if used:
        books.redeem(redemption.member_id, **next_event(redemption), points=redemption.points, occurred_at=now)
        redemption.state, redemption.used_at = RedemptionState.USED, now
        redemption.cost_minor = redemption.amount_minor
    else:
        give_points_back(session, books, redemption, now=now)
        theirs = (Code.shop_id == shop_id, Code.code == redemption.code)
        session.execute(update(Code).where(*theirs).values(state=CodeState.GONE))  # used once, it can be used no more
    session.flush()
    books.close()
    tell(session, shop_id, books, now)


def order_is_lost(redemption: Redemption) -> bool:
    """Whether only a person can say what became of it: Shopify counts a use of its code, and shows no order."""
    return redemption.state is RedemptionState.RELEASING and redemption.problem == UNFOUND


def hold_redemption(
    session: Session, shop_id: int, redemption_id: str, *, now: datetime, member_id: int | None = None
) -> tuple[Books, Redemption]:
    """The redemption as it is, with its member's balance locked, so that nothing changes it meanwhile."""
    mine = (Redemption.shop_id == shop_id, Redemption.redemption_id == redemption_id)
    books = Books(session, shop_id, now=now)
    owner = session.scalar(select(Redemption.member_id).where(*mine))
    if owner is None or (member_id is not None and owner != member_id):
        raise NotFound("There is no such redemption.")
    while True:
        books.open([owner])
        redemption = session.scalars(select(Redemption).where(*mine).execution_options(populate_existing=True)).one()
        if redemption.member_id == owner:
            return books, redemption
        owner = redemption.member_id  # merged into another at this very moment, whose balance it is that counts


def let_go(session: Session, books: Books, redemption: Redemption, *, why: str, by: str, now: datetime) -> None:
    """Set a held redemption on its way back. Nothing was made for it yet: the points are back at once."""
    match redemption.state:
        case RedemptionState.ISSUED:
            _begin(session, redemption, why=why, by=by, now=now)
        case RedemptionState.RESERVED if redemption.asked_at is None:
            redemption.why, redemption.by, redemption.releasing_at = why, by, now
            give_points_back(session, books, redemption, now=now)
        case RedemptionState.RESERVED:
            raise Refused("It is being made right now. Look again in a minute.", code="being_made")
        case RedemptionState.USED:
            raise Refused("This reward was used.", code="already_used")
        case RedemptionState.RELEASING:
            redemption.reissue = False  # no other code after all, but the points


def _begin(session: Session, redemption: Redemption, *, why: str, by: str, now: datetime) -> None:
    redemption.state, redemption.releasing_at = RedemptionState.RELEASING, now
    redemption.why, redemption.by = why, by
    redemption.code_gone_at = redemption.swept_at = None
    enqueue(session, redemption.shop_id, "delete_codes", lane=Lane.NETWORK, now=now)


def give_points_back(session: Session, books: Books, redemption: Redemption, *, now: datetime) -> None:
    """Released: the points are back in their lots, stock and budget may be had again."""
    books.release(redemption.member_id, **next_event(redemption), points=redemption.points, occurred_at=now)
    redemption.state, redemption.released_at, redemption.problem = RedemptionState.RELEASED, now, ""
    put_back(session, redemption)


# --- unused for too long --------------------------------------------------------------------------------------------


def any_to_expire(session: Session, shop_id: int, *, now: datetime) -> bool:
    due = _due(shop_id, now)
    return session.scalar(select(Redemption.redemption_id).where(*due).limit(1)) is not None


def expire_due(session: Session, shop_id: int, *, limit: int, now: datetime) -> int:
    """Record verb: rewards whose promised date has passed are let go. Returns how many."""
    due = _due(shop_id, now)
    found = session.execute(
        select(Redemption.redemption_id, Redemption.member_id).where(*due).order_by(Redemption.expires_at).limit(limit)
    ).all()
    if not found:
        return 0
    Books(session, shop_id, now=now).open(row.member_id for row in found)
    ids = [row.redemption_id for row in found]
    still_due = session.scalars(
        select(Redemption).where(*due, Redemption.redemption_id.in_(ids)).execution_options(populate_existing=True)
    ).all()
    for redemption in still_due:
        _begin(session, redemption, why="expired", by="", now=now)
    return len(still_due)


def _due(shop_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Redemption.shop_id == shop_id,
        IS_ISSUED,
        Redemption.expires_at <= now,
    )


# --- it is certain --------------------------------------------------------------------------------------------------


def finish_releases(session: Session, shop_id: int, *, now: datetime) -> int:
    """Record verb of the settling lane: what was swept and shows no use goes back. Returns how many did."""
    swept = (
        Redemption.shop_id == shop_id,
        IS_HELD,
        Redemption.state == RedemptionState.RELEASING,
        Redemption.swept_at.is_not(None),
    )
    which = select(Redemption.redemption_id, Redemption.member_id, Redemption.swept_at).where(*swept)
    rows = session.execute(which.order_by(Redemption.swept_at).limit(FINISHED_AT_ONCE + 1)).all()
    if not rows:
        return 0
    unsettled = session.scalar(
        select(func.min(Delivery.received_at)).where(Delivery.shop_id == shop_id, Delivery.state == DeliveryState.NEW)
    )
    ready = [row for row in rows[:FINISHED_AT_ONCE] if unsettled is None or row.swept_at < unsettled]
    if len(ready) < len(rows):
        # One of the deliveries that wait may be the order that used the code.
        later = now if len(ready) == FINISHED_AT_ONCE else now + timedelta(seconds=1)
        enqueue(session, shop_id, "finish_releases", lane=Lane.SETTLE, now=now, due_at=later)
    if not ready:
        return 0
    books = Books(session, shop_id, now=now)
    books.open(row.member_id for row in ready)
    ids = [row.redemption_id for row in ready]
    held = session.scalars(
        select(Redemption)
        .where(*swept, Redemption.redemption_id.in_(ids))
        .order_by(Redemption.redemption_id)
        .execution_options(populate_existing=True)
    ).all()
    for redemption in held:
        if redemption.reissue:
            reward = terms_of(session, shop_id, {redemption.reward_id})[redemption.reward_id]
            have_another_code(session, redemption, reward, now)
        else:
            give_points_back(session, books, redemption, now=now)
    session.flush()
    books.close()
    tell(session, shop_id, books, now)
    return len(held)

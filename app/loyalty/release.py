"""Let go of a reward nobody used: first make sure that nobody can, then that nobody did, then the points return.

releasing → the code is deleted at Shopify → Shopify confirms → a minute later every order from around that moment has
been looked for → every delivery received before is settled → released (DESIGN §4 Redeem). Whatever the order of events,
points return for a code that no order shows, or are spent for one that an order does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from ..errors import Invalid, NotFound, Refused
from ..jobs.queue import enqueue
from ..ledger import Books
from ..models import Code, CodeState, Delivery, DeliveryState, Discount, Lane, Redemption, RedemptionState, Shop
from ..shopify.discounts import delete_codes, find_codes, job_done
from ..shopify.orders import orders_with_code
from .access import Access
from .equip import equip_again
from .reconcile import reconcile
from .redeem import tell
from .stock import put_back
from .using import give_back_to, next_event, terms_of

CODES_A_CALL = 250
SWEEP_AFTER = timedelta(seconds=60)  # an order placed with the code in its last moment is there by then
SWEEP_FROM = timedelta(minutes=10)  # before the deletion was confirmed
LOOK_AGAIN = timedelta(seconds=5)  # at a deletion that Shopify has not finished
LOOK_FOR_ORDER_AGAIN = timedelta(minutes=5)


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
        Redemption.state == RedemptionState.ISSUED,
        Redemption.expires_at <= now,
    )


# --- nobody can use it ----------------------------------------------------------------------------------------------


def delete_released_codes(access: Access, shop_id: int) -> None:
    """Network verb: have the codes of everything that is being let go deleted, and note what Shopify confirms. With
    them go codes that took the place of one that was used all the same.
    """
    let_go = select(Redemption.code, Redemption.discount_key).where(
        Redemption.shop_id == shop_id,
        Redemption.state == RedemptionState.RELEASING,
        Redemption.code_gone_at.is_(None),
    )
    called_back = select(Code.code, Code.discount_key).where(
        Code.shop_id == shop_id, Code.state == CodeState.RETIRED, Code.redemption_id.is_not(None)
    )
    with access.db.reading() as session:
        waiting = [
            *session.execute(let_go.order_by(Redemption.releasing_at)),
            *session.execute(called_back.order_by(Code.code)),
        ]
        made = select(Discount.key, Discount.gid).where(
            Discount.shop_id == shop_id, Discount.key.in_({row.discount_key for row in waiting})
        )
        gids = {row.key: row.gid for row in session.execute(made)}
    by_discount: dict[str, list[str]] = defaultdict(list)
    for row in waiting:
        by_discount[row.discount_key].append(row.code)
    unfinished = False
    for key, codes in by_discount.items():
        for start in range(0, len(codes), CODES_A_CALL):
            unfinished |= _delete(access, shop_id, gids.get(key), codes[start : start + CODES_A_CALL])
    if unfinished:
        with access.db.transaction() as session:
            now = access.clock()
            enqueue(session, shop_id, "delete_codes", lane=Lane.NETWORK, now=now, due_at=now + LOOK_AGAIN)


def _delete(access: Access, shop_id: int, discount_gid: str | None, codes: Sequence[str]) -> bool:
    """Whether some are still there. Deleting a code that is gone is nothing, so all of it may be done again."""
    found = access.ask(shop_id, lambda client: find_codes(client, discount_gid, codes)) if discount_gid else {}
    used = [code for code, known in found.items() if known.uses]
    if deletable := [known.gid for known in found.values() if not known.uses]:
        job = access.ask(shop_id, lambda client: delete_codes(client, discount_gid or "", deletable))
        if not access.ask(shop_id, lambda client: job_done(client, job)):
            _note_gone(access, shop_id, [code for code in codes if code not in found])
            return True
        left = access.ask(shop_id, lambda client: find_codes(client, discount_gid or "", list(found)))
        used = [code for code, known in left.items() if known.uses]
    else:
        left = {code: found[code] for code in used}
    _note_gone(access, shop_id, [code for code in codes if code not in left])
    for code in used:
        _look_for_its_order(access, shop_id, code)
    return any(code not in used for code in left)


def _note_gone(access: Access, shop_id: int, codes: Sequence[str]) -> None:
    if not codes:
        return
    with access.db.transaction() as session:
        now = access.clock()
        session.execute(
            update(Redemption)
            .where(
                Redemption.shop_id == shop_id,
                Redemption.code.in_(codes),
                Redemption.state == RedemptionState.RELEASING,
                Redemption.code_gone_at.is_(None),
            )
            .values(code_gone_at=now, problem="")
        )
        session.execute(update(Code).where(Code.shop_id == shop_id, Code.code.in_(codes)).values(state=CodeState.GONE))
        enqueue(session, shop_id, "sweep_releases", lane=Lane.NETWORK, now=now, due_at=now + SWEEP_AFTER)


def _look_for_its_order(access: Access, shop_id: int, code: str) -> None:
    """Shopify counts a use of this code and we know of no order: it is asked for, and the points wait for it."""
    order_ids = access.ask(shop_id, lambda client: orders_with_code(client, code))
    with access.db.transaction() as session:
        now = access.clock()
        session.execute(
            update(Redemption)
            .where(
                Redemption.shop_id == shop_id,
                Redemption.code == code,
                Redemption.state == RedemptionState.RELEASING,
            )
            .values(problem="Shopify says that this code was used. Its order is being looked for.")
        )
        for order_id in order_ids:
            enqueue(
                session, shop_id, "fetch_order", lane=Lane.NETWORK, now=now, subject=str(order_id),
                arguments={"order_id": order_id},
            )  # fmt: skip
        enqueue(session, shop_id, "delete_codes", lane=Lane.NETWORK, now=now, due_at=now + LOOK_FOR_ORDER_AGAIN)


# --- nobody did use it ----------------------------------------------------------------------------------------------


def sweep_releases(access: Access, shop_id: int) -> None:
    """Network verb: look for orders changed around the deletions that are a minute old. One sweep serves them all."""
    now = access.clock()
    gone = (
        Redemption.shop_id == shop_id,
        Redemption.state == RedemptionState.RELEASING,
        Redemption.swept_at.is_(None),
        Redemption.code_gone_at.is_not(None),
    )
    with access.db.reading() as session:
        first = session.scalar(select(func.min(Redemption.code_gone_at)).where(*gone))
    if first is None:
        return
    if first > now - SWEEP_AFTER:
        with access.db.transaction() as session:
            enqueue(session, shop_id, "sweep_releases", lane=Lane.NETWORK, now=now, due_at=first + SWEEP_AFTER)
        return
    reconcile(access, shop_id, since=first - SWEEP_FROM)
    with access.db.transaction() as session:
        done = access.clock()
        session.execute(
            update(Redemption).where(*gone, Redemption.code_gone_at <= now - SWEEP_AFTER).values(swept_at=done)
        )
        later = session.scalar(select(func.min(Redemption.code_gone_at)).where(*gone))
        enqueue(session, shop_id, "finish_releases", lane=Lane.SETTLE, now=done)
        if later is not None:
            enqueue(session, shop_id, "sweep_releases", lane=Lane.NETWORK, now=done, due_at=later + SWEEP_AFTER)


def finish_releases(session: Session, shop_id: int, *, now: datetime) -> int:
    """Record verb of the settling lane: what was swept and shows no use goes back. Returns how many did."""
    swept = (
        Redemption.shop_id == shop_id,
        Redemption.state == RedemptionState.RELEASING,
        Redemption.swept_at.is_not(None),
    )
    found = session.execute(select(Redemption.redemption_id, Redemption.member_id, Redemption.swept_at).where(*swept))
    rows = found.all()
    if not rows:
        return 0
    unsettled = session.scalar(
        select(func.min(Delivery.received_at)).where(Delivery.shop_id == shop_id, Delivery.state == DeliveryState.NEW)
    )
    ready = [row for row in rows if unsettled is None or row.swept_at < unsettled]
    if len(ready) < len(rows):
        # One of the deliveries that wait may be the order that used the code.
        enqueue(
            session, shop_id, "finish_releases", lane=Lane.SETTLE, now=now, due_at=now + timedelta(seconds=1)
        )  # fmt: skip
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
            _have_another_code(session, redemption, now)
        else:
            give_points_back(session, books, redemption, now=now)
    session.flush()
    books.close()
    tell(session, shop_id, books, now)
    return len(held)


def _have_another_code(session: Session, redemption: Redemption, now: datetime) -> None:
    """Instead of its points back: a code of this month, with a new promise of its own."""
    redemption.state, redemption.reissue, redemption.code = RedemptionState.RESERVED, False, None
    redemption.issued_at = redemption.expires_at = redemption.releasing_at = None
    redemption.code_gone_at = redemption.swept_at = None
    redemption.why = redemption.by = ""
    shop = session.get_one(Shop, redemption.shop_id)
    reward = terms_of(session, redemption.shop_id, {redemption.reward_id})[redemption.reward_id]
    equip_again(session, redemption, reward, now, shop.zone)

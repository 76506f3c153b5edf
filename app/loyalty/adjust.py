"""Points corrected by hand, with a reason."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from .. import ledger
from ..db import upsert
from ..errors import Invalid, NotFound
from ..jobs.queue import enqueue, wait_for_settling
from ..ledger import Balance
from ..models import Adjustment, Lane, Member
from .members import mark_dirty

MOST_POINTS = 1_000_000_000
LONGEST_REASON = 500
LONGEST_KEY = 255


def adjust(
    session: Session, shop_id: int, member_id: int, *, points: int, reason: str, key: str, author: str, now: datetime
) -> bool:
    """Add (or, negative, remove) points once for ``key``; False when this was done before.

    Raises `Invalid` with the field at fault, `NotFound` for a member that is not this shop's, `NotEnoughPoints`,
    `KeyReused`.
    """
    reason = reason.strip()
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise Invalid("The key is 1 to 255 printable characters.", field="key")
    # The books are for ever and a caller's key may name somebody: only its digest goes in.
    key = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    if points == 0 or abs(points) > MOST_POINTS:
        raise Invalid("Enter how many points to add, or to remove with a minus.", field="points")
    if not reason:
        raise Invalid("Say why. The member reads it in their history.", field="reason")
    if len(reason) > LONGEST_REASON:
        raise Invalid(f"Keep the reason under {LONGEST_REASON} characters.", field="reason")
    if not 0 < member_id < 2**63:
        raise NotFound("There is no such member.")
    wait_for_settling(session, shop_id)
    member = session.get(Member, (shop_id, member_id), populate_existing=True)
    if member is None or member.redacted_at is not None or member.merged_into is not None:
        raise NotFound("There is no such member.")
    # The words first: their row is unique by key, so one key used for two members at once waits here and is seen.
    session.execute(
        upsert(session, Adjustment)
        .values(
            shop_id=shop_id, key=key, member_id=member_id, points=points, reason=reason, author=author, adjusted_at=now
        )
        .on_conflict_do_nothing()
    )
    if not ledger.adjust(session, shop_id=shop_id, member_id=member_id, key=key, points=points, now=now):
        return False
    sequence = session.get_one(Balance, (shop_id, member_id), populate_existing=True).seq
    mark_dirty(session, shop_id, {member_id: sequence})
    enqueue(session, shop_id, "sync_members", lane=Lane.NETWORK, now=now)
    return True

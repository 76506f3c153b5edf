"""A redemption's page: its whole story in words, what the ledger holds of it, and what staff may do about it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import NotFound
from ...ledger import Entry, Kind
from ...models import Code, CodeUse, Discount, Member, Order, Redemption, RedemptionState, Shop
from ...program.explaining_rewards import last_day
from ...program.rewards import Reward
from ..hand_out import waits_for_staff
from ..redeem import cause_of
from ..release import order_is_lost
from ..using import terms_of
from .reward_report import state_badge
from .rewards import Badge
from .words import Words, count

LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened. ``order_id`` is an order to look at, ``member_id`` whose page tells more."""

    at: datetime
    title: str
    detail: str = ""
    order_id: int | None = None
    member_id: int | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    at: datetime
    what: str
    moved: str  # "Available → reserved"
    points: int


@dataclass(frozen=True, slots=True)
class Story:
    redemption: Redemption
    reward: Reward
    customer_id: int | None
    state: Badge
    code: str  # as staff may read it; a gift card's only by its end
    discount_id: str
    steps: list[Step]
    postings: list[Posting]
    earlier_codes: list[str]
    can_reissue: bool
    can_cancel: bool
    question: str  # what only staff can say: "given" (the card, the credit), "used" (the code, by an order not found)

    @property
    def can_give_back(self) -> int:
        """How many of its points staff may still give back."""
        used = self.redemption.state is RedemptionState.USED
        return self.redemption.points - self.redemption.given_back if used else 0


def story(session: Session, shop: Shop, redemption_id: str, words: Words) -> Story:
    """Raises `NotFound` in the same words for another shop's redemption and for none at all."""
    known = redemption_id.isprintable() and redemption_id.isascii() and len(redemption_id) <= LONGEST_ID
    redemption = session.get(Redemption, (shop.shop_id, redemption_id)) if known else None
    if redemption is None:
        raise NotFound("There is no such redemption.")
    reward = terms_of(session, shop.shop_id, {redemption.reward_id})[redemption.reward_id]
    state = redemption.state
    entries = _entries(session, redemption)
    return Story(
        redemption=redemption,
        reward=reward,
        customer_id=session.get_one(Member, (shop.shop_id, redemption.member_id)).customer_id,
        state=state_badge(redemption),
        code=_code(redemption, reward),
        discount_id=_discount_id(session, redemption),
        steps=_steps(session, redemption, reward, entries, words),
        postings=[_posting(entry) for entry in entries],
        earlier_codes=_earlier_codes(session, redemption),
        can_reissue=state is RedemptionState.ISSUED,
        can_cancel=state is RedemptionState.ISSUED
        or (state is RedemptionState.RESERVED and redemption.asked_at is None)
        or (state is RedemptionState.RELEASING and redemption.reissue),
        question="given" if waits_for_staff(redemption) else "used" if order_is_lost(redemption) else "",
    )


def _code(redemption: Redemption, reward: Reward) -> str:
    if redemption.card_code is not None and reward.kind == "gift_card":
        return f"•••• {redemption.card_code[-4:]}"
    return redemption.code or ""


def _discount_id(session: Session, redemption: Redemption) -> str:
    if redemption.discount_key is None:
        return ""
    discount = session.get(Discount, (redemption.shop_id, redemption.discount_key))
    return (discount.gid or "").rpartition("/")[2] if discount and discount.removed_at is None else ""


def _steps(
    session: Session, redemption: Redemption, reward: Reward, entries: Sequence[Entry], words: Words
) -> list[Step]:
    """Oldest first."""
    steps = [Step(redemption.reserved_at, f"{count(redemption.points, 'point')} set aside", _agreed(redemption))]
    if redemption.asked_at is not None:
        steps.append(Step(redemption.asked_at, f"Shopify was asked for the {_thing(reward)}"))
    if redemption.issued_at is not None:
        steps.append(_issued(redemption, reward, words))
    steps += _letting_go(redemption, words)
    steps += _orders(session, redemption, words)
    steps += _given_back(redemption, entries, words)
    return sorted(steps, key=lambda step: step.at)


def _agreed(redemption: Redemption) -> str:
    return f"Under version {redemption.version} of the program" if redemption.version else ""


def _thing(reward: Reward) -> str:
    return {"gift_card": "gift card", "store_credit": "credit"}.get(reward.kind, "code")


def _issued(redemption: Redemption, reward: Reward, words: Words) -> Step:
    assert redemption.issued_at is not None
    if not reward.is_code:
        made = "The gift card was made" if reward.kind == "gift_card" else "The credit was given"
        return Step(redemption.issued_at, made, "Its points are spent: it is money of theirs now")
    until = f"Usable until {words.day(last_day(redemption.expires_at, words.zone))}" if redemption.expires_at else ""
    return Step(redemption.issued_at, "The code was handed out", until)


def _letting_go(redemption: Redemption, words: Words) -> list[Step]:
    steps = []
    if redemption.releasing_at is not None:
        steps.append(Step(redemption.releasing_at, _why_let_go(redemption, words), _who(redemption, words)))
    if redemption.code_gone_at is not None:
        steps.append(
            Step(redemption.code_gone_at, "Shopify confirmed that the code is deleted", "Nobody can use it any more")
        )
    if redemption.swept_at is not None:
        steps.append(Step(redemption.swept_at, "Orders from around that moment were looked through"))
    if redemption.released_at is not None:
        what_else = "Stock and budget may be had again" if redemption.state is RedemptionState.RELEASED else ""
        steps.append(Step(redemption.released_at, f"{count(redemption.points, 'point')} came back", what_else))
    return steps


def _why_let_go(redemption: Redemption, words: Words) -> str:
    return {
        "expired": "Nobody used it until its date, so it is let go",
        "cancelled": "The shopper gave it back",
        "staff": "It was cancelled",
        "reissued": "It is to get another code, so the old one is let go",
        "not_made": "It could not be made",
        "deleted": "Its code was deleted in Shopify, and the reward is not offered any more",
    }.get(redemption.why, "It is let go")


def _who(redemption: Redemption, words: Words) -> str:
    by = redemption.by
    return f"By {words.by(by)}" if by and by != "shopper" and redemption.state is not RedemptionState.USED else ""


def _orders(session: Session, redemption: Redemption, words: Words) -> list[Step]:
    """The order that used it, and any later ones that show its code."""
    mine = (CodeUse.shop_id == redemption.shop_id, CodeUse.redemption_id == redemption.redemption_id)
    uses = session.execute(
        select(CodeUse.order_id, CodeUse.ordered_at, Order.name, Order.member_id)
        .outerjoin(Order, (Order.shop_id == CodeUse.shop_id) & (Order.order_id == CodeUse.order_id))
        .where(*mine)
        .order_by(CodeUse.ordered_at, CodeUse.order_id)
    ).all()
    steps = []
    if redemption.used_at is not None and redemption.code is not None and redemption.order_id is None:
        by = f"By {words.by(redemption.by)}" if redemption.by else ""
        steps.append(Step(redemption.used_at, "It was said to have been used", by))
    for use in uses:
        name = f"Order {use.name}" if use.name else "An order"
        if use.order_id == redemption.order_id:
            steps.append(Step(use.ordered_at, f"{name} used it", _used(redemption, words), use.order_id))
            if redemption.by_other and use.member_id is not None:
                whose = "The order is somebody else’s"
                steps.append(Step(use.ordered_at, whose, "It counts all the same", member_id=use.member_id))
            elif redemption.by_other:
                steps.append(Step(use.ordered_at, "The order is nobody’s who is a member", "It counts all the same"))
        else:
            both = "The first order is the one that counts. Look at this one in Shopify"
            steps.append(Step(use.ordered_at, f"{name} shows this code, too", both, use.order_id))
    return steps


def _used(redemption: Redemption, words: Words) -> str:
    off = f"{words.money(redemption.cost_minor)} off" if redemption.cost_minor else "Nothing was taken off"
    again = ". Its points had come back, so they were taken again" if redemption.after_all else ""
    return f"{off}{again}"


def _given_back(redemption: Redemption, entries: Sequence[Entry], words: Words) -> list[Step]:
    """What came back of spent points, event by event, as the ledger dates it."""
    events: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.kind == Kind.GIVEN_BACK:
            events.setdefault(entry.event, []).append(entry)
    steps: list[Step] = []
    total = 0
    for posted in events.values():
        points = sum(entry.points for entry in posted)
        total += points
        by_staff = bool(redemption.by) and total == redemption.staff_back
        why = f"By {words.by(redemption.by)}" if by_staff else "For what was returned of the order"
        steps.append(Step(posted[0].posted_at, f"{count(points, 'point')} came back", why))
    return steps


def _entries(session: Session, redemption: Redemption) -> Sequence[Entry]:
    return session.scalars(
        select(Entry)
        .where(Entry.shop_id == redemption.shop_id, Entry.cause == cause_of(redemption.redemption_id))
        .order_by(Entry.posted_at, Entry.seq)
    ).all()


def _earlier_codes(session: Session, redemption: Redemption) -> list[str]:
    """Codes it had before it got another one."""
    codes = select(Code.code).where(Code.shop_id == redemption.shop_id, Code.redemption_id == redemption.redemption_id)
    if redemption.discount_key is None:
        return []
    return [code for code in session.scalars(codes.order_by(Code.chosen_at)) if code != redemption.code]


_MOVEMENTS = {
    "reserved": "Set aside",
    "released": "Came back",
    "redeemed": "Spent",
    "given_back": "Given back",
    "repaid": "Repaid debt",
}


def _posting(entry: Entry) -> Posting:
    what = _MOVEMENTS.get(entry.kind, str(entry.kind).capitalize())
    return Posting(entry.posted_at, what, f"{str(entry.source).capitalize()} → {entry.target}", entry.points)

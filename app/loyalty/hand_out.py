"""Gift cards and store credit: handed out for good, once (DESIGN §4 Redeem; PLATFORM §4.3, §4.4).

A gift card's code is ours and chosen first, so asking again finds the card instead of making a second. Store credit has
no name of ours: it is never asked for twice blindly. After an answer that was lost the customer's credits are read
back, a minute later, when whatever was under way has landed; one of the right amount that no other redemption claims is
this one's, two of them are for a person to decide.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import AccessRevoked, MissingScope, Rejected, Throttled
from ..jobs.queue import enqueue
from ..models import Lane, Member, Redemption, RedemptionState, RewardTerms
from ..program.rewards import Reward
from ..shopify.gift_cards import GiftCard, cards_like, create_gift_card
from ..shopify.store_credit import credit, credits_since
from .access import Access
from .redeem import tell
from .release import give_points_back, hold_redemption
from .using import next_event

# Shopify takes a gift card code of 8 to 20 of [a-z0-9]; 16 of these 32 are 80 bits.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
READ_BACK_AFTER = timedelta(seconds=60)
CLOCKS_DIFFER = timedelta(minutes=5)
ASK_AGAIN_S = 60.0
MAY_BE_MADE = "It may have been made, and Shopify does not say:"
AMBIGUOUS = "Shopify shows more than one credit of this amount. Say which it was: credited, or to be given back."


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be handed out, and to whom."""

    redemption_id: str
    reward: Reward
    currency: str
    amount_minor: int
    customer_id: int
    code: str
    asked_at: datetime | None


def hand_out(access: Access, shop_id: int, redemption_id: str) -> None:
    """Network verb: make the card or the credit of a reserved redemption; its points are spent when it is there.

    `Throttled` goes through to the job, which tries again. When Shopify says no for good the points are back.
    """
    wanted = _wanted(access, shop_id, redemption_id)
    if wanted is None:
        return
    is_card = wanted.reward.kind == "gift_card"
    if wanted.asked_at is not None:
        # It was asked for before and may be there. Until that is known there is no giving up, whatever is in the way.
        try:
            gid, settled = (_card_made if is_card else _credit_made)(access, shop_id, wanted)
        except (AccessRevoked, MissingScope, Rejected) as refusal:
            if refusal.code == "uninstalled":
                raise
            raise _cannot_tell(access, shop_id, wanted, refusal) from None
        if gid is not None:
            _handed_out(access, shop_id, wanted, gid)
        if settled:
            return
    try:
        gid = (_make_card if is_card else _make_credit)(access, shop_id, wanted)
    except (AccessRevoked, MissingScope, Rejected) as refusal:
        if refusal.code == "uninstalled":
            raise
        _give_up(access, shop_id, wanted, refusal.message)
        return
    if gid is not None:
        _handed_out(access, shop_id, wanted, gid)


def _wanted(access: Access, shop_id: int, redemption_id: str) -> _Order | None:
    """What to make; None when there is nothing to do (any more). Chooses the card's code."""
    with access.db.transaction() as session:
        redemption = session.get(Redemption, (shop_id, redemption_id))
        if redemption is None:
            return None
        _, redemption = hold_redemption(session, shop_id, redemption_id, now=access.clock())
        if redemption.state is not RedemptionState.RESERVED or redemption.problem == AMBIGUOUS:
            return None
        terms = session.get_one(RewardTerms, (shop_id, redemption.reward_id))
        reward = Reward.model_validate(terms.reward)
        member = session.get_one(Member, (shop_id, redemption.member_id))
        if reward.is_code:
            return None
        if member.customer_id is None:  # forgotten meanwhile: there is nobody to hand it to
            settle_not_made(session, shop_id, redemption_id, "The customer was forgotten.", by="", now=access.clock())
            return None
        if redemption.card_code is None:
            redemption.card_code = "".join(secrets.choice(ALPHABET) for _ in range(16))
        return _Order(
            redemption_id, reward, terms.currency, redemption.amount_minor or 0, member.customer_id,
            redemption.card_code, redemption.asked_at,
        )  # fmt: skip


def _asking(access: Access, shop_id: int, wanted: _Order) -> bool:
    """Noted before the call: from here on it may exist. False when it was cancelled at this very moment."""
    with access.db.transaction() as session:
        _, redemption = hold_redemption(session, shop_id, wanted.redemption_id, now=access.clock())
        if redemption.state is not RedemptionState.RESERVED:
            return False
        redemption.asked_at = redemption.asked_at or access.clock()
        return True


# --- gift cards -----------------------------------------------------------------------------------------------------


def _card_made(access: Access, shop_id: int, wanted: _Order) -> tuple[str | None, bool]:
    """(the card that an earlier call made, whether that settles it)."""
    ours = _ours(_alike(access, shop_id, wanted), wanted)
    return (ours.gid, True) if ours is not None else (None, False)


def _alike(access: Access, shop_id: int, wanted: _Order) -> list[GiftCard]:
    return access.ask(shop_id, lambda client: cards_like(client, wanted.code))


def _ours(alike: list[GiftCard], wanted: _Order) -> GiftCard | None:
    """The card with our note; else one that ends like our code, of our amount, made since we asked: a note can be
    edited, and no merchant's card of that very minute ends alike by chance.
    """
    noted = [card for card in alike if card.note == note_of(wanted.redemption_id)]
    asked_at = wanted.asked_at
    like_ours = [
        card
        for card in alike
        if asked_at is not None
        and card.created_at >= asked_at - CLOCKS_DIFFER
        and (card.amount_minor, card.currency) == (wanted.amount_minor, wanted.currency)
    ]
    return next(iter([*noted, *like_ours]), None)


def _make_card(access: Access, shop_id: int, wanted: _Order) -> str | None:
    if not _asking(access, shop_id, wanted):
        return None
    try:
        card = access.ask(
            shop_id,
            lambda client: create_gift_card(
                client,
                code=wanted.code,
                amount_minor=wanted.amount_minor,
                currency=wanted.currency,
                customer_id=wanted.customer_id,
                note=note_of(wanted.redemption_id),
            ),
        )
        return card.gid
    except Rejected as refusal:
        if refusal.code != "TAKEN":
            raise
    return _card_of_taken_code(access, shop_id, replace(wanted, asked_at=wanted.asked_at or access.clock()))


def _card_of_taken_code(access: Access, shop_id: int, wanted: _Order) -> str | None:
    """Eighty random bits are taken by ourselves, in a call that landed late, or by a merchant who copied them.

    Another code is chosen only when somebody else's card is there to be seen; one that nobody sees yet may be ours.
    """
    try:
        alike = _alike(access, shop_id, wanted)
    except (AccessRevoked, MissingScope, Rejected) as refusal:
        raise _cannot_tell(access, shop_id, wanted, refusal) from None
    ours = _ours(alike, wanted)
    if ours is not None:
        return ours.gid
    if not alike:
        raise _cannot_tell(access, shop_id, wanted, Throttled("The card with this code is not in any list yet."))
    _choose_another_code(access, shop_id, wanted)
    raise Throttled("Another gift card has this code. A new one is chosen.")


def _cannot_tell(access: Access, shop_id: int, wanted: _Order, why: Exception) -> Throttled:
    """It may have been made, and nobody can say: the points wait, and the merchant reads why."""
    _note_problem(access, shop_id, wanted, f"{MAY_BE_MADE} {why}")
    return Throttled(str(why), retry_after=ASK_AGAIN_S)


def note_of(redemption_id: str) -> str:
    """The card's note: how a merchant, and we ourselves, tell whose it is."""
    return f"Regulars {redemption_id}"


def _choose_another_code(access: Access, shop_id: int, wanted: _Order) -> None:
    with access.db.transaction() as session:
        _, redemption = hold_redemption(session, shop_id, wanted.redemption_id, now=access.clock())
        redemption.card_code = redemption.asked_at = None


# --- store credit ---------------------------------------------------------------------------------------------------


def _credit_made(access: Access, shop_id: int, wanted: _Order) -> tuple[str | None, bool]:
    """(the credit that an earlier call made, whether there is nothing more to do for now)."""
    assert wanted.asked_at is not None
    since, read_at = wanted.asked_at - CLOCKS_DIFFER, wanted.asked_at + READ_BACK_AFTER
    if access.clock() < read_at:
        _look_again(access, shop_id, wanted, read_at)
        return None, True
    found = access.ask(
        shop_id,
        lambda client: credits_since(client, customer_id=wanted.customer_id, since=since, currency=wanted.currency),
    )
    right = [item.gid for item in found if item.amount_minor == wanted.amount_minor]
    unclaimed = _unclaimed(access, shop_id, right)
    if len(unclaimed) > 1:
        # One of them is claimed for it, so that no other redemption takes it for its own before staff have decided.
        _note_problem(access, shop_id, wanted, AMBIGUOUS, claimed=unclaimed[0])
        return None, True
    return (unclaimed[0], True) if unclaimed else (None, False)


def _make_credit(access: Access, shop_id: int, wanted: _Order) -> str | None:
    """Not again before it was read back that the last call did nothing: the date of asking moves with each call."""
    with access.db.transaction() as session:
        _, redemption = hold_redemption(session, shop_id, wanted.redemption_id, now=access.clock())
        if redemption.state is not RedemptionState.RESERVED:
            return None
        redemption.asked_at = access.clock()
    return access.ask(
        shop_id,
        lambda client: credit(
            client, customer_id=wanted.customer_id, amount_minor=wanted.amount_minor, currency=wanted.currency
        ),
    )


def _unclaimed(access: Access, shop_id: int, gids: list[str]) -> list[str]:
    with access.db.reading() as session:
        claimed = set(
            session.scalars(
                select(Redemption.shopify_gid).where(Redemption.shop_id == shop_id, Redemption.shopify_gid.in_(gids))
            )
        )
    return [gid for gid in gids if gid not in claimed]


def _look_again(access: Access, shop_id: int, wanted: _Order, when: datetime) -> None:
    with access.db.transaction() as session:
        enqueue(
            session, shop_id, "hand_out", lane=Lane.NETWORK, now=access.clock(), subject=wanted.redemption_id,
            arguments={"redemption_id": wanted.redemption_id}, due_at=when,
        )  # fmt: skip


def _note_problem(access: Access, shop_id: int, wanted: _Order, problem: str, *, claimed: str | None = None) -> None:
    with access.db.transaction() as session:
        _, redemption = hold_redemption(session, shop_id, wanted.redemption_id, now=access.clock())
        redemption.problem, redemption.shopify_gid = problem[:500], claimed


def waits_for_staff(redemption: Redemption) -> bool:
    """Whether only a person can say what became of it: whether the card or the credit is there."""
    return (
        redemption.state is RedemptionState.RESERVED
        and redemption.asked_at is not None
        and redemption.problem.startswith((AMBIGUOUS, MAY_BE_MADE))
    )


def _handed_out(access: Access, shop_id: int, wanted: _Order, gid: str) -> None:
    with access.db.transaction() as session:
        settle_handed_out(session, shop_id, wanted.redemption_id, gid, now=access.clock())


def settle_handed_out(session: Session, shop_id: int, redemption_id: str, gid: str | None, *, now: datetime) -> None:
    """Record verb: the card or credit exists, so the points are spent. Also what staff's "it is there" does, without
    naming which: then it is the one that was claimed for it.
    """
    books, redemption = hold_redemption(session, shop_id, redemption_id, now=now)
    if redemption.state is not RedemptionState.RESERVED:
        return
    books.redeem(redemption.member_id, **next_event(redemption), points=redemption.points, occurred_at=now)
    redemption.state, redemption.issued_at, redemption.used_at = RedemptionState.USED, now, now
    redemption.shopify_gid = gid or redemption.shopify_gid
    redemption.cost_minor, redemption.problem = redemption.amount_minor, ""
    session.flush()
    books.close()
    tell(session, shop_id, books, now)


def _give_up(access: Access, shop_id: int, wanted: _Order, problem: str) -> None:
    with access.db.transaction() as session:
        settle_not_made(session, shop_id, wanted.redemption_id, problem, by="", now=access.clock())


def settle_not_made(
    session: Session, shop_id: int, redemption_id: str, problem: str, *, by: str, now: datetime
) -> None:
    """Record verb: there is no card and no credit, so the points are back. Also what staff's "give back" does."""
    books, redemption = hold_redemption(session, shop_id, redemption_id, now=now)
    if redemption.state is not RedemptionState.RESERVED:
        return
    redemption.why, redemption.by, redemption.releasing_at = "not_made", by, now
    redemption.shopify_gid = None
    give_points_back(session, books, redemption, now=now)
    redemption.problem = problem[:500]
    session.flush()
    books.close()
    tell(session, shop_id, books, now)

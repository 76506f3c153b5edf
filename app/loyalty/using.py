"""Orders that show a code of ours settle its redemption: used, and given back for what was returned (DESIGN §4 Redeem).

State, not deltas, as everything here: from the merged facts of the order that used a code follows what its redemption
should be, and only the difference is posted. It counts whoever placed the order, paid or not: Shopify gives a code's
use back to nobody. An order that shows a code whose points are back already takes them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ..db import Direct, among, upsert
from ..jobs.queue import enqueue
from ..ledger import Books
from ..models import Code, CodeState, CodeUse, Lane, Order, Redemption, RedemptionState, RewardTerms, Shop
from ..program.facts import OrderFacts
from ..program.money import micro_per_minor
from ..program.redeeming import Offer, points_back
from ..program.rewards import Reward
from .equip import have_another_code
from .redeem import cause_of
from .stock import take_stock

CALLED_BACK = "An order used the code that was replaced. The new one is called back."
TAKEN_AWAY = "Somebody used its code before it was handed out. The member got another one."
CLOCKS_DIFFER = timedelta(minutes=1)
BOTH_USED = "Orders used both the code that was replaced and the new one. The points were spent once."


@dataclass(frozen=True, slots=True)
class Shown:
    """An order of a batch that shows codes: its merged facts, whose it is, and the latest date among its facts."""

    facts: OrderFacts
    member_id: int | None
    occurred_at: datetime


class Uses:
    """The redemptions that a batch of orders concerns. Made before the books are opened, settled while they are."""

    def __init__(self, session: Session, shop_id: int, orders: Mapping[int, Shown]) -> None:
        self.session, self.shop_id, self.orders = session, shop_id, orders
        self.owners: set[int] = set()
        """Members whose balances must be open: only who holds a balance may change its redemptions."""
        self._of_code: dict[str, str] = {}  # code → the redemption it was made for; one may have had several
        self._nobodys: list[str] = []
        self._called_back: set[str] = set()
        codes = {code for shown in orders.values() for code, _ in shown.facts.codes}
        if codes:
            found = session.execute(
                select(Code.code, Code.state, Code.redemption_id, Redemption.member_id)
                .outerjoin(
                    Redemption,
                    (Redemption.shop_id == Code.shop_id) & (Redemption.redemption_id == Code.redemption_id),
                )
                .where(Code.shop_id == shop_id, among(session, Code.code, sorted(codes)))
            ).all()
            self._of_code = {row.code: row.redemption_id for row in found if row.member_id is not None}
            self._nobodys = [row.code for row in found if row.member_id is None]
            self._called_back = {row.code for row in found if row.state is CodeState.RETIRED}
            self.owners = {row.member_id for row in found if row.member_id is not None}

    def settle(self, books: Books) -> None:
        if self._nobodys:
            self._take_out_of_the_pool()
        if not self._of_code:
            return
        self._note()
        ids = sorted(set(self._of_code.values()))
        first = self._first_orders(ids)
        # Read again under the balances' locks: a shopper may have given one of them back meanwhile.
        found = self.session.scalars(
            select(Redemption)
            .where(Redemption.shop_id == self.shop_id, Redemption.redemption_id.in_(ids))
            .order_by(Redemption.redemption_id)
            .execution_options(populate_existing=True)
        ).all()
        terms = terms_of(self.session, self.shop_id, {redemption.reward_id for redemption in found})
        for redemption in found:
            shown = self.orders.get(first.get(redemption.redemption_id, 0))
            reward = terms[redemption.reward_id]
            if shown is not None and (early := self._used_before_it_was_theirs(redemption, shown)):
                self._take_away(redemption, early, shown, reward, books.now)
                continue
            if shown is not None:
                taken_off = sum(
                    micro for code, micro in shown.facts.codes if self._of_code.get(code) == redemption.redemption_id
                )
                if redemption.state is RedemptionState.RELEASED:
                    self._count_again(redemption, reward)
                settle_use(books, redemption, shown, reward, taken_off)
            self._one_code_is_enough(redemption, books.now)
        self.session.flush()

    def _used_before_it_was_theirs(self, redemption: Redemption, shown: Shown) -> str | None:
        """The redemption's code, when the order that shows it is older than the redemption's having it: somebody else
        (staff can see the pool) was earlier, and the code never worked for this shopper.
        """
        had_since, ordered_at = redemption.issued_at, shown.facts.created_at
        if redemption.state is RedemptionState.USED or had_since is None or ordered_at is None:
            return None
        mine = any(code == redemption.code for code, _ in shown.facts.codes)
        return redemption.code if mine and ordered_at < had_since - CLOCKS_DIFFER else None

    def _take_away(self, redemption: Redemption, code: str, shown: Shown, reward: Reward, now: datetime) -> None:
        """The code was never good, and is nobody's. One who holds it gets another, and both are told."""
        self.session.execute(
            update(Code)
            .where(Code.shop_id == self.shop_id, Code.code == code)
            .values(state=CodeState.GONE, redemption_id=None)
            .execution_options(synchronize_session=False)
        )
        self.session.execute(
            delete(CodeUse).where(
                CodeUse.shop_id == self.shop_id,
                CodeUse.redemption_id == redemption.redemption_id,
                CodeUse.order_id == shown.facts.order_id,
            )
        )
        if redemption.state is RedemptionState.ISSUED:
            have_another_code(self.session, redemption, reward, now)
            redemption.problem = TAKEN_AWAY

    def _take_out_of_the_pool(self) -> None:
        """Somebody used a code that nobody was given (staff can see them all): nobody is to be given it any more."""
        self.session.execute(
            update(Code)
            .where(
                Code.shop_id == self.shop_id,
                among(self.session, Code.code, sorted(self._nobodys)),
                Code.redemption_id.is_(None),
            )
            .values(state=CodeState.GONE)
            .execution_options(synchronize_session=False)
        )

    def _count_again(self, redemption: Redemption, reward: Reward) -> None:
        """It was had after all, so it is gone from stock and budget after all."""
        zone = self.session.get_one(Shop, self.shop_id).zone
        agreed = Offer(redemption.points, redemption.amount_minor)
        redemption.counted = take_stock(
            Direct.of(self.session), self.shop_id, reward, agreed, redemption.reserved_at, zone, even_the_last=True
        )

    def _one_code_is_enough(self, redemption: Redemption, now: datetime) -> None:
        """The code that was replaced was used all the same: the one in its place is called back before it is, too.

        Where it was used already the merchant is told: its points are spent once.
        """
        mine = {code for code, of in self._of_code.items() if of == redemption.redemption_id}
        theirs = (Code.shop_id == self.shop_id, Code.code == redemption.code)
        change = update(Code).execution_options(synchronize_session=False)
        if redemption.code in mine:
            if mine & self._called_back:
                self.session.execute(change.where(*theirs).values(state=CodeState.TAKEN))
            if mine & self._called_back or len(mine) > 1:
                redemption.problem = BOTH_USED
        elif redemption.problem != BOTH_USED:
            back = change.where(*theirs, Code.state == CodeState.TAKEN).values(state=CodeState.RETIRED)
            if self.session.execute(back).rowcount:  # type: ignore[attr-defined]
                redemption.problem = CALLED_BACK
                enqueue(self.session, self.shop_id, "delete_codes", lane=Lane.NETWORK, now=now)

    def _note(self) -> None:
        seen = {
            (self._of_code[code], order_id): shown.facts.created_at
            for order_id, shown in self.orders.items()
            for code, _ in shown.facts.codes
            if code in self._of_code and shown.facts.created_at is not None
        }
        rows = [
            {"shop_id": self.shop_id, "redemption_id": redemption_id, "order_id": order_id, "ordered_at": moment}
            for (redemption_id, order_id), moment in sorted(seen.items())
        ]
        if rows:
            self.session.execute(upsert(self.session, CodeUse).on_conflict_do_nothing(), rows)

    def _first_orders(self, ids: list[str]) -> dict[str, int]:
        """redemption → the earliest order that shows its code. Later ones are the merchant's to know."""
        rows = self.session.execute(
            select(CodeUse.redemption_id, CodeUse.order_id)
            .where(CodeUse.shop_id == self.shop_id, CodeUse.redemption_id.in_(ids))
            .order_by(CodeUse.ordered_at.desc(), CodeUse.order_id.desc())
        )
        return {row.redemption_id: row.order_id for row in rows}


def terms_of(session: Session, shop_id: int, reward_ids: set[str]) -> dict[str, Reward]:
    """The terms that redemptions pinned, by reward id."""
    rows = session.execute(
        select(RewardTerms.reward_id, RewardTerms.reward).where(
            RewardTerms.shop_id == shop_id, RewardTerms.reward_id.in_(sorted(reward_ids))
        )
    )
    return {reward_id: Reward.model_validate(reward) for reward_id, reward in rows}


def settle_use(books: Books, redemption: Redemption, shown: Shown, reward: Reward, taken_off_micro: int) -> None:
    """Make the redemption what the order says it is, and post the difference. The order is ``taken_off_micro`` lower
    by it.
    """
    facts, snapshot = shown.facts, shown.facts.snapshot
    if snapshot is None:
        return
    if redemption.state is not RedemptionState.USED:
        _use(books, redemption, facts.created_at or shown.occurred_at)
    redemption.order_id = facts.order_id
    redemption.used_at = facts.created_at
    redemption.by_other = shown.member_id != redemption.member_id
    redemption.cost_minor = taken_off_micro // micro_per_minor(snapshot.currency)
    give_back_to(books, redemption, points_back(redemption.points, facts, reward), occurred_at=shown.occurred_at)


def _use(books: Books, redemption: Redemption, occurred_at: datetime) -> None:
    post = next_event(redemption)
    if redemption.state is RedemptionState.RELEASED:
        redemption.after_all = True
        redemption.problem = "An order used this code after its points had been given back, so they were taken again."
        books.redeem_after_all(redemption.member_id, **post, points=redemption.points, occurred_at=occurred_at)
    else:
        redemption.problem = ""
        books.redeem(redemption.member_id, **post, points=redemption.points, occurred_at=occurred_at)
    redemption.state, redemption.reissue = RedemptionState.USED, False


def give_back_to(books: Books, redemption: Redemption, target: int, *, occurred_at: datetime) -> None:
    """Have ``target`` of its points back with the member, or what staff gave back if that is more; post the rest."""
    target = min(redemption.points, max(target, redemption.staff_back))
    more = target - redemption.given_back
    if not more:
        return
    post = next_event(redemption)
    if more > 0:
        books.give_back(redemption.member_id, **post, points=more, occurred_at=occurred_at)
    else:
        books.redeem_after_all(redemption.member_id, **post, points=-more, occurred_at=occurred_at)
    redemption.given_back = target


def next_event(redemption: Redemption) -> dict[str, str]:
    """Cause and event of the redemption's next posting."""
    redemption.events += 1
    cause = cause_of(redemption.redemption_id)
    return {"cause": cause, "event": f"{cause}:{redemption.events}"}


def move_redemptions(session: Session, shop_id: int, source_id: int, target_id: int) -> None:
    """Two customers are one from now on: what the first redeemed is the second's, whose books hold its points by now.

    The caller holds both balances. A reward that one of them used with the other's code was nobody else's after all.
    """
    theirs = select(Order.order_id).where(Order.shop_id == shop_id, Order.member_id == target_id)
    for which, values in (
        (Redemption.member_id == source_id, {"member_id": target_id}),
        ((Redemption.member_id == target_id) & Redemption.order_id.in_(theirs), {"by_other": False}),
    ):
        session.execute(
            update(Redemption)
            .where(Redemption.shop_id == shop_id, which)
            .values(values)
            .execution_options(synchronize_session=False)
        )

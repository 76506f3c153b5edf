"""An order's points in the merchant's words: why a line of the ledger is what it is, and an order's whole working."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import Decision, Order, ProgramVersion, Shop
from ...program import explaining_rewards
from ...program.decision import Decision as Decided
from ...program.explaining import REWARD_KINDS, explain, working
from ...program.settings import ProgramSettings
from ...program.words import money_text, rate_text
from .history import HistoryLine
from .shopper import title
from .words import Words, count, number

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Working:
    """How an order came to its points: "Why order #1031 earned 84, then 56"."""

    order_id: int
    heading: str
    rows: list[tuple[str, str]]  # what, how much
    points: int  # what the ledger holds for it today
    note: str  # the version it was judged by


def working_of(session: Session, shop: Shop, order_id: int, member_id: int, words: Words) -> Working | None:
    """The working of one of the member's orders; None when it is none of theirs."""
    order = session.get(Order, (shop.shop_id, order_id)) if 0 < order_id <= LARGEST_ID else None
    if order is None or order.member_id != member_id or not order.decision:
        return None
    decided = Decided.from_json(orjson.loads(order.decision))
    made = session.execute(
        select(Decision.version, Decision.decision)
        .where(Decision.shop_id == shop.shop_id, Decision.order_id == order_id)
        .order_by(Decision.number)
    ).all()
    version = made[-1].version if made else None
    settings = _settings(session, shop.shop_id, version)
    earned = [Decided.from_json(orjson.loads(row.decision)).points for row in made] or [decided.points]
    return Working(
        order_id=order_id,
        heading=f"Why {order_title(order.name)} earned {_then(earned)}",
        rows=working(decided, settings, zone=words.zone),
        points=order.points,
        note=f"Version {version} of the program. Later versions do not change this order." if version else "",
    )


def order_title(name: str) -> str:
    """order #1031; a redacted order has no name any more."""
    return f"order {name}" if name else "this order"


def ledger_title(line: HistoryLine) -> str:
    """What a line of the ledger is called: as to shoppers, but for rewards, which have the ledger's own words."""
    return explaining_rewards.ledger_title(line.kind, line.reward) if line.kind in REWARD_KINDS else title(line)


def why(line: HistoryLine, words: Words) -> str:
    """The sentence under a line of the ledger, for the merchant."""
    if line.kind in REWARD_KINDS:
        return explaining_rewards.ledger_reason(line.kind, line.reward, line.points, zone=words.zone, today=words.today)
    if line.kind == "adjusted":
        return f"{line.note or 'No reason is kept'}{_by(line.author, words)}"
    if line.kind == "merged":
        return "Two customers were joined at Shopify, and their books with them."
    decision = line.decision
    if decision is None:
        return ""
    if line.kind == "taken_back":
        return what_went_back(decision, line.previous)
    if line.kind == "zero" or not decision.points or decision.rate is None:
        return next((row for row in explain(decision) if row.startswith("Earned nothing")), "")
    rate = rate_text(decision.rate.points, decision.rate.per_minor, decision.currency)
    sentence = f"{rate} of {money_text(decision.eligible_micro, decision.currency)}."
    if line.kind == "pending" and decision.matures_at:
        sentence += f" Pending until {words.day(decision.matures_at)}."
    return sentence


def what_went_back(decision: Decided, previous: Decided | None) -> str:
    """ "1 of 3 × Ash mug, €28.00. Keeps 56 points." """
    keeps = f" Keeps {count(decision.points, 'point')}." if decision.points else ""
    if decision.rate is None:
        return next(iter(explain(decision)), "").replace("Earned nothing: ", "").capitalize() + keeps
    before = {line.line_id: line for line in previous.lines} if previous else {}
    gone = []
    for line in decision.lines:
        was = before.get(line.line_id)
        if line.line_id is not None and line.counted and was is not None and line.remaining < was.remaining:
            units = was.remaining - line.remaining
            of = f" of {line.quantity}" if line.quantity > 1 else ""
            gone.append(f"{units}{of} × {line.title}, {money_text(was.value - line.value, decision.currency)}")
    for cut in decision.reductions:
        amount = cut.amount - sum(old.amount for old in (previous.reductions if previous else ()) if old.why == cut.why)
        if amount > 0:
            how = "paid back without a return" if cut.why == "paid_back" else "added and not paid yet"
            gone.append(f"{money_text(amount, decision.currency)} {how}")
    return f"{'; '.join(gone) or 'The order changed'}.{keeps}"


def _then(earned: Sequence[int]) -> str:
    """84, then 56. Only the last few steps of an order with a long history."""
    steps = [points for place, points in enumerate(earned) if place == 0 or points != earned[place - 1]]
    shown = [number(points) for points in steps[-4:]]
    return ", then ".join(shown) if steps != [0] else "nothing"


def _settings(session: Session, shop_id: int, version: int | None) -> ProgramSettings | None:
    row = session.get(ProgramVersion, (shop_id, version)) if version is not None else None
    return ProgramSettings.model_validate(row.settings) if row else None


def _by(author: str, words: Words) -> str:
    return f" · by {words.by(author)}" if author else ""

"""The rewards page: each reward of the draft, of the live program and of the past, with what became of it.

Counts are by slot, the merchant's reward through all its edits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...models import IS_HELD, Code, CodeState, Discount, Redemption, RedemptionState, RewardTerms, Shop
from ...program.redeeming import month_of_issue
from ...program.rewards import Reward, reward_id, reward_title
from ...program.settings import ProgramSettings
from ..hand_out import waits_for_staff
from ..release import BEING_LOOKED_FOR, order_is_lost
from .redemptions import offered_rewards
from .versions import ProgramState, program_state
from .words import Words, number

LIVE = (RedemptionState.ISSUED, RedemptionState.RELEASING)
OPEN = (RedemptionState.RESERVED, *LIVE)
MOST_TROUBLED = 20
DECIDE = "Only you can tell what became of it."

# Permissions a kind needs beyond those of the installation, which a merchant grants when asked for them.
SCOPES = {
    "gift_card": ("write_gift_cards",),
    "store_credit": ("write_store_credit_account_transactions", "read_store_credit_accounts"),
}


@dataclass(frozen=True, slots=True)
class Badge:
    words: str
    tone: str = ""


@dataclass(slots=True)
class Counts:
    """What became of one reward. Codes count once they are handed out."""

    states: dict[RedemptionState, int] = field(default_factory=lambda: defaultdict(int))
    spent_minor: int = 0  # by those that were used
    running_minor: int = 0  # at most, by those that are out, where their amount says it
    running_without_amount: int = 0
    orphaned: int = 0

    @property
    def used(self) -> int:
        return self.states[RedemptionState.USED]

    @property
    def released(self) -> int:
        return self.states[RedemptionState.RELEASED]

    @property
    def live(self) -> int:
        return sum(self.states[state] for state in LIVE)

    @property
    def open(self) -> int:
        return sum(self.states[state] for state in OPEN)


@dataclass(frozen=True, slots=True)
class RewardRow:
    slot: str
    title: str
    points: str
    badges: list[Badge]
    counts: Counts


@dataclass(frozen=True, slots=True)
class Troubled:
    """A reward, or somebody's redemption of it, that does not go on without the merchant."""

    title: str
    why: str
    slot: str
    redemption_id: str = ""


@dataclass(frozen=True, slots=True)
class RewardsPage:
    program: ProgramState
    rows: list[RewardRow]  # of the draft and of the live program
    past: list[RewardRow]
    waiting: list[Troubled]


def rewards_page(session: Session, shop: Shop, words: Words) -> RewardsPage:
    program = program_state(session, shop, words.now)
    tallies = counts(session, shop.shop_id)
    offered = offer_badges(session, shop, program, words)
    drafted = {reward.slot: reward for reward in program.draft.rewards}
    live = {reward.slot: reward for reward in program.live.settings.rewards} if program.live else {}
    rows = []
    for slot, reward in {**live, **drafted}.items():
        badges = [*offered.get(slot, []), *draft_badges(program, slot)]
        rows.append(_row(reward, program.draft.currency, badges, tallies[slot]))
    past = [
        _row(reward, currency, [Badge("No longer offered")], tallies[slot])
        for slot, (reward, currency) in latest_terms(session, shop.shop_id).items()
        if slot not in live and slot not in drafted
    ]
    return RewardsPage(program, rows, past, troubled_redemptions(session, shop.shop_id))


def troubled_redemptions(session: Session, shop_id: int) -> list[Troubled]:
    """What somebody waits for and something is in the way of, the oldest first; not what is being looked into."""
    found = session.scalars(
        select(Redemption)
        .where(Redemption.shop_id == shop_id, IS_HELD, Redemption.problem.not_in(["", BEING_LOOKED_FOR]))
        .order_by(Redemption.reserved_at)
        .limit(MOST_TROUBLED)
    )
    return [
        Troubled(
            each.title,
            DECIDE if waits_for_staff(each) or order_is_lost(each) else each.problem,
            each.slot,
            each.redemption_id,
        )
        for each in found
    ]


def troubled_rewards(session: Session, shop: Shop, program: ProgramState, words: Words) -> list[Troubled]:
    """Rewards of the live program that nobody can be given now."""
    if program.live is None:
        return []
    settings = program.live.settings
    problems = pool_problems(session, shop, settings, words)
    found = []
    for offered_id, reward in settings.rewards_by_id.items():
        title = reward_title(reward, settings.currency)
        if missing_scopes(shop, reward.kind):
            found.append(Troubled(title, "It needs a permission", reward.slot))
        elif offered_id in problems:
            found.append(Troubled(title, problems[offered_id], reward.slot))
    return found


def counts(session: Session, shop_id: int, slot: str | None = None) -> defaultdict[str, Counts]:
    """Slot → what became of it; of one slot only when it is named."""
    mine = [Redemption.shop_id == shop_id, *([Redemption.slot == slot] if slot else [])]
    found: defaultdict[str, Counts] = defaultdict(Counts)
    tallied = session.execute(
        select(
            Redemption.slot,
            Redemption.state,
            func.count(),
            func.coalesce(func.sum(Redemption.cost_minor), 0),
            func.coalesce(func.sum(Redemption.amount_minor), 0),
            func.count().filter(Redemption.amount_minor.is_(None)),
        )
        .where(*mine)
        .group_by(Redemption.slot, Redemption.state)
    )
    for name, state, tally, cost, amount, without in tallied:
        counted = found[name]
        counted.states[state] = tally
        if state is RedemptionState.USED:
            counted.spent_minor = int(cost or 0)
        elif state in OPEN:
            counted.running_minor += int(amount or 0)
            counted.running_without_amount += without
    for name, tally in orphans(session, shop_id, slot):
        found[name].orphaned = tally
    return found


def orphans(session: Session, shop_id: int, slot: str | None = None) -> Iterable[tuple[str, int]]:
    """(slot, codes at Shopify that belong to nothing): left over of a month that is past, or handed to nobody."""
    nobodys = (Code.state == CodeState.RETIRED) | ((Code.state == CodeState.TAKEN) & Code.redemption_id.is_(None))
    rows = session.execute(
        select(RewardTerms.slot, func.count())
        .select_from(Code)
        .join(Discount, (Discount.shop_id == Code.shop_id) & (Discount.key == Code.discount_key))
        .join(RewardTerms, (RewardTerms.shop_id == Discount.shop_id) & (RewardTerms.reward_id == Discount.reward_id))
        .where(Code.shop_id == shop_id, nobodys, *([RewardTerms.slot == slot] if slot else []))
        .group_by(RewardTerms.slot)
    )
    return [(row[0], row[1]) for row in rows]


def latest_terms(session: Session, shop_id: int) -> dict[str, tuple[Reward, str]]:
    """Slot → the terms noted last, and their currency."""
    rows = session.execute(
        select(RewardTerms.slot, RewardTerms.reward, RewardTerms.currency)
        .where(RewardTerms.shop_id == shop_id)
        .order_by(RewardTerms.noted_at)
    )
    return {slot: (Reward.model_validate(reward), currency) for slot, reward, currency in rows}


def offer_badges(session: Session, shop: Shop, program: ProgramState, words: Words) -> dict[str, list[Badge]]:
    """Slot → how the live program offers it, and what is in the way."""
    if program.live is None:
        return {}
    settings = program.live.settings
    offered = offered_rewards(
        session, shop.shop_id, settings, member_id=None, available=0, paused=program.paused_since is not None,
        now=words.now, zone=words.zone,
    )  # fmt: skip
    why = {answer["id"]: answer["reason"] for answer in offered}
    problems = pool_problems(session, shop, settings, words)
    badges = {}
    for offered_id, reward in settings.rewards_by_id.items():
        badges[reward.slot] = [_offered(reward, why[offered_id], words)]
        if missing_scopes(shop, reward.kind):
            badges[reward.slot].append(Badge("Needs a permission", "critical"))
        elif offered_id in problems:
            badges[reward.slot].append(Badge("No codes", "critical"))
    return badges


def pool_problems(session: Session, shop: Shop, settings: ProgramSettings, words: Words) -> dict[str, str]:
    """Reward id → why no codes can be made for it this month."""
    rows = session.execute(
        select(Discount.reward_id, Discount.problem).where(
            Discount.shop_id == shop.shop_id,
            Discount.reward_id.in_(list(settings.rewards_by_id)),
            Discount.month >= month_of_issue(words.now, words.zone),
            Discount.problem != "",
            Discount.removed_at.is_(None),
        )
    )
    return {row.reward_id: row.problem for row in rows}


def draft_badges(program: ProgramState, slot: str) -> list[Badge]:
    """What publishing the draft would do to it."""
    drafted = next((reward for reward in program.draft.rewards if reward.slot == slot), None)
    before = program.compared_with.settings.rewards if program.compared_with else ()
    published = next((reward for reward in before if reward.slot == slot), None)
    if drafted is None:
        return [Badge("Removed in the draft", "info")] if published else []
    if published is None:
        return [Badge("New in the draft", "info")]
    return [Badge("Changed in the draft", "info")] if drafted != published else []


def missing_scopes(shop: Shop, kind: str) -> list[str]:
    """The permissions that a kind needs and the merchant has not granted yet."""
    granted = shop.scopes.split(",")
    return [scope for scope in SCOPES.get(kind, ()) if scope not in granted]


def points_words(reward: Reward) -> str:
    """100 · 100 to 1,000, for a slider."""
    if reward.steps is None:
        return number(reward.points)
    return f"{number(reward.points * reward.steps.least)} to {number(reward.points * reward.steps.most)}"


def running_minor(counted: Counts, reward: Reward) -> int:
    """What those that are out can still cost, as far as that can be said."""
    price = reward.product.price_minor if reward.product is not None else 0
    each = reward.cost_minor if reward.cost_minor is not None else price
    return counted.running_minor + counted.running_without_amount * each


def live_reward_id(program: ProgramState, slot: str) -> str | None:
    if program.live is None:
        return None
    settings = program.live.settings
    return next((reward_id(each, settings.currency) for each in settings.rewards if each.slot == slot), None)


def _row(reward: Reward, currency: str, badges: list[Badge], counted: Counts) -> RewardRow:
    return RewardRow(reward.slot, reward_title(reward, currency), points_words(reward), badges, counted)


def _offered(reward: Reward, reason: str | None, words: Words) -> Badge:
    if reason == "not_yet" and reward.starts_at is not None:
        return Badge(f"Starts on {words.moment(reward.starts_at)}")
    if reason == "ended" and reward.ends_at is not None:
        return Badge(f"Ended on {words.day(reward.ends_at)}")
    if reason == "sold_out":
        return Badge("Sold out", "warning")
    if reason == "paused":
        return Badge("Paused", "warning")
    until = f" until {words.moment(reward.ends_at)}" if reward.ends_at is not None else ""
    return Badge(f"Offered{until}", "success")

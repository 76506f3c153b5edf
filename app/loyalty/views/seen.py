"""A reward as the panel shows it, in the words of its English locale: for the merchant to look at while editing.

The storefront's own words are in the theme extension; a test holds these against them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...program.explaining_rewards import last_day
from ...program.money import format_money
from ...program.redeeming import cheapest, usable_until
from ...program.rewards import Reward, reward_title
from ...program.words import day_text, points_text
from .words import Words


@dataclass(frozen=True, slots=True)
class Seen:
    """A reward in the panel's own words."""

    title: str
    kind: str
    points: int  # the fewest it can be had for
    where: str  # "Any order"
    question: str  # "Use 100 points for €5 off?"
    stops: tuple[str, str] | None  # the two ends of its slider
    terms: str
    promise: str

    @property
    def to_go(self) -> int:
        """What a member who is nearly there lacks."""
        return min(10, self.points)


def as_seen(reward: Reward, currency: str, words: Words) -> Seen:
    points, least = cheapest(reward), reward.amounts()[0]
    one = _one(reward, currency, least)
    stops = None
    if reward.steps:
        ends = (reward.amounts()[0] or 0, reward.amounts()[-1] or 0)
        stops = (format_money(ends[0], currency, whole=True), format_money(ends[1], currency, whole=True))
    return Seen(
        title=f"{one} and more" if reward.steps and not reward.title else reward.title or one,
        kind=reward.kind,
        points=points,
        where=_where(reward, currency, least),
        question=f"Use {points_text(points)} for {one}?",
        stops=stops,
        terms=_terms(reward, currency, least),
        promise=_promise(reward, points, words),
    )


def _one(reward: Reward, currency: str, least: int | None) -> str:
    """What the shopper is asked about: one of it, the smallest where there is a slider."""
    if reward.kind == "percentage" and not reward.title:
        return f"{reward.percent}% off"
    return reward_title(reward, currency, least if reward.steps else None)


def _where(reward: Reward, currency: str, least: int | None) -> str:
    if not reward.is_code:
        return "Yours at once"
    minimum = reward.minimum_for(least)
    if reward.only_products:
        return "On some products"
    return f"Orders from {format_money(minimum, currency, whole=True)}" if minimum else "Any order"


def _terms(reward: Reward, currency: str, least: int | None) -> str:
    if not reward.is_code:
        return ""
    minimum = reward.minimum_for(least)
    works = "Works on any order."
    if reward.only_products:
        works = "Works on some products."
    elif minimum:
        works = f"Works on orders from {format_money(minimum, currency, whole=True)}."
    if reward.combines.order or reward.combines.product:
        return f"{works} Can be combined with other discount codes."
    return f"{works} Cannot be combined with another discount code."


def _promise(reward: Reward, points: int, words: Words) -> str:
    if not reward.is_code:
        return "You get it at once, and it is yours. It cannot be given back."
    until = last_day(usable_until(words.now, reward.valid_days, words.zone), words.zone)
    last = day_text(words.start_of(until), words.zone, words.today)
    they, returns = ("it", "returns") if points == 1 else ("they", "return")
    return (
        f"Your {points_text(points)} {'is' if points == 1 else 'are'} set aside, not spent. Give the reward back, "
        f"or leave it unused until {last}, and {they} {returns} to you."
    )

"""A reward while it is being typed: its faults by field, how shoppers see it, and what it takes of the margin.

Where a field cannot be read, the rest is shown with that field as it was, so that one slip does not blank the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from ...errors import Invalid
from ...program.explaining_rewards import last_day
from ...program.margin import GivenAway, given_away, margin_warnings, percent_text
from ...program.money import format_money
from ...program.redeeming import cheapest, usable_until
from ...program.rewards import Reward, reward_errors, reward_title
from ...program.settings import ProgramSettings
from ...program.words import day_text, points_text
from ..reward_drafts import with_reward
from .preview import LookPreview, look_preview
from .words import Words

NO_BREAK_SPACE = "\u00a0"


@dataclass(frozen=True, slots=True)
class Seen:
    """A reward in the storefront's words (UI.md §4)."""

    title: str
    kind: str
    points: int  # the fewest it can be had for
    where: str  # "Any order"
    question: str  # "Use 100 points for €5 off?"
    stops: tuple[str, str] | None  # the two ends of its slider
    terms: str
    promise: str


@dataclass(frozen=True, slots=True)
class RewardPreview:
    errors: dict[str, str]
    seen: Seen | None  # None while too little is known
    working: list[tuple[str, str]]  # what an order gives away with it
    warning: str
    look: LookPreview


def preview_reward(
    document: Mapping[str, Any], settings: ProgramSettings, before: Reward | None, words: Words
) -> RewardPreview:
    """``settings`` are the draft's; ``before`` is the reward as the draft has it, which faulty fields fall back to."""
    reward, errors = checked_reward(document, before)
    look = look_preview(settings.look)
    if reward is None:
        return RewardPreview(errors, None, [], "", look)
    try:
        settings = with_reward(settings, reward)
    except Invalid as full:
        errors = {"": full.message, **errors}
    given = given_away(settings, reward)
    warnings = [warning.sentence for warning in margin_warnings(settings) if warning.slot == reward.slot]
    return RewardPreview(
        errors=errors,
        seen=as_seen(reward, settings.currency, words),
        working=working_of_margin(given, settings) if given else [],
        warning=warnings[0] if warnings else "",
        look=look,
    )


def checked_reward(document: Mapping[str, Any], before: Reward | None) -> tuple[Reward | None, dict[str, str]]:
    """The reward, faulty fields as they were before (None when that does not do), and what is wrong, by path."""
    try:
        return Reward.model_validate(dict(document)), {}
    except ValidationError as error:
        errors = reward_errors(error)
    blank = Reward.model_construct(slot=document["slot"], kind=document["kind"], points=100)
    fallback = (before or blank).model_dump(mode="json")
    mended = {**document, **{path: fallback.get(path) for path in (path.partition(".")[0] for path in errors) if path}}
    try:
        return Reward.model_validate(mended), errors
    except ValidationError:
        return None, errors


def as_seen(reward: Reward, currency: str, words: Words) -> Seen:
    # Slider or not, the row shows the least it can be had for.
    least = reward.amounts()[0]
    title = reward_title(reward, currency)
    chosen = reward_title(reward, currency, least) if reward.steps else title
    points = cheapest(reward)
    stops = None
    if reward.steps:
        ends = (reward.amounts()[0] or 0, reward.amounts()[-1] or 0)
        stops = (format_money(ends[0], currency, whole=True), format_money(ends[1], currency, whole=True))
    return Seen(
        title=title,
        kind=reward.kind,
        points=points,
        where=_where(reward, currency, least),
        question=f"Use {points_text(points)} for {chosen.replace(' ', NO_BREAK_SPACE)}?",
        stops=stops,
        terms=_terms(reward, currency, least),
        promise=_promise(reward, points, words),
    )


def working_of_margin(given: GivenAway, settings: ProgramSettings) -> list[tuple[str, str]]:
    """What is given away, line by line, in money where a smallest cart is known and as a share where it is not."""
    cart = given.cart_minor
    if cart is None and given.used == 1:
        return [("Smallest cart", "None")]

    def much(share: Any) -> str:
        return percent_text(share) if cart is None else format_money(share * cart, settings.currency)

    rows = [("The smallest order it works on", much(1))] if cart is not None else []
    with_it = f"{given.title} and {given.beside}" if given.beside else given.title
    rows += [(with_it, much(given.used)), ("Points for the rest, used well", much(given.earned))]
    rows += [("Given away", much(given.share)), ("Of your margin on it", percent_text(_of_margin(given, settings)))]
    return rows


def _of_margin(given: GivenAway, settings: ProgramSettings) -> Fraction:
    return Fraction(given.share * 100, settings.margin.percent)


def _where(reward: Reward, currency: str, least: int | None) -> str:
    if reward.kind == "gift_card":
        return "A code that pays like money"
    if reward.kind == "store_credit":
        return "Kept in your account"
    minimum = reward.minimum_for(least)
    if minimum:
        return f"Orders from {format_money(minimum, currency, whole=True)}"
    return "Some products" if reward.only_products else "Any order"


def _terms(reward: Reward, currency: str, least: int | None) -> str:
    if not reward.is_code:
        return ""
    minimum = reward.minimum_for(least)
    works = f"Works on orders from {format_money(minimum, currency, whole=True)}." if minimum else "Works on any order."
    if reward.only_products:
        works = works.replace("orders", "some products, in orders").replace("any order", "some products only")
    alone = not (reward.combines.order or reward.combines.product)
    return f"{works} Cannot be combined with another discount code." if alone else works


def _promise(reward: Reward, points: int, words: Words) -> str:
    if not reward.is_code:
        return f"Your {points_text(points)} are spent as soon as it is there."
    until = last_day(usable_until(words.now, reward.valid_days, words.zone), words.zone)
    last = day_text(words.start_of(until), words.zone, words.today)
    return (
        f"Your {points_text(points)} are set aside, not spent. Give the reward back, or leave it unused until {last}, "
        "and they return to you."
    )

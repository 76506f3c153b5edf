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
from ...program.margin import GivenAway, given_away, margin_warnings, percent_text
from ...program.money import format_money
from ...program.rewards import Reward, reward_errors
from ...program.settings import ProgramSettings
from ..reward_drafts import with_reward
from .preview import LookPreview, look_preview
from .seen import Seen, as_seen
from .words import Words


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


def working_of_margin(given: GivenAway, settings: ProgramSettings) -> list[tuple[str, str]]:
    """What is given away, line by line, in money where a smallest cart is known and as a share where it is not."""
    cart = given.cart_minor
    if cart is None and given.used == 1:
        return []  # any cart: no sum can be done, and the guard says so

    def much(share: Any) -> str:
        return percent_text(share) if cart is None else format_money(share * cart, settings.currency)

    rows = [("The smallest order", much(1))] if cart is not None else []
    with_it = f"{given.title} and {given.beside}" if given.beside else given.title
    rows += [(with_it, much(given.used)), ("The points it earns, at best", much(given.earned))]
    rows += [("Given away", much(given.share)), ("Of your margin", percent_text(_of_margin(given, settings)))]
    return rows


def _of_margin(given: GivenAway, settings: ProgramSettings) -> Fraction:
    return Fraction(given.share * 100, settings.margin.percent)

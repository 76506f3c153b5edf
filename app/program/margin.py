"""Guard the merchant's margin: what share of one order a program can give away (FEATURES R18).

An order gives away twice: the reward used on it, and the points it earns, valued by the reward that gives most for a
point. Worked out where it weighs most, on the smallest cart the reward works on. All of it exact: integers and
fractions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from app.program.earning import points_for
from app.program.money import format_money, micro_per_minor
from app.program.rewards import Reward, reward_title
from app.program.settings import ProgramSettings

_BROKEN_STEP = {"down": Fraction(0), "nearest": Fraction(1, 2), "up": Fraction(1)}  # at most, earned too much


@dataclass(frozen=True, slots=True)
class GivenAway:
    """What an order that uses a reward gives away, as shares of its price before the reward."""

    slot: str
    title: str
    cart_minor: int | None  # the smallest it works on; None: there is no smallest
    used: Fraction
    earned: Fraction
    beside: str = ""  # another reward that may stand on the same order, and is counted in `used`

    @property
    def share(self) -> Fraction:
        return self.used + self.earned


@dataclass(frozen=True, slots=True)
class MarginWarning:
    """More is given away than the merchant wants. ``slot`` is the reward's; "" when the points alone do it."""

    slot: str
    sentence: str


def margin_warnings(settings: ProgramSettings) -> list[MarginWarning]:
    """Where one order can give away more than the guard allows, in the order of the page."""
    limit = most_of_price(settings)
    warnings = []
    earned = value_of_earning(settings)
    if earned > limit:
        words = (
            f"The points an order earns are worth {percent_text(earned)} of its price, "
            f"{_of_margin(earned, settings)}, before any reward is used."
        )
        warnings.append(MarginWarning("", words))
    for reward in settings.rewards:
        given = given_away(settings, reward)
        if given is not None and given.share > limit:
            words = f"{_what_happens(given, settings)} {_remedy(reward, given, settings)}".rstrip()
            warnings.append(MarginWarning(reward.slot, words))
    return warnings


def most_of_price(settings: ProgramSettings) -> Fraction:
    """The share of an order's price that the guard allows to be given away."""
    return Fraction(settings.margin.percent * settings.margin.most_share_percent, 10_000)


def value_of_earning(settings: ProgramSettings) -> Fraction:
    """What the points for an amount of money are worth, as a share of that amount."""
    return value_of_a_point(settings) * Fraction(settings.earning.points, settings.earning.per_minor)


def value_of_a_point(settings: ProgramSettings) -> Fraction:
    """Minor units that a point buys at best; 0 while nothing can be said in money."""
    return max((value for reward in settings.rewards if (value := _value_of_its_points(reward))), default=Fraction(0))


def given_away(settings: ProgramSettings, reward: Reward) -> GivenAway | None:
    """What an order that uses the reward gives away where it weighs most.

    None for what is not used on an order (cards and credit are money by then), or costs nobody knows how much.
    """
    found = [
        _on_its_smallest_cart(settings, reward, *amount_and_cart) for amount_and_cart in _amounts_and_carts(reward)
    ]
    return max(found, key=lambda given: given.share, default=None)


def percent_text(share: Fraction) -> str:
    """57 %, rounded up: a guard does not make things look better than they are."""
    return f"{math.ceil(share * 100):,}\u00a0%"


def _value_of_its_points(reward: Reward) -> Fraction | None:
    worth = reward.amount_minor if reward.amount_minor is not None else _worth(reward, reward.minimum_cart_minor)
    return Fraction(worth, reward.points) if worth else None


def _worth(reward: Reward, cart_minor: int) -> Fraction | None:
    """What one of it takes off a cart of that size at most; None when nobody can say."""
    if reward.kind == "percentage":
        return Fraction(cart_minor * (reward.percent or 0), 100)
    if reward.kind == "free_product" and reward.product is not None:
        return Fraction(reward.product.price_minor if reward.cost_minor is None else reward.cost_minor)
    if reward.kind == "amount_off":
        works = [amount for amount in reward.amounts() if amount and reward.minimum_for(amount) <= cart_minor]
        return Fraction(max(works)) if works else None
    return None if reward.cost_minor is None else Fraction(reward.cost_minor)


def _smallest_cart(reward: Reward, amount_minor: int | None) -> int:
    """0 when it works on any. A free product is in the cart itself."""
    price = reward.product.price_minor if reward.product is not None else 0
    return max(reward.minimum_for(amount_minor), price)


def _amounts_and_carts(reward: Reward) -> Iterator[tuple[Fraction | None, int]]:
    """(what it takes off, the smallest cart that works on); the amount is None for a share of any cart."""
    if reward.kind in ("gift_card", "store_credit"):
        return
    for amount in reward.amounts():
        cart = _smallest_cart(reward, amount)
        if reward.kind == "percentage":
            yield None, cart
        elif (worth := Fraction(amount) if amount is not None else _worth(reward, cart)) is not None:
            yield worth, cart


def _on_its_smallest_cart(settings: ProgramSettings, reward: Reward, amount: Fraction | None, cart: int) -> GivenAway:
    title = reward_title(reward, settings.currency, int(amount) if amount is not None and reward.steps else None)
    if amount is None:
        amount = Fraction((reward.percent or 0) * cart, 100)
        if not cart:  # the same share of every cart
            used = Fraction(reward.percent or 0, 100)
            return GivenAway(reward.slot, title, None, used, value_of_earning(settings) * (1 - used))
    if not cart:  # a cart of just that amount, or a smaller one, is free
        return GivenAway(reward.slot, title, None, Fraction(bool(amount)), Fraction(0))
    other, beside = _beside(settings, reward, cart)
    used = min(Fraction(cart), amount + other)
    return GivenAway(
        reward.slot, title, cart, Fraction(used, cart), Fraction(_earned(settings, cart - used), cart), beside
    )


def _beside(settings: ProgramSettings, reward: Reward, cart: int) -> tuple[Fraction, str]:
    """The most that another reward on the same order takes off it, and that reward's title."""
    best, title = Fraction(0), ""
    for other in settings.rewards:
        worth = _worth(other, cart) if _go_together(reward, other) and _smallest_cart(other, None) <= cart else None
        if worth and worth > best:
            best, title = worth, reward_title(other, settings.currency)
    return best, title


def _go_together(one: Reward, other: Reward) -> bool:
    """As Shopify combines discounts: each must allow the other's class, and two of shipping never stand together."""
    if not (one.is_code and other.is_code):
        return False
    first, second = _discount_class(one), _discount_class(other)
    if first == second == "shipping":
        return False
    return bool(getattr(one.combines, second) and getattr(other.combines, first))


def _discount_class(reward: Reward) -> str:
    if reward.kind == "free_shipping":
        return "shipping"
    return "product" if reward.only_products or reward.kind == "free_product" else "order"


def _earned(settings: ProgramSettings, paid_minor: Fraction) -> Fraction:
    """What the points for an order of that price are worth."""
    try:
        points = points_for(paid_minor * micro_per_minor(settings.currency), settings.earning, settings.currency)
    except ValueError:  # beyond counting
        return paid_minor * value_of_earning(settings)
    return points * value_of_a_point(settings)


def _what_happens(given: GivenAway, settings: ProgramSettings) -> str:
    with_it = f"{given.title} and {given.beside}" if given.beside else given.title
    if given.cart_minor is not None:
        cart, gone = _money(given.cart_minor, settings), _money(given.share * given.cart_minor, settings)
        return f"An order of {cart} with {with_it} gives away {gone}, {_of_margin(given.share, settings)}."
    if given.used < 1:
        return (
            f"An order with {with_it} gives away {percent_text(given.share)} of its price, "
            f"{_of_margin(given.share, settings)}."
        )
    return f"{given.title} works on any cart, so a small order can cost nothing at all."


def _remedy(reward: Reward, given: GivenAway, settings: ProgramSettings) -> str:
    """What would keep it within the guard, where one setting can."""
    limit, earned = most_of_price(settings), value_of_earning(settings)
    if given.beside or earned >= limit:
        return ""
    within = f"to stay within {settings.margin.most_share_percent}\u00a0% of your margin."
    broken = value_of_a_point(settings) * settings.earning.points * _BROKEN_STEP[settings.earning.rounding]
    if reward.kind == "percentage" or (reward.kind == "amount_off" and reward.steps is not None):
        share = math.floor(100 * Fraction(limit - earned, 1 - earned))
        if not share or broken:
            return ""
        return (
            f"Take {share}\u00a0% {within}"
            if reward.kind == "percentage"
            else f"Cap it at {share}\u00a0% of the cart {within}"
        )
    worth = _worth(reward, 10**18)
    if worth is None:
        return ""
    cart = math.ceil(Fraction(worth * (1 - earned) + broken, limit - earned))
    return f"Ask for a cart of {_money(cart, settings)} {within}"


def _of_margin(share: Fraction, settings: ProgramSettings) -> str:
    return f"{percent_text(Fraction(share * 100, settings.margin.percent))} of your margin"


def _money(minor: int | Fraction, settings: ProgramSettings) -> str:
    return format_money(minor, settings.currency)

"""Programs people know, each a complete, valid document to start from.

`preset("starter", "EUR")` gives settings ready to publish. Rates are per one unit of the currency (1.00, or 1.000 where
the minor unit is a thousandth) and per 100 where there is no minor unit: in each case about what a coin buys.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.program.money import exponent
from app.program.rewards import Reward
from app.program.settings import Earning, ProgramSettings


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset's card in the gallery, and its rate."""

    title: str
    summary: str
    points: int  # for every whole unit of the currency
    reward_points: int = 100  # what takes 5.00 off an order


PRESETS: dict[str, Preset] = {
    "starter": Preset(
        title="Starter",
        summary="One point for every whole unit of money spent on products, there as soon as the order is paid.",
        points=1,
    ),
    "starter-double": Preset(
        title="Starter, double points",
        summary="Two points for every whole unit of money spent on products. To try a change of rate.",
        points=2,
    ),
}


def preset(name: str, currency: str, *, program_name: str = "Rewards", test_orders: bool = False) -> ProgramSettings:
    """The preset's settings for a shop's currency; KeyError for a name that is none.

    `test_orders` is the switch offered at launch on development stores, where every checkout is a test order.
    """
    chosen = PRESETS[name]
    per_minor = 100 if exponent(currency) == 0 else 10 ** exponent(currency)
    return ProgramSettings(
        name=program_name,
        currency=currency,
        earning=Earning(points=chosen.points, per_minor=per_minor, test_orders=test_orders),
        rewards=(Reward(slot="off", kind="amount_off", points=chosen.reward_points, amount_minor=5 * per_minor),),
    )

"""Programs the gauntlet plays: starter and its relatives, as the oracle and as the app say them."""

from __future__ import annotations

from fractions import Fraction

from app.program.settings import ProgramSettings

from .living_orders import DIGITS, EXCLUDED_PRODUCTS, EXCLUDED_VENDORS
from .oracle import Program

PROGRAMS: dict[str, Program] = {
    "starter": Program(),
    "double": Program(points=2),
    "held": Program(hold_days=14),
    "fulfilled": Program(trigger="fulfilled", hold_days=3),
    "with_tax": Program(points=3, per=Fraction(1), tax=True, rounding="nearest"),
    "with_shipping": Program(points=1, per=Fraction("0.37"), shipping=True, rounding="up"),
    "everything": Program(points=7, per=Fraction("2.50"), tax=True, shipping=True, minimum=Fraction(20), hold_days=1),
    "choosy": Program(not_products=EXCLUDED_PRODUCTS, not_vendors=EXCLUDED_VENDORS, minimum=Fraction("10.01")),
    "yen": Program(per=Fraction(100), currency="JPY"),
    "dinar": Program(points=5, per=Fraction("0.125"), currency="KWD", rounding="nearest"),
}


def settings_of(program: Program) -> ProgramSettings:
    """The same program as a version's document."""
    minor = 10 ** DIGITS[program.currency]
    return ProgramSettings.model_validate(
        {
            "name": "Rewards",
            "currency": program.currency,
            "earning": {
                "points": program.points,
                "per_minor": int(program.per * minor),
                "rounding": program.rounding,
                "counts": {"tax": program.tax, "shipping": program.shipping},
                "minimum_order_minor": int(program.minimum * minor),
                "exclude": {"products": list(program.not_products), "vendors": list(program.not_vendors)},
                "trigger": program.trigger,
                "hold_days": program.hold_days,
                "test_orders": program.test_orders,
            },
        }
    )

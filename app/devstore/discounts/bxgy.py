"""Buy this, get that: which units of a cart a Bxgy discount makes cheaper.

A unit that is bought cannot be got as well. What is bought comes first from what could not be got, then from the
dearest; what is got are the cheapest units left. Nothing is added to the cart: what is not in it is not got.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..records import Line
from .goods import Goods
from .records import Discount

_MOST_USES = 1000


@dataclass(frozen=True)
class _Unit:
    place: int
    price_minor: int


def got(discount: Discount, lines: Sequence[Line], goods: Goods, taken: frozenset[int]) -> Counter[int]:
    """How many units of each line, by its place, are got. Lines in ``taken`` have a product discount already."""
    buyable = set(goods.among(discount.buys, lines))
    gettable = set(goods.among(discount.items, lines)) - taken
    found: Counter[int] = Counter()
    for uses in range(1, min(discount.uses_per_order or _MOST_USES, _MOST_USES) + 1):
        more = _uses(discount, lines, buyable, gettable, uses)
        if more is None or more == found:
            break
        found = more
    return found


def _uses(
    discount: Discount, lines: Sequence[Line], buyable: set[int], gettable: set[int], uses: int
) -> Counter[int] | None:
    """What so many uses get; None when the cart has not bought enough for them."""
    units = [_Unit(place, line.price_minor) for place, line in enumerate(lines) for _ in range(line.quantity)]
    wanted = uses * discount.gets_quantity
    if discount.buys_quantity is not None:
        candidates = sorted(
            (unit for unit in units if unit.place in buyable),
            key=lambda unit: (unit.place in gettable, -unit.price_minor),
        )
        bought = Counter(unit.place for unit in candidates[: uses * discount.buys_quantity])
        if bought.total() < uses * discount.buys_quantity:
            return None
        return _cheapest(lines, gettable, bought, wanted)
    found = _cheapest(lines, gettable, Counter(), wanted)
    spent = sum((lines[place].quantity - found[place]) * lines[place].price_minor for place in buyable)
    return found if spent >= uses * (discount.buys_minor or 0) else None


def _cheapest(lines: Sequence[Line], gettable: set[int], bought: Counter[int], wanted: int) -> Counter[int]:
    found: Counter[int] = Counter()
    for place in sorted(gettable, key=lambda place: lines[place].price_minor):
        units = min(wanted, lines[place].quantity - bought[place])
        if units > 0:
            found[place] = units
            wanted -= units
    return found

"""Which discounts a cart gets: of all sets that go together, the one that takes off most.

Two discounts go together when each names the other's class; two for shipping never do. Where two sets take off the
same, the larger wins, then the one with the codes entered last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..records import Line, ShippingLine
from .bill import Bill, Offer, bill_for
from .goods import Goods

MOST_CODES = 5
"""Product and order codes on one order; one for shipping may join them."""


def choose(
    offers: Sequence[Offer], lines: Sequence[Line], shipping: Sequence[ShippingLine], goods: Goods
) -> tuple[Bill, dict[Offer, str]]:
    """What is taken off, and of each offer left out, why. Every offer must be good for this cart by itself."""
    best = Bill(lines, shipping, goods)
    rank: tuple[int, int, list[int]] = (0, 0, [])
    for places in _sets(offers):
        bill = bill_for([offers[place] for place in places], lines, shipping, goods)
        if any(not part.minor and part.offer.discount.discount_class != "shipping" for part in bill.parts):
            continue
        found = (bill.saved, len(places), sorted(places, reverse=True))
        if found > rank:
            best, rank = bill, found
    chosen = [part.offer for part in best.parts]
    return best, {offer: _why(offer, chosen) for offer in offers if offer not in chosen}


def together(one: Offer, other: Offer) -> bool:
    a, b = one.discount, other.discount
    if a.id == b.id or (a.discount_class == b.discount_class == "shipping"):
        return False
    return a.combines.allows(b.discount_class) and b.combines.allows(a.discount_class)


def _sets(offers: Sequence[Offer], start: int = 0, chosen: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    for place in range(start, len(offers)):
        more = (*chosen, place)
        counted = [offers[p] for p in more if offers[p].code and offers[p].discount.discount_class != "shipping"]
        if len(counted) <= MOST_CODES and all(together(offers[place], offers[other]) for other in chosen):
            yield more
            yield from _sets(offers, place + 1, more)


def _why(offer: Offer, chosen: Sequence[Offer]) -> str:
    for other in chosen:
        if not together(offer, other):
            return f"{offer.name} can't be combined with {other.name}"
    if offer.code and sum(1 for other in chosen if other.code) >= MOST_CODES:
        return f"{offer.name} is one code too many: an order takes {MOST_CODES}"
    return f"{offer.name} is for items that are discounted already"

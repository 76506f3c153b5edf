"""What a set of discounts takes off a cart, together.

Product discounts come first, and a line has one at most; order discounts each start from what those leave, not from
one another; shipping is by itself. Shares of a line are whole minor units that add up (``money.share``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ..money import rounded, share
from ..records import Line, ShippingLine
from . import bxgy
from .goods import Goods
from .records import Discount, RedeemCode

_CLASSES = ("product", "order", "shipping")


@dataclass(frozen=True, eq=False)
class Offer:
    """A discount a cart may have, and the code that was entered for it; an automatic one has none."""

    discount: Discount
    code: RedeemCode | None = None
    typed: str = ""

    @property
    def name(self) -> str:
        return self.code.code if self.code else self.discount.title


@dataclass
class Part:
    """What one discount takes off each line, and off each shipping line."""

    offer: Offer
    lines: list[int]
    shipping: list[int]

    @property
    def minor(self) -> int:
        return sum(self.lines) + sum(self.shipping)


@dataclass
class Bill:
    """Lines, and the parts taken off them so far."""

    lines: Sequence[Line]
    shipping: Sequence[ShippingLine]
    goods: Goods
    parts: list[Part] = field(default_factory=list)

    @property
    def saved(self) -> int:
        return sum(part.minor for part in self.parts)

    def take(self, offer: Offer) -> Part:
        """Add what this discount takes off now."""
        discount = offer.discount
        part = Part(offer, [0] * len(self.lines), [0] * len(self.shipping))
        if discount.discount_class == "shipping":
            part.shipping = [line.price_minor if in_reach(discount, line.price_minor) else 0 for line in self.shipping]
        elif discount.kind == "bxgy":
            for place, units in bxgy.got(discount, self.lines, self.goods, self._taken()).items():
                off = rounded(Decimal(self.lines[place].price_minor) * Decimal(discount.percent) / 100)
                part.lines[place] = off * units
        elif discount.kind == "fixed_amount" and discount.each:
            for place in self._open(discount):
                line = self.lines[place]
                left = self._left(place)
                part.lines[place] = min(left, min(discount.amount_minor, line.price_minor) * line.quantity)
        else:
            self._share(discount, part)
        self.parts.append(part)
        return part

    def _share(self, discount: Discount, part: Part) -> None:
        """An amount or a percentage, across the lines by their value."""
        places = self._open(discount)
        left = [self._left(place) for place in places]
        wanted = discount.amount_minor
        if discount.kind == "percentage":
            base = sum(self._worth(place) - self._off(place, "product") for place in places)
            wanted = rounded(Decimal(base) * Decimal(discount.percent) / 100)
        for place, minor in zip(places, share(min(wanted, sum(left)), left), strict=True):
            part.lines[place] = minor

    def _open(self, discount: Discount) -> list[int]:
        """The lines this discount can take off: of a product discount those without another."""
        taken = self._taken() if discount.discount_class == "product" else frozenset()
        return [place for place in self.goods.among(discount.items, self.lines) if place not in taken]

    def _taken(self) -> frozenset[int]:
        return frozenset(place for place in range(len(self.lines)) if self._off(place, "product"))

    def _worth(self, place: int) -> int:
        return self.lines[place].price_minor * self.lines[place].quantity

    def _left(self, place: int) -> int:
        return self._worth(place) - self._off(place)

    def _off(self, place: int, discount_class: str | None = None) -> int:
        return sum(
            part.lines[place] for part in self.parts if discount_class in (None, part.offer.discount.discount_class)
        )


def in_reach(discount: Discount, shipping_minor: int) -> bool:
    return discount.maximum_shipping_minor is None or shipping_minor <= discount.maximum_shipping_minor


def bill_for(offers: Sequence[Offer], lines: Sequence[Line], shipping: Sequence[ShippingLine], goods: Goods) -> Bill:
    """All of these together, the product discounts that save most first."""
    alone = {id(offer): Bill(lines, shipping, goods).take(offer).minor for offer in offers}
    bill = Bill(lines, shipping, goods)
    for offer in sorted(offers, key=lambda o: (_CLASSES.index(o.discount.discount_class), -alone[id(o)])):
        bill.take(offer)
    return bill

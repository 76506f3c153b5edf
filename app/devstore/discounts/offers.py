"""Whether a cart can have a discount at all, whatever else it has: a reason in words, or none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..records import Line, ShippingLine, Shop
from .bill import Bill, Offer, in_reach
from .goods import Goods
from .records import Discount
from .words import count, money


def problem(
    offer: Offer, shop: Shop, lines: Sequence[Line], shipping: Sequence[ShippingLine], goods: Goods, at: datetime
) -> str | None:
    """Why this discount does nothing for this cart, None when it does something."""
    discount, name = offer.discount, offer.name
    if discount.starts_at and at < discount.starts_at:
        return f"{name} cannot be used yet"
    if discount.ends_at and at >= discount.ends_at:
        return f"{name} has expired"
    if discount.usage_limit is not None and offer.code and offer.code.used >= discount.usage_limit:
        return f"{name} was used already"
    return _minimum(discount, name, shop, lines, goods) or _nothing(offer, shop, lines, shipping, goods)


def _minimum(discount: Discount, name: str, shop: Shop, lines: Sequence[Line], goods: Goods) -> str | None:
    """What the goods it is for must come to, at their own prices."""
    meant = [lines[place] for place in goods.among(discount.items, lines)]
    if discount.kind == "bxgy":
        return None
    if not meant:
        return f"{name} isn't valid for the items in your cart"
    if sum(line.price_minor * line.quantity for line in meant) < discount.minimum_minor:
        return f"{name} needs a purchase of {money(discount.minimum_minor, shop.currency)} or more"
    if sum(line.quantity for line in meant) < discount.minimum_quantity:
        return f"{name} needs {discount.minimum_quantity} items or more"
    return None


def _nothing(
    offer: Offer, shop: Shop, lines: Sequence[Line], shipping: Sequence[ShippingLine], goods: Goods
) -> str | None:
    """It must have something to take off from."""
    discount, name = offer.discount, offer.name
    if discount.discount_class == "shipping":
        if not shipping:
            return f"{name} is for shipping, and nothing is shipped"
        if not any(in_reach(discount, line.price_minor) for line in shipping):
            return f"{name} is for shipping of up to {money(discount.maximum_shipping_minor or 0, shop.currency)}"
        return None
    if Bill(lines, shipping, goods).take(offer).minor > 0:
        return None
    if discount.kind != "bxgy":
        return f"{name} takes nothing off the items in your cart"
    if not goods.among(discount.items, lines):
        return f"the item that {name} is for is not in your cart"
    if discount.buys_quantity is not None:
        return f"{name} needs {count(discount.buys_quantity, 'item')} bought beside what it gives"
    return f"{name} needs {money(discount.buys_minor or 0, shop.currency)} of other items in your cart"

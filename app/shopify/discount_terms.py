"""A reward in the words of Shopify's discounts: of which kind, what it takes off, and on which carts. No network.

One unit of a product is free by an amount off that variant: the price of one, taken off once however many are in the
cart (``appliesOnEachItem: false``). Shopify's other ways fail the shopper or the merchant: 100 % off the variant makes
every unit free; "buy X get Y" wants something else bought first, from a list it must be given (it takes no "all"), and
does nothing for a cart that holds the free product alone, nor may it count one unit as both. The amount is that of the
price when the discount was made. Where the price falls, no more than the old one is ever taken off; where it rises,
the shopper would pay the difference, so a new price should make a new discount (``amount_minor``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.program.money import micro_per_minor, micro_text
from app.program.rewards import Reward


@dataclass(frozen=True, slots=True)
class DiscountTerms:
    """What one discount gives, and until when. Terms never change once codes are out: other terms, another discount."""

    reward: Reward
    currency: str
    amount_minor: int | None  # what the shopper chose; of a free product its price now, None the price as it was chosen
    title: str  # shoppers see it in cart and checkout
    key: str  # our unique name for it: [a-z0-9-], 60 at most
    starts_at: datetime
    ends_at: datetime


def tags_of(key: str) -> list[str]:
    """How a discount is known to be ours, and which of ours it is."""
    return ["regulars", f"regulars-{key}"]


def discount_input(terms: DiscountTerms, first_code: str) -> dict[str, Any]:
    """``DiscountCodeFreeShippingInput`` for free shipping, else ``DiscountCodeBasicInput``."""
    reward = terms.reward
    discount: dict[str, Any] = {
        "title": terms.title,
        "code": first_code,
        "tags": tags_of(terms.key),
        "startsAt": _moment_text(terms.starts_at),
        "endsAt": _moment_text(terms.ends_at),
        "usageLimit": 1,  # of each code
        "appliesOncePerCustomer": False,
        "context": {"all": "ALL"},
        "combinesWith": {
            "orderDiscounts": reward.combines.order,
            "productDiscounts": reward.combines.product,
            # Two discounts of shipping never go together, and Shopify refuses a free-shipping discount that says so.
            "shippingDiscounts": reward.combines.shipping and reward.kind != "free_shipping",
        },
    }
    if minimum := _minimum(terms):
        discount["minimumRequirement"] = {"subtotal": {"greaterThanOrEqualToSubtotal": minimum}}
    if reward.kind == "free_shipping":
        return {**discount, "destination": {"all": True}}
    return {**discount, "customerGets": {"value": _value(terms), "items": _items(reward)}}


def _value(terms: DiscountTerms) -> dict[str, Any]:
    reward = terms.reward
    if reward.kind == "percentage":
        return {"percentage": (reward.percent or 0) / 100}
    return {"discountAmount": {"amount": money_text(_amount(terms), terms.currency), "appliesOnEachItem": False}}


def _amount(terms: DiscountTerms) -> int:
    reward = terms.reward
    if reward.kind == "free_product" and reward.product is not None and terms.amount_minor is None:
        return reward.product.price_minor
    amount = reward.amount_minor if terms.amount_minor is None else terms.amount_minor
    if reward.kind not in ("amount_off", "free_product") or amount is None:
        raise ValueError(f"a reward of kind {reward.kind} is no discount")
    return amount


def _items(reward: Reward) -> dict[str, Any]:
    if reward.kind == "free_product" and reward.product is not None:
        return {"products": {"productVariantsToAdd": [f"gid://shopify/ProductVariant/{reward.product.variant_id}"]}}
    if reward.only_products:
        return {"products": {"productsToAdd": [f"gid://shopify/Product/{number}" for number in reward.only_products]}}
    return {"all": True}


def _minimum(terms: DiscountTerms) -> str | None:
    """The smallest subtotal. Of a discount on some products, Shopify counts these products' subtotal alone."""
    minimum_minor = terms.reward.minimum_for(terms.amount_minor)
    return money_text(minimum_minor, terms.currency) if minimum_minor else None


def money_text(amount_minor: int, currency: str) -> str:
    """A decimal as Shopify reads it: (1250, "EUR") → "12.5"."""
    return micro_text(amount_minor * micro_per_minor(currency))


def _moment_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""A discount's terms. They are facts only: what follows from them is worked out by the rest of this package."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


@dataclass
class Items:
    """Which goods are meant: of these collections, products or variants; everything when all three are empty."""

    products: list[int] = field(default_factory=list)
    variants: list[int] = field(default_factory=list)
    collections: list[int] = field(default_factory=list)

    @property
    def all(self) -> bool:
        return not (self.products or self.variants or self.collections)


@dataclass
class CombinesWith:
    """Classes of discounts this one goes together with, if they agree."""

    product: bool = False
    order: bool = False
    shipping: bool = False

    def allows(self, discount_class: str) -> bool:
        return {"product": self.product, "order": self.order, "shipping": self.shipping}[discount_class]


@dataclass
class Discount:
    """One discount: automatic, or unlocked by any of its redeem codes."""

    id: int
    shop_id: int
    title: str
    kind: str  # percentage, fixed_amount, free_shipping, bxgy
    created_at: datetime
    updated_at: datetime
    automatic: bool = False
    percent: str = "0"  # of 100; of bxgy: off each unit that is got
    amount_minor: int = 0
    each: bool = False  # the amount is off every unit, not shared across them
    items: Items = field(default_factory=Items)  # what it takes off from; of bxgy: what can be got
    gets_quantity: int = 0  # bxgy: units a use takes off
    buys: Items = field(default_factory=Items)  # bxgy: what must be bought …
    buys_quantity: int | None = None  # … so many units of …
    buys_minor: int | None = None  # … or for so much
    uses_per_order: int | None = None
    minimum_minor: int = 0
    minimum_quantity: int = 0
    maximum_shipping_minor: int | None = None
    usage_limit: int | None = None  # of each code
    combines: CombinesWith = field(default_factory=CombinesWith)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    tags: list[str] = field(default_factory=list)
    used: int = 0  # by all codes, those deleted since too
    by_app: bool = False  # made over the Admin API, not by the merchant

    @property
    def discount_class(self) -> str:
        """product, order or shipping, as Shopify infers it: off everything is off the order."""
        if self.kind == "free_shipping":
            return "shipping"
        return "product" if self.kind == "bxgy" or not self.items.all else "order"

    def status(self, now: datetime) -> str:
        """active, scheduled or expired."""
        if self.ends_at and now >= self.ends_at:
            return "expired"
        return "scheduled" if self.starts_at and now < self.starts_at else "active"


class RedeemCode(NamedTuple):
    """One code of a discount: a row of ``redeem_codes``, in its columns' order."""

    id: int
    discount_id: int
    code: str
    used: int
    created_at: str


@dataclass
class BulkCreation:
    """One discountRedeemCodeBulkAdd. Its codes, and what became of them, are rows of ``bulk_codes``."""

    id: int
    shop_id: int
    discount_id: int
    created_at: datetime
    job: str
    polls_left: int = 0  # looks at which it does not admit to being done yet


class BulkCode(NamedTuple):
    """One code of a bulk creation: made (``redeem_code_id``), refused (``error``), or waiting (neither)."""

    place: int
    code: str
    redeem_code_id: int | None
    error: str | None

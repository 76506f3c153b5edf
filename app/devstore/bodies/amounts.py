"""Amounts in REST bodies: a string in shop money, and the ``_set`` of shop and presentment money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..money import rest_amount, times
from ..records import Order


@dataclass(frozen=True)
class Amounts:
    """Prints amounts of one order, whose presentment rate is fixed."""

    shop: str
    presentment: str
    rate: str

    @classmethod
    def of(cls, order: Order) -> Amounts:
        return cls(order.currency, order.presentment_currency, order.presentment_rate)

    def presented(self, minor: int) -> int:
        """The amount in minor units of the presentment currency."""
        if self.presentment == self.shop:
            return minor
        return times(minor, self.rate, source=self.shop, target=self.presentment)

    def text(self, minor: int) -> str:
        return rest_amount(minor, self.shop)

    def set(self, minor: int) -> dict[str, Any]:
        """{"shop_money": {"amount": "12.30", "currency_code": "EUR"}, "presentment_money": …}"""
        return {
            "shop_money": {"amount": self.text(minor), "currency_code": self.shop},
            "presentment_money": {
                "amount": rest_amount(self.presented(minor), self.presentment),
                "currency_code": self.presentment,
            },
        }

    def both(self, name: str, minor: int) -> dict[str, Any]:
        """{"total_tax": "1.00", "total_tax_set": {…}}"""
        return {name: self.text(minor), f"{name}_set": self.set(minor)}

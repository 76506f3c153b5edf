"""Money as mutations take it and as plain amounts are answered: MoneyInput and MoneyV2."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from graphql import GraphQLError

from ...money import decimals, graphql_amount
from ..resolving import unknown

_RESULTS_ONLY = frozenset(("USDC", "XXX"))


def money(minor: int, currency: str) -> dict[str, Any]:
    return {"amount": graphql_amount(minor, currency), "currencyCode": currency}


def minor_of(given: dict[str, Any]) -> int:
    """A MoneyInput in minor units. Raises for a currency Shopify only ever answers with, and for broken minor units,
    of which nobody knows what becomes there."""
    currency = given["currencyCode"]
    if currency in _RESULTS_ONLY:
        raise GraphQLError(
            f'CurrencyCode "{currency}" is invalid. It can only be used as a result and not as an input value.',
            extensions={"code": "CURRENCY_CODE_INVALID"},
        )
    scaled = Decimal(str(given["amount"])).scaleb(decimals(currency))
    if scaled != scaled.to_integral_value():
        raise unknown(f"an amount of {given['amount']} {currency}")
    return int(scaled)

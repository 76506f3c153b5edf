"""What resolvers pass along: a record with what is worked out from it. ``typename`` names its GraphQL type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..bodies.amounts import Amounts
from ..money import graphql_amount
from ..ordering.figures import Figures, LineFigures, figures
from ..records import Customer, Fulfilment, Metafield, Order, Product, Refund, Shop, Transaction, Variant


class OrderView:
    """An order, its totals and its two currencies."""

    typename = "Order"

    def __init__(self, shop: Shop, record: Order) -> None:
        self.shop, self.record = shop, record
        self.amounts = Amounts.of(record)
        self.totals: Figures = figures(record)

    def money(self, minor: int) -> dict[str, Any]:
        """A MoneyBag."""
        money = self.amounts
        return {
            "shopMoney": {"amount": graphql_amount(minor, money.shop), "currencyCode": money.shop},
            "presentmentMoney": {
                "amount": graphql_amount(money.presented(minor), money.presentment),
                "currencyCode": money.presentment,
            },
        }

    def line(self, line_id: int) -> LineView:
        return LineView(self, self.totals.line(line_id))


@dataclass(frozen=True)
class LineView:
    order: OrderView
    figures: LineFigures
    typename: ClassVar[str] = "LineItem"


@dataclass(frozen=True)
class RefundView:
    order: OrderView
    record: Refund
    typename: ClassVar[str] = "Refund"


@dataclass(frozen=True)
class TransactionView:
    order: OrderView
    record: Transaction
    typename: ClassVar[str] = "OrderTransaction"


@dataclass(frozen=True)
class FulfilmentView:
    order: OrderView
    record: Fulfilment
    number: int
    typename: ClassVar[str] = "Fulfillment"


@dataclass(frozen=True)
class CustomerView:
    record: Customer
    typename: ClassVar[str] = "Customer"


@dataclass(frozen=True)
class ProductView:
    record: Product
    typename: ClassVar[str] = "Product"


@dataclass(frozen=True)
class VariantView:
    product: Product
    record: Variant
    typename: ClassVar[str] = "ProductVariant"


@dataclass(frozen=True)
class ShopView:
    record: Shop
    typename: ClassVar[str] = "Shop"


@dataclass(frozen=True)
class InstallationView:
    id: int
    scopes: tuple[str, ...] = field(default=())
    typename: ClassVar[str] = "AppInstallation"


@dataclass(frozen=True)
class MetafieldView:
    record: Metafield
    typename: ClassVar[str] = "Metafield"

"""`customer`, `order`, `line_item` of an order, `address`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ... import clock
from ...bodies.orders import allocated
from ...money import decimals
from ...ordering.figures import Figures, LineFigures
from ...records import Customer, Order, Shop
from ..dialect import Drop
from ..dialect.money import as_liquid_amount
from .catalogue import Catalogue
from .metafields import metafields_drop

if TYPE_CHECKING:
    from ...state import DevStore


def customer_drop(devstore: DevStore, shop: Shop, customer: Customer, root: str) -> Drop:
    """The customer who is logged in."""
    gid = f"gid://shopify/Customer/{customer.id}"
    exponent = decimals(shop.currency)

    def orders() -> list[Drop]:
        return [order_drop(devstore, shop, order, root) for order in devstore.orders_of(shop, customer.id)]

    def spent() -> int:
        totals = (devstore.figures(order) for order in devstore.orders_of(shop, customer.id))
        return as_liquid_amount(sum(t.received_minor - t.refunded_minor for t in totals), exponent)

    def credit() -> Drop | None:
        account = devstore.store_credit.in_currency(shop, customer.id, shop.currency)
        return Drop({"balance": as_liquid_amount(account.balance_minor, exponent)}) if account else None

    address = _address(shop, customer)
    return Drop(
        {
            "id": customer.id,
            "email": customer.email,
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "name": customer.name,
            "phone": customer.phone,
            "has_account": customer.state == "enabled",
            "accepts_marketing": False,
            "tags": customer.tags,
            "default_address": address,
            "addresses": [address],
            "addresses_count": 1,
        },
        {
            "metafields": lambda: metafields_drop(devstore, devstore.metafields(shop, gid)),
            "orders": orders,
            "orders_count": lambda: len(devstore.orders_of(shop, customer.id)),
            "last_order": lambda: next(iter(orders()), None),
            "total_spent": spent,
            "store_credit_account": credit,
        },
    )


def order_drop(devstore: DevStore, shop: Shop, order: Order, root: str) -> Drop:
    """One order of the shop, in shop money, as its status page and the account show it."""
    figures = devstore.figures(order)
    exponent = decimals(order.currency)

    def price(minor: int) -> int:
        return as_liquid_amount(minor, exponent)

    address = f"{root}{shop.id}/orders/{order.token}"
    return Drop(
        {
            "id": order.id,
            "name": order.name,
            "order_number": order.number,
            "email": order.email,
            "created_at": clock.rest(order.created_at, shop.timezone),
            "cancelled": order.cancelled_at is not None,
            "cancelled_at": clock.rest(order.cancelled_at, shop.timezone),
            "test": order.test,
            "financial_status": figures.financial_status,
            "financial_status_label": _label(figures.financial_status),
            "fulfillment_status": figures.fulfilment_status or "unfulfilled",
            "fulfillment_status_label": _label(figures.fulfilment_status or "unfulfilled"),
            "line_items_subtotal_price": price(figures.line_items_minor),
            "total_discounts": price(figures.discounts_minor),
            "subtotal_price": price(figures.subtotal_minor),
            "shipping_price": price(figures.shipping_minor),
            "tax_price": price(figures.tax_minor),
            "taxes_included": order.taxes_included,
            "total_price": price(figures.total_minor),
            "total_refunded_amount": price(figures.refunded_minor),
            "total_net_amount": price(figures.received_minor - figures.refunded_minor),
            "outstanding": price(max(0, figures.outstanding_minor)),
            "presentment_currency": order.presentment_currency,
            "item_count": sum(line.current for line in figures.lines),
            "order_status_url": address,
            "customer_url": address,
            "discount_applications": [
                {
                    "title": applied.code or applied.title,
                    "type": applied.kind,
                    "target_type": applied.target_type,
                    "total_allocated_amount": price(allocated(order, index)),
                }
                for index, applied in enumerate(order.discount_applications)
            ],
        },
        {
            "line_items": lambda: _order_lines(devstore, shop, figures, root, price),
            "customer": lambda: _customer(devstore, shop, order, root),
            "transactions": lambda: [
                {
                    "id": t.id,
                    "kind": t.kind,
                    "status": t.status,
                    "gateway": t.gateway,
                    "gateway_display_name": _label(t.gateway.removeprefix("shopify_")),
                    "amount": price(t.amount_minor),
                }
                for t in order.transactions
            ],
        },
        text=order.name,
    )


def _order_lines(
    devstore: DevStore, shop: Shop, figures: Figures, root: str, price: Callable[[int], int]
) -> list[Drop]:
    catalogue = Catalogue(devstore, shop, root)
    return [_order_line(catalogue, found, price) for found in figures.lines]


def _order_line(catalogue: Catalogue, found: LineFigures, price: Callable[[int], int]) -> Drop:
    line = found.line
    product = catalogue.devstore.product(catalogue.shop, line.product_id) if line.product_id else None
    return Drop(
        {
            "id": line.id,
            "title": line.title,
            "variant_title": line.variant_title,
            "product_id": line.product_id,
            "variant_id": line.variant_id,
            "vendor": line.vendor,
            "sku": line.sku,
            "quantity": line.quantity,
            "current_quantity": found.current,
            "fulfilled_quantity": found.fulfilled,
            "price": price(line.price_minor),
            "original_line_price": price(line.price_minor * line.quantity),
            "final_line_price": price(found.net_minor),
            "gift_card": line.gift_card,
            "image": catalogue.image(product) if product else None,
            "url": f"{catalogue.root}products/{product.handle}" if product else None,
        },
        text=line.title,
    )


def _customer(devstore: DevStore, shop: Shop, order: Order, root: str) -> Drop | None:
    customer = devstore.customer(shop, order.customer_id) if order.customer_id else None
    return customer_drop(devstore, shop, customer, root) if customer else None


def _address(shop: Shop, customer: Customer) -> Drop:
    return Drop(
        {
            "name": customer.name,
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "address1": customer.address1,
            "address2": None,
            "zip": customer.zip,
            "city": customer.city,
            "country": shop.country,
            "country_code": shop.country_code,
            "phone": customer.phone,
        }
    )


def _label(status: str) -> str:
    return status.replace("_", " ").capitalize()

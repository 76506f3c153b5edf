"""Places orders: from a cart's lines to an order with discounts, taxes, shipping and, unless told not to, a payment."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .. import clock
from ..errors import Refusal
from ..records import Line, Order, Product, Shop, Variant
from . import fulfilling, paying, pricing
from .announcing import announce
from .figures import figures

if TYPE_CHECKING:
    from ..state import DevStore


@dataclass(frozen=True)
class CartLine:
    """One line of a cart. ``price_minor`` stands in for the variant's own price (tests of odd amounts)."""

    variant_id: int
    quantity: int = 1
    price_minor: int | None = None


def create(
    devstore: DevStore,
    shop: Shop,
    lines: Sequence[CartLine],
    *,
    pay: bool = True,
    quiet: bool = False,
    at: datetime | None = None,
    fulfil: bool = False,
    **options: object,
) -> Order:
    """Place the order, and tell: orders/create, then orders/paid when paid, then orders/updated, like a checkout."""
    with devstore.store.writing():
        order = build(devstore, shop, lines, at=at, **options)  # type: ignore[arg-type]
        order.id = devstore.store.next_id("order")
        for line in order.all_lines:
            line.id = devstore.store.next_id("line")
        shop = devstore.shop_by_id(shop.id) or shop
        order.number, shop.next_order_number = shop.next_order_number, shop.next_order_number + 1
        devstore.store.save(shop)
        order.token = secrets.token_hex(16)
        order.original_total_minor = figures(order).total_minor
        for code in {a.code for a in order.discount_applications if a.code}:
            if discount := devstore.discount(shop, code):
                discount.used += 1
                devstore.store.save(discount)
        topics = ["orders/create"]
        if pay:
            paying.add_payment(devstore, order, figures(order).outstanding_minor, at or order.created_at)
            topics.append("orders/paid")
            if fulfilling.add_gift_cards(devstore, order, at or order.created_at):
                topics.append(fulfilling.topic(order))
        if fulfil:
            fulfilling.add(devstore, order, None, at or order.created_at)
        devstore.store.save(order)
        if not quiet:
            announce(devstore, shop, order, [*topics, "orders/updated"])
        return order


def build(
    devstore: DevStore,
    shop: Shop,
    lines: Sequence[CartLine],
    *,
    code: str | None = None,
    customer_id: int | None = None,
    email: str | None = None,
    shipping: bool = True,
    test: bool = False,
    presentment_currency: str | None = None,
    taxes_included: bool | None = None,
    source_name: str = "web",
    attributes: dict[str, str] | None = None,
    cart_token: str | None = None,
    note: str | None = None,
    tip_minor: int = 0,
    at: datetime | None = None,
) -> Order:
    """The order as it would be, unsaved, ids 0. Raises Refusal for an empty cart, an unknown variant, a bad code.

    An order is no test order unless the tester says so, although on a real development store every checkout is one.
    """
    moment = at or clock.now()
    customer = devstore.customer(shop, customer_id) if customer_id is not None else None
    if customer_id is not None and customer is None:
        raise Refusal("there is no such customer")
    presentment = presentment_currency or shop.currency
    if presentment != shop.currency and presentment not in shop.presentment_rates:
        raise Refusal(f"the shop does not sell in {presentment}")
    order = Order(
        id=0,
        shop_id=shop.id,
        number=0,
        token="",
        currency=shop.currency,
        presentment_currency=presentment,
        presentment_rate=shop.presentment_rates.get(presentment, "1"),
        taxes_included=shop.taxes_included if taxes_included is None else taxes_included,
        created_at=moment,
        processed_at=moment,
        updated_at=moment,
        customer_id=customer_id,
        email=email or (customer.email if customer else None),
        test=test,
        source_name=source_name,
        cart_token=cart_token,
        note=note,
        attributes=dict(attributes or {}),
        tip_minor=tip_minor,
        lines=[_line(devstore, shop, line) for line in lines if line.quantity > 0],
    )
    if not order.lines:
        raise Refusal("the cart is empty")
    if shipping and (line := pricing.shipping_line(shop, order.lines, 0)):
        order.shipping.append(line)
    _discounts(devstore, shop, order, code, moment)
    for priced in order.lines:
        priced.taxes = pricing.tax_lines(
            pricing.net(priced), shop, included=order.taxes_included, taxable=priced.taxable
        )
    return order


def new_line(product: Product, variant: Variant, quantity: int, price_minor: int | None = None) -> Line:
    """A line of this variant at its price now."""
    only = variant.title == "Default Title"
    return Line(
        id=0,
        product_id=product.id,
        variant_id=variant.id,
        title=product.title,
        variant_title=None if only else variant.title,
        vendor=product.vendor,
        sku=variant.sku,
        price_minor=variant.price_minor if price_minor is None else price_minor,
        quantity=quantity,
        gift_card=product.gift_card,
        taxable=product.taxable and not product.gift_card,
        requires_shipping=not product.gift_card,
        tags=list(product.tags),
    )


def _line(devstore: DevStore, shop: Shop, line: CartLine) -> Line:
    found = devstore.variant(shop, line.variant_id)
    if found is None:
        raise Refusal(f"there is no variant {line.variant_id}")
    return new_line(*found, line.quantity, line.price_minor)


def _discounts(devstore: DevStore, shop: Shop, order: Order, code: str | None, at: datetime) -> None:
    """Automatic discounts first, then the code on what they leave."""
    for automatic in devstore.discounts(shop):
        if automatic.code is None and pricing.applies(automatic, order.lines, at):
            pricing.discount_order(order, automatic)
    if code:
        discount = devstore.discount(shop, code)
        if discount is None or not pricing.applies(discount, order.lines, at):
            raise Refusal(f"{code} isn't valid for the items in your cart")
        pricing.discount_order(order, discount)

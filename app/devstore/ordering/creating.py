"""Places orders: from a cart's lines to an order with discounts, taxes, shipping and, unless told not to, a payment."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .. import clock
from ..discounts.bill import Offer
from ..discounts.combining import choose
from ..discounts.goods import Goods
from ..discounts.offers import problem
from ..errors import Refusal
from ..records import Line, Order, Product, ShippingLine, Shop, Variant
from . import fulfilling, paying, pricing, tendering
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
    gift_cards: Sequence[str] = (),
    store_credit: bool = False,
    **options: object,
) -> Order:
    """Place the order, and tell: orders/create, then orders/paid when paid, then orders/updated, like a checkout.

    ``gift_cards`` (codes) and the customer's ``store_credit`` pay what they can, also when the rest is paid later.
    """
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
        _use(devstore, shop, order)
        topics = ["orders/create"]
        owed = tendering.tenders(devstore, shop, order, gift_cards, store_credit)
        tendering.pay(devstore, shop, order, owed, at or order.created_at)
        if pay:
            paying.add_payment(devstore, order, figures(order).outstanding_minor, at or order.created_at)
        if pay or (owed and not figures(order).outstanding_minor):
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
    devstore: DevStore, shop: Shop, lines: Sequence[CartLine], *, code: str | None = None, **options: Any
) -> Order:
    """The order as it would be, unsaved, ids 0. Raises Refusal for an empty cart, an unknown variant, a bad code."""
    made = draft(devstore, shop, lines, **{"codes": [code] if code else [], **options})
    for wrong in made.problems.values():
        raise Refusal(wrong)
    return made.order


@dataclass(frozen=True)
class Draft:
    """The order as it would be, and why some of the codes it was asked for do nothing, by the code as it was typed."""

    order: Order
    problems: dict[str, str]


def draft(
    devstore: DevStore,
    shop: Shop,
    lines: Sequence[CartLine],
    *,
    codes: Sequence[str] = (),
    customer_id: int | None = None,
    email: str | None = None,
    shipping: bool | None = True,
    test: bool = False,
    presentment_currency: str | None = None,
    taxes_included: bool | None = None,
    source_name: str = "web",
    attributes: dict[str, str] | None = None,
    cart_token: str | None = None,
    note: str | None = None,
    tip_minor: int = 0,
    at: datetime | None = None,
) -> Draft:
    """``build``, with what is wrong with codes beside it. Shipping that is not known yet (None) is none, but what is
    for shipping counts as good if it would be for the shop's usual way.

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
    usual = pricing.shipping_line(shop, order.lines, 0)
    ways = [usual] if usual and shipping is not False else []
    if shipping:
        order.shipping = ways
    problems = _discounts(devstore, shop, order, codes, ways, moment)
    for priced in order.lines:
        priced.taxes = pricing.tax_lines(
            pricing.net(priced), shop, included=order.taxes_included, taxable=priced.taxable
        )
    return Draft(order, problems)


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


def _discounts(
    devstore: DevStore, shop: Shop, order: Order, codes: Sequence[str], ways: list[ShippingLine], at: datetime
) -> dict[str, str]:
    """Write the best of the automatic discounts and the codes onto the order; what is wrong with the other codes."""
    goods, wrong = Goods(devstore, shop), {}
    offers = [Offer(discount) for discount in devstore.discounts(shop) if discount.automatic]
    for typed in codes:
        code = devstore.codes.find(shop, typed)
        discount = devstore.discount_by_id(shop, code.discount_id) if code else None
        if discount:
            offers.append(Offer(discount, code, typed))
        else:
            wrong[typed] = f"{typed} is not a code of this shop"
    problems = {offer: problem(offer, shop, order.lines, ways, goods, at) for offer in offers}
    good = [offer for offer, found in problems.items() if found is None]
    bill, left_out = choose(good, order.lines, ways, goods)
    pricing.discount(order, bill, good)
    return wrong | {offer.typed: why for offer, why in (problems | left_out).items() if why and offer.code}


def _use(devstore: DevStore, shop: Shop, order: Order) -> None:
    """Count the uses. The order was priced in this very transaction, so a code that is used up here is a bug."""
    for applied in order.discount_applications:
        discount = devstore.discount_by_id(shop, applied.discount_id or 0)
        if discount is None:
            continue
        code = devstore.codes.find(shop, applied.code) if applied.code else None
        if code and not devstore.codes.use(shop, code, discount.usage_limit):
            raise Refusal(f"{code.code} was used already")
        discount.used += 1
        devstore.store.save(discount)

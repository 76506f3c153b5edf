"""REST-shaped orders and refunds (webhook bodies) to facts. Orders fetched by GraphQL are read in ``order_nodes``.

What decides points must be there: a body that lacks a field of that kind is refused, never read as zero or "no". What
is missing in bodies of some age (``current_quantity``, ``total_outstanding``) the facts can do without.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.program.codes import UsedCodes, used_codes
from app.program.facts import LineFacts, LineKind, OrderFacts, RefundFacts, ShippingFacts, Snapshot
from app.shopify.reading import (
    Misshapen,
    count,
    each,
    flag,
    micro,
    moment,
    number_id,
    optional_count,
    optional_flag,
    optional_id,
    optional_moment,
    optional_text,
    part,
    required,
    shop_money,
    signed_shop_money,
    text,
)

HashAddress = Callable[[str], str | None]
"""A keyed hash of an e-mail address, normalised; None for what is none. The key is not this layer's business."""

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_ORDER_URL = re.compile(
    r"https?://[^/?#\s]+(?:/[^/?#\s]*[^/?#\s0-9][^/?#\s]*){0,2}/([1-9][0-9]{0,18})/orders/[^/?#\s]+", re.ASCII
)


def order_facts(order: dict[str, Any], hash_address: HashAddress | None = None) -> OrderFacts:
    """The facts of one order body. Raises Misshapen.

    The address is hashed only where no customer is named: with one, nobody needs it.
    """
    refunds = each(order, "refunds", refund_facts)
    customer = part(order, "customer")
    customer_id = optional_id(customer, "id") if customer else None
    outstanding = order.get("total_outstanding")
    snapshot = Snapshot(
        name=optional_text(order, "name") or "",
        created_at=moment(order, "created_at"),
        updated_at=moment(order, "updated_at"),
        currency=currency_code(order, "currency"),
        lines=tuple(each(order, "line_items", _line_facts)),
        taxes_included=flag(order, "taxes_included"),
        test=flag(order, "test"),
        financial_status=_status(order, "financial_status"),
        fulfillment_status=optional_text(order, "fulfillment_status"),
        total_outstanding_micro=None if outstanding is None else micro(outstanding, "total_outstanding"),
        source_name=optional_text(order, "source_name"),
        shipping_lines=tuple(
            line for line in each(order, "shipping_lines", _shipping_facts, optional=True) if line is not None
        ),
        contained_refunds=tuple(sorted(refund.refund_id for refund in refunds)),
        cancelled_at=_cancelled_at(order),
        fulfilled_at=_last_fulfilment(order),
        customer_id=customer_id,
        customer_verified=optional_flag(customer, "verified_email") if customer else None,
        address_hash=_address_hash(order, hash_address) if customer_id is None else None,
        codes=_codes(order),
    )
    return OrderFacts.of_snapshot(number_id(order, "id"), snapshot, refunds)


def refund_facts(refund: dict[str, Any]) -> RefundFacts:
    """The facts of one refund, in an order body or a refunds/create body. Raises Misshapen."""
    adjustments = each(refund, "order_adjustments", _adjustment, optional=True)
    shipping = each(refund, "refund_shipping_lines", _refunded_shipping, optional=True)
    back = [(-amount, -tax) for kind, amount, tax in adjustments if kind == "shipping_refund"]
    amounts = [amount for amount, _ in shipping or back]
    # Older bodies write the tax only into the adjustment that goes with the shipping line.
    taxes = [tax for _, tax in shipping] if any(tax for _, tax in shipping) else [tax for _, tax in back]
    return RefundFacts(
        refund_id=number_id(refund, "id"),
        created_at=moment(refund, "created_at"),
        units=tuple(each(refund, "refund_line_items", _refunded_units)),
        adjustment_micro=sum(amount for kind, amount, _ in adjustments if kind != "shipping_refund"),
        shipping_micro=max(0, sum(amounts)),
        shipping_tax_micro=max(0, sum(taxes)),
    )


def shop_id_of_order_url(url: object) -> int | None:
    """The shop's id in an ``order_status_url`` (``https://…/548380009/orders/…``): whose order this is, signed."""
    found = _ORDER_URL.match(url) if isinstance(url, str) else None
    if found is None or int(found[1]) >= 2**63:
        return None
    return int(found[1])


def currency_code(source: dict[str, Any], name: str) -> str:
    code = text(source, name)
    if not _CURRENCY.fullmatch(code):
        raise Misshapen(name, "is not a currency code")
    return code


def _line_facts(line: dict[str, Any]) -> LineFacts:
    discounts, taxes = line.get("discount_allocations"), line.get("tax_lines")
    gift_card = line.get("gift_card", False)
    if type(gift_card) is not bool:
        raise Misshapen("gift_card", "is not true or false")
    kind: LineKind = "gift_card" if gift_card else "tip" if line.get("tip") is not None else "product"
    return LineFacts(
        line_id=number_id(line, "id"),
        title=optional_text(line, "title") or "",
        quantity=count(line, "quantity"),
        price_micro=shop_money(line, "price_set", "price"),
        current_quantity=optional_count(line, "current_quantity"),
        discount_micro=sum(each(line, "discount_allocations", _allocation)) if discounts else _none(line, discounts),
        tax_micro=sum(each(line, "tax_lines", _tax)) if taxes else 0,
        product_id=optional_id(line, "product_id"),
        variant_id=optional_id(line, "variant_id"),
        vendor=optional_text(line, "vendor"),
        kind=kind,
    )


def _none(line: dict[str, Any], discounts: object) -> int:
    """No discount: an empty list says so. A line without the list would look undiscounted, and is refused."""
    if discounts is None:
        raise Misshapen("discount_allocations", "is missing")
    return 0


def _allocation(allocation: dict[str, Any]) -> int:
    return shop_money(allocation, "amount_set", "amount")


def _tax(tax: dict[str, Any]) -> int:
    return shop_money(tax, "price_set", "price")


def _shipping_facts(line: dict[str, Any]) -> ShippingFacts | None:
    """One shipping line; None for one an edit removed."""
    if line.get("is_removed") is True:
        return None
    return ShippingFacts(
        title=optional_text(line, "title") or "",
        price_micro=shop_money(line, "price_set", "price"),
        discount_micro=sum(each(line, "discount_allocations", _allocation, optional=True)),
        tax_micro=sum(each(line, "tax_lines", _tax, optional=True)),
    )


def _refunded_units(item: dict[str, Any]) -> tuple[int, int]:
    return number_id(item, "line_item_id"), count(item, "quantity")


def _refunded_shipping(line: dict[str, Any]) -> tuple[int, int]:
    tax = shop_money(line, "tax_amount_set") if line.get("tax_amount_set") is not None else 0
    return shop_money(line, "subtotal_amount_set", "subtotal"), tax


def _adjustment(adjustment: dict[str, Any]) -> tuple[str, int, int]:
    """(kind, amount, tax), both signed: money that went back is negative."""
    kind = text(adjustment, "kind")
    tax = 0
    if kind == "shipping_refund" and (adjustment.get("tax_amount_set") or adjustment.get("tax_amount")) is not None:
        tax = signed_shop_money(adjustment, "tax_amount_set", "tax_amount")
    return kind, signed_shop_money(adjustment, "amount_set", "amount"), tax


def _status(order: dict[str, Any], name: str) -> str | None:
    required(order, name)
    return optional_text(order, name)


def _cancelled_at(order: dict[str, Any]) -> datetime | None:
    required(order, "cancelled_at")
    return optional_moment(order, "cancelled_at")


def _last_fulfilment(order: dict[str, Any]) -> datetime | None:
    """When the last fulfilment that stands was made."""
    made = [at for at in each(order, "fulfillments", _fulfilment, optional=True) if at is not None]
    return max(made, default=None)


def _fulfilment(fulfilment: dict[str, Any]) -> datetime | None:
    if optional_text(fulfilment, "status") in ("cancelled", "error", "failure"):
        return None
    return moment(fulfilment, "created_at")


def _codes(order: dict[str, Any]) -> UsedCodes:
    """The codes the order names. Which one an allocation is of, its place among the discount applications says."""
    named = each(order, "discount_codes", _code, optional=True)
    applications = each(order, "discount_applications", _applied_code, optional=True)
    if not named and not any(applications):
        return ()
    shares = [
        share
        for line in (*order["line_items"], *(order.get("shipping_lines") or ()))
        if line.get("is_removed") is not True
        for share in each(line, "discount_allocations", _share, optional=True)
    ]
    code_at = dict(enumerate(applications))
    taken = [(code, micro) for place, micro in shares if place is not None and (code := code_at.get(place))]
    return used_codes((*named, *filter(None, applications)), taken)


def _code(named: dict[str, Any]) -> str:
    return text(named, "code")


def _applied_code(application: dict[str, Any]) -> str | None:
    """The code of a discount application, None for a discount that was automatic or made by hand."""
    return text(application, "code") if text(application, "type") == "discount_code" else None


def _share(allocation: dict[str, Any]) -> tuple[int | None, int]:
    return optional_count(allocation, "discount_application_index"), _allocation(allocation)


def _address_hash(order: dict[str, Any], hash_address: HashAddress | None) -> str | None:
    address = optional_text(order, "email")
    return hash_address(address) if address and hash_address else None

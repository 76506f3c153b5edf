"""Orders fetched by GraphQL to facts: the same facts a webhook body gives, in REST's words.

The pages a large order comes in are put together in ``orders``; here is one whole node. Raises Misshapen.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.program.codes import UsedCodes, used_codes
from app.program.facts import LineFacts, LineKind, OrderFacts, RefundFacts, ShippingFacts, Snapshot
from app.shopify.order_bodies import HashAddress, currency_code
from app.shopify.reading import (
    Misshapen,
    count,
    each,
    flag,
    micro,
    moment,
    number_id,
    optional_flag,
    optional_moment,
    optional_text,
    part,
    required,
    required_part,
    text,
)

# How REST says what GraphQL calls otherwise; any other status is the same word in lower case.
_FULFILLMENT_WORDS = {"UNFULFILLED": None, "PARTIALLY_FULFILLED": "partial"}


def order_facts_of_node(node: dict[str, Any], *, read_at: datetime, hash_address: HashAddress | None) -> OrderFacts:
    """The facts of one whole order node; ``read_at`` is the moment of the fetch."""
    refunds = each(node, "refunds", refund_facts_of_node)
    customer = part(node, "customer")
    address = optional_text(node, "email")
    outstanding = node.get("totalOutstandingSet")
    snapshot = Snapshot(
        name=optional_text(node, "name") or "",
        created_at=moment(node, "createdAt"),
        updated_at=moment(node, "updatedAt"),
        currency=currency_code(node, "currencyCode"),
        lines=tuple(each(required_part(node, "lineItems"), "nodes", _line_facts)),
        read_at=read_at,
        taxes_included=flag(node, "taxesIncluded"),
        test=flag(node, "test"),
        financial_status=financial_word(_nullable_text(node, "displayFinancialStatus")),
        fulfillment_status=fulfillment_word(_nullable_text(node, "displayFulfillmentStatus")),
        total_outstanding_micro=None if outstanding is None else _signed(node, "totalOutstandingSet"),
        source_name=optional_text(node, "sourceName"),
        shipping_lines=tuple(each(required_part(node, "shippingLines"), "nodes", _shipping_facts)),
        contained_refunds=tuple(sorted(refund.refund_id for refund in refunds)),
        cancelled_at=_cancelled_at(node),
        fulfilled_at=max((at for at in each(node, "fulfillments", _fulfilment) if at is not None), default=None),
        customer_id=number_id(customer, "id") if customer else None,
        customer_verified=optional_flag(customer, "verifiedEmail") if customer else None,
        address_hash=hash_address(address) if address and hash_address and not customer else None,
        codes=_codes(node),
    )
    return OrderFacts.of_snapshot(number_id(node, "id"), snapshot, refunds, paid_at=_paid_at(node))


def refund_facts_of_node(node: dict[str, Any]) -> RefundFacts:
    """One refund. GraphQL lists discrepancies alone among its adjustments, and shipping with the refund's own lines."""
    shipping = each(required_part(node, "refundShippingLines"), "nodes", _refunded_shipping)
    return RefundFacts(
        refund_id=number_id(node, "id"),
        created_at=moment(node, "createdAt"),
        units=tuple(each(required_part(node, "refundLineItems"), "nodes", _refunded_units)),
        adjustment_micro=sum(each(required_part(node, "orderAdjustments"), "nodes", _adjustment)),
        shipping_micro=sum(amount for amount, _ in shipping),
        shipping_tax_micro=sum(tax for _, tax in shipping),
    )


def financial_word(status: str | None) -> str | None:
    return status.lower() if status else None


def fulfillment_word(status: str | None) -> str | None:
    if status is None or status in _FULFILLMENT_WORDS:
        return _FULFILLMENT_WORDS.get(status or "")
    return status.lower()


def _line_facts(line: dict[str, Any]) -> LineFacts:
    product, variant = part(line, "product"), part(line, "variant")
    title = optional_text(line, "title") or ""
    kind: LineKind = "product"
    if flag(line, "isGiftCard"):
        kind = "gift_card"
    elif title == "Tip" and product is None:
        kind = "tip"
    return LineFacts(
        line_id=number_id(line, "id"),
        title=title,
        quantity=count(line, "quantity"),
        price_micro=_amount(line, "originalUnitPriceSet"),
        current_quantity=count(line, "currentQuantity"),
        discount_micro=sum(each(line, "discountAllocations", _allocation)),
        tax_micro=sum(each(line, "taxLines", _tax)),
        product_id=number_id(product, "id") if product else None,
        variant_id=number_id(variant, "id") if variant else None,
        vendor=optional_text(line, "vendor"),
        kind=kind,
    )


def _shipping_facts(line: dict[str, Any]) -> ShippingFacts:
    return ShippingFacts(
        title=optional_text(line, "title") or "",
        price_micro=_amount(line, "originalPriceSet"),
        discount_micro=sum(each(line, "discountAllocations", _allocation)),
        tax_micro=sum(each(line, "taxLines", _tax)),
    )


def _codes(node: dict[str, Any]) -> UsedCodes:
    """The codes the order names, and those its discounts were applied by, which are the same but for late edits."""
    named = required(node, "discountCodes")
    if type(named) is not list or not all(type(code) is str for code in named):
        raise Misshapen("discountCodes", "is not a list of codes")
    taken = [
        share
        for name in ("lineItems", "shippingLines")
        for line in required_part(node, name)["nodes"]
        for share in each(line, "discountAllocations", _share)
        if share is not None
    ]
    return used_codes([*named, *(code for code, _ in taken)], taken)


def _share(allocation: dict[str, Any]) -> tuple[str, int] | None:
    """(code, what it took off this line); None for a discount that was automatic or made by hand."""
    code = optional_text(part(allocation, "discountApplication") or {}, "code")
    return (code, _allocation(allocation)) if code else None


def _paid_at(node: dict[str, Any]) -> datetime | None:
    """When successful sales and captures first reached the original total."""
    total = _amount(node, "originalTotalPriceSet")
    payments = sorted(payment for payment in each(node, "transactions", _payment) if payment is not None)
    received = 0
    for at, amount in payments:
        received += amount
        if received >= total:
            return at
    return None


def _payment(transaction: dict[str, Any]) -> tuple[datetime, int] | None:
    if text(transaction, "status") != "SUCCESS" or text(transaction, "kind") not in ("SALE", "CAPTURE"):
        return None
    return moment(transaction, "processedAt"), _amount(transaction, "amountSet")


def _fulfilment(fulfilment: dict[str, Any]) -> datetime | None:
    if optional_text(fulfilment, "status") in ("CANCELLED", "ERROR", "FAILURE"):
        return None
    return moment(fulfilment, "createdAt")


def _cancelled_at(node: dict[str, Any]) -> datetime | None:
    required(node, "cancelledAt")
    return optional_moment(node, "cancelledAt")


def _refunded_units(item: dict[str, Any]) -> tuple[int, int]:
    return number_id(required_part(item, "lineItem"), "id"), count(item, "quantity")


def _refunded_shipping(line: dict[str, Any]) -> tuple[int, int]:
    return _amount(line, "subtotalAmountSet"), _amount(line, "taxAmountSet")


def _adjustment(adjustment: dict[str, Any]) -> int:
    return _signed(adjustment, "amountSet")


def _allocation(allocation: dict[str, Any]) -> int:
    return _amount(allocation, "allocatedAmountSet")


def _tax(tax: dict[str, Any]) -> int:
    return _amount(tax, "priceSet")


def _amount(source: dict[str, Any], bag: str) -> int:
    """Shop money in micros, 0 or more."""
    found = _signed(source, bag)
    if found < 0:
        raise Misshapen(bag, "is negative")
    return found


def _signed(source: dict[str, Any], bag: str) -> int:
    try:
        amount = source[bag]["shopMoney"]["amount"]
    except (KeyError, TypeError, IndexError):
        raise Misshapen(f"{bag}.shopMoney.amount", "is missing") from None
    if type(amount) is not str:  # GraphQL's Decimal is a string, always
        raise Misshapen(f"{bag}.shopMoney.amount", "is not an amount of money")
    return micro(amount, bag)


def _nullable_text(source: dict[str, Any], name: str) -> str | None:
    required(source, name)
    return optional_text(source, name)

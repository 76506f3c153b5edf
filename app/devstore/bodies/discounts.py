"""Webhook bodies of discounts and their redeem codes: they name the thing, and leave its terms to a query."""

from __future__ import annotations

from typing import Any

from .. import clock
from ..discounts.records import Discount, RedeemCode
from ..records import Shop


def discount_gid(discount: Discount) -> str:
    kind = "DiscountAutomaticNode" if discount.automatic else "DiscountCodeNode"
    return f"gid://shopify/{kind}/{discount.id}"


def discount_body(shop: Shop, discount: Discount) -> dict[str, Any]:
    """As discounts/create and discounts/update carry it."""
    return {
        "admin_graphql_api_id": discount_gid(discount),
        "title": discount.title,
        "status": discount.status(clock.now()).upper(),
        "created_at": clock.rest(discount.created_at, shop.timezone),
        "updated_at": clock.rest(discount.updated_at, shop.timezone),
    }


def deleted_body(shop: Shop, discount: Discount) -> dict[str, Any]:
    return {
        "admin_graphql_api_id": discount_gid(discount),
        "deleted_at": clock.rest(clock.now(), shop.timezone),
    }


def redeem_code_body(discount: Discount, code: RedeemCode) -> dict[str, Any]:
    """As discounts/redeemcode_added and discounts/redeemcode_removed carry it."""
    return {
        "admin_graphql_api_id": discount_gid(discount),
        "redeem_code": {"id": f"gid://shopify/DiscountRedeemCode/{code.id}", "code": code.code},
        "updated_at": clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }

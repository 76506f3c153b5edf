"""Which granted scope a webhook topic needs (PLATFORM §3.4); None: none."""

from __future__ import annotations

from collections.abc import Collection

_BY_PREFIX = {
    "orders": "read_orders",
    "refunds": "read_orders",
    "order_transactions": "read_orders",
    "fulfillments": "read_fulfillments",
    "customers": "read_customers",
    "products": "read_products",
    "discounts": "read_discounts",
    "app": None,
    "shop": None,
    "bulk_operations": None,
}


def scope_for(topic: str) -> str | None:
    """Raises KeyError for a topic the dev store does not know: it would never be sent."""
    if topic == "customers/merge":
        return "read_customer_merge"
    return _BY_PREFIX[topic.partition("/")[0]]


def covered(topic: str, granted: Collection[str]) -> bool:
    """Whether these scopes allow the topic; a write scope includes its read scope."""
    scope = scope_for(topic)
    return scope is None or scope in granted or scope.replace("read_", "write_", 1) in granted

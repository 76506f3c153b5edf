"""Ask Shopify about orders: one of them in full, or which of them changed.

A sweep reads a line an order (250 a call, about a point each) and leaves fetching to the caller, for those it does not
know as they are: an order in full costs a hundred times as much, and a shop has 100 points a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.errors import Rejected, Throttled
from app.program.facts import OrderFacts
from app.shopify.asking import ask
from app.shopify.client import AdminClient
from app.shopify.order_bodies import HashAddress
from app.shopify.order_nodes import financial_word, fulfillment_word, order_facts_of_node
from app.shopify.reading import (
    Misshapen,
    each,
    flag,
    moment,
    next_cursor,
    number_id,
    optional_moment,
    optional_text,
    required_part,
)

READS_OF_A_MOVING_ORDER = 3
OBJECTS_A_CURSOR_REACHES = 20_000  # Shopify stops paging at 25,000
_WITHHELD = ("email", "verifiedEmail")  # without protected-data approval; points need neither


@dataclass(frozen=True, slots=True)
class OrderSighting:
    """An order as a sweep sees it. Statuses are in REST's words, as in Snapshot."""

    order_id: int
    updated_at: datetime
    cancelled_at: datetime | None
    financial_status: str | None
    fulfillment_status: str | None

    def is_known_from(self, facts: OrderFacts | None) -> bool:
        """Whether what we hold is this order as it is now.

        Moments have whole seconds, so one that is equal proves nothing alone: the statuses must agree too.
        """
        known = facts.snapshot if facts else None
        if facts is None or known is None or known.updated_at < self.updated_at:
            return False
        return known.updated_at > self.updated_at or (
            known.financial_status == self.financial_status
            and known.fulfillment_status == self.fulfillment_status
            and (facts.cancelled_at is not None or self.cancelled_at is None)
        )


@dataclass(frozen=True, slots=True)
class SweepPage:
    """Up to 250 changed orders, oldest change first. A later sweep goes on from (``next_since``, ``next_cursor``)."""

    orders: tuple[OrderSighting, ...]
    next_since: datetime
    next_cursor: str | None
    done: bool  # nothing comes after this page


def fetch_order(
    client: AdminClient, order_id: int, *, now: datetime, hash_address: HashAddress | None = None
) -> OrderFacts | None:
    """One order in full; None when the shop has none of that id. ``now`` is kept as the moment of reading.

    Raises what ``AdminClient.execute`` raises, and Throttled when the order kept changing between its pages.
    """
    gid = f"gid://shopify/Order/{order_id}"
    for _ in range(READS_OF_A_MOVING_ORDER):
        try:
            node = _whole_order(client, gid)
            return order_facts_of_node(node, read_at=now, hash_address=hash_address) if node else None
        except _Moved:
            continue
        except (Misshapen, KeyError, TypeError) as error:
            raise Rejected(f"Shopify's answer about an order cannot be read: {error}.", code="misshapen") from None
    raise Throttled("The order changed again and again while it was read.", retry_after=5.0)


def sweep_page(client: AdminClient, since: datetime, cursor: str | None = None) -> SweepPage:
    """One page of the orders updated at ``since`` or later."""
    query = f"updated_at:>='{since.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}'"
    data = client.execute("order_sightings", {"query": query, "after": cursor})
    try:
        connection = required_part(data, "orders")
        orders = tuple(each(connection, "nodes", _sighting))
        following = next_cursor(connection)
    except Misshapen as error:
        raise Rejected(f"Shopify's list of orders cannot be read: {error}.", code="misshapen") from None
    if following is not None and following == cursor:
        raise Rejected("Shopify's list of orders does not go on.", code="misshapen")
    return SweepPage(orders, since, following, done=following is None)


def sweep_orders(client: AdminClient, since: datetime, cursor: str | None = None) -> Iterator[SweepPage]:
    """Every order updated at ``since`` or later, page by page until done.

    Long before a cursor reaches its end the sweep starts anew from the last change seen. The orders of that second come
    twice, and knowing them costs nothing.
    """
    seen = 0
    while True:
        page = sweep_page(client, since, cursor)
        seen += len(page.orders)
        last = page.orders[-1].updated_at if page.orders else since
        if not page.done and seen >= OBJECTS_A_CURSOR_REACHES and last > since:
            page = SweepPage(page.orders, last, None, done=False)
            seen = 0
        yield page
        if page.done:
            return
        since, cursor = page.next_since, page.next_cursor


def orders_with_code(client: AdminClient, code: str) -> list[int]:
    """The orders Shopify's search finds by a discount code. It knows of each order its first code alone."""

    def read(data: dict[str, Any]) -> list[int]:
        return each(required_part(data, "orders"), "nodes", lambda node: number_id(node, "id"))

    bare = code.replace('"', "").replace("\\", "")
    return ask(client, "orders_of_code", {"query": f'discount_code:"{bare}"'}, read)


class _Moved(Exception):
    """The order was changed between two pages of it."""


def _whole_order(client: AdminClient, gid: str) -> dict[str, Any] | None:
    """One node with all its pages in it."""
    order = _ask(client, "order", {"id": gid, "whole": True}, gid)
    if order is None:
        return None
    variables = {"id": gid, "whole": False}
    order["lineItems"]["nodes"] += _following(client, order, "order", variables, "lineItems", "afterLine")
    if _has_next(order, "shippingLines"):
        first = _same(client, order, "order_shipping", {"id": gid})
        further = _following(client, first, "order_shipping", {"id": gid}, "shippingLines", "after")
        order["shippingLines"]["nodes"] = first["shippingLines"]["nodes"] + further
    # Plain lists have no cursor: a full one may be cut.
    if len(order["refunds"]) >= 6 or len(order["fulfillments"]) >= 20 or len(order["transactions"]) >= 15:
        rest = _same(client, order, "order_rest", {"id": gid})
        whole = {refund["id"]: refund for refund in order["refunds"]}
        order["refunds"] = [
            whole.get(refund["id"]) or _whole_refund(client, refund["id"]) for refund in rest["refunds"]
        ]
        order["fulfillments"], order["transactions"] = rest["fulfillments"], rest["transactions"]
    order["refunds"] = [
        _whole_refund(client, refund["id"])
        if any(_has_next(refund, name) for name in ("refundLineItems", "orderAdjustments", "refundShippingLines"))
        else refund
        for refund in order["refunds"]
    ]
    return order


def _whole_refund(client: AdminClient, gid: str) -> dict[str, Any]:
    """A refund with all pages of its three connections."""
    connections = {
        "refundLineItems": "afterLine",
        "orderAdjustments": "afterAdjustment",
        "refundShippingLines": "afterShipping",
    }
    refund = required_part(client.execute("refund", {"id": gid}), "node")
    for name, after in connections.items():
        connection = required_part(refund, name)
        while _has_next({name: connection}, name):
            variables = {"id": gid, after: connection["pageInfo"]["endCursor"]}
            page = required_part(required_part(client.execute("refund", variables), "node"), name)
            connection["nodes"] += page["nodes"]
            connection["pageInfo"] = page["pageInfo"]
    return refund


def _following(
    client: AdminClient, order: dict[str, Any], document: str, variables: dict[str, Any], name: str, after: str
) -> list[dict[str, Any]]:
    """The nodes of a connection after its first page."""
    nodes: list[dict[str, Any]] = []
    page = order
    while _has_next(page, name):
        page = _same(client, order, document, {**variables, after: page[name]["pageInfo"]["endCursor"]})
        nodes += page[name]["nodes"]
    return nodes


def _same(client: AdminClient, order: dict[str, Any], document: str, variables: dict[str, Any]) -> dict[str, Any]:
    """More of the same order, provided it has not changed meanwhile."""
    found = _ask(client, document, variables, order["id"])
    if found is None or found.get("updatedAt") != order.get("updatedAt"):
        raise _Moved
    return found


def _ask(client: AdminClient, document: str, variables: dict[str, Any], gid: str) -> dict[str, Any] | None:
    order = client.execute(document, variables, may_be_withheld=_WITHHELD).get("order")
    if order is None:
        return None
    if type(order) is not dict or order.get("id") != gid:
        raise Misshapen("order", "is not the one that was asked for")
    for name in ("refunds", "fulfillments", "transactions"):
        if name in order and type(order[name]) is not list:
            raise Misshapen(name, "is not a list")
    return order


def _has_next(source: dict[str, Any], name: str) -> bool:
    connection = required_part(source, name)
    if type(connection.get("nodes")) is not list:
        raise Misshapen(f"{name}.nodes", "is not a list")
    return flag(required_part(connection, "pageInfo"), "hasNextPage")


def _sighting(node: dict[str, Any]) -> OrderSighting:
    return OrderSighting(
        order_id=number_id(node, "id"),
        updated_at=moment(node, "updatedAt"),
        cancelled_at=optional_moment(node, "cancelledAt"),
        financial_status=financial_word(optional_text(node, "displayFinancialStatus")),
        fulfillment_status=fulfillment_word(optional_text(node, "displayFulfillmentStatus")),
    )

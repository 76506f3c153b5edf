"""Customers, their address and their orders."""

from __future__ import annotations

from typing import Any

from ... import clock
from ...bodies import people
from ...money import graphql_amount
from ...ordering.figures import figures
from ...records import Customer, Shop
from ..gids import gid
from ..paging import Page, mapped, stored_page
from ..resolving import Asked, register, unknown
from ..searching import Search
from ..views import CustomerView, OrderView
from . import orders

_SORTS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "ID": "id", "RELEVANCE": "id", "NAME": "id"}

_SEARCH = {
    "id": lambda c: c.id,
    "email": lambda c: c.email or "",
    "first_name": lambda c: c.first_name,
    "last_name": lambda c: c.last_name,
    "phone": lambda c: c.phone or "",
    "state": lambda c: c.state,
    "tag": lambda c: c.tags,
    "created_at": lambda c: c.created_at,
    "updated_at": lambda c: c.updated_at,
    "customer_date": lambda c: c.created_at,
}


def search(query: str | None) -> Search:
    return Search(query or "", _SEARCH, lambda c: f"{c.name} {c.email or ''} {c.phone or ''} {' '.join(c.tags)}")


def connection(
    asked: Asked,
    page: Page,
    *,
    query: str | None = None,
    sortKey: str = "ID",
) -> dict[str, Any]:
    """RELEVANCE and NAME come by id too: a dozen customers have no better order."""
    if sortKey not in _SORTS:
        raise unknown(f"customers(sortKey: {sortKey})")
    wanted = search(query)
    found = stored_page(asked.devstore.store, Customer, asked.shop.id, page, order=_SORTS[sortKey], keep=wanted.matches)
    return mapped(found, CustomerView)


def find(asked: Asked, id: int) -> CustomerView | None:
    record = asked.devstore.customer(asked.shop, id)
    return CustomerView(record) if record else None


def address(shop: Shop, customer: Customer) -> dict[str, Any]:
    """A MailingAddress."""
    where = people.address(shop, customer)
    return {
        "id": gid("MailingAddress", customer.id + 1),
        "firstName": where["first_name"],
        "lastName": where["last_name"],
        "name": where["name"],
        "address1": where["address1"],
        "address2": None,
        "company": None,
        "city": where["city"],
        "zip": where["zip"],
        "province": None,
        "provinceCode": None,
        "country": where["country"],
        "countryCodeV2": where["country_code"],
        "phone": where["phone"],
        "formattedArea": f"{where['city']}, {where['country']}",
    }


def _email(c: CustomerView, _: Asked) -> dict[str, Any] | None:
    if not c.record.email:
        return None
    return {"emailAddress": c.record.email, "marketingState": "NOT_SUBSCRIBED", "validFormat": "@" in c.record.email}


def _spent(c: CustomerView, asked: Asked) -> dict[str, Any]:
    totals = [figures(order) for order in asked.devstore.orders_of(asked.shop, c.record.id)]
    minor = sum(t.received_minor - t.refunded_minor for t in totals)
    return {"amount": graphql_amount(minor, asked.shop.currency), "currencyCode": asked.shop.currency}


def _last_order(c: CustomerView, asked: Asked) -> OrderView | None:
    found = [o for o in asked.devstore.orders_of(asked.shop, c.record.id) if orders.visible(asked, o)]
    return OrderView(asked.shop, found[0]) if found else None


def _orders(c: CustomerView, asked: Asked, page: Page, query: str | None = None, sortKey: str = "ID") -> Any:
    return orders.connection(asked, page, query=query, sortKey=sortKey, customer_id=c.record.id)


register(
    "Customer",
    {
        "id": lambda c, _: gid("Customer", c.record.id),
        "legacyResourceId": lambda c, _: str(c.record.id),
        "displayName": lambda c, _: c.record.name or c.record.email or "",
        "firstName": lambda c, _: c.record.first_name or None,
        "lastName": lambda c, _: c.record.last_name or None,
        "email": lambda c, _: c.record.email,
        "phone": lambda c, _: c.record.phone,
        "defaultEmailAddress": _email,
        "defaultPhoneNumber": lambda c, _: {"phoneNumber": c.record.phone} if c.record.phone else None,
        "verifiedEmail": lambda c, _: c.record.verified_email,
        "state": lambda c, _: c.record.state.upper(),
        "tags": lambda c, _: c.record.tags,
        "note": lambda c, _: c.record.note,
        "locale": lambda c, asked: asked.shop.locale,
        "taxExempt": lambda c, _: False,
        "createdAt": lambda c, _: clock.graphql(c.record.created_at),
        "updatedAt": lambda c, _: clock.graphql(c.record.updated_at),
        "defaultAddress": lambda c, asked: address(asked.shop, c.record),
        "numberOfOrders": lambda c, asked: str(len(asked.devstore.orders_of(asked.shop, c.record.id))),
        "canDelete": lambda c, asked: not asked.devstore.orders_of(asked.shop, c.record.id),
        "amountSpent": _spent,
        "lastOrder": _last_order,
        "orders": _orders,
    },
)

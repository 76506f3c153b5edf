"""Ask Shopify about customers: names for a page, a search, who is known. No name and no address of it is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from app.errors import Rejected
from app.shopify.client import AdminClient
from app.shopify.reading import Misshapen, each, moment, next_cursor, number_id, optional_text, part, required_part

T = TypeVar("T")

IDS_A_CALL = 100
# Without protected-data approval Shopify leaves these null, one by one; a page can do without them.
_WITHHELD = ("displayName", "defaultEmailAddress", "emailAddress", "verifiedEmail")


@dataclass(frozen=True, slots=True)
class CustomerName:
    """Whom to show; both texts may be empty."""

    customer_id: int
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class CustomerPage:
    customers: tuple[CustomerName, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A customer the shop has. ``verified_address`` is their e-mail address when it is proven theirs."""

    customer_id: int
    updated_at: datetime
    verified_address: str | None


def customer_names(client: AdminClient, customer_ids: Iterable[int]) -> dict[int, CustomerName]:
    """Names by id. Customers that are gone, or may not be shown to us, are left out."""
    ids = list(dict.fromkeys(customer_ids))
    names: dict[int, CustomerName] = {}
    for start in range(0, len(ids), IDS_A_CALL):
        gids = [f"gid://shopify/Customer/{customer_id}" for customer_id in ids[start : start + IDS_A_CALL]]
        found = _nodes(client.execute("customer_names", {"ids": gids}, may_be_withheld=_WITHHELD), "nodes", _name)
        names |= {name.customer_id: name for name in found}
    return names


def search_customers(client: AdminClient, text: str, *, first: int = 25, after: str | None = None) -> CustomerPage:
    """Customers by name, address or phone, as Shopify's own search finds them."""
    variables = {"query": search_words(text), "first": first, "after": after}
    data = client.execute("customer_search", variables, may_be_withheld=_WITHHELD)
    try:
        connection = required_part(data, "customers")
        cursor = next_cursor(connection)
    except Misshapen as error:
        raise Rejected(f"Shopify's answer about customers cannot be read: {error}.", code="misshapen") from None
    return CustomerPage(tuple(_nodes(connection, "nodes", _name)), cursor)


def known_customers(client: AdminClient, customer_ids: Iterable[int]) -> list[KnownCustomer]:
    """Those of the customers this shop has."""
    gids = [f"gid://shopify/Customer/{customer_id}" for customer_id in customer_ids]
    data = client.execute("customers_known", {"ids": gids}, may_be_withheld=_WITHHELD)
    return _nodes(data, "nodes", _known)


def search_words(text: str) -> str:
    """What somebody typed as plain words of Shopify's search syntax: no fields, no operators, no wildcards."""
    bare = "".join(character if character.isalnum() or character in "@.+-_ '" else " " for character in text[:200])
    words = [word.strip("'-") for word in bare.split() if word.upper() not in ("AND", "OR", "NOT")]
    return " ".join(f'"{word}"' if not word.isalnum() else word for word in words if word)


def _nodes(source: dict[str, Any], name: str, read: Callable[[dict[str, Any]], T]) -> list[T]:
    try:
        present = {name: [node for node in source.get(name) or [] if node]}
        return each(present, name, read)
    except Misshapen as error:
        raise Rejected(f"Shopify's answer about customers cannot be read: {error}.", code="misshapen") from None


def _name(node: dict[str, Any]) -> CustomerName:
    address = part(node, "defaultEmailAddress") or {}
    return CustomerName(
        customer_id=number_id(node, "id"),
        name=optional_text(node, "displayName") or "",
        email=optional_text(address, "emailAddress") or "",
    )


def _known(node: dict[str, Any]) -> KnownCustomer:
    address = part(node, "defaultEmailAddress") or {}
    verified = node.get("verifiedEmail") is True
    return KnownCustomer(
        customer_id=number_id(node, "id"),
        updated_at=moment(node, "updatedAt"),
        verified_address=optional_text(address, "emailAddress") if verified else None,
    )

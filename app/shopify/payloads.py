"""Webhook bodies to news.

``read_delivery`` gives what a delivery says as one small value, or raises Parked with a sentence that names the field.
The topic comes from an unsigned header, so a body must have its topic's shape: one redaction replayed under another
topic must not erase a shop, nor an order's body rename a customer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import Parked
from app.program.facts import OrderFacts
from app.shopify.order_bodies import HashAddress, currency_code, order_facts, refund_facts, shop_id_of_order_url
from app.shopify.reading import (
    Misshapen,
    flag,
    moment,
    number_id,
    optional_id,
    optional_text,
    part,
    read_object,
    required,
    required_part,
    text,
)
from app.shopify.shops import exact_shop_domain


@dataclass(frozen=True, slots=True)
class OrderNews:
    """An order as a body shows it, or one refund of it."""

    order_id: int
    facts: OrderFacts
    shop_id: int | None  # by order_status_url; None where the body has none, then ask the Admin API whose it is


@dataclass(frozen=True, slots=True)
class OrderToFetch:
    """An order changed and the body does not say how."""

    order_id: int


@dataclass(frozen=True, slots=True)
class CustomerNews:
    """A customer was created or changed. ``address_hash`` is of the e-mail address, verified or not."""

    customer_id: int
    address_hash: str | None
    address_verified: bool
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class CustomerDeleted:
    customer_id: int


@dataclass(frozen=True, slots=True)
class CustomersMerged:
    """Two customers became one; nothing has happened yet unless ``completed``."""

    kept_id: int
    deleted_id: int
    completed: bool


@dataclass(frozen=True, slots=True)
class AppUninstalled:
    """The same body as shop/update: by the (unsigned) topic alone the two differ."""

    shop_id: int
    shop_domain: str | None


@dataclass(frozen=True, slots=True)
class ScopesUpdated:
    shop_id: int
    scopes: tuple[str, ...]  # what is granted now, sorted
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShopUpdated:
    shop_id: int
    shop_domain: str | None
    name: str
    currency: str
    time_zone: str | None  # IANA


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a privacy topic is about: by id, by address, or both."""

    customer_id: int | None
    address_hash: str | None


@dataclass(frozen=True, slots=True)
class DataRequested:
    shop_id: int
    shop_domain: str
    subject: Subject
    order_ids: tuple[int, ...]
    request_id: int


@dataclass(frozen=True, slots=True)
class CustomerRedacted:
    shop_id: int
    shop_domain: str
    subject: Subject
    order_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ShopRedacted:
    shop_id: int
    shop_domain: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A topic nobody here has use for."""

    topic: str


News = (
    OrderNews
    | OrderToFetch
    | CustomerNews
    | CustomerDeleted
    | CustomersMerged
    | AppUninstalled
    | ScopesUpdated
    | ShopUpdated
    | DataRequested
    | CustomerRedacted
    | ShopRedacted
    | Ignored
)


def read_delivery(topic: str, body: bytes, *, hash_address: HashAddress | None = None) -> News:
    """What a delivery says. Raises Parked, and nothing else, for a body that does not have its topic's shape."""
    read = _READERS.get(topic)
    if read is None:
        return Ignored(topic)
    try:
        return read_object(body, lambda content: read(content, hash_address))
    except Misshapen as error:
        raise Parked(f"This {topic} delivery cannot be read: {error}.") from None


def _order(content: dict[str, Any], hash_address: HashAddress | None) -> OrderNews:
    if "order_id" in content:  # a refund, a fulfilment or a transaction
        raise Misshapen("the body", "is not an order")
    facts = order_facts(content, hash_address)
    return OrderNews(facts.order_id, facts, shop_id_of_order_url(content.get("order_status_url")))


def _refund(content: dict[str, Any], _: HashAddress | None) -> OrderNews:
    order_id = number_id(content, "order_id")
    return OrderNews(order_id, OrderFacts.of_refund(order_id, refund_facts(content)), None)


def _edited_order(content: dict[str, Any], _: HashAddress | None) -> OrderToFetch:
    try:
        return OrderToFetch(number_id(required_part(content, "order_edit"), "order_id"))
    except Misshapen as error:
        raise error if error.field == "order_edit" else error.inside("order_edit") from None


def _customer(content: dict[str, Any], hash_address: HashAddress | None) -> CustomerNews:
    _require_customer(content)
    address = optional_text(content, "email")
    verified = required(content, "verified_email")  # no order has one: this tells them apart
    return CustomerNews(
        customer_id=number_id(content, "id"),
        address_hash=hash_address(address) if address and hash_address else None,
        address_verified=flag(content, "verified_email") if verified is not None else False,
        created_at=moment(content, "created_at") if content.get("created_at") is not None else None,
        updated_at=moment(content, "updated_at") if content.get("updated_at") is not None else None,
    )


def _deleted_customer(content: dict[str, Any], _: HashAddress | None) -> CustomerDeleted:
    _require_customer(content)
    if "verified_email" in content:  # a deletion says nothing but the id; this is a customers/update under its topic
        raise Misshapen("the body", "is a customer who was not deleted")
    return CustomerDeleted(number_id(content, "id"))


def _require_customer(content: dict[str, Any]) -> None:
    gid = optional_text(content, "admin_graphql_api_id")
    foreign = {"line_items", "order_id", "customer", "shop_id", "shop_domain", "myshopify_domain"} & content.keys()
    if foreign or (gid is not None and not gid.startswith("gid://shopify/Customer/")):
        raise Misshapen("the body", "is not a customer")


def _merged_customers(content: dict[str, Any], _: HashAddress | None) -> CustomersMerged:
    kept_id = number_id(content, "admin_graphql_api_customer_kept_id")
    deleted_id = number_id(content, "admin_graphql_api_customer_deleted_id")
    if kept_id == deleted_id:
        raise Misshapen("admin_graphql_api_customer_deleted_id", "is the customer that was kept")
    return CustomersMerged(kept_id, deleted_id, text(content, "status").lower() == "completed")


def _uninstalled(content: dict[str, Any], _: HashAddress | None) -> AppUninstalled:
    # A whole shop. Where shop/update is subscribed to with `include_fields`, its bodies cannot pass for this.
    required(content, "shop_owner")
    return AppUninstalled(*_shop_described(content))


def _shop_described(content: dict[str, Any]) -> tuple[int, str | None]:
    """(id, domain) of a body that is a shop; published examples leave the domain null."""
    if "shop_owner" not in content and "myshopify_domain" not in content:
        raise Misshapen("the body", "is not a shop")
    domain = content.get("myshopify_domain")
    return number_id(content, "id"), None if domain is None else _domain(content, "myshopify_domain")


def _updated_scopes(content: dict[str, Any], _: HashAddress | None) -> ScopesUpdated:
    current = required(content, "current")
    if type(current) is not list or not all(type(scope) is str and "\x00" not in scope for scope in current):
        raise Misshapen("current", "is not a list of scopes")
    updated_at = moment(content, "updated_at") if content.get("updated_at") is not None else None
    return ScopesUpdated(number_id(content, "shop_id"), tuple(sorted(set(current))), updated_at)


def _updated_shop(content: dict[str, Any], _: HashAddress | None) -> ShopUpdated:
    shop_id, shop_domain = _shop_described(content)
    return ShopUpdated(
        shop_id=shop_id,
        shop_domain=shop_domain,
        name=text(content, "name"),
        currency=currency_code(content, "currency"),
        time_zone=optional_text(content, "iana_timezone"),
    )


def _data_request(content: dict[str, Any], hash_address: HashAddress | None) -> DataRequested:
    _require_only(content, "customer", "orders_requested", "data_request")
    shop_id, shop_domain = _shop_named(content)
    try:
        request_id = number_id(required_part(content, "data_request"), "id")
    except Misshapen as error:
        raise error if error.field == "data_request" else error.inside("data_request") from None
    return DataRequested(
        shop_id, shop_domain, _subject(content, hash_address), _ids(content, "orders_requested"), request_id
    )


def _redacted_customer(content: dict[str, Any], hash_address: HashAddress | None) -> CustomerRedacted:
    _require_only(content, "customer", "orders_to_redact")
    shop_id, shop_domain = _shop_named(content)
    return CustomerRedacted(shop_id, shop_domain, _subject(content, hash_address), _ids(content, "orders_to_redact"))


def _redacted_shop(content: dict[str, Any], _: HashAddress | None) -> ShopRedacted:
    _require_only(content)
    return ShopRedacted(*_shop_named(content))


def _require_only(content: dict[str, Any], *names: str) -> None:
    """Exactly these of the fields that tell the three privacy topics apart (and each from anything else)."""
    telling = {"customer", "orders_to_redact", "orders_requested", "data_request", "id", "line_items"}
    for name in sorted(telling):
        if name in names and name not in content:
            raise Misshapen(name, "is missing")
        if name not in names and name in content:
            raise Misshapen(name, "does not belong to this topic")


def _shop_named(content: dict[str, Any]) -> tuple[int, str]:
    return number_id(content, "shop_id"), _domain(content, "shop_domain")


def _domain(content: dict[str, Any], name: str) -> str:
    domain = exact_shop_domain(text(content, name))
    if domain is None:
        raise Misshapen(name, "is not a shop's domain")
    return domain


def _subject(content: dict[str, Any], hash_address: HashAddress | None) -> Subject:
    customer = part(content, "customer") or {}
    try:
        customer_id, address = optional_id(customer, "id"), optional_text(customer, "email")
    except Misshapen as error:
        raise error.inside("customer") from None
    if customer_id is None and not address:
        raise Misshapen("customer", "names neither an id nor an address")
    return Subject(customer_id, hash_address(address) if address and hash_address else None)


def _ids(content: dict[str, Any], name: str) -> tuple[int, ...]:
    values = content[name] if content[name] is not None else []
    if type(values) is not list:
        raise Misshapen(name, "is not a list")
    ids = []
    for place, value in enumerate(values):
        try:
            ids.append(number_id({"id": value}, "id"))
        except Misshapen as error:
            raise Misshapen(f"{name}.{place}", error.problem) from None
    return tuple(ids)


_READERS: dict[str, Callable[[dict[str, Any], HashAddress | None], News]] = {
    "orders/create": _order,
    "orders/paid": _order,
    "orders/updated": _order,
    "orders/cancelled": _order,
    "orders/fulfilled": _order,
    "orders/partially_fulfilled": _order,
    "orders/edited": _edited_order,
    "refunds/create": _refund,
    "customers/create": _customer,
    "customers/update": _customer,
    "customers/delete": _deleted_customer,
    "customers/merge": _merged_customers,
    "app/uninstalled": _uninstalled,
    "app/scopes_update": _updated_scopes,
    "shop/update": _updated_shop,
    "customers/data_request": _data_request,
    "customers/redact": _redacted_customer,
    "shop/redact": _redacted_shop,
}
TOPICS = frozenset(_READERS)

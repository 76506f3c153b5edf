"""Changes to the shop, its products and its customers, and the webhooks they cause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import clock
from .bodies.people import customer_body, deleted_body, merge_body, shop_body
from .errors import Refusal
from .records import Customer, Order, Product, Shop, Variant

if TYPE_CHECKING:
    from .state import DevStore


def update_shop(devstore: DevStore, shop: Shop, changes: dict[str, Any]) -> Shop:
    """shop/update."""
    with devstore.store.writing():
        fresh = devstore.shop_by_id(shop.id)
        assert fresh is not None
        _change(fresh, changes)
        fresh.updated_at = clock.now()
        devstore.store.save(fresh)
        devstore.webhooks.emit(fresh, "shop/update", shop_body(fresh), event=devstore.webhooks.new_event())
        return fresh


def create_product(devstore: DevStore, shop: Shop, facts: dict[str, Any]) -> Product:
    """``variants`` is a list of dicts (title, price_minor, sku …) or left out with ``price_minor`` for a single one."""
    with devstore.store.writing():
        now = clock.now()
        variants = facts.pop("variants", None) or [{"title": "Default Title", "price_minor": facts.pop("price_minor")}]
        title = facts.pop("title")
        return devstore.store.add(
            Product(
                id=devstore.store.next_id("product"),
                shop_id=shop.id,
                title=title,
                handle=facts.pop("handle", None) or re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-"),
                vendor=facts.pop("vendor", shop.name),
                product_type=facts.pop("product_type", ""),
                description=facts.pop("description", ""),
                created_at=facts.pop("created_at", now),
                updated_at=now,
                variants=[Variant(id=devstore.store.next_id("variant"), **v) for v in variants],
                **facts,
            )
        )


def update_product(devstore: DevStore, shop: Shop, id: int, changes: dict[str, Any]) -> Product:
    with devstore.store.writing():
        product = devstore.product(shop, id)
        if product is None:
            raise Refusal("there is no such product")
        _change(product, changes)
        product.updated_at = clock.now()
        return devstore.store.save(product)


def create_customer(devstore: DevStore, shop: Shop, facts: dict[str, Any]) -> Customer:
    """customers/create. An address another customer has is refused, as Shopify does."""
    with devstore.store.writing():
        now = facts.pop("created_at", None) or clock.now()
        quiet = facts.pop("quiet", False)
        email = facts.pop("email", None)
        if email and devstore.customer_by_email(shop, email):
            raise Refusal("Email has already been taken")
        customer = Customer(
            id=devstore.store.next_id("customer"),
            shop_id=shop.id,
            email=email,
            first_name=facts.pop("first_name", ""),
            last_name=facts.pop("last_name", ""),
            created_at=now,
            updated_at=now,
            **facts,
        )
        devstore.store.add(customer)
        if not quiet:
            _tell(devstore, shop, "customers/create", customer_body(shop, customer))
        return customer


def update_customer(devstore: DevStore, shop: Shop, id: int, changes: dict[str, Any]) -> Customer:
    """customers/update."""
    with devstore.store.writing():
        customer = _customer(devstore, shop, id)
        _change(customer, changes)
        customer.updated_at = clock.now()
        devstore.store.save(customer)
        _tell(devstore, shop, "customers/update", customer_body(shop, customer))
        return customer


def delete_customer(devstore: DevStore, shop: Shop, id: int) -> None:
    """customers/delete. One with orders cannot be deleted (their data can be redacted)."""
    with devstore.store.writing():
        customer = _customer(devstore, shop, id)
        if devstore.orders_of(shop, id):
            raise Refusal("a customer with orders cannot be deleted")
        devstore.store.delete(customer)
        devstore.metafield_store.drop_owner(shop, f"gid://shopify/Customer/{id}")
        devstore.store_credit.forget(shop, id)
        _tell(devstore, shop, "customers/delete", deleted_body(customer))


def merge_customers(devstore: DevStore, shop: Shop, kept_id: int, gone_id: int) -> Customer:
    """Orders move to the kept customer; customers/merge says so. Moved orders are not re-sent."""
    with devstore.store.writing():
        if kept_id == gone_id:
            raise Refusal("a customer cannot be merged with itself")
        kept, gone = _customer(devstore, shop, kept_id), _customer(devstore, shop, gone_id)
        for one in (kept, gone):
            _may_be_merged(devstore, shop, one)
        for order in list(devstore.store.page(Order, shop.id)):
            if order.customer_id == gone_id:
                order.customer_id = kept_id
                devstore.store.save(order)
        devstore.store.delete(gone)
        devstore.metafield_store.drop_owner(shop, f"gid://shopify/Customer/{gone_id}")
        kept.updated_at = clock.now()
        devstore.store.save(kept)
        _tell(devstore, shop, "customers/merge", merge_body(kept, gone))
        return kept


def _may_be_merged(devstore: DevStore, shop: Shop, customer: Customer) -> None:
    """Money in a customer's name stands in the way, as on Shopify."""
    if devstore.gift_cards.of(shop, customer.id):
        raise Refusal(f"{customer.name} has gift cards and can’t be merged")
    if any(account.balance_minor for account in devstore.store_credit.of(shop, customer.id)):
        raise Refusal(f"{customer.name} has store credit and can’t be merged")


def _customer(devstore: DevStore, shop: Shop, id: int) -> Customer:
    customer = devstore.customer(shop, id)
    if customer is None:
        raise Refusal("there is no such customer")
    return customer


def _change(record: Any, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if not hasattr(record, name) or name in ("id", "shop_id"):
            raise Refusal(f"{type(record).__name__} has no {name}")
        setattr(record, name, value)


def _tell(devstore: DevStore, shop: Shop, topic: str, body: dict[str, Any]) -> None:
    devstore.webhooks.emit(shop, topic, body, event=devstore.webhooks.new_event())

"""A fresh shop: a small pottery with a dozen products, customers with history, discounts; see ``data/catalog.json``.

Everything here happened before any install, so no webhook is sent. The second shop and further ones get the same goods
under their own ids.
"""

from __future__ import annotations

import json
from datetime import timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any

from . import clock
from .ordering.creating import CartLine, create
from .ordering.refunding import add as add_refund
from .records import Collection, Product, Shop

if TYPE_CHECKING:
    from .state import DevStore


def shop(devstore: DevStore, domain: str) -> Shop:
    """Make the shop and, unless the settings say otherwise, its people and their past orders."""
    facts = json.loads(resources.files(__package__).joinpath("data/catalog.json").read_text(encoding="utf-8"))
    with devstore.store.writing():
        opened = clock.ago(days=420)
        name = facts["shop"]["name"] if domain == devstore.settings.shops[0] else _title(domain)
        made = devstore.store.add(
            Shop(
                id=devstore.store.next_id("shop"),
                domain=domain,
                name=name,
                email=f"hello@{domain.split('.')[0]}.example",
                created_at=opened,
                updated_at=opened,
                presentment_rates=facts["shop"]["presentment_rates"],
            )
        )
        for collection in facts["collections"]:
            devstore.store.add(
                Collection(id=devstore.store.next_id("collection"), shop_id=made.id, **collection),
            )
        for product in facts["products"]:
            devstore.create_product(made, **{**product, "created_at": opened})
        for discount in facts["discounts"]:
            devstore.create_discount(made, **discount)
        people = {
            person["email"]: devstore.create_customer(
                made, quiet=True, created_at=clock.ago(days=person.pop("since_days")), **person
            )
            for person in facts["customers"]
        }
        if devstore.settings.seed_history:
            for past in facts["orders"]:
                _past_order(devstore, made, people, past)
        return devstore.shop_by_id(made.id) or made


def _past_order(devstore: DevStore, made: Shop, people: dict[str, Any], past: dict[str, Any]) -> None:
    """One order of the shop's past: paid and shipped two days later, some with units returned."""
    at = clock.ago(days=past["days"], minutes=past.get("minutes", 137))
    email = past["email"]
    products = {product.handle: product for product in devstore.products(made)}
    order = create(
        devstore,
        made,
        [CartLine(_variant(products[handle], which), quantity) for handle, which, quantity in past["lines"]],
        quiet=True,
        at=at,
        customer_id=people[email].id if email in people else None,
        email=email,
        code=past.get("code"),
        fulfil=past.get("shipped", True),
    )
    if returned := past.get("returned"):
        line = order.lines[returned["line"]]
        refund = add_refund(
            devstore,
            order,
            lines={line.id: returned["quantity"]},
            restock=True,
            shipping_minor=0,
            amount_minor=None,
            note="Returned",
            at=at + timedelta(days=9),
        )
        order.updated_at = refund.created_at
    devstore.store.save(order)


def _variant(product: Product, which: int) -> int:
    return product.variants[which].id


def _title(domain: str) -> str:
    return domain.split(".")[0].replace("-", " ").title()

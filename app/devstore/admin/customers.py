"""Customers: the list, one customer, and what the law lets them ask for."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response

from .. import gift_cards
from ..errors import Refusal
from ..records import Customer, Shop
from .page import chosen_id, done, draw, home, paged, store, trying


def register(bp: Blueprint) -> None:
    bp.add_url_rule("/-/admin/store/<handle>/customers", view_func=customers)
    bp.add_url_rule("/-/admin/store/<handle>/customers", view_func=add_customer, methods=["POST"])
    bp.add_url_rule("/-/admin/store/<handle>/customers/<int:id>", view_func=customer)
    bp.add_url_rule("/-/admin/store/<handle>/customers/<int:id>/<verb>", view_func=act_on_customer, methods=["POST"])


def customers(handle: str) -> str:
    shop = store(handle)
    shown, more = paged(sorted(g.devstore.customers(shop), key=lambda each: each.name))
    counts: dict[int, int] = {}
    for order in g.devstore.orders(shop):
        if order.customer_id:
            counts[order.customer_id] = counts.get(order.customer_id, 0) + 1
    return draw("customers", shop, here="customers", customers=shown, counts=counts, more=more)


def customer(handle: str, id: int) -> str:
    shop = store(handle)
    found = _customer(shop, id)
    return draw(
        "customer",
        shop,
        here="customers",
        customer=found,
        orders=[(order, g.devstore.figures(order)) for order in g.devstore.orders_of(shop, id)],
        others=sorted((c for c in g.devstore.customers(shop) if c.id != id), key=lambda each: each.name),
        gift_cards=g.devstore.gift_cards.of(shop, id),
        today=gift_cards.today(shop),
        accounts=g.devstore.store_credit.of(shop, id),
        metafields=g.devstore.metafields(shop, f"gid://shopify/Customer/{id}"),
        act=f"{home(shop)}/customers/{id}",
    )


def add_customer(handle: str) -> Response:
    shop = store(handle)

    def made() -> Response:
        email = request.form.get("email", "").strip()
        if "@" not in email:
            raise Refusal("a customer needs an e-mail address")
        new = g.devstore.create_customer(
            shop,
            email=email,
            first_name=request.form.get("first_name", "").strip(),
            last_name=request.form.get("last_name", "").strip(),
        )
        return done(f"{new.name or new.email} added.", f"{home(shop)}/customers/{new.id}")

    return trying(made, f"{home(shop)}/customers")


def act_on_customer(handle: str, id: int, verb: str) -> Response:
    shop = store(handle)
    _customer(shop, id)
    if verb not in VERBS:
        abort(404)
    return trying(lambda: VERBS[verb](shop, id), f"{home(shop)}/customers/{id}")


def data_request(shop: Shop, id: int) -> Response:
    g.devstore.apps.data_request(shop, id)
    return done("The app was asked for this customer's data.", f"{home(shop)}/customers/{id}")


def redact(shop: Shop, id: int) -> Response:
    g.devstore.apps.redact_customer(shop, id)
    return done("The app was told to erase this customer.", f"{home(shop)}/customers/{id}")


def merge(shop: Shop, id: int) -> Response:
    """This customer goes, the chosen one stays."""
    kept = chosen_id("kept")
    if kept is None:
        raise Refusal("choose the customer to keep")
    g.devstore.merge_customers(shop, kept, id)
    return done("Merged.", f"{home(shop)}/customers/{kept}")


def delete(shop: Shop, id: int) -> Response:
    g.devstore.delete_customer(shop, id)
    return done("Customer deleted.", f"{home(shop)}/customers")


VERBS: dict[str, Callable[[Shop, int], Response]] = {
    "data-request": data_request,
    "redact": redact,
    "merge": merge,
    "delete": delete,
}


def _customer(shop: Shop, id: int) -> Customer:
    found = g.devstore.customer(shop, id)
    if found is None:
        abort(404)
    return found

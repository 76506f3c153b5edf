"""Customers and what the law lets them ask for."""

from __future__ import annotations

from flask import Response, abort, g, jsonify

from .. import logins
from ..codec import plain
from . import bp
from .doors import body, shop_of, with_options


@bp.get("/shops/<domain>/customers")
def list_customers(domain: str) -> Response:
    return jsonify([plain(customer) for customer in g.devstore.customers(shop_of(domain))])


@bp.post("/shops/<domain>/customers")
def create_customer(domain: str) -> tuple[Response, int]:
    return jsonify(plain(with_options(g.devstore.create_customer, shop_of(domain), **body()))), 201


@bp.patch("/shops/<domain>/customers/<int:id>")
def update_customer(domain: str, id: int) -> Response:
    return jsonify(plain(with_options(g.devstore.update_customer, shop_of(domain), id, **body())))


@bp.delete("/shops/<domain>/customers/<int:id>")
def delete_customer(domain: str, id: int) -> Response:
    g.devstore.delete_customer(shop_of(domain), id)
    return jsonify(deleted=id)


@bp.post("/shops/<domain>/customers/<int:id>/merge")
def merge_customer(domain: str, id: int) -> Response:
    """The customer of the address keeps; ``gone_id`` goes."""
    return jsonify(plain(g.devstore.merge_customers(shop_of(domain), id, body()["gone_id"])))


@bp.post("/shops/<domain>/customers/<int:id>/<any(data_request, redact):what>")
def compliance(domain: str, id: int, what: str) -> Response:
    apps = g.devstore.apps
    (apps.data_request if what == "data_request" else apps.redact_customer)(shop_of(domain), id)
    return jsonify(sent=f"customers/{what}")


@bp.post("/shops/<domain>/login")
def log_in(domain: str) -> Response:
    """Log a customer in to the storefront, or (no ``customer_id``) out."""
    shop, customer_id = shop_of(domain), body().get("customer_id")
    if customer_id is None:
        logins.log_out(shop)
    elif g.devstore.customer(shop, customer_id) is None:
        abort(404, "there is no such customer")
    else:
        logins.log_in(shop, customer_id)
    return jsonify(customer_id=customer_id)

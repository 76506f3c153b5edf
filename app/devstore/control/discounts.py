"""Discounts and their codes, as the merchant, or a test playing one, makes and unmakes them behind the app's back."""

from __future__ import annotations

import itertools
from typing import Any

from flask import Response, abort, g, jsonify, request

from .. import clock
from ..codec import plain
from ..discounts import keeping
from ..discounts.records import Discount, RedeemCode
from ..records import Shop
from . import bp
from .doors import body, shop_of, with_options


@bp.get("/shops/<domain>/discounts")
def list_discounts(domain: str) -> Response:
    shop = shop_of(domain)
    counts = g.devstore.codes.counts(shop)
    return jsonify([_shown(discount, counts.get(discount.id, 0)) for discount in g.devstore.discounts(shop)])


@bp.post("/shops/<domain>/discounts")
def create_discount(domain: str) -> tuple[Response, int]:
    """Any of ``discounts.records.Discount``'s terms, with ``code``, ``codes`` or (automatic) neither.

    ``items`` and ``buys`` are {"products": [ids], "variants": [ids], "collections": [ids]}, ``combines`` is
    {"product": true, "order": true, "shipping": true}, moments are ISO 8601.
    """
    shop = shop_of(domain)
    made = with_options(g.devstore.create_discount, shop, **body())
    return jsonify(_shown(made, g.devstore.codes.count(shop, made.id))), 201


@bp.delete("/shops/<domain>/discounts/<int:id>")
def delete_discount(domain: str, id: int) -> Response:
    shop = shop_of(domain)
    keeping.delete(g.devstore, shop, _discount(shop, id))
    return jsonify(deleted=id)


@bp.get("/shops/<domain>/discounts/<int:id>/codes")
def list_codes(domain: str, id: int) -> Response:
    """In the order they were made; ?after= an id, ?limit= (1000), ?contains= part of the code."""
    shop = shop_of(domain)
    found = g.devstore.codes.page(
        shop,
        _discount(shop, id).id,
        after=request.args.get("after", type=int),
        contains=request.args.get("contains", ""),
    )
    limit = request.args.get("limit", 1000, type=int)
    return jsonify([code._asdict() for code in itertools.islice(found, limit)])


@bp.post("/shops/<domain>/discounts/<int:id>/codes")
def add_code(domain: str, id: int) -> tuple[Response, int]:
    """{"code": …}: one more, at once."""
    shop = shop_of(domain)
    made = with_options(_add, shop, _discount(shop, id), **body())
    return jsonify(made._asdict()), 201


@bp.get("/shops/<domain>/codes/<code>")
def show_code(domain: str, code: str) -> Response:
    """A code with its discount."""
    shop = shop_of(domain)
    found = _code(shop, code)
    return jsonify({**found._asdict(), "discount": _shown(_discount(shop, found.discount_id), None)})


@bp.delete("/shops/<domain>/codes/<code>")
def delete_code(domain: str, code: str) -> Response:
    shop = shop_of(domain)
    keeping.delete_code(g.devstore, shop, _code(shop, code))
    return jsonify(deleted=code)


@bp.get("/jobs")
def show_jobs() -> Response:
    """What the Admin API promised and did not do yet."""
    return jsonify(pending=g.devstore.jobs.pending(), controls=g.devstore.jobs.controls())


@bp.post("/jobs")
def control_jobs() -> Response:
    """hold (keep it waiting), seconds (how long it waits)."""
    return jsonify(with_options(g.devstore.jobs.control, **body()))


@bp.post("/jobs/run")
def run_jobs() -> Response:
    """All of it, now."""
    g.devstore.jobs.work_off()
    return jsonify(pending=g.devstore.jobs.pending())


def _add(shop: Shop, discount: Discount, *, code: str) -> RedeemCode:
    return keeping.add_code(g.devstore, shop, discount, code)


def _discount(shop: Shop, id: int) -> Discount:
    found = g.devstore.discount_by_id(shop, id)
    if found is None:
        abort(404, "there is no such discount")
    return found


def _code(shop: Shop, text: str) -> RedeemCode:
    found = g.devstore.codes.find(shop, text)
    if found is None:
        abort(404, "there is no such code")
    return found


def _shown(discount: Discount, codes: int | None) -> dict[str, Any]:
    return {**plain(discount), "status": discount.status(clock.now()), "codes": codes}

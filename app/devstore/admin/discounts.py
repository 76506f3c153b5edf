"""Discounts: what the app and the merchant made, their terms, and their codes with what became of them."""

from __future__ import annotations

import itertools
from urllib.parse import urlencode

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response

from .. import clock
from ..discounts import keeping
from ..discounts.records import Discount, Items
from ..discounts.words import money, summary
from ..errors import Refusal
from ..records import Order, Shop
from .page import chosen_id, done, draw, home, store, trying

_PAGE = 50


def register(bp: Blueprint) -> None:
    bp.add_url_rule("/-/admin/store/<handle>/discounts", view_func=discounts)
    bp.add_url_rule("/-/admin/store/<handle>/discounts/<int:id>", view_func=discount)
    bp.add_url_rule("/-/admin/store/<handle>/discounts/<int:id>/delete-code", view_func=delete_code, methods=["POST"])


def discounts(handle: str) -> str:
    """Newest first."""
    shop = store(handle)
    counts = g.devstore.codes.counts(shop)
    found = sorted(g.devstore.discounts(shop), key=lambda each: (each.created_at, each.id), reverse=True)
    rows = [(each, summary(each, shop.currency), each.status(clock.now()), counts.get(each.id, 0)) for each in found]
    return draw("discounts", shop, here="discounts", rows=rows)


def discount(handle: str, id: int) -> str:
    """The terms, and a page of codes: all, or those ``?q=`` is part of, ``?used=yes`` or ``no``."""
    shop = store(handle)
    found = _discount(shop, id)
    number = max(1, request.args.get("page", 1, type=int))
    wanted = {"q": request.args.get("q", "")[:255], "used": request.args.get("used", "")}
    start = (number - 1) * _PAGE
    codes = list(
        itertools.islice(
            g.devstore.codes.page(shop, id, contains=wanted["q"], used={"yes": True, "no": False}.get(wanted["used"])),
            start,
            start + _PAGE + 1,
        )
    )
    more = {}
    if number > 1:
        more["previous"] = "?" + urlencode({**wanted, "page": number - 1})
    if len(codes) > _PAGE:
        more["next"] = "?" + urlencode({**wanted, "page": number + 1})
    return draw(
        "discount",
        shop,
        here="discounts",
        discount=found,
        summary=summary(found, shop.currency),
        status=found.status(clock.now()),
        terms=_terms(shop, found),
        count=g.devstore.codes.count(shop, id),
        codes=codes[:_PAGE],
        orders=_orders(shop, {code.code for code in codes if code.used}),
        more=more,
        wanted=wanted,
        act=f"{home(shop)}/discounts/{id}",
    )


def delete_code(handle: str, id: int) -> Response:
    """One code, behind the app's back."""
    shop = store(handle)
    back = f"{home(shop)}/discounts/{_discount(shop, id).id}"

    def gone() -> Response:
        code = g.devstore.codes.get(shop, chosen_id("code") or 0)
        if code is None or code.discount_id != id:
            raise Refusal("there is no such code any more")
        keeping.delete_code(g.devstore, shop, code)
        return done(f"{code.code} deleted.", back)

    return trying(gone, back)


def _discount(shop: Shop, id: int) -> Discount:
    found = g.devstore.discount_by_id(shop, id)
    if found is None:
        abort(404)
    return found


def _orders(shop: Shop, codes: set[str]) -> dict[str, list[Order]]:
    """The orders that used these codes."""
    used: dict[str, list[Order]] = {}
    for order in g.devstore.orders(shop) if codes else ():
        for applied in order.discount_applications:
            if applied.code in codes:
                used.setdefault(applied.code, []).append(order)
    return used


def _terms(shop: Shop, d: Discount) -> list[tuple[str, str]]:
    combined = [name for name in ("product", "order", "shipping") if d.combines.allows(name)]
    words = [
        ("Made by", g.devstore.app.name if d.by_app else "the merchant"),
        ("Needs a code", "no: it is automatic" if d.automatic else "yes"),
        ("Of each code", f"{d.usage_limit} use{'' if d.usage_limit == 1 else 's'}" if d.usage_limit else "any use"),
        ("Class", d.discount_class),
        ("Goes together with", ", ".join(f"{name} discounts" for name in combined) or "no other discount"),
        ("For", _goods(shop, d.items)),
    ]
    if d.kind == "bxgy":
        words[-1:] = [("When bought", _goods(shop, d.buys)), ("What is got", _goods(shop, d.items))]
        words.append(("Uses per order", str(d.uses_per_order or "any")))
    if d.kind == "fixed_amount":
        words.append(("The amount is off", "each item" if d.each else "the order once"))
    if d.maximum_shipping_minor is not None:
        words.append(("Shipping of up to", money(d.maximum_shipping_minor, shop.currency)))
    if d.tags:
        words.append(("Tags", ", ".join(d.tags)))
    return words


def _goods(shop: Shop, items: Items) -> str:
    """Names of what is meant; what is gone since by its number."""
    if items.all:
        return "everything"
    titles = {each.id: each.title for each in [*g.devstore.products(shop), *g.devstore.collections(shop)]}
    named = [titles.get(id, str(id)) for id in (*items.products, *items.collections)]
    for id in items.variants:
        found = g.devstore.variant(shop, id)
        only = found and found[1].title == "Default Title"
        named.append(str(id) if not found else found[0].title if only else f"{found[0].title}, {found[1].title}")
    return ", ".join(named)

"""Products."""

from __future__ import annotations

from flask import Blueprint, g

from .page import draw, store


def register(bp: Blueprint) -> None:
    bp.add_url_rule("/-/admin/store/<handle>/products", view_func=products)


def products(handle: str) -> str:
    shop = store(handle)
    return draw("products", shop, here="products", products=g.devstore.products(shop))

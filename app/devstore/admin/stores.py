"""The list of stores and a store's home."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, g, redirect, request
from werkzeug.wrappers import Response

from .. import clock
from ..storefront import theme_settings
from .page import done, draw, home, store, trying, whole
from .words import day


def register(bp: Blueprint) -> None:
    bp.add_url_rule("/-/admin", view_func=stores)
    bp.add_url_rule("/-/admin/", view_func=stores)
    bp.add_url_rule("/-/admin/store/<handle>", view_func=store_home)
    bp.add_url_rule("/-/admin/store/<handle>/time", view_func=move_time, methods=["POST"])
    bp.add_url_rule("/-/admin/store/<handle>/settings", view_func=settings, methods=["POST"])


def stores() -> str | Response:
    """Every store of this machine; straight to it when there is one."""
    shops = g.devstore.shops()
    if len(shops) == 1:
        return redirect(home(shops[0]))
    return draw("stores", None, shops=shops)


def store_home(handle: str) -> str:
    """What there is to do, and how the store stands."""
    shop = store(handle)
    orders = g.devstore.orders(shop)
    theme = theme_settings.current(g.devstore, shop)
    return draw(
        "home",
        shop,
        here="home",
        orders=len(orders),
        customers=len(g.devstore.customers(shop)),
        products=len(g.devstore.products(shop)),
        pending=g.devstore.webhooks.pending(),
        embed_on=any(embed.on for embed in theme.embeds),
        missing=g.devstore.apps.missing_scopes(shop),
        now=g.devstore.now(),
        ahead=clock.ahead(),
    )


def move_time(handle: str) -> Response:
    """``days`` forward; none: back to today. It is the time of every store here, and of an app that follows it."""
    shop = store(handle)
    days = whole("days")

    def moved() -> Response:
        g.devstore.move_clock(timedelta(days=days) if days else None)
        return done(f"It is now {day(g.devstore.now(), shop)}.", home(shop))

    return trying(moved, home(shop))


def settings(handle: str) -> Response:
    """How this store behaves where Shopify's documents leave it open."""
    shop = store(handle)
    g.devstore.update_shop(shop, edit_writes_refund=request.form.get("edit_writes_refund") == "yes")
    return done("Saved.", home(shop))

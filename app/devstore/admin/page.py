"""What every page of the admin starts with: which store it is about, and the way to draw it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from .. import money
from ..errors import Refusal
from ..records import Shop
from .words import sentence


def store(handle: str) -> Shop:
    """The store of that handle ("saltmarsh"); 404 when there is none."""
    found = g.devstore.shop(f"{handle}.myshopify.com")
    if found is None:
        abort(404)
    return found


def home(shop: Shop) -> str:
    """The address of a store's admin, without a slash at its end."""
    return f"{g.origins.admin}/store/{shop.handle}"


def draw(template: str, shop: Shop | None, /, *, here: str = "", **values: Any) -> str:
    """A page in the frame of top bar and side menu; ``here`` names the menu's entry."""
    return render_template(
        f"devstore_admin/{template}.html",
        shop=shop,
        here=here,
        app=g.devstore.app,
        installed=g.devstore.apps.installed(shop) if shop else None,
        admin=g.origins.admin,
        home=home(shop) if shop else g.origins.admin,
        cdn=g.origins.cdn,
        storefront=g.origins.shop(shop.domain) if shop else "",
        log=f"{g.origins.root}/-/log",
        **values,
    )


def done(message: str, address: str) -> Response:
    """Say what was done, on the page at ``address``."""
    flash(message, "success")
    return redirect(address)


def trying(verb: Callable[[], Response], back: str) -> Response:
    """Do it; a refusal is shown at ``back`` in the store's own words."""
    try:
        return verb()
    except Refusal as refusal:
        flash(sentence(str(refusal)), "critical")
        return redirect(back)


def whole(name: str, default: int = 0) -> int:
    """A whole number of the form, ``default`` when empty. Raises Refusal."""
    text = request.form.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or len(text) > 9:
        raise Refusal(f"“{text}” is not a whole number")
    return int(text)


def amount(name: str, currency: str) -> int | None:
    """An amount of the form in minor units, None when empty. Raises Refusal."""
    text = request.form.get(name, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        minor = money.to_minor(text, currency)
    except (ValueError, ArithmeticError):
        raise Refusal(f"“{text}” is not an amount in {currency}") from None
    if minor < 0:
        raise Refusal("an amount cannot be negative")
    return minor


def chosen_id(name: str) -> int | None:
    """The id of a chosen record; None for "nobody". Raises Refusal."""
    text = request.form.get(name, "")
    if text and not text.isdecimal():
        raise Refusal(f"“{text}” is no id")
    return int(text) if text else None


def paged(items: list[Any], size: int = 50) -> tuple[list[Any], dict[str, str]]:
    """One page of a list by ``?page=``, and the addresses of the pages before and after it."""
    number = max(1, request.args.get("page", 1, type=int))
    start = (number - 1) * size
    more = {}
    if number > 1:
        more["previous"] = f"?page={number - 1}"
    if len(items) > start + size:
        more["next"] = f"?page={number + 1}"
    return items[start : start + size], more

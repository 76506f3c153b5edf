"""The storefront of a dev store: our theme, cart, checkout, accounts, and the app's theme extension in it.

`bp` serves a shop's own origin (see `server`): nothing here needs the app to be up, or JavaScript to shop.
"""

from flask import Blueprint

bp = Blueprint("storefront", __name__)

from . import account_pages, assets, cart_pages, checkout, order_pages, pages  # noqa: E402

for part in (pages, cart_pages, checkout, order_pages, account_pages, assets):
    part.register(bp)

__all__ = ["bp"]

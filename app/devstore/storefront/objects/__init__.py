"""The dev store's records as Shopify's Liquid objects, with the names and units the theme and the extension know."""

from .carts import cart_drop, discount_rows
from .catalogue import Catalogue
from .globals import app_drop, locale_drop, localization_drop, money_format, routes_drop, shop_drop
from .people import customer_drop, order_drop

__all__ = [
    "Catalogue",
    "app_drop",
    "cart_drop",
    "customer_drop",
    "discount_rows",
    "locale_drop",
    "localization_drop",
    "money_format",
    "order_drop",
    "routes_drop",
    "shop_drop",
]

"""`shop`, `routes` and the other objects that are the same on every page of a shop."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_name, get_currency_symbol

from ...records import Shop
from ..dialect import Drop
from .metafields import metafields_drop

MONEY_FORMATS = {
    "EUR": "€{{amount}}",
    "USD": "${{amount}}",
    "GBP": "£{{amount}}",
    "JPY": "¥{{amount_no_decimals}}",
    "CHF": "CHF {{amount_with_apostrophe_separator}}",
    "PLN": "{{amount_with_space_separator}} zł",
    "KWD": "{{amount}} KD",
}
"""How Shopify writes these currencies for a new shop; any other is its code and the amount."""


def money_format(currency: str) -> str:
    """The shop's money format, without the currency's code."""
    return MONEY_FORMATS.get(currency, f"{currency} {{{{amount}}}}")


def currency_drop(currency: str) -> Drop:
    """`currency`"""
    return Drop(
        {
            "iso_code": currency,
            "symbol": get_currency_symbol(currency, locale="en"),
            "name": get_currency_name(currency, locale="en"),
        },
        text=currency,
    )


def locale_drop(code: str, root: str, *, primary: bool) -> Drop:
    """`shop_locale`"""
    try:
        language = Locale.parse(code, sep="-")
        name, own = language.get_display_name("en"), language.get_display_name()
    except (UnknownLocaleError, ValueError):
        name = own = code
    return Drop({"iso_code": code, "name": name, "endonym_name": own, "primary": primary, "root_url": root}, text=code)


def shop_drop(shop: Shop, origin: str, root: str, counts: dict[str, int]) -> Drop:
    """`shop`"""
    currency = money_format(shop.currency)
    return Drop(
        {
            "id": shop.id,
            "name": shop.name,
            "description": "",
            "email": shop.email,
            "domain": shop.domain,
            "permanent_domain": shop.domain,
            "url": origin,
            "secure_url": origin,
            "currency": shop.currency,
            "money_format": currency,
            "money_with_currency_format": f"{currency} {shop.currency}",
            "taxes_included": shop.taxes_included,
            "customer_accounts_enabled": True,
            "customer_accounts_optional": True,
            "accepts_gift_cards": True,
            "products_count": counts["products"],
            "collections_count": counts["collections"],
        },
        {
            "locale": lambda: locale_drop(shop.locale, root, primary=True),
            "published_locales": lambda: [locale_drop(shop.locale, root, primary=True)],
            "enabled_currencies": lambda: [currency_drop(c) for c in (shop.currency, *shop.presentment_rates)],
            "address": lambda: Drop({"country": shop.country, "country_code": shop.country_code}),
        },
        text=shop.name,
    )


def routes_drop(root: str, path: str) -> Drop:
    """`routes`: every address below the shop's root. Shopify's root_url has no closing slash but at "/" itself."""
    below = {
        "account_url": "account",
        "account_login_url": "account/login",
        "account_logout_url": "account/logout",
        "account_register_url": "account/register",
        "account_addresses_url": "account/addresses",
        "account_profile_url": "account/profile",
        "account_recover_url": "account/recover",
        "collections_url": "collections",
        "all_products_collection_url": "collections/all",
        "search_url": "search",
        "predictive_search_url": "search/suggest",
        "cart_url": "cart",
        "cart_add_url": "cart/add",
        "cart_change_url": "cart/change",
        "cart_clear_url": "cart/clear",
        "cart_update_url": "cart/update",
        "product_recommendations_url": "recommendations/products",
    }
    back = urlencode({"return_to": path})
    return Drop(
        {
            "root_url": root.rstrip("/") or "/",
            **{name: root + address for name, address in below.items()},
            "storefront_login_url": f"{root}customer_authentication/login?{back}",
        }
    )


def localization_drop(shop: Shop, locale: str, root: str) -> Drop:
    """`localization`: one market, the shop's own."""
    language = locale_drop(locale, root, primary=locale == shop.locale)
    country = Drop(
        {
            "iso_code": shop.country_code,
            "name": shop.country,
            "unit_system": "metric",
            "currency": currency_drop(shop.currency),
        },
        text=shop.country,
    )
    market: dict[str, Any] = {"id": 1, "handle": shop.country_code.lower()}
    return Drop(
        {
            "country": country,
            "language": language,
            "market": market,
            "available_countries": [country],
            "available_languages": [language],
        }
    )


def app_drop(devstore: Any, shop: Shop) -> Drop:
    """`app`: the metafields that the app's installation owns."""
    return Drop({"metafields": metafields_drop(devstore, devstore.app_metafields(shop))})

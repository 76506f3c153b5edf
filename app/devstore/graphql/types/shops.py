"""The shop itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from ... import clock
from ...records import Shop
from ..gids import gid
from ..paging import Page, mapped, pages
from ..resolving import Asked, register
from ..views import ShopView


def strings(values: Iterable[str], page: Page) -> dict[str, Any]:
    """A StringConnection: distinct values in order."""
    numbered = list(enumerate(sorted({value for value in values if value}), 1))
    found = pages(numbered, lambda item: item[0], page, value_of=lambda item: item[1])
    return mapped(found, lambda item: item[1])


def vendors(shop: Shop, asked: Asked, page: Page) -> dict[str, Any]:
    return strings((product.vendor for product in asked.devstore.products(shop)), page)


def types(shop: Shop, asked: Asked, page: Page) -> dict[str, Any]:
    return strings((product.product_type for product in asked.devstore.products(shop)), page)


def tags(shop: Shop, asked: Asked, page: Page) -> dict[str, Any]:
    return strings((tag for product in asked.devstore.products(shop) for tag in product.tags), page)


def _offset(s: ShopView, _: Asked) -> str:
    return clock.now().astimezone(ZoneInfo(s.record.timezone)).strftime("%z")


register(
    "Shop",
    {
        "id": lambda s, _: gid("Shop", s.record.id),
        "name": lambda s, _: s.record.name,
        "myshopifyDomain": lambda s, _: s.record.domain,
        "url": lambda s, _: f"https://{s.record.domain}",
        "primaryDomain": lambda s, _: {
            "id": gid("Domain", s.record.id + 1),
            "host": s.record.domain,
            "url": f"https://{s.record.domain}",
            "sslEnabled": True,
        },
        "email": lambda s, _: s.record.email,
        "contactEmail": lambda s, _: s.record.email,
        "shopOwnerName": lambda s, _: "Mira Zandvoort",
        "currencyCode": lambda s, _: s.record.currency,
        "enabledPresentmentCurrencies": lambda s, _: [s.record.currency, *s.record.presentment_rates],
        "ianaTimezone": lambda s, _: s.record.timezone,
        "timezoneOffset": _offset,
        "timezoneAbbreviation": lambda s, _: clock.now().astimezone(ZoneInfo(s.record.timezone)).tzname(),
        "taxesIncluded": lambda s, _: s.record.taxes_included,
        "taxShipping": lambda s, _: False,
        "createdAt": lambda s, _: clock.graphql(s.record.created_at),
        "updatedAt": lambda s, _: clock.graphql(s.record.updated_at),
        "checkoutApiSupported": lambda s, _: True,
        "setupRequired": lambda s, _: False,
        "plan": lambda s, _: {
            "publicDisplayName": "Development" if s.record.development else "Basic",
            "partnerDevelopment": s.record.development,
            "shopifyPlus": False,
            "displayName": "Developer Preview" if s.record.development else "Basic",
        },
        "features": lambda s, _: {"giftCards": True, "storefront": True, "reports": True, "bundles": {}},
        "customerAccountsV2": lambda s, _: {
            "customerAccountsVersion": "NEW_CUSTOMER_ACCOUNTS",
            "loginLinksVisibleOnStorefrontAndCheckout": True,
            "loginRequiredAtCheckout": False,
            "url": f"https://{s.record.domain}/account",
        },
        "productVendors": lambda s, asked, page: vendors(s.record, asked, page),
        "productTypes": lambda s, asked, page: types(s.record, asked, page),
        "productTags": lambda s, asked, page: tags(s.record, asked, page),
        "customerTags": lambda s, asked, page: strings(
            (tag for customer in asked.devstore.customers(s.record) for tag in customer.tags), page
        ),
    },
)

"""The shop itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ... import clock
from ..gids import gid
from ..resolving import Asked, register
from ..views import ShopView


def _strings(values: Iterable[str], first: int) -> dict[str, Any]:
    """A StringConnection: distinct values in order."""
    kept = sorted(set(values))
    page = kept[:first]
    return {
        "nodes": page,
        "edges": [{"cursor": value, "node": value} for value in page],
        "pageInfo": {
            "hasNextPage": len(kept) > first,
            "hasPreviousPage": False,
            "startCursor": page[0] if page else None,
            "endCursor": page[-1] if page else None,
        },
    }


def _offset(s: ShopView, _: Asked) -> str:
    return datetime.now(ZoneInfo(s.record.timezone)).strftime("%z")


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
        "timezoneAbbreviation": lambda s, _: datetime.now(ZoneInfo(s.record.timezone)).tzname(),
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
        "productVendors": lambda s, asked, first: _strings(
            (p.vendor for p in asked.devstore.products(s.record)), first
        ),
        "productTypes": lambda s, asked, first: _strings(
            (p.product_type for p in asked.devstore.products(s.record) if p.product_type), first
        ),
        "productTags": lambda s, asked, first: _strings(
            (tag for p in asked.devstore.products(s.record) for tag in p.tags), first
        ),
        "customerTags": lambda s, asked, first: _strings(
            (tag for c in asked.devstore.customers(s.record) for tag in c.tags), first
        ),
    },
)

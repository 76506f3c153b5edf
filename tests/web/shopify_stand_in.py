"""What Shopify answers while a shop installs, with `responses` in its place."""

from __future__ import annotations

import json
from typing import Any

import responses

from ..conftest import DOMAIN, SHOP_ID

SCOPES = ("read_customers", "read_orders", "write_customers")


def token_answer(number: int = 1) -> dict[str, Any]:
    return {
        "access_token": f"shpat_given_{number}", "scope": ",".join(SCOPES), "expires_in": 3600,
        "refresh_token": f"shprt_given_{number}", "refresh_token_expires_in": 7_776_000,
    }  # fmt: skip


def shop_answer(shop_id: int = SHOP_ID, domain: str = DOMAIN, **more: Any) -> dict[str, Any]:
    shop = {
        "id": f"gid://shopify/Shop/{shop_id}", "name": "Saltmarsh Pottery", "myshopifyDomain": domain,
        "currencyCode": "EUR", "ianaTimezone": "Europe/Berlin", "primaryDomain": {"url": f"https://{domain}"},
        "plan": {"partnerDevelopment": False},
    }  # fmt: skip
    installation = {
        "id": "gid://shopify/AppInstallation/77", "accessScopes": [{"handle": scope} for scope in SCOPES],
    }  # fmt: skip
    return {"data": {"shop": {**shop, **more}, "currentAppInstallation": installation}}


def token_url(domain: str = DOMAIN) -> str:
    return f"https://{domain}/admin/oauth/access_token"


def graphql_url(domain: str = DOMAIN) -> str:
    return f"https://{domain}/admin/api/2026-10/graphql.json"


def gives(shop_id: int = SHOP_ID, domain: str = DOMAIN, **more: Any) -> None:
    """Shopify gives tokens for this shop and says who it is."""
    responses.post(token_url(domain), json=token_answer())
    responses.post(graphql_url(domain), json=shop_answer(shop_id, domain, **more))


def asked(url: str) -> list[dict[str, Any]]:
    """The bodies of what was asked there."""
    return [json.loads(call.request.body) for call in responses.calls if call.request.url == url]

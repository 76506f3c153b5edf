"""Ask a shop who it is."""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import Rejected
from app.shopify.client import AdminClient
from app.shopify.order_bodies import currency_code
from app.shopify.reading import (
    Misshapen,
    each,
    number_id,
    optional_flag,
    optional_text,
    part,
    required_part,
    text,
)
from app.shopify.shops import exact_shop_domain


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What Shopify knows of the shop and of us in it."""

    shop_id: int  # the tenant key
    domain: str  # acme.myshopify.com
    name: str
    currency: str
    timezone: str  # IANA
    primary_url: str  # where shoppers see it, without a slash at the end
    is_development: bool  # every checkout there is a test order
    app_installation_id: str  # GID: owner of the program metafield
    scopes: tuple[str, ...]  # as granted, sorted


def fetch_shop(client: AdminClient) -> ShopFacts:
    """Raises what ``AdminClient.execute`` raises; Rejected when another shop answers than was asked.

    Only the id and the currency must be there: nothing else stops a shop from earning points.
    """
    data = client.execute("shop")
    try:
        shop, installation = required_part(data, "shop"), part(data, "currentAppInstallation") or {}
        facts = ShopFacts(
            shop_id=number_id(shop, "id"),
            domain=exact_shop_domain(optional_text(shop, "myshopifyDomain")) or client.shop,
            name=optional_text(shop, "name") or client.shop,
            currency=currency_code(shop, "currencyCode"),
            timezone=optional_text(shop, "ianaTimezone") or "UTC",
            primary_url=text(part(shop, "primaryDomain") or {"url": f"https://{client.shop}"}, "url").rstrip("/"),
            is_development=bool(optional_flag(part(shop, "plan") or {}, "partnerDevelopment")),
            app_installation_id=optional_text(installation, "id") or "",
            scopes=tuple(
                sorted(each(installation, "accessScopes", lambda scope: text(scope, "handle"), optional=True))
            ),
        )
    except Misshapen as error:
        raise Rejected(f"Shopify's answer about the shop cannot be read: {error}.", code="misshapen") from None
    if facts.domain != client.shop:
        raise Rejected("Shopify answered for another shop.", code="wrong_shop")
    return facts

"""Ask a shop who it is."""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import Rejected
from app.shopify.client import AdminClient
from app.shopify.order_bodies import currency_code
from app.shopify.reading import Misshapen, each, flag, number_id, part, required_part, text
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
    """Raises what ``AdminClient.execute`` raises; Rejected when another shop answers than was asked."""
    data = client.execute("shop")
    try:
        shop, installation = required_part(data, "shop"), required_part(data, "currentAppInstallation")
        facts = ShopFacts(
            shop_id=number_id(shop, "id"),
            domain=exact_shop_domain(text(shop, "myshopifyDomain")) or "",
            name=text(shop, "name"),
            currency=currency_code(shop, "currencyCode"),
            timezone=text(shop, "ianaTimezone"),
            primary_url=text(part(shop, "primaryDomain") or {"url": f"https://{client.shop}"}, "url").rstrip("/"),
            is_development=flag(part(shop, "plan") or {"partnerDevelopment": False}, "partnerDevelopment"),
            app_installation_id=text(installation, "id"),
            scopes=tuple(sorted(each(installation, "accessScopes", lambda scope: text(scope, "handle")))),
        )
    except Misshapen as error:
        raise Rejected(f"Shopify's answer about the shop cannot be read: {error}.", code="misshapen") from None
    if facts.domain != client.shop:
        raise Rejected("Shopify answered for another shop.", code="wrong_shop")
    return facts

"""REST bodies of customers and of the shop."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from .. import clock
from ..records import Customer, Shop


def customer_body(shop: Shop, customer: Customer) -> dict[str, Any]:
    """As customers/create and customers/update carry it (no totals since 2025: those are in purchasing_summary)."""
    return {
        "id": customer.id,
        "created_at": clock.rest(customer.created_at, shop.timezone),
        "updated_at": clock.rest(customer.updated_at, shop.timezone),
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "state": customer.state,
        "note": customer.note,
        "verified_email": customer.verified_email,
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": customer.email,
        "phone": customer.phone,
        "currency": shop.currency,
        "addresses": [],
        "tax_exemptions": [],
        "admin_graphql_api_id": f"gid://shopify/Customer/{customer.id}",
        "default_address": {
            "id": customer.id + 1,
            "customer_id": customer.id,
            "company": None,
            **address(shop, customer),
            "country_name": shop.country,
            "default": True,
        },
    }


def deleted_body(customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.id,
        "tax_exemptions": [],
        "admin_graphql_api_id": f"gid://shopify/Customer/{customer.id}",
    }


def merge_body(kept: Customer, gone: Customer) -> dict[str, Any]:
    return {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept.id}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{gone.id}",
        "admin_graphql_api_job_id": None,
        "status": "completed",
        "errors": [],
    }


def address(shop: Shop, customer: Customer) -> dict[str, Any]:
    """The customer's one address, as orders print it too."""
    return {
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "address1": customer.address1,
        "address2": None,
        "city": customer.city,
        "province": None,
        "country": shop.country,
        "zip": customer.zip,
        "phone": customer.phone,
        "name": customer.name,
        "province_code": None,
        "country_code": shop.country_code,
    }


def shop_body(shop: Shop) -> dict[str, Any]:
    """As shop/update and app/uninstalled carry it."""
    money = f"{{{{amount}}}} {shop.currency}"
    return {
        "id": shop.id,
        "name": shop.name,
        "email": shop.email,
        "domain": shop.domain,
        "province": None,
        "country": shop.country_code,
        "address1": "Zeeweg 1",
        "zip": "2011 AA",
        "city": "Haarlem",
        "source": None,
        "phone": None,
        "latitude": None,
        "longitude": None,
        "primary_locale": shop.locale,
        "address2": None,
        "created_at": clock.rest(shop.created_at, shop.timezone),
        "updated_at": clock.rest(shop.updated_at, shop.timezone),
        "country_code": shop.country_code,
        "country_name": shop.country,
        "currency": shop.currency,
        "customer_email": shop.email,
        "timezone": f"(GMT{_offset(shop)}) {shop.timezone}",
        "iana_timezone": shop.timezone,
        "shop_owner": "Mira Zandvoort",
        "money_format": money,
        "money_with_currency_format": money,
        "weight_unit": "kg",
        "province_code": None,
        "taxes_included": shop.taxes_included,
        "auto_configure_tax_inclusivity": None,
        "tax_shipping": None,
        "county_taxes": True,
        "plan_display_name": "Developer Preview" if shop.development else "Basic",
        "plan_name": "partner_test" if shop.development else "basic",
        "has_discounts": True,
        "has_gift_cards": True,
        "myshopify_domain": shop.domain,
        "google_apps_domain": None,
        "google_apps_login_enabled": None,
        "money_in_emails_format": money,
        "money_with_currency_in_emails_format": money,
        "eligible_for_payments": True,
        "requires_extra_payments_agreement": False,
        "password_enabled": False,
        "has_storefront": True,
        "finances": True,
        "primary_location_id": shop.id + 7,
        "checkout_api_supported": True,
        "multi_location_enabled": False,
        "setup_required": False,
        "pre_launch_enabled": False,
        "enabled_presentment_currencies": [shop.currency, *shop.presentment_rates],
        "marketing_sms_consent_enabled_at_checkout": False,
        "transactional_sms_disabled": False,
    }


def _offset(shop: Shop) -> str:
    return datetime(2026, 1, 1, tzinfo=ZoneInfo(shop.timezone)).strftime("%z")[:3] + ":00"

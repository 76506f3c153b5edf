"""A shop's permanent domain, the only name by which a shop may be spoken to.

Anchored at both ends and ASCII only. ShopifyAPI's ``sanitize_shop_domain`` is not used: it strips spaces and schemes,
completes bare names and lets a line break pass at the end, which is help for a form field; here every value comes from
a machine, and what is not exactly a shop is an attack.
"""

from __future__ import annotations

import re

# One DNS label of at most 63 characters; "xn--" begins an encoded foreign label, which no shop has.
_SHOP = re.compile(r"(?!xn--)[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com", re.ASCII)


def shop_domain(value: object) -> str | None:
    """``Acme.myshopify.com`` → ``acme.myshopify.com``; None for anything that is not exactly a shop's domain."""
    if not isinstance(value, str) or len(value) > 80 or not value.isascii():
        return None
    return exact_shop_domain(value.lower())


def exact_shop_domain(value: object) -> str | None:
    """As ``shop_domain`` for places where Shopify itself writes the domain, always in lower case."""
    return value if isinstance(value, str) and _SHOP.fullmatch(value) else None

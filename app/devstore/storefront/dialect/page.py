"""What the filters must know of the page being painted, beside their own arguments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from liquid import RenderContext

HIDDEN_NAME = "-page"
"""The name a `Page` is kept under: no Liquid expression can spell it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page view: whose shop, in which currency and language, at which addresses."""

    root: str = "/"
    """The shop's root with its closing slash; "/acme.myshopify.com/" where the shop lives below a path."""
    cdn: str = ""
    """Origin (and path) of the content network, without a closing slash."""
    locale: str = "en"
    currency: str = "EUR"
    money_format: str = "€{{amount}}"
    money_with_currency_format: str = "€{{amount}} EUR"
    exponent: int = 2
    """Decimals of the currency."""
    timezone: str = "UTC"
    """The shop's own; dates are shown in it."""
    design_mode: bool = False
    globals: dict[str, Any] = field(default_factory=dict)
    """The page's Liquid objects, for app blocks, which see the same ones."""


def page_of(context: RenderContext) -> Page:
    """The page a filter or tag is working for."""
    page = context.resolve(HIDDEN_NAME, default=None)
    return page if isinstance(page, Page) else Page()

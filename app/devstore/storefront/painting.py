"""Paints a page of the storefront: Liquid's objects, the theme's template and layout, the app's blocks and embeds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from flask import Response, g, request

from ..money import decimals
from . import theme_settings
from .carts import cart_of_request
from .dialect import HIDDEN_NAME, AppBlock, Drop, LiquidFolder, Page
from .dialect.text import to_json
from .extensions import Block, ThemeExtension, asset_digest
from .objects import (
    Catalogue,
    app_drop,
    cart_drop,
    customer_drop,
    discount_rows,
    locale_drop,
    localization_drop,
    money_format,
    routes_drop,
    shop_drop,
)
from .shoppers import customer_of_request


class Theme(LiquidFolder):
    """Our theme, Shoreline: layout/, templates/, sections/, snippets/, assets/."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "", "snippets")

    def asset_url(self, name: str, page: Page) -> str:
        """On the shop's own domain, as Shopify serves themes now; the digest changes with the contents."""
        path = self.asset_path(name)
        digest = asset_digest(path) if path else ""
        return f"{page.root}cdn/shop/t/1/assets/{name}?v={digest}"


@cache
def shoreline() -> Theme:
    """The theme."""
    return Theme(Path(__file__).parent / "theme")


def root() -> str:
    """The shop's root in this request, with its closing slash."""
    return f"{request.script_root}/"


def catalogue() -> Catalogue:
    """The shop's products for this request."""
    return Catalogue(g.devstore, g.shop, root())


def paint(
    template: str, *, title: str = "", status: int = 200, product: Drop | None = None, **objects: Any
) -> Response:
    """A page from `templates/{template}.liquid`; `objects` are what only this kind of page has."""
    layout: dict[str, str | None] = {"name": "theme"}
    page = _page(template, product=product, **objects)
    theme = shoreline()
    placed = _Placed(page, template, product)
    data = {
        **page.globals,
        HIDDEN_NAME: page,
        "-layout": layout,
        "-sections": placed.sections(),
        "-page-number": request.args.get("page", 1, type=int),
        "page_title": title or g.shop.name,
        "content_for_header": _content_for_header(page) + placed.head(),
    }
    body = theme.get_template(f"templates/{template}").render(**data)
    if layout["name"]:
        file = theme.get_template(f"layout/{layout['name']}")
        body = file.render(**data, content_for_layout=body)
    html = body.replace("</body>", placed.embeds("body") + "</body>", 1)
    answer = Response(html, status, content_type="text/html; charset=utf-8")
    # Pages differ by cart and customer, and must be fresh after every click of a tester.
    answer.headers["Cache-Control"] = "no-store"
    return answer


class _Placed:
    """The app's blocks and embeds on this page: all that are on, belong here, and whose app is installed."""

    def __init__(self, page: Page, template: str, product: Drop | None) -> None:
        self.page = page
        self.product = product
        self.app = app_drop(g.devstore, g.shop)
        self.found: list[tuple[ThemeExtension, Block, str, dict[str, Any], str]] = []
        if g.devstore.apps.installed(g.shop) is None or template == "checkout":
            return
        chosen = theme_settings.current(g.devstore, g.shop)
        for extension, block in theme_settings.offered(g.devstore):
            if not block.belongs_on(template):
                continue
            if block.is_embed:
                embed = chosen.embed(block.handle)
                if embed and embed.on:
                    self.found.append((extension, block, embed.id, embed.settings, block.target))
                continue
            for placed in chosen.blocks:
                everywhere = placed.target.startswith("sectionGroup:")
                if placed.handle == block.handle and (placed.template == template or everywhere):
                    self.found.append((extension, block, placed.id, placed.settings, placed.target))

    def sections(self) -> dict[str, Drop]:
        """The sections that hold app blocks, by file name: main-product, header, apps."""
        names = {"mainSection": "main-product" if self.product else "apps", "sectionGroup:header": "header"}
        blocks: dict[str, list[AppBlock]] = {}
        for extension, block, id, _, target in self.found:
            if not block.is_embed:
                name = names.get(target, "apps")
                blocks.setdefault(name, []).append(extension.app_block(block, id, self._paint(id)))
        return {name: Drop({"id": name, "settings": {}, "blocks": found}, text=name) for name, found in blocks.items()}

    def head(self) -> str:
        """Embeds that belong in the head, and each extension's scripts and styles once."""
        html = self.embeds("head") + self.embeds("compliance_head")
        for extension in {id(extension): extension for extension, *_ in self.found}.values():
            html += extension.head([block for owner, block, *_ in self.found if owner is extension], self.page)
        return html

    def embeds(self, target: str) -> str:
        """The embeds of one target, painted."""
        return "".join(self._paint(id) for _, block, id, _, where in self.found if block.is_embed and where == target)

    def _paint(self, id: str) -> str:
        extension, block, _, settings, _ = next(found for found in self.found if found[2] == id)
        return extension.paint(block, self.page, block_id=id, settings=settings, app=self.app, product=self.product)


def _page(template: str, **objects: Any) -> Page:
    """The page and the objects every template may use."""
    shop, devstore, base = g.shop, g.devstore, root()
    origin = g.origins.shop(shop.domain)
    locale = _locale()
    products = catalogue()
    customer = customer_of_request()
    cart = cart_of_request()
    collections = {found.handle: products.collection(found) for found in devstore.collections(shop)}
    design_mode = request.args.get("design_mode") == "1"
    counts = {"products": len(devstore.products(shop)), "collections": len(collections)}
    data = {
        "shop": shop_drop(shop, origin, base, counts),
        "routes": routes_drop(base, request.full_path.rstrip("?")),
        "localization": localization_drop(shop, locale, base),
        "request": Drop(
            {
                "design_mode": design_mode,
                "visual_preview_mode": False,
                "page_type": template,
                "host": request.host,
                "origin": origin,
                "path": request.script_root + request.path,
                "locale": locale_drop(locale, base, primary=locale == shop.locale),
            }
        ),
        "template": Drop({"name": template, "suffix": None, "directory": None}, text=template),
        "theme": Drop(theme_settings.THEME),
        "settings": Drop({"appearance": theme_settings.current(devstore, shop).appearance}),
        "customer": customer_drop(devstore, shop, customer, base) if customer else None,
        "cart": cart_drop(products, shop, cart.quote, note=cart.note, attributes=cart.attributes),
        "cart_discounts": discount_rows(cart.codes, cart.problems, cart.quote, products.price),
        "collections": Drop(collections),
        "menu": list(collections.values()),
        "base": base,
        "canonical_url": origin + request.path,
        "page_description": "",
        "handle": request.view_args.get("handle") if request.view_args else None,
        **objects,
    }
    currency = money_format(shop.currency)
    return Page(
        root=base,
        cdn=g.origins.cdn,
        locale=locale,
        currency=shop.currency,
        money_format=currency,
        money_with_currency_format=f"{currency} {shop.currency}",
        exponent=decimals(shop.currency),
        timezone=shop.timezone,
        design_mode=design_mode,
        globals=data,
    )


def _locale() -> str:
    """The shop's language, or for one view the one in `?locale=`, to look at an extension's translations."""
    asked = request.args.get("locale", "")
    return asked if asked.replace("-", "").isalpha() and len(asked) <= 10 else str(g.shop.locale)


def _content_for_header(page: Page) -> str:
    """What Shopify puts in every head that scripts rely on: the `Shopify` object's basics."""
    basics = {
        "shop": g.shop.domain,
        "locale": page.locale,
        "currency": {"active": page.currency, "rate": "1.0"},
        "country": g.shop.country_code,
        "theme": theme_settings.THEME,
        "cdnHost": page.cdn,
        "routes": {"root": page.root},
        "designMode": page.design_mode,
    }
    return f"<script>window.Shopify = Object.assign(window.Shopify || {{}}, {to_json(basics)});</script>"

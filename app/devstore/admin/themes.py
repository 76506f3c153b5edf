"""A stand-in for the theme editor: the app's embeds switched on and off, its blocks placed, the storefront beside it.

Shopify's deep links work: ``?context=apps&activateAppId={client_id}/{block}`` opens with that embed switched on, and
``?template=product&addAppBlockId={client_id}/{block}&target=…`` with that block added; either counts once it is saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response

from ..records import Shop
from ..storefront import theme_settings
from ..storefront.extensions import Block
from .page import done, draw, store, trying

_TEMPLATES = {"index": "Home page", "product": "Product page", "collection": "Collection page", "cart": "Cart"}
_TARGETS = ("mainSection", "newAppsSection")


@dataclass
class Entry:
    """One embed, or one block placed or about to be placed, as the editor shows it."""

    block: Block
    id: str  # of the form's fields: "embed-launcher", "block-A12…", "new-product-points"
    on: bool
    chosen: dict[str, Any]
    fresh: bool = False  # by the deep link, not saved yet
    template: str = ""
    target: str = ""


def register(bp: Blueprint) -> None:
    for path in ("/admin/themes/<theme>/editor", "/-/admin/store/<handle>/themes/<theme>/editor"):
        name = "editor" if "handle" in path else "editor_of_shop"
        bp.add_url_rule(path, name, view_func=editor)
        bp.add_url_rule(path, f"{name}_save", view_func=save, methods=["POST"])


def editor(theme: str, handle: str | None = None) -> str:
    shop = _shop(theme, handle)
    template = request.args.get("template", "index")
    if template not in _TEMPLATES:
        template = "index"
    entries = _entries(shop, template)
    return draw(
        "editor",
        shop,
        here="themes",
        theme=theme_settings.THEME,
        template=template,
        templates=_TEMPLATES,
        entries=entries,
        unsaved=any(entry.fresh for entry in entries),
        addable=_addable(template, entries),
        preview=_preview(shop, template),
        client_id=g.devstore.app.client_id,
    )


def save(theme: str, handle: str | None = None) -> Response:
    """Write every embed and block as the form has it."""
    shop = _shop(theme, handle)
    template = request.form.get("template", "index")
    back = f"{request.path}?{urlencode({'template': template, 'context': request.form.get('context', '')})}"
    back = f"{request.script_root}{back}"

    def saved() -> Response:
        for _, block in theme_settings.offered(g.devstore):
            if block.is_embed:
                entry = f"embed-{block.handle}"
                theme_settings.set_embed(g.devstore, shop, block.handle, entry in request.form, _settings(block, entry))
            elif f"new-{block.handle}" in request.form:
                where = request.form.get(f"new-{block.handle}:target", "mainSection")
                chosen = _settings(block, f"new-{block.handle}")
                theme_settings.place_block(g.devstore, shop, block.handle, template, where, chosen)
        _save_placed(shop)
        return done("Saved.", back)

    return trying(saved, back)


def _save_placed(shop: Shop) -> None:
    blocks = {block.handle: block for _, block in theme_settings.offered(g.devstore)}
    for placed in theme_settings.current(g.devstore, shop).blocks:
        entry = f"block-{placed.id}"
        if f"{entry}:there" not in request.form:
            continue
        if entry in request.form:
            theme_settings.set_block(g.devstore, shop, placed.id, _settings(blocks[placed.handle], entry))
        else:
            theme_settings.remove_block(g.devstore, shop, placed.id)


def _shop(theme: str, handle: str | None) -> Shop:
    if theme not in ("current", str(theme_settings.THEME["id"])):
        abort(404)
    if handle:
        return store(handle)
    if g.shop is None:
        abort(404)
    return g.shop


def _entries(shop: Shop, template: str) -> list[Entry]:
    """Embeds first, then this template's blocks, then the one the deep link adds."""
    theme = theme_settings.current(g.devstore, shop)
    offered = {block.handle: block for _, block in theme_settings.offered(g.devstore)}
    activate, add = _linked("activateAppId"), _linked("addAppBlockId")
    entries = []
    for block in offered.values():
        if block.is_embed:
            embed = theme.embed(block.handle)
            on = bool(embed and embed.on)
            entries.append(
                Entry(
                    block,
                    f"embed-{block.handle}",
                    on or block.handle == activate,
                    block.settings(embed.settings if embed else {}, None),
                    fresh=block.handle == activate and not on,
                )
            )
    for placed in theme.blocks:
        if placed.template == template and placed.handle in offered:
            block = offered[placed.handle]
            chosen = block.settings(placed.settings, None)
            entries.append(Entry(block, f"block-{placed.id}", True, chosen, False, placed.template, placed.target))
    there = any(placed.handle == add and placed.template == template for placed in theme.blocks)
    if add in offered and not offered[add].is_embed and not there:
        target = request.args.get("target", "mainSection")
        block = offered[add]
        entries.append(
            Entry(
                block,
                f"new-{add}",
                True,
                block.settings({}, None),
                True,
                template,
                target if target in _TARGETS else "newAppsSection",
            )
        )
    return entries


def _addable(template: str, entries: list[Entry]) -> list[Block]:
    """Blocks this page may have and does not."""
    there = {entry.block.handle for entry in entries}
    offered = [block for _, block in theme_settings.offered(g.devstore)]
    return [
        block for block in offered if not block.is_embed and block.handle not in there and block.belongs_on(template)
    ]


def _linked(parameter: str) -> str | None:
    """The block a deep link names, if it is this app's: "{client_id}/{block}"."""
    app, _, block = request.args.get(parameter, "").partition("/")
    return block if block and app == g.devstore.app.client_id else None


def _settings(block: Block, entry: str) -> dict[str, Any]:
    """A block's settings as the form has them; numbers as numbers."""
    chosen: dict[str, Any] = {}
    for setting in block.schema.get("settings", ()):
        name = setting.get("id")
        field = f"{entry}:{name}"
        if setting["type"] == "checkbox":
            chosen[name] = field in request.form
        elif name and field in request.form and request.form[field] != "":
            value = request.form[field]
            chosen[name] = int(value) if setting["type"] in ("range", "number") and value.isdecimal() else value
    return chosen


def _preview(shop: Shop, template: str) -> str:
    root = g.origins.shop(shop.domain)
    first = next((product for product in g.devstore.products(shop) if not product.gift_card), None)
    paths = {
        "index": "/",
        "product": f"/products/{first.handle}" if first else "/",
        "collection": "/collections/all",
        "cart": "/cart",
    }
    return f"{root}{paths[template]}?design_mode=1"

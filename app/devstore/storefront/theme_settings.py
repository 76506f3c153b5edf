"""What the merchant did in the theme editor: which app embeds are on, which app blocks were placed, their settings.

    offered(devstore)                       [(extension, block)]: everything the app's extensions bring
    current(devstore, shop)                 ThemeSettings
    set_embed(devstore, shop, handle, on, settings=None)
    place_block(devstore, shop, handle, template="product", target="mainSection", settings=None) -> its id
    set_block(devstore, shop, id, settings)
    remove_block(devstore, shop, id)
    set_appearance(devstore, shop, "light" | "device")

A `handle` is a block file's name without its ending, as in Shopify's deep links
(`activateAppId={client_id}/{handle}`). Kept beside the shop's records, so it outlives restarts.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import Refusal
from .extensions import Block, ThemeExtension, extensions_of

if TYPE_CHECKING:
    from ..records import Shop
    from ..state import DevStore

THEME = {"id": 128_745_603_116, "name": "Shoreline", "role": "main"}
"""The one theme every shop here has."""


@dataclass
class Embed:
    """An app embed as the theme's settings_data.json has it."""

    id: str
    handle: str
    on: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class PlacedBlock:
    """An app block in a template. `target` is mainSection, newAppsSection or sectionGroup:header."""

    id: str
    handle: str
    template: str
    target: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class ThemeSettings:
    """All of them. `appearance` is the theme's own setting: light, or "device" to follow the visitor's."""

    appearance: str = "light"
    embeds: list[Embed] = field(default_factory=list)
    blocks: list[PlacedBlock] = field(default_factory=list)

    def embed(self, handle: str) -> Embed | None:
        """The embed of that name, if it was ever touched."""
        return next((embed for embed in self.embeds if embed.handle == handle), None)

    def block(self, id: str) -> PlacedBlock:
        """A placed block. Raises Refusal."""
        for block in self.blocks:
            if block.id == id:
                return block
        raise Refusal("there is no such block in the theme")


def offered(devstore: DevStore) -> list[tuple[ThemeExtension, Block]]:
    """Every block and embed of the app's theme extensions, by file name."""
    app = devstore.app
    return [
        (extension, block)
        for extension in extensions_of(app.extension_directories, app.handle)
        for block in extension.blocks.values()
    ]


def current(devstore: DevStore, shop: Shop) -> ThemeSettings:
    """What the merchant chose; a new shop's theme has nothing of the app's."""
    kept = devstore.store.kept(shop.id, "theme", "current") or {}
    return ThemeSettings(
        appearance=kept.get("appearance", "light"),
        embeds=[Embed(**embed) for embed in kept.get("embeds", ())],
        blocks=[PlacedBlock(**block) for block in kept.get("blocks", ())],
    )


def set_embed(
    devstore: DevStore, shop: Shop, handle: str, on: bool, settings: dict[str, Any] | None = None
) -> ThemeSettings:
    """Switch an app embed on or off, and change its settings if any are given. Raises Refusal."""
    block = _offered(devstore, handle)
    if not block.is_embed:
        raise Refusal(f"{block.name} is a block for a page, not an app embed")
    with devstore.store.writing():
        theme = current(devstore, shop)
        embed = theme.embed(handle)
        if embed is None:
            theme.embeds.append(embed := Embed(_new_id(), handle))
        embed.on = on
        if settings is not None:
            embed.settings = settings
        return _keep(devstore, shop, theme)


def place_block(
    devstore: DevStore,
    shop: Shop,
    handle: str,
    template: str = "product",
    target: str = "mainSection",
    settings: dict[str, Any] | None = None,
) -> str:
    """Add an app block to a template and return its id. Raises Refusal."""
    block = _offered(devstore, handle)
    if block.is_embed:
        raise Refusal(f"{block.name} is an app embed, not a block for a page")
    if not block.belongs_on(template):
        raise Refusal(f"{block.name} does not belong on {template} pages")
    with devstore.store.writing():
        theme = current(devstore, shop)
        placed = PlacedBlock(_new_id(), handle, template, target, settings or {})
        theme.blocks.append(placed)
        _keep(devstore, shop, theme)
    return placed.id


def set_block(devstore: DevStore, shop: Shop, id: str, settings: dict[str, Any]) -> ThemeSettings:
    """Change a placed block's settings. Raises Refusal."""
    with devstore.store.writing():
        theme = current(devstore, shop)
        theme.block(id).settings = settings
        return _keep(devstore, shop, theme)


def remove_block(devstore: DevStore, shop: Shop, id: str) -> ThemeSettings:
    """Take a block out of its template. Raises Refusal."""
    with devstore.store.writing():
        theme = current(devstore, shop)
        theme.blocks.remove(theme.block(id))
        return _keep(devstore, shop, theme)


def set_appearance(devstore: DevStore, shop: Shop, appearance: str) -> ThemeSettings:
    """Change the theme's own colours: "light" or "device". Raises Refusal."""
    if appearance not in ("light", "device"):
        raise Refusal("a theme is light, or follows the visitor's device")
    with devstore.store.writing():
        theme = current(devstore, shop)
        theme.appearance = appearance
        return _keep(devstore, shop, theme)


def _offered(devstore: DevStore, handle: str) -> Block:
    for _, block in offered(devstore):
        if block.handle == handle:
            return block
    raise Refusal(f"the app has no block {handle}")


def _keep(devstore: DevStore, shop: Shop, theme: ThemeSettings) -> ThemeSettings:
    devstore.store.keep(shop.id, "theme", "current", asdict(theme))
    return theme


def _new_id() -> str:
    return "A" + secrets.token_hex(9)

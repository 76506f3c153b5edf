"""The app's theme extensions, rendered as Shopify renders them.

A folder named by `extension_directories` in shopify.app.toml with a `shopify.extension.toml` of `type = "theme"`:
`blocks/*.liquid` (each with a schema), `snippets/`, `assets/`, `locales/`. A block with `target` head, body or
compliance_head is an app embed; one with `target` section is an app block that the merchant places.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from liquid.exceptions import LiquidError

from .dialect import HIDDEN_NAME, AppBlock, Drop, LiquidFolder, Page
from .dialect.text import escape, to_json

log = logging.getLogger(__name__)

_SCHEMA = re.compile(r"\{%-?\s*schema\s*-?%\}(.*?)\{%-?\s*endschema\s*-?%\}", re.DOTALL)
_BUNDLED = {
    kind: re.compile(rf"\{{%-?\s*{kind}\s*-?%\}}(.*?)\{{%-?\s*end{kind}\s*-?%\}}", re.DOTALL)
    for kind in ("stylesheet", "javascript")
}
EMBED_TARGETS = ("head", "body", "compliance_head")
_BLANK = {"checkbox": False, "text": "", "textarea": "", "html": "", "richtext": "", "inline_richtext": "", "url": ""}


@dataclass(frozen=True, slots=True)
class Block:
    """One file of `blocks/` and what its schema says. `handle` is the file's name without its ending."""

    handle: str
    source: str
    schema: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.schema.get("name", self.handle))

    @property
    def target(self) -> str:
        return str(self.schema.get("target", "section"))

    @property
    def is_embed(self) -> bool:
        return self.target in EMBED_TARGETS

    def belongs_on(self, template: str) -> bool:
        """Whether `enabled_on` and `disabled_on` allow this template ("product", "cart" …)."""
        enabled, disabled = self.schema.get("enabled_on"), self.schema.get("disabled_on")
        if enabled and "templates" in enabled:
            return "*" in enabled["templates"] or template in enabled["templates"]
        if disabled and "templates" in disabled:
            return not ("*" in disabled["templates"] or template in disabled["templates"])
        return True

    def settings(self, chosen: Mapping[str, Any], product: Drop | None) -> dict[str, Any]:
        """Every setting's value: what the merchant chose, else its default, else what that type is when blank."""
        values: dict[str, Any] = {}
        for setting in self.schema.get("settings", ()):
            if "id" not in setting:  # header and paragraph
                continue
            value = chosen.get(setting["id"], setting.get("default", _BLANK.get(setting["type"])))
            if setting["type"] == "product" and value is None and setting.get("autofill"):
                value = product
            values[setting["id"]] = value
        return values


class ThemeExtension(LiquidFolder):
    """One theme app extension on disk. Files are read again when they change, as under `shopify app dev`."""

    def __init__(self, folder: Path, app_handle: str) -> None:
        super().__init__(folder, "snippets")
        described = tomllib.loads((folder / "shopify.extension.toml").read_text(encoding="utf-8"))
        described = (described.get("extensions") or [described])[0] | {k: v for k, v in described.items() if k == "uid"}
        self.handle = str(described.get("handle") or described.get("name", folder.name)).lower().replace(" ", "-")
        self.app_handle = app_handle

    @property
    def blocks(self) -> dict[str, Block]:
        """Its blocks by handle."""
        files = sorted((self.folder / "blocks").glob("*.liquid"))
        return {path.stem: _block(path, path.stat().st_mtime_ns) for path in files}

    def asset_url(self, name: str, page: Page) -> str:
        """On the content network, under a digest of the contents: no asset can be reached from another's folder."""
        path = self.asset_path(name)
        digest = asset_digest(path) if path else "0" * 16
        return f"{page.cdn}/extensions/{digest}/{self.handle}/assets/{name}"

    def paint(
        self,
        block: Block,
        page: Page,
        *,
        block_id: str,
        settings: Mapping[str, Any],
        app: Drop,
        product: Drop | None = None,
    ) -> str:
        """The block's HTML inside Shopify's wrapper, "" when `available_if` says no.

        What goes wrong while rendering is printed in place, as Shopify does, and logged.
        """
        data = {**page.globals, HIDDEN_NAME: page, "app": app}
        if not self._available(block, data):
            return ""
        editor = to_json({"id": block_id, "type": self.block_type(block, block_id)})
        attributes = f"data-shopify-editor-block='{escape(editor)}'" if page.design_mode else ""
        data["block"] = Drop(
            {
                "id": block_id,
                "type": self.block_type(block, block_id),
                "settings": block.settings(settings, product),
                "shopify_attributes": attributes,
            },
            text=block_id,
        )
        try:
            html = self.from_string(block.source, name=f"blocks/{block.handle}").render(**data)
        except LiquidError as error:
            log.exception("blocks/%s.liquid cannot be rendered", block.handle)
            html = f"Liquid error (blocks/{block.handle}): {escape(str(error))}"
        if block.target in ("head", "compliance_head"):
            return html
        tag = escape(block.schema.get("tag", "div"))
        css = " ".join(filter(None, ("shopify-block shopify-app-block", str(block.schema.get("class", "")))))
        wrapper = f'<{tag} id="shopify-block-{escape(block_id)}" class="{escape(css)}"'
        return f"{wrapper}{' ' + attributes if attributes else ''}>{html}</{tag}>"

    def head(self, blocks: list[Block], page: Page) -> str:
        """The schema's `javascript` (async) and `stylesheet` of the blocks on this page, each file once."""
        tags: dict[str, None] = {}
        for block in blocks:
            if name := block.schema.get("stylesheet"):
                url = escape(self.asset_url(name, page))
                tags[f'<link href="{url}" rel="stylesheet" type="text/css" media="all">'] = None
            if name := block.schema.get("javascript"):
                tags[f'<script src="{escape(self.asset_url(name, page))}" type="text/javascript" async></script>'] = (
                    None
                )
            for kind, element in (("stylesheet", "style"), ("javascript", "script")):
                for text in _BUNDLED[kind].findall(block.source):
                    tags[f"<{element}>{text}</{element}>"] = None
        return "".join(tags)

    def block_type(self, block: Block, block_id: str) -> str:
        """`shopify://apps/<app>/blocks/<file>/<id>`, as Shopify writes it into a theme."""
        return f"shopify://apps/{self.app_handle}/blocks/{block.handle}/{block_id}"

    def app_block(self, block: Block, block_id: str, html: str) -> AppBlock:
        """A placed block as a section's `block` object."""
        return AppBlock({"id": block_id, "type": "@app", "html": html, "settings": {}, "shopify_attributes": ""})

    def _available(self, block: Block, data: Mapping[str, Any]) -> bool:
        condition = block.schema.get("available_if")
        if condition is None:
            return True
        return self.from_string(str(condition)).render(**data).strip() == "true"


def extensions_of(folders: tuple[Path, ...], app_handle: str) -> list[ThemeExtension]:
    """The theme extensions among an app's extension directories. Raises ValueError for a schema that is no JSON."""
    return [
        _extension(folder, app_handle)
        for folder in folders
        if (folder / "shopify.extension.toml").is_file()
        and re.search(r'^\s*type\s*=\s*"theme"', (folder / "shopify.extension.toml").read_text(encoding="utf-8"), re.M)
    ]


def asset_digest(path: Path) -> str:
    """16 hexadecimal digits of the file's contents."""
    return _digest(path, path.stat().st_mtime_ns)


@cache
def _extension(folder: Path, app_handle: str) -> ThemeExtension:
    return ThemeExtension(folder, app_handle)


@cache
def _digest(path: Path, mtime_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


@cache
def _block(path: Path, mtime_ns: int) -> Block:
    source = path.read_text(encoding="utf-8")
    schema = _SCHEMA.search(source)
    if schema is None:
        raise ValueError(f"blocks/{path.name} has no schema")
    try:
        return Block(path.stem, source, json.loads(schema.group(1)))
    except ValueError as error:
        raise ValueError(f"the schema of blocks/{path.name} is no JSON: {error}") from error

"""Shopify's Liquid on python-liquid: what theme files and app extensions may use here.

Nothing is escaped by itself, as on Shopify: a template that forgets `| escape` is as open here as there. Syntax errors
stop at once, since Shopify refuses such a file when it is uploaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from liquid import CachingFileSystemLoader, Environment, Mode

from . import money, tags, text, urls
from .page import Page

FILTERS = {**money.FILTERS, **text.FILTERS, **urls.FILTERS}
"""Shopify's filters that Liquid itself does not have, or has otherwise."""


class LiquidFolder(Environment):
    """The Liquid of one theme or one app extension: its files, its sentences, its assets."""

    def __init__(self, folder: Path, *search: str) -> None:
        super().__init__(
            tolerance=Mode.STRICT,
            autoescape=False,
            loader=CachingFileSystemLoader([folder / name if name else folder for name in search], ext=".liquid"),
        )
        # python-liquid's own, which Shopify does not have.
        for foreign in ("escapejs", "safe", "squish"):
            self.filters.pop(foreign, None)
        self.tags.pop("ifchanged", None)
        self.folder = folder
        for tag in tags.TAGS:
            self.add_tag(tag)
        for name, function in FILTERS.items():
            self.add_filter(name, function)

    def asset_url(self, name: str, page: Page) -> str:
        """The public address of `assets/{name}`."""
        raise NotImplementedError

    def asset_path(self, name: str) -> Path | None:
        """The file behind an asset's name, or None; names never lead out of the folder."""
        path = self.folder / "assets" / name
        return path if name == Path(name).name and path.is_file() else None

    def asset_text(self, name: str) -> str:
        """An asset as text; "" when there is none."""
        path = self.asset_path(name)
        return path.read_text(encoding="utf-8") if path else ""

    def sentence(self, locale: str, key: str) -> Any:
        """A key's text, or its plural forms, in the language asked for or else the default one; None when unknown."""
        locales = _locales(self.folder / "locales")
        for language in (locale, locale.split("-")[0], "default"):
            found: Any = locales.get(language)
            for part in key.split("."):
                found = found.get(part) if isinstance(found, Mapping) else None
            if found is not None:
                return found
        return None


def _locales(folder: Path) -> dict[str, Any]:
    """Every language of a folder, read again when a file changed."""
    files = sorted(folder.glob("*.json"))
    return _read_locales(tuple((path, path.stat().st_mtime_ns) for path in files))


@cache
def _read_locales(files: tuple[tuple[Path, int], ...]) -> dict[str, Any]:
    """`en.default.json` is both "en" and "default"; `en.default.schema.json` is the theme editor's."""
    found: dict[str, Any] = {}
    for path, _ in files:
        language, *rest = path.name.removesuffix(".json").split(".")
        if "schema" in rest:
            continue
        found[language] = json.loads(path.read_text(encoding="utf-8"))
        if "default" in rest:
            found["default"] = found[language]
    return found

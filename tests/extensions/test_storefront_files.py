"""The theme extension's files: Shopify's limits, the byte budget, what scripts may not do, complete languages."""

from __future__ import annotations

import gzip
import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from babel import Locale
from babel.numbers import format_decimal

from app.extensions.build import SOURCES, digest
from app.program.rewards import RewardKind
from tests.extensions.spending import selling
from tests.extensions.storefront_pages import EXTENSION, FOLDER, Storefront

ENDINGS = {"assets": {".js", ".css"}, "blocks": {".liquid"}, "snippets": {".liquid"}, "locales": {".json"}}
LIQUID = sorted([*FOLDER.glob("blocks/*.liquid"), *FOLDER.glob("snippets/*.liquid")])
ASSETS = sorted(FOLDER.glob("assets/*"))
LOCALES = sorted(FOLDER.glob("locales/*.json"))
CATEGORIES = {"zero", "one", "two", "few", "many", "other"}


def gzipped(text: str) -> int:
    return len(gzip.compress(text.encode(), 9, mtime=0))


def test_the_folders_are_the_ones_shopify_takes() -> None:
    for path in FOLDER.rglob("*"):
        if path.is_file() and path.name != "shopify.extension.toml":
            assert path.parent.parent == FOLDER
            assert path.suffix in ENDINGS[path.parent.name]
    described = tomllib.loads((FOLDER / "shopify.extension.toml").read_text())
    assert described["type"] == "theme"


def test_sizes_are_within_shopifys_limits() -> None:
    assert sum(path.stat().st_size for path in LIQUID) <= 100_000
    assert all(path.stat().st_size <= 15_000 for path in LOCALES)
    assert len(EXTENSION.blocks) <= 30
    for block in EXTENSION.blocks.values():
        assert gzipped(EXTENSION.asset_text(block.schema["javascript"])) <= 10_000


def test_the_assets_are_made_from_their_sources() -> None:
    sources = {path.name: digest(path.read_text(encoding="utf-8")) for path in SOURCES.iterdir()}
    built = {path.name: path.read_text(encoding="utf-8")[2:10] for path in ASSETS}
    assert built == sources, "run python -m app.extensions.build"


def test_the_byte_budget() -> None:
    assets = {path.name: gzipped(path.read_text(encoding="utf-8")) for path in ASSETS}
    scripts = {name: size for name, size in assets.items() if name.endswith(".js")}
    assert sum(scripts.values()) <= 10_000
    assert sum(assets.values()) - assets["regulars-product.js"] <= 12_000
    # Before anybody shows interest: one script and what is in the page, where a member's views are words at rest.
    assert assets["regulars.js"] <= 1_600
    visitor = gzipped(selling(customer=None, member=None).block("launcher"))
    assert visitor + assets["regulars.js"] <= 5_000
    painted, template = selling().block("launcher").split("<template id")
    assert gzipped(painted) + assets["regulars.js"] <= 2_500
    assert gzipped(template) <= 5_000


def test_names_are_short_and_do_not_name_the_app() -> None:
    for block in EXTENSION.blocks.values():
        assert 0 < len(block.name) < 25
        assert "regulars" not in block.name.lower()
    assert {block.target for block in EXTENSION.blocks.values()} == {"body", "section"}


SCRIPTS = [path for path in [*ASSETS, *SOURCES.iterdir()] if path.suffix == ".js"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_scripts_write_text_only_and_keep_nothing(path: Any) -> None:
    source = path.read_text(encoding="utf-8")
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "createContextualFragment",
        "DOMParser",
        "setHTML",
        "eval(",
        "Function(",
        "localStorage",
        "sessionStorage",
        "indexedDB",
        "document.cookie",
        "caches.",
    ):
        assert forbidden not in source


def test_style_starts_at_our_own_class() -> None:
    css = re.sub(r"/\*.*?\*/", "", EXTENSION.asset_text("regulars.css"), flags=re.S)
    for selectors in re.findall(r"([^{}]+)\{", css):
        for selector in re.sub(r"\([^)]*\)", "", selectors).split(","):
            if selector.strip() and not selector.strip().startswith(("@", "from", "to")):
                assert re.match(r"\s*\.rg[.\s:\[]", selector), selector


def outputs() -> Iterator[tuple[str, str]]:
    """Every `{{ … }}` and `echo …` of the Liquid files, comments and schemas left out."""
    for path in LIQUID:
        text = path.read_text(encoding="utf-8")
        for tag in ("comment", "schema"):
            text = re.sub(rf"\{{%-?\s*{tag}\s*-?%\}}.*?\{{%-?\s*end{tag}\s*-?%\}}", "", text, flags=re.S)
        for found in re.findall(r"\{\{-?(.*?)-?\}\}", text, flags=re.S) + re.findall(
            r"^\s*echo (.*)$", text, flags=re.M
        ):
            yield path.name, found.strip()


def test_everything_printed_is_escaped() -> None:
    # Captured with every part of it escaped, or written by ourselves; numbers that Liquid worked out.
    captured = {"light", "dark", "scope", "available_text", "price"}
    numbers = {"minor", "minor | times: 100", "spent | divided_by: step | times: program.earn.points"}
    for name, output in outputs():
        last = output.rsplit("|", 1)[-1].strip()
        inserted = re.fullmatch(r"replace: '\[\w+\]', \w+_html", last) and "| escape |" in output
        whole = re.fullmatch(r"\w+_html", output)
        assert last in {"escape", "escape_once", "json"} or inserted or whole or output in captured | numbers, (
            name,
            output,
        )
    for path in LIQUID:
        for name, body in re.findall(r"assign (\w+_html) = (.*?)-?%\}", path.read_text(encoding="utf-8")):
            assert body.strip().endswith("| escape"), name


# ── languages ─────────────────────────────────────────────────────────────────────────────────────────────────────


def sentences(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, str | dict[str, str]]]:
    """Keys with their text, or with their plural forms."""
    for key, value in tree.items():
        if isinstance(value, dict) and not value.keys() <= CATEGORIES:
            yield from sentences(value, f"{path}{key}.")
        else:
            yield path + key, value


def read(path: Any) -> dict[str, str | dict[str, str]]:
    return dict(sentences(json.loads(path.read_text(encoding="utf-8"))))


ENGLISH = read(FOLDER / "locales" / "en.default.json")


@pytest.mark.parametrize("path", LOCALES, ids=lambda path: path.name)
def test_a_language_is_complete(path: Any) -> None:
    language = path.name.split(".")[0]
    words = read(path)
    assert words.keys() == ENGLISH.keys()
    locale = Locale.parse(language)
    forms = set(locale.plural_form.tags) | {"other"}
    assert words["meta.language"] == language
    assert set(str(words["meta.plurals"]).split(",")) == forms
    assert f"1{words['meta.thousands']}104" == format_decimal(1104, locale=locale)
    assert words["meta.direction"] == {"left-to-right": "ltr", "right-to-left": "rtl"}[locale.character_order]
    for key, english in ENGLISH.items():
        text = words[key]
        assert isinstance(text, dict) == isinstance(english, dict)
        if isinstance(text, dict):
            assert text.keys() == forms, key
        for one in text.values() if isinstance(text, dict) else [text]:
            # Whether Shopify's `t` escapes or not, `| escape` after it then changes nothing.
            assert one and not set(one) & set("<>&\"'")
            expected = english["other"] if isinstance(english, dict) else english
            assert set(re.findall(r"\{\{ (\w+) \}\}", one)) == set(re.findall(r"\{\{ (\w+) \}\}", expected)), key


def test_every_sentence_is_used_and_every_used_one_is_there() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in LIQUID)
    used = {name for name in re.findall(r"'([a-z_]+(?:\.[a-z_]+)+)'", source) if not name.endswith(".css")}
    used |= set(re.findall(r"'(\w+)' \| t\b", source))
    used |= {"points", "product.gift_card", "product.excluded", "product.earns_from", "product.up_to_from"}
    used |= {f"how.{trigger}{held}" for trigger in ("paid", "fulfilled") for held in ("", "_held")}
    used |= {f"reward.{kind}" for kind in get_args(RewardKind)}
    lists = re.findall(r"assign (?:counted|plain) = '([a-z_,]+)'", source)
    used |= {f"say.{key}" for listed in lists for key in listed.split(",")}
    assert used == ENGLISH.keys()


def test_no_state_of_the_page_prints_a_missing_translation() -> None:
    for locale in ("en", "de", "fr", "fr-CA", "ja"):
        assert "missing" not in Storefront(locale=locale).html().lower()
        assert "missing" not in selling(locale=locale).html().lower()


def test_every_word_the_script_says_is_in_the_page() -> None:
    source = (SOURCES / "regulars-spend.js").read_text(encoding="utf-8")
    said = set(re.findall(r"\bsay\('(\w+)'", source)) | set(re.findall(r"\bwords\.(\w+)", source))
    listed = set(re.findall(r'data-k="(\w+)"', selling().block("launcher")))
    assert said <= listed
    # What is said by a code of our server's, or chosen by a condition.
    codes = {"sold_out", "limit_used", "not_yet", "ended", "paused", "not_enough_points", "price_changed"}
    codes |= {"reward_changed", "too_many_tries", "being_made", "works", "works_from", "works_some", "alone", "beside"}
    codes |= {"lost", "failed"}
    assert listed - said <= codes
    assert codes <= listed

"""Check a page's ``s-*`` markup against Shopify's manifest: what it does not name, Shopify would not render.

    check_markup(html) -> ["line 12: <s-button> has no attribute colour", …]      [] when everything is right

Usable on any page: the app's own, and the samples here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

MANIFEST = Path(__file__).parents[2] / "data" / "shopify" / "polaris-manifest.json"

# Not Polaris but App Bridge, which has no manifest: the navigation and its links.
APP_BRIDGE = {"s-app-nav": {"attributes": {}, "slots": [""]}}
LINK_IN_NAV = {"rel": None}

# What HTML allows on any element. `class`, `style` and `hidden` work; data-* and aria-* are let through by prefix.
GLOBAL = frozenset({"id", "class", "slot", "hidden", "lang", "dir", "title", "role", "tabindex", "style"})
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})

# Slots that take buttons of certain looks only, by the manifest's words on the slot.
BUTTON_LOOKS = {
    ("s-page", "primary-action"): {"primary"},
    ("s-page", "secondary-actions"): {"secondary", "auto"},
    ("s-modal", "primary-action"): {"primary"},
    ("s-modal", "secondary-actions"): {"secondary", "auto"},
    ("s-empty-state", "primary-action"): {"primary"},
    ("s-empty-state", "secondary-actions"): {"secondary", "auto"},
}


@cache
def manifest() -> dict:
    """{"icons": […], "elements": {tag: {"attributes": {name: allowed words or None}, "slots": […]}}}"""
    return json.loads(MANIFEST.read_text(encoding="utf-8"))


def check_markup(html: str) -> list[str]:
    """Every unknown ``s-*`` element, attribute, word or slot in ``html``, one sentence each, in the page's order."""
    checker = _Checker()
    checker.feed(html)
    checker.close()
    return checker.found


@dataclass
class _Open:
    tag: str
    line: int


class _Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.open: list[_Open] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0]
        parent = self.open[-1].tag if self.open else ""
        if tag.startswith("s-"):
            self.check_element(tag, dict(attrs), parent, line)
        self.check_slot(tag, dict(attrs), parent, line)
        if tag not in VOID:
            self.open.append(_Open(tag, line))

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self.open):
            while self.open and self.open.pop().tag != tag:
                pass

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag.startswith("s-"):
            self.say(self.getpos()[0], f"<{tag}/> is not closed by its slash: write <{tag}></{tag}>")
            self.handle_endtag(tag)

    def check_element(self, tag: str, attrs: dict[str, str | None], parent: str, line: int) -> None:
        known = manifest()["elements"].get(tag) or APP_BRIDGE.get(tag)
        if known is None:
            self.say(line, f"there is no <{tag}>")
            return
        allowed = known["attributes"] | (LINK_IN_NAV if parent == "s-app-nav" else {})
        for name, value in attrs.items():
            if name not in allowed:
                if name not in GLOBAL and not name.startswith(("data-", "aria-")):
                    self.say(line, f"<{tag}> has no attribute {name}")
                continue
            words = manifest()["icons"] if allowed[name] == "@icons" else allowed[name]
            if words is not None and value and not value.startswith("@") and value not in words:
                self.say(line, f'<{tag}> {name}="{value}" is none of its words')

    def check_slot(self, tag: str, attrs: dict[str, str | None], parent: str, line: int) -> None:
        slot = attrs.get("slot")
        if not slot:
            return
        elements = manifest()["elements"] | APP_BRIDGE
        if parent not in elements:
            self.say(line, f'slot="{slot}" does nothing: <{tag}> is a child of <{parent or "nothing"}>')
        elif slot not in elements[parent]["slots"]:
            self.say(line, f'<{parent}> has no slot "{slot}"')
        elif tag == "s-button" and (looks := BUTTON_LOOKS.get((parent, slot))):
            look = attrs.get("variant") or "auto"
            if look not in looks:
                self.say(
                    line, f'<s-button variant="{look}"> in slot "{slot}" of <{parent}> must be {" or ".join(looks)}'
                )

    def say(self, line: int, what: str) -> None:
        self.found.append(f"line {line}: {what}")

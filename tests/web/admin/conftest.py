"""A merchant at the admin's door: pages asked with a session token, checked against Shopify's manifest as they come."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest

from app.db import Database

from ...conftest import DOMAIN, NOW, Clock
from ...devstore.admin.polaris_check import check_markup
from ...support import add_shop
from ..asking import FORM, Answer, Door, bearer


class Browser:
    """Asks as the admin's script does: with a bearer token, forms as fields, redirects followed."""

    def __init__(self, door: Door, domain: str = DOMAIN, *, clock: Callable[[], datetime] = lambda: NOW) -> None:
        self.door, self.domain, self.clock = door, domain, clock

    @property
    def token(self) -> dict[str, str]:
        return bearer(self.domain, now=self.clock())

    def get(self, path: str) -> Answer:
        return self._checked(self.door.get(path, headers=self.token))

    def post(self, path: str, fields: Mapping[str, Any] | None = None, *, follow: bool = True) -> Answer:
        body = urlencode(fields or {}, doseq=True).encode()
        answer = self.door.post(path, body, headers={**self.token, **FORM})
        if follow and answer.status == 303:
            return self.get(answer.headers["location"])
        return self._checked(answer)

    def _checked(self, answer: Answer) -> Answer:
        """Every page that is shown in a test uses only what Polaris has."""
        if answer.is_html:
            assert check_markup(answer.text) == []
        return answer


@pytest.fixture
def shop(db: Database) -> int:
    return add_shop(db)


@pytest.fixture
def merchant(door: Door, shop: int, clock: Clock) -> Browser:
    return Browser(door, clock=clock)


SAID_BY_ELEMENTS = ("heading", "label", "details", "error")


class _Reader(HTMLParser):
    """A page's words as a person reads them: its text, and what Polaris writes from attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.unread = 0  # how deep inside what is not shown

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.unread += tag in ("script", "style", "template", "title")
        if tag.startswith("s-"):
            self.words += [value or "" for name, value in attrs if name in SAID_BY_ELEMENTS]

    def handle_endtag(self, tag: str) -> None:
        self.unread -= tag in ("script", "style", "template", "title")

    def handle_data(self, data: str) -> None:
        if not self.unread:
            self.words.append(data)


def words_of(answer: Answer) -> str:
    """The page's words, one space between them."""
    reader = _Reader()
    reader.feed(answer.text)
    return " ".join(" ".join(reader.words).split())


def field_error(answer: Answer, name: str) -> str:
    """What stands beside a field of that name."""
    tag = re.search(rf'<s-[a-z-]+[^>]* name="{name}"[^>]*>', answer.text)
    found = re.search(r' error="([^"]*)"', tag[0]) if tag else None
    return unescape(found[1]) if found else ""

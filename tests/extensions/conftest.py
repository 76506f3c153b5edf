"""Chromium and a storefront to look at with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.extensions.storefront_pages import Shop, serving
from tests.extensions.visiting import Visitor


@pytest.fixture(scope="package")
def shop() -> Iterator[Shop]:
    with serving() as served:
        yield served


@pytest.fixture(scope="package")
def visitor(chromium: Browser, shop: Shop) -> Visitor:
    return Visitor(chromium, shop)


@pytest.fixture
def visit(visitor: Visitor) -> Iterator[Visitor]:
    """`visit(Storefront(…), shopper=(status, body), size=PHONE)`: a page of the shop. No page may have thrown."""
    visitor.problems.clear()
    yield visitor
    assert not visitor.problems

"""Fixtures of the doors' tests: the app asked directly, and nobody on the other side of the network."""

from __future__ import annotations

from typing import Any

import pytest

from app.shopify.tokens import TokenEndpoint
from app.web.runtime import EXTENSION

from ..conftest import API_KEY, API_SECRET
from ..support import NoNetwork
from .asking import Door


def without_network(app: Any) -> Any:
    """The app with nobody to ask: whatever would go to Shopify is told that it does not answer."""
    access = app.extensions[EXTENSION].access
    access.http = NoNetwork()
    access.endpoint = TokenEndpoint(access.origins, API_KEY, API_SECRET, access.http)
    return app


@pytest.fixture
def door(app: Any) -> Door:
    return Door(without_network(app))


@pytest.fixture
def quick_door(sqlite_db: Any, make_app: Any) -> Door:
    """For answers that no database decides: one of the two is enough."""
    return Door(without_network(make_app(sqlite_db)))

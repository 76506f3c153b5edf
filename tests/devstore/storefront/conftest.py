"""A dev store in memory and a browser-less visitor to its first shop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.devstore.records import Shop, Variant
from app.devstore.server import create_devstore
from app.devstore.settings import Settings
from app.devstore.state import DevStore

ROOT = Path(__file__).parents[3]
ORIGIN = "http://saltmarsh.myshopify.com.localhost:9292"

PROGRAM = {
    "v": 1,
    "live": True,
    "paused": False,
    "name": "Saltmarsh Club",
    "currency": "EUR",
    "earn": {
        "points": 1,
        "per_minor": 100,
        "rounding": "down",
        "tax": False,
        "minimum_minor": 0,
        "trigger": "paid",
        "hold_days": 0,
        "rate": "1 point for every €1",
    },
    "exclude": {"products": [], "vendors": []},
    "look": {"corner": "end", "launcher": "pill", "radius": 10, "offset": 20, "light": {}, "dark": {}},
}


class Visitor:
    """One browser at one shop."""

    def __init__(self, client: FlaskClient, origin: str = ORIGIN) -> None:
        self.client = client
        self.origin = origin

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, base_url=self.origin, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.client.post(path, base_url=self.origin, **options)

    def add(self, variant: Variant, quantity: int = 1) -> None:
        answer = self.post("/cart/add", data={"id": variant.id, "quantity": quantity})
        assert answer.status_code == 303, answer.text

    def cart(self) -> dict[str, Any]:
        return self.get("/cart.js").get_json()


@pytest.fixture(scope="session")
def served() -> Flask:
    """The application, made once: its routes are the same for every store."""
    made = create_devstore(settings(ROOT / "shopify.app.toml"), start=False)
    made.extensions["devstore"].stop()
    return made


def settings(app_toml: Path) -> Settings:
    return Settings(app_toml=app_toml, data=None, port=9292, secrets=("s" * 40,), seed_history=False)


@pytest.fixture
def app_toml() -> Path:
    """The app that the store knows."""
    return ROOT / "shopify.app.toml"


@pytest.fixture
def app(served: Flask, app_toml: Path) -> Iterator[Flask]:
    """The application with a store of this test's own."""
    served.extensions["devstore"] = devstore = DevStore(settings(app_toml))
    yield served
    devstore.stop()


@pytest.fixture
def devstore(app: Flask) -> DevStore:
    return app.extensions["devstore"]


@pytest.fixture
def shop(devstore: DevStore) -> Shop:
    return devstore.shops()[0]


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app.test_client())


@pytest.fixture
def variant(devstore: DevStore, shop: Shop) -> Callable[..., Variant]:
    """A variant of the product with this handle."""

    def find(handle: str, number: int = 0) -> Variant:
        product = devstore.product_by_handle(shop, handle)
        assert product is not None, handle
        return product.variants[number]

    return find


@pytest.fixture
def publish(devstore: DevStore, shop: Shop) -> Callable[..., None]:
    """Install the app and give its installation the program's metafield."""

    def write(**changes: Any) -> None:
        installation = devstore.apps.installed(shop) or devstore.apps.install(shop)
        owner = f"gid://shopify/AppInstallation/{installation.id}"
        value = json.dumps({**PROGRAM, **changes})
        devstore.metafield_store.set(shop, owner, "regulars", "program", "json", value)

    return write

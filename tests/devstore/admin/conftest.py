"""A dev store and a sample app on free ports, and one Chromium for all of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Error, Page
from werkzeug.serving import BaseWSGIServer, make_server

from app.devstore.server import create_devstore
from app.devstore.settings import Settings
from app.devstore.state import DevStore

from .sample_app import sample_app

APP_TOML = Path(__file__).parents[3] / "shopify.app.toml"


@dataclass
class Admin:
    """The running pair."""

    devstore: DevStore
    seen: list[str]  # what the sample app was asked
    root: str  # http://localhost:{port}
    app_url: str
    home: str  # of the one store's admin

    @property
    def shop(self):
        return self.devstore.shop("saltmarsh.myshopify.com")


def serve(app: Flask, port: int = 0) -> BaseWSGIServer:
    server = make_server("127.0.0.1", port, app, threaded=True)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


@pytest.fixture(scope="session")
def admin() -> Iterator[Admin]:
    # The two must know each other's port: the dev store's is taken first, by a server that only holds the place.
    holder = make_server("127.0.0.1", 0, Flask("holder"))
    port = holder.port
    holder.server_close()
    cdn = f"http://localhost:{port}/-/cdn"
    settings = Settings(app_toml=APP_TOML, data=None, port=port, secrets=("hush " * 8,), seed_history=False)
    sample = sample_app(cdn, client_id="")
    app_server = serve(sample)
    app_url = f"http://127.0.0.1:{app_server.port}"
    store_app = create_devstore(replace(settings, application_url=app_url), start=False)
    store_server = serve(store_app, port)
    devstore = store_app.extensions["devstore"]
    root = f"http://localhost:{port}"
    yield Admin(devstore, sample.extensions["seen"], root, app_url, f"{root}/-/admin/store/saltmarsh")
    for server in (store_server, app_server):
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def tab(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(reduced_motion="reduce")
    context.set_default_timeout(4000)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """The tab, 1280 wide; errors of its scripts fail the test."""
    problems: list[str] = []

    def note(error: Error) -> None:
        problems.append(str(error))

    tab.on("pageerror", note)
    tab.set_viewport_size({"width": 1280, "height": 900})
    yield tab
    tab.remove_listener("pageerror", note)
    tab.unroute_all()
    assert problems == []

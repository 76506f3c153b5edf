"""The app and a dev store side by side in this process, for a real Chromium to look at. Webhooks are not sent: what
the tests need settled they hand in themselves.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from app import create_app
from app.db import Database
from app.devstore.server import create_devstore
from app.devstore.settings import Settings
from app.devstore.state import DevStore
from app.jobs.worker import Worker
from app.web.runtime import EXTENSION

from ...conftest import API_SECRET, DOMAIN, config_for

APP_TOML = Path(__file__).parents[3] / "shopify.app.toml"


@dataclass(frozen=True)
class Running:
    """Where the admin is, and the two programs behind it."""

    admin: str  # the store's admin, which frames the app
    db: Database
    devstore: DevStore
    worker: Worker

    @property
    def shop_id(self) -> int:
        return self.devstore.shop(DOMAIN).id


@contextmanager
def side_by_side(db: Database) -> Iterator[Running]:
    store_port, app_port = free_ports()
    app_url = f"http://127.0.0.1:{app_port}"
    settings = Settings(
        app_toml=APP_TOML, data=None, port=store_port, secrets=(API_SECRET,), seed_history=False,
        application_url=app_url,
    )  # fmt: skip
    store = create_devstore(settings, start=False)
    app = create_app(config_for(db, app_url=app_url, shopify_origin=f"http://{{shop}}.localhost:{store_port}"))
    access = app.extensions[EXTENSION].access
    servers = [serve(store, store_port), serve(app, app_port)]
    devstore = store.extensions["devstore"]
    devstore.apps.install(devstore.shop(DOMAIN))
    devstore.jobs.start()  # codes by the hundred are made a moment after they are asked for
    try:
        yield Running(f"http://localhost:{store_port}/-/admin/store/saltmarsh", db, devstore, Worker(access))
    finally:
        devstore.jobs.stop()
        for server in servers:
            server.shutdown()
            server.server_close()
        app.extensions[EXTENSION].db.dispose()


def serve(app: Flask, port: int) -> BaseWSGIServer:
    server = make_server("127.0.0.1", port, app, threaded=True)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]

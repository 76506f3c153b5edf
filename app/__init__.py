"""Regulars: loyalty points and referrals for Shopify stores.

`create_app` is the table of contents. It starts no threads and asks nobody anything; `flask --app app serve` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from .config import Config

MAX_BODY_BYTES = 10 * 1024 * 1024


def create_app(config: Config | None = None) -> Flask:
    """The web application. Without ``config``, the environment's; raises `ConfigError` when that cannot be used."""
    # Imported here: `python -m app.devstore` and the demo command import this package without wanting any of it.
    from flask import Flask

    from . import cli
    from .clock import MovedClock, utcnow
    from .config import Config
    from .db import Database, Encrypted
    from .loyalty.access import Access
    from .shopify.origins import Origins
    from .shopify.tokens import TokenEndpoint
    from .shopify.transport import new_http
    from .web import admin, errors, headers, health, install, pages, proxy, webhooks
    from .web.runtime import EXTENSION, Runtime

    app = Flask(__name__)
    config = config or Config.from_env(instance_path=app.instance_path)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, MAX_FORM_MEMORY_SIZE=1_000_000)

    Encrypted.use(config.encryption_keys)
    db = Database(config.database_url)
    origins = Origins(config.shopify_origin)
    http = new_http(origins, connections=20)
    endpoint = TokenEndpoint(origins, config.shopify_api_key, config.shopify_api_secret, http)
    clock = MovedClock(config.clock_offset_file) if config.clock_offset_file else utcnow
    access = Access(db=db, origins=origins, endpoint=endpoint, http=http, clock=clock)
    process = Runtime(config=config, db=db, origins=origins, access=access, clock=clock)
    app.extensions[EXTENSION] = process

    for blueprint in (webhooks.bp, proxy.bp, install.bp, admin.bp, pages.bp, health.bp):
        app.register_blueprint(blueprint)
    errors.register(app)
    app.after_request(headers.secure)
    cli.register(app, db)
    return app

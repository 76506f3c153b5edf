"""``python -m app.devstore``: serve a Shopify on one port of this machine until SIGTERM or Ctrl-C.

--app-toml PATH   the app's shopify.app.toml           DEVSTORE_CLIENT_SECRET      the app's client secret
--data DIR        where its SQLite file lives          DEVSTORE_CLIENT_SECRET_OLD  the one before, while rotating
--port 9292       --shop DOMAIN (repeatable)           --fresh                     start over
--app-url URL     stands in for the TOML's application_url, as `shopify app dev` rewrites it
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from .server import create_devstore
from .settings import Settings


class QuietHandler(WSGIRequestHandler):
    """Keeps connections open and says nothing per request: the log page shows what matters."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *args: object) -> None:
        """No line per request."""


def main(arguments: list[str] | None = None) -> int:
    settings = read_settings(arguments)
    logging.basicConfig(level=logging.WARNING, format="dev store: %(message)s")
    app = create_devstore(settings)
    server = make_server("127.0.0.1", settings.port, app, threaded=True, request_handler=QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]

    def stop(*_: object) -> None:
        # shutdown() waits for serve_forever, which runs in this very thread.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"ready http://localhost:{settings.port}", flush=True)
    server.serve_forever()
    server.server_close()
    app.extensions["devstore"].stop()
    return 0


def read_settings(arguments: list[str] | None) -> Settings:
    """The command line and the two secrets of the environment."""
    parser = argparse.ArgumentParser(prog="python -m app.devstore", description="A Shopify for one machine.")
    parser.add_argument("--app-toml", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, default=9292)
    parser.add_argument("--shop", action="append", default=[])
    parser.add_argument("--app-url")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--no-history", action="store_true", help="no past orders")
    parser.add_argument("--retry-scale", type=float, default=1.0, help="1: webhook retries over four hours")
    args = parser.parse_args(arguments)
    secrets = [os.environ.get(name, "") for name in ("DEVSTORE_CLIENT_SECRET", "DEVSTORE_CLIENT_SECRET_OLD")]
    if not secrets[0]:
        sys.exit("DEVSTORE_CLIENT_SECRET is not set")
    if args.fresh:
        for old in (*args.data.glob("devstore.sqlite3*"), *args.data.glob("clock-offset")):
            old.unlink()
    return Settings(
        app_toml=args.app_toml,
        data=args.data,
        port=args.port,
        secrets=tuple(secret for secret in secrets if secret),
        shops=tuple(args.shop) or ("saltmarsh.myshopify.com",),
        application_url=args.app_url,
        retry_scale=args.retry_scale,
        seed_history=not args.no_history,
    )


if __name__ == "__main__":
    sys.exit(main())

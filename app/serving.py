"""`flask serve`: granian in place of this process, so that nothing of the command line stays in memory.

On SQLite one web process is the whole product: the worker is a thread beside it, started by `with_worker` after the
server has made its process. On PostgreSQL web and worker processes are separate, as many as wanted (Procfile).
"""

from __future__ import annotations

import logging
import os
import sys
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from flask import Flask

    from .web.rsgi import WholeRequests
    from .web.runtime import Runtime

THREADS = 8  # requests at once in one process; the database pool has room for them and the worker
CONNECTIONS = 1024  # at once in one process: half-sent requests and idle browsers cost a little memory and no thread


def serve(runtime: Runtime, *, host: str, port: int, workers: int) -> NoReturn:
    """Become granian. With SQLite there is exactly one web process, whatever was asked for."""
    factory = "with_worker" if runtime.db.is_sqlite else "without_worker"
    count = 1 if runtime.db.is_sqlite else workers
    runtime.db.dispose()
    arguments = {
        "--interface": "rsgi",
        "--host": host,
        "--port": str(port),
        "--workers": str(count),
        "--backpressure": str(CONNECTIONS),
        "--http1-header-read-timeout": "10000",  # milliseconds; bodies: web.rsgi
        "--workers-kill-timeout": "30",
        "--log-level": "error",
        "--http": "1",
    }
    flat = [part for pair in arguments.items() for part in pair]
    command = [sys.executable, "-m", "granian", *flat, "--no-ws", "--factory", f"app.serving:{factory}"]
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, no shell


def with_worker() -> WholeRequests:
    """The web application and a worker in one process."""
    from . import create_app
    from .jobs.queue import end_leases
    from .jobs.worker import Worker
    from .web.runtime import EXTENSION

    _log()
    app = create_app()
    end_leases(app.extensions[EXTENSION].db)
    worker = Worker(app.extensions[EXTENSION].access)
    worker.start()
    # Finish the batch before the process ends. Not by atexit: granian's processes are multiprocessing's, which skip it.
    Finalize(None, worker.stop, exitpriority=100)
    return _served(app)


def without_worker() -> WholeRequests:
    from . import create_app

    _log()
    return _served(create_app())


def _served(app: Flask) -> WholeRequests:
    from . import MAX_BODY_BYTES
    from .web.rsgi import WholeRequests
    from .web.runtime import EXTENSION
    from .web.webhooks import Inlet

    return WholeRequests(app, Inlet(app.extensions[EXTENSION]), threads=THREADS, max_body_bytes=MAX_BODY_BYTES)


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)

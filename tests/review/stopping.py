"""The server's app as `serve` makes it, with a worker that says when it has stopped."""

from __future__ import annotations

import sys
from typing import Any

from app import serving
from app.jobs.worker import Worker


def app_whose_worker_says_goodbye() -> Any:
    stop = Worker.stop

    def loudly(self: Worker) -> None:
        stop(self)
        print("worker stopped", file=sys.stderr, flush=True)

    Worker.stop = loudly  # type: ignore[method-assign]
    return serving.with_worker()

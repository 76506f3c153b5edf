"""Workers as they are deployed: processes of their own, started by the command line, killed and stopped by signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.db import Database

from ..conftest import API_KEY, API_SECRET, ENCRYPTION_KEY, SECRET_KEY

ROOT = Path(__file__).parents[2]


def environment(db: Database) -> dict[str, str]:
    return {
        **os.environ,
        "SHOPIFY_API_KEY": API_KEY,
        "SHOPIFY_API_SECRET": API_SECRET,
        "APP_URL": "http://127.0.0.1:5000",
        "SHOPIFY_ORIGIN": "http://127.0.0.1:9/{shop}",  # where nobody listens: these workers have nothing to ask
        "DATABASE_URL": db.url.render_as_string(hide_password=False),
        "SECRET_KEY": SECRET_KEY,
        "ENCRYPTION_KEYS": ENCRYPTION_KEY,
    }


class WorkerProcess:
    """`flask --app app work` in a process; what it says goes to a file, for when a test fails."""

    def __init__(self, db: Database, *options: str) -> None:
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the process; `end` closes it
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", "work", *options],
            env=environment(db), cwd=ROOT, stdout=self.said, stderr=self.said,
        )  # fmt: skip

    def kill(self) -> None:
        """As kill -9 does: no handler, no cleaning up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, timeout_s: float = 20) -> tuple[int, float]:
        """SIGTERM: (exit code, seconds it took)."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout_s)
        return code, time.monotonic() - began

    def words(self) -> str:
        self.said.seek(0)
        return self.said.read()

    def end(self) -> None:
        """For a test's last lines: whatever state it is in, it is gone afterwards."""
        if self.process.poll() is None:
            self.kill()
        self.said.close()


def wait_until(true: Callable[[], bool], timeout_s: float = 30, step_s: float = 0.05) -> bool:
    """Whether it became true in time."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(step_s)
    return true()

"""``python -m app.devstore`` as a process, its control API, and waiting for what takes its moment."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from ..conftest import API_SECRET

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: Callable[[], Any], wanted: str, *, seconds: float = PATIENCE_S) -> Any:
    """Ask until the answer is true; the answer."""
    until = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < until, f"{wanted}: not within {seconds:.0f} s"
        time.sleep(0.05)
    return answer


def next_second() -> None:
    """Wait for it: Shopify's dates, and with them the program's, have no finer."""
    now = time.time()
    time.sleep(1.01 - now % 1)


class Store:
    """``python -m app.devstore`` and its control API. All eight retries of a webhook come within two seconds."""

    def __init__(self, folder: Path, app_url: str, *, retry_scale: float = 0.0001) -> None:
        self.port = free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self.app_url = app_url
        self.http = requests.Session()
        folder.mkdir(parents=True, exist_ok=True)
        self.clock_offset_file = folder / "clock-offset"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "app.devstore", "--app-toml", str(ROOT / "shopify.app.toml"), "--no-history"),
                *("--data", str(folder), "--port", str(self.port), "--app-url", app_url),
                *("--shop", "first.myshopify.com", "--retry-scale", str(retry_scale)),
            ],
            env={**os.environ, "DEVSTORE_CLIENT_SECRET": API_SECRET},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready"), f"the dev store did not start: {line!r}"

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    @property
    def origin(self) -> str:
        """SHOPIFY_ORIGIN for the app."""
        return self.root + "/{shop}"

    def get(self, path: str, /, **query: Any) -> Any:
        return checked(self.http.get(f"{self.root}/-/control/{path}", params=query, timeout=20))

    def post(self, path: str, /, **body: Any) -> Any:
        return checked(self.http.post(f"{self.root}/-/control/{path}", json=body, timeout=20))

    def patch(self, path: str, /, **body: Any) -> Any:
        return checked(self.http.patch(f"{self.root}/-/control/{path}", json=body, timeout=20))

    def webhooks(self, **controls: Any) -> None:
        """hold, drop_next, drop_percent, drop_topics, duplicates, shuffle, seed."""
        self.post("webhooks", **controls)

    def move_clock(self, **by: float) -> None:
        """days, hours … forward, for both programs."""
        self.post("clock", **by)

    def plainly(self) -> None:
        """Everything as it is on a good day."""
        self.webhooks(hold=False, drop_next=0, drop_percent=0, drop_topics=[], duplicates=0, shuffle=False, seed=0)
        self.post("api/faults")
        self.post("oauth/faults")
        self.post("webhooks/release")
        self.post("clock", back=True)

    def traffic(self, shop: str, *, after: int = 0, kind: str | None = None) -> list[dict[str, Any]]:
        """What the app and the dev store said to each other, oldest first."""
        query: dict[str, Any] = {"shop": shop, "after": after, "limit": 5000}
        return list(reversed(self.get("traffic", **query, **({"kind": kind} if kind else {}))))


def checked(response: requests.Response) -> Any:
    assert response.ok, f"{response.request.method} {response.url}: {response.status_code} {response.text}"
    return response.json()

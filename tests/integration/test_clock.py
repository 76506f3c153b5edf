"""Time travel: `flask demo`'s two processes on one clock, which the dev store moves (its file is all they share)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from .stores import ROOT, checked, eventually, free_port

SHOP = "saltmarsh.myshopify.com"
HOLD_DAYS = 14


class Demo:
    """`flask demo` and its control API."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        command = [sys.executable, "-m", "app.demo", "--port", str(self.port), "--folder", str(folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Storefront" in line:  # the port asked for, or the next pair that was free
                self.port = int(line.rsplit(":", 1)[1].strip(" /\n"))
            if "Open the shop admin first" in line:
                return
        raise AssertionError("the demo did not start")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)

    def get(self, path: str, http: Any = requests) -> Any:
        return checked(http.get(f"http://127.0.0.1:{self.port}/-/control/{path}", timeout=20))

    def post(self, path: str, http: Any = requests, **body: Any) -> Any:
        return checked(http.post(f"http://127.0.0.1:{self.port}/-/control/{path}", json=body, timeout=20))

    def open_app(self) -> int:
        """What the admin's frame loads: the session token in it is of this minute, by the dev store's clock."""
        address = self.get(f"shops/{SHOP}/launch")["url"]
        return requests.get(address, timeout=20, allow_redirects=False).status_code

    def press(self, path: str, **form: str) -> int:
        """A form of the embedded admin, sent as App Bridge sends it."""
        token = self.get(f"shops/{SHOP}/launch")["id_token"]
        address = f"http://127.0.0.1:{self.port + 1}{path}"
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(address, data=form, headers=headers, timeout=20, allow_redirects=False).status_code

    def member(self, customer_id: int) -> dict[str, int]:
        """The balance as the panel gets it through the app proxy, whose signature is dated."""
        browser = requests.Session()
        self.post(f"shops/{SHOP}/login", browser, customer_id=customer_id)
        address = f"http://127.0.0.1:{self.port}/{SHOP}/apps/regulars/shopper"
        return checked(browser.get(address, timeout=20))["member"]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path)
    try:
        yield made
    finally:
        made.stop()


def test_points_on_hold_mature_when_the_clock_is_moved(demo: Demo) -> None:
    demo.post(f"shops/{SHOP}/install")
    assert demo.open_app() == 200
    earning = {"points": "1", "per": "1", "rounding": "down", "minimum": "0", "trigger": "paid", "hold": str(HOLD_DAYS)}
    assert demo.press("/admin/program/launch", name="Rewards", vendors="[]", **earning) in (302, 303)
    ines = next(c["id"] for c in demo.get(f"shops/{SHOP}/customers") if c["email"] == "ines@example.com")
    demo.post(f"shops/{SHOP}/orders", lines=[{"product": "cobalt-mug", "quantity": 3}], customer=ines)
    eventually(lambda: demo.member(ines)["pending"] == 69, "the points are on hold")
    assert demo.member(ines)["available"] == 0

    demo.post("clock", days=HOLD_DAYS - 1)
    assert demo.open_app() == 200  # both programs live on the same day at once, or this token were none
    assert demo.member(ines)["pending"] == 69

    demo.post("clock", days=1, minutes=1)
    eventually(lambda: demo.member(ines)["available"] == 69, "the points have matured")
    assert demo.member(ines)["pending"] == 0
    # The access token ended two weeks ago, by both clocks: the app has had a new one to say so to Shopify.
    eventually(lambda: painted(demo, ines) == 69, "Shopify was told, with a token of that day")


def painted(demo: Demo, customer_id: int) -> int | None:
    found = demo.get(f"shops/{SHOP}/metafields?owner=gid://shopify/Customer/{customer_id}")
    document = next((field["value"] for field in found if field["key"] == "member"), "{}")
    return json.loads(document).get("available")  # type: ignore[no-any-return]

"""The demo as the README starts it, and a real Chromium in front of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

ROOT = Path(__file__).parents[2]
# Screenshots of the story, for the README and for looking at; elsewhere than in the tree unless PICTURES says so.
PICTURES = Path(os.environ["PICTURES"]) if "PICTURES" in os.environ else None


@dataclass(frozen=True)
class Demo:
    """Where the running demo's pages are, and how to command the app beside it."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def admin(self) -> str:
        return f"http://localhost:{self.port}/-/admin/store/saltmarsh"

    @property
    def storefront(self) -> str:
        return f"http://saltmarsh.myshopify.com.localhost:{self.port}"

    @property
    def app(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"


def free_port() -> int:
    for port in range(19300, 19900, 2):
        try:
            for candidate in (port, port + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", candidate))
        except OSError:
            continue
        return port
    raise RuntimeError("no free port")


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`flask demo --fresh`, until the package's tests are over."""
    port, folder = free_port(), tmp_path_factory.mktemp("demo")
    output = (folder / "output.txt").open("wb")
    command = [sys.executable, "-m", "app.demo", "--fresh", "--port", str(port), "--folder", str(folder / "kept")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for_welcome(process, folder / "output.txt")
        yield Demo(port, folder / "kept", process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        output.close()
        sys.stdout.write((folder / "output.txt").read_text(encoding="utf-8", errors="replace"))


def wait_for_welcome(process: subprocess.Popen[bytes], output: Path) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        if "Ctrl-C stops it" in output.read_text(encoding="utf-8", errors="replace"):
            return
        time.sleep(0.1)
    raise RuntimeError("the demo did not start:\n" + output.read_text(encoding="utf-8", errors="replace"))


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    yield context
    context.close()


def picture(page: Any, name: str, *, full: bool = False) -> None:
    """Keep a screenshot at both widths when somebody wants to look."""
    if PICTURES is None:
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(350)
    page.screenshot(path=PICTURES / f"{name}-1280.png", full_page=full)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(350)
    page.screenshot(path=PICTURES / f"{name}-390.png", full_page=full)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_timeout(250)


def fetched(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code

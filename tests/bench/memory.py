"""Resident memory of the demo: dev store with Shopify's schema, app, and what supervises them, after some use."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

from .machine import ROOT, calibration, resident_mb


def measure() -> dict[str, float]:
    figures: dict[str, float] = {"calibration_s": calibration()}
    with tempfile.TemporaryDirectory() as folder:
        port = 19700
        command = [sys.executable, "-m", "app.demo", "--fresh", "--port", str(port), "--folder", folder]
        output = (Path(folder).parent / "bench-demo.txt").open("w+", encoding="utf-8")
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            _use(Path(output.name), process)
            figures["demo_mb"] = resident_mb([psutil.Process(process.pid)])
            for child in psutil.Process(process.pid).children(recursive=True):
                name = "devstore" if "app.devstore" in child.cmdline() else f"app_{child.pid}"
                figures[f"of_it_{name}_mb"] = child.memory_info().rss / 1e6
        finally:
            process.terminate()
            process.wait(30)
            output.close()
    return figures


def _use(output: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait for the welcome, then install: that asks the Admin API, which builds Shopify's schema."""
    until = time.monotonic() + 90
    while "Ctrl-C stops it" not in output.read_text(encoding="utf-8"):
        if time.monotonic() > until or process.poll() is not None:
            raise RuntimeError(output.read_text(encoding="utf-8"))
        time.sleep(0.2)
    text = output.read_text(encoding="utf-8")
    store = next(line.split()[-1] for line in text.splitlines() if "Shop admin" in line).split("/-/")[0]
    shop = f"{store}/-/control/shops/saltmarsh.myshopify.com"
    urllib.request.urlopen(urllib.request.Request(f"{shop}/install", b"{}", JSON), timeout=30).close()
    with urllib.request.urlopen(f"{shop}/launch", timeout=30) as answer:
        launch = json.loads(answer.read())["url"]
    urllib.request.urlopen(launch, timeout=30).close()
    time.sleep(5)


JSON = {"Content-Type": "application/json"}


if __name__ == "__main__":
    for name, figure in measure().items():
        print(f"{name:24} {figure:10.3f}")

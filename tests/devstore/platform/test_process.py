"""The process: it starts, says so, keeps its data, goes on with its deliveries, and stops when told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests

from .conftest import ROOT, SECRET, SHOP, TOML, FakeApp, serve


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(data: Path, port: int, app_url: str, *more: str) -> subprocess.Popen:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "app.devstore", "--app-toml", str(TOML), "--data", str(data)),
            *("--port", str(port), "--app-url", app_url, "--retry-scale", "0.001", *more),
        ],
        env={**os.environ, "DEVSTORE_CLIENT_SECRET": SECRET},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"ready http://localhost:{port}\n"
    return process


@pytest.fixture
def app():
    made = FakeApp()
    server = serve(made)
    yield made
    server.shutdown()


def test_a_life(tmp_path, app):
    port = free_port()
    control = f"http://127.0.0.1:{port}/-/control"
    process = start(tmp_path, port, app.url)
    try:
        requests.post(f"{control}/shops/{SHOP}/install", timeout=5)
        app.answer = lambda request: (503, {}, b"")
        order = requests.post(
            f"{control}/shops/{SHOP}/orders",
            json={"lines": [{"product": "cobalt-mug"}], "customer": "ines@example.com"},
            timeout=5,
        ).json()
        app.wait(3)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - started < 3
    finally:
        process.kill()
    app.answer = None
    app.received.clear()
    process = start(tmp_path, port, app.url)
    try:
        # What was owed is delivered by the next run, and the order is still there.
        app.wait(3)
        kept = requests.get(f"{control}/shops/{SHOP}/orders/{order['id']}", timeout=5).json()
        assert kept["order"] == order["order"]
        pair = exchange(port, control)
        answer = requests.post(
            f"http://127.0.0.1:{port}/{SHOP}/admin/api/2026-10/graphql.json",
            json={"query": "{ orders(first: 5) { nodes { id } } }"},
            headers={"X-Shopify-Access-Token": pair["access_token"]},
            timeout=5,
        )
        assert answer.json()["data"]
        requests.get(f"http://127.0.0.1:{port}/{SHOP}/", timeout=5)
        assert psutil.Process(process.pid).memory_info().rss < 120 * 2**20
    finally:
        process.kill()
        process.wait()
    process = start(tmp_path, port, app.url, "--fresh", "--no-history")
    try:
        assert requests.get(f"{control}/shops/{SHOP}/orders", timeout=5).json() == []
    finally:
        process.kill()
        process.wait()


def test_it_needs_a_secret(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DEVSTORE_")}
    done = subprocess.run(
        [sys.executable, "-m", "app.devstore", "--app-toml", str(TOML), "--data", str(tmp_path)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 1
    assert "DEVSTORE_CLIENT_SECRET" in done.stderr


def exchange(port: int, control: str) -> dict:
    from urllib.parse import parse_qsl, urlsplit

    launch = requests.get(f"{control}/shops/{SHOP}/launch", timeout=5).json()
    params = dict(parse_qsl(urlsplit(launch["url"]).query))
    return requests.post(
        f"http://127.0.0.1:{port}/{params['shop']}/admin/oauth/access_token",
        json={
            "client_id": "9d1c2c1fa0a34ce18b24a0a3bd4f62c7",
            "client_secret": SECRET,
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": params["id_token"],
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
            "expiring": "1",
        },
        timeout=5,
    ).json()

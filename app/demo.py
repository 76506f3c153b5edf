"""`flask demo`: a Shopify for one machine and this app, side by side, with nothing to configure.

A small supervisor of two programs that meet over HTTP alone: the dev store (`python -m app.devstore`) and the app
(`flask serve`). Standard library only, so that what supervises weighs nothing. Everything it keeps is in the instance
folder, keys included; `--fresh` forgets it.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
SHOP = "saltmarsh.myshopify.com"
STARTS_WITHIN_S = 60
STOPS_WITHIN_S = 15


def run(*, fresh: bool, port: int) -> NoReturn:
    """Replace the command line's process by the supervisor's."""
    command = [sys.executable, "-m", "app.demo", "--port", str(port), *(["--fresh"] if fresh else [])]
    os.chdir(ROOT)
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, no shell


def main() -> int:
    options = argparse.ArgumentParser(prog="flask demo")
    options.add_argument("--port", type=int, default=9292)
    options.add_argument("--fresh", action="store_true")
    options.add_argument("--folder", type=Path, default=ROOT / "instance" / "demo")
    chosen = options.parse_args()
    if chosen.fresh:
        shutil.rmtree(chosen.folder, ignore_errors=True)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    return Demo(chosen.folder, chosen.port).run()


class Demo:
    """The two programs and what they must know of each other."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port, self.app_port = free_ports(port)
        self.store = f"http://localhost:{self.port}"
        self.app = f"http://127.0.0.1:{self.app_port}"
        self.children: list[subprocess.Popen[bytes]] = []
        self.stopping = False

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        toml = self._write_toml()
        environment = {**os.environ, **self._settings(toml)}
        try:
            store = [
                sys.executable,
                "-m",
                "app.devstore",
                "--app-toml",
                str(toml),
                "--data",
                str(self.folder / "store"),
            ]
            self._start([*store, "--port", str(self.port), "--shop", SHOP], environment)
            flask = [sys.executable, "-m", "flask", "--app", "app"]
            subprocess.run([*flask, "db", "upgrade"], check=True, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)  # noqa: S603
            self._start([*flask, "serve", "--port", str(self.app_port)], environment)
            if not (self._answers(f"{self.app}/healthz") and self._answers(f"{self.store}/-/admin/")):
                return 0 if self.stopping else 1
            self._welcome()
            return self._watch()
        finally:
            self._end()

    def _settings(self, toml: Path) -> dict[str, str]:
        kept = self.folder / "keys.json"
        if not kept.exists():
            keys = {
                "SHOPIFY_API_SECRET": f"shpss_{secrets.token_hex(16)}",
                "SECRET_KEY": secrets.token_urlsafe(48),
                "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            }
            kept.write_text(json.dumps(keys), encoding="utf-8")
            kept.chmod(0o600)
        keys = json.loads(kept.read_text(encoding="utf-8"))
        client_id = re.search(r'^client_id = "([^"]+)"', toml.read_text(encoding="utf-8"), re.MULTILINE)
        assert client_id is not None
        return {
            **keys,
            "DEVSTORE_CLIENT_SECRET": keys["SHOPIFY_API_SECRET"],
            "SHOPIFY_API_KEY": client_id[1],
            "SHOPIFY_API_SECRET_OLD": "",
            "APP_URL": self.app,
            "DATABASE_URL": f"sqlite:///{self.folder / 'regulars.db'}",
            "SHOPIFY_ORIGIN": f"http://{{shop}}.localhost:{self.port}",
            "CLOCK_OFFSET_FILE": str(self.folder / "store" / "clock-offset"),  # the dev store writes it, both read it
        }

    def _write_toml(self) -> Path:
        """What Shopify's own command line does while developing: the same file with this machine's address in it."""
        text = (ROOT / "shopify.app.toml").read_text(encoding="utf-8")
        address = re.search(r'^application_url = "([^"]+)"', text, re.MULTILINE)
        assert address is not None
        text = text.replace(address[1], self.app)
        text = text.replace(
            '"app/extensions/*"', json.dumps(os.path.relpath(ROOT / "app" / "extensions" / "*", self.folder))
        )
        path = self.folder / "shopify.app.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def _start(self, command: list[str], environment: dict[str, str]) -> None:
        # A session of its own: Ctrl-C reaches the supervisor only, which then ends both in order.
        self.children.append(
            subprocess.Popen(  # noqa: S603
                command, env=environment, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL
            )
        )

    def _answers(self, url: str) -> bool:
        """Wait until an address answers anything at all."""
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until and not self.stopping:
            if self._one_died():
                return False
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - loopback, http
                    return True
            except urllib.error.HTTPError:
                return True
            except OSError:
                time.sleep(0.1)
        return False

    def _watch(self) -> int:
        while not self.stopping:
            if self._one_died():
                return 1
            time.sleep(0.3)
        return 0

    def _one_died(self) -> bool:
        dead = [child for child in self.children if child.poll() is not None]
        for child in dead:
            name = list(child.args)[2]  # type: ignore[arg-type]
            sys.stderr.write(f"{name!s} ended with {child.returncode}.\n")
        return bool(dead)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _end(self) -> None:
        for child in reversed(self.children):
            if child.poll() is None:
                child.terminate()
        until = time.monotonic() + STOPS_WITHIN_S
        for child in self.children:
            try:
                child.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)

    def _welcome(self) -> None:
        lines = [
            "",
            "Regulars is running. Ctrl-C stops it; what happened is kept, --fresh begins anew.",
            "",
            f"  Storefront        http://{SHOP}.localhost:{self.port}/",
            f"  Shop admin        {self.store}/-/admin/store/{SHOP.removesuffix('.myshopify.com')}",
            f"  What the app did  {self.store}/-/log",
            "",
            "Open the shop admin first and install the app; then shop. Use Chrome or Firefox.",
            "",
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def free_ports(first: int) -> tuple[int, int]:
    """Two ports in a row that nobody listens on, from ``first`` upwards."""
    for port in range(first, first + 200, 2):
        if all(_is_free(candidate) for candidate in (port, port + 1)):
            return port, port + 1
    raise SystemExit(f"No two free ports near {first}. Choose others with --port.")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())

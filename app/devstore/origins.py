"""Which shop a request is for, and how each origin is spelled.

Two spellings of the same shop are served, as DESIGN's ``SHOPIFY_ORIGIN`` allows:

* by host: ``http://saltmarsh.myshopify.com.localhost:9292/products`` (the browser's way: root-relative paths work),
* by path: ``http://127.0.0.1:9292/saltmarsh.myshopify.com/products`` (where names do not resolve).

``http://localhost:9292/-/admin`` stands for https://admin.shopify.com and ``/-/cdn`` for https://cdn.shopify.com.
A WSGI layer tells them apart before Flask sees the path: the shop lands in ``environ["devstore.shop"]``, and with the
path spelling its first segment moves to SCRIPT_NAME, so ``url_for`` is right in both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Request

SHOP_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
_SHOP_HOST = re.compile(rf"({SHOP_DOMAIN.pattern})\.localhost")
_SHOP_PATH = re.compile(rf"/({SHOP_DOMAIN.pattern})(?=/|\Z)")


@dataclass(frozen=True)
class Origins:
    """The addresses of one style: by host (names under localhost) or by path (127.0.0.1)."""

    port: int
    by_path: bool = False

    @property
    def root(self) -> str:
        return f"http://{'127.0.0.1' if self.by_path else 'localhost'}:{self.port}"

    def shop(self, domain: str) -> str:
        """Stands for https://{domain}: storefront and Admin API."""
        return f"{self.root}/{domain}" if self.by_path else f"http://{domain}.localhost:{self.port}"

    @property
    def admin(self) -> str:
        """Stands for https://admin.shopify.com."""
        return f"{self.root}/-/admin"

    @property
    def cdn(self) -> str:
        """Stands for https://cdn.shopify.com."""
        return f"{self.root}/-/cdn"

    @property
    def control(self) -> str:
        return f"{self.root}/-/control"


def of_request(request: Request, port: int) -> Origins:
    """The style this request came in, so pages link to themselves the same way."""
    return Origins(port, by_path=request.host.split(":")[0] == "127.0.0.1")


class ShopRouting:
    """The WSGI layer: names the shop, or leaves ``devstore.shop`` None for ``/-/…`` on the root host."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["devstore.shop"] = None
        host = environ.get("HTTP_HOST", "").rsplit(":", 1)[0].lower()
        if named := _SHOP_HOST.fullmatch(host):
            environ["devstore.shop"] = named[1]
        elif in_path := _SHOP_PATH.match(environ["PATH_INFO"]):
            environ["devstore.shop"] = in_path[1]
            environ["SCRIPT_NAME"] += in_path[0]
            environ["PATH_INFO"] = environ["PATH_INFO"][in_path.end() :] or "/"
        return self.app(environ, start_response)

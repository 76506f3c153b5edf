"""Storefront pages for the theme extension's tests: its own files, rendered in a small theme, served on this machine.

The dev store's Liquid renders the blocks; everything a page shows is given here as literals, so a test can say exactly
which metafields, customer, language and answer of `/apps/regulars/shopper` it is about.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.devstore.storefront.dialect import Drop, Page
from app.devstore.storefront.extensions import ThemeExtension

FOLDER = Path(__file__).parents[2] / "app" / "extensions" / "storefront"
EXTENSION = ThemeExtension(FOLDER, "regulars")
TYPES = {".js": "text/javascript", ".css": "text/css"}

LIGHT = {"fill": "#2447a8", "on": "#ffffff", "text": "#2447a8", "soft": "#edf0f8", "rim": "#2447a8"}
DARK = {"fill": "#3b62c6", "on": "#ffffff", "text": "#719bff", "soft": "#1f2638", "rim": "#3b62c6"}
PROGRAM: dict[str, Any] = {
    "v": 1,
    "live": True,
    "paused": False,
    "name": "Saltmarsh Club",
    "currency": "EUR",
    "earn": {
        "points": 1,
        "per_minor": 100,
        "rounding": "down",
        "tax": False,
        "shipping": False,
        "minimum_minor": 0,
        "trigger": "paid",
        "hold_days": 0,
        "rate": "1 point for every €1",
    },
    "exclude": {"products": [], "vendors": []},
    "look": {"corner": "end", "launcher": "pill", "radius": 10, "offset": 20, "light": LIGHT, "dark": DARK},
}
MEMBER: dict[str, Any] = {
    "v": 1,
    "available": 240,
    "pending": 64,
    "reserved": 0,
    "debt": 0,
    "next_at": "2026-12-03T00:00:00Z",
    "seq": 12,
    "at": "2026-11-21T14:05:00Z",
}
NORA = {"id": 7, "first_name": "Nora"}
NOW = "2026-11-21T20:12:00Z"
MUG: dict[str, Any] = {
    "id": 501,
    "title": "Cobalt mug",
    "vendor": "Saltmarsh",
    "gift_card?": False,
    "price_max": 3600,
    "variants": [{"id": 11, "title": "250 ml", "price": 2800}, {"id": 12, "title": "350 ml", "price": 3600}],
    "selected_or_first_available_variant": {"id": 11},
}
HISTORY = [
    ("2026-11-19T10:00:00Z", 64, "pending", "Order #1042", "1 point for every €1 of €64.00. Yours on 3 December."),
    (
        "2026-11-12T10:00:00Z",
        -28,
        "taken_back",
        "Refund on order #1031",
        "You returned 1 of 3 Ash mugs (€28.00), so its points went back. You keep the other 56.",
    ),
    ("2026-11-02T10:00:00Z", 84, "earned", "Order #1031", "1 point for every €1 of €84.00. Shipping does not count."),
    ("2026-10-24T10:00:00Z", 40, "earned", "Order #1024", "1 point for every €1 of €40.00."),
    ("2026-04-18T10:00:00Z", 94, "earned", "Order #987", "1 point for every €1 of €94.00."),
    ("2026-04-02T10:00:00Z", 0, "zero", "Order #982", "Gift cards do not earn points."),
    ("2025-12-03T10:00:00Z", 50, "adjusted", "Corrected by the shop", "For the broken lid."),
]

# A theme's own rules, as plain as a theme can be.
THEME = """
:root{color-scheme:light;--font-heading-family:"EB Garamond",Garamond,Georgia,serif}
body{margin:0;background:#fff;color:#1f2022;font:400 15px/1.6 "Segoe UI",Roboto,sans-serif}
main{max-width:900px;margin:0 auto;padding:40px 20px 160px}h1{font:400 40px/1.1 Georgia,serif}
.dark{background:#121314;color:#efeeea}.dark main>a{color:#9cc2ff}
"""
# Rules found in real themes, which reach into everything on the page.
LEAKY = """
html{font-size:62.5%}
*{letter-spacing:.08em}
*,*::before{box-sizing:content-box}
h2,h3{margin:3rem 0 2rem;font-size:4rem;text-transform:uppercase;letter-spacing:.2em;color:teal;line-height:2}
p{margin:0 0 2.5rem;font-size:1.8rem;line-height:2}
ul{margin:2rem 0;padding-left:4rem;list-style:disc}li{margin-bottom:1.5rem}
dt,dd{margin:2rem;font-size:2rem}b,strong{color:purple;font-weight:900}small{font-size:50%}
a{color:crimson;text-decoration:underline;border-bottom:2px solid}a:hover{color:lime}
button{min-width:22rem;margin:1rem;padding:2rem;border:3px solid red;background:yellow;color:red;
 text-transform:uppercase;letter-spacing:.3em;box-shadow:0 0 9px red;font:italic 900 2rem serif}
button:not([disabled]):hover{background:lime}
svg{width:100%;height:auto;fill:red;vertical-align:middle}svg path{stroke-width:4}
dialog{max-width:200px;padding:5rem;border:9px solid;margin:auto;color:red}
form{margin:2rem;padding:1rem;border:1px solid}nav{float:left;width:50%}nav a{display:inline-block;padding:2rem}
time{font-style:italic;display:block}section{padding:6rem}div:empty{display:none}
"""

Answer = tuple[int, Any]
Route = Callable[[str, str, Any], Answer | None]  # method, path, JSON sent


def answer(member: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What `/proxy/shopper` says: by default the member of the metafield, with their history."""
    keys = ("available", "pending", "reserved", "debt", "next_at")
    known = {**MEMBER, **(member or {})}
    return {
        "member": {**{key: known[key] for key in keys}, "tier": None, "referral": None},
        "rewards": [],
        "redemptions": [],
        "ways_to_earn": [{"id": "order", "title": "Place an order", "points": "1 point per €1"}],
        "history": history(*HISTORY),
        "history_next": None,
        "program": {"name": PROGRAM["name"], "live": True, "paused": False},
        **more,
    }


def history(*lines: tuple[str, int, str, str, str]) -> list[dict[str, Any]]:
    return [dict(zip(("at", "points", "kind", "title", "reason"), line, strict=True)) for line in lines]


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, dicts within dicts."""
    return base | {
        key: merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in changes.items()
    }


def program(**changes: Any) -> dict[str, Any]:
    return merged(PROGRAM, changes)


@dataclass(frozen=True)
class Storefront:
    """One page view of a shop: who looks, in which language, at which product, in which theme."""

    program: dict[str, Any] | None = field(default_factory=program)
    member: dict[str, Any] | None = field(default_factory=lambda: dict(MEMBER))
    customer: dict[str, Any] | None = field(default_factory=lambda: dict(NORA))
    product: dict[str, Any] | None = None
    locale: str = "en"
    country: str | None = "IE"
    direction: str = "ltr"
    mode: str = "light"
    icon: str = "token"
    proxy_path: str = "/apps/regulars"
    currency: str = "EUR"
    taxes_included: bool = False
    design_mode: bool = False
    leaky: bool = False
    classic_accounts: bool = False
    extra: str = ""

    @property
    def page(self) -> Page:
        customer = self.customer and {
            **self.customer,
            "metafields": {"$app:loyalty": {"member": {"value": self.member}} if self.member else {}},
        }
        everything = {
            "customer": customer,
            "product": self.product and Drop(self.product),
            "request": {"path": "/products/mug", "design_mode": self.design_mode, "locale": {"iso_code": self.locale}},
            "routes": {
                "root_url": "/",
                "account_login_url": "/account/login",
                "account_register_url": "/account/register",
                "storefront_login_url": None if self.classic_accounts else "/customer_authentication/login",
            },
            "cart": {"taxes_included": self.taxes_included, "currency": {"iso_code": self.currency}},
            "localization": {"country": {"iso_code": self.country}},
        }
        return Page(locale=self.locale, cdn="/-/cdn", design_mode=self.design_mode, globals=everything)

    def block(self, handle: str) -> str:
        """One block's HTML."""
        app = Drop({"metafields": {"regulars": {"program": {"value": self.program}} if self.program else {}}})
        settings = {"mode": self.mode, "icon": self.icon, "proxy_path": self.proxy_path}
        product = self.product and Drop(self.product)
        return EXTENSION.paint(
            EXTENSION.blocks[handle], self.page, block_id=handle, settings=settings, app=app, product=product
        )

    def html(self) -> str:
        """The whole page, both blocks on it."""
        blocks = list(EXTENSION.blocks.values())
        options = "".join(
            f'<option value="{variant["id"]}">{variant["title"]}</option>'
            for variant in (self.product or {}).get("variants", ())
        )
        form = f'<form action="/cart/add"><select name="id" aria-label="Size">{options}</select></form>'
        return (
            f'<!doctype html><html lang="{self.locale}" dir="{self.direction}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title>'
            f'<link rel="icon" href="data:,"><style>{THEME}{LEAKY if self.leaky else ""}</style>'
            f"{EXTENSION.head(blocks, self.page)}</head><body class={'dark' if self.mode == 'dark' else 'light'}>"
            f'<main><h1>Cobalt mug</h1><div class="shopify-section">{self.block("product-points")}'
            f"{form if self.product else ''}</div>"
            f'<p>Wheel-thrown stoneware.</p><a id="menu" href="/#regulars/how">How points work</a>{self.extra}</main>'
            f"{self.block('launcher')}</body></html>"
        )


class Shop(ThreadingHTTPServer):
    """Serves one page, the extension's assets, `/apps/regulars/shopper` and a test's own routes; notes who asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.page = ""
        self.shopper: Callable[[str | None], Answer] = lambda cursor: (200, answer())
        self.asked: list[str] = []
        self.broken: set[str] = set()
        self.routes: list[Route] = []

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def show(self, storefront: Storefront, shopper: Answer | Callable[[str | None], Answer] = (200, None)) -> None:
        """From now on: this page, and this answer (an answer's body of None: what fits the page's member)."""
        self.page = storefront.html()
        self.asked.clear()
        self.broken.clear()
        self.routes.clear()
        if callable(shopper):
            self.shopper = shopper
        else:
            status, body = shopper
            told = answer(storefront.member) if storefront.customer else answer() | {"member": None, "history": []}
            self.shopper = lambda cursor: (status, told if body is None else body)

    def routed(self, method: str, path: str, body: Any) -> Answer | None:
        """What a test's own routes say; the one added last is asked first, and None is no answer."""
        answers = (route(method, path, body) for route in reversed(self.routes))
        return next((answer for answer in answers if answer is not None), None)

    @property
    def shopper_asked(self) -> list[str]:
        return [path for path in self.asked if "/shopper" in path]


class _Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        self.server.asked.append(self.path)
        if routed := self.server.routed("GET", address.path, None):
            return self._answer(*routed)
        asset = EXTENSION.asset_path(address.path.rsplit("/", 1)[-1])
        if asset and asset.name in self.server.broken:
            self._send(503, "text/plain", "")
        elif asset:
            self._send(200, TYPES[asset.suffix], asset.read_text(encoding="utf-8"))
        elif address.path.endswith("/shopper"):
            self._answer(*self.server.shopper(parse_qs(address.query).get("cursor", [None])[0]))
        else:
            self._send(200, "text/html", self.server.page)

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(f"POST {self.path}")
        self._answer(*self.server.routed("POST", urlsplit(self.path).path, json.loads(sent or b"null")) or (404, {}))

    def _answer(self, status: int, body: Any) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self._send(status, "text/html" if isinstance(body, str) else "application/json", text)

    def _send(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Silent: the tests read `asked`."""


@contextmanager
def serving() -> Iterator[Shop]:
    with Shop() as shop:
        Thread(target=shop.serve_forever, args=(0.05,), daemon=True).start()
        yield shop
        shop.shutdown()

"""A dev store on a free port of this machine, a small app that writes down what it is sent, and a client for the
control API. The store is made once a module; tests look only at what they made themselves.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.serving import make_server

from app.devstore.__main__ import QuietHandler
from app.devstore.server import create_devstore
from app.devstore.settings import Settings
from app.devstore.state import DevStore

ROOT = Path(__file__).parents[3]
TOML = ROOT / "shopify.app.toml"
SHOP = "saltmarsh.myshopify.com"
OTHER_SHOP = "dunes.myshopify.com"
SECRET = "shpss_c0ffee00c0ffee00c0ffee00c0ffee00"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
ONLINE = "urn:shopify:params:oauth:token-type:online-access-token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


@dataclass
class Received:
    """One request the app got."""

    method: str
    path: str
    query: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    at: float

    @property
    def topic(self) -> str:
        return self.headers.get("x-shopify-topic", "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class FakeApp:
    """Answers 200 to everything, unless ``answer`` says otherwise: (status, headers, body) for a request."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], tuple[int, dict[str, str], bytes]] | None = None

    def take(self, request: Received) -> tuple[int, dict[str, str], bytes]:
        self.received.append(request)
        return self.answer(request) if self.answer else (200, {"Content-Type": "application/json"}, b"{}")

    def webhooks(self, *topics: str) -> list[Received]:
        """What came so far, of these topics."""
        return [r for r in self.received if r.path == "/webhooks" and (not topics or r.topic in topics)]

    def wait(self, count: int, *topics: str, seconds: float = 5) -> list[Received]:
        """Until that many webhooks of these topics came."""
        until = time.monotonic() + seconds
        while len(found := self.webhooks(*topics)) < count:
            assert time.monotonic() < until, f"{len(found)} of {count} came: {[r.topic for r in self.received]}"
            time.sleep(0.005)
        return found


def serve(app: FakeApp) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answered, out = app.take(Received(self.command, path, query, headers, body, time.time()))
            self.send_response(status)
            for name, value in answered.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(out)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    app.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


@dataclass
class Control:
    """The control API, and the shop's own origin in the path style."""

    root: str
    devstore: DevStore
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str) -> Any:
        return self._checked(self.session.get(f"{self.root}/-/control/{path}", timeout=10))

    def post(self, path: str, **body: Any) -> Any:
        return self._checked(self.session.post(f"{self.root}/-/control/{path}", json=body, timeout=10))

    def delete(self, path: str) -> Any:
        return self._checked(self.session.delete(f"{self.root}/-/control/{path}", timeout=10))

    def order(self, *, shop: str = SHOP, product: str = "cobalt-mug", quantity: int = 2, **options: Any) -> Any:
        line = {"product": product, "quantity": quantity}
        return self.post(f"shops/{shop}/orders", **{"lines": [line], "customer": "ines@example.com", **options})

    def change(self, order: dict, verb: str, *, shop: str = SHOP, **options: Any) -> Any:
        return self.post(f"shops/{shop}/orders/{order['id']}/{verb}", **options)

    def shop_url(self, path: str, shop: str = SHOP) -> str:
        return f"{self.root}/{shop}{path}"

    def idle(self, seconds: float = 5) -> None:
        """Until no webhook is on its way."""
        until = time.monotonic() + seconds
        while self.devstore.webhooks.pending(held=False):
            assert time.monotonic() < until
            time.sleep(0.005)

    def token_request(self, *, shop: str = SHOP, **params: Any) -> requests.Response:
        """A POST to the token endpoint, with the app's credentials unless given."""
        sent = {"client_id": self.devstore.app.client_id, "client_secret": SECRET, **params}
        return requests.post(self.shop_url("/admin/oauth/access_token", shop), data=sent, timeout=10)

    def exchange(self, *, shop: str = SHOP, **params: Any) -> requests.Response:
        sent = {
            "grant_type": EXCHANGE,
            "subject_token": self.devstore.apps.id_token(self.devstore.shop(shop)),
            "subject_token_type": ID_TOKEN,
            "requested_token_type": OFFLINE,
            "expiring": "1",
        }
        return self.token_request(shop=shop, **{**sent, **params})

    def graphql(
        self, document: str, /, *, shop: str = SHOP, token: str | None = None, **variables: Any
    ) -> requests.Response:
        token = token or self.exchange(shop=shop).json()["access_token"]
        return requests.post(
            self.shop_url("/admin/api/2026-10/graphql.json", shop),
            json={"query": document, "variables": variables},
            headers={"X-Shopify-Access-Token": token},
            timeout=10,
        )

    @staticmethod
    def _checked(response: requests.Response) -> Any:
        assert response.ok, f"{response.status_code}: {response.text}"
        return response.json()


@pytest.fixture(scope="module")
def fake_app() -> Iterator[FakeApp]:
    app = FakeApp()
    server = serve(app)
    yield app
    server.shutdown()


@pytest.fixture(scope="module")
def control(fake_app: FakeApp) -> Iterator[Control]:
    """A dev store with two shops, the app installed on the first; webhook retries within two seconds."""
    settings = Settings(
        app_toml=TOML,
        data=None,
        port=0,
        secrets=(SECRET,),
        shops=(SHOP, OTHER_SHOP),
        application_url=fake_app.url,
        retry_scale=0.0001,
    )
    app = create_devstore(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    devstore = app.extensions["devstore"]
    devstore.apps.install(devstore.shop(SHOP))
    yield Control(f"http://127.0.0.1:{server.server_port}", devstore)
    server.shutdown()
    devstore.stop()


@pytest.fixture(autouse=True)
def as_before(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test starts with an app that answers, nothing received, and webhooks sent plainly."""
    if "control" not in request.fixturenames:
        yield
        return
    control, app = request.getfixturevalue("control"), request.getfixturevalue("fake_app")
    app.received.clear()
    yield
    app.answer = None
    control.devstore.webhooks.control(
        hold=False, drop_next=0, drop_percent=0, drop_topics=[], duplicates=0, shuffle=False, seed=0
    )
    control.devstore.webhooks.release()
    control.devstore.webhooks.retry_now()
    control.idle()

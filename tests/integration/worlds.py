"""A world of two programs that meet over HTTP alone: the dev store, a process of its own, and the app beside it.

`Store` is the dev store and its control API. `App` is this app in the test's process (so that a test may look into its
database), behind a real socket, with a real worker. `Shop` is one shop of both, and what a merchant, a shopper or
Shopify can do with it. Tests make a shop of their own each, so they share the two programs.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from app.db import Database
from app.jobs.worker import Worker
from app.loyalty.members import members_of
from app.loyalty.programs import publish
from app.loyalty.views.balances import balance_of
from app.models import Delivery, DeliveryState, Job, JobState, ShopToken
from app.models import Shop as ShopRow
from app.program.presets import preset
from app.web.runtime import EXTENSION

from ..conftest import config_for
from .stores import PATIENCE_S, Store, checked, free_port

LONG_AGO = datetime(2019, 1, 1, tzinfo=UTC)


class QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *args: object) -> None:
        """No line per request."""


class App:
    """The app on a port of its own, with a worker in both lanes. ``ahead`` moves its clock beyond the dev store's."""

    def __init__(self, database: Database, port: int, store: Store, **settings: Any) -> None:
        self.url = f"http://127.0.0.1:{port}"
        addresses = {"app_url": self.url, "shopify_origin": store.origin, "clock_offset_file": store.clock_offset_file}
        self.flask: Flask = create_app(config_for(database, **addresses, **settings))
        self.runtime = self.flask.extensions[EXTENSION]
        self.db: Database = self.runtime.db
        self.ahead = timedelta()
        self.runtime.access.clock = self.clock  # the worker's; signatures are judged by the time both programs have
        self._server = make_server("127.0.0.1", port, self.flask, threaded=True, request_handler=QuietHandler)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.worker = Worker(self.runtime.access)
        self.worker.start()

    def clock(self) -> datetime:
        return self.runtime.clock() + self.ahead

    def command(self, *arguments: str) -> Any:
        """``flask --app app …``."""
        return self.flask.test_cli_runner().invoke(args=list(arguments))

    def stop(self) -> None:
        self.worker.stop()
        self._server.shutdown()
        self._server.server_close()
        self.db.dispose()


@dataclass
class World:
    store: Store
    app: App
    made: int = 0

    def shop(self, *, launched: bool = True, installed: bool = True, **facts: Any) -> Shop:
        """A new shop with goods and six customers; installed by opening it once, its program live since 2019."""
        self.made += 1
        domain = f"shop-{self.made}-{self.store.port}.myshopify.com"
        self.store.post("shops", domain=domain)
        if facts:
            self.store.patch(f"shops/{domain}", **facts)
        shop = Shop(self, domain)
        if installed:
            shop.install()
            assert shop.open().status_code == 200
            if launched:
                shop.launch()
            shop.at_rest()
        return shop


@dataclass
class Shop:
    """One shop, from every side."""

    world: World
    domain: str
    _customers: dict[str, int] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.world.store

    @property
    def app(self) -> App:
        return self.world.app

    # --- the merchant ----------------------------------------------------------------------------------------------

    def install(self) -> None:
        """Managed install: Shopify grants the scopes, and tells the app nothing."""
        self.do("install")

    def launch_url(self, path: str = "/") -> str:
        return str(self.store.get(f"shops/{self.domain}/launch", path=path)["url"])

    def open(self, path: str = "/") -> requests.Response:
        """What the admin's frame loads, as the browser would."""
        return requests.get(self.launch_url(path), timeout=20, allow_redirects=False)

    def press(self, path: str, **form: Any) -> requests.Response:
        """A form of the embedded admin, sent as App Bridge sends it."""
        token = self.store.get(f"shops/{self.domain}/launch")["id_token"]
        return requests.post(
            self.app.url + path, data=form, headers={"Authorization": f"Bearer {token}"}, timeout=20,
            allow_redirects=False,
        )  # fmt: skip

    def launch(self, *, since: datetime = LONG_AGO, **earning: Any) -> None:
        """The starter program, with changes to what it says about earning, in force since long ago."""
        with self.app.db.transaction() as session:
            shop = self._row(session)
            settings = preset("starter", shop.currency)
            changed = settings.earning.model_copy(update=earning)
            publish(session, shop, settings.model_copy(update={"earning": changed}), author="test", now=since)

    # --- Shopify ---------------------------------------------------------------------------------------------------

    def do(self, verb: str, **body: Any) -> Any:
        """uninstall, grant_scopes, redact, tokens/expire …"""
        return self.store.post(f"shops/{self.domain}/{verb}", **body)

    def customer(self, email: str = "ines@example.com") -> int:
        if email not in self._customers:
            found = self.store.get(f"shops/{self.domain}/customers")
            self._customers = {customer["email"]: customer["id"] for customer in found}
        return self._customers[email]

    def order(self, *lines: tuple[str, int] | tuple[str, int, int], **options: Any) -> dict[str, Any]:
        """Place one: (product handle, quantity[, price_minor]). By Ines unless ``customer`` or ``email`` says else."""
        if "customer" not in options and "email" not in options:
            options["customer"] = "ines@example.com"
        wanted = [dict(zip(("product", "quantity", "price_minor"), line, strict=False)) for line in lines]
        return self.do("orders", lines=wanted, **options)  # type: ignore[no-any-return]

    def change(self, order: dict[str, Any], verb: str, **options: Any) -> dict[str, Any]:
        return self.do(f"orders/{order['id']}/{verb}", **options)  # type: ignore[no-any-return]

    def said(self, *, after: int = 0, kind: str | None = None) -> list[dict[str, Any]]:
        return self.store.traffic(self.domain, after=after, kind=kind)

    def now(self) -> int:
        """A place in the log of what was said, to look on from."""
        return max((message["seq"] for message in self.store.get("traffic", limit=1)), default=0)

    # --- shoppers --------------------------------------------------------------------------------------------------

    def shopper(self, customer_id: int | None = None) -> requests.Session:
        """A browser on the storefront, logged in or not."""
        browser = requests.Session()
        if customer_id is not None:
            login = f"{self.store.root}/-/control/shops/{self.domain}/login"
            checked(browser.post(login, json={"customer_id": customer_id}, timeout=20))
        return browser

    def page(self, path: str = "/", customer_id: int | None = None) -> str:
        """A page of the storefront."""
        answer = self.shopper(customer_id).get(f"{self.store.root}/{self.domain}{path}", timeout=20)
        assert answer.ok, f"{path}: {answer.status_code}"
        return answer.text

    def asks(self, path: str = "shopper", customer_id: int | None = None) -> requests.Response:
        """What the panel asks through the app proxy."""
        return self.shopper(customer_id).get(f"{self.store.root}/{self.domain}/apps/regulars/{path}", timeout=20)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _row(self, session: Any) -> ShopRow:
        row = session.scalars(select(ShopRow).where(ShopRow.domain == self.domain)).one_or_none()
        assert row is not None, f"the app does not know {self.domain}"
        return row  # type: ignore[no-any-return]

    def row(self) -> ShopRow:
        with self.app.db.reading() as session:
            return self._row(session)

    @property
    def id(self) -> int:
        return int(self.store.get(f"shops/{self.domain}")["id"])

    def balance(self, customer_id: int | None = None) -> dict[str, int]:
        with self.app.db.reading() as session:
            return balance_of(session, self._row(session).shop_id, customer_id or self.customer())

    def member(self, customer_id: int | None = None) -> int:
        """The number their profile has in the admin."""
        with self.app.db.reading() as session:
            return members_of(session, self._row(session).shop_id, [customer_id or self.customer()]).popitem()[1]

    def points(self, customer_id: int | None = None) -> int:
        """Available and pending points less debt, once everything that is under way has been worked."""
        self.at_rest()
        figures = self.balance(customer_id)
        return figures["available"] + figures["pending"] - figures["debt"]

    def at_rest(self, *, seconds: float = PATIENCE_S) -> None:
        """Until no webhook is on its way, and the app has nothing to do now."""
        until = time.monotonic() + seconds
        while waiting := self._waiting():
            assert time.monotonic() < until, f"{self.domain} is not at rest: {waiting}"
            time.sleep(0.02)

    def _waiting(self) -> list[str]:
        sent = self.store.get("webhooks", limit=5)
        if sent["due"]:
            return [f"{each['topic']} {each['state']} {each['status']}" for each in sent["deliveries"]]
        now = self.app.clock()
        with self.app.db.reading() as session:
            shop = session.scalars(select(ShopRow.shop_id).where(ShopRow.domain == self.domain)).one_or_none()
            news = session.scalars(
                select(Delivery).where(Delivery.shop_id == shop, Delivery.state == DeliveryState.NEW)
            )
            jobs = session.scalars(select(Job).where(Job.shop_id == shop, Job.state == JobState.DUE, Job.due_at <= now))
            return [f"{each.topic} {each.tries} {each.outcome}" for each in news] + [
                f"{each.kind} {each.tries} {each.outcome}" for each in jobs
            ]

    def deliveries(self, topic: str | None = None) -> list[Delivery]:
        """In the order received."""
        with self.app.db.reading() as session:
            wanted = select(Delivery).where(Delivery.shop_id == self._row(session).shop_id)
            if topic:
                wanted = wanted.where(Delivery.topic == topic)
            return list(session.scalars(wanted.order_by(Delivery.received_at)))

    def jobs(self) -> list[Job]:
        with self.app.db.reading() as session:
            return list(session.scalars(select(Job).where(Job.shop_id == self._row(session).shop_id)))

    def metafield(self, key: str, owner: str | None = None) -> dict[str, Any] | None:
        """A metafield as Shopify has it: of a customer (GID), or of the app's installation."""
        found = self.store.get(f"shops/{self.domain}/metafields", **({"owner": owner} if owner else {}))
        return next((json.loads(item["value"]) for item in found if item["key"] == key), None)

    def member_metafield(self, customer_id: int | None = None) -> dict[str, Any] | None:
        return self.metafield("member", f"gid://shopify/Customer/{customer_id or self.customer()}")


def grants(shop: Shop, *, after: int = 0) -> list[tuple[str, str]]:
    """(grant, status) of every request for tokens."""
    return [(message["name"], message["status"]) for message in shop.said(after=after, kind="oauth")]


def asked(shop: Shop, *, after: int = 0) -> list[str]:
    """The Admin API's operations."""
    return [message["name"] for message in shop.said(after=after, kind="api")]


def token(shop: Shop) -> ShopToken:
    with shop.app.db.reading() as session:
        return session.scalars(select(ShopToken).where(ShopToken.shop_id == shop.row().shop_id)).one()


def adds_up(app: App) -> bool:
    """`flask ledger audit` is content."""
    done = app.command("ledger", "audit")
    assert done.exit_code == 0, done.output
    return bool(done.output == "Every number adds up.\n")


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def words_of(html: str) -> str:
    """What a page says, without its markup."""
    html = re.sub(r"<(script|style|template)\b.*?</\1>", " ", html, flags=re.S)
    return re.sub(r" ([.,])", r"\1", " ".join(re.sub(r"<[^>]+>", " ", html).split()))


@contextmanager
def running(database: Database, folder: Path, **settings: Any) -> Iterator[World]:
    """Both programs, until the block ends."""
    port = free_port()
    store = Store(folder, f"http://127.0.0.1:{port}")
    try:
        app = App(database, port, store, **settings)
        try:
            store.wait_until_ready()
            yield World(store, app)
        finally:
            app.stop()
    finally:
        store.stop()

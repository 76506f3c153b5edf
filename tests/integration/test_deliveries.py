"""Webhooks as they come on bad days: twice, in any order, late, and after the app was down."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from app.db import Database
from app.loyalty.views.balances import balance_of
from app.models import Shop as ShopRow

from ..conftest import API_KEY, API_SECRET, ENCRYPTION_KEY, SECRET_KEY
from ..support import problems
from .stores import ROOT, Store, eventually, free_port
from .worlds import Shop, World, adds_up

MUGS = ("cobalt-mug", 3)


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Shop:
    """On SQLite, or on the database the test asks for."""
    database = getattr(request, "param", "sqlite")
    world: World = request.getfixturevalue("world" if database == "sqlite" else "postgres_world")
    return world.shop()


def buy_and_change(shop: Shop) -> dict[int, int]:
    """Twelve orders of four customers, each with a life of its own. Returns customer → points, by hand."""
    names = ("ines", "tomas", "noor", "ada")
    people = [shop.customer(f"{name}@example.com") for name in names]
    for person in people:
        order = shop.order(MUGS, customer=person)
        shop.change(order, "refund", lines={"0": 1})  # 46
        order = shop.order(("supper-bowl-celadon", 2), customer=person, pay=False)
        shop.change(order, "pay")
        shop.change(order, "edit", quantities={"0": 1})  # 34
        order = shop.order(("teapot-ink", 1), customer=person)
        shop.change(order, "fulfil")
        if person in people[:2]:
            shop.change(order, "cancel")  # 0, else 69
    return {people[0]: 80, people[1]: 80, people[2]: 149, people[3]: 149}


def points_of(shop: Shop, wanted: dict[int, int]) -> dict[int, int]:
    shop.at_rest()
    return {customer: shop.balance(customer)["available"] for customer in wanted}


def test_each_delivery_three_times(shop: Shop) -> None:
    shop.store.webhooks(duplicates=2)
    try:
        wanted = buy_and_change(shop)
        assert points_of(shop, wanted) == wanted
    finally:
        shop.store.plainly()
    assert adds_up(shop.app)


@pytest.mark.parametrize(("shop", "seed"), [("sqlite", 1), ("postgresql", 2)], indirect=["shop"])
def test_held_for_a_while_then_all_at_once_in_any_order(shop: Shop, seed: int) -> None:
    shop.store.webhooks(hold=True, duplicates=1, seed=seed)
    try:
        wanted = buy_and_change(shop)
        shop.at_rest()
        assert points_of(shop, wanted) == dict.fromkeys(wanted, 0)
        shop.store.post("webhooks/release", shuffle=True)
        assert points_of(shop, wanted) == wanted
    finally:
        shop.store.plainly()
    # And all of it once more, for good measure.
    for delivery in shop.store.get("webhooks", shop=shop.domain, limit=30)["deliveries"]:
        shop.store.post(f"webhooks/{delivery['seq']}/resend")
    assert points_of(shop, wanted) == wanted
    assert adds_up(shop.app)


def test_what_could_not_be_asked_is_asked_again(world: World) -> None:
    """Edits carry no order. Shopify is busy, answers with a web page, with half an answer, and hangs up."""
    shop = world.shop()
    order = shop.order(MUGS)
    assert shop.points() == 69
    world.store.post("api/faults", next=["throttled", "html"])
    world.store.webhooks(drop_topics=["orders/updated", "refunds/create"], drop_percent=100)
    shop.change(order, "edit", quantities={"0": 1})
    eventually(lambda: shop.points() == 23, "the edit was found")
    assert adds_up(world.app)


class Served:
    """The app as it is deployed on one machine: ``flask serve``, granian and the worker in one process."""

    DOMAIN = "first.myshopify.com"

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder / 'regulars.db'}")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.store = Store(folder / "store", self.url, retry_scale=1)  # retries when told to
        self.environment = {
            **os.environ,
            "SHOPIFY_API_KEY": API_KEY, "SHOPIFY_API_SECRET": API_SECRET, "SHOPIFY_API_SECRET_OLD": "",
            "SECRET_KEY": SECRET_KEY, "ENCRYPTION_KEYS": ENCRYPTION_KEY, "APP_URL": self.url,
            "DATABASE_URL": f"sqlite:///{folder / 'regulars.db'}", "SHOPIFY_ORIGIN": self.store.origin,
        }  # fmt: skip
        self.store.wait_until_ready()
        self.process = self.start()

    def launch(self) -> None:
        """As the merchant does: open it, press Launch."""
        asked = self.store.get(f"shops/{self.DOMAIN}/launch")
        assert requests.get(asked["url"], timeout=20).status_code == 200
        bearer = {"Authorization": f"Bearer {asked['id_token']}"}
        form = {"preset": "starter"}
        answer = requests.post(f"{self.url}/admin/program/launch", data=form, headers=bearer, timeout=20)
        assert answer.status_code == 200

    def points_of(self, email: str) -> int:
        customers = self.store.get(f"shops/{self.DOMAIN}/customers")
        customer_id = next(customer["id"] for customer in customers if customer["email"] == email)
        with self.database.reading() as session:
            shop_id = session.scalars(select(ShopRow.shop_id).where(ShopRow.domain == self.DOMAIN)).one()
            return balance_of(session, shop_id, customer_id)["available"]

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", "serve", "--port", str(self.port)],
            env=self.environment, cwd=ROOT, start_new_session=True,
        )  # fmt: skip
        eventually(lambda: self.answers(), "the app answers", seconds=40)
        return process

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        """-9, the whole of it."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """SIGTERM: what is being worked on is finished."""
        self.process.terminate()
        return self.process.wait(30)


@pytest.fixture
def served(tmp_path: Path, sqlite_template: Path) -> Iterator[Served]:
    shutil.copy(sqlite_template, tmp_path / "regulars.db")
    served = Served(tmp_path)
    yield served
    if served.process.poll() is None:
        served.kill()
    served.store.stop()
    served.database.dispose()


def test_the_app_is_killed_and_comes_back(served: Served) -> None:
    """Nobody listens while orders are made; Shopify tries again, and everything is settled after the start."""
    store, shop = served.store, f"shops/{Served.DOMAIN}"
    store.post(f"{shop}/install")
    served.launch()
    line = {"product": "cobalt-mug", "quantity": 3}

    store.post(f"{shop}/orders", lines=[line], customer="ines@example.com")
    eventually(lambda: served.points_of("ines@example.com") == 69, "the first order is settled")
    served.kill()
    order = store.post(f"{shop}/orders", lines=[line], customer="ines@example.com")
    store.post(f"{shop}/orders/{order['id']}/refund", lines={"0": 1})
    eventually(lambda: "refused" in {d["status"] for d in store.get("webhooks")["deliveries"]}, "nobody listens")
    served.process = served.start()
    store.post("webhooks/retry")
    eventually(lambda: served.points_of("ines@example.com") == 69 + 46, "what was missed is settled", seconds=40)

    store.post(f"{shop}/orders/{order['id']}/refund", lines={"0": 1})
    assert served.stop() == 0
    served.process = served.start()
    store.post("webhooks/retry")
    eventually(lambda: served.points_of("ines@example.com") == 69 + 23, "the refund is settled", seconds=40)
    eventually(lambda: not store.get("webhooks")["due"], "everything was delivered")
    assert problems(served.database) == []

"""What webhooks lost, the sweep finds, all of it: 300 orders, one in twenty of their webhooks gone for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from app.errors import Throttled
from app.loyalty.reconcile import reconcile

from .stores import ROOT
from .worlds import Shop, World, adds_up

ORDERS = 300
BUYERS = 60
MUG = 23  # points: 28.00 − 4.86 = 23.14


@pytest.fixture
def shop(world: World, tmp_path: Path) -> Iterator[Shop]:
    """One webhook for each thing that happens, so that one that is lost is missed."""
    text = (ROOT / "shopify.app.toml").read_text(encoding="utf-8")
    fewer = tmp_path / "shopify.app.toml"
    text = re.sub(r'topics = \["orders/create".*\]', 'topics = ["orders/updated"]', text)
    fewer.write_text(text.replace('topics = ["refunds/create"]', 'topics = ["orders/delete"]'), encoding="utf-8")
    shop = world.shop()
    world.store.post("app/reload", app_toml=str(fewer))
    yield shop
    world.store.post("app/reload")


def trade(shop: Shop, random: Random) -> dict[int, int]:
    """300 orders; one in eight comes back in part, one in fifteen is cancelled. Returns customer → points."""
    buyers = [shop.do("customers", email=f"buyer{number}@example.com")["id"] for number in range(BUYERS)]
    wanted = dict.fromkeys(buyers, 0)
    for number in range(ORDERS):
        buyer = buyers[number % BUYERS]
        order = shop.order(("straw-mug", 2), customer=buyer, shipping=False)
        wanted[buyer] += 46
        fate = random.random()
        if fate < 1 / 8:
            shop.change(order, "refund", lines={"0": 1})
            wanted[buyer] -= 46 - MUG
        elif fate < 1 / 8 + 1 / 15:
            shop.change(order, "cancel")
            wanted[buyer] -= 46
    return wanted


def balances(shop: Shop, wanted: dict[int, int]) -> dict[int, int]:
    return {customer: shop.balance(customer)["available"] for customer in wanted}


def counted(output: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+) orders compared, (\d+) recovered\.\n", output)
    assert found is not None, output
    return int(found[1]), int(found[2])


def test_three_hundred_orders(world: World, shop: Shop) -> None:
    world.store.webhooks(drop_percent=5, seed=20261121, drop_topics=["orders/updated"])
    wanted = trade(shop, Random(20261121))
    shop.at_rest(seconds=60)
    world.store.webhooks(drop_percent=0)
    lost = world.store.get("webhooks", shop=shop.domain, state="dropped", limit=100)["deliveries"]
    missed = {customer for customer, points in balances(shop, wanted).items() if points != wanted[customer]}
    assert len(lost) >= 10 and len(missed) >= 8

    # The worker's own sweep breaks off in the middle: Shopify has a bad minute. What it found is kept.
    before = shop.now()
    world.store.post("api/faults", next=["ok"] * 5 + ["500"])
    with pytest.raises(Throttled):
        reconcile(world.app.runtime.access, shop.id)
    # An operator's waits when the query budget is used up, and when Shopify says so.
    world.store.post("api/faults", next=["throttled", "ok", "429", "ok", "throttled"])
    done = world.app.command("reconcile", "--shop", shop.domain)
    assert done.exit_code == 0, done.output
    seen, recovered = counted(done.output)
    shop.at_rest()
    assert balances(shop, wanted) == wanted
    assert seen == ORDERS
    asked = [message["name"] for message in shop.said(after=before, kind="api")]
    assert asked.count("OrderSightings") >= 3  # one run broke off, and 300 orders are two pages
    assert recovered

    assert counted(world.app.command("reconcile", "--shop", shop.domain).output) == (ORDERS, 0)
    assert counted(world.app.command("reconcile", "--shop", shop.domain).output) == (ORDERS, 0)
    assert balances(shop, wanted) == wanted
    assert adds_up(world.app)

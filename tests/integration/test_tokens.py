"""A shop's tokens while it stays: refreshed once, by one; lost, dead, kept alive; and their secret rotated."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from app.clock import utcnow
from app.db import Database
from app.errors import AccessRevoked
from app.jobs.worker import Worker
from app.loyalty.access import Access
from app.models import JobState, ShopToken
from app.shopify.shop import fetch_shop

from ..conftest import API_SECRET
from ..support import webhook_headers
from .stores import eventually
from .worlds import Shop, World, asked, grants, running, token

MUGS = ("cobalt-mug", 3)


def put_token_back(shop: Shop, by: timedelta) -> None:
    """The app's own dates of its token, as they are that much later."""
    with shop.app.db.transaction() as session:
        stored = session.get_one(ShopToken, shop.id)
        stored.access_expires_at -= by
        stored.refreshed_at -= by


def test_an_expired_token_is_refreshed_once(world: World) -> None:
    shop = world.shop()
    before = shop.now()
    shop.do("tokens/expire")
    shop.order(MUGS)
    eventually(lambda: (shop.member_metafield() or {}).get("available") == 69, "the storefront has the balance")
    assert grants(shop, after=before) == [("refresh_token", "200")]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_many_who_need_a_token_refresh_it_once(database: str, request: pytest.FixtureRequest) -> None:
    """Sixteen ask at the same moment: four workers' ways to Shopify, with nothing in common but the database."""
    world: World = request.getfixturevalue("world" if database == "sqlite" else "postgres_world")
    shop = world.shop()
    put_token_back(shop, timedelta(minutes=58))
    shop.do("tokens/expire")
    before, shop_id, common = shop.now(), shop.row().shop_id, world.app.runtime.access
    ways = [Access(common.db, common.origins, common.endpoint, common.http, utcnow) for _ in range(4)]
    with ThreadPoolExecutor(16) as pool:
        names = list(pool.map(lambda number: ways[number % 4].ask(shop_id, fetch_shop).shop_id, range(16)))
    assert names == [shop_id] * 16
    assert grants(shop, after=before) == [("refresh_token", "200")]
    assert asked(shop, after=before) == ["Shop"] * 16


def test_a_lost_answer_is_asked_for_again(world: World) -> None:
    """Shopify replaced the pair and the answer never came: the stored refresh token works once more."""
    shop = world.shop()
    before = shop.now()
    shop.do("tokens/expire")
    world.store.post("oauth/faults", next=["lost"])
    shop.order(MUGS)
    eventually(lambda: (shop.member_metafield() or {}).get("available") == 69, "the storefront has the balance")
    assert grants(shop, after=before)[-1] == ("refresh_token", "200")
    assert not token(shop).needs_reopening


def test_a_dead_refresh_token_waits_for_the_merchant_and_opening_heals_it(world: World) -> None:
    shop = world.shop()
    shop.do("tokens/expire", refresh=True)
    shop.order(MUGS)
    eventually(lambda: token(shop).needs_reopening, "the shop needs reopening")
    assert shop.points() == 69  # points need nobody's token
    parked = eventually(lambda: [job for job in shop.jobs() if job.state == JobState.PARKED], "the job is parked")
    assert parked[0].kind == "sync_members"
    before = shop.now()
    with pytest.raises(AccessRevoked) as refused:
        world.app.runtime.access.ask(shop.row().shop_id, fetch_shop)
    assert refused.value.code == "needs_reopening"
    assert shop.said(after=before) == []  # nobody asks with a token known to be dead
    assert shop.open().status_code == 200
    assert grants(shop, after=before) == [("token-exchange", "200")]
    eventually(lambda: (shop.member_metafield() or {}).get("available") == 69, "the storefront has the balance")
    shop.at_rest()
    assert shop.jobs() == []


def test_a_token_that_rests_is_kept_alive(world: World) -> None:
    shop = world.shop()
    put_token_back(shop, timedelta(days=6))
    before = shop.now()
    Worker(world.app.runtime.access).drain()  # a worker looks at the schedule when it starts
    shop.at_rest()
    assert grants(shop, after=before) == []
    put_token_back(shop, timedelta(days=1, minutes=5))
    Worker(world.app.runtime.access).drain()
    shop.at_rest()
    assert grants(shop, after=before) == [("refresh_token", "200")]
    assert utcnow() - token(shop).refreshed_at < timedelta(minutes=1)


def test_while_the_secret_is_rotated_both_are_good(sqlite_template: Path, tmp_path: Path) -> None:
    """Shopify signs with the old one, then with the new: webhooks, the app proxy, session tokens and the launch."""
    new = "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"  # made up for this test
    shutil.copy(sqlite_template, tmp_path / "regulars.db")
    database = Database(f"sqlite:///{tmp_path / 'regulars.db'}")
    with running(
        database, tmp_path / "store", shopify_api_secret=new, shopify_api_secret_old=API_SECRET
    ) as world:  # fmt: skip
        world.store.post("secret/rotate", secret=new)
        shop = world.shop()
        ines, order, points = shop.customer(), shop.order(("cobalt-mug", 4)), 92  # 112.00 − 19.44 = 92.56
        for signs_with in ("old", "new"):
            world.store.post("secret/sign_with", which=signs_with)
            assert shop.points() == points
            assert shop.asks(customer_id=ines).json()["member"]["available"] == points
            assert shop.open("/admin/members").status_code == 200
            shop.change(order, "refund", lines={"0": 1})
            points -= 23
        # The old one is revoked, and with it every token had by it: the app used the new one.
        world.store.post("secret/revoke_old")
        shop.change(order, "refund", lines={"0": 1})
        assert shop.points() == 23
        eventually(lambda: (shop.member_metafield() or {}).get("available") == 23, "the storefront has the balance")
        neither = webhook_headers("orders/paid", b"{}", domain=shop.domain, secret="shpss_neither_of_them_012345")
        assert requests.post(f"{world.app.url}/webhooks", data=b"{}", headers=neither, timeout=20).status_code == 401

"""One refresh, whoever asks: the lease on a shop's token (GAUNTLET G20, F8)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import requests

from app.errors import AccessRevoked, Throttled
from app.models import Shop, ShopToken
from app.shopify.client import AdminClient

from ..conftest import NOW, SHOP_ID
from ..support import access_for, add_shop
from .fake_shopify import FakeShopify

THREADS = 32


@pytest.fixture
def shopify() -> FakeShopify:
    return FakeShopify()


@pytest.fixture
def access(db, clock, shopify):
    add_shop(db)
    return access_for(db, clock, shopify.http())


def token(db) -> ShopToken:
    with db.reading() as session:
        return session.get_one(ShopToken, SHOP_ID)


def change_token(db, **columns: Any) -> None:
    with db.transaction() as session:
        stored = session.get_one(ShopToken, SHOP_ID)
        for name, value in columns.items():
            setattr(stored, name, value)


def ask_the_shop(client: AdminClient) -> dict[str, Any]:
    return client.execute("shop")


def all_at_once(work: Any) -> list[Any]:
    gate = Barrier(THREADS)

    def run(_: int) -> Any:
        gate.wait()
        return work()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def slow_refresh(name: str, asked: dict[str, Any]) -> None:
    if name == "refresh_token":
        time.sleep(0.2)


def test_a_token_that_lives_is_used_as_it_is(access, shopify):
    assert access.ask(SHOP_ID, ask_the_shop)["shop"]["name"] == "Saltmarsh Pottery"
    assert shopify.calls == ["Shop"]


def test_a_token_is_refreshed_five_minutes_before_it_dies(db, access, shopify):
    change_token(db, access_expires_at=NOW + timedelta(minutes=4, seconds=59))
    access.ask(SHOP_ID, ask_the_shop)
    assert shopify.calls == ["refresh_token", "Shop"]
    stored = token(db)
    assert (stored.access_token, stored.refresh_token, stored.token_version) == ("shpat_1", "shprt_shpat_1", 2)
    assert stored.lease_until is None
    assert stored.access_expires_at == NOW + timedelta(hours=1)


def test_thirty_two_threads_that_need_a_new_token_refresh_once(db, access, shopify):
    change_token(db, access_expires_at=NOW)
    shopify.trouble = slow_refresh
    assert len(all_at_once(lambda: access.ask(SHOP_ID, ask_the_shop))) == THREADS
    assert shopify.count("refresh_token") == 1
    assert token(db).token_version == 2


def test_thirty_two_threads_whose_token_was_revoked_refresh_once(db, access, shopify):
    shopify.access_tokens.clear()
    shopify.trouble = slow_refresh
    assert len(all_at_once(lambda: access.ask(SHOP_ID, ask_the_shop))) == THREADS
    assert shopify.count("refresh_token") == 1
    assert token(db).token_version == 2


def test_a_late_refusal_of_an_old_token_does_not_refresh_the_new_one(db, access, shopify):
    shopify.access_tokens.clear()
    asked = []

    def question(client: AdminClient) -> dict[str, Any]:
        if not asked:  # while the first question is on its way, another worker refreshes
            asked.append(client)
            access.refresh(SHOP_ID, even_if_fresh=True)
        return ask_the_shop(client)

    access.ask(SHOP_ID, question)
    assert shopify.count("refresh_token") == 1


def test_a_lost_answer_is_asked_for_again_with_the_same_refresh_token(db, access, shopify):
    change_token(db, access_expires_at=NOW)
    lost = []

    def lose_the_first(name: str, asked: dict[str, Any]) -> Exception | None:
        if name == "refresh_token" and not lost:
            lost.append(shopify._tokens(asked))  # Shopify did it; the answer never came
            return requests.ConnectionError("reset")
        return None

    shopify.trouble = lose_the_first
    with pytest.raises(Throttled):
        access.ask(SHOP_ID, ask_the_shop)
    assert token(db).lease_until is None
    access.ask(SHOP_ID, ask_the_shop)
    assert token(db).access_token == "shpat_1"


def test_a_worker_killed_during_a_refresh_blocks_nobody_for_longer_than_its_lease(db, clock, access, shopify):
    change_token(db, access_expires_at=NOW, lease_until=NOW + timedelta(seconds=90))
    clock.advance(seconds=91)
    access.ask(SHOP_ID, ask_the_shop)
    assert shopify.count("refresh_token") == 1


def test_a_refresh_token_that_died_needs_the_merchant(db, access, shopify):
    change_token(db, access_expires_at=NOW)
    shopify.refresh_tokens.clear()
    for _ in range(3):
        with pytest.raises(AccessRevoked):
            access.ask(SHOP_ID, ask_the_shop)
    assert shopify.calls == ["refresh_token"]  # asked once, then never again
    assert token(db).needs_reopening


def test_a_pair_exchanged_while_the_refresh_was_refused_is_used(db, access, shopify):
    change_token(db, access_expires_at=NOW)
    shopify.access_tokens.add("shpat_new")

    def reopened_meanwhile(name: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if name != "refresh_token":
            return None
        change_token(
            db, access_token="shpat_new", access_expires_at=NOW + timedelta(hours=1), token_version=2, lease_until=None
        )
        return 400, {"error": "invalid_grant"}

    shopify.trouble = reopened_meanwhile
    access.ask(SHOP_ID, ask_the_shop)
    assert not token(db).needs_reopening


def test_an_uninstalled_shop_is_never_asked(db, access, shopify):
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).uninstalled_at = NOW
    with pytest.raises(AccessRevoked):
        access.ask(SHOP_ID, ask_the_shop)
    assert shopify.calls == []


def test_tokens_are_not_readable_in_the_database(db, access):
    with db.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT access_token, refresh_token FROM shop_tokens").one()
    assert b"shp" not in bytes(row[0]) and b"shp" not in bytes(row[1])

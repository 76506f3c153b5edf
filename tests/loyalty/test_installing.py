"""A shop comes, comes back, changes what it grants, and goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.loyalty.install import open_app
from app.loyalty.programs import publish
from app.models import Job, Lane, Shop, ShopToken
from app.program.presets import preset

from ..conftest import DOMAIN, NOW, SHOP_ID
from ..support import access_for, add_shop, available, deliver, drain, jobs, order_body, outcomes, problems
from .fake_shopify import FakeShopify


@pytest.fixture
def shopify() -> FakeShopify:
    return FakeShopify()


@pytest.fixture
def access(db, clock, shopify):
    return access_for(db, clock, shopify.http())


def shop(db) -> Shop:
    with db.reading() as session:
        return session.get_one(Shop, SHOP_ID)


def uninstall(db, clock, access, triggered_at: Any) -> str:
    body = {"id": SHOP_ID, "myshopify_domain": DOMAIN, "shop_owner": "Ada", "at": str(triggered_at)}
    deliver(db, "app/uninstalled", body, now=clock(), triggered_at=triggered_at)
    drain(db, clock, access)
    clock.advance(seconds=2)
    return outcomes(db)[-1][2]


def test_the_first_opening_sets_the_shop_up(db, clock, access, shopify):
    assert open_app(access, DOMAIN, "a session token", now=clock()) == SHOP_ID
    found = shop(db)
    assert (found.domain, found.currency, found.timezone, found.scopes) == (
        DOMAIN, "EUR", "Europe/Berlin", "read_customers,read_orders,write_customers",
    )  # fmt: skip
    assert shopify.calls == ["token-exchange", "Shop"]
    drain(db, clock, access)
    assert {"MetafieldDefinitionCreate", "MetafieldsSet", "OrderSightings"} <= set(shopify.calls)
    assert jobs(db) == {}


def test_opening_again_asks_nobody(db, clock, access, shopify):
    open_app(access, DOMAIN, "a session token", now=clock())
    shopify.calls.clear()
    assert open_app(access, DOMAIN, "another", now=clock()) == SHOP_ID
    assert shopify.calls == []


def test_an_uninstall_ends_tokens_and_work(db, clock, access, shopify):
    open_app(access, DOMAIN, "a session token", now=clock())
    uninstall(db, clock, access, NOW + timedelta(minutes=1))
    shopify.calls.clear()
    clock.advance(minutes=2)
    with db.reading() as session:
        assert session.get(ShopToken, SHOP_ID) is None
        assert session.scalars(select(Job).where(Job.lane == "network")).all() == []
    drain(db, clock, access)
    clock.advance(days=30)
    drain(db, clock, access)
    assert shopify.calls == []
    assert not shop(db).is_installed


def test_a_late_uninstall_after_a_reinstall_is_ignored(db, clock, access):
    open_app(access, DOMAIN, "one", now=clock())
    clock.advance(hours=1)
    uninstall(db, clock, access, clock.now)
    clock.advance(hours=1)
    open_app(access, DOMAIN, "two", now=clock())
    late = uninstall(db, clock, access, NOW + timedelta(minutes=61))
    assert late == "Ignored: the app was installed again since."
    assert shop(db).is_installed


def test_a_reinstall_keeps_the_books(db, clock, access):
    add_shop(db, token=False)
    deliver(db, "orders/paid", order_body())
    drain(db, clock, access)
    clock.advance(hours=1)
    uninstall(db, clock, access, clock.now)
    clock.advance(hours=1)
    open_app(access, DOMAIN, "again", now=clock())
    drain(db, clock, access)
    assert available(db, 7001) == 28
    assert problems(db) == []


def test_balances_that_changed_without_a_token_reach_the_storefront_on_reopening(db, clock, access, shopify):
    add_shop(db, token=False)
    deliver(db, "orders/paid", order_body())
    drain(db, clock, access)
    clock.advance(seconds=2)
    drain(db, clock, access)
    assert shopify.member(7001) is None
    open_app(access, DOMAIN, "again", now=clock())
    drain(db, clock, access)
    assert shopify.member(7001)["available"] == 28


def test_a_domain_that_went_to_another_shop_belongs_to_the_newest_owner(db, clock):
    first, second = FakeShopify(), FakeShopify(shop_id=SHOP_ID + 1)
    open_app(access_for(db, clock, first.http()), DOMAIN, "one", now=clock())
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).uninstalled_at = clock()
    assert open_app(access_for(db, clock, second.http()), DOMAIN, "two", now=clock()) == SHOP_ID + 1
    with db.reading() as session:
        assert session.get_one(Shop, SHOP_ID).domain != DOMAIN


def test_scopes_are_noted_when_the_merchant_changes_them(db, clock, access):
    open_app(access, DOMAIN, "one", now=clock())
    drain(db, clock, access)
    clock.advance(seconds=2)
    body = {"id": 1, "shop_id": SHOP_ID, "previous": ["read_orders"], "current": ["write_customers", "read_orders"]}
    deliver(db, "app/scopes_update", {**body, "updated_at": NOW.isoformat()}, now=clock())
    drain(db, clock, access)
    assert shop(db).scopes == "read_orders,write_customers"


def test_a_token_that_rests_for_a_week_is_refreshed_to_keep_it_alive(db, clock, access, shopify):
    open_app(access, DOMAIN, "one", now=clock())
    drain(db, clock, access)
    clock.advance(days=6)
    drain(db, clock, access)
    assert shopify.count("refresh_token") == 1  # an hour's token, for the day's sweep
    shopify.calls.clear()
    clock.advance(days=8)
    drain(db, clock, access)
    with db.reading() as session:
        assert session.get_one(ShopToken, SHOP_ID).refreshed_at == clock()


def test_shop_update_reads_the_shop_again(db, clock, access, shopify):
    open_app(access, DOMAIN, "one", now=clock())
    drain(db, clock, access)
    clock.advance(seconds=2)
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).name = "Old name"
    body = {
        "id": SHOP_ID, "myshopify_domain": DOMAIN, "shop_owner": "Ada", "name": "Words of a body", "currency": "USD",
    }  # fmt: skip
    deliver(db, "shop/update", body, now=clock())
    drain(db, clock, access)
    assert (shop(db).name, shop(db).currency) == ("Saltmarsh Pottery", "EUR")


def test_a_version_that_waits_to_start_is_announced_after_a_reinstall_too(db, clock, access, shopify):
    """Its job went with the uninstall; the storefront would show the old rate until somebody published again."""
    add_shop(db)
    with db.transaction() as session:
        double = preset("starter-double", "EUR")
        starts_at = NOW + timedelta(days=2)
        publish(session, session.get_one(Shop, SHOP_ID), double, author="a", now=clock(), starts_at=starts_at)
    drain(db, clock, access)
    clock.advance(hours=1)
    uninstall(db, clock, access, clock())
    assert not any(job.lane == Lane.NETWORK for job in jobs(db).values())
    open_app(access, DOMAIN, "a session token", now=clock())
    drain(db, clock, access)
    assert shopify.metafields["gid://shopify/AppInstallation/9", "program"]["earn"]["points"] == 1
    clock.advance(days=2)
    drain(db, clock, access)
    assert shopify.metafields["gid://shopify/AppInstallation/9", "program"]["earn"]["points"] == 2

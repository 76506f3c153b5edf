"""The law's three webhooks, by the dev store's own buttons."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import requests
from sqlalchemy import select, text

from app.db import Base
from app.models import DeliveryState
from app.models import Shop as ShopRow

from .stores import eventually
from .worlds import Shop, World, adds_up, words_of

MUGS = ("cobalt-mug", 3)


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest) -> Shop:
    world: World = request.getfixturevalue("world" if request.param == "sqlite" else "postgres_world")
    return world.shop()


def rows_of(shop: Shop, shop_id: int) -> dict[str, int]:
    """Table → rows that are this shop's."""
    with shop.app.db.reading() as session:
        return {
            table.name: number
            for table in Base.metadata.sorted_tables
            if "shop_id" in table.c
            and (number := session.scalar(text(f"SELECT count(*) FROM {table.name} WHERE shop_id = {shop_id}")))
        }


def test_a_data_request_waits_with_its_date_and_its_answer(world: World) -> None:
    shop = world.shop()
    ines = shop.customer()
    order = shop.order(MUGS)
    shop.change(order, "refund", lines={"0": 1})
    assert shop.points() == 46
    shop.do(f"customers/{ines}/data_request")
    shop.at_rest()
    page = shop.open("/admin/privacy").text
    due = datetime.now(ZoneInfo("Europe/Amsterdam")) + timedelta(days=30)  # as the shop's own calendar has it
    assert "Ines Duarte" in page and "30 days left" in words_of(page)
    assert f"{due.day} " in words_of(page)
    link = next(part.split('"')[0] for part in page.split('href="')[1:] if "/download" in part.split('"')[0])
    answer = shop.open(link)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    said = answer.json()
    assert said["customer_id"] == ines
    assert "Order #1001" in answer.text or "#1001" in answer.text
    assert "Downloaded on" in words_of(shop.open("/admin/privacy").text)
    # Another shop's merchant finds nothing under that number.
    assert world.shop().open(link).status_code == 404


def test_a_customer_is_forgotten(shop: Shop) -> None:
    ines, tomas = shop.customer(), shop.customer("tomas@example.com")
    shop.order(MUGS)
    shop.order(("straw-mug", 1), customer=tomas)
    assert (shop.points(ines), shop.points(tomas)) == (69, 23)
    eventually(shop.member_metafield, "the storefront has the balance")
    shop.do(f"customers/{ines}/redact")
    shop.at_rest()
    assert shop.points(ines) == 0
    assert shop.points(tomas) == 23
    with shop.app.db.reading() as session:
        for table in Base.metadata.sorted_tables:
            if "shop_id" in table.c and table.name not in ("lots", "entries", "balances", "day_totals"):
                rows = session.execute(select(table).where(table.c.shop_id == shop.id)).all()
                assert str(ines) not in str(rows), table.name
                assert "ines@" not in str(rows).lower(), table.name
    # What comes late about them stores nothing of them, and gives nobody points.
    shop.order(MUGS)
    shop.at_rest()
    assert shop.asks(customer_id=ines).json()["member"]["available"] == 0
    assert adds_up(shop.app)


def test_a_shop_is_erased_48_hours_after_it_left(shop: Shop) -> None:
    shop.order(MUGS)
    assert shop.points() == 69
    other = shop.world.shop()
    other.order(MUGS)
    assert other.points() == 69
    gone_id, other_id = shop.id, other.id
    shop.do("uninstall")
    shop.at_rest()
    assert rows_of(shop, gone_id)["entries"] == 1  # kept until Shopify asks
    began = time.monotonic()
    shop.do("redact")
    eventually(lambda: rows_of(shop, gone_id) == {}, "everything is erased", seconds=45)
    assert time.monotonic() - began < 45
    with shop.app.db.reading() as session:
        assert session.scalars(select(ShopRow).where(ShopRow.domain == shop.domain)).all() == []
    assert other.points() == 69
    assert rows_of(shop, other_id)["entries"] == 1
    assert adds_up(shop.app)
    # Somebody who comes back is new.
    shop.install()
    assert shop.open().status_code == 200
    shop.at_rest()
    assert shop.points() == 0


def test_the_erasure_of_a_shop_that_came_back_is_held(world: World) -> None:
    shop = world.shop()
    shop.order(MUGS)
    assert shop.points() == 69
    shop.do("uninstall")
    shop.at_rest()
    shop.install()
    assert shop.open().status_code == 200
    shop.do("redact", even_if_installed=True)
    shop.at_rest()
    held = shop.deliveries("shop/redact")
    assert [(item.state, item.outcome) for item in held] == [(DeliveryState.PARKED, "held: the shop is installed")]
    assert shop.points() == 69
    assert "held: the shop is installed" in words_of(shop.open("/admin/activity").text)
    # Replayed while it is still installed, it is held again; the one that follows a new uninstall is carried out.
    shop.press("/admin/deliveries/replay-all")
    shop.at_rest()
    assert shop.deliveries("shop/redact")[0].state == DeliveryState.PARKED
    shop.do("uninstall")
    shop.at_rest()
    assert rows_of(shop, shop.id)["entries"] == 1
    shop.do("redact")
    eventually(lambda: rows_of(shop, shop.id) == {}, "everything is erased", seconds=45)


def test_nothing_of_it_is_public(world: World) -> None:
    for path in ("/admin/privacy", "/admin/privacy/1/download", "/admin/members"):
        assert requests.get(world.app.url + path, timeout=20).status_code == 401

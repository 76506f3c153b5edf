"""Rewards at Shopify, end to end: made ahead, redeemed through the storefront, put on an order, let go again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.db import Database
from app.ledger import Lot
from app.loyalty.release import reissue
from app.program.rewards import Reward, RewardProduct, Steps

from .rewarding import (
    OFF,
    all_codes,
    ask_for,
    cancel,
    codes_of,
    discounts,
    earn,
    figures,
    id_of,
    let_it_be_certain,
    offer,
    pass_time,
    polled,
    redeem,
    row_of,
    shop_with,
)
from .stores import eventually
from .worlds import Shop, World, adds_up, asked, running

PERCENT = Reward(slot="percent", kind="percentage", points=50, percent=10)
SHIPPING = Reward(slot="ship", kind="free_shipping", points=30)
SLIDER = Reward(slot="slide", kind="amount_off", points=10, amount_minor=100, steps=Steps(least=2, most=20))
CARD = Reward(slot="card", kind="gift_card", points=200, amount_minor=1000)
CREDIT = Reward(slot="credit", kind="store_credit", points=200, amount_minor=1000)


@pytest.fixture(scope="module")
def of_rewards(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of its own, since its clock is moved by months."""
    folder = tmp_path_factory.mktemp("rewards")
    shutil.copy(sqlite_template, folder / "regulars.db")
    with running(Database(f"sqlite:///{folder / 'regulars.db'}"), folder / "store") as world:
        yield world


@pytest.fixture
def world(of_rewards: World) -> Iterator[World]:
    """In the middle of a month: at the end of one the next month's pools are made, too."""
    now = of_rewards.app.clock()
    if now.day > 20:
        of_rewards.store.move_clock(days=(now.replace(day=1) + timedelta(days=41) - now).days)
    yield of_rewards
    of_rewards.store.plainly()


def used_by(shop: Shop, code: str, **more: object) -> dict:
    """An order of one mug, placed with the code."""
    order = shop.order(("straw-mug", 2), code=code, **more)
    shop.at_rest()
    return order


def test_a_pool_is_made_ahead_and_redeeming_takes_a_code_at_once(world: World) -> None:
    shop = shop_with(world, OFF)
    (key,) = discounts(shop)
    discount = discounts(shop)[key]
    assert (discount["amount_minor"], discount["usage_limit"], discount["status"]) == (500, 1, "active")
    assert key.startswith(f"{id_of(OFF)}-500-20")
    pool = codes_of(shop, discount)
    assert len(pool) == 20
    earn(shop, 100)
    before = shop.now()

    answer = ask_for(shop, OFF)
    assert (answer.status_code, answer.json()["state"]) == (201, "issued")
    assert answer.json()["code"] in pool
    shop.at_rest()
    assert "DiscountCodesAdd" not in asked(shop, after=before)
    assert figures(shop) == (0, 100)
    document = shop.member_metafield()
    assert document is not None and document["available"] == 0

    order = used_by(shop, answer.json()["code"])
    assert order["order"]["discount_codes"] == [
        {"code": answer.json()["code"], "amount": "5.00", "type": "fixed_amount"}
    ]
    redemption = row_of(shop, answer.json()["id"])
    assert (str(redemption.state), redemption.order_id, redemption.cost_minor) == ("used", order["id"], 500)
    assert figures(shop)[1] == 0
    assert adds_up(world.app)


@pytest.mark.parametrize(
    ("reward", "points", "taken_off"),
    [
        (PERCENT, None, 560),  # of two mugs, 56.00
        (SHIPPING, None, 495),
        (SLIDER, 70, 700),
    ],
)
def test_codes_of_every_kind_do_what_was_promised(world: World, reward: Reward, points: int, taken_off: int) -> None:
    shop = shop_with(world, reward)
    earn(shop, 100)
    plain = shop.order(("straw-mug", 2))
    shop.at_rest()
    earned = figures(shop)[0]
    redemption = redeem(shop, reward, points=points)
    assert redemption["state"] == "issued"
    order = used_by(shop, redemption["code"])
    assert plain["total_minor"] - order["total_minor"] == taken_off
    assert polled(shop, redemption["id"])["state"] == "used"
    assert row_of(shop, redemption["id"]).cost_minor == taken_off
    assert figures(shop)[0] >= earned - redemption["points"] and figures(shop)[1] == 0


def test_a_product_is_free_once(world: World) -> None:
    shop = world.shop(launched=False)
    product = next(p for p in shop.store.get(f"shops/{shop.domain}/products") if p["handle"] == "straw-mug")
    free = RewardProduct(
        product_id=product["id"], variant_id=product["variants"][0]["id"], title="Straw mug", price_minor=2800
    )
    mug = Reward(slot="mug", kind="free_product", points=90, product=free)
    offer(shop, mug)
    earn(shop, 90)
    redemption = redeem(shop, mug)
    assert redemption["variant_id"] == free.variant_id
    order = shop.order(("straw-mug", 3), ("side-plate-ash", 1), code=redemption["code"])
    shop.at_rest()
    assert order["order"]["total_discounts"] == "28.00"
    assert row_of(shop, redemption["id"]).cost_minor == 2800


def test_a_product_that_costs_more_than_when_it_was_chosen_is_free_all_the_same(world: World) -> None:
    shop = world.shop(launched=False)
    product = next(p for p in shop.store.get(f"shops/{shop.domain}/products") if p["handle"] == "straw-mug")
    chosen = RewardProduct(
        product_id=product["id"], variant_id=product["variants"][0]["id"], title="Straw mug", price_minor=2500
    )
    mug = Reward(slot="mug", kind="free_product", points=90, product=chosen)
    offer(shop, mug)
    (discount,) = discounts(shop).values()
    assert discount["amount_minor"] == 2800
    earn(shop, 90)
    redemption = redeem(shop, mug)
    assert redemption["code"] in codes_of(shop, discount)
    order = shop.order(("straw-mug", 1), code=redemption["code"])
    assert order["order"]["total_discounts"] == "28.00"


def test_a_slider_is_made_on_demand_and_each_amount_is_one_discount(world: World) -> None:
    shop = shop_with(world, SLIDER)
    assert discounts(shop) == {}
    earn(shop, 200)
    answer = ask_for(shop, SLIDER, points=20)
    assert (answer.status_code, answer.json()["state"], answer.json()["code"]) == (202, "reserved", None)
    shop.at_rest()
    first = polled(shop, answer.json()["id"])
    assert first["state"] == "issued" and len(first["code"]) == 13
    redeem(shop, SLIDER, points=20)
    redeem(shop, SLIDER, points=150)
    made = discounts(shop)
    assert sorted(discount["amount_minor"] for discount in made.values()) == [200, 1500]
    assert len(all_codes(shop)) == 3
    assert ask_for(shop, SLIDER, points=15).status_code == 422


def test_a_gift_card_and_store_credit_are_handed_out_once(world: World) -> None:
    shop = shop_with(world, CARD, CREDIT, optional=True)
    ines = shop.customer()
    earn(shop, 400)
    card = redeem(shop, CARD)
    assert (card["state"], len(card["code"])) == ("used", 16)
    (made,) = shop.store.get(f"shops/{shop.domain}/gift_cards", customer=ines)
    assert (made["code"], made["balance_minor"], made["note"]) == (card["code"], 1000, f"Regulars {card['id']}")
    credit = redeem(shop, CREDIT)
    assert (credit["state"], credit["code"]) == ("used", None)
    (account,) = shop.store.get(f"shops/{shop.domain}/store_credit", customer=ines)
    assert account["balance_minor"] == 1000
    assert figures(shop) == (0, 0)
    assert adds_up(world.app)


def test_without_the_scope_the_points_come_back_with_the_reason(world: World) -> None:
    shop = shop_with(world, CARD)
    earn(shop, 200)
    redemption = redeem(shop, CARD)
    assert (redemption["state"], redemption["why"]) == ("released", "not_made")
    assert "write_gift_cards" in row_of(shop, redemption["id"]).problem
    assert figures(shop) == (200, 0)
    # The merchant agrees, and the same shopper asks again.
    shop.do("grant_optional", scopes=["write_gift_cards"])
    shop.at_rest()
    assert redeem(shop, CARD)["state"] == "used"


def test_a_cancelled_reward_is_deleted_and_its_points_come_back(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 100)
    redemption = redeem(shop, OFF)
    assert cancel(shop, redemption["id"]).json()["state"] == "releasing"
    shop.at_rest()
    assert redemption["code"] not in all_codes(shop)
    assert (polled(shop, redemption["id"])["state"], figures(shop)) == ("releasing", (0, 100))
    let_it_be_certain(shop)
    assert (polled(shop, redemption["id"])["state"], figures(shop)) == ("released", (100, 0))
    assert cancel(shop, redemption["id"]).json()["state"] == "released"
    assert adds_up(world.app)


def test_an_order_placed_while_it_is_let_go_uses_it(world: World) -> None:
    """The code is on an order before it is deleted; the webhooks of that order are lost, so only the sweep finds it."""
    shop = shop_with(world, OFF)
    earn(shop, 100)
    redemption = redeem(shop, OFF)
    shop.store.webhooks(drop_percent=100, drop_topics=["orders/create", "orders/paid", "orders/updated"])
    order = shop.order(("straw-mug", 2), code=redemption["code"])
    assert cancel(shop, redemption["id"]).status_code == 200
    shop.at_rest()
    shop.store.webhooks(drop_percent=0, drop_topics=[])
    let_it_be_certain(shop)
    assert polled(shop, redemption["id"])["state"] == "used"
    assert row_of(shop, redemption["id"]).order_id == order["id"]
    assert figures(shop) == (42, 0)


def test_an_order_whose_webhooks_are_late_uses_it_all_the_same(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 100)
    redemption = redeem(shop, OFF)
    shop.store.webhooks(hold=True)
    shop.order(("straw-mug", 2), code=redemption["code"])
    pass_time(shop, minutes=30)
    assert cancel(shop, redemption["id"]).status_code == 200
    pass_time(shop, minutes=10)
    assert polled(shop, redemption["id"])["state"] == "used"
    shop.store.webhooks(hold=False)
    shop.store.post("webhooks/release")
    shop.at_rest()
    assert (polled(shop, redemption["id"])["state"], figures(shop)) == ("used", (42, 0))


def test_an_order_that_shows_a_released_code_takes_the_points_again(world: World) -> None:
    """The merchant makes the code once more by hand, for a shopper who complained that it was gone."""
    shop = shop_with(world, OFF)
    earn(shop, 100)
    redemption = redeem(shop, OFF)
    cancel(shop, redemption["id"])
    let_it_be_certain(shop)
    assert figures(shop) == (100, 0)
    shop.do("discounts", title="Sorry", kind="fixed_amount", amount_minor=500, code=redemption["code"])
    used_by(shop, redemption["code"])
    row = row_of(shop, redemption["id"])
    assert (str(row.state), row.after_all, "taken again" in row.problem) == ("used", True, True)
    assert figures(shop) == (42, 0)
    assert adds_up(world.app)


def test_somebody_elses_order_spends_it_and_the_merchant_sees_that(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 100)
    redemption = redeem(shop, OFF)
    used_by(shop, redemption["code"].lower(), customer="tomas@example.com")
    row = row_of(shop, redemption["id"])
    assert (str(row.state), row.by_other) == ("used", True)
    assert figures(shop) == (0, 0)


def test_returning_the_order_returns_the_points_in_proportion(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 100)
    redemption = redeem(shop, OFF)
    order = used_by(shop, redemption["code"])
    assert figures(shop) == (42, 0)
    shop.change(order, "refund", lines={"0": 1})
    shop.at_rest()
    assert (row_of(shop, redemption["id"]).given_back, figures(shop)) == (50, (71, 0))
    shop.change(order, "cancel")
    shop.at_rest()
    assert (row_of(shop, redemption["id"]).given_back, figures(shop)) == (100, (100, 0))
    assert adds_up(world.app)


def test_an_unused_reward_expires_is_deleted_and_its_points_return_to_their_lots(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 60)
    earn(shop, 60)
    lots = lots_of(shop)
    redemption = redeem(shop, OFF)
    until = row_of(shop, redemption["id"]).expires_at
    assert until is not None
    left = until - world.app.clock()
    assert timedelta(days=30) < left <= timedelta(days=31)
    pass_time(shop, seconds=int(left.total_seconds()) - 60)
    assert polled(shop, redemption["id"])["state"] == "issued"
    assert redemption["code"] in all_codes(shop)
    pass_time(shop, seconds=120)
    eventually(lambda: polled(shop, redemption["id"])["why"] == "expired", "it has expired")
    eventually(lambda: redemption["code"] not in all_codes(shop), "nobody can use it")
    let_it_be_certain(shop)
    assert (polled(shop, redemption["id"])["state"], figures(shop)) == ("released", (120, 0))
    assert lots_of(shop) == lots
    assert adds_up(world.app)


def test_a_reissued_reward_has_another_code_and_the_old_one_is_gone(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 100)
    redemption = redeem(shop, OFF)
    with shop.app.db.transaction() as session:
        reissue(session, shop.id, redemption["id"], by="staff 1", now=shop.app.clock())
    let_it_be_certain(shop)
    after = polled(shop, redemption["id"])
    assert (after["state"], figures(shop)) == ("issued", (0, 100))
    assert after["code"] != redemption["code"] and after["code"] in all_codes(shop)
    assert redemption["code"] not in all_codes(shop)
    used_by(shop, after["code"])
    assert polled(shop, redemption["id"])["state"] == "used"
    assert adds_up(world.app)


def test_a_replaced_code_that_is_used_all_the_same_takes_the_new_one_out_of_the_world(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 100)
    redemption = redeem(shop, OFF)
    with shop.app.db.transaction() as session:
        reissue(session, shop.id, redemption["id"], by="staff 1", now=shop.app.clock())
    let_it_be_certain(shop)
    new = polled(shop, redemption["id"])["code"]
    shop.do("discounts", title="Sorry", kind="fixed_amount", amount_minor=500, code=redemption["code"])
    used_by(shop, redemption["code"])
    shop.at_rest()
    assert polled(shop, redemption["id"])["state"] == "used"
    assert new not in all_codes(shop)
    assert adds_up(world.app)


def test_a_new_month_has_a_discount_of_its_own_and_leaves_nothing_of_the_old_one(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 300)
    first = redeem(shop, OFF)
    (old,) = discounts(shop)
    pass_time(shop, days=31)
    second = redeem(shop, OFF)
    made = discounts(shop)
    new = next(key for key in made if key != old and second["code"] in codes_of(shop, made[key]))
    assert codes_of(shop, made[old]) <= {first["code"]}  # of the past month only what somebody has
    assert new > old
    pass_time(shop, days=40)
    eventually(lambda: polled(shop, second["id"])["why"] == "expired", "it has expired")
    let_it_be_certain(shop)
    pass_time(shop, days=1)
    assert discounts(shop) == {}  # they ended, none of their codes is out, and nobody asked for one in a month
    assert {polled(shop, each["id"])["state"] for each in (first, second)} == {"released"}
    assert figures(shop) == (300, 0)
    assert ask_for(shop, OFF).status_code == 202  # from now on it is made on demand
    shop.at_rest()
    assert (len(discounts(shop)), len(all_codes(shop))) == (1, 1)
    assert adds_up(world.app)


def test_a_merchant_who_deletes_the_discount_takes_nobodys_points(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 300)
    held = redeem(shop, OFF)
    (discount,) = discounts(shop).values()
    assert shop.store.http.delete(f"{shop.store.root}/-/control/shops/{shop.domain}/discounts/{discount['id']}").ok
    cancel(shop, held["id"])
    let_it_be_certain(shop)
    assert (polled(shop, held["id"])["state"], figures(shop)) == ("released", (300, 0))


def test_a_discount_that_was_deleted_is_made_anew_and_everybody_has_a_code_that_works(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 300)
    out = redeem(shop, OFF)
    (key,) = discounts(shop)
    old = discounts(shop)[key]
    shop.store.move_clock(minutes=15)
    assert shop.store.http.delete(f"{shop.store.root}/-/control/shops/{shop.domain}/discounts/{old['id']}").ok
    pass_time(shop, days=1)
    assert "deleted its code" in row_of(shop, out["id"]).problem
    let_it_be_certain(shop)
    after = polled(shop, out["id"])
    new = discounts(shop)[key]
    assert new["id"] != old["id"]
    assert after["state"] == "issued" and after["code"] != out["code"] and after["code"] in codes_of(shop, new)
    assert redeem(shop, OFF)["code"] in codes_of(shop, new)
    used_by(shop, after["code"])
    assert polled(shop, out["id"])["state"] == "used"
    assert adds_up(world.app)


def test_terms_that_are_offered_no_more_leave_only_the_codes_that_are_out(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 300)
    out = redeem(shop, OFF)
    changed = OFF.model_copy(update={"valid_days": 60})
    offer(shop, changed)
    pass_time(shop, days=1)
    eventually(lambda: len(all_codes(shop)) == 21, "a new pool, and one code of the old")
    assert codes_of(shop, discounts(shop)[row_of(shop, out["id"]).discount_key]) == {out["code"]}
    assert len(redeem(shop, changed)["code"]) == 13
    used_by(shop, out["code"])
    assert polled(shop, out["id"])["state"] == "used"
    assert adds_up(world.app)


def test_a_merchant_who_deletes_a_code_has_it_replaced(world: World) -> None:
    shop = shop_with(world, OFF)
    earn(shop, 100)
    redemption = redeem(shop, OFF)
    assert shop.store.http.delete(f"{shop.store.root}/-/control/shops/{shop.domain}/codes/{redemption['code']}").ok
    with shop.app.db.transaction() as session:
        reissue(session, shop.id, redemption["id"], by="staff 1", now=shop.app.clock())
    let_it_be_certain(shop)
    after = polled(shop, redemption["id"])
    assert after["state"] == "issued" and after["code"] in all_codes(shop)


def test_a_code_that_a_merchant_has_is_left_alone(world: World) -> None:
    """Every code we draw is taken by the merchant a moment earlier; others are drawn until some are free."""
    world.store.post("api/faults", next=["taken"], by_operation={"DiscountCodesAdd": {"next": ["taken", "partial"]}})
    shop = shop_with(world, OFF)
    assert len(discounts(shop)) == 1
    (discount,) = discounts(shop).values()
    theirs = {d["title"] for d in shop.store.get(f"shops/{shop.domain}/discounts") if "regulars" not in d["tags"]}
    assert len(theirs) > 3
    assert 10 <= len(codes_of(shop, discount)) <= 21
    earn(shop, 100)
    assert redeem(shop, OFF)["code"] in codes_of(shop, discount)


def lots_of(shop: Shop) -> list[tuple[str, int, datetime | None]]:
    with shop.app.db.reading() as session:
        rows = session.execute(
            select(Lot.lot, Lot.available, Lot.expires_at).where(Lot.shop_id == shop.id).order_by(Lot.lot)
        )
        return [tuple(row) for row in rows]

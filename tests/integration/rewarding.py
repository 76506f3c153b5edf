"""What tests of rewards do with a shop of `worlds`: offer, earn, redeem as the storefront does, see Shopify's side."""

from __future__ import annotations

import uuid
from typing import Any

import requests

from app.jobs.schedule import ask_for_due_work
from app.loyalty.programs import publish
from app.models import Redemption
from app.program.presets import preset
from app.program.rewards import Reward, reward_id

from .worlds import Shop, World

OFF = Reward(slot="off", kind="amount_off", points=100, amount_minor=500)
OPTIONAL = ["write_gift_cards", "write_store_credit_account_transactions", "read_store_credit_accounts"]


def shop_with(world: World, *rewards: Reward, optional: bool = False) -> Shop:
    """A new shop that offers these rewards from now on, its pools filled. ``optional``: with the scopes for cards."""
    shop = world.shop(launched=False)
    if optional:
        shop.do("grant_optional", scopes=OPTIONAL)
    offer(shop, *rewards)
    return shop


def offer(shop: Shop, *rewards: Reward) -> None:
    """Publish a version of the starter program with these rewards, and wait until that is known everywhere."""
    with shop.app.db.transaction() as session:
        row = shop._row(session)
        settings = preset("starter", row.currency).model_copy(update={"rewards": rewards})
        publish(session, row, settings, author="test", now=shop.app.clock())
    shop.at_rest()


def id_of(reward: Reward) -> str:
    return reward_id(reward, "EUR")


def earn(shop: Shop, points: int, email: str = "ines@example.com") -> None:
    """An order worth exactly so many points: Dutch prices hold 21 % tax."""
    shop.order(("straw-mug", 1, points * 121), customer=email)
    shop.at_rest()


def ask_for(shop: Shop, reward: Reward, *, points: int | None = None, key: str = "", who: int = 0) -> requests.Response:
    """What the panel sends through the app proxy."""
    body = {"reward_id": id_of(reward), "key": key or uuid.uuid4().hex, "points": points}
    address = f"{shop.store.root}/{shop.domain}/apps/regulars/redemptions"
    return shop.shopper(who or shop.customer()).post(address, json=body, timeout=20)


def redeem(shop: Shop, reward: Reward, **more: Any) -> dict[str, Any]:
    """A redemption whose code, card or credit is there."""
    answer = ask_for(shop, reward, **more)
    assert answer.status_code in (201, 202), answer.text
    shop.at_rest()
    return polled(shop, answer.json()["id"], who=more.get("who", 0))


def polled(shop: Shop, redemption_id: str, *, who: int = 0) -> dict[str, Any]:
    """The redemption as its owner sees it."""
    answer = shop.asks(f"redemptions/{redemption_id}", who or shop.customer())
    assert answer.ok, answer.text
    return answer.json()  # type: ignore[no-any-return]


def cancel(shop: Shop, redemption_id: str, *, who: int = 0) -> requests.Response:
    address = f"{shop.store.root}/{shop.domain}/apps/regulars/redemptions/{redemption_id}/cancel"
    return shop.shopper(who or shop.customer()).post(address, timeout=20)


def pass_time(shop: Shop, **by: float) -> None:
    """Move both programs' clock, ask for what that made due, as the worker does once a minute, and wait for it."""
    shop.store.move_clock(**by)
    with shop.app.db.transaction() as session:
        ask_for_due_work(session, now=shop.app.clock())
    shop.at_rest()


def let_it_be_certain(shop: Shop) -> None:
    """A minute after a code is gone, orders are looked through, and the points come back."""
    shop.at_rest()
    pass_time(shop, seconds=61)


def discounts(shop: Shop) -> dict[str, dict[str, Any]]:
    """Ours, as Shopify has them, by our key."""
    found = shop.store.get(f"shops/{shop.domain}/discounts")
    return {
        next(tag.removeprefix("regulars-") for tag in discount["tags"] if tag.startswith("regulars-")): discount
        for discount in found
        if "regulars" in discount["tags"]
    }


def codes_of(shop: Shop, discount: dict[str, Any]) -> set[str]:
    found = shop.store.get(f"shops/{shop.domain}/discounts/{discount['id']}/codes", limit=100_000)
    return {code["code"] for code in found}


def all_codes(shop: Shop) -> set[str]:
    return {code for discount in discounts(shop).values() for code in codes_of(shop, discount)}


def figures(shop: Shop, who: int = 0) -> tuple[int, int]:
    """(available, reserved)"""
    balance = shop.balance(who or shop.customer())
    return balance["available"], balance["reserved"]


def row_of(shop: Shop, redemption_id: str) -> Redemption:
    """The redemption as the books know it."""
    with shop.app.db.reading() as session:
        return session.get_one(Redemption, (shop.id, redemption_id))

"""A shop whose pools are filled by a `ShopifyWithDiscounts`, and what tests of pools do with it and look at."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import select

from app.jobs.queue import enqueue
from app.loyalty.access import Access
from app.loyalty.programs import publish
from app.models import Code, CodeState, Discount, Lane, Redemption, Shop
from app.program.presets import preset
from app.program.rewards import Reward, RewardProduct, reward_id

from ..conftest import NOW, SHOP_ID
from ..rewarding import redeemed
from ..support import access_for, add_shop, deliver, drain, order_body
from .fake_discounts import ShopifyWithDiscounts

NORA = 7001
OFF = Reward(slot="five", kind="amount_off", points=100, amount_minor=500)
MUG = Reward(
    slot="mug", kind="free_product", points=90,
    product=RewardProduct(product_id=11, variant_id=12, title="Ash mug", price_minor=2800),
)  # fmt: skip


def shop_with(db, clock, shopify: ShopifyWithDiscounts, *rewards: Reward) -> Access:
    """A shop that offers these, with a member who has 10,000 points, and all that was to be made made."""
    add_shop(db, installed=NOW)  # so that no sweep is due by itself
    deliver(db, "orders/paid", order_body(1, customer_id=NORA, lines=[("10000.00", 1)]), now=clock())
    drain(db, clock)
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).reconciled_at = clock() + timedelta(days=365)
    access = access_for(db, clock, shopify.http())
    offer(db, clock, *rewards)
    work(db, clock, access)
    return access


def offer(db, clock, *rewards: Reward, starts_at: datetime | None = None) -> None:
    with db.transaction() as session:
        settings = preset("starter", "EUR").model_copy(update={"rewards": rewards})
        shop = session.get_one(Shop, SHOP_ID)
        publish(session, shop, settings, author="test", now=clock(), starts_at=starts_at)


def work(db, clock, access, **later: float) -> None:
    if later:
        clock.advance(**later)
    drain(db, clock, access)


def redeem(db, clock, key: str, reward: Reward = OFF) -> Redemption:
    return redeemed(db, clock, NORA, key=key, offered=reward_id(reward, "EUR"))


def now(db, redemption: Redemption) -> Redemption:
    with db.reading() as session:
        return session.get_one(Redemption, (SHOP_ID, redemption.redemption_id))


def discount_of(db, reward: Reward = OFF, *, amount: int | None = 500) -> Discount:
    with db.reading() as session:
        of_reward = select(Discount).where(Discount.reward_id == reward_id(reward, "EUR"))
        return session.scalars(of_reward.where(Discount.amount_minor.is_not_distinct_from(amount))).one()


def states(db, key: str) -> Counter[str]:
    with db.reading() as session:
        return Counter(map(str, session.scalars(select(Code.state).where(Code.discount_key == key))))


def free(db, key: str) -> set[str]:
    with db.reading() as session:
        return set(session.scalars(select(Code.code).where(Code.discount_key == key, Code.state == CodeState.FREE)))


def tidied(db, clock, access, **later: float) -> None:
    clock.advance(**later)
    with db.transaction() as session:
        enqueue(session, SHOP_ID, "tidy_codes", lane=Lane.NETWORK, now=clock())
    drain(db, clock, access)


def pay(db, clock, access, order_id: int, code: str) -> None:
    clock.advance(seconds=2)
    body = order_body(order_id, customer_id=NORA, lines=[("28.00", 2)], codes=[(code, "5.00")],
                      created_at=clock(), updated_at=clock())  # fmt: skip
    deliver(db, "orders/paid", body, now=clock())
    drain(db, clock, access)

"""What a free product costs now. A code takes off an amount, so another price needs another discount (FEATURES R5)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..db import Direct
from ..errors import Rejected, Throttled
from ..jobs.queue import enqueue
from ..ledger import Books
from ..models import Discount, Lane, RewardTerms, Shop
from ..program.money import micro_per_minor
from ..program.rewards import Reward
from ..shopify.products import product_variants
from .access import Access
from .equip import code_amount, discount_key, want_discount
from .waiting import send_waiting

PRODUCT_GONE = "Its product is not in the shop any more."


def note_prices(access: Access, shop_id: int, rewards: Mapping[str, Reward]) -> set[str]:
    """Network verb: ask what the free products among the rewards cost, and keep that. Returns the ids of the rewards
    whose product is gone.
    """
    products = {reward_id: reward.product for reward_id, reward in rewards.items() if reward.product is not None}
    if not products:
        return set()
    wanted = [product.variant_id for product in products.values()]
    try:
        found = access.ask(shop_id, lambda client: product_variants(client, wanted))
    except Rejected as refusal:
        if refusal.code != "misshapen":
            raise
        raise Throttled(refusal.message, retry_after=5) from None  # it says nothing about the product
    with access.db.transaction() as session:
        for reward_id, product in sorted(products.items()):
            if (facts := found.get(product.variant_id)) is not None:
                _note_price(session, shop_id, reward_id, facts.price_micro)
    return {reward_id for reward_id, product in products.items() if product.variant_id not in found}


def has_its_price(access: Access, shop_id: int, key: str) -> bool:
    """Network verb, before codes of a discount are made: whether it takes off what its product costs now. If not,
    whoever waits for a code waits for one of the discount that does. Raises `Rejected` when the product is gone.
    """
    with access.db.reading() as session:
        discount = session.get_one(Discount, (shop_id, key))
        reward_id = discount.reward_id
        reward = Reward.model_validate(session.get_one(RewardTerms, (shop_id, reward_id)).reward)
    if reward.product is None:
        return True
    if note_prices(access, shop_id, {reward_id: reward}):
        raise Rejected(PRODUCT_GONE, code="product_gone")
    with access.db.transaction() as session:
        amount = code_amount(Direct.of(session), shop_id, reward_id, reward, None)
        if amount == discount.amount_minor:
            return True
        other_key = discount_key(reward_id, amount, discount.month)
        books = Books(session, shop_id, now=access.clock())
        send_waiting(session, books, shop_id, key, other_key)
        _replace(session, access, shop_id, discount, reward, amount, other_key)
    return False


def _replace(
    session: Session, access: Access, shop_id: int, old: Discount, reward: Reward, amount: int | None, key: str
) -> None:
    """The pool is that of another discount from now on."""
    now, zone = access.clock(), session.get_one(Shop, shop_id).zone
    want_discount(Direct.of(session), shop_id, old.reward_id, reward, amount, old.month, zone)
    for name, wanted in ((key, old.wanted), (old.key, 0)):
        session.execute(update(Discount).where(Discount.shop_id == shop_id, Discount.key == name).values(wanted=wanted))
    enqueue(session, shop_id, "make_codes", lane=Lane.NETWORK, now=now, subject=key, arguments={"key": key})


def _note_price(session: Session, shop_id: int, reward_id: str, price_micro: int) -> None:
    mine = (RewardTerms.shop_id == shop_id, RewardTerms.reward_id == reward_id)
    currency = session.scalar(select(RewardTerms.currency).where(*mine))
    if currency is not None:
        price = price_micro // micro_per_minor(currency)
        session.execute(update(RewardTerms).where(*mine).values(price_minor=price))

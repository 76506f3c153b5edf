"""A merchant's rewards while they are being edited: they belong to the program's draft, and publishing makes them live.

What a reward says about products is looked up at Shopify before it is kept: a product that is gone is refused, and a
free one has the title and the price of the catalogue, whatever was sent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ..errors import Invalid, NotFound, ShopifyError
from ..models import Draft, Shop
from ..program.money import micro_per_minor
from ..program.rewards import MOST_REWARDS, Reward
from ..program.settings import ProgramSettings
from ..shopify.products import product_titles, product_variants
from . import programs
from .access import Access

GONE = "This product is not in your shop any more. Choose another."
NO_ANSWER = "Shopify does not answer right now, so the product cannot be looked up. Save again in a minute."


def put_reward(session: Session, shop: Shop, reward: Reward, *, author: str, now: datetime) -> None:
    """Add the reward to the draft, or put it in the place of the one in its slot. Again is nothing."""
    draft = _draft(session, shop)
    programs.save_draft(session, shop, with_reward(draft, reward), author=author, now=now)


def remove_reward(session: Session, shop: Shop, slot: str, *, author: str, now: datetime) -> None:
    """Take a reward out of the draft. One that is not there is as good as removed."""
    draft = _draft(session, shop)
    rewards = tuple(reward for reward in draft.rewards if reward.slot != slot)
    if rewards != draft.rewards:
        programs.save_draft(session, shop, draft.model_copy(update={"rewards": rewards}), author=author, now=now)


def with_reward(settings: ProgramSettings, reward: Reward) -> ProgramSettings:
    """The settings with the reward in its slot. Raises `Invalid` when there is no room for another."""
    rewards = [reward if each.slot == reward.slot else each for each in settings.rewards]
    if reward not in rewards:
        rewards.append(reward)
    if len(rewards) > MOST_REWARDS:
        raise Invalid(f"A program has {MOST_REWARDS} rewards at most. Remove one first.")
    return settings.model_copy(update={"rewards": tuple(rewards)})


def reward_in(settings: ProgramSettings, slot: str) -> Reward:
    """Raises `NotFound` for a slot that holds none."""
    for reward in settings.rewards:
        if reward.slot == slot:
            return reward
    raise NotFound("There is no such reward.")


def look_up(access: Access, shop_id: int, document: dict[str, Any], currency: str) -> dict[str, str]:
    """Network verb: put what Shopify knows of its products into a reward's document. Returns what is wrong, by field.

    Every time, changed or not: a product may have been deleted since the reward was edited last.
    """
    try:
        if document["product"]:
            document["product"] = _product(access, shop_id, document["product"]["variant_id"], currency)
            if document["product"] is None:
                return {"product": GONE}
        wanted = [product_id for product_id in document["only_products"] if isinstance(product_id, int)]
        if wanted:
            found = access.ask(shop_id, lambda client: product_titles(client, wanted))
            if gone := [product_id for product_id in wanted if product_id not in found]:
                which = f"Product {gone[0]} is" if len(gone) == 1 else f"{len(gone)} of these products are"
                return {"only_products": f"{which} not in your shop any more. Take it out, or choose another."}
    except ShopifyError:
        return {"product" if document["product"] else "only_products": NO_ANSWER}
    return {}


def variant_document(access: Access, shop_id: int, variant_id: int, currency: str) -> dict[str, Any] | None:
    """Network verb: a variant as a reward keeps it; None for one that is not there, or cannot be asked about now."""
    try:
        return _product(access, shop_id, variant_id, currency)
    except ShopifyError:
        return None


def _product(access: Access, shop_id: int, variant_id: Any, currency: str) -> dict[str, Any] | None:
    if not isinstance(variant_id, int) or not 0 < variant_id < 2**63:
        return None
    facts = access.ask(shop_id, lambda client: product_variants(client, [variant_id])).get(variant_id)
    if facts is None:
        return None
    return {
        "product_id": facts.product_id,
        "variant_id": facts.variant_id,
        "title": facts.title,
        "price_minor": facts.price_micro // micro_per_minor(currency),
    }


def _draft(session: Session, shop: Shop) -> ProgramSettings:
    session.get(Draft, shop.shop_id, with_for_update=True)  # two editors at once: the second adds to the first's
    return programs.draft(session, shop)

"""The kinds of reward a merchant starts from (FEATURES R1–R7), each begun with terms that suit the currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.program.money import exponent, format_money
from app.program.rewards import Reward, Steps


@dataclass(frozen=True, slots=True)
class Card:
    """One kind in the gallery. ``{5}`` in its summary stands for five units of the shop's currency."""

    name: str
    title: str
    summary: str
    icon: str  # one of Polaris'


CARDS: tuple[Card, ...] = (
    Card("amount", "Amount off", "100 points take {5} off an order.", "discount"),
    Card("percentage", "Percentage off", "250 points take 10\u00a0% off an order.", "credit-card-percent"),
    Card("shipping", "Free shipping", "150 points ship an order from {40} for free.", "delivery"),
    Card("product", "Free product", "500 points put one piece of a product into the cart for free.", "product"),
    Card("card", "Gift card", "500 points become a gift card of {25}.", "gift-card"),
    Card("credit", "Store credit", "200 points become {10} in the customer’s account.", "wallet"),
    Card("slider", "Any amount", "Shoppers choose how much to take off, {5} for every 100 points.", "adjust"),
)


def gallery(currency: str) -> tuple[Card, ...]:
    """The cards, worded in the shop's currency."""
    unit = _unit(currency)
    worded = []
    for card in CARDS:
        summary = card.summary
        for units in (5, 10, 25, 40):
            summary = summary.replace(f"{{{units}}}", format_money(units * unit, currency, whole=True))
        worded.append(Card(card.name, card.title, summary, card.icon))
    return tuple(worded)


def begun(name: str, currency: str, slot: str) -> dict[str, Any]:
    """The document of a new reward of that card; KeyError for a name that is none.

    A document and not a `Reward`: a free product has no product yet.
    """
    unit = _unit(currency)
    terms: dict[str, dict[str, Any]] = {
        "amount": {"kind": "amount_off", "points": 100, "amount_minor": 5 * unit, "minimum_cart_minor": 25 * unit},
        "percentage": {"kind": "percentage", "points": 250, "percent": 10},
        "shipping": {"kind": "free_shipping", "points": 150, "minimum_cart_minor": 40 * unit},
        "product": {"kind": "free_product", "points": 500},
        "card": {"kind": "gift_card", "points": 500, "amount_minor": 25 * unit},
        "credit": {"kind": "store_credit", "points": 200, "amount_minor": 10 * unit},
        "slider": {
            "kind": "amount_off", "points": 100, "amount_minor": 5 * unit, "steps": Steps(least=1, most=10),
            "cart_share_percent": 20,
        },
    }  # fmt: skip
    return Reward.model_construct(slot=slot, **terms[name]).model_dump(mode="json")


def _unit(currency: str) -> int:
    """Minor units of what a coin buys, as in the presets: 1.00, or 100 where there is no minor unit."""
    return 100 if exponent(currency) == 0 else int(10 ** exponent(currency))

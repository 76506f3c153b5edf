"""What points buy: one reward of a program, checked whole, every error beside its field.

A reward is edited as part of a program version and never changes afterwards. Its ``slot`` is the merchant's reward
through all edits (stock and budgets are counted on it); its id (`reward_id`) names the terms a shopper agrees to, so
changed terms make a new id and a redemption can pin them. Amounts are minor units of the program's currency.
"""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError, to_json

from app.program.money import format_money
from app.program.words import count_text, points_text

LARGEST_AMOUNT_MINOR = 10**12
MOST_REWARDS = 50
MOST_AMOUNTS = 50  # distinct amounts of one slider: each is a discount of its own at Shopify
MOST_PRODUCTS = 100
MOST_POINTS = 10**9

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)

RewardKind = Literal["amount_off", "percentage", "free_shipping", "free_product", "gift_card", "store_credit"]
Period = Literal["ever", "day", "week", "month", "year"]
GiveBack = Literal["share", "whole", "never"]

# Made as a code of a Shopify discount, and so held until an order uses it; the others are handed out for good.
CODE_KINDS = frozenset({"amount_off", "percentage", "free_shipping", "free_product"})
AMOUNT_KINDS = frozenset({"amount_off", "gift_card", "store_credit"})


class Steps(BaseModel):
    """A slider: the shopper takes ``least`` to ``most`` times the reward's points and amount."""

    model_config = _STRICT

    least: int = Field(default=1, ge=1, le=10_000)
    most: int = Field(ge=1, le=10_000)

    @field_validator("most")
    @classmethod
    def _few_enough(cls, value: int, info: ValidationInfo) -> int:
        least = info.data.get("least", 1)
        if value < least:
            _say("Let the slider end at or after its start.")
        if value - least >= MOST_AMOUNTS:
            _say(f"Let the slider have {MOST_AMOUNTS} stops at most.")
        return value


class RewardProduct(BaseModel):
    """The one variant that is free. Title and price are as the shop's catalogue showed them when it was chosen."""

    model_config = _STRICT

    product_id: int = Field(ge=1, lt=2**63)
    variant_id: int = Field(ge=1, lt=2**63)
    title: str = Field(max_length=255)
    price_minor: int = Field(ge=0, le=LARGEST_AMOUNT_MINOR)


class Limit(BaseModel):
    """How often, in each period of the shop's calendar."""

    model_config = _STRICT

    count: int = Field(ge=1, le=10**9)
    period: Period = "ever"


class Budget(BaseModel):
    """How much money the reward may give away in each period."""

    model_config = _STRICT

    amount_minor: int = Field(ge=1, le=LARGEST_AMOUNT_MINOR)
    period: Period = "ever"


class Combines(BaseModel):
    """Which other discounts may stand beside it on one order (Shopify's ``combinesWith``)."""

    model_config = _STRICT

    order: bool = False
    product: bool = False
    shipping: bool = True


class Reward(BaseModel):
    """One thing points buy."""

    model_config = _STRICT

    slot: str = Field(pattern=r"^[a-z0-9]{1,16}\z")
    title: str = Field(default="", max_length=200, validate_default=True)  # empty: worded from the terms
    kind: RewardKind
    points: int = Field(ge=1, le=MOST_POINTS)  # of one step where there is a slider
    amount_minor: int | None = Field(default=None, ge=1, le=LARGEST_AMOUNT_MINOR, validate_default=True)
    percent: int | None = Field(default=None, ge=1, le=100, validate_default=True)
    product: RewardProduct | None = Field(default=None, validate_default=True)
    steps: Steps | None = Field(default=None, validate_default=True)
    # A cap as a share of the cart: an amount of 10.00 and 50 % need a cart of 20.00. Only where there is an amount off.
    cart_share_percent: int | None = Field(default=None, ge=1, le=100, validate_default=True)
    minimum_cart_minor: int = Field(default=0, ge=0, le=LARGEST_AMOUNT_MINOR)
    # Empty: the whole order.
    only_products: Annotated[tuple[Annotated[int, Field(ge=1, lt=2**63)], ...], Field(strict=False)] = Field(
        default=(), max_length=MOST_PRODUCTS
    )
    cost_minor: int | None = Field(default=None, ge=0, le=LARGEST_AMOUNT_MINOR)  # what one costs the merchant
    stock: Limit | None = None
    per_member: Limit | None = None
    budget: Budget | None = Field(default=None, validate_default=True)
    starts_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    ends_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    valid_days: int = Field(default=30, ge=1, le=365)
    combines: Combines = Combines()
    give_back: GiveBack = "share"

    @field_validator("title")
    @classmethod
    def _short_title(cls, value: str) -> str:
        value = value.strip()
        if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
            _say("Give the reward a title of one line.")
        return value if len(value) <= 60 else _say("Keep the title under 60 characters.")

    @field_validator("amount_minor")
    @classmethod
    def _amount_where_one_belongs(cls, value: int | None, info: ValidationInfo) -> int | None:
        kind = info.data.get("kind")
        if kind in AMOUNT_KINDS and value is None:
            _say("Enter an amount above zero.")
        return value if kind in AMOUNT_KINDS else None

    @field_validator("percent")
    @classmethod
    def _percent_where_one_belongs(cls, value: int | None, info: ValidationInfo) -> int | None:
        kind = info.data.get("kind")
        if kind == "percentage" and value is None:
            _say("Enter 1 to 100 %.")
        return value if kind == "percentage" else None

    @field_validator("product")
    @classmethod
    def _product_where_one_belongs(cls, value: RewardProduct | None, info: ValidationInfo) -> RewardProduct | None:
        kind = info.data.get("kind")
        if kind == "free_product" and value is None:
            _say("Choose the product that is free.")
        return value if kind == "free_product" else None

    @field_validator("steps")
    @classmethod
    def _slider_of_amounts(cls, value: Steps | None, info: ValidationInfo) -> Steps | None:
        if value is not None and info.data.get("kind") not in AMOUNT_KINDS:
            _say("Only amounts of money can be chosen on a slider.")
        amount = info.data.get("amount_minor")
        if value is not None and amount is not None and amount * value.most > LARGEST_AMOUNT_MINOR:
            _say("The largest amount is too large.")
        return value

    @field_validator("cart_share_percent")
    @classmethod
    def _share_of_an_amount(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("kind") != "amount_off":
            _say("Only an amount off an order can be capped as a share of the cart.")
        return value

    @field_validator("minimum_cart_minor")
    @classmethod
    def _countable_by_shopify(cls, value: int, info: ValidationInfo) -> int:
        if value and info.data.get("kind") == "free_product":
            # It would count only the free product itself, and so nobody could use the code.
            _say("Shopify cannot ask for a smallest cart where one product is free. Leave it at 0.")
        if value and info.data.get("kind") in ("gift_card", "store_credit"):
            _say("Gift cards and store credit are handed out without a cart. Leave it at 0.")
        return value

    @field_validator("only_products", mode="before")
    @classmethod
    def _list_only(cls, value: Any) -> Any:
        # Not strict, so that JSON's lists are read as tuples; a dict or a generator would be read too.
        return value if isinstance(value, list | tuple) else _say(f"Choose {MOST_PRODUCTS} products at most.")

    @field_validator("only_products")
    @classmethod
    def _for_products(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if value and info.data.get("kind") not in ("amount_off", "percentage"):
            _say("Only an amount or a percentage off can be kept to some products.")
        return tuple(sorted(set(value)))

    @field_validator("budget")
    @classmethod
    def _countable(cls, value: Budget | None, info: ValidationInfo) -> Budget | None:
        if value is not None and info.data.get("amount_minor") is None and info.data.get("cost_minor") is None:
            _say("Say what one costs you, so that a budget can be kept.")
        return value

    @field_validator("starts_at", "ends_at")
    @classmethod
    def _in_one_zone(cls, value: datetime | None) -> datetime | None:
        """The same moment is the same term, however it was written."""
        try:
            return value and value.astimezone(UTC)
        except OverflowError:  # the year 1, or 9999, of another zone
            _say(_MESSAGES["starts_at"])

    @field_validator("ends_at")
    @classmethod
    def _after_its_start(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        starts_at = info.data.get("starts_at")
        if value is not None and starts_at is not None and value <= starts_at:
            _say("Let it end after it starts.")
        return value

    @property
    def is_code(self) -> bool:
        return self.kind in CODE_KINDS

    def amounts(self) -> tuple[int | None, ...]:
        """Every amount a shopper can have, in minor units; (None,) where the reward is no amount of money."""
        if self.amount_minor is None:
            return (None,)
        if self.steps is None:
            return (self.amount_minor,)
        return tuple(self.amount_minor * n for n in range(self.steps.least, self.steps.most + 1))

    def minimum_for(self, amount_minor: int | None) -> int:
        """The smallest cart a code of this amount works on."""
        if not self.cart_share_percent or amount_minor is None:
            return self.minimum_cart_minor
        return max(self.minimum_cart_minor, -(-amount_minor * 100 // self.cart_share_percent))

    def cost_of_one(self, amount_minor: int | None) -> int | None:
        """What giving one costs the merchant at most, as far as that can be said before an order uses it."""
        return amount_minor if amount_minor is not None else self.cost_minor


def reward_id(reward: Reward, currency: str) -> str:
    """Names the reward's terms: everything a shopper agrees to but its price and its wording.

    The same terms always have the same id, so taking a change back brings the old id back.
    """
    terms = reward.model_dump(mode="json", exclude={"title", "points", "cost_minor"})
    if reward.product is not None:
        # Its price is what a code takes off; its title is wording.
        terms["product"] = [reward.product.product_id, reward.product.variant_id, reward.product.price_minor]
    return "r" + hashlib.sha256(to_json([currency, terms])).hexdigest()[:15]


def reward_title(reward: Reward, currency: str, amount_minor: int | None = None) -> str:
    """What shoppers read: the merchant's words, else the terms in words. ``amount_minor`` is what was chosen."""
    if reward.title and (reward.amount_minor is None or amount_minor in (None, reward.amount_minor)):
        return reward.title
    if reward.kind == "percentage":
        return f"{reward.percent}\u00a0% off"
    if reward.kind == "free_shipping":
        return "Free shipping"
    if reward.kind == "free_product":
        return f"Free {reward.product.title}" if reward.product else "A free product"
    what = {"amount_off": "off", "gift_card": "gift card", "store_credit": "store credit"}[reward.kind]
    if amount_minor is None and reward.steps is not None:
        amounts = reward.amounts()
        least, most = (format_money(amount or 0, currency, whole=True) for amount in (amounts[0], amounts[-1]))
        return f"{least} to {most} {what}"
    amount = format_money(amount_minor or reward.amount_minor or 0, currency, whole=True)
    return f"{amount}\u00a0off" if what == "off" else f"{amount} {what}"


def reward_summary(reward: Reward, currency: str) -> str:
    """One sentence for the merchant: "100 points: €5 off. Orders from €20.00. Unused for 30 days it is given back."."""
    per = f"{points_text(reward.points)} a step" if reward.steps else points_text(reward.points)
    sentences = [f"{per}: {reward_title(reward, currency)}."]
    if reward.minimum_cart_minor:
        sentences.append(f"Carts from {format_money(reward.minimum_cart_minor, currency)}.")
    if reward.stock:
        sentences.append(f"{reward.stock.count:,} in all{_each(reward.stock.period)}.")
    if reward.per_member:
        sentences.append(f"{reward.per_member.count:,} a member{_each(reward.per_member.period)}.")
    if reward.budget:
        sentences.append(f"Budget {format_money(reward.budget.amount_minor, currency)}{_each(reward.budget.period)}.")
    if reward.is_code:
        sentences.append(f"Unused for {count_text(reward.valid_days, 'day')} it is given back.")
    return " ".join(sentences)


def _each(period: Period) -> str:
    return "" if period == "ever" else f" a {period}"


def reward_errors(error: ValidationError) -> dict[str, str]:
    """What to put beside each field of one reward: {"percent": "Enter 1 to 100 %."}; "" is the reward itself."""
    messages: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        path = tuple(part for part in problem["loc"] if isinstance(part, str))
        messages.setdefault(".".join(path), reward_message(path, problem["type"], problem["msg"]))
    return messages


def reward_message(path: tuple[str, ...], problem: str, said: str) -> str:
    """The words for one problem at one field of a reward."""
    if problem == SAID:
        return said
    if problem in ("extra_forbidden", "invalid_key"):
        return "A reward has no such setting."
    return _MESSAGES.get(".".join(path), _MESSAGES.get(path[0] if path else "", _MESSAGES[""]))


SAID = "said"  # the type of errors whose message is a person's already


def _say(message: str) -> NoReturn:
    raise PydanticCustomError(SAID, message)


_MESSAGES = {
    "": "This is not a reward.",
    "slot": "This reward has no place in the program.",
    "title": "Give the reward a title of 60 characters at most.",
    "kind": "Choose what the reward is.",
    "points": "Use 1 to 1,000,000,000 points, without decimals.",
    "amount_minor": "Enter an amount above zero.",
    "percent": "Enter 1 to 100 %, without decimals.",
    "product": "Choose a product of your shop.",
    "steps": "Let the slider go from one amount to another, in whole steps.",
    "cart_share_percent": "Use 1 to 100 % of the cart.",
    "minimum_cart_minor": "Enter the smallest cart, or 0 if every cart will do.",
    "only_products": f"Choose products from your shop, {MOST_PRODUCTS} at most.",
    "cost_minor": "Enter what one costs you, or leave it empty.",
    "stock": "Enter how many there are, 1 or more.",
    "per_member": "Enter how many each member may have, 1 or more.",
    "budget": "Enter an amount above zero.",
    "starts_at": "Enter a day and a time.",
    "ends_at": "Enter a day and a time.",
    "valid_days": "Use 1 to 365 days.",
    "combines": "Say which discounts may stand beside it.",
    "give_back": "Choose what comes back when an order is returned.",
}

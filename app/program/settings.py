"""A program's settings: the document a merchant edits, checked whole, every error beside its field.

The messages are a person's: what to enter, not what pydantic expected. Amounts are whole minor units of the shop's
currency (money.py). A published version's document is stored as `document()` gives it and never changes.
"""

from __future__ import annotations

import unicodedata
from functools import cached_property
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.program.money import format_money
from app.program.rewards import MOST_REWARDS, Reward, reward_id, reward_message, reward_summary, reward_title
from app.program.words import count_text, list_text, rate_text

LARGEST_AMOUNT_MINOR = 10**12
MOST_PRODUCTS = 500
MOST_VENDORS = 100

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)

Rounding = Literal["down", "nearest", "up"]
Trigger = Literal["paid", "fulfilled"]


class Counts(BaseModel):
    """What counts besides products."""

    model_config = _STRICT

    tax: bool = False
    shipping: bool = False


class Exclude(BaseModel):
    """Products that never earn, by Shopify's ids and by vendor."""

    model_config = _STRICT

    products: Annotated[tuple[Annotated[int, Field(ge=1, lt=2**63)], ...], Field(strict=False)] = Field(
        default=(), max_length=MOST_PRODUCTS
    )
    vendors: Annotated[tuple[Annotated[str, Field(max_length=255)], ...], Field(strict=False)] = Field(
        default=(), max_length=MOST_VENDORS
    )

    @field_validator("products", "vendors", mode="before")
    @classmethod
    def _lists_only(cls, value: Any) -> Any:
        # Not strict, so that JSON's lists are read as tuples; a dict or a generator would be read too.
        return value if isinstance(value, list | tuple) else _refuse()

    @field_validator("products")
    @classmethod
    def _each_once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("vendors")
    @classmethod
    def _vendors_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        once: dict[str, str] = {}
        for vendor in map(_clean_text, value):
            once.setdefault(vendor.casefold(), vendor)
        return tuple(once.values())

    @cached_property
    def product_ids(self) -> frozenset[int]:
        return frozenset(self.products)

    @cached_property
    def vendor_names(self) -> frozenset[str]:
        """Folded: Shopify treats vendors that differ in case as one."""
        return frozenset(vendor.casefold() for vendor in self.vendors)


class Earning(BaseModel):
    """Points for orders: `points` for every whole `per_minor` of what counts."""

    model_config = _STRICT

    points: int = Field(ge=1, le=1_000_000)
    per_minor: int = Field(ge=1, le=LARGEST_AMOUNT_MINOR)
    rounding: Rounding = "down"
    counts: Counts = Counts()
    minimum_order_minor: int = Field(default=0, ge=0, le=LARGEST_AMOUNT_MINOR)
    exclude: Exclude = Exclude()
    trigger: Trigger = "paid"
    hold_days: int = Field(default=0, ge=0, le=90)
    test_orders: bool = False


class Look(BaseModel):
    """How the launcher and the panel look in the storefront."""

    model_config = _STRICT

    accent: str = Field(default="#2447a8", pattern=r"^#[0-9a-fA-F]{6}\z")
    corner: Literal["start", "end"] = "end"
    launcher: Literal["pill", "circle", "tab"] = "pill"
    radius: int = 10
    offset: int = Field(default=20, ge=0, le=200)

    @field_validator("accent")
    @classmethod
    def _lower(cls, value: str) -> str:
        return value.lower()

    @field_validator("radius")
    @classmethod
    def _known_radius(cls, value: int) -> int:
        # Not a Literal, which takes True for 1 and False for 0.
        return value if value in (0, 6, 10, 16) else _refuse()


class Margin(BaseModel):
    """What guards the merchant's margin: of what products earn, the program may give away a share."""

    model_config = _STRICT

    percent: int = Field(default=50, ge=1, le=100)  # of the price, the products' usual gross margin
    most_share_percent: int = Field(default=50, ge=1, le=100)  # of that margin, what one order may give away
    stop: bool = False  # refuse to publish, instead of warning


class ProgramSettings(BaseModel):
    """Everything a version of the program says."""

    model_config = _STRICT

    name: str = Field(max_length=200)
    currency: str = Field(pattern=r"^[A-Z]{3}\z")
    earning: Earning
    look: Look = Look()
    rewards: Annotated[tuple[Reward, ...], Field(strict=False)] = Field(default=(), max_length=MOST_REWARDS)
    margin: Margin = Margin()
    # Without referrals the key says so, and refuses anything else.
    referral: None = None

    @field_validator("name")
    @classmethod
    def _short_name(cls, value: str) -> str:
        value = _clean_text(value)
        return value if len(value) <= 40 else _refuse()

    @field_validator("rewards", mode="before")
    @classmethod
    def _list_only(cls, value: Any) -> Any:
        return value if isinstance(value, list | tuple) else _refuse()

    @field_validator("rewards")
    @classmethod
    def _each_slot_once(cls, value: tuple[Reward, ...]) -> tuple[Reward, ...]:
        return value if len({reward.slot for reward in value}) == len(value) else _refuse()

    @cached_property
    def rewards_by_id(self) -> dict[str, Reward]:
        """Reward id → reward, in the order of the page."""
        return {reward_id(reward, self.currency): reward for reward in self.rewards}

    def document(self) -> dict[str, Any]:
        """The settings as JSON-able data; validating it gives equal settings."""
        return self.model_dump(mode="json")


def errors_by_field(error: ValidationError) -> dict[str, str]:
    """What to put beside each field: {"earning.hold_days": "Use 0 to 90 days. …"}; "" is the document itself.

    One message a field, a list's items under the list, rewards by their place ("rewards.0.percent"). Safe to store and
    to show: nothing of what was sent comes back but the names of fields, cleaned.
    """
    messages: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        where = problem["loc"]
        path = ".".join(_printable(part) for part in where if isinstance(part, str))
        if len(where) > 1 and where[0] == "rewards" and isinstance(where[1], int):
            inside = tuple(_printable(part) for part in where[2:] if isinstance(part, str))
            path = ".".join(("rewards", str(where[1]), *inside))
            message = reward_message(inside, problem["type"], problem["msg"])
        elif problem["type"] in ("extra_forbidden", "invalid_key"):
            message = "The program has no such setting."
        elif problem["type"] == "missing":
            message = f"This is missing. {_MESSAGES[path]}"
        else:
            message = _MESSAGES.get(path, _MESSAGES[""])
        messages.setdefault(path, message)
    return messages


def plain_summary(settings: ProgramSettings) -> str:
    """What the program does, in a few short sentences: for its card, and for the page before launch."""
    earning = settings.earning
    also = [word for word, counts in (("shipping", earning.counts.shipping), ("tax", earning.counts.tax)) if counts]
    sentences = [f"{_rate(settings)} spent on {list_text(['products', *also])}, after discounts."]
    if earning.minimum_order_minor:
        sentences.append(f"Orders from {_minimum(settings)} earn.")
    hold = f" and {count_text(earning.hold_days, 'day')} have passed" if earning.hold_days else ""
    sentences.append(f"Points arrive once the order is {earning.trigger}{hold}. A return takes back its own points.")
    return " ".join(sentences)


def describe_changes(old: ProgramSettings, new: ProgramSettings) -> list[str]:
    """What differs, a line each, for "Changes from version n": "Days pending: 0 → 14"."""
    before, after = _facts(old), _facts(new)
    changes = [f"{what}: {before[what]} → {after[what]}" for what in before if before[what] != after[what]]
    had, has = old.earning.exclude, new.earning.exclude
    # Vendors by name; products are numbers here, and the page can look their titles up.
    changes += [f"Never earns: {vendor}" for vendor in has.vendors if vendor.casefold() not in had.vendor_names]
    if added := len(has.product_ids - had.product_ids):
        changes.append(f"Never earns: {count_text(added, 'more product')}")
    changes += [f"Earns again: {vendor}" for vendor in had.vendors if vendor.casefold() not in has.vendor_names]
    if removed := len(had.product_ids - has.product_ids):
        changes.append(f"Earns again: {count_text(removed, 'product')}")
    return changes + _reward_changes(old, new)


def _reward_changes(old: ProgramSettings, new: ProgramSettings) -> list[str]:
    before = {reward.slot: reward for reward in old.rewards}
    after = {reward.slot: reward for reward in new.rewards}
    changes = [f"New reward: {reward_summary(after[slot], new.currency)}" for slot in after if slot not in before]
    for slot in (slot for slot in before if slot in after):
        was, now = before[slot], after[slot]
        title = reward_title(was, old.currency)
        if was.points != now.points:
            changes.append(f"{title}: {was.points:,} → {now.points:,} points")
        if reward_id(was, old.currency) != reward_id(now, new.currency):
            changes.append(f"{title}, new terms: {reward_summary(now, new.currency)}")
        elif title != reward_title(now, new.currency):
            changes.append(f"{title} is now called {reward_title(now, new.currency)}")
    return changes + [f"No longer: {reward_title(before[slot], old.currency)}" for slot in before if slot not in after]


def _facts(settings: ProgramSettings) -> dict[str, str]:
    """Every setting with one value, in words, in the order of the page."""
    earning, look = settings.earning, settings.look
    return {
        "Name": settings.name,
        "Currency": settings.currency,
        "Points for orders": _rate(settings),
        "Rounding": {"down": "down", "nearest": "to the nearest", "up": "up"}[earning.rounding],
        "Tax": "counts" if earning.counts.tax else "does not count",
        "Shipping": "counts" if earning.counts.shipping else "does not count",
        "Smallest order that earns": _minimum(settings) if earning.minimum_order_minor else "none",
        "Earned when the order is": earning.trigger,
        "Days pending": str(earning.hold_days),
        "Test orders": "earn" if earning.test_orders else "do not earn",
        "Margin guard": _guard(settings.margin),
        "Accent": look.accent,
        "Corner": look.corner,
        "Launcher": look.launcher,
        "Corners": {0: "square", 6: "slight", 10: "soft", 16: "round"}[look.radius],
        "Offset": f"{look.offset} px",
    }


def _guard(margin: Margin) -> str:
    what = "refuses" if margin.stop else "warns"
    return f"{what} above {margin.most_share_percent} % of a margin of {margin.percent} %"


def _rate(settings: ProgramSettings) -> str:
    return rate_text(settings.earning.points, settings.earning.per_minor, settings.currency)


def _minimum(settings: ProgramSettings) -> str:
    return format_money(settings.earning.minimum_order_minor, settings.currency)


_MESSAGES = {
    "": "This is not a program. Start from one of the presets.",
    "name": "Give the program a name of 1 to 40 characters.",
    "currency": "Use your shop's currency, as three capital letters.",
    "earning": "Say how orders earn points.",
    "earning.points": "Use 1 to 1,000,000 points, without decimals.",
    "earning.per_minor": "Enter an amount above zero.",
    "earning.rounding": "Choose down, to the nearest, or up.",
    "earning.counts": "Say what counts besides products.",
    "earning.counts.tax": "Say whether tax counts.",
    "earning.counts.shipping": "Say whether shipping counts.",
    "earning.minimum_order_minor": "Enter the smallest order that earns, or 0 if every order does.",
    "earning.exclude": "Say what never earns.",
    "earning.exclude.products": f"Choose products from your shop, {MOST_PRODUCTS} at most.",
    "earning.exclude.vendors": f"Enter names of vendors, {MOST_VENDORS} at most.",
    "earning.trigger": "Choose paid or fulfilled.",
    "earning.hold_days": "Use 0 to 90 days. Most shops match their return window.",
    "earning.test_orders": "Say whether test orders earn points.",
    "look": "Say how the program looks in your store.",
    "look.accent": "Enter a colour as six digits, such as #2447a8.",
    "look.corner": "Choose the start or the end corner.",
    "look.launcher": "Choose a pill, a circle or a tab.",
    "look.radius": "Choose square, slight, soft or round corners.",
    "look.offset": "Use 0 to 200 pixels.",
    "rewards": f"A program has {MOST_REWARDS} rewards at most, each in a place of its own.",
    "margin": "Say what guards your margin.",
    "margin.percent": "Use 1 to 100 %.",
    "margin.most_share_percent": "Use 1 to 100 %.",
    "margin.stop": "Say whether publishing is refused.",
    "referral": "Leave this empty. The program has no referrals yet.",
}


def _clean_text(value: str) -> str:
    """One line of visible text. Control characters (NUL is one) and lone surrogates are refused."""
    value = value.strip()
    if not value or any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
        _refuse()
    return value


def _refuse() -> NoReturn:
    raise ValueError("refused; errors_by_field has the words")


def _printable(part: str) -> str:
    """A field's name that can be stored and shown, whatever was sent as one."""
    return "".join(character if character.isprintable() else "\ufffd" for character in part[:60])

"""A reward's form: what was typed, as a reward's document, and faults beside their fields again.

Nothing is judged here. What cannot be read goes on as the text it is, and the reward refuses it. Fields of another kind
of reward are not shown, and not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from ...loyalty.views.words import Words
from ...program.rewards import AMOUNT_KINDS, CODE_KINDS
from .program_form import MOST_TYPED, whole

# A reward's path and the field that holds it. A fault deeper down stands at the nearest of these.
FIELDS = {
    "title": "title",
    "kind": "kind",
    "points": "points",
    "amount_minor": "amount",
    "percent": "percent",
    "product": "variant",
    "steps": "most",
    "steps.least": "least",
    "cart_share_percent": "share",
    "minimum_cart_minor": "minimum",
    "only_products": "products",
    "cost_minor": "cost",
    "stock": "stock",
    "per_member": "member",
    "budget": "budget",
    "starts_at": "starts_day",
    "ends_at": "ends_day",
    "valid_days": "valid",
    "combines": "combines",
    "give_back": "back",
}
# Which kinds have a part of the form; the page shows and hides by it.
SHOWN_FOR = {
    "amount": AMOUNT_KINDS,
    "percent": {"percentage"},
    "variant": {"free_product"},
    "slider": AMOUNT_KINDS,
    "share": {"amount_off"},
    "cart": CODE_KINDS,
    "products": {"amount_off", "percentage"},
    "code": CODE_KINDS,
    "card": {"gift_card"},
    "credit": {"store_credit"},
    "cost": {"percentage", "free_shipping", "free_product"},
}
NAMES = (
    "title", "kind", "points", "amount", "percent", "variant", "product_id", "product_title", "price", "least", "most",
    "share", "minimum", "products", "cost", "stock", "stock_period", "member", "member_period", "budget",
    "budget_period", "starts_day", "starts_time", "ends_day", "ends_time", "valid", "back",
)  # fmt: skip
UNREADABLE = "unreadable"  # no moment, and no number: whatever reads it says what is wanted


def document(form: MultiDict[str, str], slot: str, words: Words) -> dict[str, Any]:
    """The reward as typed."""
    kind = form.get("kind", "")

    def shown(part: str) -> bool:
        return kind in SHOWN_FOR[part]

    amount = _money(form, "amount", words) if shown("amount") else None
    combines = form.getlist("combines")
    return {
        "slot": slot,
        "title": form.get("title", ""),
        "kind": kind,
        "points": whole(form.get("points", "")),
        "amount_minor": amount,
        "percent": _whole(form, "percent") if shown("percent") else None,
        "product": _product(form, words) if shown("variant") else None,
        "steps": _steps(form, amount, words) if shown("slider") and "slider" in form else None,
        "cart_share_percent": _whole(form, "share") if shown("share") else None,
        "minimum_cart_minor": (_money(form, "minimum", words) or 0) if shown("cart") else 0,
        "only_products": _ids(form.get("products", "")) if shown("products") else [],
        "cost_minor": _money(form, "cost", words) if shown("cost") else None,
        "stock": _limit(form, "stock"),
        "per_member": _limit(form, "member"),
        "budget": _budget(form, words),
        "starts_at": _moment(form, "starts", words),
        "ends_at": _moment(form, "ends", words),
        "valid_days": whole(form.get("valid", "")) if shown("code") else 30,
        "combines": {name: name in combines for name in ("order", "product", "shipping")} if shown("code") else {},
        "give_back": form.get("back", "") if shown("code") else "share",
    }


def by_field(errors: Mapping[str, str]) -> dict[str, str]:
    """Faults by the page's field names; what belongs to none is under ""."""
    faults: dict[str, str] = {}
    for path, message in errors.items():
        faults.setdefault(FIELDS.get(path) or FIELDS.get(path.partition(".")[0], ""), message)
    return faults


def values(reward: Mapping[str, Any], words: Words) -> dict[str, str]:
    """What the fields hold for a reward's document (or one just begun)."""
    product, steps, amount = reward["product"] or {}, reward["steps"] or {}, reward["amount_minor"]
    stock, member, budget = reward["stock"] or {}, reward["per_member"] or {}, reward["budget"] or {}
    starts, ends = _read(reward["starts_at"]), _read(reward["ends_at"])
    return {
        "title": reward["title"],
        "kind": reward["kind"],
        "points": str(reward["points"]),
        "amount": _amount(amount, words),
        "percent": _text(reward["percent"]),
        "variant": _text(product.get("variant_id")),
        "product_id": _text(product.get("product_id")),
        "product_title": product.get("title", ""),
        "price": _amount(product.get("price_minor"), words),
        "slider": "yes" if steps else "",
        "least": _amount(amount * steps["least"], words) if steps else "",
        "most": _amount(amount * steps["most"], words) if steps else "",
        "share": _text(reward["cart_share_percent"]),
        "minimum": _amount(reward["minimum_cart_minor"] or None, words),
        "products": ",".join(map(str, reward["only_products"])),
        "cost": _amount(reward["cost_minor"], words),
        "stock": _text(stock.get("count")),
        "stock_period": stock.get("period", "ever"),
        "member": _text(member.get("count")),
        "member_period": member.get("period", "ever"),
        "budget": _amount(budget.get("amount_minor"), words),
        "budget_period": budget.get("period", "month"),
        "starts_day": words.local_day(starts) if starts else "",
        "starts_time": words.local_time(starts) if starts else "00:00",
        "ends_day": words.local_day(ends) if ends else "",
        "ends_time": words.local_time(ends) if ends else "00:00",
        "valid": str(reward["valid_days"]),
        "combines": " ".join(name for name, on in reward["combines"].items() if on),
        "back": reward["give_back"],
    }


def values_typed(form: MultiDict[str, str]) -> dict[str, str]:
    """What the fields hold after a form that was refused: exactly what was typed."""
    kept = {name: form.get(name, "") for name in NAMES}
    return kept | {"slider": "yes" if "slider" in form else "", "combines": " ".join(form.getlist("combines"))}


def product_ids(values: Mapping[str, str]) -> tuple[int, ...]:
    """The products a form is about, for their titles; what is none is left out."""
    return tuple(each for each in _ids(values["products"]) if isinstance(each, int) and 0 < each < 2**63)


def _whole(form: Mapping[str, str], name: str) -> int | str | None:
    """None where the field was left empty."""
    text = form.get(name, "").strip()
    return whole(text) if text else None


def _money(form: Mapping[str, str], name: str, words: Words) -> int | str | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    minor = words.minor(text)
    return text if minor is None else minor


def _product(form: Mapping[str, str], words: Words) -> dict[str, Any] | None:
    """Title and price as the page had them: a preview believes it, saving asks Shopify."""
    if not form.get("variant", "").strip():
        return None
    return {
        "variant_id": whole(form["variant"]),
        "product_id": whole(form.get("product_id", "")),
        "title": form.get("product_title", "")[:255],
        "price_minor": words.minor(form.get("price", "")) or 0,
    }


def _steps(form: Mapping[str, str], amount: int | str | None, words: Words) -> dict[str, Any]:
    """A slider is typed as two amounts; both must be whole steps of the reward's own."""
    steps: dict[str, Any] = {}
    for name in ("least", "most"):
        minor = _money(form, name, words)
        whole_steps = isinstance(minor, int) and isinstance(amount, int) and amount > 0 and minor % amount == 0
        steps[name] = minor // amount if whole_steps else UNREADABLE  # type: ignore[operator]
    return steps


def _limit(form: Mapping[str, str], name: str) -> dict[str, Any] | None:
    count = _whole(form, name)
    return None if count is None else {"count": count, "period": form.get(f"{name}_period", "")}


def _budget(form: Mapping[str, str], words: Words) -> dict[str, Any] | None:
    amount = _money(form, "budget", words)
    return None if amount is None else {"amount_minor": amount, "period": form.get("budget_period", "")}


def _moment(form: Mapping[str, str], name: str, words: Words) -> datetime | str | None:
    day = form.get(f"{name}_day", "").strip()
    return (words.parse_moment(day, form.get(f"{name}_time", "")) or UNREADABLE) if day else None


def _ids(text: str) -> list[int | str]:
    return [whole(part) for part in text.split(",", MOST_TYPED) if part.strip()]


def _read(moment: str | None) -> datetime | None:
    return datetime.fromisoformat(moment).astimezone(UTC) if moment else None


def _amount(minor: int | None, words: Words) -> str:
    return "" if minor is None else words.amount(minor)


def _text(value: int | None) -> str:
    return "" if value is None else str(value)

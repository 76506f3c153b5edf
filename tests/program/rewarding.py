"""Rewards for the program's tests: short builders for literals, strategies for laws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from app.program.rewards import AMOUNT_KINDS, CODE_KINDS, Reward

START = datetime(2026, 11, 21, 20, 12, tzinfo=UTC)
PRODUCT = {"product_id": 11, "variant_id": 12, "title": "Ash mug", "price_minor": 2800}


def document(**changes: Any) -> dict[str, Any]:
    """The starter's reward, as JSON has it, with changes."""
    return {"slot": "off", "kind": "amount_off", "points": 100, "amount_minor": 500, **changes}


def reward(**changes: Any) -> Reward:
    return Reward.model_validate(document(**changes))


def of_kind(kind: str, **changes: Any) -> Reward:
    """One of each kind, with what that kind needs."""
    needs: dict[str, dict[str, Any]] = {
        "percentage": {"amount_minor": None, "percent": 10},
        "free_shipping": {"amount_minor": None},
        "free_product": {"amount_minor": None, "product": PRODUCT},
    }
    return reward(kind=kind, **{**needs.get(kind, {}), **changes})


periods = st.sampled_from(["ever", "day", "week", "month", "year"])
limits = st.none() | st.fixed_dictionaries({"count": st.integers(1, 9), "period": periods})
moments = st.integers(-1000, 1000).map(lambda hours: START + timedelta(hours=hours))


@st.composite
def some_reward(draw: st.DrawFn) -> Reward:
    kind = draw(
        st.sampled_from(["amount_off", "percentage", "free_shipping", "free_product", "gift_card", "store_credit"])
    )
    is_amount, is_off = kind in AMOUNT_KINDS, kind in ("amount_off", "percentage")
    starts_at = draw(st.none() | moments)
    return reward(
        kind=kind,
        title=draw(st.sampled_from(["", "A treat", "Für dich"])),
        points=draw(st.integers(1, 10_000)),
        amount_minor=draw(st.integers(1, 100_000)) if is_amount else None,
        percent=draw(st.integers(1, 100)) if kind == "percentage" else None,
        product={**PRODUCT, "variant_id": draw(st.integers(1, 3))} if kind == "free_product" else None,
        steps=draw(st.none() | st.fixed_dictionaries({"least": st.integers(1, 3), "most": st.integers(3, 9)}))
        if is_amount
        else None,
        cart_share_percent=draw(st.none() | st.integers(1, 100)) if kind == "amount_off" else None,
        minimum_cart_minor=draw(st.sampled_from([0, 2000])) if kind in CODE_KINDS - {"free_product"} else 0,
        only_products=draw(st.lists(st.integers(1, 5), max_size=2)) if is_off else [],
        cost_minor=draw(st.integers(0, 900)),
        stock=draw(limits),
        per_member=draw(limits),
        budget=draw(st.none() | st.fixed_dictionaries({"amount_minor": st.integers(1, 9), "period": periods})),
        starts_at=starts_at,
        ends_at=draw(st.none() | st.integers(1, 500).map(lambda hours: (starts_at or START) + timedelta(hours=hours))),
        valid_days=draw(st.integers(1, 365)),
        combines=draw(st.fixed_dictionaries({"order": st.booleans(), "product": st.booleans()})),
        give_back=draw(st.sampled_from(["share", "whole", "never"])),
    )

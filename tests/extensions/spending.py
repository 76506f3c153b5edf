"""What rewards need beside a page: them as published and as offered, redemptions, a cart with codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.extensions.storefront_pages import MEMBER, Answer, Shop, Storefront, answer, program

DAY = "2026-12-21"
TICKET: dict[str, Any] = {
    "id": "tk1",
    "state": "issued",
    "code": "KN7QM5T2X8ZPV",
    "points": 100,
    "title": "€5\u00a0off",
    "kind": "amount_off",
    "amount_minor": 500,
    "until": "2026-12-22T00:00:00Z",
    "last_day": DAY,
    "reward_id": "r5",
    "variant_id": None,
    "minimum_minor": 0,
    "combines": False,
    "why": None,
    "order": None,
}


def offered(id: str, points: int, kind: str = "amount_off", **more: Any) -> dict[str, Any]:
    """A reward as `/shopper` has it, within reach unless `more` says otherwise."""
    known = {"amount_minor": None, "minimum_minor": 0, "valid_days": 30, "combines": False, "steps": None}
    said = {"reason": None, "only_products": False, "starts_at": None}
    return {"id": id, "title": id, "points": points, "kind": kind, **known, **said, **more}


FIVE_OFF = offered("r5", 100, amount_minor=500, title="€5\u00a0off")
SHIPPING = offered("rs", 150, "free_shipping", title="Free shipping", minimum_minor=4000)
FIFTEEN_OFF = offered("r15", 250, amount_minor=1500, title="€15\u00a0off")
VASE = offered("rv", 500, "free_product", title="Free Bud vase", product="Bud vase")
CARD = offered("rc", 200, "gift_card", amount_minor=1000, title="€10 gift card", valid_days=None)
CREDIT = offered("rk", 200, "store_credit", amount_minor=1000, title="€10 store credit", valid_days=None)
SLIDER = offered(
    "rl",
    100,
    amount_minor=500,
    title="€5 to €25 off",
    steps={
        "points": 100,
        "least": 1,
        "most": 5,
        "titles": [f"€{n * 5}\u00a0off" for n in range(1, 6)],
        "minimums": [n * 1000 for n in range(1, 6)],
    },
)
FOUR = (FIVE_OFF, SHIPPING, FIFTEEN_OFF, VASE)


def published(*rewards: dict[str, Any]) -> list[dict[str, Any]]:
    """The same rewards as the program's metafield has them."""
    kept = ("id", "title", "points", "kind", "amount_minor", "product", "minimum_minor", "valid_days", "combines")
    described = [{key: reward.get(key) for key in (*kept, "only_products", "percent", "named")} for reward in rewards]
    for described_one, reward in zip(described, rewards, strict=True):
        if steps := reward["steps"]:
            described_one["steps"] = {key: steps[key] for key in ("points", "least", "most")}
    return [{key: value for key, value in each.items() if value not in (None, False)} for each in described]


def selling(*rewards: dict[str, Any], **more: Any) -> Storefront:
    """A page of a program with these rewards."""
    rewards = rewards or FOUR
    return Storefront(program=program(rewards=published(*rewards)), **more)


def told(
    *rewards: dict[str, Any], member: dict[str, Any] | None = None, held: tuple[dict[str, Any], ...] = (), **more: Any
) -> Answer:
    """What `/shopper` answers."""
    return (200, answer(member, rewards=list(rewards or FOUR), redemptions=list(held), **more))


def redemption(state: str = "issued", **changes: Any) -> dict[str, Any]:
    gone = {} if state in ("issued", "used") else {"code": None}
    return {**TICKET, "state": state, **gone, **changes}


def error(code: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": "…", "field": None, **more}}


@dataclass
class Cart:
    """A cart as Shopify's Ajax API shows it. `rule` says which codes count; `appends`: new codes join the old ones."""

    subtotal: int = 0  # hundredths
    codes: list[str] = field(default_factory=list)
    rule: Callable[[str], bool] = lambda code: True
    currency: str = "EUR"
    appends: bool = False
    items: list[dict[str, Any]] = field(default_factory=list)
    root: str = ""
    sent: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, method: str, path: str, body: Any) -> Answer | None:
        verb = path.removeprefix(self.root)
        if verb == "/cart.js":
            return 200, self.body()
        if method != "POST" or not verb.startswith("/cart/"):
            return None
        self.sent.append((verb, body))
        if verb == "/cart/add.js":
            self.items += [{"variant_id": item["id"], "quantity": item["quantity"]} for item in body["items"]]
            return 200, {"items": body["items"]}
        codes = [code for code in body["discount"].split(",") if code]
        self.codes = list(dict.fromkeys([*self.codes, *codes] if self.appends else codes))
        return 200, self.body()

    def body(self) -> dict[str, Any]:
        items = self.items or ([{"variant_id": 11, "quantity": 1}] if self.subtotal else [])
        return {
            "items": items,
            "item_count": len(items),
            "currency": self.currency,
            "items_subtotal_price": self.subtotal,
            "total_price": self.subtotal,
            "discount_codes": [{"code": code, "applicable": bool(items) and self.rule(code)} for code in self.codes],
        }


class Till:
    """Our server's redemptions: the answers given, one after the other (the last stays), and what was sent."""

    def __init__(self, *answers: Answer | None, polls: tuple[Answer, ...] = (), cancels: tuple[Answer, ...] = ()):
        self.answers, self.polls, self.cancels = list(answers), list(polls), list(cancels)
        self.sent: list[dict[str, Any]] = []

    def __call__(self, method: str, path: str, body: Any) -> Answer | None:
        if method == "POST" and path.endswith("/redemptions"):
            self.sent.append(body)
            return _next(self.answers) or (503, "<h1>lost</h1>")
        if method == "POST" and path.endswith("/cancel"):
            return _next(self.cancels)
        if method == "GET" and re.search(r"/redemptions/[^/]+$", path):
            return _next(self.polls) or (404, error("not_found"))
        return None


def _next(answers: list[Any]) -> Any:
    return (answers.pop(0) if len(answers) > 1 else answers[0]) if answers else None


def with_routes(shop: Shop, *routes: Any) -> None:
    shop.routes.extend(routes)


def poor(storefront: Storefront, available: int) -> Storefront:
    return replace(storefront, member={**MEMBER, "available": available})

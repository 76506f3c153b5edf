"""G13: refund arithmetic. Random orders in three currencies, with taxes, discounts, shipping, edits and many refunds.

Every body goes through the reader of webhooks, every fact through the merge, and the decision is held against the
oracle's. No database: settling posts exactly the differences of these decisions (G2 shows that it does).
"""

from __future__ import annotations

import ast
import os
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import orjson

import app
from app.program.earning import decide
from app.program.facts import OrderFacts
from app.program.merging import merge
from app.program.settings import ProgramSettings
from app.shopify.payloads import read_delivery

from .living_orders import DIGITS, LivingOrder, life
from .oracle import Award, Timeline, award
from .programs import PROGRAMS, settings_of

ORDERS = 200_000 if os.environ.get("GAUNTLET") == "b" else 20_000
LAUNCHED = datetime(2026, 1, 1, tzinfo=UTC)
SHOP, DOMAIN = 91740864812, "saltmarsh.myshopify.com"


def facts_of(webhooks: list[tuple[str, dict[str, Any]]]) -> list[OrderFacts]:
    return [read_delivery(topic, orjson.dumps(body)).facts for topic, body in webhooks]


def together(facts: list[OrderFacts]) -> OrderFacts:
    merged: OrderFacts | None = None
    for one in facts:
        merged = merge(merged, one)
    assert merged is not None
    return merged


def expected(facts: list[tuple[str, dict[str, Any]]], timeline: Timeline) -> Award:
    refunds = {body["id"]: body for topic, body in facts if topic == "refunds/create"}
    bodies = [body for topic, body in facts if topic != "refunds/create"]
    refunds |= {refund["id"]: refund for body in bodies for refund in body["refunds"]}
    return award(bodies, list(refunds.values()), timeline)


def random_order(random: Random, number: int, currency: str) -> LivingOrder:
    return LivingOrder(
        random, order_id=6_000_000_000_000 + number, customer_id=7001, shop_id=SHOP, domain=DOMAIN, currency=currency,
        placed_at=LAUNCHED + timedelta(minutes=random.randrange(300_000)),
        most_lines=20 if random.random() < 0.05 else 4, test=random.random() < 0.01,
    )  # fmt: skip


class Checked:
    """What one random order showed to be wrong: nothing."""

    def __init__(self, random: Random, number: int, settings: dict[str, ProgramSettings]) -> None:
        name = random.choice(list(PROGRAMS))
        self.program, self.settings = PROGRAMS[name], settings[name]
        self.order = random_order(random, number, self.program.currency)
        happenings = random.choice((2, 3, 4, 5, 6)) if random.random() < 0.98 else 22
        self.told = [webhook for webhooks in life(self.order, happenings) for webhook in webhooks]
        self.timeline = Timeline(((LAUNCHED, self.program),))
        self.random = random

    def problems(self) -> list[str]:
        facts = facts_of(self.told)
        points = self._points(together(facts))
        wanted = expected(self.told, self.timeline).points
        found = [] if points == wanted else [f"{points} points, the oracle says {wanted}"]
        shuffled = self.random.sample(facts, len(facts)) + self.random.choices(facts, k=2)
        if together(shuffled) != together(facts):
            found.append("another order of arrival ends in other facts")
        return found + self._on_the_way(facts)

    def _on_the_way(self, facts: list[OrderFacts]) -> list[str]:
        """Points as the facts come in: what is taken back never exceeds what was awarded; a full refund leaves 0."""
        found: list[str] = []
        held = awarded = taken_back = 0
        known: OrderFacts | None = None
        for one in facts:
            known = merge(known, one)
            points = self._points(known)
            awarded, taken_back = awarded + max(0, points - held), taken_back + max(0, held - points)
            if taken_back > awarded or points < 0:
                found.append(f"{taken_back} points taken back of {awarded}")
            only_refund = one.snapshot is None and all(refund.adjustment_micro <= 0 for refund in one.refunds)
            if only_refund and points > held:
                found.append(f"a refund raised the award from {held} to {points}")
            held = points
        assert known is not None
        rest = facts_of(self.order.refund_rest())
        gone = self._points(together([known, *rest]))
        if gone:
            found.append(f"{gone} points are left of a full refund")
        return found

    def _points(self, facts: OrderFacts) -> int:
        decision = decide(facts, self.settings)
        exact = (int, Fraction)
        assert type(decision.points) is int and isinstance(decision.eligible_micro, exact)
        assert all(isinstance(line.value, exact) and isinstance(line.ordered, exact) for line in decision.lines)
        return decision.points


def test_every_random_order_is_worth_what_the_oracle_says(gauntlet):
    random = gauntlet.random("G13")
    settings = {name: settings_of(program) for name, program in PROGRAMS.items()}
    failures = []
    for number in range(ORDERS):
        checked = Checked(Random(random.getrandbits(64)), number, settings)
        failures += [f"order {number}: {problem}" for problem in checked.problems()]
    gauntlet.record("G13", n=ORDERS, failures=len(failures))
    assert not failures, failures[:5]


def test_the_random_orders_are_as_varied_as_they_should_be():
    """A generator that grew tame would pass everything."""
    random = Random(1)
    seen: set[str] = set()
    for number in range(400):
        order = random_order(random, number, random.choice(list(DIGITS)))
        told = life(order, 6)
        seen |= {order.currency, "included" if order.taxes_included else "on top"}
        seen |= {"edit without record" for line in order.lines if line.removed}
        seen |= {entry["kind"] for refund in order.refunds for entry in refund["order_adjustments"]}
        seen |= {"pending" for r in order.refunds for e in r["order_adjustments"] if not e["amount"].startswith("-")}
        seen |= {"full" for body in told[-1] if body[1].get("financial_status") == "refunded"}
        seen |= {what for line in order.lines for what in ("gift", "tip") if (line.gift_card, line.tip)[what == "tip"]}
    assert seen >= {
        "EUR", "JPY", "KWD", "included", "on top", "edit without record", "refund_discrepancy", "shipping_refund",
        "pending", "full", "gift", "tip",
    }  # fmt: skip


# Where points and money are worked out. (Seconds to wait and shares of a page are no such path.)
EXACT = ("ledger", "program", "models", "loyalty/settle.py", "loyalty/resettle.py", "loyalty/mature.py",
         "loyalty/adjust.py", "loyalty/work.py", "loyalty/audit.py", "loyalty/audit_rewards.py", "loyalty/redact.py",
         "loyalty/redeem.py", "loyalty/stock.py", "loyalty/equip.py", "loyalty/using.py", "loyalty/release.py",
         "loyalty/views",
         "shopify/reading.py", "shopify/order_bodies.py", "shopify/order_nodes.py", "shopify/payloads.py")  # fmt: skip
# Colours are no money, nor is how long a delivery has waited.
NOT_MONEY = {"program/palette.py", "loyalty/views/health.py"}


def test_no_float_reaches_points_or_money(gauntlet):
    """I12: no literal, no ``float``, no inexact division, no ``round`` in any file that touches points or money.

    Two things are exact all the same: refusing what is a float (``type(amount) is float``), and dividing a Fraction.
    """
    root = Path(app.__file__).parent
    files = [
        path for name in EXACT for path in ([root / name] if name.endswith(".py") else (root / name).rglob("*.py"))
    ]
    files = [path for path in files if str(path.relative_to(root)) not in NOT_MONEY]
    found = []
    for path in files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        fine = {id(node) for test in ast.walk(tree) if _refuses_floats(test) for node in ast.walk(test)}
        for node in ast.walk(tree):
            if id(node) not in fine and (what := _inexact(node)):
                found.append(f"{path.relative_to(root)}:{node.lineno}: {what}")
    gauntlet.record("G13", n=len(files), failures=len(found))
    assert not found, found


def _refuses_floats(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Compare)
        and _calls(node.left, "type")
        and isinstance(node.ops[0], ast.Is)
        and ast.unparse(node.comparators[0]) == "float"
    )


def _inexact(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, float):
        return f"the float {node.value}"
    if isinstance(node, ast.Name) and node.id == "float":
        return "float"
    if _calls(node, "round"):
        return "round()"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not _calls(node.left, "Fraction"):
        return "a true division"
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
        return "a true division"
    return None


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name

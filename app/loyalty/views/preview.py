"""What a draft would do, while it is being typed: its faults by field, and an order decided under it.

The server decides with the very rules that settle orders; there is no second rule in a browser. Where a field cannot
be read, the rest is shown with that field as it was, so one slip does not blank the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import Order, Shop
from ...program.earning import decide, points_for
from ...program.explaining import rate_words, working
from ...program.facts import LineFacts, OrderFacts, ShippingFacts, Snapshot
from ...program.margin import MarginWarning, margin_warnings
from ...program.money import MICRO, exponent, micro_per_minor
from ...program.palette import corrections, palette
from ...program.settings import Look, ProgramSettings, describe_changes, errors_by_field
from ...program.words import money_text, points_text
from .seen import Seen, as_seen
from .versions import Version
from .words import Words

SHOWN_IN_PANEL = 3
LOOKED_AT = 20  # of the newest orders, for one that shows something

# What a field is called on the page, for "Days pending: 14 → 120, needs fixing".
_LABELS = {
    "name": "Name",
    "earning.points": "Points",
    "earning.per_minor": "For every",
    "earning.rounding": "Rounding",
    "earning.counts.tax": "Tax",
    "earning.counts.shipping": "Shipping",
    "earning.minimum_order_minor": "Smallest order that earns",
    "earning.exclude.products": "Products that never earn",
    "earning.exclude.vendors": "Vendors that never earn",
    "earning.trigger": "Earned when the order is",
    "earning.hold_days": "Days pending",
    "earning.test_orders": "Test orders",
    "margin.percent": "Your margin",
    "margin.most_share_percent": "Most given away",
    "margin.stop": "Margin guard",
    "look.accent": "Accent",
    "look.corner": "Corner",
    "look.launcher": "Launcher",
    "look.radius": "Corners",
    "look.offset": "Offset",
}


@dataclass(frozen=True, slots=True)
class Change:
    what: str
    how: str


@dataclass(frozen=True, slots=True)
class ProductLine:
    """The product block, in the storefront's own words."""

    title: str
    price: str
    earns: str  # "28 points", or "" when it earns nothing by itself
    sentence: str  # what stands around it: "Earns {} in orders from €40.00."


@dataclass(frozen=True, slots=True)
class Preview:
    errors: dict[str, str]
    settings: ProgramSettings  # with faulty fields as they were
    rate: str
    product: ProductLine
    order_name: str  # "" for the made-up order
    order_rows: list[tuple[str, str]]
    order_points: int
    live_points: int | None  # of the same order under the live version
    changes: list[Change]
    guard: list[MarginWarning]
    rewards: list[Seen]  # as the panel shows them, the first few
    look: LookPreview


@dataclass(frozen=True, slots=True)
class LookPreview:
    look: Look
    light: dict[str, str]
    dark: dict[str, str]
    corrections: list[str]


def preview(
    session: Session,
    shop: Shop,
    document: dict[str, Any],
    *,
    typed: dict[str, tuple[str, str]],
    base: ProgramSettings,
    compared_with: Version | None,
    live: Version | None,
    words: Words,
) -> Preview:
    """Decide a draft. ``typed`` is what stood and what stands in each field, ``base`` what faulty fields
    fall back to."""
    settings, errors = checked(document, base)
    before = compared_with.settings if compared_with else None
    name, facts = _an_order(session, shop)
    points, rows = _decided(facts, settings, words)
    return Preview(
        errors=errors,
        settings=settings,
        rate=rate_words(settings),
        product=_product_line(facts, settings),
        order_name=name,
        order_rows=rows,
        order_points=points,
        live_points=_decided(facts, live.settings, words)[0] if live else None,
        changes=_changes(before, settings, errors, typed),
        guard=margin_warnings(settings),
        rewards=[as_seen(reward, settings.currency, words) for reward in settings.rewards[:SHOWN_IN_PANEL]],
        look=look_preview(settings.look),
    )


def checked(document: dict[str, Any], base: ProgramSettings) -> tuple[ProgramSettings, dict[str, str]]:
    """The document's settings, faulty fields taken from ``base``, and what is wrong with those, by field."""
    try:
        return ProgramSettings.model_validate(document), {}
    except ValidationError as error:
        errors = errors_by_field(error)
    mended = base.document()
    for path in _LABELS:
        if path not in errors:
            _put(mended, path, _get(document, path))
    try:
        return ProgramSettings.model_validate(mended), errors
    except ValidationError:
        return base, errors


def look_preview(look: Look) -> LookPreview:
    colours = palette(look.accent)
    return LookPreview(look, colours["light"], colours["dark"], corrections(look))


def _decided(facts: OrderFacts, settings: ProgramSettings, words: Words) -> tuple[int, list[tuple[str, str]]]:
    """Points, and the working."""
    try:
        decision = decide(facts, settings)
    except ValueError:
        return 0, [("This order would earn more points than can be counted.", "")]
    return decision.points, working(decision, settings, zone=words.zone)


def _an_order(session: Session, shop: Shop) -> tuple[str, OrderFacts]:
    """The shop's newest order that shows something; a made-up one until there is any."""
    newest = session.execute(
        select(Order.name, Order.facts)
        .where(Order.shop_id == shop.shop_id, Order.created_at.is_not(None), Order.redacted.is_(False))
        .order_by(Order.created_at.desc())
        .limit(LOOKED_AT)
    )
    for name, text in newest:
        facts = OrderFacts.from_json(orjson.loads(text))
        if facts.snapshot and facts.ever_paid and not facts.cancelled_at and _products(facts):
            return name, facts
    return "", _made_up(shop.currency)


def _made_up(currency: str) -> OrderFacts:
    """Two mugs, a vase and shipping, at prices that look right in the currency."""
    unit = MICRO * (100 if exponent(currency) == 0 else 1)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    lines = (
        LineFacts(line_id=1, title="Mug", quantity=2, price_micro=28 * unit, product_id=1),
        LineFacts(line_id=2, title="Vase", quantity=1, price_micro=24 * unit, product_id=2),
    )
    shown = Snapshot(
        name="", created_at=moment, updated_at=moment, currency=currency, lines=lines, financial_status="paid",
        fulfillment_status="fulfilled", customer_id=1, fulfilled_at=moment,
        shipping_lines=(ShippingFacts(title="Standard", price_micro=4_900_000 * unit // MICRO),),
    )  # fmt: skip
    return OrderFacts.of_snapshot(1, shown)


def _products(facts: OrderFacts) -> list[LineFacts]:
    lines = facts.snapshot.lines if facts.snapshot else ()
    return [line for line in lines if line.kind == "product" and line.quantity and line.price_micro]


def _product_line(facts: OrderFacts, settings: ProgramSettings) -> ProductLine:
    earning, currency = settings.earning, settings.currency
    line = _products(facts)[0]
    assert facts.snapshot is not None
    price = money_text(line.price_micro, currency)
    vendor = (line.vendor or "").strip().casefold()
    if line.product_id in earning.exclude.product_ids or (vendor and vendor in earning.exclude.vendor_names):
        return ProductLine(line.title, price, "", "This item does not earn points.")
    alone = earning.model_copy(update={"minimum_order_minor": 0})
    try:
        points = points_for(line.price_micro, alone, currency)
    except ValueError:
        return ProductLine(line.title, price, "", "This would earn more points than can be counted.")
    if not points:
        return ProductLine(line.title, price, "", f"Counts towards your points: {rate_words(settings)}.")
    # The price shown includes a tax that does not count.
    up_to = "Earns up to {}" if facts.snapshot.taxes_included and not earning.counts.tax else "Earns {}"
    minimum = earning.minimum_order_minor * micro_per_minor(currency)
    where = f" in orders from {money_text(minimum, currency)}" if minimum > line.price_micro else ""
    return ProductLine(line.title, price, points_text(points), f"{up_to}{where}.")


def _changes(
    before: ProgramSettings | None, settings: ProgramSettings, errors: dict[str, str], typed: dict[str, tuple[str, str]]
) -> list[Change]:
    changes = []
    for path in errors:
        had, has = typed.get(path, ("", ""))
        how = f"{had} → {has}, needs fixing" if has and before else f"{has}, needs fixing" if has else "Needs fixing"
        changes.append(Change(_LABELS.get(path, "Program"), how))
    for line in describe_changes(before, settings) if before else []:
        what, _, how = line.partition(": ")
        changes.append(Change(what, how))
    return changes


def _get(document: dict[str, Any], path: str) -> Any:
    value: Any = document
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        document = document[part]
    document[last] = value

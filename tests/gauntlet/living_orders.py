"""Orders that live: things happen to them as they do in a shop, and every happening is told by webhooks.

`LivingOrder` keeps the truth of one order the way Shopify does and writes the bodies it would send. Everything random
comes from the generator it is given, so one seed is one life. It imports nothing of the app, nor of the oracle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

Webhook = tuple[str, dict[str, Any]]

DIGITS = {"JPY": 0, "EUR": 2, "USD": 2, "KWD": 3}
VENDORS = ("Saltmarsh", "Acme", "Ölberg & Söhne", None)
PRODUCTS = range(901, 909)
EXCLUDED_PRODUCTS, EXCLUDED_VENDORS = (901, 905), ("ACME",)


# What may happen to a paid order, and how often.
HAPPENINGS = {
    "refund": 10, "refund_money": 2, "edit_down": 5, "pay_out": 3, "edit_up": 3, "pay_more": 3, "fulfil": 3,
    "cancel": 1, "refund_rest": 1,
}  # fmt: skip


def money(minor: int, currency: str) -> str:
    """An amount as Shopify writes it: whole minor units in, "12.75" out."""
    digits, sign = DIGITS[currency], "-" if minor < 0 else ""
    if not digits:
        return f"{minor}"
    return f"{sign}{abs(minor) // 10**digits}.{abs(minor) % 10**digits:0{digits}d}"


@dataclass
class Line:
    line_id: int
    price: int  # minor units, one unit of the product
    quantity: int
    discount: int
    tax: int
    product: int
    vendor: str | None
    gift_card: bool = False
    tip: bool = False
    removed: int = 0  # by edits
    refunded: int = 0

    @property
    def left(self) -> int:
        return self.quantity - self.removed - self.refunded


@dataclass
class LivingOrder:
    random: Random
    order_id: int
    customer_id: int | None
    placed_at: datetime
    shop_id: int
    domain: str
    currency: str = "EUR"
    most_lines: int = 4
    email: str | None = None
    test: bool = False

    lines: list[Line] = field(default_factory=list)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    shipping: int = 0
    shipping_tax: int = 0
    shipping_refunded: bool = False
    outstanding: int = 0
    owed: int = 0  # for units an edit took away, not paid out yet
    status: str = "pending"
    fulfilled_at: datetime | None = None
    cancelled_at: datetime | None = None

    def __post_init__(self) -> None:
        self.now = self.placed_at.replace(microsecond=0)
        self.taxes_included = self.random.random() < 0.5
        self.tax_percent = self.random.choice((0, 7, 10, 19, 20))
        self.old_bodies = self.random.random() < 0.1  # from before current_quantity and total_outstanding
        self.presentment = self.random.choice((self.currency, "USD"))
        for _ in range(self.random.randint(1, self.most_lines)):
            self._add_line()
        if self.random.random() < 0.6:
            self.shipping = self.random.randrange(0, 1200)
            self.shipping_tax = self._tax(self.shipping)

    # --- happenings: each moves the clock and returns the webhooks that tell of it ---------------------------------

    def create(self) -> list[Webhook]:
        return [("orders/create", self.body())]

    def pay(self) -> list[Webhook]:
        self._later(0)  # in the very second of its creation, now and then
        self.status = "paid"
        return [("orders/paid", self.body())]

    def fulfil(self) -> list[Webhook]:
        self._later()
        self.fulfilled_at = self.now
        return [("orders/fulfilled", self.body())]

    def cancel(self) -> list[Webhook]:
        self._later()
        self.cancelled_at = self.now
        return [("orders/cancelled", self.body())]

    def void(self) -> list[Webhook]:
        self._later()
        self.status = "voided"
        return [("orders/updated", self.body())]

    def edit_down(self) -> list[Webhook]:
        """Units removed by an edit: with a refund record and a pending discrepancy, or with a lower quantity alone."""
        choices = [line for line in self.lines if line.left]
        if not choices or self.old_bodies:
            return []
        self._later()
        line = self.random.choice(choices)
        units = self.random.randint(1, line.left)
        worth = self._worth(line, units)
        webhooks = []
        self.owed += worth
        if self.random.random() < 0.5:
            line.refunded += units
            refund = self._refund({line.line_id: units}, discrepancy=worth)
            webhooks.append(("refunds/create", refund))
        else:
            line.removed += units
        return [*webhooks, ("orders/updated", self.body())]

    def pay_out(self) -> list[Webhook]:
        """The difference an edit left is paid back to the customer."""
        self._later()
        refund = self._refund({}, discrepancy=-self.owed) if self.owed else None
        self.owed = 0
        return [("refunds/create", refund), ("orders/updated", self.body())] if refund else []

    def edit_up(self) -> list[Webhook]:
        """A line is added; its money is outstanding until it is paid."""
        self._later()
        line = self._add_line()
        self.outstanding += self._worth(line, line.quantity)
        return [("orders/updated", self.body())]

    def pay_more(self) -> list[Webhook]:
        self._later()
        self.outstanding = 0
        return [("orders/updated", self.body())]

    def refund(self) -> list[Webhook]:
        """Some units come back, and now and then shipping, or more or less money than they cost."""
        choices = [line for line in self.lines if line.left]
        if not choices:
            return []
        self._later()
        units: dict[int, int] = {}
        for line in self.random.sample(choices, self.random.randint(1, min(3, len(choices)))):
            units[line.line_id] = count = self.random.randint(1, line.left)
            line.refunded += count
        discrepancy = -self.random.randrange(1, 900) if self.random.random() < 0.15 else 0
        return self._told(self._refund(units, discrepancy=discrepancy, shipping=self.random.random() < 0.2))

    def refund_money(self) -> list[Webhook]:
        """Money goes back and nothing else."""
        self._later()
        return self._told(self._refund({}, discrepancy=-self.random.randrange(1, 3000)))

    def refund_rest(self) -> list[Webhook]:
        """Every unit that is left, and the shipping."""
        self._later()
        units = {line.line_id: line.left for line in self.lines if line.left}
        for line in self.lines:
            line.refunded += line.left
        return self._told(self._refund(units, shipping=True))

    # --- what Shopify would write ----------------------------------------------------------------------------------

    def body(self) -> dict[str, Any]:
        status = self.status
        if self.refunds and status == "paid":
            status = "refunded" if not any(line.left for line in self.lines) else "partially_refunded"
        body: dict[str, Any] = {
            "id": self.order_id, "admin_graphql_api_id": f"gid://shopify/Order/{self.order_id}",
            "name": f"#{self.order_id}", "email": self.email,
            "created_at": self.placed_at.replace(microsecond=0).isoformat(), "updated_at": self.now.isoformat(),
            "cancelled_at": self.cancelled_at.isoformat() if self.cancelled_at else None, "test": self.test,
            "currency": self.currency, "taxes_included": self.taxes_included, "financial_status": status,
            "fulfillment_status": "fulfilled" if self.fulfilled_at else None,
            "order_status_url": f"https://{self.domain}/{self.shop_id}/orders/{self.order_id}/authenticate?key=0",
            "source_name": "web", "customer": {"id": self.customer_id} if self.customer_id is not None else None,
            "line_items": [self._line_body(line) for line in self.lines],
            "shipping_lines": [self._shipping_body()] if self.shipping else [],
            "refunds": list(self.refunds),
            "fulfillments": [
                {"id": 1, "created_at": self.fulfilled_at.isoformat(), "status": "success"}
            ] if self.fulfilled_at else [],
        }  # fmt: skip
        if not self.old_bodies:
            body["total_outstanding"] = money(self.outstanding - self.owed, self.currency)
        return body

    def _line_body(self, line: Line) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": line.line_id, "title": f"Bowl {line.line_id}", "quantity": line.quantity,
            "gift_card": line.gift_card, "price": money(line.price, self.currency), "price_set": self._set(line.price),
            "product_id": line.product, "variant_id": line.product + 1000, "vendor": line.vendor,
            "discount_allocations": [{"amount": money(part, self.currency), "amount_set": self._set(part)}
                                     for part in _parts(line.discount)],
            "tax_lines": [{"title": "VAT", "price": money(part, self.currency), "price_set": self._set(part)}
                          for part in _parts(line.tax)],
        }  # fmt: skip
        if line.tip:
            body["tip"] = {"payment_gateway": None}
        if not self.old_bodies:
            body["current_quantity"] = line.left
        return body

    def _shipping_body(self) -> dict[str, Any]:
        return {
            "id": 1, "title": "Standard", "price": money(self.shipping, self.currency),
            "price_set": self._set(self.shipping), "discount_allocations": [],
            "tax_lines": [{"title": "VAT", "price_set": self._set(self.shipping_tax)}] if self.shipping_tax else [],
        }  # fmt: skip

    def _refund(self, units: dict[int, int], *, discrepancy: int = 0, shipping: bool = False) -> dict[str, Any]:
        refund_id = int(f"{self.order_id}7{len(self.refunds):02d}")
        adjustments = []
        if discrepancy:
            adjustments.append(self._adjustment(refund_id, 1, "refund_discrepancy", discrepancy, 0))
        if shipping and self.shipping and not self.shipping_refunded:
            self.shipping_refunded = True
            adjustments.append(self._adjustment(refund_id, 2, "shipping_refund", -self.shipping, -self.shipping_tax))
        refund = {
            "id": refund_id, "order_id": self.order_id, "created_at": self.now.isoformat(),
            "refund_line_items": [
                {"id": refund_id * 10 + place, "line_item_id": line_id, "quantity": count,
                 "restock_type": self.random.choice(("return", "no_restock"))}
                for place, (line_id, count) in enumerate(units.items())
            ],
            "refund_shipping_lines": [], "order_adjustments": adjustments,
        }  # fmt: skip
        self.refunds.append(refund)
        return refund

    def _adjustment(self, refund_id: int, place: int, kind: str, amount: int, tax: int) -> dict[str, Any]:
        return {
            "id": refund_id * 10 + place, "kind": kind, "reason": kind, "amount": money(amount, self.currency),
            "amount_set": self._set(amount), "tax_amount": money(tax, self.currency), "tax_amount_set": self._set(tax),
            "order_id": self.order_id, "refund_id": refund_id,
        }  # fmt: skip

    def _told(self, refund: dict[str, Any]) -> list[Webhook]:
        return [("refunds/create", refund), ("orders/updated", self.body())]

    def _set(self, minor: int) -> dict[str, Any]:
        """Shop money is what counts; what the shopper saw may be in another currency."""
        shop = {"amount": money(minor, self.currency), "currency_code": self.currency}
        if self.presentment == self.currency:
            return {"shop_money": shop, "presentment_money": shop}
        return {"shop_money": shop, "presentment_money": {"amount": money(minor * 3, "USD"), "currency_code": "USD"}}

    def _add_line(self) -> Line:
        random, number = self.random, len(self.lines) + 1
        price, quantity = (
            random.choice((random.randrange(0, 20_000), random.randrange(1, 500) * 100)),
            random.randint(1, 5),
        )
        total = price * quantity
        discount = random.randrange(0, total + 1) if total and random.random() < 0.4 else 0
        kind = random.random()
        line = Line(
            int(f"{self.order_id}{number:02d}"), price, quantity, discount, self._tax(total - discount),
            random.choice(PRODUCTS), random.choice(VENDORS), gift_card=kind < 0.06, tip=0.06 <= kind < 0.09,
        )  # fmt: skip
        self.lines.append(line)
        return line

    def _tax(self, value: int) -> int:
        of = 100 + self.tax_percent if self.taxes_included else 100
        return value * self.tax_percent // of

    def _worth(self, line: Line, units: int) -> int:
        """What the customer paid for some of a line's units, in whole minor units."""
        total = line.price * line.quantity - line.discount + (0 if self.taxes_included else line.tax)
        return total * units // line.quantity

    def _later(self, least_s: int = 1) -> None:
        self.now += timedelta(seconds=self.random.choice((least_s, 1, 60, 3600)))


def _parts(total: int) -> list[int]:
    """A sum in up to two parts, as two discounts or two taxes make it."""
    return [part for part in (total // 3, total - total // 3) if part] if total else []


def life(order: LivingOrder, happenings: int) -> list[list[Webhook]]:
    """A plausible life: created, mostly paid, then whatever happens. The webhooks of each happening."""
    random = order.random
    told = [order.create()]
    if random.random() < 0.05:
        return [*told, order.void()]
    if random.random() < 0.95:
        told.append(order.pay())
    while len(told) < happenings:
        what = random.choices(list(HAPPENINGS), list(HAPPENINGS.values()))[0]
        told.append(getattr(order, what)())
        if what == "cancel":
            break
    return [webhooks for webhooks in told if webhooks]

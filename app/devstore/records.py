"""What a store is made of: plain dataclasses, kept as JSON documents in SQLite.

Amounts are whole minor units of the shop's currency (``*_minor``); moments are aware UTC datetimes of whole seconds;
ids are Shopify's numbers. Everything else about an order (totals, statuses, what remains) is worked out from them in
``ordering.figures``, so the REST body and the GraphQL answer cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Shop:
    """One store. ``domain`` is its full myshopify domain, which is also how the rest of this package names it."""

    id: int
    domain: str
    name: str
    email: str
    created_at: datetime
    updated_at: datetime
    currency: str = "EUR"
    timezone: str = "Europe/Amsterdam"
    country_code: str = "NL"
    country: str = "Netherlands"
    locale: str = "en"
    taxes_included: bool = True
    tax_rate: str = "0.21"
    tax_title: str = "VAT"
    shipping_minor: int = 495
    free_shipping_from_minor: int | None = 7500
    presentment_rates: dict[str, str] = field(default_factory=dict)  # currency -> units of it per unit of the shop's
    development: bool = True
    next_order_number: int = 1001
    # Whether removing units by an edit also writes a refund record (unverified on the real platform: both are offered).
    edit_writes_refund: bool = True

    @property
    def handle(self) -> str:
        return self.domain.removesuffix(".myshopify.com")


@dataclass
class Variant:
    id: int
    title: str  # "Default Title" when the product has one variant only, as on Shopify
    price_minor: int
    sku: str = ""
    compare_at_minor: int | None = None
    options: list[str] = field(default_factory=list)
    inventory: int = 50


@dataclass
class Product:
    id: int
    shop_id: int
    handle: str
    title: str
    vendor: str
    product_type: str
    description: str
    created_at: datetime
    updated_at: datetime
    variants: list[Variant]
    option_names: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)  # handles
    picture: str = ""  # a key the storefront draws a picture for
    gift_card: bool = False
    taxable: bool = True


@dataclass
class Collection:
    id: int
    shop_id: int
    handle: str
    title: str
    description: str = ""


@dataclass
class Customer:
    id: int
    shop_id: int
    email: str | None
    first_name: str
    last_name: str
    created_at: datetime
    updated_at: datetime
    phone: str | None = None
    verified_email: bool = True
    state: str = "enabled"  # disabled (no account), invited, enabled, declined
    tags: list[str] = field(default_factory=list)
    note: str | None = None
    city: str = "Haarlem"
    address1: str = "Zeeweg 1"
    zip: str = "2011 AA"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass
class DiscountApplication:
    """How one discount applied to one order; lines point at it by its index."""

    kind: str  # discount_code, automatic, manual
    title: str
    target_type: str  # line_item, shipping_line
    value_type: str  # percentage, fixed_amount
    value: str
    allocation_method: str  # across, each
    target_selection: str  # all, entitled
    code: str | None = None
    discount_id: int | None = None


@dataclass
class Allocation:
    application: int  # index into Order.discount_applications
    amount_minor: int


@dataclass
class TaxLine:
    title: str
    rate: str
    amount_minor: int


@dataclass
class Line:
    """``quantity``, allocations and taxes include what was refunded or removed later, as Shopify's do."""

    id: int
    product_id: int | None
    variant_id: int | None
    title: str
    variant_title: str | None
    vendor: str | None
    sku: str
    price_minor: int
    quantity: int
    gift_card: bool = False
    taxable: bool = True
    requires_shipping: bool = True
    allocations: list[Allocation] = field(default_factory=list)
    taxes: list[TaxLine] = field(default_factory=list)
    removed: int = 0  # units taken out by edits
    tags: list[str] = field(default_factory=list)


@dataclass
class ShippingLine:
    id: int
    title: str
    code: str
    price_minor: int
    allocations: list[Allocation] = field(default_factory=list)
    taxes: list[TaxLine] = field(default_factory=list)


@dataclass
class RefundLine:
    id: int
    line_id: int
    quantity: int
    restock_type: str  # no_restock, cancel, return
    subtotal_minor: int  # of these units, discounts taken off; with tax when taxes are included
    tax_minor: int
    unfulfilled: int = 0  # how many of these units had not been shipped
    removal: bool = False  # these units were taken out by an edit: Line.removed already counts them


@dataclass
class RefundShipping:
    id: int
    shipping_line_id: int
    subtotal_minor: int
    tax_minor: int


@dataclass
class Adjustment:
    """Money no line accounts for: negative when more went back than the units are worth, positive when less did."""

    id: int
    amount_minor: int
    tax_minor: int
    kind: str  # shipping_refund, refund_discrepancy
    reason: str  # "Shipping refund", "Refund discrepancy", "Pending refund discrepancy"


@dataclass
class Refund:
    id: int
    created_at: datetime
    note: str | None = None
    restock: bool = False
    lines: list[RefundLine] = field(default_factory=list)
    shipping: list[RefundShipping] = field(default_factory=list)
    adjustments: list[Adjustment] = field(default_factory=list)
    transaction_ids: list[int] = field(default_factory=list)


@dataclass
class Transaction:
    id: int
    kind: str  # sale, authorization, capture, refund, void
    status: str  # success, failure, pending
    amount_minor: int
    processed_at: datetime
    gateway: str = "bogus"
    parent_id: int | None = None
    source_id: int | None = None  # the gift card, or the store credit account


@dataclass
class FulfilledLine:
    line_id: int
    quantity: int


@dataclass
class Fulfilment:
    id: int
    created_at: datetime
    lines: list[FulfilledLine]
    service: str = "manual"
    tracking_company: str | None = None
    tracking_number: str | None = None


@dataclass
class Order:
    id: int
    shop_id: int
    number: int  # 1001; Shopify's order_number
    token: str  # names the order's status page
    currency: str
    presentment_currency: str
    presentment_rate: str  # presentment per shop currency
    taxes_included: bool
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    customer_id: int | None = None
    email: str | None = None
    test: bool = False
    source_name: str = "web"
    cart_token: str | None = None
    note: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)  # cart attributes
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed_at: datetime | None = None
    edited: bool = False
    original_total_minor: int = 0  # the total when it was placed, before edits
    tip_minor: int = 0
    tags: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    shipping: list[ShippingLine] = field(default_factory=list)
    discount_applications: list[DiscountApplication] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    fulfilments: list[Fulfilment] = field(default_factory=list)

    @property
    def all_lines(self) -> list[Line | ShippingLine]:
        """Items and shipping: whatever carries discounts and taxes."""
        return [*self.lines, *self.shipping]

    @property
    def name(self) -> str:
        return f"#{self.number}"

    def line(self, line_id: int) -> Line:
        """The line with this id. Raises KeyError."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise KeyError(line_id)


@dataclass
class Installation:
    """The app on one shop. Uninstalled ones are kept (``uninstalled_at`` set), so shop/redact can be sent later."""

    id: int  # AppInstallation's own id
    shop_id: int
    scopes: list[str]
    installed_at: datetime
    uninstalled_at: datetime | None = None
    user_id: int = 0  # the merchant's staff id
    optional: list[str] = field(default_factory=list)


@dataclass
class Token:
    """An Admin API token. Kept as digests only, like everything that could be a secret."""

    id: int
    shop_id: int
    access_digest: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    online: bool = False
    user_id: int | None = None
    refresh_digest: str | None = None
    refresh_expires_at: datetime | None = None
    parent_id: int | None = None  # the token whose refresh token was spent for this one
    first_refreshed_at: datetime | None = None
    used: bool = False  # its access or refresh token was used, which retires its parent's refresh token for good
    dead: bool = False  # its refresh token no longer works
    secret_digest: str = ""  # of the client secret it was had with


@dataclass
class Metafield:
    id: int
    shop_id: int
    owner: str  # gid://shopify/Customer/1
    namespace: str  # resolved: "app--1234--loyalty", never "$app:loyalty"
    key: str
    type: str
    value: str
    created_at: datetime
    updated_at: datetime


@dataclass
class MetafieldDefinition:
    id: int
    shop_id: int
    owner_type: str
    namespace: str
    key: str
    name: str
    type: str
    description: str | None = None
    access: dict[str, str] = field(default_factory=dict)

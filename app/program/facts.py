"""What is known about one order, whoever told it.

A webhook's body and a GraphQL fetch are both turned into `OrderFacts` (app/shopify/payloads.py does that), merged into
what the order's row already knows (merging.py), and stored there as JSON, so that bodies can be erased. Amounts are in
shop money, in micros (money.py); moments are aware UTC datetimes; ids are Shopify's numbers. Plain dataclasses and not
pydantic models: a busy worker makes thousands of them a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic_core import to_json

from app.program.codes import UsedCodes

PAID_STATUSES = frozenset({"paid", "partially_refunded", "refunded"})
_NEVER_READ = datetime.min.replace(tzinfo=UTC)

T = TypeVar("T")

LineKind = Literal["product", "gift_card", "tip"]

# How snapshots are ordered: updated_at, read_at, ever paid, cancelled, fulfilled, digest (DESIGN §1).
SnapshotKey = tuple[datetime, datetime, bool, bool, bool, str]


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One line item. Quantity, discount and tax include units that were refunded or removed since.

    `kind` is "tip" for what REST marks with a `tip` object on the line (GraphQL: a line titled "Tip" without product).
    """

    line_id: int
    title: str
    quantity: int
    price_micro: int  # one unit, before discounts
    current_quantity: int | None = None  # units neither refunded nor removed; absent in old bodies
    discount_micro: int = 0  # Σ discount allocations of the whole line
    tax_micro: int = 0  # Σ tax lines of the whole line
    product_id: int | None = None
    variant_id: int | None = None
    vendor: str | None = None
    kind: LineKind = "product"


@dataclass(frozen=True, slots=True)
class ShippingFacts:
    """One shipping line that was not removed."""

    title: str
    price_micro: int  # before discounts
    discount_micro: int = 0
    tax_micro: int = 0


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """One refund: units that came back, and money tied to no line.

    `adjustment_micro` is the signed sum of its discrepancy adjustments: negative when more money than goods went back,
    positive when units came back and their money has not yet. Adjustments of kind `shipping_refund` are not in it.
    `shipping_micro` and `shipping_tax_micro` are what it gave back of shipping, positive and counted once: from
    `refund_shipping_lines`, or where a body has none from its `shipping_refund` adjustments.
    """

    refund_id: int
    created_at: datetime
    units: tuple[tuple[int, int], ...] = ()  # (line id, units), one pair a line, sorted by line id
    adjustment_micro: int = 0
    shipping_micro: int = 0
    shipping_tax_micro: int = 0
    digest: str = ""  # of everything above; worked out when not given

    def __post_init__(self) -> None:
        if len(self.units) > 1:
            object.__setattr__(self, "units", _units_by_line(self.units))
        if not self.digest:
            object.__setattr__(self, "digest", _digest(_refund_document(self)))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An order as one body or one fetch showed it.

    Statuses are in REST's words, lower case: `financial_status` paid, pending, voided…; `fulfillment_status` None,
    partial, fulfilled, fulfillment_not_required… `currency` is the shop's. `read_at` is the moment of a fetch, None
    for a webhook. `address_hash` is a keyed hash of the normalised e-mail address, made by the caller.
    """

    name: str  # "#1001"
    created_at: datetime
    updated_at: datetime
    currency: str
    lines: tuple[LineFacts, ...]
    read_at: datetime | None = None
    taxes_included: bool = False
    test: bool = False
    financial_status: str | None = None
    fulfillment_status: str | None = None
    total_outstanding_micro: int | None = None
    source_name: str | None = None
    shipping_lines: tuple[ShippingFacts, ...] = ()
    contained_refunds: tuple[int, ...] = ()  # ids of the refunds this body lists: its current quantities know them
    cancelled_at: datetime | None = None
    fulfilled_at: datetime | None = None  # created_at of the last fulfilment
    customer_id: int | None = None
    customer_verified: bool | None = None  # the customer's `verified_email`, where the body says
    address_hash: str | None = None
    codes: UsedCodes = ()  # discount codes, and what each took off lines and shipping
    digest: str = ""  # of everything above but name, customer and address; worked out when not given

    def __post_init__(self) -> None:
        if not self.digest:
            # Not of the person: a digest without a key would tell who it was after they were erased.
            object.__setattr__(self, "digest", _digest(_goods_document(self)))

    @property
    def shows_paid(self) -> bool:
        return self.financial_status in PAID_STATUSES

    @property
    def key(self) -> SnapshotKey:
        """The greatest wins. Only `digest` has no meaning: it makes every tie end the same way everywhere."""
        return (
            self.updated_at,
            self.read_at or _NEVER_READ,
            self.shows_paid,
            self.cancelled_at is not None,
            self.fulfillment_status == "fulfilled",
            self.digest,
        )

    @property
    def person(self) -> tuple[int, int, str, str]:
        """What of two snapshots with one key decides: they differ in nothing else."""
        verified = 0 if self.customer_verified is None else 1 + self.customer_verified
        return self.customer_id or 0, verified, self.address_hash or "", self.name


@dataclass(frozen=True, slots=True)
class Named(Generic[T]):
    """Something that not every snapshot names, as the greatest snapshot that does names it."""

    value: T
    key: SnapshotKey


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """The merged knowledge about one order. Without a snapshot it waits: a refund came before its order."""

    order_id: int
    snapshot: Snapshot | None = None
    refunds: tuple[RefundFacts, ...] = ()  # one an id, sorted by id
    cancelled_at: datetime | None = None  # the earliest seen, from stale bodies too
    paid_at: datetime | None = None  # the earliest moment it is known to have been paid
    customer: Named[int] | None = None
    address: Named[str] | None = None
    redacted: bool = False  # the person was erased; merging keeps it so
    codes_seen: UsedCodes = ()  # every code any snapshot showed, with the most it ever took off

    @classmethod
    def of_snapshot(
        cls,
        order_id: int,
        snapshot: Snapshot,
        refunds: Iterable[RefundFacts] = (),
        *,
        paid_at: datetime | None = None,
    ) -> OrderFacts:
        """The facts of one body or fetch, `refunds` being those it lists.

        `paid_at` is for a fetch whose successful sales and captures reach the original total: the `processedAt` of the
        transaction that did. A body that shows a paid status dates the payment no later than its own `updated_at`.
        """
        refunds = tuple(sorted(refunds, key=lambda refund: refund.refund_id))
        contained = tuple(refund.refund_id for refund in refunds)
        if contained != snapshot.contained_refunds:
            snapshot = replace(snapshot, contained_refunds=contained, digest="")
        if snapshot.shows_paid and (paid_at is None or snapshot.updated_at < paid_at):
            paid_at = snapshot.updated_at
        key = snapshot.key
        return cls(
            order_id=order_id,
            snapshot=snapshot,
            refunds=refunds,
            cancelled_at=snapshot.cancelled_at,
            paid_at=paid_at,
            customer=Named(snapshot.customer_id, key) if snapshot.customer_id is not None else None,
            address=Named(snapshot.address_hash, key) if snapshot.address_hash is not None else None,
            codes_seen=snapshot.codes,
        )

    @classmethod
    def of_refund(cls, order_id: int, refund: RefundFacts) -> OrderFacts:
        """The facts of a refunds/create body."""
        return cls(order_id=order_id, refunds=(refund,))

    @property
    def ever_paid(self) -> bool:
        return self.paid_at is not None

    @property
    def customer_id(self) -> int | None:
        return self.customer.value if self.customer else None

    @property
    def address_hash(self) -> str | None:
        return self.address.value if self.address else None

    @property
    def codes(self) -> UsedCodes:
        """Every code the order ever used, with what it takes off by the winning snapshot, else the most it ever did.

        A code no snapshot shows any longer was used all the same: Shopify gives no use of a code back.
        """
        return tuple(sorted({**dict(self.codes_seen), **dict(self.snapshot.codes if self.snapshot else ())}.items()))

    @property
    def created_at(self) -> datetime | None:
        """The order's own moment, once known."""
        return self.snapshot.created_at if self.snapshot else None

    def without_person(self) -> OrderFacts:
        """The same facts with nobody in them, for redaction: no customer, no address, no order name.

        What decides points stays, discount codes too, and so does the place among snapshots, digest included. Whatever
        is merged in later loses its person as well, so a late delivery brings nobody back.
        """
        snapshot = self.snapshot
        if snapshot:
            snapshot = replace(snapshot, name="", customer_id=None, customer_verified=None, address_hash=None)
        return replace(self, snapshot=snapshot, customer=None, address=None, redacted=True)

    def to_json(self) -> dict[str, Any]:
        """A small JSON-able dict; `from_json` gives equal facts back."""
        document: dict[str, Any] = {"order": self.order_id}
        if self.redacted:
            document["redacted"] = True
        if self.snapshot:
            document["snapshot"] = {**_snapshot_document(self.snapshot), "digest": self.snapshot.digest}
        if self.refunds:
            document["refunds"] = [{**_refund_document(refund), "digest": refund.digest} for refund in self.refunds]
        if self.cancelled_at:
            document["cancelled_at"] = _text(self.cancelled_at)
        if self.paid_at:
            document["paid_at"] = _text(self.paid_at)
        for field, named in (("customer", self.customer), ("address", self.address)):
            if named:
                # Nearly always the snapshot that won also named it, and then its key need not be said twice.
                own = self.snapshot is not None and named.key == self.snapshot.key
                document[field] = [named.value] if own else [named.value, *_key_document(named.key)]
        if self.codes_seen != (self.snapshot.codes if self.snapshot else ()):
            document["codes_seen"] = [list(pair) for pair in self.codes_seen]
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> OrderFacts:
        """Facts as `to_json` wrote them."""
        snapshot = _snapshot_from(document["snapshot"]) if "snapshot" in document else None
        return cls(
            order_id=document["order"],
            snapshot=snapshot,
            refunds=tuple(_refund_from(refund) for refund in document.get("refunds", ())),
            cancelled_at=_moment(document.get("cancelled_at")),
            paid_at=_moment(document.get("paid_at")),
            customer=_named_from(document.get("customer"), snapshot),
            address=_named_from(document.get("address"), snapshot),
            redacted=document.get("redacted", False),
            codes_seen=_codes_from(document["codes_seen"])
            if "codes_seen" in document
            else (snapshot.codes if snapshot else ()),
        )


def _snapshot_document(snapshot: Snapshot) -> dict[str, Any]:
    """Everything but the digest, what is absent left out."""
    document = {"name": snapshot.name, **_goods_document(snapshot)}
    if snapshot.customer_id is not None:
        document["customer"] = snapshot.customer_id
    if snapshot.customer_verified is not None:
        document["customer_verified"] = snapshot.customer_verified
    if snapshot.address_hash is not None:
        document["address"] = snapshot.address_hash
    return document


def _goods_document(snapshot: Snapshot) -> dict[str, Any]:
    """What says nothing of the person: in a fixed order, so that its text can be digested."""
    document: dict[str, Any] = {
        "created_at": _text(snapshot.created_at),
        "updated_at": _text(snapshot.updated_at),
        "currency": snapshot.currency,
        "lines": [_line_document(line) for line in snapshot.lines],
    }
    if snapshot.read_at:
        document["read_at"] = _text(snapshot.read_at)
    if snapshot.taxes_included:
        document["taxes_included"] = True
    if snapshot.test:
        document["test"] = True
    if snapshot.financial_status is not None:
        document["financial_status"] = snapshot.financial_status
    if snapshot.fulfillment_status is not None:
        document["fulfillment_status"] = snapshot.fulfillment_status
    if snapshot.total_outstanding_micro is not None:
        document["total_outstanding"] = snapshot.total_outstanding_micro
    if snapshot.source_name is not None:
        document["source_name"] = snapshot.source_name
    if snapshot.shipping_lines:
        document["shipping"] = [
            [line.title, line.price_micro, line.discount_micro, line.tax_micro] for line in snapshot.shipping_lines
        ]
    if snapshot.contained_refunds:
        document["contains"] = list(snapshot.contained_refunds)
    if snapshot.cancelled_at:
        document["cancelled_at"] = _text(snapshot.cancelled_at)
    if snapshot.fulfilled_at:
        document["fulfilled_at"] = _text(snapshot.fulfilled_at)
    if snapshot.codes:
        document["codes"] = [list(pair) for pair in snapshot.codes]
    return document


def _line_document(line: LineFacts) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": line.line_id,
        "title": line.title,
        "quantity": line.quantity,
        "price": line.price_micro,
    }
    if line.current_quantity is not None:
        document["current"] = line.current_quantity
    if line.discount_micro:
        document["discount"] = line.discount_micro
    if line.tax_micro:
        document["tax"] = line.tax_micro
    if line.product_id is not None:
        document["product"] = line.product_id
    if line.variant_id is not None:
        document["variant"] = line.variant_id
    if line.vendor is not None:
        document["vendor"] = line.vendor
    if line.kind != "product":
        document["kind"] = line.kind
    return document


def _snapshot_from(document: dict[str, Any]) -> Snapshot:
    get = document.get
    outstanding = get("total_outstanding")
    return Snapshot(
        name=document["name"],
        created_at=datetime.fromisoformat(document["created_at"]),
        updated_at=datetime.fromisoformat(document["updated_at"]),
        currency=document["currency"],
        lines=tuple([_line_from(line) for line in document["lines"]]),
        read_at=_moment(get("read_at")),
        taxes_included=get("taxes_included", False),
        test=get("test", False),
        financial_status=get("financial_status"),
        fulfillment_status=get("fulfillment_status"),
        total_outstanding_micro=outstanding,
        source_name=get("source_name"),
        shipping_lines=tuple([ShippingFacts(title, *amounts) for title, *amounts in get("shipping", ())]),
        contained_refunds=tuple(get("contains", ())),
        cancelled_at=_moment(get("cancelled_at")),
        fulfilled_at=_moment(get("fulfilled_at")),
        customer_id=get("customer"),
        customer_verified=get("customer_verified"),
        address_hash=get("address"),
        codes=_codes_from(get("codes", ())),
        digest=document["digest"],
    )


def _line_from(document: dict[str, Any]) -> LineFacts:
    get = document.get
    return LineFacts(
        line_id=document["id"],
        title=document["title"],
        quantity=document["quantity"],
        price_micro=document["price"],
        current_quantity=get("current"),
        discount_micro=get("discount", 0),
        tax_micro=get("tax", 0),
        product_id=get("product"),
        variant_id=get("variant"),
        vendor=get("vendor"),
        kind=get("kind", "product"),
    )


def _refund_document(refund: RefundFacts) -> dict[str, Any]:
    document: dict[str, Any] = {"id": refund.refund_id, "created_at": _text(refund.created_at)}
    if refund.units:
        document["units"] = [list(pair) for pair in refund.units]
    if refund.adjustment_micro:
        document["adjustment"] = refund.adjustment_micro
    if refund.shipping_micro or refund.shipping_tax_micro:
        document["shipping"] = [refund.shipping_micro, refund.shipping_tax_micro]
    return document


def _refund_from(document: dict[str, Any]) -> RefundFacts:
    shipping, shipping_tax = document.get("shipping", (0, 0))
    return RefundFacts(
        refund_id=document["id"],
        created_at=datetime.fromisoformat(document["created_at"]),
        units=tuple([(line_id, units) for line_id, units in document.get("units", ())]),
        adjustment_micro=document.get("adjustment", 0),
        shipping_micro=shipping,
        shipping_tax_micro=shipping_tax,
        digest=document["digest"],
    )


def _codes_from(pairs: Iterable[Any]) -> UsedCodes:
    return tuple([(code, micro) for code, micro in pairs])


def _units_by_line(units: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """One pair a line: a body may list the same line twice, restocked at two places."""
    sums: dict[int, int] = {}
    for line_id, count in units:
        sums[line_id] = sums.get(line_id, 0) + count
    return tuple(sorted(sums.items()))


def _key_document(key: SnapshotKey) -> list[Any]:
    updated_at, read_at, *rest = key
    return [_text(updated_at), None if read_at == _NEVER_READ else _text(read_at), *rest]


def _named_from(document: list[Any] | None, snapshot: Snapshot | None) -> Named[Any] | None:
    if document is None:
        return None
    value, *key = document
    if not key:
        assert snapshot is not None, "only a stored snapshot's own key is left out"
        return Named(value, snapshot.key)
    updated_at, read_at, paid, cancelled, fulfilled, digest = key
    return Named(
        value,
        (datetime.fromisoformat(updated_at), _moment(read_at) or _NEVER_READ, paid, cancelled, fulfilled, digest),
    )


def _text(moment: datetime) -> str:
    """In UTC: bodies write the same instant with different offsets, and it must digest alike."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _digest(document: dict[str, Any]) -> str:
    # pydantic's writer, because it is five times as fast as the standard library's.
    return hashlib.blake2b(to_json(document), digest_size=16).hexdigest()

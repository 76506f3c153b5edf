"""From a discount's input to its terms, or to everything that is wrong with it, in the words recorded of the real API.

What the dev store does not do (subscriptions, segments, countries, one use per customer) is the error that says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from graphql import GraphQLError

from ...discounts.keeping import LONGEST, code_problem
from ...discounts.records import CombinesWith, Items
from ...money import decimals, rounded
from ..gids import number
from ..resolving import Asked, unknown
from .products import find_collection

Problem = dict[str, Any]
_HUGE = Decimal(10) ** 18
_MOST_TAGS = 5
_INT = 2**31 - 1


def problem(field: list[str] | None, message: str, code: str | None) -> Problem:
    return {"field": field, "message": message, "code": code, "extraInfo": None}


class Terms:
    """Reads one input. ``found`` are the terms for ``keeping.create``; ``problems`` what is wrong, by field."""

    def __init__(self, asked: Asked, argument: str, sent: dict[str, Any]) -> None:
        self.asked, self.argument, self.sent = asked, argument, sent
        self.found: dict[str, Any] = {}
        self.problems: list[Problem] = []

    def wrong(self, path: str, message: str, code: str) -> None:
        self.problems.append(problem([self.argument, *path.split(".")], message, code))

    def blank(self, path: str, what: str) -> None:
        self.wrong(path, f"{what} can't be blank", "BLANK")

    def minor(self, value: Any, path: str) -> int:
        """A Decimal in minor units."""
        return rounded(self.decimal(value, path).scaleb(decimals(self.asked.shop.currency)))

    def decimal(self, value: Any, path: str) -> Decimal:
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise self._invalid(path, f"invalid decimal '{value}'") from None

    def whole(self, value: Any, path: str) -> int:
        """An UnsignedInt64: digits, as a string or a number."""
        if not str(value).isdecimal():
            raise self._invalid(path, f"invalid unsigned integer '{value}'")
        return int(value)

    def moment(self, value: Any, path: str) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            raise self._invalid(path, f"invalid DateTime '{value}'") from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).replace(microsecond=0)

    def _invalid(self, path: str, why: str) -> GraphQLError:
        return GraphQLError(f"{self.argument} was provided invalid value for {path} ({why})")


def basic(terms: Terms) -> None:
    terms.found["kind"] = "percentage"
    _context(terms)
    _combines(terms)
    gets = terms.sent.get("customerGets")
    if gets is None:
        terms.blank("customerGets", "Customer gets")
    else:
        _purchases(terms, gets, "customerGets.")
        terms.found["items"] = _items(terms, gets.get("items"), "customerGets.items", "customer get", all_too=True)
        _value(terms, gets.get("value") or {})
    _minimum(terms)
    _shared(terms)


def free_shipping(terms: Terms) -> None:
    terms.found["kind"] = "free_shipping"
    _context(terms)
    _combines(terms)
    if terms.found["combines"].shipping:
        message = "The combinesWith settings are not valid for the discount class."
        terms.wrong("combinesWith", message, "INVALID_COMBINES_WITH_FOR_DISCOUNT_CLASS")
    destination = terms.sent.get("destination")
    if destination is None:
        terms.blank("destination", "Destination")
    elif not destination.get("all") or destination.get("countries"):
        raise unknown("DiscountShippingDestinationSelectionInput.countries")
    _purchases(terms, terms.sent, "")
    if terms.sent.get("maximumShippingPrice") is not None:
        most = terms.minor(terms.sent["maximumShippingPrice"], "maximumShippingPrice")
        if most < 0:
            terms.wrong(
                "maximumShippingPrice",
                "Maximum shipping price must be greater than or equal to 0",
                "GREATER_THAN_OR_EQUAL_TO",
            )
        terms.found["maximum_shipping_minor"] = most
    _minimum(terms)
    _shared(terms)


def bxgy(terms: Terms) -> None:
    terms.found["kind"] = "bxgy"
    _context(terms)
    _combines(terms)
    gets = terms.sent.get("customerGets") or {}
    for name in ("appliesOnSubscription", "appliesOnOneTimePurchase"):
        if gets.get(name) is not None:
            terms.wrong(f"customerGets.{name}", "This field is not supported by bxgy discounts.", "INVALID")
    wanted = gets.get("items") or {}
    if wanted.get("all"):
        terms.wrong("customerGets", "Items in 'customer get' cannot be set to all", "INVALID")
    else:
        terms.found["items"] = _items(terms, wanted, "customerGets.items", "customer get")
    _on_quantity(terms, gets.get("value") or {})
    _shared(terms)
    _buys(terms, terms.sent.get("customerBuys") or {})
    limit = terms.sent.get("usesPerOrderLimit")
    if limit is not None and limit <= 0:
        terms.wrong("usesPerOrderLimit", "Uses per order limit must be greater than 0", "GREATER_THAN")
    terms.found["uses_per_order"] = limit


READERS: dict[str, Callable[[Terms], None]] = {
    "basicCodeDiscount": basic,
    "freeShippingCodeDiscount": free_shipping,
    "bxgyCodeDiscount": bxgy,
}


def _context(terms: Terms) -> None:
    context, selection = terms.sent.get("context"), terms.sent.get("customerSelection")
    if context is not None and selection is not None:
        terms.wrong("context", "Only one of context or customerSelection can be provided.", "INVALID")
    elif context is None and selection is None:
        terms.blank("context", "Context")
    elif context is not None and len(context) != 1:
        raise GraphQLError(f"DiscountContextInput requires exactly one argument, but {len(context)} were provided.")
    elif (context or {}).get("all") != "ALL" and not (selection or {}).get("all"):
        raise unknown("a discount for some customers only")


def _combines(terms: Terms) -> None:
    sent = terms.sent.get("combinesWith") or {}
    if sent.get("productDiscountsWithTagsOnSameCartLine"):
        raise unknown("DiscountCombinesWithInput.productDiscountsWithTagsOnSameCartLine")
    terms.found["combines"] = CombinesWith(
        product=bool(sent.get("productDiscounts")),
        order=bool(sent.get("orderDiscounts")),
        shipping=bool(sent.get("shippingDiscounts")),
    )


def _purchases(terms: Terms, sent: dict[str, Any], path: str) -> None:
    if sent.get("appliesOnOneTimePurchase") is False and not sent.get("appliesOnSubscription"):
        message = "A discount cannot have both appliesOnOneTimePurchase and appliesOnSubscription set to false."
        terms.wrong(f"{path}appliesOnOneTimePurchase", message, "APPLIES_ON_NOTHING")
    if sent.get("appliesOnSubscription"):
        raise unknown("a discount on subscriptions")


def _value(terms: Terms, value: dict[str, Any]) -> None:
    """Of a basic discount."""
    path = "customerGets.value"
    if len([one for one in value.values() if one is not None]) != 1:
        terms.wrong(path, "Value must be one of percentage and discountAmount", "INVALID" if value else "BLANK")
    elif value.get("discountOnQuantity") is not None:
        raise unknown("discountOnQuantity of a basic discount")
    elif value.get("percentage") is not None:
        _percentage(terms, value["percentage"], f"{path}.percentage")
    else:
        amount = value["discountAmount"].get("amount")
        path = f"{path}.discountAmount.amount"
        if amount is None:
            terms.blank(path, "Amount")
            return
        # The words are Shopify's own: it keeps an amount off as a negative number and speaks of that one.
        if terms.decimal(amount, path) < 0:
            terms.wrong(path, "Value must be less than or equal to 0", "LESS_THAN_OR_EQUAL_TO")
        elif terms.decimal(amount, path) >= _HUGE:
            terms.wrong(path, "Value must be greater than -1000000000000000000", "LESS_THAN")
        else:
            terms.found["kind"] = "fixed_amount"
            terms.found["amount_minor"] = terms.minor(amount, path)
            terms.found["each"] = bool(value["discountAmount"].get("appliesOnEachItem"))


def _percentage(terms: Terms, share: float, path: str) -> None:
    if not 0 <= share <= 1:
        terms.wrong(path, "Value must be between 0.0 and 1.0", "VALUE_OUTSIDE_RANGE")
    terms.found["percent"] = str(Decimal(str(share)) * 100)


def _on_quantity(terms: Terms, value: dict[str, Any]) -> None:
    """Of a Bxgy discount."""
    path = "customerGets.value"
    for name in ("percentage", "discountAmount"):
        if value.get(name) is not None:
            terms.wrong(f"{path}.{name}", "Only discountOnQuantity permitted with bxgy discounts.", "INVALID")
    got = value.get("discountOnQuantity") or {}
    path = f"{path}.discountOnQuantity"
    if got.get("quantity") is None:
        terms.wrong(f"{path}.quantity", "Quantity cannot be blank.", "BLANK")
        return
    terms.found["gets_quantity"] = terms.whole(got["quantity"], f"{path}.quantity")
    if not 0 < terms.found["gets_quantity"] <= _INT:
        terms.wrong(f"{path}.quantity", "Quantity must be greater than 0", "GREATER_THAN")
    effect = got.get("effect") or {}
    if effect.get("amount") is not None:
        raise unknown("DiscountEffectInput.amount")
    if effect.get("percentage") is None:
        terms.blank(f"{path}.effect.percentage", "Percentage")
    else:
        _percentage(terms, effect["percentage"], f"{path}.effect.percentage")


def _buys(terms: Terms, buys: dict[str, Any]) -> None:
    if buys.get("isSubscription"):
        raise unknown("a discount on subscriptions")
    terms.found["buys"] = _items(terms, buys.get("items"), "customerBuys.items", "customer buys")
    value, path = buys.get("value") or {}, "customerBuys.value"
    given = [name for name in ("quantity", "amount") if value.get(name) is not None]
    if len(given) != 1:
        terms.wrong(path, "Value must be one of quantity and amount", "INVALID" if given else "BLANK")
    elif given == ["quantity"]:
        terms.found["buys_quantity"] = terms.whole(value["quantity"], f"{path}.quantity")
        if not 0 < terms.found["buys_quantity"] <= _INT:
            terms.wrong(f"{path}.quantity", "Quantity must be greater than 0", "GREATER_THAN")
    else:
        terms.found["buys_minor"] = terms.minor(value["amount"], f"{path}.amount")
        if terms.found["buys_minor"] <= 0:
            terms.wrong(f"{path}.amount", "Amount must be greater than 0", "GREATER_THAN")


def _items(terms: Terms, sent: dict[str, Any] | None, path: str, side: str, *, all_too: bool = False) -> Items:
    """What is meant; nothing is no answer, and everything only where it may be."""
    sent = sent or {}
    if sent.get("all") and all_too:
        return Items()
    products, collections = sent.get("products") or {}, (sent.get("collections") or {}).get("add") or []
    ids, variant_ids = products.get("productsToAdd") or [], products.get("productVariantsToAdd") or []
    found = Items()
    if not ids and not variant_ids and not collections:
        terms.wrong(path, f"Items in '{side}' must be defined", "BLANK")
    if collections and (ids or variant_ids):
        message = "Cannot entitle collections in combination with product variants or products"
        terms.wrong(f"{path}.collections.add", message, "CONFLICT")
    else:
        found.collections = _existing(terms, collections, "Collection", f"{path}.collections.add")
    found.products = _existing(terms, ids, "Product", f"{path}.products.productsToAdd")
    found.variants = _existing(terms, variant_ids, "ProductVariant", f"{path}.products.productVariantsToAdd")
    return found


def _existing(terms: Terms, gids: list[str], kind: str, path: str) -> list[int]:
    devstore, shop = terms.asked.devstore, terms.asked.shop
    finders: dict[str, tuple[str, Callable[[int], Any]]] = {
        "Product": ("Product", lambda id: devstore.product(shop, id)),
        "ProductVariant": ("Product variant", lambda id: devstore.variant(shop, id)),
        "Collection": ("Collection", lambda id: find_collection(terms.asked, id)),
    }
    words, find = finders[kind]
    ids = [number(text, kind) or 0 for text in gids]
    for id in ids:
        if find(id) is None:
            terms.wrong(path, f"{words} with id: {id} is invalid", "INVALID")
    return ids


def _minimum(terms: Terms) -> None:
    sent = terms.sent.get("minimumRequirement") or {}
    subtotal = (sent.get("subtotal") or {}).get("greaterThanOrEqualToSubtotal")
    quantity = (sent.get("quantity") or {}).get("greaterThanOrEqualToQuantity")
    to_subtotal = "minimumRequirement.subtotal.greaterThanOrEqualToSubtotal"
    to_quantity = "minimumRequirement.quantity.greaterThanOrEqualToQuantity"
    if subtotal is not None and quantity is not None:
        terms.wrong(to_subtotal, "Minimum subtotal cannot be defined when minimum quantity is.", "CONFLICT")
        terms.wrong(to_quantity, "Minimum quantity cannot be defined when minimum subtotal is.", "CONFLICT")
    elif subtotal is not None:
        if terms.decimal(subtotal, to_subtotal) >= _HUGE:
            terms.wrong(to_subtotal, f"Minimum subtotal must be less than {_HUGE}", "LESS_THAN")
        terms.found["minimum_minor"] = terms.minor(subtotal, to_subtotal)
    elif quantity is not None:
        terms.found["minimum_quantity"] = terms.whole(quantity, to_quantity)
        if terms.found["minimum_quantity"] >= _INT:
            terms.wrong(to_quantity, f"Minimum quantity must be less than {_INT}", "LESS_THAN")


def _shared(terms: Terms) -> None:
    """What every discount has: title, code, dates, limit, tags."""
    sent = terms.sent
    title = sent.get("title") or ""
    if not title.strip():
        terms.blank("title", "Title")
    elif len(title) > LONGEST:
        terms.wrong("title", f"Title is too long (maximum is {LONGEST} characters)", "TOO_LONG")
    _code(terms, sent.get("code"))
    if sent.get("startsAt") is None:
        terms.blank("startsAt", "Starts at")
    else:
        terms.found["starts_at"] = terms.moment(sent["startsAt"], "startsAt")
    if sent.get("endsAt") is not None:
        terms.found["ends_at"] = terms.moment(sent["endsAt"], "endsAt")
        if terms.found.get("starts_at") and terms.found["ends_at"] <= terms.found["starts_at"]:
            terms.wrong("endsAt", "Ends at needs to be after starts_at", "INVALID")
    limit = sent.get("usageLimit")
    if limit is not None and limit <= 0:
        terms.wrong("usageLimit", "Usage limit must be greater than 0", "GREATER_THAN")
    if sent.get("appliesOncePerCustomer"):
        raise unknown("appliesOncePerCustomer: true")
    if sent.get("recurringCycleLimit") not in (None, 1):
        message = "Recurring cycle limit must be 1 when discount does not apply to subscription items."
        terms.wrong("recurringCycleLimit", message, "MULTIPLE_RECURRING_CYCLE_LIMIT_FOR_NON_SUBSCRIPTION_ITEMS")
    tags = sent.get("tags") or []
    if len(tags) > _MOST_TAGS:
        terms.wrong("tags", f"The number of tags exceeds the maximum of {_MOST_TAGS}.", "TOO_MANY_TAGS")
    if any(len(tag) > LONGEST for tag in tags):
        message = f"The tag title exceeds the maximum length of {LONGEST} characters."
        terms.wrong("tags", message, "INVALID_TAG_LENGTH")
    terms.found |= {"title": title, "usage_limit": limit, "tags": sorted(set(tags))}


def _code(terms: Terms, code: str | None) -> None:
    if code is None:
        terms.blank("code", "Code")
        return
    terms.found["code"] = code
    if wrong := code_problem(code):
        kind = "TOO_SHORT" if "short" in wrong else "TOO_LONG" if "long" in wrong else "INVALID"
        terms.wrong("code", f"Code {wrong}", kind)

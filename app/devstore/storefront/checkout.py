"""The checkout, on one page: who, where to, how sent, how paid, and the order it makes.

What the page showed is what the order costs: both come from the platform's own `quote`, and an order whose total
changed since it was shown (a code ran out, a price moved) is shown again instead of placed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from ..errors import Refusal
from ..ordering.creating import Draft
from ..ordering.figures import figures
from ..records import Customer, Order
from . import tenders
from .account_pages import EMAIL
from .carts import Cart, cart_of_request, with_cookie
from .objects import cart_drop, discount_rows
from .order_pages import presented
from .painting import catalogue, paint
from .shoppers import below_root, customer_of_request

FIELDS = ("email", "first_name", "last_name", "address1", "zip", "city")


@dataclass
class Checkout:
    """What the form says, filled in from the customer who is logged in until it was sent."""

    email: str = ""
    first_name: str = ""
    last_name: str = ""
    address1: str = ""
    zip: str = ""
    city: str = ""
    shipping: str = "standard"  # or collect
    payment: str = "now"  # or later
    currency: str = ""
    test: bool = False
    nobody: bool = False  # no customer record on the order
    gift_cards: list[str] = field(default_factory=list)  # their codes
    store_credit: bool = False  # spend it
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def begun(cls, customer: Customer | None) -> Checkout:
        """Before anything was typed."""
        known: dict[str, Any] = {name: getattr(customer, name) or "" for name in FIELDS} if customer else {}
        return cls(currency=g.shop.currency, **known)

    @classmethod
    def sent(cls) -> Checkout:
        """As the form was sent."""
        form = request.form
        typed: dict[str, Any] = {name: form.get(name, "").strip()[:255] for name in FIELDS}
        return cls(
            **typed,
            shipping="collect" if form.get("shipping") == "collect" else "standard",
            payment="later" if form.get("payment") == "later" else "now",
            currency=form.get("currency", g.shop.currency)[:3],
            test="test" in form,
            nobody="nobody" in form,
            gift_cards=[code[:255] for code in form.getlist("gift_card")],
            store_credit="store_credit" in form and "nobody" not in form,
        )

    def check(self, delivered: bool) -> bool:
        """Note what is wrong, field by field; true when nothing is."""
        if not EMAIL.fullmatch(self.email):
            self.errors["email"] = "Enter an e-mail address, such as nora@example.com."
        if not self.last_name:
            self.errors["last_name"] = "Enter a last name."
        if delivered and self.shipping == "standard":
            for name, what in (("address1", "a street and number"), ("zip", "a postal code"), ("city", "a city")):
                if not getattr(self, name):
                    self.errors[name] = f"Enter {what}."
        return not self.errors


def register(bp: Blueprint) -> None:
    """Add the checkout to the storefront."""
    bp.add_url_rule("/checkout", view_func=show, endpoint="checkout")
    bp.add_url_rule("/checkout", view_func=send, methods=["POST"], endpoint="checkout_send")


def show() -> AnyResponse:
    """The empty form, and the order beside it."""
    cart = cart_of_request()
    if cart.quote is None:
        return redirect(below_root("/cart"))
    return _page(cart, Checkout.begun(customer_of_request()))


def send() -> AnyResponse:
    """Place the order, or show the form again: after a choice that changes the total, or with what is wrong."""
    cart = cart_of_request()
    if cart.quote is None:
        return redirect(below_root("/cart"))
    checkout = Checkout.sent()
    if "remove_card" in request.form:
        checkout.gift_cards = [code for code in checkout.gift_cards if code != request.form["remove_card"]]
        return _page(cart, checkout)
    if tenders.is_gift_card(request.form.get("code", "")):
        checkout.gift_cards.append(request.form["code"])
        return _page(cart, checkout)
    if request.form.get("code", "").strip() or "remove_code" in request.form:
        cart.enter(request.form.get("code", ""))
        cart.drop(request.form.get("remove_code", ""))
        cart.keep()
        return with_cookie(_page(cart, checkout))
    if "refresh" in request.form:
        return _page(cart, checkout)
    draft = _draft(cart, checkout)
    quote = draft.order
    if not checkout.check(any(line.requires_shipping for line in quote.lines)):
        return _page(cart, checkout, status=422)
    if request.form.get("shown_total") != str(figures(quote).total_minor):
        checkout.errors["total"] = "The total has changed since this page was made. Have a look before you order."
        return _page(cart, checkout, status=409)
    if not _pays_as_shown(checkout, quote):
        checkout.errors["total"] = "What pays for this has changed since this page was made. Have a look first."
        return _page(cart, checkout, status=409)
    try:
        order = _place(cart, checkout, [code for code in cart.codes if code not in draft.problems])
    except Refusal as refusal:  # somebody else had the last use of a code a moment earlier
        checkout.errors["total"] = f"{refusal}. Have a look before you order."
        return _page(cart, checkout, status=409)
    cart.empty()
    return with_cookie(redirect(below_root(f"/{g.shop.id}/orders/{order.token}?thanks=1"), 303))  # type: ignore[arg-type]


def _pays_as_shown(checkout: Checkout, quote: Order) -> bool:
    """Whether gift cards and store credit still leave to the card what the page said."""
    usable = tenders.usable(checkout.gift_cards, checkout.errors)
    wanted = tenders.plan(quote, usable, checkout.store_credit)
    due = str(figures(quote).outstanding_minor - sum(tender.amount_minor for tender in wanted))
    return usable == checkout.gift_cards and request.form.get("shown_due", due) == due


def _place(cart: Cart, checkout: Checkout, codes: list[str]) -> Order:
    with g.devstore.store.writing():
        customer = None if checkout.nobody else _buyer(checkout)
        return g.devstore.create_order(
            g.shop,
            cart.cart_lines,
            pay=checkout.payment == "now",
            gift_cards=checkout.gift_cards,
            store_credit=checkout.store_credit and customer_of_request() is not None,
            customer_id=customer.id if customer else None,
            email=checkout.email,
            **{**_options(cart, checkout), "codes": codes},
        )


def _buyer(checkout: Checkout) -> Customer:
    """Whoever is logged in; else the customer with this address; else a new one without an account, as on Shopify."""
    facts = {name: getattr(checkout, name) for name in FIELDS if name != "email"}
    if customer := customer_of_request():
        changed = {name: value for name, value in facts.items() if value and value != getattr(customer, name)}
        return g.devstore.update_customer(g.shop, customer.id, **changed) if changed else customer
    if customer := g.devstore.customer_by_email(g.shop, checkout.email):
        return customer
    return g.devstore.create_customer(g.shop, email=checkout.email, state="disabled", verified_email=False, **facts)


def _options(cart: Cart, checkout: Checkout) -> dict[str, Any]:
    """What decides the price, for quote and order alike."""
    return {
        "codes": cart.codes,
        "shipping": checkout.shipping == "standard",
        "test": checkout.test,
        "presentment_currency": checkout.currency if checkout.currency in g.shop.presentment_rates else None,
        "note": cart.note or None,
        "attributes": cart.attributes,
        "cart_token": cart.token,
    }


def _draft(cart: Cart, checkout: Checkout) -> Draft:
    return g.devstore.draft(g.shop, cart.cart_lines, **_options(cart, checkout))


def _page(cart: Cart, checkout: Checkout, status: int = 200) -> Response:
    try:
        draft = _draft(cart, checkout)
    except Refusal as refusal:
        return paint("refused", title="Sorry", status=422, problem=str(refusal))
    quote = draft.order
    totals = figures(quote)
    products = catalogue()

    def price(minor: int) -> int:
        return products.price(minor) or 0

    checkout.gift_cards = tenders.usable(checkout.gift_cards, checkout.errors)
    wanted = tenders.plan(quote, checkout.gift_cards, checkout.store_credit)
    delivered = g.devstore.draft(g.shop, cart.cart_lines, **{**_options(cart, checkout), "shipping": True}).order
    shown = {
        **{name: getattr(checkout, name) for name in (*FIELDS, "shipping", "payment", "test", "nobody", "errors")},
        "currency": checkout.currency or g.shop.currency,
        "currencies": [g.shop.currency, *g.shop.presentment_rates],
        "requires_shipping": any(line.requires_shipping for line in quote.lines),
        "standard_price": price(figures(delivered).shipping_minor),
        "items": cart_drop(products, g.shop, quote)["items"],
        "discounts": discount_rows(cart.codes, draft.problems, quote, price),
        "subtotal_price": price(totals.subtotal_minor),
        "line_items_price": price(totals.line_items_minor),
        "shipping_price": price(totals.shipping_minor),
        "tax_price": price(totals.tax_minor),
        "total_price": price(totals.total_minor),
        "total_minor": totals.total_minor,
        "foreign_total": presented(quote, totals.total_minor),
        **tenders.shown(quote, wanted, price),
        "gift_cards": checkout.gift_cards,
        "store_credit": checkout.store_credit,
        "store_credit_price": price(tenders.credit_minor()),
    }
    return paint("checkout", title="Checkout", status=status, checkout=shown)

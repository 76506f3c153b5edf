"""Accounts: logging in as any customer of the store, registering, the list of one's orders."""

from __future__ import annotations

import re

from flask import Blueprint, Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from .. import logins
from ..errors import Refusal
from .painting import paint
from .shoppers import below_root, customer_of_request, log_in, safe_return

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}")
"""Enough of an address for a test store."""


def register(bp: Blueprint) -> None:
    """Add accounts to the storefront."""
    bp.add_url_rule("/account", view_func=account)
    bp.add_url_rule("/account", view_func=sign_up, methods=["POST"])
    for path in ("/account/login", "/customer_authentication/login"):
        bp.add_url_rule(path, view_func=login, endpoint=f"login_{path.count('_')}")
        bp.add_url_rule(path, view_func=enter, methods=["POST"], endpoint=f"enter_{path.count('_')}")
    bp.add_url_rule("/account/register", view_func=registration)
    bp.add_url_rule("/account/logout", view_func=leave, methods=["GET", "POST"])


def account() -> AnyResponse:
    """The customer's orders, or the way to log in."""
    if customer_of_request() is None:
        return redirect(below_root("/account/login"))
    return paint("account", title="Your account")


def login() -> Response:
    """Choose a customer, or type an address."""
    return _login_page()


def enter() -> AnyResponse:
    """Log in by a chosen customer's id or an address; an address nobody has leads to registering."""
    chosen = request.form.get("customer_id", type=int)
    email = request.form.get("email", "").strip()[:255]
    back = request.form.get("return_to")
    if chosen is not None:
        customer = g.devstore.customer(g.shop, chosen)
    elif not EMAIL.fullmatch(email):
        return _login_page(problem="Enter an e-mail address, such as nora@example.com.", email=email)
    else:
        customer = g.devstore.customer_by_email(g.shop, email)
        if customer is None:
            return _registration_page({"email": email, "return_to": back or ""}, known=False)
    if customer is None:
        return _login_page(problem="That customer is gone.")
    log_in(customer)
    return redirect(safe_return(back, "/account"), 303)


def registration() -> Response:
    """The form for a new customer."""
    return _registration_page({name: request.args.get(name, "")[:255] for name in ("email", "return_to")})


def sign_up() -> AnyResponse:
    """Make the customer (customers/create follows) and log in."""
    facts = {name: request.form.get(f"customer[{name}]", "").strip()[:255] for name in ("first_name", "last_name")}
    email = request.form.get("customer[email]", "").strip()[:255]
    back = request.form.get("return_to", "")
    if not EMAIL.fullmatch(email):
        return _registration_page({**facts, "email": email, "return_to": back}, problem="Enter an e-mail address.")
    try:
        customer = g.devstore.create_customer(g.shop, email=email, **facts)
    except Refusal as refusal:
        return _registration_page({**facts, "email": email, "return_to": back}, problem=f"{refusal}. Log in instead?")
    log_in(customer)
    return redirect(safe_return(back, "/account"), 303)


def leave() -> AnyResponse:
    """Log out."""
    logins.log_out(g.shop)
    return redirect(safe_return(request.args.get("return_to"), "/"), 303)


def _login_page(problem: str | None = None, email: str = "") -> Response:
    customers = [
        {"id": customer.id, "name": customer.name or customer.email, "email": customer.email}
        for customer in g.devstore.customers(g.shop)[:24]
    ]
    back = request.values.get("return_to") or request.values.get("return_url") or ""
    form = {"problem": problem, "email": email, "return_to": back, "customers": customers}
    return paint("login", title="Log in", status=422 if problem else 200, login=form)


def _registration_page(fields: dict[str, str], problem: str | None = None, known: bool = True) -> Response:
    form = {"problem": problem, "unknown": not known, **fields}
    return paint("register", title="Create an account", status=422 if problem else 200, register=form)

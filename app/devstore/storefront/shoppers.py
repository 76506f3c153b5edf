"""Who is looking: the customer who is logged in, logging in, and addresses it is safe to send somebody back to.

There is no password: whoever sits at this machine is the tester, and may be any customer of the store.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import g, request

from .. import logins

if TYPE_CHECKING:
    from ..records import Customer

_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20]*")


def customer_of_request() -> Customer | None:
    """The customer who is logged in at this shop, if that customer still exists."""
    return logins.logged_in(g.devstore, g.shop)


def log_in(customer: Customer) -> Customer:
    """Log a customer in. A record made by a guest checkout becomes an account, its address verified, as with the
    one-time code that Shopify's customer accounts send."""
    if customer.state != "enabled" or not customer.verified_email:
        customer = g.devstore.update_customer(g.shop, customer.id, state="enabled", verified_email=True)
    logins.log_in(g.shop, customer.id)
    return customer


def below_root(path: str) -> str:
    """A path of the shop ("/cart") as this request spells it. One that is spelled so already stays."""
    prefix: str = request.script_root
    return path if not prefix or path == prefix or path.startswith(prefix + "/") else prefix + path


def safe_return(path: str | None, otherwise: str) -> str:
    """Where a link or form may send the browser: a path of this shop, or else `otherwise`."""
    return below_root(path if path and _LOCAL.fullmatch(path) else otherwise)

"""What goes wrong behind a verified session token is told on a page of the admin, not on a public one."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ...errors import LoyaltyError, ShopifyError
from ..errors import answer
from ..runtime import runtime
from .blueprint import bp
from .pages import asked, page


@bp.errorhandler(LoyaltyError)
def tell(error: LoyaltyError) -> Any:
    """The same words for a thing that is another shop's and for one that does not exist."""
    message = error.message
    if isinstance(error, ShopifyError):
        message = "Shopify cannot be reached right now. Try again in a minute."
    merchant = g.get("merchant")
    if merchant is None or request.accept_mimetypes.best == "application/json":
        return answer(error.status, error.code, message, error.field)
    with runtime().db.reading() as session:
        who = asked(session, merchant)
    return page("error.html", who, status=error.status, message=message)

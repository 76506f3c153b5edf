"""Pages that are anybody's: the front page, and what the app store asks for."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from ..shopify.shops import exact_shop_domain
from .admin import home_page
from .auth import Merchant, merchant_required, verifies_itself
from .auth import public as anybody
from .runtime import runtime

bp = Blueprint("pages", __name__)


@bp.get("/")
@verifies_itself
def front() -> Response | str | object:
    """application_url: the embedded admin; without a shop, what this is. No shop field anywhere (App Store 2.3.1)."""
    shop = exact_shop_domain(request.args.get("shop"))
    if "Authorization" not in request.headers and shop is None and "id_token" not in request.args:
        return render_template("public/front.html")
    if "Authorization" not in request.headers and request.args.get("embedded") != "1":
        # Opened outside the admin: go where the admin frames us, if the address says where that is.
        place = runtime().origins.app_in_admin(request.args.get("host"), runtime().config.shopify_api_key)
        if place is not None:
            return redirect(place)
    return _home()


@merchant_required
def _home(merchant: Merchant) -> object:
    return home_page(merchant)


@bp.get("/privacy")
@anybody
def privacy() -> str:
    return render_template("public/privacy.html")


@bp.get("/support")
@anybody
def support() -> str:
    return render_template("public/support.html")

"""Behind the app proxy: what the storefront asks as ``/apps/regulars/…`` (PLATFORM §5)."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify

from ..loyalty.views.shopper import shopper as shopper_view
from .auth import Shopper, shopper_required
from .runtime import runtime

bp = Blueprint("proxy", __name__, url_prefix="/proxy")


@bp.get("/shopper")
@shopper_required
def shopper(asker: Shopper) -> Response:
    """The panel's JSON. Who asks is the signed customer id; ids anywhere else in the request are nobody's."""
    with runtime().db.reading() as session:
        return jsonify(
            shopper_view(
                session,
                asker.shop_id,
                asker.customer_id,
                cursor=g.proxy_params.get("cursor"),
                now=runtime().clock(),
            )
        )

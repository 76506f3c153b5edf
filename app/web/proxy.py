"""Behind the app proxy: what the storefront asks as ``/apps/regulars/…`` (PLATFORM §5)."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify
from flask.blueprints import BlueprintSetupState

from ..loyalty.views.shopper import shopper as shopper_view
from .auth import Shopper, shopper_required
from .runtime import runtime

bp = Blueprint("proxy", __name__, url_prefix="/proxy")


@bp.record_once
def answer_addresses_as_they_stand(state: BlueprintSetupState) -> None:
    """No redirect repairs an address (``//``, a last slash). It would repeat the query, and with it a signature that
    shoppers must not learn (GAUNTLET, cross-protocol forgery) or a token; and it would be built from the Host header.
    """
    state.app.url_map.merge_slashes = False
    state.app.url_map.strict_slashes = False


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

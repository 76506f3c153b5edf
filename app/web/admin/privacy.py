"""Data requests: what shoppers asked for, until when, and the answer as a file made on the spot."""

from __future__ import annotations

import orjson
from flask import Response

from ...errors import NotFound
from ...loyalty import merchant as verbs
from ...loyalty.views.members import names
from ...loyalty.views.privacy import data_request, data_requests, export
from ..auth import Merchant, merchant_required
from ..runtime import runtime
from .blueprint import bp
from .pages import asked, page


@bp.get("/privacy")
@merchant_required
def privacy_page(merchant: Merchant) -> Response:
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        requests = data_requests(session, merchant.shop_id, who.now)
    known = names(runtime().hurried, merchant.shop_id, [request.customer_id for request in requests if request.is_open])
    return page("privacy.html", who, requests=requests, names=known)


@bp.get("/privacy/<int:request_id>/download")
@merchant_required
def download(merchant: Merchant, request_id: int) -> Response:
    """Everything stored about the customer, as a JSON file. That it was downloaded is noted, and by whom."""
    with runtime().db.transaction() as session:
        who = asked(session, merchant)
        request = data_request(session, merchant.shop_id, request_id, who.now)
        if request.customer_id is None:
            raise NotFound("This customer was forgotten since; nothing is stored about them.")
        content = export(session, who.shop, request.customer_id)
        verbs.note_download(session, merchant.shop_id, request_id, by=merchant.author, now=who.now)
    body = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    response = Response(body, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="customer-{request.customer_id}.json"'
    return response

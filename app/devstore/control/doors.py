"""Who may come in, how refusals look, and reading a request's JSON."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, g, jsonify, make_response, request

from ..errors import Refusal
from ..records import Shop
from . import bp


@bp.before_request
def loopback_only() -> None:
    """Another machine gets 403; so does a page of another origin, which could not have sent JSON without asking."""
    if request.remote_addr not in ("127.0.0.1", "::1"):
        abort(403)
    if request.method != "GET" and request.content_length and not request.is_json:
        abort(415)


@bp.errorhandler(Refusal)
def refused(refusal: Refusal) -> tuple[Response, int]:
    return jsonify(error=str(refusal)), 422


@bp.errorhandler(400)
@bp.errorhandler(403)
@bp.errorhandler(404)
@bp.errorhandler(415)
@bp.errorhandler(422)
def wrong(error: Any) -> tuple[Response, int]:
    return jsonify(error=error.description), error.code


def body() -> dict[str, Any]:
    """The request's JSON object; nothing is an empty one."""
    sent = request.get_json(silent=True) if request.content_length else {}
    if not isinstance(sent, dict):
        abort(make_response(jsonify(error="the body must be a JSON object"), 400))
    return sent


def shop_of(domain: str) -> Shop:
    shop = g.devstore.shop(domain)
    if shop is None:
        abort(404, "there is no such shop")
    return shop


def with_options(verb: Any, /, *args: Any, **options: Any) -> Any:
    """Call a verb with what the caller sent; an option it does not have is a refusal, not a crash."""
    try:
        return verb(*args, **options)
    except (TypeError, ValueError) as wrong:
        raise Refusal(str(wrong)) from wrong

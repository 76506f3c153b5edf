"""One place where errors become answers: JSON for programs, a page for people. Never a 500 for what a caller sent."""

from __future__ import annotations

import logging

from flask import Flask, jsonify, render_template, request
from pydantic import ValidationError
from sqlalchemy.exc import DataError, SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ..errors import LoyaltyError, ShopifyError
from .auth import frame_for_whoever_asks

log = logging.getLogger(__name__)
FOR_PROGRAMS = ("/webhooks", "/proxy", "/api", "/healthz", "/readyz", "/metrics")
Answer = tuple[Response | str, int]


def register(app: Flask) -> None:
    @app.errorhandler(LoyaltyError)
    def loyalty_error(error: LoyaltyError) -> Answer:
        message = (
            "Shopify cannot be reached right now. Try again in a minute."
            if isinstance(error, ShopifyError)
            else error.message
        )
        return answer(error.status, error.code, message, error.field, **error.details)

    @app.errorhandler(ValidationError)
    def validation_error(error: ValidationError) -> Answer:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        return answer(422, "invalid", "This cannot be read.", field or None)

    @app.errorhandler(DataError)
    def unstorable(error: DataError) -> Answer:
        # A value no column takes (a NUL in a text, a number of seventy bits): what was sent is wrong, not the database.
        return answer(422, "invalid", "This cannot be read.")

    @app.errorhandler(SQLAlchemyError)
    def database_error(error: SQLAlchemyError) -> Answer:
        # Not stored, so never a 2xx: Shopify sends a webhook again.
        log.warning("%s %s: database: %s", request.method, request.path, type(error).__name__)
        return answer(503, "unavailable", "This could not be stored. Try again in a minute.")

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Answer:
        status = error.code or 500
        return answer(status, error.name.lower().replace(" ", "_"), _MESSAGES.get(status, error.name))


def answer(status: int, code: str, message: str, field: str | None = None, **details: object) -> Answer:
    if request.path.startswith(FOR_PROGRAMS) or request.accept_mimetypes.best == "application/json":
        return jsonify({"error": {"code": code, "message": message, "field": field, **details}}), status
    frame_for_whoever_asks()
    return render_template("public/error.html", status=status, message=message), status


_MESSAGES = {
    400: "This request cannot be read.",
    404: "There is no such page.",
    405: "This address does not take that kind of request.",
    413: "This is too large.",
    415: "This is not in a form that can be read.",
    500: "Something went wrong here. Nothing was changed.",
}

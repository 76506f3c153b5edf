"""``POST /webhooks``: every topic. Verify, store, 200 (DESIGN §4). Nothing is parsed here.

A flash sale is thousands of these in a few seconds, so there are two ways in with one function behind them: Flask's
route, and `FastLane`, which answers good webhooks before routing and contexts begin (a third of what a request costs).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, cast

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Request

from ..errors import LoyaltyError
from ..loyalty.inbox import receive
from ..shopify.shops import exact_shop_domain
from ..shopify.webhooks import verify_webhook
from .auth import verifies_itself
from .runtime import Runtime, runtime

bp = Blueprint("webhooks", __name__)
log = logging.getLogger(__name__)


@bp.post("/webhooks")
@verifies_itself
def webhook() -> Response:
    """200 once the delivery is durable (or was before, or is for a shop we do not know); 401 for a bad signature."""
    take(request, request.get_data(cache=False), runtime())
    return Response(status=200)


def take(asked: Request, body: bytes, process: Runtime) -> None:
    """Verify and store. Raises Unauthenticated, or SQLAlchemyError when it could not be stored."""
    headers = asked.headers
    verify_webhook(body, cast(Mapping[str, str], headers), process.config.secrets)
    domain = exact_shop_domain(_header(headers, "Shop-Domain"))
    if domain is not None:
        now = process.clock()
        receive(
            process.db,
            domain=domain,
            topic=_header(headers, "Topic"),
            webhook_id=_header(headers, "Webhook-Id"),
            api_version=_header(headers, "API-Version"),
            triggered_at=_moment(_header(headers, "Triggered-At"), now),
            body=body,
            now=now,
        )


class FastLane:
    """WSGI in front of Flask: answers a good webhook at once, and hands everything else on as it came."""

    def __init__(self, app: Callable[..., Iterable[bytes]], process: Runtime, max_body_bytes: int) -> None:
        self.app, self.process, self.max_body_bytes = app, process, max_body_bytes

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/webhooks" or environ["REQUEST_METHOD"] != "POST":
            return self.app(environ, start_response)
        length = environ.get("CONTENT_LENGTH", "")
        if not (length.isascii() and length.isdigit() and int(length) <= self.max_body_bytes):
            return self.app(environ, start_response)
        body = environ["wsgi.input"].read(int(length))
        try:
            take(Request(environ), body, self.process)
        except LoyaltyError:
            environ["wsgi.input"] = BytesIO(body)  # Flask says no in its own words
            return self.app(environ, start_response)
        except SQLAlchemyError as error:
            log.warning("a webhook could not be stored: %s", type(error).__name__)
            start_response(
                "503 Service Unavailable", [("Content-Type", "application/json"), ("Content-Length", LENGTH)]
            )
            return [NOT_STORED]
        start_response("200 OK", [("Content-Length", "0")])
        return []


NOT_STORED = (
    b'{"error":{"code":"unavailable","field":null,"message":"This could not be stored. Try again in a minute."}}'
)
LENGTH = str(len(NOT_STORED))


def _header(headers: Any, name: str) -> str:
    """Classic webhooks say ``X-Shopify-…``, Events ``shopify-…`` (PLATFORM §1.4)."""
    value = headers.get(f"X-Shopify-{name}") or headers.get(f"shopify-{name}") or ""
    return str(value).replace("\x00", "")


def _moment(text: str, now: datetime) -> datetime | None:
    """ "2026-11-21T20:12:00.123456789Z"; None for anything that is no moment with a zone.

    The header is not signed, and nothing is triggered after it arrived: a later moment means now.
    """
    try:
        moment = datetime.fromisoformat(text)
        return min(moment.astimezone(UTC), now) if moment.tzinfo else None
    except (ValueError, OverflowError):  # no moment; or none that UTC has a date for
        return None

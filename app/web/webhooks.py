"""``POST /webhooks``: every topic. Verify, store, 200 (DESIGN §4). Nothing is parsed here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from flask import Blueprint, Response, request

from ..loyalty.inbox import receive
from ..shopify.shops import exact_shop_domain
from ..shopify.webhooks import verify_webhook
from .auth import verifies_itself
from .runtime import runtime

bp = Blueprint("webhooks", __name__)


@bp.post("/webhooks")
@verifies_itself
def webhook() -> Response:
    """200 once the delivery is durable (or was before, or is for a shop we do not know); 401 for a bad signature."""
    body = request.get_data(cache=False)
    verify_webhook(body, cast(Mapping[str, str], request.headers), runtime().config.secrets)
    domain = exact_shop_domain(_header("Shop-Domain"))
    if domain is not None:
        receive(
            runtime().db,
            domain=domain,
            topic=_header("Topic"),
            webhook_id=_header("Webhook-Id"),
            api_version=_header("API-Version"),
            triggered_at=_moment(_header("Triggered-At")),
            body=body,
            now=runtime().clock(),
        )
    return Response(status=200)


def _header(name: str) -> str:
    """Classic webhooks say ``X-Shopify-…``, Events ``shopify-…`` (PLATFORM §1.4)."""
    value = request.headers.get(f"X-Shopify-{name}") or request.headers.get(f"shopify-{name}") or ""
    return value.replace("\x00", "")


def _moment(text: str) -> datetime | None:
    """ "2026-11-21T20:12:00.123456789Z"; None for anything that is no moment with a zone.

    The header is not signed, and nothing is triggered after it arrived: a later moment means now.
    """
    try:
        moment = datetime.fromisoformat(text)
        return min(moment.astimezone(UTC), runtime().clock()) if moment.tzinfo else None
    except (ValueError, OverflowError):  # no moment; or none that UTC has a date for
        return None

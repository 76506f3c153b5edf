"""``POST /webhooks``: every topic. Verify, store, 200 (DESIGN §4). Nothing is parsed here.

A flash sale is thousands of these in a few seconds, so there are two ways in with the same functions behind them:
Flask's route, and `Inlet`, which the server asks first (rsgi.py): it spends no thread on a webhook, and those that
arrive while some are being written are written together.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, cast

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import EnvironHeaders

from ..errors import Unauthenticated
from ..loyalty.inbox import Arrival, receive
from ..shopify.shops import exact_shop_domain
from ..shopify.webhooks import verify_webhook
from .auth import verifies_itself
from .runtime import Runtime, runtime

bp = Blueprint("webhooks", __name__)
log = logging.getLogger(__name__)

TOGETHER = 100  # webhooks stored by one statement, at most
GIVE_UP_S = 3.0  # on a batch: Shopify waits five seconds, and an honest 503 must come before that


@bp.post("/webhooks")
@verifies_itself
def webhook() -> Response:
    """200 once the delivery is durable (or was before, or is for a shop we do not know); 401 for a bad signature."""
    process = runtime()
    if arrival := verified(request.headers, request.get_data(cache=False), process):
        receive(process.db, [arrival])
    return Response(status=200)


def verified(headers: Any, body: bytes, process: Runtime) -> Arrival | None:
    """The webhook, when Shopify signed it; None when it names no shop. Raises Unauthenticated."""
    verify_webhook(body, cast(Mapping[str, str], headers), process.config.secrets)
    domain = exact_shop_domain(_header(headers, "Shop-Domain"))
    if domain is None:
        return None
    now = process.clock()
    return Arrival(
        domain=domain,
        topic=_header(headers, "Topic"),
        webhook_id=_header(headers, "Webhook-Id"),
        api_version=_header(headers, "API-Version"),
        triggered_at=_moment(_header(headers, "Triggered-At"), now),
        body=body,
        received_at=now,
    )


class _Waiting(NamedTuple):
    arrival: Arrival
    stored: asyncio.Future[bool]
    loop: asyncio.AbstractEventLoop


class Inlet:
    """One process's way in for webhooks from an event loop; a thread of its own writes what has arrived."""

    def __init__(self, process: Runtime) -> None:
        self.process = process
        self._arrived: SimpleQueue[_Waiting] = SimpleQueue()
        self._writer: threading.Thread | None = None

    async def take(self, environ: dict[str, Any], body: bytes) -> int | None:
        """200 or 503 for a webhook Shopify signed; None for anything else, which is Flask's to refuse."""
        try:
            arrival = verified(EnvironHeaders(environ), body, self.process)
        except Unauthenticated:
            return None
        if arrival is None:
            return 200
        if self._writer is None:  # begun here, since a thread would not survive the server's fork
            self._writer = threading.Thread(target=self._write, name="webhooks", daemon=True)
            self._writer.start()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(arrival, loop.create_future(), loop)
        self._arrived.put(waiting)
        return 200 if await waiting.stored else 503

    def _write(self) -> None:
        while True:
            batch = [self._arrived.get()]
            with suppress(Empty):
                while len(batch) < TOGETHER:
                    batch.append(self._arrived.get_nowait())
            stored = self._store(batch, time.monotonic() + GIVE_UP_S)
            with suppress(RuntimeError):  # the server ended, and its loop with it
                batch[0].loop.call_soon_threadsafe(_tell, batch, stored)

    def _store(self, batch: Sequence[_Waiting], until: float) -> list[bool]:
        """Which are durable now. When they could not be stored together, each is tried alone while there is time."""
        try:
            receive(self.process.db, [waiting.arrival for waiting in batch])
            return [True] * len(batch)
        except SQLAlchemyError as error:
            log.warning("%s webhooks could not be stored: %s", len(batch), type(error).__name__)
        except Exception:  # a writer that ended would leave every webhook unanswered
            log.exception("%s webhooks could not be stored", len(batch))
        if len(batch) == 1:
            return [False]
        return [time.monotonic() < until and self._store([waiting], until)[0] for waiting in batch]


def _tell(batch: Sequence[_Waiting], stored: Sequence[bool]) -> None:
    for waiting, is_stored in zip(batch, stored, strict=True):
        if not waiting.stored.done():
            waiting.stored.set_result(is_stored)


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

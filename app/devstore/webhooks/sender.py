"""Sends deliveries: signed at the moment of sending, one second to connect, five in all, eight retries over four hours.

Four threads take what is due; there is no promise of order, as on the real platform.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..signing import webhook_hmac

if TYPE_CHECKING:
    from .outbox import Webhooks

_THREADS = 4
_CONNECT_SECONDS = 1.0
_TOTAL_SECONDS = 5.0
_RETRIES = 8
# Doubling, and 14,400 seconds in all: the first after 56 s, the last 2 hours after the one before it.
_FIRST_RETRY_SECONDS = 4 * 3600 / (2**_RETRIES - 1)


class Senders:
    def __init__(self, webhooks: Webhooks) -> None:
        self.webhooks = webhooks
        self._stopping = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for number in range(_THREADS):
            thread = threading.Thread(target=self._run, name=f"webhooks-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Finish what is on the wire (at most five seconds), then stop."""
        self._stopping = True
        self.webhooks.notify()
        for thread in self._threads:
            thread.join(_TOTAL_SECONDS + 1)

    def _run(self) -> None:
        while not self._stopping:
            # Cleared before looking: what is queued after the look sets it again.
            self.webhooks.wake.clear()
            row = self._take()
            if row is None:
                self._wait()
            else:
                self._send(row)

    def _take(self) -> tuple[Any, ...] | None:
        """Claim one due delivery."""
        with self.webhooks.store.writing() as connection:
            shuffle = self.webhooks.controls()["shuffle"]
            due = connection.execute(
                "SELECT seq, shop, topic, name, url, webhook_id, event_id, triggered_at, body, tries FROM deliveries "
                "WHERE state = 'due' AND due_at <= ? ORDER BY due_at, seq LIMIT ?",
                (time.time(), 100 if shuffle else 1),
            ).fetchall()
            if not due:
                return None
            row = random.choice(due)
            connection.execute("UPDATE deliveries SET state = 'sending', tries = tries + 1 WHERE seq = ?", (row[0],))
            return row

    def _wait(self) -> None:
        """Until something is queued, or the next retry is due."""
        ((due_at,),) = self.webhooks.store.rows("SELECT min(due_at) FROM deliveries WHERE state = 'due'")
        seconds = 30.0 if due_at is None else min(30.0, due_at - time.time())
        if seconds > 0 and not self._stopping:
            self.webhooks.wake.wait(seconds)

    def _send(self, row: tuple[Any, ...]) -> None:
        seq, shop, topic, name, url, webhook_id, event_id, triggered_at, body, tries = row
        devstore = self.webhooks.devstore
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-SHA256": webhook_hmac(devstore.apps.secrets.signing, body),
            "X-Shopify-Shop-Domain": shop,
            "X-Shopify-API-Version": devstore.app.api_version,
            "X-Shopify-Webhook-Id": webhook_id,
            "X-Shopify-Event-Id": event_id,
            "X-Shopify-Triggered-At": triggered_at,
        }
        if name:
            headers["X-Shopify-Name"] = name
        started = time.monotonic()
        status = post(url, headers, body)
        ms = (time.monotonic() - started) * 1000
        delivered = status.isdigit() and 200 <= int(status) < 300
        retry = not delivered and tries < _RETRIES
        state = "sent" if delivered else "due" if retry else "failed"
        due_at = time.time() + _FIRST_RETRY_SECONDS * 2**tries * devstore.settings.retry_scale
        with self.webhooks.store.writing() as connection:
            connection.execute(
                "UPDATE deliveries SET state = ?, due_at = ?, status = ?, ms = ? WHERE seq = ?",
                (state, due_at, status, round(ms), seq),
            )
            note = (
                "" if delivered else f"try {tries + 1}, again in {due_at - time.time():.0f} s" if retry else "given up"
            )
            devstore.traffic.add("webhook", shop, "POST", urlsplit(url).path, topic, status, ms, note)


def post(url: str, headers: dict[str, str], body: bytes) -> str:
    """POST and return the status, or in words why there is none. Redirects are not followed."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_CONNECT_SECONDS)
    deadline = time.monotonic() + _TOTAL_SECONDS
    try:
        connection.connect()
        connection.sock.settimeout(max(0.01, deadline - time.monotonic()))
        connection.request("POST", parts.path or "/", body=body, headers=headers)
        connection.sock.settimeout(max(0.01, deadline - time.monotonic()))
        response = connection.getresponse()
        return "timed out" if time.monotonic() > deadline else str(response.status)
    except TimeoutError:
        return "timed out"
    except ConnectionRefusedError:
        return "refused"
    except (OSError, http.client.HTTPException) as wrong:
        return type(wrong).__name__
    finally:
        connection.close()

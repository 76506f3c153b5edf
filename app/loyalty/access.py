"""A shop's way to its Admin API: the stored token, refreshed in time by exactly one worker.

Refresh is single-flight by lease (DESIGN §4 Install): whoever sets the lease asks Shopify and writes the new pair
with ``token_version + 1``; everybody else waits for that and reads again. No transaction is open while Shopify is
being asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import TypeVar

import requests
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..db import Database
from ..errors import AccessRevoked, Throttled
from ..models import Shop, ShopToken
from ..shopify.client import AdminClient
from ..shopify.origins import Origins
from ..shopify.tokens import TokenEndpoint, TokenPair
from ..shopify.transport import IN_A_REQUEST, IN_THE_BACKGROUND, Patience

REFRESH_BEFORE = timedelta(minutes=5)
LEASE = timedelta(seconds=90)  # longer than the longest answer we wait for
KEEP_ALIVE = timedelta(days=7)  # a refresh token dies after 90 days without use
WAIT_STEP_S = 0.1
LONGEST_WAIT_S = 30.0  # for another worker's refresh
ROOM_WITHIN_S = 0.25  # how long a request waits for its turn to ask Shopify

T = TypeVar("T")


@dataclass(slots=True)
class Access:
    """What network verbs need to reach Shopify: the database, where Shopify is, and our credentials."""

    db: Database
    origins: Origins
    endpoint: TokenEndpoint
    http: requests.Session
    clock: Callable[[], datetime]
    patience: Patience = IN_THE_BACKGROUND
    room: BoundedSemaphore | None = None  # how many may ask at once; None: whoever comes

    def hurried(self, room: BoundedSemaphore) -> Access:
        """The same way, for use inside a web request: less patience, and only as many at once as there is room for.

        A slow Shopify must not hold every thread, or webhooks and the storefront would wait with the merchant's page.
        """
        return replace(self, endpoint=self.endpoint.with_patience(IN_A_REQUEST), patience=IN_A_REQUEST, room=room)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Around everything that waits for Shopify. Raises `Throttled` when too many wait for it already."""
        if self.room is None:
            yield
        elif self.room.acquire(timeout=ROOM_WITHIN_S):
            try:
                yield
            finally:
                self.room.release()
        else:
            raise Throttled("Shopify is slow, and others wait for it already.", retry_after=5)

    def client(self, shop_id: int) -> AdminClient:
        """A client with a token that lives five minutes more. Raises `AccessRevoked` when there is none to be had."""
        return self._client(shop_id)[0]

    def ask(self, shop_id: int, question: Callable[[AdminClient], T]) -> T:
        """Run a question; when Shopify calls the token invalid, refresh once and ask once more."""
        with self.asking():
            return self._ask(shop_id, question)

    def _ask(self, shop_id: int, question: Callable[[AdminClient], T]) -> T:
        client, version = self._client(shop_id)
        try:
            return question(client)
        except AccessRevoked as refusal:
            if refusal.code != "token_invalid":
                raise
        # Thirty workers may hear "invalid" of the same token: it is replaced once, by the first of them.
        stored = self._stored(shop_id)
        if stored.token_version == version:
            self._refresh(shop_id, stored)
        return question(self.client(shop_id))

    def refresh(self, shop_id: int, *, even_if_fresh: bool = False) -> None:
        """Replace the pair, or wait for the worker that is doing it."""
        seen = self._stored(shop_id)
        if even_if_fresh or seen.access_expires_at - self.clock() < REFRESH_BEFORE:
            self._refresh(shop_id, seen)

    def _client(self, shop_id: int) -> tuple[AdminClient, int]:
        """A client, and the version of the token it uses."""
        seen = self._stored(shop_id)
        if seen.access_expires_at - self.clock() < REFRESH_BEFORE:
            seen = self._refresh(shop_id, seen)
        with self.db.reading() as session:
            shop = session.get(Shop, shop_id)
            if shop is None or not shop.is_installed:
                raise AccessRevoked("The app is not installed there.", code="uninstalled")
            token = seen.access_token
        return AdminClient(self.origins, shop.domain, token, self.http, self.patience), seen.token_version

    def _stored(self, shop_id: int) -> ShopToken:
        with self.db.reading() as session:
            token = session.get(ShopToken, shop_id)
        if token is None:
            raise AccessRevoked("There is no token for this shop.", code="uninstalled")
        if token.needs_reopening:
            raise AccessRevoked("The merchant must open the app again.", code="needs_reopening")
        return token

    def _refresh(self, shop_id: int, seen: ShopToken) -> ShopToken:
        for _ in range(int(min(self.patience.total_s, LONGEST_WAIT_S) / WAIT_STEP_S)):
            if self._take_lease(shop_id, seen.token_version):
                return self._refresh_under_lease(shop_id, seen)
            stored = self._stored(shop_id)
            if stored.token_version != seen.token_version:
                return stored
            time.sleep(WAIT_STEP_S)
        raise Throttled("Another worker is refreshing this shop's token.", retry_after=5)

    def _take_lease(self, shop_id: int, version: int) -> bool:
        now = self.clock()
        with self.db.transaction() as session:
            taken = session.execute(
                update(ShopToken)
                .where(
                    ShopToken.shop_id == shop_id,
                    ShopToken.token_version == version,
                    (ShopToken.lease_until.is_(None)) | (ShopToken.lease_until < now),
                )
                .values(lease_until=now + LEASE)
            )
            return taken.rowcount == 1  # type: ignore[attr-defined]

    def _refresh_under_lease(self, shop_id: int, seen: ShopToken) -> ShopToken:
        with self.db.reading() as session:
            domain = session.get_one(Shop, shop_id).domain
        try:
            pair = self.endpoint.refresh(domain, seen.refresh_token, now=self.clock())
        except AccessRevoked:
            # Read the row again first: an exchange may have replaced the pair while we asked.
            self._end_lease(shop_id, seen.token_version, needs_reopening=True)
            stored = self._stored(shop_id)
            if stored.token_version != seen.token_version:
                return stored
            raise
        except Exception:
            self._end_lease(shop_id, seen.token_version, needs_reopening=False)
            raise
        with self.db.transaction() as session:
            store_pair(session, shop_id, pair, now=self.clock(), replacing=seen.token_version)
        return self._stored(shop_id)

    def _end_lease(self, shop_id: int, version: int, *, needs_reopening: bool) -> None:
        with self.db.transaction() as session:
            session.execute(
                update(ShopToken)
                .where(ShopToken.shop_id == shop_id, ShopToken.token_version == version)
                .values(lease_until=None, needs_reopening=needs_reopening)
            )


def store_pair(session: Session, shop_id: int, pair: TokenPair, *, now: datetime, replacing: int | None = None) -> None:
    """Keep a pair: both tokens and both expiries in one row, one statement.

    ``replacing`` is the version a refresh started from; a newer one (an exchange came in between) is left alone.
    """
    stored = session.get(ShopToken, shop_id, with_for_update=True, populate_existing=True)
    if stored is None:
        if replacing is not None:
            return  # uninstalled while we asked
        stored = ShopToken(shop_id=shop_id, token_version=0)
        session.add(stored)
    elif replacing is not None and stored.token_version != replacing:
        return
    stored.access_token, stored.access_expires_at = pair.access_token, pair.expires_at
    stored.refresh_token, stored.refresh_expires_at = pair.refresh_token, pair.refresh_expires_at
    stored.token_version += 1
    stored.lease_until, stored.refreshed_at, stored.needs_reopening = None, now, False


def has_usable_token(session: Session, shop_id: int, now: datetime) -> bool:
    """Whether opening the app can go without a token exchange."""
    stored = session.get(ShopToken, shop_id)
    return stored is not None and not stored.needs_reopening and stored.refresh_expires_at > now + timedelta(days=30)

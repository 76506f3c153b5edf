"""Offline access tokens: token exchange, refresh, authorization code.

One address answers all three, ``POST {shop}/admin/oauth/access_token``. Only expiring tokens are asked for: an access
token for an hour and a refresh token for 90 days. Nothing here stores anything; the caller keeps the pair, encrypted,
in one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests

from app.errors import AccessRevoked, LoyaltyError, Rejected, Throttled, Unauthenticated
from app.shopify.origins import Origins
from app.shopify.transport import IN_THE_BACKGROUND, Answer, Patience, new_http, post

MAX_ANSWER_BYTES = 64_000
_TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - names, not secrets
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105
_OFFLINE_TOKEN = "urn:shopify:params:oauth:token-type:offline-access-token"  # noqa: S105


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and the means to the next one. Its repr shows neither."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime
    scopes: tuple[str, ...]  # as granted, sorted


class TokenEndpoint:
    """Asks Shopify for tokens in our app's name. ``client_secret`` is the newest one, also while rotating."""

    def __init__(
        self,
        origins: Origins,
        client_id: str,
        client_secret: str,
        http: requests.Session | None = None,
        patience: Patience = IN_THE_BACKGROUND,
    ) -> None:
        self._origins = origins
        self._client_id = client_id
        self._client_secret = client_secret
        self._http = http or new_http(origins)
        self._patience = patience

    def with_patience(self, patience: Patience) -> TokenEndpoint:
        """The same endpoint, asked with another patience."""
        return TokenEndpoint(self._origins, self._client_id, self._client_secret, self._http, patience)

    def exchange(self, shop: str, session_token: str, *, now: datetime) -> TokenPair:
        """Turn a session token into an offline pair. It retires the shop's older refresh tokens.

        Raises Unauthenticated when the session token is stale (ask App Bridge for another), AccessRevoked, Throttled,
        Rejected.
        """
        return self._ask(
            shop,
            now,
            grant_type=_TOKEN_EXCHANGE,
            subject_token=session_token,
            subject_token_type=_ID_TOKEN,
            requested_token_type=_OFFLINE_TOKEN,
            expiring="1",
        )

    def refresh(self, shop: str, refresh_token: str, *, now: datetime) -> TokenPair:
        """Turn a refresh token into a new pair. A lost answer may be asked for again with the same token.

        Raises AccessRevoked with code ``invalid_grant`` when the token was replaced or has expired (read the stored
        one again; still dead: the merchant must open the app), Throttled, Rejected.
        """
        return self._ask(shop, now, grant_type="refresh_token", refresh_token=refresh_token)

    def redeem_code(self, shop: str, code: str, *, now: datetime) -> TokenPair:
        """Turn an authorization code into an offline pair. Raises Unauthenticated for a used, old or invented code."""
        return self._ask(shop, now, code=code, expiring="1")

    def _ask(self, shop: str, now: datetime, **parameters: str) -> TokenPair:
        answer = post(
            self._http,
            f"{self._origins.api(shop)}/admin/oauth/access_token",
            json={"client_id": self._client_id, "client_secret": self._client_secret, **parameters},
            headers={},
            max_bytes=MAX_ANSWER_BYTES,
            patience=self._patience,
        )
        content = answer.json()
        if answer.status == 200 and content is not None:
            return token_pair(content, now=now)
        raise _failure(answer, content)

    def __repr__(self) -> str:
        return f"TokenEndpoint(client_id={self._client_id!r})"


def token_pair(content: Mapping[str, Any], *, now: datetime) -> TokenPair:
    """Read Shopify's answer. Raises Rejected for one without expiry: such a token is none we may keep."""
    access_token, refresh_token = content.get("access_token"), content.get("refresh_token")
    lifetimes = content.get("expires_in"), content.get("refresh_token_expires_in")
    scope = content.get("scope", "")
    whole = isinstance(access_token, str) and isinstance(refresh_token, str) and isinstance(scope, str)
    if not whole or not access_token or not refresh_token:
        raise Rejected("Shopify's answer holds no pair of tokens.", code="no_token_pair")
    seconds = [value for value in lifetimes if type(value) is int and 0 < value < 10**9]
    if len(seconds) != 2:
        raise Rejected("Shopify's answer holds a token that does not expire.", code="no_expiry")
    return TokenPair(
        access_token=access_token,
        expires_at=now + timedelta(seconds=seconds[0]),
        refresh_token=refresh_token,
        refresh_expires_at=now + timedelta(seconds=seconds[1]),
        scopes=tuple(sorted({name.strip() for name in scope.split(",") if name.strip()})),
    )


def _failure(answer: Answer, content: Mapping[str, Any] | None) -> LoyaltyError:
    """What to make of anything but a 200 with JSON. Messages hold Shopify's code, never its text or ours."""
    if answer.status == 429:
        return Throttled("Shopify asks us to wait.", retry_after=answer.retry_after)
    if answer.status >= 500 or answer.status == 200:
        return Throttled(f"Shopify answered {answer.status} without tokens.", retry_after=answer.retry_after)
    code = content.get("error") if content else None
    code = code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,60}", code) else f"http_{answer.status}"
    if code == "invalid_subject_token":
        return Unauthenticated("The session token is too old.", code=code)
    if code in ("invalid_grant", "invalid_client") or answer.status in (401, 402, 403, 404, 423):
        return AccessRevoked(f"Shopify gives no token for this shop ({code}).", code=code)
    if code == "invalid_request" and answer.status == 400:
        return Unauthenticated("Shopify does not know this authorization code or token.", code=code)
    return Rejected(f"Shopify refused to give a token ({code}).", code=code)

"""Issues Admin API tokens, refreshes them and tells whose they are. Only digests are kept.

One refreshable offline token per app and shop: a newer one retires the older ones' refresh tokens at once while their
access tokens live out their hour. A refresh token that was used may be tried again until its replacement is used, for
at most 30 days after its first use and never past its own 90.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .. import clock
from ..errors import OAuthError
from ..records import Shop, Token
from ..signing import digest

if TYPE_CHECKING:
    from ..state import DevStore

_OFFLINE_SECONDS = 3600
_ONLINE_SECONDS = 86_399
_REFRESH_SECONDS = 7_776_000
_RETRY = timedelta(days=30)


def issue_offline(devstore: DevStore, shop: Shop, secret: str, *, parent: Token | None = None) -> dict[str, Any]:
    """A new pair, as the endpoint answers it; the shop's older refresh tokens die, save that of ``parent``."""
    with devstore.store.writing():
        installation = devstore.apps.installed(shop)
        assert installation is not None
        now = clock.now()
        for older in devstore.store.list(Token, shop.id):
            if older.expires_at < now and (older.dead or older.refresh_digest is None):
                devstore.store.delete(older)
            elif not older.online and not older.dead and older.id != (parent.id if parent else None):
                older.dead = True
                devstore.store.save(older)
        access, refresh = f"shpat_{secrets.token_hex(16)}", f"shprt_{secrets.token_hex(32)}"
        devstore.store.add(
            Token(
                id=devstore.store.next_id("token"),
                shop_id=shop.id,
                access_digest=digest(access),
                scopes=installation.scopes,
                created_at=now,
                expires_at=now + timedelta(seconds=_OFFLINE_SECONDS),
                refresh_digest=digest(refresh),
                refresh_expires_at=now + timedelta(seconds=_REFRESH_SECONDS),
                parent_id=parent.id if parent else None,
                secret_digest=digest(secret),
            )
        )
        return {
            "access_token": access,
            "scope": ",".join(installation.scopes),
            "expires_in": _OFFLINE_SECONDS,
            "refresh_token": refresh,
            "refresh_token_expires_in": _REFRESH_SECONDS,
        }


def issue_online(devstore: DevStore, shop: Shop, secret: str, user_id: int) -> dict[str, Any]:
    """A token of one user of the shop's admin; it is not refreshed."""
    with devstore.store.writing():
        installation = devstore.apps.installed(shop)
        assert installation is not None
        now = clock.now()
        access = f"shpua_{secrets.token_hex(16)}"
        devstore.store.add(
            Token(
                id=devstore.store.next_id("token"),
                shop_id=shop.id,
                access_digest=digest(access),
                scopes=installation.scopes,
                created_at=now,
                expires_at=now + timedelta(seconds=_ONLINE_SECONDS),
                online=True,
                user_id=user_id,
                secret_digest=digest(secret),
            )
        )
        scope = ",".join(installation.scopes)
        return {
            "access_token": access,
            "scope": scope,
            "expires_in": _ONLINE_SECONDS,
            "associated_user_scope": scope,
            "associated_user": devstore.apps.staff(shop),
        }


def refresh(devstore: DevStore, shop: Shop, secret: str, refresh_token: str) -> dict[str, Any]:
    """A new pair for a refresh token. Raises OAuthError invalid_grant when it works no more."""
    with devstore.store.writing():
        now = clock.now()
        wanted = digest(refresh_token)
        tokens = devstore.store.list(Token, shop.id)
        token = next((t for t in tokens if t.refresh_digest == wanted), None)
        if token is None or token.dead or token.refresh_expires_at is None or token.refresh_expires_at <= now:
            raise OAuthError("invalid_grant", "The refresh token is invalid, expired or was replaced")
        if token.first_refreshed_at:
            replaced = any(t.used for t in tokens if t.parent_id == token.id)
            if replaced or token.first_refreshed_at + _RETRY < now:
                raise OAuthError("invalid_grant", "The refresh token was already used")
        token.first_refreshed_at = token.first_refreshed_at or now
        devstore.store.save(token)
        _mark_used(devstore, shop, token)
        return issue_offline(devstore, shop, secret, parent=token)


def authenticate(devstore: DevStore, shop: Shop, access_token: str) -> Token | None:
    """The live token this is, or None: unknown, expired, or the app was uninstalled."""
    wanted = digest(access_token)
    with devstore.store.writing():
        token = next((t for t in devstore.store.list(Token, shop.id) if t.access_digest == wanted), None)
        if token is None or token.expires_at <= clock.now() or devstore.apps.installed(shop) is None:
            return None
        _mark_used(devstore, shop, token)
        return token


def expire(devstore: DevStore, shop: Shop, *, refresh: bool = False) -> int:
    """End every access token now (a test's doing), and with ``refresh`` the refresh tokens too. Returns how many."""
    with devstore.store.writing():
        tokens = devstore.store.list(Token, shop.id)
        for token in tokens:
            token.expires_at = min(token.expires_at, clock.now())
            token.dead = token.dead or refresh
            devstore.store.save(token)
        return len(tokens)


def revoke_secret(devstore: DevStore, live: list[str]) -> None:
    """Tokens had with a client secret that is gone go with it."""
    known = {digest(secret) for secret in live}
    with devstore.store.writing():
        for shop in devstore.shops():
            for token in devstore.store.list(Token, shop.id):
                if token.secret_digest not in known:
                    devstore.store.delete(token)


def _mark_used(devstore: DevStore, shop: Shop, token: Token) -> None:
    """Using a token, or its refresh token, ends the retrying of the one it replaced."""
    if not token.used:
        token.used = True
        devstore.store.save(token)
        parent = devstore.store.get(Token, shop.id, token.parent_id) if token.parent_id else None
        if parent and not parent.dead:
            parent.dead = True
            devstore.store.save(parent)

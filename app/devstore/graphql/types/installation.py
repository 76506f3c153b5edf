"""The app and its installation."""

from __future__ import annotations

from typing import Any

from ..gids import gid
from ..resolving import Asked, register


def _scopes(handles: Any) -> list[dict[str, str]]:
    return [{"handle": handle, "description": handle.replace("_", " ").capitalize()} for handle in handles]


def app(asked: Asked) -> dict[str, Any]:
    config = asked.devstore.app
    return {
        "__typename": "App",
        "id": gid("App", config.id),
        "apiKey": config.client_id,
        "title": config.name,
        "handle": config.handle,
        "embedded": True,
        "published": False,
        "webhookApiVersion": config.api_version,
        "requestedAccessScopes": _scopes(config.scopes),
        "optionalAccessScopes": _scopes(config.optional_scopes),
    }


register(
    "AppInstallation",
    {
        "id": lambda i, _: gid("AppInstallation", i.id),
        "accessScopes": lambda i, _: _scopes(i.scopes),
        "app": lambda i, asked: app(asked),
        "activeSubscriptions": lambda i, _: [],
        "launchUrl": lambda i, asked: f"https://{asked.shop.domain}/admin/apps/{asked.devstore.app.handle}",
        "uninstallUrl": lambda i, _: None,
    },
)

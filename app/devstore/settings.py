"""What the dev store is started with, and what it reads of the app: its ``shopify.app.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin


@dataclass(frozen=True)
class Subscription:
    """One ``[[webhooks.subscriptions]]`` table for one topic."""

    topic: str
    uri: str  # absolute
    name: str | None
    include_fields: tuple[str, ...]
    compliance: bool


@dataclass(frozen=True)
class AppConfig:
    """The app as ``shopify.app.toml`` describes it. Raises ValueError where the platform would refuse the file."""

    client_id: str
    name: str
    handle: str
    application_url: str
    scopes: tuple[str, ...]
    optional_scopes: tuple[str, ...]
    redirect_urls: tuple[str, ...]
    api_version: str
    subscriptions: tuple[Subscription, ...]
    proxy_url: str | None
    proxy_prefix: str
    proxy_subpath: str
    extension_directories: tuple[Path, ...]  # absolute, globs expanded

    @property
    def id(self) -> int:
        """The app's number in GIDs and in reserved metafield namespaces, made from its client id."""
        return int(self.client_id[:12] or "0", 16) % 9_000_000_000_000 + 1_000_000_000_000

    @classmethod
    def read(cls, path: Path, *, application_url: str | None = None) -> AppConfig:
        """Read the file; ``application_url`` stands in for the file's own, as ``shopify app dev`` rewrites it."""
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        own = raw["application_url"].rstrip("/")
        url = (application_url or own).rstrip("/")
        access = raw.get("access_scopes", {})
        proxy = raw.get("app_proxy", {})
        webhooks = raw["webhooks"]
        globs = raw.get("extension_directories", ["extensions/*"])
        return cls(
            client_id=raw["client_id"],
            name=raw["name"],
            handle=raw.get("handle", raw["name"].lower().replace(" ", "-")),
            application_url=url,
            scopes=_scopes(access),
            optional_scopes=tuple(access.get("optional_scopes", ())),
            redirect_urls=tuple(_moved(u, own, url) for u in raw.get("auth", {}).get("redirect_urls", ())),
            api_version=webhooks["api_version"],
            subscriptions=tuple(_subscriptions(webhooks.get("subscriptions", ()), url)),
            proxy_url=_absolute(proxy["url"], url) if proxy else None,
            proxy_prefix=proxy.get("prefix", "apps"),
            proxy_subpath=proxy.get("subpath", ""),
            extension_directories=tuple(
                found for glob in globs for found in sorted(path.parent.glob(glob)) if found.is_dir()
            ),
        )


@dataclass(frozen=True)
class Settings:
    """Everything the process is told. ``secrets[0]`` is the client secret, the others are older ones still accepted."""

    app_toml: Path
    data: Path | None  # None: in memory
    port: int
    secrets: tuple[str, ...]
    shops: tuple[str, ...] = ("saltmarsh.myshopify.com",)
    application_url: str | None = None
    retry_scale: float = 1.0  # 1.0: 8 retries over four hours; 0.0001: over a second and a half
    seed_history: bool = True
    throttle: tuple[int, int] = field(default=(2000, 100))  # Admin API bucket: size, points restored a second


def _scopes(access: dict) -> tuple[str, ...]:
    listed = access.get("required_scopes") or access.get("scopes", "").split(",")
    return tuple(scope.strip() for scope in listed if scope.strip())


def _absolute(uri: str, application_url: str) -> str:
    return application_url + uri if uri.startswith("/") else urljoin(application_url + "/", uri)


def _moved(url: str, own: str, used: str) -> str:
    return used + url[len(own) :] if url.startswith(own + "/") or url == own else url


def _subscriptions(tables: list[dict] | tuple, application_url: str) -> list[Subscription]:
    found: list[Subscription] = []
    seen: set[tuple[str, str]] = set()
    for table in tables:
        if not table.get("topics") and not table.get("compliance_topics"):
            raise ValueError("a webhook subscription needs topics or compliance_topics")
        for key in ("topics", "compliance_topics"):
            for topic in table.get(key, ()):
                uri = _absolute(table["uri"], application_url)
                if (topic, uri) in seen:
                    raise ValueError(f"two webhook subscriptions for {topic} at {uri}")
                seen.add((topic, uri))
                found.append(
                    Subscription(
                        topic=topic,
                        uri=uri,
                        name=table.get("name"),
                        include_fields=tuple(table.get("include_fields", ())),
                        compliance=key == "compliance_topics",
                    )
                )
    return found

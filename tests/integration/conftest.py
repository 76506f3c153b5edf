"""Worlds for these tests: one on SQLite for all of them, one on PostgreSQL for those about many workers at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.db import Database

from ..conftest import empty
from .worlds import World, running


@pytest.fixture(scope="package")
def sqlite_world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    shutil.copy(sqlite_template, folder / "regulars.db")
    with running(Database(f"sqlite:///{folder / 'regulars.db'}"), folder / "store") as world:
        yield world


@pytest.fixture(scope="module")
def postgres_world(postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(postgres, tmp_path_factory.mktemp("world-pg") / "store") as world:
        yield world
    empty(postgres)


@pytest.fixture
def world(sqlite_world: World) -> Iterator[World]:
    """A good day: every test leaves one behind."""
    yield sqlite_world
    sqlite_world.app.ahead = timedelta()
    sqlite_world.store.plainly()

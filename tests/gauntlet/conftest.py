"""Count what the gauntlet did: every G test records its number, and the session writes ``gauntlet.json``.

    def test_forged_webhooks(gauntlet):
        random = gauntlet.random("G16")
        …
        gauntlet.record("G16", n=10_000, failures=len(accepted))
        assert not accepted

Several records of one id are added up. A G without a number in the file counts as failed, so record before asserting.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db import Database

from ..conftest import Clock
from . import world

ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("GAUNTLET_SEED", "20261121"))
RESULTS: dict[str, dict[str, Any]] = {}


class Gauntlet:
    """One test's hand on the record."""

    def __init__(self, replay: str) -> None:
        self.seed = SEED
        self.replay = f"GAUNTLET_SEED={SEED} .venv/bin/pytest {replay}"
        self._started = time.monotonic()

    def random(self, id: str) -> random.Random:
        """A generator of its own for this test, the same in every run with the same seed."""
        print(f"{id}: seed {self.seed}; replay with {self.replay}")
        return random.Random(f"{self.seed}:{id}:{self.replay}")

    def record(self, id: str, *, n: int, failures: int = 0, seed: int | None = None) -> None:
        """Add ``n`` cases of which ``failures`` went wrong; the seconds are those since the test began."""
        now = time.monotonic()
        result = RESULTS.setdefault(id, {"id": id, "seed": seed or self.seed, "n": 0, "failures": 0, "seconds": 0.0})
        result["n"] += n
        result["failures"] += failures
        result["seconds"] = round(result["seconds"] + now - self._started, 3)
        self._started = now


@pytest.fixture
def gauntlet(request: pytest.FixtureRequest) -> Iterator[Gauntlet]:
    yield Gauntlet(request.node.nodeid)


@pytest.fixture(scope="session")
def world_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three shops of `world` in one SQLite file, built once a run."""
    path = tmp_path_factory.mktemp("world") / "world.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    world.build(database, Clock())
    database.dispose()
    return path


@pytest.fixture
def sqlite_world(world_template: Path, tmp_path: Path, clock: Clock) -> Iterator[Database]:
    """A copy of them, and the clock a minute on."""
    path = tmp_path / "world.db"
    shutil.copy(world_template, path)
    database = Database(f"sqlite:///{path}")
    clock.advance(minutes=1)
    yield database
    database.dispose()


@pytest.fixture
def postgres_world(postgres_db: Database, clock: Clock) -> Database:
    world.build(postgres_db, clock)
    return postgres_db


@pytest.fixture(params=["sqlite", "postgresql"])
def worlds(request: pytest.FixtureRequest) -> Database:
    """The three shops, on both databases."""
    return request.getfixturevalue("sqlite_world" if request.param == "sqlite" else "postgres_world")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not RESULTS:
        return
    commit = _commit()
    lines = [{**RESULTS[id], "commit": commit} for id in sorted(RESULTS, key=_natural)]
    (ROOT / "gauntlet.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")


def _commit() -> str:
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, timeout=10)
        return found.stdout.strip() if found.returncode == 0 else "unknown"
    except OSError:
        return "unknown"


def _natural(id: str) -> tuple[int, str]:
    digits = "".join(character for character in id if character.isdigit())
    return int(digits or "0"), id

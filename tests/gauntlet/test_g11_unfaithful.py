"""G11: rewards at a Shopify that fails three calls in ten, in every way there is, while workers are killed.

Per redemption exactly one code, card or credit at Shopify, or the points back; counted at the dev store's side.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import Database

from ..conftest import empty
from ..integration.worlds import World, adds_up, running
from .conftest import Gauntlet
from .storm import storm

FULL = os.environ.get("GAUNTLET") == "a"
REDEMPTIONS, SHOPS, CUSTOMERS, KILLS = (2_000, 8, 40, 40) if FULL else (300, 3, 12, 5)
KINDS = [
    "500", "502", "503", "429", "throttled", "html", "reset", "timeout_before",  # nothing is done
    "lost", "timeout_after", "truncated", "drip_cut",  # done, and nobody hears of it
    "slow", "taken", "partial", "stuck",
]  # fmt: skip
# The first calls of these: what happens to few operations, and what is worst, is to happen for certain.
SOONER = {
    name: {"percent": 30, "next": next}
    for name, next in {
        "DiscountCodesAdd": ["partial", "taken", "lost", "stuck"],
        "GiftCardCreate": ["taken", "lost", "timeout_before"],
        "StoreCredit": ["timeout_after", "timeout_before", "truncated"],
    }.items()
}
STORM_S = 120 if FULL else 10  # for what is still under way when all is asked for and the last worker was killed
AT_MOST_S = 120  # of the clock both programs live on, from the end of the faults


@pytest.fixture
def world(postgres: Database, tmp_path: Path) -> Iterator[World]:
    with running(postgres, tmp_path / "store") as world:
        yield world
    empty(postgres)


def test_one_code_or_the_points_back(world: World, gauntlet: Gauntlet) -> None:
    random = gauntlet.random("G11")
    with storm(world, random, shops=SHOPS, customers=CUSTOMERS, workers=3) as weather:
        world.store.post(
            "api/faults", percent=30, kinds=KINDS, seed=gauntlet.seed, seconds=0.2, polls=2, by_operation=SOONER
        )
        for _ in range(KILLS):
            weather.redeem(REDEMPTIONS // KILLS)
            weather.cancel_some(0.1)
            for _ in range(6):
                weather.pass_time()
            weather.kill_worker()
        until = time.monotonic() + STORM_S
        while weather.open_count() > REDEMPTIONS // 20 and time.monotonic() < until:
            weather.pass_time()
        faults = world.store.get("api/faults")
        world.store.post("api/faults")
        stopped = weather.now()
        while weather.open_count() and weather.now() < stopped + AT_MOST_S:
            weather.pass_time()
        took = weather.now() - stopped
        wrongs = weather.wrongs()
    print(f"{weather.asked} redemptions, {weather.killed} workers killed, quiet after {took:.0f} s; {faults['kinds']}")
    gauntlet.record("G11", n=weather.asked, failures=len(wrongs))
    assert wrongs == [], "\n".join(wrongs)
    assert adds_up(world.app)
    assert sum(faults["kinds"].values()) > 0.2 * sum(faults["calls"].values())
    assert {"partial", "taken", "lost", "stuck", "timeout_after", "timeout_before"} <= set(faults["kinds"])

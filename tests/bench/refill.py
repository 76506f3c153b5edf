"""Ten thousand codes made ahead: the mutations it takes, counted by the dev store, and the seconds."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

from app.db import Base, Database, Encrypted
from app.loyalty.pools import want_codes
from app.models import Code, CodeState

from ..conftest import ENCRYPTION_KEY
from ..integration.rewarding import OFF, all_codes, discounts, shop_with
from ..integration.stores import eventually
from ..integration.worlds import running

CODES = 10_000
MUTATIONS = ("DiscountBasicCreate", "DiscountCodesAdd", "DiscountCodesDelete", "DiscountDelete")


def measure() -> dict[str, float]:
    os.environ.setdefault("ENCRYPTION_KEYS", ENCRYPTION_KEY)
    Encrypted.use([ENCRYPTION_KEY])
    folder = Path(tempfile.mkdtemp(prefix="regulars-refill-"))
    database = Database(f"sqlite:///{folder / 'regulars.db'}")
    Base.metadata.create_all(database.engine)
    try:
        with running(database, folder / "store") as world:
            world.store.post("api/faults")  # from here on calls are counted
            world.store.post("api/bucket", size=100_000, restore=10_000)  # what is measured is ours, not their patience
            started = time.perf_counter()
            shop = shop_with(world, OFF)
            key = min(discounts(shop))  # at the end of a month the next one's is there, too
            with world.app.db.transaction() as session:
                want_codes(session, shop.id, key, CODES, world.app.clock())
            eventually(lambda: _free(world.app.db, key) >= CODES, "all of them can be handed out", seconds=300)
            seconds = time.perf_counter() - started
            calls = world.store.get("api/faults")["calls"]
            made = len(all_codes(shop))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert made >= CODES, f"{made} codes"
    return {"codes": made, "mutations": sum(calls.get(name, 0) for name in MUTATIONS), "refill_s": seconds}


def _free(db: Database, key: str) -> int:
    with db.reading() as session:
        free = select(func.count()).where(Code.discount_key == key, Code.state == CodeState.FREE)
        return session.scalar(free) or 0


if __name__ == "__main__":
    for name, figure in measure().items():
        print(f"{name:16} {figure:10.3f}")

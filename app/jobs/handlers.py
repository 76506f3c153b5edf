"""What each kind of job does: one call of a loyalty verb. Shallow on purpose."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ..loyalty import (
    call_back,
    confirm,
    hand_out,
    inbox,
    install,
    make_codes,
    pools,
    reconcile,
    release,
    resettle,
    sweep_releases,
    sync,
    tidy,
)
from ..loyalty.access import Access
from ..models import Lane
from .queue import enqueue

# Record verbs, run in a transaction of the settling lane: (session, shop_id, arguments, now).
RECORD: dict[str, Callable[[Session, int, dict[str, Any], datetime], object]] = {
    "resettle": lambda session, shop_id, arguments, now: resettle.resettle(
        session,
        shop_id,
        datetime.fromisoformat(arguments["from"]),
        datetime.fromisoformat(arguments["until"]),
        now=now,
    ),
    "forget_old": lambda session, shop_id, arguments, now: inbox.forget_old(session, shop_id, now=now),
    "stock_pools": lambda session, shop_id, arguments, now: pools.stock_pools(
        session, shop_id, now=now, key=arguments.get("key")
    ),
    "finish_releases": lambda session, shop_id, arguments, now: release.finish_releases(session, shop_id, now=now),
}


def _fetch_order(access: Access, shop_id: int, arguments: dict[str, Any]) -> None:
    reconcile.fetch(access, shop_id, arguments["order_id"], last_look=arguments.get("last_look", False))


# Network verbs, which open their own short transactions: (access, shop_id, arguments).
NETWORK: dict[str, Callable[[Access, int, dict[str, Any]], object]] = {
    "fetch_order": _fetch_order,
    "confirm_customers": lambda access, shop_id, arguments: confirm.confirm_customers(
        access, shop_id, arguments["customers"]
    ),
    "reconcile": reconcile.reconcile_on,
    "sync_members": lambda access, shop_id, arguments: sync.sync_members(access, shop_id),
    "publish_program": lambda access, shop_id, arguments: sync.publish_program(access, shop_id),
    "set_up_store": lambda access, shop_id, arguments: sync.set_up_store(access, shop_id),
    "refresh_shop": lambda access, shop_id, arguments: install.refresh_shop(access, shop_id),
    "keep_alive": lambda access, shop_id, arguments: access.refresh(shop_id, even_if_fresh=True),
    "make_codes": lambda access, shop_id, arguments: make_codes.make_codes(access, shop_id, arguments["key"]),
    "hand_out": lambda access, shop_id, arguments: hand_out.hand_out(access, shop_id, arguments["redemption_id"]),
    "delete_codes": lambda access, shop_id, arguments: call_back.delete_released_codes(access, shop_id),
    "sweep_releases": sweep_releases.sweep_releases,
    "tidy_codes": lambda access, shop_id, arguments: tidy.tidy_codes(access, shop_id, arguments),
}

# Somebody's points wait for these: a busy Shopify is asked again soon, and for as long as it takes.
PATIENT = frozenset({"make_codes", "hand_out", "delete_codes", "sweep_releases"})
# Of these, somebody looks at their screen until it is done: they go before their shop's other work.
WAITED_FOR = frozenset({"make_codes", "hand_out"})

LANE_OF = {**dict.fromkeys(RECORD, Lane.SETTLE), **dict.fromkeys(NETWORK, Lane.NETWORK)}


def ask_for(session: Session, shop_id: int, kind: str, *, now: datetime, **more: Any) -> None:
    """Enqueue a kind in its own lane."""
    enqueue(session, shop_id, kind, lane=LANE_OF[kind], now=now, **more)

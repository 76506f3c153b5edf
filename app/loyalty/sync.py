"""What the storefront is painted from: one metafield a member, one for the program (DESIGN §4 Sync)."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from ..errors import Rejected
from ..jobs.queue import enqueue, wait_for_settling
from ..ledger import Balance, Lot
from ..models import Lane, Member, Shop
from ..program.explaining import rate_words
from ..program.palette import palette
from ..program.redeeming import cheapest
from ..program.rewards import Reward, reward_title
from ..program.settings import ProgramSettings
from ..shopify.client import AdminClient
from ..shopify.metafields import MEMBERS_A_CALL, define_member_metafield, set_member_metafields, set_program_metafield
from .access import Access
from .programs import timeline

SECONDS_A_JOB = 20.0


def sync_members(access: Access, shop_id: int) -> int:
    """Network verb: send dirty members' balances, 25 a call, and mark only the sequence that was sent.

    Whoever there is no time for is the next job's, so that a launch with ten thousand members lets other work through.
    """
    sent, until = 0, time.monotonic() + SECONDS_A_JOB
    while True:
        with access.db.reading() as session:
            batch = _dirty(session, shop_id, access.clock())
        if not batch:
            return sent
        if sent and time.monotonic() > until:
            with access.db.transaction() as session:
                enqueue(session, shop_id, "sync_members", lane=Lane.NETWORK, now=access.clock())
            return sent
        documents = {row["customer_id"]: row["document"] for row in batch}
        gone = _send(access, shop_id, documents)
        with access.db.transaction() as session:
            wait_for_settling(session, shop_id)
            session.connection().execute(
                update(Member.__table__)  # type: ignore[arg-type]
                .where(Member.shop_id == shop_id, Member.member_id == bindparam("member"))
                .values(synced_seq=bindparam("sequence")),
                [{"member": row["member_id"], "sequence": row["wanted_seq"]} for row in batch],
            )
        sent += len(batch) - len(gone)


def _send(access: Access, shop_id: int, documents: dict[int, dict[str, Any]]) -> list[int]:
    """The call is atomic: one customer that no longer exists would keep 24 others from their balance."""
    try:
        access.ask(shop_id, lambda client: set_member_metafields(client, documents))
        return []
    except Rejected as refusal:
        if len(documents) == 1:
            if not (refusal.field or "").endswith("ownerId"):
                raise  # not this customer's fault: it would be everybody's, and nobody would get a balance
            return list(documents)
    gone = []
    for customer_id, document in documents.items():
        gone += _send(access, shop_id, {customer_id: document})
    return gone


def _dirty(session: Session, shop_id: int, now: datetime) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Member.member_id, Member.customer_id, Member.wanted_seq, Balance)
        .join(Balance, (Balance.shop_id == Member.shop_id) & (Balance.member_id == Member.member_id))
        .where(
            Member.shop_id == shop_id,
            Member.wanted_seq > Member.synced_seq,
            Member.customer_id.is_not(None),
            Member.closed_at.is_(None),
            Member.merged_into.is_(None),
        )
        .limit(MEMBERS_A_CALL)
    ).all()
    soonest = next_maturing(session, shop_id, [row.member_id for row in rows])
    return [
        {
            "member_id": row.member_id,
            "customer_id": row.customer_id,
            "wanted_seq": row.Balance.seq,
            "document": member_document(row.Balance, soonest.get(row.member_id), now),
        }
        for row in rows
    ]


def next_maturing(session: Session, shop_id: int, member_ids: list[int]) -> dict[int, datetime]:
    """member → when the next of their pending points become available."""
    if not member_ids:
        return {}
    rows = session.execute(
        select(Lot.member_id, func.min(Lot.matures_at))
        .where(Lot.shop_id == shop_id, Lot.member_id.in_(member_ids), Lot.pending > 0)
        .group_by(Lot.member_id)
    )
    return {member_id: moment for member_id, moment in rows if moment is not None}


def member_document(balance: Balance, next_at: datetime | None, now: datetime) -> dict[str, Any]:
    """The ``$app:loyalty/member`` metafield's JSON."""
    return {
        "v": 1,
        "available": balance.available,
        "pending": balance.pending,
        "reserved": balance.reserved,
        "debt": balance.debt,
        "next_at": moment_text(next_at),
        "seq": balance.seq,
        "at": moment_text(now),
    }


def publish_program(access: Access, shop_id: int) -> None:
    """Network verb: write the program metafield as the program is now."""
    now = access.clock()
    with access.db.reading() as session:
        shop = session.get(Shop, shop_id)
        if shop is None or not shop.is_installed:
            return
        wanted, owner = shop.published_seq, shop.app_installation_id
        document = program_document(session, shop, now)
    access.ask(shop_id, lambda client: set_program_metafield(client, owner, document))
    with access.db.transaction() as session:
        session.execute(update(Shop).where(Shop.shop_id == shop_id, Shop.synced_seq < wanted).values(synced_seq=wanted))


def set_up_store(access: Access, shop_id: int) -> None:
    """Network verb, after install: the member metafield's definition, then the program's first copy."""
    access.ask(shop_id, _define)
    publish_program(access, shop_id)


def _define(client: AdminClient) -> None:
    define_member_metafield(client)


def program_document(session: Session, shop: Shop, now: datetime) -> dict[str, Any]:
    """The ``regulars/program`` metafield's JSON: what Liquid needs to paint launcher, panel and product block."""
    known = timeline(session, shop.shop_id)
    if not known.is_launched(now):
        return {"v": 1, "live": False}
    settings = known.in_force(now)
    assert settings is not None
    return {"v": 1, "live": True, "paused": known.is_paused(now), **describe(settings)}


def describe(settings: ProgramSettings) -> dict[str, Any]:
    """A program as the storefront reads it; the admin's preview renders the same."""
    earning, look = settings.earning, settings.look
    tokens = palette(look.accent)
    return {
        "name": settings.name,
        "currency": settings.currency,
        "earn": {
            "points": earning.points,
            "per_minor": earning.per_minor,
            "rounding": earning.rounding,
            "tax": earning.counts.tax,
            "shipping": earning.counts.shipping,
            "minimum_minor": earning.minimum_order_minor,
            "trigger": earning.trigger,
            "hold_days": earning.hold_days,
            "rate": rate_words(settings),
        },
        "exclude": {"products": list(earning.exclude.products), "vendors": list(earning.exclude.vendors)},
        "look": {
            "corner": look.corner,
            "launcher": look.launcher,
            "radius": look.radius,
            "offset": look.offset,
            "light": tokens["light"],
            "dark": tokens["dark"],
        },
        "rewards": [
            describe_reward(reward_id, reward, settings.currency)
            for reward_id, reward in settings.rewards_by_id.items()
        ],
    }


def describe_reward(reward_id: str, reward: Reward, currency: str) -> dict[str, Any]:
    """A reward as Liquid needs it to word it in the shopper's language; ``title`` is for where it cannot.

    Whatever changes with sales (stock, limits, what a member had) is asked of us, not published.
    """
    described = {
        "id": reward_id,
        "title": reward_title(reward, currency),
        "named": bool(reward.title),
        "points": cheapest(reward),
        "kind": reward.kind,
        "amount_minor": reward.amount_minor,
        "percent": reward.percent,
        "product": reward.product.title if reward.product else None,
        "minimum_minor": reward.minimum_for(reward.amounts()[0]),
        "only_products": bool(reward.only_products),
        "valid_days": reward.valid_days if reward.is_code else None,
        "combines": reward.combines.order or reward.combines.product,
        "steps": {"points": reward.points, "least": reward.steps.least, "most": reward.steps.most}
        if reward.steps
        else None,
        "starts_at": moment_text(reward.starts_at),
        "ends_at": moment_text(reward.ends_at),
    }
    return {key: value for key, value in described.items() if value not in (None, False)}


def moment_text(moment: datetime | None) -> str | None:
    """ "2026-11-21T20:12:00Z": UTC, whole seconds."""
    return None if moment is None else moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"

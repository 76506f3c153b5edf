"""What the storefront's panel is told: ``GET /proxy/shopper`` (DESIGN §8)."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy.orm import Session

from ...ledger import Balance
from ...models import Shop
from ...program.explaining import REWARD_KINDS, rate_words, reason_for_shopper
from ...program.explaining_rewards import shopper_reason, shopper_title
from ..members import members_of
from ..programs import Timeline, timeline
from ..sync import moment_text, next_maturing
from .history import Cursor, HistoryLine, history
from .redemptions import held_redemptions, offered_rewards


def shopper(
    session: Session, shop_id: int, customer_id: int | None, *, cursor: str | None, now: datetime
) -> dict[str, Any]:
    """The panel's JSON for a customer, or for a visitor (None). Somebody we never heard of is a member with zeros."""
    shop = session.get_one(Shop, shop_id)
    known = timeline(session, shop_id)
    answer: dict[str, Any] = {
        "program": _program(known, now),
        "member": None,
        "rewards": [],
        "redemptions": [],
        "ways_to_earn": _ways_to_earn(known, now),
        "history": [],
        "history_next": None,
    }
    settings = known.in_force(now)
    member_id = members_of(session, shop_id, [customer_id]).get(customer_id) if customer_id is not None else None
    balance = session.get(Balance, (shop_id, member_id)) if member_id is not None else None
    if settings is not None:
        answer["rewards"] = offered_rewards(
            session,
            shop_id,
            settings,
            member_id=None if customer_id is None else member_id or 0,
            available=balance.available if balance else 0,
            paused=known.is_paused(now),
            now=now,
            zone=shop.zone,
        )
    if customer_id is None:
        return answer
    soonest = next_maturing(session, shop_id, [member_id]) if member_id is not None else {}
    answer["member"] = {
        "available": balance.available if balance else 0,
        "pending": balance.pending if balance else 0,
        "reserved": balance.reserved if balance else 0,
        "debt": balance.debt if balance else 0,
        "next_at": moment_text(soonest.get(member_id or 0)),
        "tier": None,
        "referral": None,
    }
    if member_id is not None:
        lines, following = history(session, shop_id, member_id, cursor=Cursor.parse(cursor))
        zone = shop.zone
        answer["history"] = [_line(line, zone, now) for line in lines]
        answer["history_next"] = str(following) if following else None
        answer["redemptions"] = held_redemptions(session, shop_id, member_id)
    return answer


def _program(known: Timeline, now: datetime) -> dict[str, Any] | None:
    settings = known.in_force(now)
    if settings is None:
        return None
    return {"name": settings.name, "live": True, "paused": known.is_paused(now)}


def _ways_to_earn(known: Timeline, now: datetime) -> list[dict[str, str]]:
    settings = known.in_force(now)
    if settings is None or known.is_paused(now):
        return []
    return [{"id": "order", "title": "Place an order", "points": rate_words(settings)}]


def _line(line: HistoryLine, zone: tzinfo, now: datetime) -> dict[str, Any]:
    today = now.astimezone(zone).date()
    told = {"at": moment_text(line.at), "points": line.points, "kind": line.kind, "title": title(line)}
    if line.kind in REWARD_KINDS:
        reason = shopper_reason(line.kind, line.reward, line.points, zone=zone, today=today)
        return {**told, "reason": reason, "redemption_id": _with_a_code(line)}
    reason = reason_for_shopper(line.kind, line.decision, line.previous, zone=zone, today=today, note=line.note)
    return {**told, "reason": reason}


def _with_a_code(line: HistoryLine) -> str | None:
    """Which redemption's code can be shown from here: codes are kept in the history, in case the device changes."""
    held = line.reward is not None and (
        line.reward.state == "issued" or (line.reward.state == "used" and line.reward.kind == "gift_card")
    )
    return line.redemption_id if line.kind == "reserved" and held else None


def title(line: HistoryLine) -> str:
    """ "Order #1001", "Refund on order #1001": what a line of history is called, to shoppers and staff alike."""
    if line.kind in REWARD_KINDS:
        return shopper_title(line.kind, line.reward)
    if line.kind == "adjusted":
        return "Correction"
    if line.kind == "merged":
        return "Accounts joined"
    order = f"order {line.order_name}".rstrip() if line.order_name else "an earlier order"
    if line.kind == "taken_back":
        cancelled = line.decision is not None and line.decision.reason == "cancelled"
        return (
            f"Cancelled {order}" if cancelled else f"Change to {order}" if not _refunded(line) else f"Refund on {order}"
        )
    return order[0].upper() + order[1:]


def _refunded(line: HistoryLine) -> bool:
    if line.decision is None:
        return False
    before = {item.line_id: item.returned for item in line.previous.lines} if line.previous else {}
    came_back = any(item.returned > before.get(item.line_id, 0) for item in line.decision.lines)
    return came_back or any(cut.why == "paid_back" for cut in line.decision.reductions)

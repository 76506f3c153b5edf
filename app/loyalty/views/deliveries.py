"""Deliveries and jobs that wait for somebody to look: what they are, why they could not be worked, what was in them.

A body is somebody's data. It is shown with names, addresses and phone numbers masked, and without anything that opens
a door (keys in links, tokens); the HMAC it came with is never stored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...models import Delivery, DeliveryState, Job, JobState
from ..inbox import body_of

MOST_SHOWN = 100
LONGEST_BODY = 20_000  # characters; enough to see what is wrong with it
DEEPEST = 40
MASK = "•••"

# Objects that describe a person: every text in them is masked.
_PEOPLE = {"customer", "billing_address", "shipping_address", "default_address", "addresses", "client_details"}
_PERSONAL = re.compile(
    r"(^|_)(e?mail|phone|first_name|last_name|full_name|address\d?|company|zip|city|province|latitude|longitude"
    r"|note|note_attributes|browser_ip|ip|user_agent|vat|tax_exemptions)($|_)|contact_email",
    re.ASCII,
)
_OPENS_DOORS = re.compile(r"token|secret|hmac|signature|password|api_key|session|(^|_)key$", re.ASCII)
_ADDRESS = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+")
_PHONE = re.compile(r"(?<![\w./:-])\+?\d[\d ()/-]{6,}\d(?![\w:-])")
_LINK = re.compile(r"https?://\S+")
_TOKEN = re.compile(r"(?<=/)(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[\w-]{10,}(?![^/])")


@dataclass(frozen=True, slots=True)
class ParkedDelivery:
    key: str  # hexadecimal
    topic: str
    reason: str
    tries: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ParkedJob:
    job_id: str
    title: str
    reason: str
    tries: int


@dataclass(frozen=True, slots=True)
class Parked:
    deliveries: list[ParkedDelivery]
    deliveries_in_all: int
    topics: list[str]  # that have parked deliveries
    jobs: list[ParkedJob]


_JOBS = {
    "sync_members": "Send balances to the storefront",
    "publish_program": "Send the program to the storefront",
    "set_up_store": "Set up the store",
    "reconcile": "Compare orders with Shopify",
    "confirm_customers": "Ask Shopify about new customers",
    "fetch_order": "Ask Shopify for an order",
    "refresh_shop": "Read the shop's details",
    "keep_alive": "Renew access to Shopify",
    "resettle": "Settle orders again",
    "forget_old": "Forget old deliveries",
}


def parked(session: Session, shop_id: int, *, topic: str | None = None) -> Parked:
    """What is parked at a shop, the newest first, at most ``MOST_SHOWN`` deliveries; ``topic`` filters."""
    mine = (Delivery.shop_id == shop_id, Delivery.state == DeliveryState.PARKED)
    counted = select(Delivery.topic, func.count()).where(*mine).group_by(Delivery.topic).order_by(Delivery.topic)
    by_topic = {row[0]: row[1] for row in session.execute(counted)}
    wanted = (*mine, Delivery.topic == topic) if topic else mine
    rows = session.scalars(select(Delivery).where(*wanted).order_by(Delivery.received_at.desc()).limit(MOST_SHOWN))
    return Parked(
        deliveries=[
            ParkedDelivery(row.key.hex(), row.topic, row.outcome, row.tries, row.received_at) for row in rows
        ],
        deliveries_in_all=by_topic.get(topic, 0) if topic else sum(by_topic.values()),
        topics=list(by_topic),
        jobs=parked_jobs(session, shop_id),
    )  # fmt: skip


def parked_body(session: Session, shop_id: int, key: str) -> str | None:
    """What a parked delivery said, masked; None for one that is not here any more, or is another shop's."""
    row = session.get(Delivery, (shop_id, delivery_key(key)))
    if row is None or row.state is not DeliveryState.PARKED:
        return None
    return masked(body_of(row))


def delivery_key(text: str) -> bytes:
    """A delivery's key as a page names it; what is none gives a key that no delivery has."""
    try:
        return bytes.fromhex(text) if len(text) == 64 else b""
    except ValueError:
        return b""


def parked_jobs(session: Session, shop_id: int) -> list[ParkedJob]:
    rows = session.scalars(
        select(Job).where(Job.shop_id == shop_id, Job.state == JobState.PARKED).order_by(Job.due_at.desc()).limit(50)
    )
    return [
        ParkedJob(row.job_id, _JOBS.get(row.kind, row.kind.replace("_", " ").capitalize()), row.outcome, row.tries)
        for row in rows
    ]


def oldest_parked(session: Session, shop_id: int) -> tuple[int, str]:
    """(how many deliveries are parked, why the newest of them is), for the home page."""
    mine = (Delivery.shop_id == shop_id, Delivery.state == DeliveryState.PARKED)
    number = session.scalar(select(func.count()).where(*mine).select_from(Delivery)) or 0
    reason = session.scalar(select(Delivery.outcome).where(*mine).order_by(Delivery.received_at.desc()).limit(1))
    return number, reason or ""


def masked(body: bytes) -> str:
    """The body as indented JSON without anything that says who somebody is. What is no JSON is not shown."""
    try:
        content = orjson.loads(body)
    except ValueError:
        return f"Not JSON: {len(body):,} bytes."
    people: set[str] = set()
    _collect(content, people, inside_person=False, depth=0)
    text = orjson.dumps(_mask(content, people, inside_person=False, depth=0), option=orjson.OPT_INDENT_2).decode()
    return text if len(text) <= LONGEST_BODY else f"{text[:LONGEST_BODY]}\n… and {len(text) - LONGEST_BODY:,} more"


def _collect(value: Any, people: set[str], *, inside_person: bool, depth: int) -> None:
    """The texts that name somebody: they are masked wherever else they stand."""
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for name, part in value.items():
            person = inside_person or name in _PEOPLE or bool(_PERSONAL.search(name))
            _collect(part, people, inside_person=person, depth=depth + 1)
    elif isinstance(value, list):
        for part in value:
            _collect(part, people, inside_person=inside_person, depth=depth + 1)
    elif inside_person and isinstance(value, str) and len(value.strip()) > 2 and not _is_plain(value):
        people.add(value.strip().casefold())


def _mask(value: Any, people: set[str], *, inside_person: bool, depth: int) -> Any:
    if depth > DEEPEST:
        return MASK
    if isinstance(value, dict):
        return {
            _mask_text(name, people): MASK
            if isinstance(part, str | int) and _OPENS_DOORS.search(name)
            else _mask(
                part,
                people,
                inside_person=inside_person or name in _PEOPLE or bool(_PERSONAL.search(name)),
                depth=depth + 1,
            )
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_mask(part, people, inside_person=inside_person, depth=depth + 1) for part in value]
    if not isinstance(value, str):
        return value
    if inside_person:
        return value if _is_plain(value) else MASK
    return _mask_text(value, people)


def _mask_text(text: str, people: set[str]) -> str:
    # An order's status page opens for whoever has its address: neither the key nor the order's token is shown.
    text = _LINK.sub(lambda link: _TOKEN.sub(MASK, link[0].partition("?")[0]), text)
    text = _PHONE.sub(MASK, _ADDRESS.sub(MASK, text))
    folded = text.casefold()
    return MASK if any(name in folded for name in people) else text


_PLAIN = re.compile(
    r"gid://shopify/\w+/\d+|\d{4}-\d\d-\d\dT[\d:.+Z-]+|[A-Z]{2,3}|\w+_\w+|enabled|disabled|invited", re.ASCII
)


def _is_plain(text: str) -> bool:
    """Ids, dates, codes and states say nothing about anybody, and are what one looks for in a body."""
    return not text or bool(_PLAIN.fullmatch(text))

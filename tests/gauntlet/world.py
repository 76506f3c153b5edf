"""Three shops in one database whose ids collide wherever they can, each full of texts that name it.

A and B have the app, C uninstalled it. Order, customer, member, refund, request, version and delivery ids are the same
numbers in all three; B has some more of each, so that there are ids only B knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from sqlalchemy import select, text, update

from app.db import Database
from app.jobs.queue import enqueue
from app.loyalty import members
from app.loyalty.adjust import adjust
from app.loyalty.programs import publish, save_draft
from app.loyalty.redeem import Wanted, redeem
from app.models import Delivery, DeliveryState, Job, JobState, Lane, Member, Shop
from app.program.presets import preset
from app.program.rewards import Reward, reward_id

from ..conftest import DOMAIN, NOW, SHOP_ID, Clock
from ..support import LAUNCHED, add_shop, deliver, drain, order_body, refund_body


@dataclass(frozen=True, slots=True)
class Somewhere:
    """One of the shops. ``canary`` is in every text of its own."""

    letter: str
    shop_id: int
    domain: str

    @property
    def canary(self) -> str:
        return f"canary-of-{self.letter}"


A = Somewhere("a", SHOP_ID, DOMAIN)
B = Somewhere("b", 91740864813, "tidewater.myshopify.com")
C = Somewhere("c", 91740864814, "driftwood.myshopify.com")
SHOPS = (A, B, C)

NORA, OTTO, ONLY_B = 7001, 7002, 7003  # customers
MEMBER_NORA, MEMBER_OTTO, MEMBER_ONLY_B = 101, 102, 103
ORDER, GUEST_ORDER, ORDER_ONLY_B = 5731, 5732, 5739
REQUEST, REQUEST_ONLY_B = 9001, 9002
JOB, JOB_ONLY_B = "aaaa000000000001", "aaaa000000000002"
VERSION_ONLY_B = 3
REDEMPTION, REDEMPTION_ONLY_B = "AAAAredemption01", "AAAAredemption02"
TEA, SLOT_ONLY_B = "tea", "onlyb"  # rewards' slots
NOBODYS = 999_999  # an id no shop has


def build(db: Database, clock: Clock) -> None:
    """Fill the shops. Leaves the clock a minute on, and everything settled."""
    for shop in SHOPS:
        with patch.object(members, "new_member_id", iter((101, 102, 103, 104)).__next__):
            _fill(db, clock, shop)
    with db.transaction() as session:
        session.get_one(Shop, C.shop_id).uninstalled_at = NOW
        session.execute(text("DELETE FROM shop_tokens WHERE shop_id = :id"), {"id": C.shop_id})
    clock.advance(minutes=1)


def _fill(db: Database, clock: Clock, shop: Somewhere) -> None:
    add_shop(db, shop_id=shop.shop_id, domain=shop.domain)
    with db.transaction() as session:
        row = session.get_one(Shop, shop.shop_id)
        row.name = f"Shop {shop.canary}"
        row.opened_at = NOW + timedelta(hours=1)  # seen lately: looking at a page need not note it
        for number in range(2, 3 + (shop is B)):
            rewards = _rewards(shop)[: 3 if number == 3 else 2]
            named = {"name": f"Club {shop.canary} {number}", "rewards": rewards}
            settings = preset("starter", "EUR").model_copy(update=named)
            publish(session, row, settings, author=f"staff of {shop.canary}", now=LAUNCHED + timedelta(days=number))
        draft = preset("starter-double", "EUR").model_copy(update={"name": f"Draft {shop.canary}"})
        save_draft(session, row, draft, author=f"staff of {shop.canary}", now=NOW)

    def order(order_id: int, customer_id: int | None, **more: Any) -> None:
        body = order_body(order_id, customer_id=customer_id, shop_id=shop.shop_id, domain=shop.domain,
                          name=f"#{shop.canary}-{order_id}", **more)  # fmt: skip
        for line in body["line_items"]:
            line["title"], line["vendor"] = f"Mug {shop.canary}", f"Vendor {shop.canary}"
        deliver(db, "orders/paid", body, domain=shop.domain, webhook_id=f"w-{order_id}")

    order(ORDER, NORA, lines=[("28.00", 3)])
    order(5733, OTTO, lines=[("10.00", 1)])
    order(5734, NORA, test=True)
    order(GUEST_ORDER, None, email="guest@example.com")
    if shop is B:
        order(ORDER_ONLY_B, ONLY_B)
    deliver(db, "refunds/create", refund_body(81, ORDER, units={1: 1}), domain=shop.domain, webhook_id="w-81")
    poison = {"id": 5740, "line_items": f"poison {shop.canary}"}
    deliver(db, "orders/paid", poison, domain=shop.domain, webhook_id="w-5740")
    for request_id in (REQUEST, REQUEST_ONLY_B) if shop is B else (REQUEST,):
        deliver(db, "customers/data_request", {
            "shop_id": shop.shop_id, "shop_domain": shop.domain, "customer": {"id": NORA, "email": "nora@example.com"},
            "orders_requested": [ORDER], "data_request": {"id": request_id},
        }, domain=shop.domain, webhook_id=f"r-{request_id}")  # fmt: skip
    drain(db, clock)
    with db.transaction() as session:
        for member in session.scalars(select(Member).where(Member.shop_id == shop.shop_id)):
            adjust(session, shop.shop_id, member.member_id, points=7, reason=f"Because {shop.canary}", key="admin:same"
                   if member.member_id == MEMBER_NORA else f"admin:{member.member_id}", author=f"staff {shop.canary}",
                   now=NOW)  # fmt: skip
        _park_jobs(session, shop)
    for number, redemption_id in enumerate((REDEMPTION, REDEMPTION_ONLY_B) if shop is B else (REDEMPTION,)):
        with patch("app.loyalty.redeem.secrets.token_urlsafe", return_value=redemption_id), db.transaction() as session:
            wanted = Wanted(reward_id(_rewards(shop)[1], "EUR"), f"key {number}")
            row = session.get_one(Shop, shop.shop_id)
            redeem(session, row, MEMBER_NORA, wanted, now=clock.now)


def _rewards(shop: Somewhere) -> tuple[Reward, ...]:
    """The starter's, one that is named after the shop, and one that only B gets."""
    tea = Reward(slot=TEA, kind="amount_off", points=5, amount_minor=100, title=f"Tea {shop.canary}")
    return (*preset("starter", "EUR").rewards, tea, tea.model_copy(update={"slot": SLOT_ONLY_B}))


def _park_jobs(session: Any, shop: Somewhere) -> None:
    for number, job_id in enumerate((JOB, JOB_ONLY_B) if shop is B else (JOB,)):
        enqueue(session, shop.shop_id, "fetch_order", lane=Lane.NETWORK, now=NOW, subject=f"parked-{number}",
                arguments={"order_id": 5740 + number})  # fmt: skip
        session.execute(
            update(Job)
            .where(Job.shop_id == shop.shop_id, Job.subject == f"parked-{number}")
            .values(job_id=job_id, state=JobState.PARKED, outcome=f"Trouble {shop.canary}")
        )


def parked_key(db: Database, shop: Somewhere) -> str:
    """The shop's parked delivery, as pages name it."""
    with db.reading() as session:
        key = session.scalars(
            select(Delivery.key).where(Delivery.shop_id == shop.shop_id, Delivery.state == DeliveryState.PARKED)
        ).one()
    return bytes(key).hex()

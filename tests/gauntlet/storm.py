"""A storm over rewards: shops at a dev store that misbehaves, worker processes that are killed, and what is left of it.

`Storm` redeems and cancels as shoppers do while all that goes on, and then compares our tables with what the dev store
really holds. Waits are passed by moving the clock both programs live on, whenever there is nothing to do until then.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from app.db import Database
from app.ledger import Balance, adjust
from app.loyalty.members import members_of
from app.loyalty.redeem import Redeemed, Wanted, redeem_for_customer
from app.loyalty.release import cancel
from app.models import Code, CodeState, Member, Redemption, RedemptionState
from app.program.rewards import Reward, Steps

from ..conftest import API_KEY, API_SECRET, ENCRYPTION_KEY, SECRET_KEY
from ..integration.rewarding import OPTIONAL, codes_of, id_of, offer
from ..integration.stores import eventually
from ..integration.worlds import Shop, World

ROOT = Path(__file__).parents[2]
POINTS = 10_000
OFF = Reward(slot="off", kind="amount_off", points=100, amount_minor=500)
SLIDER = Reward(slot="slide", kind="amount_off", points=10, amount_minor=100, steps=Steps(least=1, most=5))
CARD = Reward(slot="card", kind="gift_card", points=200, amount_minor=1000)
CREDIT = Reward(slot="credit", kind="store_credit", points=100, amount_minor=700)
# Half of what shoppers want is codes of one pool; a tenth each are two prices of a slider.
WANTED = [(OFF, None)] * 5 + [(SLIDER, 10), (SLIDER, 40)] + [(CARD, None)] * 2 + [(CREDIT, None)]
OPEN = (RedemptionState.RESERVED, RedemptionState.RELEASING)


@dataclass
class Storm:
    world: World
    random: random.Random
    shops: list[Shop] = field(default_factory=list)
    customers: dict[str, list[int]] = field(default_factory=dict)  # by shop, each with POINTS
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    killed: int = 0
    asked: int = 0

    @property
    def db(self) -> Database:
        return self.world.app.db

    def now(self) -> float:
        return self.world.app.clock().timestamp()

    # --- before it -------------------------------------------------------------------------------------------------

    def open_shops(self, count: int, customers: int) -> None:
        """Shops with a pool each, and members who can afford anything."""
        for _ in range(count):
            shop = self.world.shop(launched=False)
            shop.do("grant_optional", scopes=OPTIONAL)
            offer(shop, OFF, SLIDER, CARD, CREDIT)
            ids = [shop.do("customers", email=f"storm{number}@example.com")["id"] for number in range(customers)]
            eventually(lambda: len(self._members(shop, ids)) == customers, "all of them are members")  # noqa: B023
            with self.db.transaction() as session:
                for member_id in self._members(shop, ids):
                    adjust(
                        session, shop_id=shop.id, member_id=member_id, key=f"{member_id}", points=POINTS,
                        now=self.world.app.clock(),
                    )  # fmt: skip
            self.shops.append(shop)
            self.customers[shop.domain] = ids

    def _members(self, shop: Shop, customer_ids: list[int]) -> list[int]:
        with self.db.reading() as session:
            return list(members_of(session, shop.id, customer_ids).values())

    # --- worker processes ------------------------------------------------------------------------------------------

    def start_worker(self) -> None:
        environment = {
            **os.environ,
            "SHOPIFY_API_KEY": API_KEY,
            "SHOPIFY_API_SECRET": API_SECRET,
            "SECRET_KEY": SECRET_KEY,
            "ENCRYPTION_KEYS": ENCRYPTION_KEY,
            "APP_URL": self.world.app.url,
            "SHOPIFY_ORIGIN": self.world.store.origin,
            "CLOCK_OFFSET_FILE": str(self.world.store.clock_offset_file),
            "DATABASE_URL": self.db.url.render_as_string(hide_password=False),
        }
        command = [sys.executable, "-m", "flask", "--app", "app", "work"]
        self.workers.append(subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL))

    def kill_worker(self) -> None:
        """With -9, whatever it is in the middle of; another one starts."""
        worker = self.workers.pop(0)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        self.killed += 1
        self.start_worker()

    def stop_workers(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(30)

    # --- in it -----------------------------------------------------------------------------------------------------

    def redeem(self, count: int) -> None:
        """So many redemptions, by anybody, of anything; credit once a customer, since two cannot be told apart."""
        for _ in range(count):
            shop = self.random.choice(self.shops)
            reward, points = self.random.choice(WANTED)
            buyers = self.customers[shop.domain]
            customer = buyers[self.asked % len(buyers)]
            if reward is CREDIT and self.asked >= len(buyers) * len(self.shops):
                reward, points = OFF, None
            self.asked += 1
            done = redeem_for_customer(
                self.db, shop.domain, customer, Wanted(id_of(reward), f"storm {self.asked}", points),
                now=self.world.app.clock(),
            )  # fmt: skip
            assert isinstance(done, Redeemed)

    def cancel_some(self, share: float) -> None:
        with self.db.reading() as session:
            out = session.execute(
                select(Redemption.shop_id, Redemption.redemption_id, Redemption.member_id).where(
                    Redemption.state == RedemptionState.ISSUED
                )
            ).all()
        for row in out:
            if self.random.random() < share:
                with self.db.transaction() as session:
                    cancel(
                        session, row.shop_id, row.redemption_id, member_id=row.member_id, by="shopper",
                        why="cancelled", now=self.world.app.clock(),
                    )  # fmt: skip

    def open_count(self) -> int:
        with self.db.reading() as session:
            return session.scalar(select(func.count()).where(Redemption.state.in_(OPEN))) or 0

    def pass_time(self) -> None:
        """A moment. When Shopify was asked nothing in it, everything waits: then the clock moves, for both programs."""
        before = self._calls()
        time.sleep(0.4)
        if self._calls() == before:
            self.world.store.move_clock(seconds=4)

    def _calls(self) -> int:
        return sum(self.world.store.get("api/faults")["calls"].values())

    # --- after it --------------------------------------------------------------------------------------------------

    def wrongs(self) -> list[str]:
        """Whatever is not exactly one of: one code, card or credit at Shopify; or the points back."""
        return [wrong for shop in self.shops for wrong in self._wrongs_of(shop)]

    def _wrongs_of(self, shop: Shop) -> Iterator[str]:
        with self.db.reading() as session:
            rows = session.scalars(select(Redemption).where(Redemption.shop_id == shop.id)).all()
            pool = set(session.scalars(select(Code.code).where(Code.shop_id == shop.id, Code.state == CodeState.FREE)))
            balances = {
                row.customer_id: (row.available, row.reserved, row.debt)
                for row in session.execute(
                    select(Member.customer_id, Balance.available, Balance.reserved, Balance.debt)
                    .join(Balance, (Balance.shop_id == Member.shop_id) & (Balance.member_id == Member.member_id))
                    .where(Member.shop_id == shop.id)
                )
            }
            member_of = {
                row.member_id: row.customer_id
                for row in session.execute(
                    select(Member.member_id, Member.customer_id).where(Member.shop_id == shop.id)
                )
            }
        yield from (f"{row.redemption_id} is {row.state}: {row.problem}" for row in rows if row.state in OPEN)
        # Codes: what is there is in a pool, or with exactly one redemption.
        out = Counter(row.code for row in rows if row.state is RedemptionState.ISSUED)
        yield from (f"{code} is with {times} redemptions" for code, times in out.items() if times > 1)
        ours = [found for found in shop.store.get(f"shops/{shop.domain}/discounts") if "regulars" in found["tags"]]
        keys = Counter(tag for found in ours for tag in found["tags"] if tag != "regulars")
        yield from (f"{times} discounts {key}" for key, times in keys.items() if times > 1)
        there = {code for discount in ours for code in codes_of(shop, discount)}
        yield from (f"{code} is an orphan" for code in there - pool - out.keys())
        yield from (f"{code} was handed out and is not there" for code in out.keys() - there)
        yield from (f"{code} is in the pool and not there" for code in pool - there)
        # Cards, by the note that says whose they are.
        cards = Counter(
            card["note"]
            for card in shop.store.get(f"shops/{shop.domain}/gift_cards")
            if card["note"].startswith("Regulars")
        )
        handed_out = {
            f"Regulars {row.redemption_id}"
            for row in rows
            if row.state is RedemptionState.USED and row.slot == CARD.slot
        }
        yield from (f"{times} cards of {note}" for note, times in cards.items() if times > 1)
        yield from (f"{note}: a card nobody paid for" for note in cards.keys() - handed_out)
        yield from (f"{note}: paid and no card" for note in handed_out - cards.keys())
        # Credit, by customer.
        given = Counter(
            {
                account["customer_id"]: account["balance_minor"]
                for account in shop.store.get(f"shops/{shop.domain}/store_credit")
            }
        )
        due = Counter(
            member_of[row.member_id] for row in rows if row.state is RedemptionState.USED and row.slot == CREDIT.slot
        )
        yield from (
            f"customer {customer} has {given[customer]} of credit and paid for {due[customer]}"
            for customer in given.keys() | due.keys()
            if given[customer] != due[customer] * (CREDIT.amount_minor or 0)
        )
        # Points: charged for what was had, and for nothing else.
        spent: Counter[int | None] = Counter()
        for row in rows:
            if row.state is not RedemptionState.RELEASED:
                spent[member_of[row.member_id]] += row.points
        held = Counter({member_of[row.member_id]: 0 for row in rows})
        for row in rows:
            if row.state is RedemptionState.ISSUED:
                held[member_of[row.member_id]] += row.points
        for customer in self.customers[shop.domain]:
            if balances[customer] != (POINTS - spent[customer], held[customer], 0):
                yield f"customer {customer} has {balances[customer]} after spending {spent[customer]}"


@contextmanager
def storm(world: World, random: random.Random, *, shops: int, customers: int, workers: int) -> Iterator[Storm]:
    """Shops made on a good day; then that many worker processes in place of the world's own."""
    made = Storm(world, random)
    made.open_shops(shops, customers)
    world.app.worker.stop()
    try:
        for _ in range(workers):
            made.start_worker()
        yield made
    finally:
        made.stop_workers()

"""G14: thousands of attackers try to have a reward twice, or for nothing.

Each has two accounts and a plan made up as it goes: order, redeem, use the code from the other account, return half,
return all but the free product, cancel the order, cancel the reward, let it expire, use it all the same, have staff
replace it, have the accounts merged, send old webhooks again. After every round each account holds what the oracle
says, and nobody has more than they earned.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, update

from app.db import Database, Direct, insert_rows
from app.errors import LoyaltyError
from app.jobs.queue import claim
from app.jobs.worker import Worker
from app.ledger import Balance
from app.loyalty import inbox
from app.loyalty.audit import audit_shop
from app.loyalty.equip import discount_key, want_discount
from app.loyalty.make_codes import new_code
from app.loyalty.redeem import Wanted, redeem
from app.loyalty.release import cancel, finish_releases, reissue, staff_gives_back
from app.models import Code, CodeState, Lane, Member, Redemption, RedemptionState, Shop
from app.program.presets import preset
from app.program.redeeming import month_of_issue
from app.program.rewards import Reward as Offered
from app.program.rewards import reward_id

from ..conftest import DOMAIN, NOW, SHOP_ID, Clock
from ..support import access_for, add_shop, merge_body, money_set, order_body, refund_body
from .spending_oracle import FOR_FIRST_LINE, Accounts, Line, Order, Reward, Terms

MANY = 5 if os.environ.get("GAUNTLET") == "b" else 1
ATTACKERS = {"sqlite": 4000 * MANY, "postgresql": 1000 * MANY}
ROUNDS = 7
FIRST_CUSTOMER, FIRST_ORDER = 7_000_000, 600_000_000
# order_body's first line is of this product and variant.
PRODUCT, VARIANT = 901, 801

TERMS = {
    "off": Terms("off", points=50, cents=500),
    "whole": Terms("whole", points=40, cents=400, give_back="whole"),
    "mugs": Terms("mugs", points=60, cents=600, what=FOR_FIRST_LINE),
    "free": Terms("free", points=100, cents=1000, what=FOR_FIRST_LINE),
}
OFFERED = {
    "off": Offered(slot="off", kind="amount_off", points=50, amount_minor=500),
    "whole": Offered(slot="whole", kind="amount_off", points=40, amount_minor=400, give_back="whole"),
    "mugs": Offered(slot="mugs", kind="amount_off", points=60, amount_minor=600, only_products=(PRODUCT,)),
    "free": Offered.model_validate({
        "slot": "free", "kind": "free_product", "points": 100,
        "product": {"product_id": PRODUCT, "variant_id": VARIANT, "title": "Mug 1", "price_minor": 1000},
    }),
}  # fmt: skip
IDS = {slot: reward_id(offered, "EUR") for slot, offered in OFFERED.items()}


@dataclass
class Attacker:
    """Two accounts, a plan, and what both should come to."""

    number: int
    random: Random
    accounts: Accounts = field(default_factory=Accounts)
    refunds: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)  # key → the redemption it made

    @property
    def customers(self) -> tuple[int, int]:
        return FIRST_CUSTOMER + 2 * self.number, FIRST_CUSTOMER + 2 * self.number + 1

    # --- what only Shopify sees -------------------------------------------------------------------------------------

    def webhooks(self, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        """This round's move, as Shopify tells of it."""
        orders = self.accounts.orders
        moves = [self._order] * 4 + (
            [self._return, self._cancel, self._edit, self._settle, self._again] if orders else []
        )
        for topic, body in self.random.choice(moves)(now):
            self.told.append((topic, body))
            yield topic, body

    def _order(self, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        random, number = self.random, FIRST_ORDER + self.number * 100 + len(self.accounts.orders)
        lines = [Line(random.choice((1000, 2800, 12_000)), random.randint(1, 3)) for _ in range(random.randint(1, 3))]
        # Shopify takes a code once; who uses it does not matter to it, nor, late enough, that it was deleted.
        shown = {order.code for order in self.accounts.orders}
        usable = [
            (reward, code) for reward in self.accounts.rewards for code in reward.codes if not shown & {*reward.codes}
        ]
        code = None
        if usable and random.random() < 0.7:
            reward, code = random.choice(usable)
            _take_off(lines, reward.terms)
        status = random.choice(("paid", "paid", "paid", "pending"))
        customer = random.choice(self.customers)
        order = Order(number, customer, now, lines, code, status)
        self.accounts.orders.append(order)
        yield "orders/create", self._body(order, now)

    def _return(self, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        order = self.random.choice(self.accounts.orders)
        if order.cancelled or order.status != "paid":
            return
        units = {
            place: self.random.randint(1, line.units - line.gone)
            for place, line in enumerate(order.lines, start=1)
            if line.gone < line.units and self.random.random() < 0.6
        }
        money = self.random.choice((0, 0, 0, 300))
        if not units and not money:
            return
        for place, count in units.items():
            order.lines[place - 1].gone += count
        order.paid_back += money
        known = self.refunds.setdefault(order.number, [])
        refund = refund_body(
            order.number * 10 + len(known), order.number, units=units, created_at=now,
            adjustments=[f"-{money / 100:.2f}"] if money else [],
        )  # fmt: skip
        known.append(refund)
        told = [("refunds/create", refund), ("orders/updated", self._body(order, now))]
        yield from self.random.choice((told, told[::-1], told[:1], told[1:]))

    def _cancel(self, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        order = self.random.choice(self.accounts.orders)
        if not order.cancelled:
            order.cancelled = True
            yield "orders/cancelled", self._body(order, now, cancelled_at=now)

    def _edit(self, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        """Staff take a unit off the order."""
        order = self.random.choice(self.accounts.orders)
        left = [line for line in order.lines if line.gone < line.units]
        if order.cancelled or not left:
            return
        line = self.random.choice(left)
        line.gone += 1
        order.removed += line.worth // line.units
        yield "orders/updated", self._body(order, now)

    def _settle(self, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        """A pending order is paid, or never will be; a paid one is disputed, which changes nothing by itself."""
        order = self.random.choice(self.accounts.orders)
        if order.status == "pending":
            order.status = self.random.choice(("paid", "voided"))
            yield "orders/updated", self._body(order, now)
        else:
            dispute = {"id": order.number, "order_id": order.number, "type": "chargeback", "status": "needs_response"}
            yield self.random.choice(("disputes/create", "disputes/update")), dispute

    def _again(self, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        """Old webhooks, under new names; or the accounts become one."""
        first, second = self.customers
        both = {order.customer for order in self.accounts.orders} == {first, second}
        if both and not self.accounts.merged and self.random.random() < 0.4:
            self.accounts.merged[second] = first
            yield "customers/merge", merge_body(kept_id=first, deleted_id=second)
        elif self.told:
            yield from self.random.sample(self.told, min(3, len(self.told)))

    def _body(self, order: Order, now: datetime, **more: Any) -> dict[str, Any]:
        removed = {place: line.gone for place, line in enumerate(order.lines, start=1) if line.gone}
        refunds = self.refunds.get(order.number, [])
        for refund in refunds:
            for item in refund["refund_line_items"]:
                place = item["line_item_id"] - order.number * 100
                removed[place] = removed.get(place, 0) - item["quantity"]
        body = order_body(
            order.number, customer_id=order.customer, email=f"{order.customer}@example.com", removed=removed,
            lines=[(f"{line.price / 100:.2f}", line.units) for line in order.lines], refunds=refunds,
            created_at=order.placed_at, updated_at=now, status=order.status,
            codes=[(order.code, "0.00")] if order.code else [], **more,
        )  # fmt: skip
        for item, line in zip(body["line_items"], order.lines, strict=True):
            amount = f"{line.discount / 100:.2f}"
            item["discount_allocations"] = [
                {"amount": amount, "amount_set": money_set(amount, "EUR"), "discount_application_index": 0}
            ] if line.discount else []  # fmt: skip
        return body


def _take_off(lines: list[Line], terms: Terms) -> None:
    """As Shopify shares it out: over the lines it is for, by what they cost, to the cent."""
    if terms.slot == "free":
        lines[0].price = terms.cents
    theirs = lines[:1] if terms.what == FOR_FIRST_LINE else lines
    worth, left = sum(line.price * line.units for line in theirs), terms.cents
    for line in theirs:
        line.discount = min(left, terms.cents * line.price * line.units // worth)
    for line in theirs:
        line.discount += (rest := min(terms.cents - sum(each.discount for each in theirs), 1))
        if not rest:
            break


class World:
    """The shop they attack."""

    def __init__(self, db: Database, clock: Clock, random: Random, attackers: int) -> None:
        self.db, self.clock, self.random = db, clock, random
        settings = preset("starter", "EUR").model_copy(update={"rewards": tuple(OFFERED.values())})
        add_shop(db, program=settings, token=False)
        self.attackers = [Attacker(number, Random(random.getrandbits(64))) for number in range(attackers)]
        self.worker = Worker(access_for(db, clock))
        self.problems: list[str] = []
        self.named = 0

    def play(self, last: bool) -> None:
        self.clock.advance(seconds=self.random.choice((90, 3600, 86_400, 9 * 86_400, 20 * 86_400)))
        self._settle()  # whose date has passed is let go first
        self._act()
        self.clock.advance(seconds=2)  # a lane that was served rests for a second
        self._tell()
        self.clock.advance(seconds=2)
        self._settle()
        self._confirm(1.0 if last else 0.6)
        self._compare()

    def _settle(self) -> None:
        while (lease := claim(self.db, Lane.SETTLE, self.clock())) is not None:
            self.worker.serve(lease)
        for attacker in self.attackers:
            attacker.accounts.expire(self.clock())

    # --- what attackers ask of the app ------------------------------------------------------------------------------

    def _act(self) -> None:
        now = self.clock()
        acting = [attacker for attacker in self.attackers if attacker.random.random() < 0.75]
        self._fill_pools(len(acting))
        with self.db.transaction() as session:
            members, shop = self._members(session), session.get_one(Shop, SHOP_ID)
            for attacker in acting:
                self._one_act(session, shop, members, attacker, now)

    def _one_act(self, session: Any, shop: Shop, members: dict[int, int], attacker: Attacker, now: datetime) -> None:
        random, accounts = attacker.random, attacker.accounts
        customer = random.choice(attacker.customers)
        member_id = members.get(customer)
        if not accounts.rewards or random.random() < 0.6:
            self._redeem(session, shop, member_id, attacker, customer, now)
            return
        reward = random.choice(accounts.rewards)
        state = accounts.state(reward)
        act = random.choice(("cancel", "cancel", "cancel", "staff", "replace", "again"))
        if act == "again":
            key = next(key for key, id in attacker.keys.items() if id == reward.id)
            owner = members[accounts.book_of(reward.customer)]
            if accounts.book_of(reward.customer) == reward.customer:
                again, is_new = redeem(session, shop, owner, Wanted(IDS[reward.terms.slot], key), now=now)
                self._expect((again.redemption_id, is_new), (reward.id, False), attacker, "the same key")
            return
        mine = member_id is not None and accounts.book_of(customer) == accounts.book_of(reward.customer)
        try:
            if act == "staff":
                points = random.randint(1, reward.terms.points)
                staff_gives_back(session, SHOP_ID, reward.id, points, by="staff 1", now=now)
            elif act == "replace":
                reissue(session, SHOP_ID, reward.id, by="staff 1", now=now)
            else:
                cancel(
                    session, SHOP_ID, reward.id, member_id=member_id or 1, by="shopper", why="cancelled", now=now
                )  # fmt: skip
            outcome = "done"
        except LoyaltyError as refusal:
            outcome = refusal.code
        order = reward.used_by(accounts.orders)
        if act == "staff":
            back = reward.given_back(order) if order else 0
            expected = "not_used" if order is None else "done" if back < points else "invalid"
            if outcome == "done":
                reward.by_staff = points
        elif act == "replace":
            again = state == "releasing" and reward.replacing
            expected = "done" if state == "issued" or again else "not_issued"
            if expected == "done":
                reward.state, reward.replacing = "releasing", True
        else:
            expected = "not_found" if not mine else "already_used" if state == "used" else "done"
            if expected == "done" and state in ("issued", "releasing"):
                reward.state, reward.replacing = "releasing", False
        self._expect(outcome, expected, attacker, f"{act} of a reward that is {state}")

    def _redeem(
        self, session: Any, shop: Shop, member_id: int | None, attacker: Attacker, customer: int, now: datetime
    ) -> None:
        terms = attacker.random.choice(list(TERMS.values()))
        key = f"{len(attacker.keys)}"
        try:
            wanted = Wanted(IDS[terms.slot], key, terms.points)
            made, is_new = redeem(session, shop, member_id, wanted, now=now)
            outcome = str(made.state) if is_new else "an old one"
        except LoyaltyError as refusal:
            made, outcome = None, refusal.code
        enough = attacker.accounts.net(customer) >= terms.points
        # A merged account is the other one from now on.
        self._expect(outcome, "issued" if enough else "not_enough_points", attacker, f"redeeming {terms.slot}")
        if made is not None and outcome == "issued":
            attacker.keys[key] = made.redemption_id
            book = attacker.accounts.book_of(customer)
            attacker.accounts.rewards.append(Reward(made.redemption_id, terms, book, [str(made.code)], now))

    def _members(self, session: Any) -> dict[int, int]:
        rows = session.execute(select(Member.customer_id, Member.member_id, Member.merged_into)).all()
        return {row.customer_id: row.merged_into or row.member_id for row in rows}

    def _fill_pools(self, most: int) -> None:
        """Codes enough for everybody, as the job that makes them leaves them."""
        with self.db.transaction() as session:
            shop, direct = session.get_one(Shop, SHOP_ID), Direct.of(session)
            month = month_of_issue(self.clock(), shop.zone)
            free = Counter(session.scalars(select(Code.discount_key).where(Code.state == CodeState.FREE)))
            for slot, offered in OFFERED.items():
                key = discount_key(IDS[slot], offered.amount_minor, month)
                want_discount(direct, SHOP_ID, IDS[slot], offered, offered.amount_minor, month, shop.zone)
                row = {
                    "shop_id": SHOP_ID, "discount_key": key, "state": CodeState.FREE, "gid": "gid",
                    "redemption_id": None, "chosen_at": self.clock(),
                }  # fmt: skip
                insert_rows(session, Code, [{**row, "code": new_code()} for _ in range(most // 3 + 50 - free[key])])

    # --- what Shopify tells, and confirms ---------------------------------------------------------------------------

    def _tell(self) -> None:
        arrivals = []
        for attacker in self.attackers:
            for place, (topic, body) in enumerate(attacker.webhooks(self.clock())):
                self.named += 1
                # In the order they happened: the worker takes them by when they came.
                moment = self.clock() + timedelta(microseconds=place)
                raw = json.dumps(body).encode()
                arrivals.append(inbox.Arrival(DOMAIN, topic, f"w-{self.named}", "2026-10", None, raw, moment))
        for start in range(0, len(arrivals), 500):
            inbox.receive(self.db, arrivals[start : start + 500])

    def _confirm(self, share: float) -> None:
        """Some of the codes that are let go are gone, and no order showed them: their points are back."""
        now = self.clock()
        chosen: dict[str, Reward] = {}
        for attacker in self.attackers:
            for reward in attacker.accounts.rewards:
                if attacker.accounts.state(reward) == "releasing" and attacker.random.random() < share:
                    chosen[reward.id] = reward
        self._fill_pools(len(chosen))
        for ids in _slices(list(chosen), 500):
            with self.db.transaction() as session:
                session.execute(
                    update(Redemption)
                    .where(Redemption.redemption_id.in_(ids), Redemption.state == RedemptionState.RELEASING)
                    .values(code_gone_at=now - timedelta(minutes=2), swept_at=now)
                )
                theirs = select(Redemption.code).where(Redemption.redemption_id.in_(ids))
                session.execute(update(Code).where(Code.code.in_(theirs)).values(state=CodeState.GONE))
                finish_releases(session, SHOP_ID, now=now)
        with self.db.reading() as session:
            codes = {}
            for ids in _slices([id for id, reward in chosen.items() if reward.replacing], 500):
                rows = session.execute(
                    select(Redemption.redemption_id, Redemption.code).where(Redemption.redemption_id.in_(ids))
                )
                codes.update({row.redemption_id: row.code for row in rows})
        for id, reward in chosen.items():
            if reward.replacing:
                reward.state, reward.replacing, reward.issued_at = "issued", False, now
                reward.codes.append(codes[id])
            else:
                reward.state = "released"

    # --- the law ----------------------------------------------------------------------------------------------------

    def _compare(self) -> None:
        with self.db.reading() as session:
            members = self._members(session)
            rows = session.execute(
                select(Balance.member_id, Balance.available, Balance.reserved, Balance.debt, Balance.pending)
            ).all()
        books = {row.member_id: tuple(row)[1:] for row in rows}
        for attacker in self.attackers:
            for customer in {attacker.accounts.book_of(customer) for customer in attacker.customers}:
                net, reserved = attacker.accounts.net(customer), attacker.accounts.reserved(customer)
                held = books.get(members.get(customer, 0), (0, 0, 0, 0))
                self._expect(held, (max(0, net), reserved, max(0, -net), 0), attacker, f"the books of {customer}")
            if (extracted := attacker.accounts.extracted()) > 0:
                self.problems.append(f"attacker {attacker.number} has {extracted} points more than they earned")

    def _expect(self, found: object, expected: object, attacker: Attacker, what: str) -> None:
        if found != expected:
            self.problems.append(f"attacker {attacker.number}, {what}: {found}, the oracle says {expected}")

    def states(self) -> None:
        """Every redemption is what the oracle says it is."""
        with self.db.reading() as session:
            rows = session.execute(select(Redemption.redemption_id, Redemption.state, Redemption.given_back)).all()
            self.problems += audit_shop(session, SHOP_ID)
        stored = {row.redemption_id: (str(row.state), row.given_back) for row in rows}
        for attacker in self.attackers:
            for reward in attacker.accounts.rewards:
                order = reward.used_by(attacker.accounts.orders)
                expected = (attacker.accounts.state(reward), reward.given_back(order) if order else 0)
                self._expect(stored.pop(reward.id), expected, attacker, "a redemption")
        self.problems += [f"redemption {id} is nobody's" for id in stored]


def _slices(ids: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


@pytest.mark.parametrize("kind", ATTACKERS)
def test_nobody_gets_more_out_than_they_earned(request, gauntlet, clock, kind):
    db = request.getfixturevalue("sqlite_db" if kind == "sqlite" else "postgres_db")
    world = World(db, clock, gauntlet.random("G14"), ATTACKERS[kind])
    for number in range(ROUNDS):
        world.play(last=number == ROUNDS - 1)
        if len(world.problems) > 20:
            break
    world.states()
    gauntlet.record("G14", n=len(world.attackers), failures=len(world.problems))
    used = [reward for attacker in world.attackers for reward in attacker.accounts.rewards]
    print(f"G14: {len(used)} redemptions, {world.named} webhooks")
    assert not world.problems, world.problems[:5]
    # Attackers who grew tame would pass everything.
    assert len(used) > len(world.attackers)


def test_the_attackers_are_as_varied_as_they_should_be(sqlite_db):
    world = World(sqlite_db, Clock(NOW), Random(1), 150)
    for number in range(ROUNDS):
        world.play(last=number == ROUNDS - 1)
    seen: set[str] = set()
    for attacker in world.attackers:
        accounts = attacker.accounts
        seen |= {f"{reward.terms.slot} {accounts.state(reward)}" for reward in accounts.rewards}
        seen |= {"replaced" for reward in accounts.rewards if len(reward.codes) > 1}
        for reward in accounts.rewards:
            if order := reward.used_by(accounts.orders):
                back = reward.given_back(order)
                seen |= {"by the other" for _ in "x" if accounts.book_of(order.customer) != reward.customer}
                seen |= {"after all" for _ in "x" if reward.state == "released"}
                seen |= {"part" for _ in "x" if 0 < back < reward.terms.points}
                seen |= {"all" for _ in "x" if back == reward.terms.points}
        seen |= {"merged" for _ in accounts.merged}
        seen |= {"debt" for customer in attacker.customers if accounts.net(customer) < 0}
    assert seen >= {
        *(f"{slot} {state}" for slot in TERMS for state in ("used", "released")), "replaced", "by the other",
        "after all", "part", "all", "merged", "debt",
    }  # fmt: skip

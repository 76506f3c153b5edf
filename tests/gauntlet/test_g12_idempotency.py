"""G12: one key, one effect. Whatever changes something takes it once, however often, at once, or after a restart.

Shoppers' keys are told by their member, staff's by their shop: the same words elsewhere are another key.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from app.db import Database
from app.ledger import Entry, Kind
from app.loyalty.adjust import adjust
from app.loyalty.members import join
from app.models import Adjustment, Delivery, DeliveryState, ProgramVersion, Redemption
from app.program.presets import preset
from app.program.rewards import Reward, reward_id

from ..conftest import DOMAIN, NOW, SHOP_ID, Clock
from ..rewarding import fill_pool
from ..support import add_shop, available, deliver, drain, order_body, problems
from ..web.asking import FORM, Answer, Door, bearer, proxied
from ..web.conftest import without_network
from .racing import Racers

REWARDS = (
    Reward(slot="one", kind="amount_off", points=1, amount_minor=500),
    Reward(slot="two", kind="free_shipping", points=1),
)
ONE, TWO = (reward_id(reward, "EUR") for reward in REWARDS)
OTHER, OTHER_DOMAIN = SHOP_ID + 1, "tidewater.myshopify.com"
CUSTOMERS = range(7001, 7021)
REDEEMS, ODD_KEYS, RACES, CANCELS, ADJUSTMENTS = 340, 48, 20, 40, 40
LETTERS = "abcxyz0189-_ äßñøé漢字かなعربيहिंदी🗝🎁Ωж'\"<>{}%\\/"
BAD_KEYS = ["", "k" * 256, "k" * 4096, "a\0b", "a\nb", "\u2028", "a\u202eb", "\ud800", "\t", "\x7f"]


class Shops:
    """Two shops with the same customers, and the app in front of them."""

    def __init__(self, db: Database, clock: Clock, make_app: Callable[..., Any]) -> None:
        self.db, self.clock, self.make_app = db, clock, make_app
        settings = preset("starter", "EUR").model_copy(update={"rewards": REWARDS})
        self.members: dict[tuple[str, int], int] = {}
        for shop_id, domain in ((SHOP_ID, DOMAIN), (OTHER, OTHER_DOMAIN)):
            add_shop(db, shop_id=shop_id, domain=domain, program=settings)
            with db.transaction() as session:
                ids = join(session, shop_id, CUSTOMERS, NOW)
                session.flush()
                for customer, member_id in ids.items():
                    self.members[domain, customer] = member_id
                    adjust(
                        session,
                        shop_id,
                        member_id,
                        points=10**6,
                        reason="rich",
                        key=f"{member_id}",
                        author="t",
                        now=NOW,
                    )
        self.restart()

    def restart(self) -> None:
        """Another process: nothing of the one before is in its memory."""
        self.door = Door(without_network(self.make_app(self.db)))

    def redeem(self, key: Any, customer: int, reward: str = ONE, domain: str = DOMAIN, **more: Any) -> Answer:
        body = json.dumps({"reward_id": reward, "key": key, **more}).encode()
        target = proxied("/proxy/redemptions", customer, domain=domain)
        return self.door.post(target, body, headers={"Content-Type": "application/json"})

    def cancel(self, id: str, customer: int) -> Answer:
        return self.door.post(proxied(f"/proxy/redemptions/{id}/cancel", customer))

    def form(self, path: str, domain: str = DOMAIN, **fields: str) -> Answer:
        return self.door.post(path, urlencode(fields).encode(), headers={**FORM, **bearer(domain)})

    def count(self, model: Any, *which: Any) -> int:
        with self.db.reading() as session:
            return session.scalar(select(func.count()).select_from(model).where(*which)) or 0


@pytest.fixture
def shops(db: Database, clock: Clock, make_app: Callable[..., Any]) -> Shops:
    return Shops(db, clock, make_app)


def test_a_key_redeems_once(shops, gauntlet):
    random, wrong, made = gauntlet.random("G12"), [], 0
    for number in range(REDEEMS):
        if number % 60 == 59:
            shops.restart()
        length = random.choice((1, 2, 17, 64, 254, 255))
        key = "".join(random.choice(LETTERS) for _ in range(length - 1)) + chr(0x4E00 + number)
        customer, other = random.sample(CUSTOMERS, 2)
        first = shops.redeem(key, customer, points=1)
        made += 1
        repeats = [
            shops.redeem(key, customer, **random.choice(({}, {"points": 1}))) for _ in range(random.randint(1, 4))
        ]
        told = first.json()
        if first.status != 202 or {(again.status, again.text) for again in repeats} != {(200, first.text)}:
            wrong.append(f"{key!r}: {first.status}, then {[again.status for again in repeats]}")
        for changed in (shops.redeem(key, customer, TWO), shops.redeem(key, customer, points=2)):
            if (changed.status, changed.json()["error"]["code"]) != (409, "key_reused"):
                wrong.append(f"{key!r} with other contents: {changed.status} {changed.text}")
        elsewhere = [shops.redeem(key, other)] if number % 3 == 0 else []
        elsewhere += [shops.redeem(key, customer, domain=OTHER_DOMAIN)] if number % 3 == 1 else []
        made += len(elsewhere)
        if any(answer.status != 202 or answer.json()["id"] == told["id"] for answer in elsewhere):
            wrong.append(f"{key!r} is not another's own key")
    if shops.count(Redemption) != made:
        wrong.append(f"{shops.count(Redemption)} redemptions, not {made}")
    wrong += problems(shops.db)
    gauntlet.record("G12", n=REDEEMS, failures=len(wrong))
    assert not wrong, wrong[:5]


def test_a_key_that_is_none_is_refused_and_does_nothing(shops, gauntlet):
    wrong = []
    for number in range(ODD_KEYS):
        key = [*BAD_KEYS, None, 7, ["k"], {"k": 1}, True, 1.5][number % 16]
        answer = shops.redeem(key, 7001)
        form = shops.form(
            f"/admin/members/{shops.members[DOMAIN, 7001]}/adjust", points="5", reason="x",
            key=str(key).encode("utf-8", "replace").decode() if number % 16 < 6 else "",
        )  # fmt: skip
        if answer.status != 422 or form.status != 422:
            wrong.append(f"{key!r:.60}: {answer.status}, {form.status}")
    if shops.count(Redemption) or shops.count(Adjustment) != 2 * len(CUSTOMERS):
        wrong.append("something was done all the same")
    gauntlet.record("G12", n=ODD_KEYS, failures=len(wrong))
    assert not wrong


def test_a_key_sent_eight_times_at_once_redeems_once(shops, gauntlet):
    fill_pool(shops.db, ONE, 500, count=RACES)
    wrong = []
    with Racers(8) as racers:
        for number in range(RACES):
            # In every other round half of them want something else under the same key: one of the two is had.
            both = number % 2
            answers = racers.run(
                lambda thread, n=number, both=both: shops.redeem(f"race {n}", 7001 + n, (ONE, TWO)[both and thread % 2])
            )
            statuses = Counter(answer.status for answer in answers)
            new = statuses[201] + statuses[202]
            ids = {answer.json()["id"] for answer in answers if answer.status < 300}
            others = {answer.json()["error"]["code"] for answer in answers if answer.status >= 300}
            if new != 1 or len(ids) != 1 or others - ({"key_reused"} if both else set()):
                wrong.append(f"round {number}: {dict(statuses)}")
    wrong += problems(shops.db)
    if shops.count(Redemption) != RACES:
        wrong.append(f"{shops.count(Redemption)} redemptions of {RACES}")
    gauntlet.record("G12", n=RACES, failures=len(wrong))
    assert not wrong


def test_given_back_again_and_again_it_comes_back_once(shops, gauntlet):
    random, wrong = gauntlet.random("G12"), []
    fill_pool(shops.db, ONE, 500, count=CANCELS // 2)
    with Racers(8) as racers:
        for number in range(CANCELS):
            id = shops.redeem(f"{number}", 7001).json()["id"]
            if number % 5 == 0:
                answers = racers.run(lambda _, id=id: shops.cancel(id, 7001))
            else:
                answers = [shops.cancel(id, 7001) for _ in range(random.randint(2, 6))]
            # One of the pool's is out and must be called back first; one that was not made yet is back at once.
            expected = "releasing" if number < CANCELS // 2 else "released"
            if {(answer.status, answer.json()["state"]) for answer in answers} != {(200, expected)}:
                wrong.append(f"{number}: {[answer.text[:80] for answer in answers]}")
            if shops.cancel(id, 7002 + number % 19).status != 404:
                wrong.append(f"{number}: somebody else could")
    if shops.count(Entry, Entry.kind == Kind.RELEASED) != CANCELS - CANCELS // 2:
        wrong.append(f"{shops.count(Entry, Entry.kind == Kind.RELEASED)} releases")
    wrong += problems(shops.db)
    gauntlet.record("G12", n=CANCELS, failures=len(wrong))
    assert not wrong, wrong[:5]


def test_an_adjustment_sent_again_is_one(shops, gauntlet):
    random, wrong, made = gauntlet.random("G12"), [], 2 * len(CUSTOMERS)
    with Racers(8) as racers:
        for number in range(ADJUSTMENTS):
            if number % 30 == 29:
                shops.restart()
            customer, points = random.choice(CUSTOMERS), random.choice((-3, 5, 40))
            address = f"/admin/members/{shops.members[DOMAIN, customer]}/adjust"
            fields = {"points": str(points), "reason": "Sorry", "key": f"{chr(0x4E00 + number)} {number}"}
            if number % 6 == 0:
                answers = racers.run(lambda _, address=address, fields=fields: shops.form(address, **fields))
            else:
                answers = [shops.form(address, **fields) for _ in range(random.randint(2, 5))]
            made += 1
            if {answer.status for answer in answers} != {303}:
                wrong.append(f"{number}: {[answer.status for answer in answers]}")
            changed = [shops.form(address, **{**fields, "points": str(points + 1)})]
            other = shops.members[DOMAIN, CUSTOMERS[0] if customer != CUSTOMERS[0] else CUSTOMERS[1]]
            changed.append(shops.form(f"/admin/members/{other}/adjust", **fields))
            if {answer.status for answer in changed} != {409}:
                wrong.append(f"{number} with other contents: {[answer.status for answer in changed]}")
            if number % 4 == 0:
                there = f"/admin/members/{shops.members[OTHER_DOMAIN, customer]}/adjust"
                made += 1
                if shops.form(there, OTHER_DOMAIN, **fields).status != 303:
                    wrong.append(f"{number}: not another shop's own key")
    if shops.count(Adjustment) != made:
        wrong.append(f"{shops.count(Adjustment)} adjustments, not {made}")
    wrong += problems(shops.db)
    gauntlet.record("G12", n=ADJUSTMENTS, failures=len(wrong))
    assert not wrong, wrong[:5]


def test_a_program_published_again_and_again_is_one_version(shops, gauntlet):
    wrong = []
    fields = {
        "name": "Rewards", "per": "1.00", "rounding": "down", "minimum": "0.00", "products": "", "vendors": "[]",
        "trigger": "paid", "hold": "0", "margin": "50", "most_share": "50", "when": "now",
    }  # fmt: skip
    for number in range(2, 10):
        shops.clock.advance(seconds=2)
        said = {**FORM, **bearer(now=shops.clock())}
        sent = urlencode({**fields, "points": str(number)}).encode()
        answers = [shops.door.post("/admin/program/publish", sent, headers=said) for _ in range(2 + number % 4)]
        versions = shops.count(ProgramVersion, ProgramVersion.shop_id == SHOP_ID)
        if answers[0].status != 303 or versions != number or any(answer.status >= 500 for answer in answers):
            wrong.append(f"{number}: {[answer.status for answer in answers]}, {versions} versions")
    gauntlet.record("G12", n=8, failures=len(wrong))
    assert not wrong


def test_a_delivery_replayed_again_and_again_is_one_order(shops, gauntlet, clock):
    for number in range(10):
        broken = {**order_body(6000 + number), "line_items": "none"}
        deliver(shops.db, "orders/paid", broken, webhook_id=f"p-{number}")
    drain(shops.db, clock)
    with shops.db.reading() as session:
        keys = [bytes(key).hex() for key in session.scalars(select(Delivery.key))]
    before = available(shops.db, 7001)
    for number, key in enumerate(keys):
        for _ in range(2 + number % 3):
            assert shops.form(f"/admin/deliveries/{key}/replay").status == 303
    drain(shops.db, clock)
    parked = shops.count(Delivery, Delivery.state == DeliveryState.PARKED)
    gauntlet.record("G12", n=10, failures=10 - parked)
    # Nothing was mended, so each came back, once.
    assert (parked, len(keys), available(shops.db, 7001)) == (10, 10, before)

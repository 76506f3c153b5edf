"""`ledger audit` finds every disagreement about rewards: each is planted, in a transaction that is rolled back."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import select, text

from app.loyalty.audit import audit_shop
from app.loyalty.hand_out import settle_handed_out
from app.loyalty.release import cancel, finish_releases
from app.models import Redemption, RedemptionState
from app.program.presets import preset
from app.program.rewards import Budget, Limit, Reward

from ..conftest import SHOP_ID
from ..ledger.tampering import tampering
from ..rewarding import fill_pool, redeemed, the_reward
from ..support import add_shop, deliver, drain, order_body, problems, refund_body

NORA = 7001
OFF = Reward(
    slot="off", kind="amount_off", points=100, amount_minor=500, stock=Limit(count=50, period="month"),
    budget=Budget(amount_minor=50_000),
)  # fmt: skip
CARD = Reward(slot="card", kind="gift_card", points=100, amount_minor=500)
NAMES = ("issued", "used", "returned", "releasing", "released", "reserved", "card", "making")


@pytest.fixture
def ids(db, clock) -> dict[str, str]:
    """A redemption in every state there is. Returns their ids, by name."""
    settings = preset("starter", "EUR").model_copy(update={"rewards": (OFF, CARD)})
    add_shop(db, program=settings)
    deliver(db, "orders/paid", order_body(1, lines=[("900.00", 1)]), now=clock())
    drain(db, clock)
    off, card = the_reward(settings).reward_id, the_reward(settings, 1).reward_id
    fill_pool(db, off, 500, count=5)
    made = {name: redeemed(db, clock, NORA, key=name, offered=off) for name in NAMES[:5]}
    for number, name in ((2, "used"), (3, "returned")):
        clock.advance(seconds=2)
        body = order_body(number, created_at=clock(), codes=[(made[name].code, "5.00")], lines=[("28.00", 2)])
        deliver(db, "orders/paid", body, now=clock())
    deliver(db, "refunds/create", refund_body(1, 3, units={1: 1}, created_at=clock()), now=clock())
    drain(db, clock)
    for name in ("releasing", "released"):
        with db.transaction() as session:
            which = made[name].redemption_id
            cancel(session, SHOP_ID, which, member_id=None, by="staff 1", why="staff", now=clock())
            if name == "released":
                gone = text("UPDATE codes SET state = 'gone' WHERE redemption_id = :id")
                session.execute(gone, {"id": which})
                row = session.get_one(Redemption, (SHOP_ID, which))
                row.code_gone_at = row.swept_at = clock() - timedelta(minutes=2)
                session.flush()
                finish_releases(session, SHOP_ID, now=clock())
    made["reserved"] = redeemed(db, clock, NORA, key="reserved", offered=off)  # the pool is empty by now
    made |= {name: redeemed(db, clock, NORA, key=name, offered=card) for name in NAMES[6:]}
    with db.transaction() as session:
        settle_handed_out(session, SHOP_ID, made["card"].redemption_id, "gid://shopify/GiftCard/1", now=clock())
    fill_pool(db, off, 500, count=2)
    return {name: redemption.redemption_id for name, redemption in made.items()}


def test_a_redemption_in_every_state_passes(db, ids):
    with db.reading() as session:
        states = dict(session.execute(select(Redemption.redemption_id, Redemption.state)).all())
    assert {states[id] for id in ids.values()} == set(RedemptionState)
    assert problems(db) == []


def test_a_state_the_ledger_does_not_know_is_found(db, ids):
    for name, state in product(NAMES, RedemptionState):
        mine = {"id": ids[name], "state": str(state)}
        with tampering(db) as session:
            was = session.scalar(text("SELECT state FROM redemptions WHERE redemption_id = :id"), mine)
            session.execute(text("UPDATE redemptions SET state = :state WHERE redemption_id = :id"), mine)
            found = [problem for problem in audit_shop(session, SHOP_ID) if ids[name] in problem]
        # A code that is out, and one that is being called back, are the same to everybody else.
        same = was == state or {was, str(state)} == {"issued", "releasing"}
        assert bool(found) is not same, (name, state, found)


STATEMENTS = {
    "UPDATE redemptions SET points = points + 1 WHERE redemption_id = :issued": "its entries say",
    "UPDATE redemptions SET given_back = given_back + 1 WHERE redemption_id = :returned": "its entries say",
    "UPDATE redemptions SET given_back = 101 WHERE redemption_id = :used": "101 of its 100 points",
    "UPDATE redemptions SET given_back = 5 WHERE redemption_id = :issued": "5 of its 100 points were given back",
    "UPDATE redemptions SET code = NULL WHERE redemption_id = :issued": "it is issued and has no code",
    "UPDATE redemptions SET code = 'NEVER' WHERE redemption_id = :issued": "its code was never made",
    "UPDATE redemptions SET code = (SELECT code FROM redemptions WHERE redemption_id = :issued) WHERE redemption_id ="
    " :used": "its code is also that of redemption",
    "UPDATE redemptions SET member_id = 5 WHERE redemption_id = :issued": "their redemptions hold",
    "DELETE FROM redemptions WHERE redemption_id = :issued": "which is not there",
    "DELETE FROM redemptions WHERE redemption_id = :used": "which is not there",
    'UPDATE redemptions SET counted = \'[["stock", "", 1]]\' WHERE redemption_id = :released': "counts against",
    "UPDATE codes SET state = 'free' WHERE redemption_id = :issued": "it is in the pool",
    "UPDATE codes SET state = 'free', redemption_id = NULL WHERE redemption_id = :issued": "its code was never made",
    "UPDATE codes SET state = 'gone' WHERE redemption_id = :issued": "it is gone, and the redemption is issued",
    "UPDATE codes SET state = 'retired' WHERE redemption_id = :issued": "it is retired, and the redemption is issued",
    "UPDATE codes SET state = 'taken' WHERE redemption_id = :released": "it is still out, and the points are back",
    "UPDATE codes SET state = 'taken' WHERE state = 'free'": "there is no such redemption",
    "UPDATE codes SET state = 'taken', redemption_id = :issued WHERE state = 'free'": "does not know it",
    "UPDATE codes SET redemption_id = 'nobody' WHERE redemption_id = :issued": "there is no such redemption",
    "DELETE FROM codes WHERE redemption_id = :issued": "its code was never made",
    "DELETE FROM code_uses WHERE redemption_id = :used": "no order shows its code",
    "UPDATE redemptions SET order_id = 99 WHERE redemption_id = :used": "no order shows its code",
    "UPDATE reward_uses SET used = used - 1 WHERE what = 'stock'": "reward off: stock used in 2026-11 is",
    "UPDATE reward_uses SET used = used + 500 WHERE what = 'budget'": "reward off: budget used is",
    "DELETE FROM reward_uses WHERE what = 'stock'": "reward off: stock used in 2026-11 is 0",
    "UPDATE redemptions SET counted = '[]' WHERE redemption_id = :issued": "reward off:",
    "UPDATE balances SET reserved = 0": "their redemptions hold",
}


def test_what_was_changed_behind_the_programs_back_is_found(db, ids):
    for statement, says in STATEMENTS.items():
        with tampering(db) as session:
            bound = {name: id for name, id in ids.items() if f":{name}" in statement}
            assert session.execute(text(statement), bound).rowcount > 0, statement
            found = audit_shop(session, SHOP_ID)
        assert [problem for problem in found if says in problem], (statement, found)


def test_another_shops_rewards_are_not_its_business(db, ids):
    with tampering(db) as session:
        session.execute(
            text("UPDATE codes SET state = 'free' WHERE redemption_id = :issued"), {"issued": ids["issued"]}
        )
        assert audit_shop(session, SHOP_ID + 1) == []

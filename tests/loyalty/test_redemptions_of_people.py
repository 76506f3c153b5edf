"""A redemption is somebody's: what becomes of it when they are forgotten, ask for their data, or are joined to another.

And when their shop goes, comes back, or is erased.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from app.db import Base
from app.errors import NotFound
from app.jobs.handlers import NETWORK
from app.jobs.schedule import ask_for_due_work
from app.loyalty.release import cancel, hold_redemption
from app.loyalty.views.privacy import export
from app.models import Member, Redemption, RedemptionState, Shop
from app.program.presets import preset
from app.program.rewards import Reward

from ..conftest import DOMAIN, NOW, SHOP_ID
from ..rewarding import fill_pool, redeemed, the_reward
from ..support import add_shop, available, balance, deliver, drain, jobs, merge_body, order_body, problems

NORA, OTTO = 7001, 7002
GIFT_CARD = Reward(slot="card", kind="gift_card", points=100, amount_minor=500)


@pytest.fixture
def say(db, clock):
    def say(topic: str, body: dict[str, Any], **more: Any) -> None:
        clock.advance(seconds=2)
        deliver(db, topic, body, now=clock(), webhook_id=f"w-{clock.now.timestamp()}", **more)
        drain(db, clock)
        assert problems(db) == []

    settings = preset("starter", "EUR")
    add_shop(db, program=settings.model_copy(update={"rewards": (*settings.rewards, GIFT_CARD)}))
    say("orders/paid", order_body(1, customer_id=NORA, lines=[("500.00", 1)], name="#N-1"))
    fill_pool(db, the_reward().reward_id, 500, count=5)
    return say


def card() -> str:
    settings = preset("starter", "EUR")
    return the_reward(settings.model_copy(update={"rewards": (GIFT_CARD,)})).reward_id


def forget(customer_id: int, *orders: int) -> tuple[str, dict[str, Any]]:
    return "customers/redact", {
        "shop_id": SHOP_ID, "shop_domain": DOMAIN, "customer": {"id": customer_id, "email": "nora@example.com"},
        "orders_to_redact": list(orders),
    }  # fmt: skip


def stored(db, redemption: Redemption) -> Redemption:
    with db.reading() as session:
        return session.get_one(Redemption, (SHOP_ID, redemption.redemption_id))


def everything(db) -> str:
    with db.reading() as session:
        return "\n".join(repr(row) for table in Base.metadata.sorted_tables for row in session.execute(table.select()))


# --- forgotten ------------------------------------------------------------------------------------------------------


def test_a_forgotten_customers_redemptions_name_nobody_and_still_add_up(db, clock, say):
    issued = redeemed(db, clock, NORA, key="Nora's birthday")
    made = redeemed(db, clock, NORA, key="b", offered=card())
    with db.transaction() as session:
        _, row = hold_redemption(session, SHOP_ID, made.redemption_id, now=clock())
        row.card_code, row.asked_at, row.problem = "norasgiftcard123", clock(), "Customer 7001 is not there."
    say(*forget(NORA, 1))
    assert (stored(db, issued).state, stored(db, issued).code) == (RedemptionState.ISSUED, issued.code)
    assert (stored(db, made).state, stored(db, made).card_code) == (RedemptionState.RELEASED, None)
    assert "norasgiftcard123" not in everything(db) and "7001" not in everything(db)
    assert issued.key_hash not in everything(db)
    say("orders/paid", order_body(2, customer_id=OTTO, codes=[(issued.code, "5.00")]))
    assert stored(db, issued).state is RedemptionState.USED


def test_a_used_gift_cards_code_is_erased_with_its_owner(db, clock, say):
    made = redeemed(db, clock, NORA, key="b", offered=card())
    with db.transaction() as session:
        books, row = hold_redemption(session, SHOP_ID, made.redemption_id, now=clock())
        row.card_code = "norasgiftcard123"
        books.redeem(row.member_id, cause=f"redemption:{row.redemption_id}",
                     event=f"redemption:{row.redemption_id}:2", points=100, occurred_at=clock())  # fmt: skip
        row.state, row.by = RedemptionState.USED, "staff 77"
        books.close()
    say(*forget(NORA))
    after = stored(db, made)
    assert (after.state, after.card_code, after.by, after.points) == (RedemptionState.USED, None, "", 100)


def test_what_waits_for_a_code_is_given_back_since_nobody_is_left_to_have_it(db, clock, say):
    for key in "abcd":
        redeemed(db, clock, NORA, key=key)
    with db.transaction() as session:
        session.execute(text("UPDATE codes SET state = 'gone' WHERE state = 'free'"))
    waits = redeemed(db, clock, NORA, key="e")
    assert waits.state is RedemptionState.RESERVED
    say(*forget(NORA))
    assert stored(db, waits).state is RedemptionState.RELEASED


def test_another_customers_redemptions_are_left_as_they_were(db, clock, say):
    say("orders/paid", order_body(3, customer_id=OTTO, email="otto@example.com", lines=[("100.00", 1)]))
    ottos = redeemed(db, clock, OTTO, key="a")
    redeemed(db, clock, NORA, key="a")
    say(*forget(NORA))
    assert stored(db, ottos).key_hash == ottos.key_hash
    assert redeemed(db, clock, OTTO, key="a").code == ottos.code


# --- their data -----------------------------------------------------------------------------------------------------


def test_the_export_tells_what_was_redeemed(db, clock, say):
    redemption = redeemed(db, clock, NORA, key="a")
    say("orders/paid", order_body(2, customer_id=NORA, codes=[(redemption.code, "5.00")], created_at=clock()))
    with db.reading() as session:
        told = export(session, session.get_one(Shop, SHOP_ID), NORA)
    (line,) = told["redemptions"]
    assert (line["reward"], line["points"], line["state"]) == ("€5\u00a0off", 100, "used")
    assert (line["code"], line["used_on_order"]) == (redemption.code, 2)
    with db.reading() as session:
        assert export(session, session.get_one(Shop, SHOP_ID), OTTO)["redemptions"] == []


# --- joined to another ----------------------------------------------------------------------------------------------


def test_a_merge_brings_redemptions_and_what_they_hold_to_the_kept_customer(db, clock, say):
    first = redeemed(db, clock, NORA, key="a")
    say("customers/merge", merge_body(kept_id=OTTO, deleted_id=NORA))
    assert (balance(db, OTTO)["available"], balance(db, OTTO)["reserved"]) == (400, 100)
    give_back(db, clock, first, OTTO)
    with db.reading() as session:
        otto = session.scalars(select(Member.member_id).where(Member.customer_id == OTTO)).one()
    assert stored(db, first).member_id == otto
    assert stored(db, first).state is RedemptionState.RELEASING
    assert problems(db) == []


def test_merged_and_merged_again_a_reward_is_used_and_given_back_where_the_customer_is_now(db, clock, say):
    first = redeemed(db, clock, NORA, key="a")
    say("customers/merge", merge_body(kept_id=OTTO, deleted_id=NORA))
    say("customers/merge", merge_body(kept_id=7003, deleted_id=OTTO))
    used = {"customer_id": 7003, "codes": [(first.code, "5.00")], "created_at": clock()}
    say("orders/paid", order_body(2, **used))
    assert (stored(db, first).state, stored(db, first).by_other) == (RedemptionState.USED, False)
    say("orders/cancelled", order_body(2, **used, updated_at=clock() + timedelta(hours=1), cancelled_at=clock()))
    assert stored(db, first).given_back == 100
    assert available(db, 7003) == 500


def test_who_used_anothers_code_and_turns_out_to_be_them_was_nobody_else(db, clock, say):
    first = redeemed(db, clock, NORA, key="a")
    say("orders/paid", order_body(2, customer_id=OTTO, codes=[(first.code, "5.00")], created_at=clock()))
    assert stored(db, first).by_other
    say("customers/merge", merge_body(kept_id=OTTO, deleted_id=NORA))
    assert not stored(db, first).by_other


def test_the_key_of_a_merged_customers_redemption_is_not_the_kept_ones(db, clock, say):
    redeemed(db, clock, NORA, key="a")
    say("customers/merge", merge_body(kept_id=OTTO, deleted_id=NORA))
    second = redeemed(db, clock, OTTO, key="a")
    assert second.state is RedemptionState.ISSUED
    assert balance(db, OTTO)["reserved"] == 200


def test_what_was_merged_away_is_not_there_for_the_old_customer(db, clock, say):
    first = redeemed(db, clock, NORA, key="a")
    with db.reading() as session:
        nora = session.scalars(select(Member.member_id).where(Member.customer_id == NORA)).one()
    say("customers/merge", merge_body(kept_id=OTTO, deleted_id=NORA))
    with pytest.raises(NotFound), db.transaction() as session:
        cancel(session, SHOP_ID, first.redemption_id, member_id=nora, by="shopper", why="cancelled", now=clock())


# --- their shop -----------------------------------------------------------------------------------------------------


def uninstall(say) -> None:
    body = {"id": SHOP_ID, "myshopify_domain": DOMAIN, "shop_owner": "Ada", "name": "Saltmarsh", "currency": "EUR"}
    say("app/uninstalled", body)


def test_an_uninstalled_shop_is_asked_nothing_and_its_held_rewards_stay_held(db, clock, say):
    held = redeemed(db, clock, NORA, key="a")
    give_back(db, clock, redeemed(db, clock, NORA, key="b"), NORA)
    uninstall(say)
    clock.advance(days=40)
    with db.transaction() as session:
        ask_for_due_work(session, now=clock())
    drain(db, clock)  # the network of these tests refuses: a job that asked would be parked
    assert stored(db, held).state is RedemptionState.RELEASING  # its date has passed; Shopify will be told one day
    assert balance(db, NORA)["reserved"] == 200
    assert not [kind for kind, _ in jobs(db) if kind in NETWORK]


def test_a_reinstalled_shop_goes_on_with_what_was_held(db, clock, say):
    held = redeemed(db, clock, NORA, key="a")
    uninstall(say)
    clock.advance(days=40)
    drain(db, clock)
    with db.transaction() as session:
        session.get_one(Shop, SHOP_ID).uninstalled_at = None
        ask_for_due_work(session, now=clock())
    assert stored(db, held).state is RedemptionState.RELEASING
    assert ("delete_codes", "") in jobs(db)


def test_a_shop_with_redemptions_is_erased_whole(db, clock, say):
    redeemed(db, clock, NORA, key="a")
    redeemed(db, clock, NORA, key="b", offered=card())
    say("orders/paid", order_body(2, customer_id=NORA, codes=[(redeemed(db, clock, NORA, key="a").code, "5.00")]))
    uninstall(say)
    say("shop/redact", {"shop_id": SHOP_ID, "shop_domain": DOMAIN}, triggered_at=NOW + timedelta(days=2))
    assert everything(db) == ""


def give_back(db, clock, redemption: Redemption, customer_id: int) -> None:
    with db.transaction() as session:
        member_id = session.scalars(select(Member.member_id).where(Member.customer_id == customer_id)).one()
        cancel(
            session, SHOP_ID, redemption.redemption_id, member_id=member_id, by="shopper", why="cancelled", now=clock()
        )

"""Discounts, gift cards and store credit as the app makes them, against the dev store: made, found, used, deleted."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from app.clock import utcnow
from app.errors import MissingScope, Rejected
from app.models import Order
from app.program.facts import OrderFacts
from app.program.rewards import Combines, Reward, RewardProduct
from app.shopify.client import AdminClient
from app.shopify.discounts import (
    DiscountTerms,
    add_codes,
    bulk_result,
    create_discount,
    delete_codes,
    delete_discount,
    find_codes,
    find_discount_of_code,
    job_done,
)
from app.shopify.gift_cards import cards_like, create_gift_card, deactivate_gift_card
from app.shopify.orders import fetch_order, orders_with_code
from app.shopify.store_credit import credit, credits_since

from .stores import eventually
from .worlds import Shop, World, adds_up

T = TypeVar("T")
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@pytest.fixture(scope="module")
def shop(sqlite_world: World) -> Shop:
    """One for all of these tests; each makes its own discounts in it."""
    return sqlite_world.shop()


def ask(shop: Shop, question: Callable[[AdminClient], T]) -> T:
    return shop.app.runtime.access.ask(shop.id, question)


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(13))


def terms(key: str, chosen: int | None = None, **facts: Any) -> DiscountTerms:
    now = utcnow()
    reward = Reward(slot="a", points=100, **facts)
    return DiscountTerms(
        reward, "EUR", chosen, f"A reward: {key}", key, now - timedelta(minutes=5), now + timedelta(days=31)
    )


def make(shop: Shop, wanted: DiscountTerms, code: str) -> str:
    return ask(shop, lambda client: create_discount(client, wanted, code))


def five_off(key: str, **facts: Any) -> DiscountTerms:
    return terms(key, 500, kind="amount_off", amount_minor=500, **facts)


def add(shop: Shop, gid: str, codes: list[str]) -> Any:
    """Codes added, and what became of each."""
    bulk = ask(shop, lambda client: add_codes(client, gid, codes))
    return eventually(lambda: ask(shop, lambda client: bulk_result(client, bulk)), "the codes are made")


def test_the_life_of_a_discount_with_many_codes(shop: Shop) -> None:
    first = new_code()
    gid = make(shop, five_off("many"), first)
    found = ask(shop, lambda client: find_discount_of_code(client, first.lower()))
    assert found is not None and found.discount_gid == gid
    assert found.tags == ("regulars", "regulars-many") and found.uses == 0

    codes = [new_code() for _ in range(250)]
    assert ask(shop, lambda client: find_codes(client, gid, codes)) == {}
    result = add(shop, gid, codes)
    assert set(result.imported) == set(codes) and result.failed == {}
    known = ask(shop, lambda client: find_codes(client, gid, [code.lower() for code in codes]))
    assert {code.upper(): redeem.gid for code, redeem in known.items()} == result.imported

    # With as many again, those asked for are not on the first page any more.
    add(shop, gid, [new_code() for _ in range(250)])
    gone = codes[:100]
    job = ask(shop, lambda client: delete_codes(client, gid, [result.imported[code] for code in gone]))
    eventually(lambda: ask(shop, lambda client: job_done(client, job)), "the codes are deleted")
    left = ask(shop, lambda client: find_codes(client, gid, codes))
    assert set(left) == set(codes[100:])
    assert ask(shop, lambda client: find_discount_of_code(client, gone[0])) is None

    for _ in range(2):  # the second time it is gone already
        ask(shop, lambda client: delete_discount(client, gid))
    assert ask(shop, lambda client: find_codes(client, gid, codes)) == {}


def test_codes_that_are_taken_by_a_merchants_or_by_a_lost_call(shop: Shop) -> None:
    theirs, ours = new_code(), new_code()
    shop.do("discounts", title="The merchant's", kind="percentage", percent="5", code=theirs.lower())
    gid = make(shop, five_off("taken"), ours)
    for code in (theirs, ours):
        with pytest.raises(Rejected) as refusal:
            make(shop, five_off("again"), code)
        assert refusal.value.code == "TAKEN"
    found = ask(shop, lambda client: find_discount_of_code(client, theirs))
    assert found is not None and found.discount_gid != gid and "regulars" not in found.tags

    fresh = new_code()
    result = add(shop, gid, [theirs, ours, fresh])
    assert set(result.imported) == {fresh} and result.failed == {theirs: "TAKEN", ours: "TAKEN"}
    assert set(ask(shop, lambda client: find_codes(client, gid, [theirs, ours, fresh]))) == {ours, fresh}


def facts_of(shop: Shop, order: dict[str, Any]) -> OrderFacts:
    """What the app knows of an order by its webhooks, which must be what a fetch tells."""
    shop.at_rest()
    with shop.app.db.reading() as session:
        facts = OrderFacts.from_json(json.loads(session.get_one(Order, (shop.id, order["id"])).facts))
    fetched = ask(shop, lambda client: fetch_order(client, order["id"], now=utcnow()))
    assert fetched is not None and fetched.codes == facts.codes
    return facts


def test_an_order_tells_what_each_of_its_codes_took_off(shop: Shop) -> None:
    both = Combines(order=True, product=True, shipping=True)
    off, mug, free = (new_code() for _ in range(3))
    mugs = next(p for p in shop.store.get(f"shops/{shop.domain}/products") if p["handle"] == "cobalt-mug")
    product = RewardProduct(
        product_id=mugs["id"], variant_id=mugs["variants"][0]["id"], title="Cobalt mug", price_minor=2800
    )
    make(shop, five_off("order", combines=both), off)
    make(shop, terms("mug", kind="free_product", product=product, combines=both), mug)
    make(shop, terms("free", kind="free_shipping", combines=both), free)

    order = shop.order(("cobalt-mug", 2), codes=[off, mug.lower(), free], shipping=True)
    codes = dict(facts_of(shop, order).codes)
    # One mug of two is free, at 28.00, and 5.00 comes off the other; shipping is 4.95.
    assert codes == {off: 5_000_000, mug: 28_000_000, free: 4_950_000}
    by_search = [ask(shop, lambda client, code=code: orders_with_code(client, code)) for code in codes]  # type: ignore[misc]
    assert sorted(by_search) == [[], [], [order["id"]]]  # a search knows an order's first code alone
    assert adds_up(shop.app)


def test_a_code_is_used_once(shop: Shop) -> None:
    code = new_code()
    gid = make(shop, five_off("once"), code)
    order = shop.order(("cobalt-mug", 1), codes=[code])
    assert facts_of(shop, order).codes == ((code, 5_000_000),)
    assert ask(shop, lambda client: orders_with_code(client, code.lower())) == [order["id"]]
    assert ask(shop, lambda client: find_codes(client, gid, [code]))[code].uses == 1
    shop.change(order, "cancel")
    assert facts_of(shop, order).codes == ((code, 5_000_000),)


def test_gift_cards_and_store_credit_need_scopes_of_their_own(sqlite_world: World) -> None:
    shop = sqlite_world.shop()
    customer = shop.customer()
    card = {"code": new_code().lower(), "amount_minor": 1250, "currency": "EUR", "customer_id": customer}
    credited = {"customer_id": customer, "amount_minor": 700, "currency": "EUR"}
    with pytest.raises(MissingScope, match="write_gift_cards"):
        ask(shop, lambda client: create_gift_card(client, note="Regulars 1", **card))
    with pytest.raises(MissingScope, match="write_store_credit_account_transactions"):
        ask(shop, lambda client: credit(client, **credited))

    shop.do("grant_optional", scopes=["write_gift_cards"])
    made = ask(shop, lambda client: create_gift_card(client, note="Regulars 1", **card))
    assert (made.amount_minor, made.note, made.enabled) == (1250, "Regulars 1", True)
    with pytest.raises(Rejected) as refusal:
        ask(shop, lambda client: create_gift_card(client, note="Regulars 2", **card))
    assert refusal.value.code == "TAKEN"
    assert ask(shop, lambda client: cards_like(client, card["code"])) == [made]
    ask(shop, lambda client: deactivate_gift_card(client, made.gid))
    [again] = ask(shop, lambda client: cards_like(client, card["code"]))
    assert again.gid == made.gid and not again.enabled
    with pytest.raises(Rejected) as refusal:
        ask(shop, lambda client: create_gift_card(client, note="", **{**card, "customer_id": 1, "code": "a" * 16}))
    assert refusal.value.code == "CUSTOMER_NOT_FOUND"

    shop.do("grant_optional", scopes=["write_store_credit_account_transactions", "read_store_credit_accounts"])
    before = utcnow()

    def read_back() -> list[Any]:
        question = {"customer_id": customer, "since": before, "currency": "EUR"}
        return ask(shop, lambda client: credits_since(client, **question))

    assert read_back() == []
    gids = [ask(shop, lambda client: credit(client, **credited)) for _ in range(2)]
    assert {given.gid for given in read_back()} == set(gids) and len(gids) == len(set(gids))
    assert [given.amount_minor for given in read_back()] == [700, 700]
    with pytest.raises(Rejected) as refusal:
        ask(shop, lambda client: credit(client, customer_id=1, amount_minor=700, currency="EUR"))
    assert refusal.value.code == "OWNER_NOT_FOUND"

"""What points buy: each mistake has its words beside its field; an id names exactly the terms a shopper agrees to."""

import json
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.program.rewards import Reward, reward_errors, reward_id, reward_summary, reward_title
from tests.program.rewarding import PRODUCT, START, document, of_kind, reward, some_reward
from tests.program.test_program_settings import hostile

KINDS = ("amount_off", "percentage", "free_shipping", "free_product", "gift_card", "store_credit")


def errors(changes):
    with pytest.raises(ValidationError) as caught:
        Reward.model_validate({**document(), **changes} if isinstance(changes, dict) else changes)
    return reward_errors(caught.value)


def test_a_reward_reads_back_as_the_same_reward():
    for kind in KINDS:
        known = of_kind(kind, starts_at="2026-12-01T00:00:00+01:00", ends_at="2026-12-24T00:00:00+01:00")
        again = Reward.model_validate(json.loads(json.dumps(known.model_dump(mode="json"))))
        assert again == known
        assert reward_id(again, "EUR") == reward_id(known, "EUR")


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"points": 0}, "points", "Use 1 to 1,000,000,000 points, without decimals."),
        ({"points": -100}, "points", "Use 1 to 1,000,000,000 points, without decimals."),
        ({"points": 10**9 + 1}, "points", "Use 1 to 1,000,000,000 points, without decimals."),
        ({"points": 99.5}, "points", "Use 1 to 1,000,000,000 points, without decimals."),
        ({"points": "100"}, "points", "Use 1 to 1,000,000,000 points, without decimals."),
        ({"points": True}, "points", "Use 1 to 1,000,000,000 points, without decimals."),
        ({"amount_minor": 0}, "amount_minor", "Enter an amount above zero."),
        ({"amount_minor": -500}, "amount_minor", "Enter an amount above zero."),
        ({"amount_minor": None}, "amount_minor", "Enter an amount above zero."),
        ({"amount_minor": 10**12 + 1}, "amount_minor", "Enter an amount above zero."),
        ({"kind": "percentage", "percent": 101}, "percent", "Enter 1 to 100 %, without decimals."),
        ({"kind": "percentage", "percent": 0}, "percent", "Enter 1 to 100 %, without decimals."),
        ({"kind": "percentage", "percent": 12.5}, "percent", "Enter 1 to 100 %, without decimals."),
        ({"kind": "percentage"}, "percent", "Enter 1 to 100 %."),
        ({"kind": "free_product"}, "product", "Choose the product that is free."),
        (
            {"kind": "free_product", "product": {**PRODUCT, "variant_id": 0}},
            "product.variant_id",
            "Choose a product of your shop.",
        ),
        (
            {"kind": "free_product", "product": PRODUCT, "minimum_cart_minor": 1},
            "minimum_cart_minor",
            "Shopify cannot ask for a smallest cart where one product is free. Leave it at 0.",
        ),
        ({"kind": "a_pony"}, "kind", "Choose what the reward is."),
        ({"steps": {"least": 5, "most": 4}}, "steps.most", "Let the slider end at or after its start."),
        ({"steps": {"least": 1, "most": 51}}, "steps.most", "Let the slider have 50 stops at most."),
        (
            {"steps": {"least": 0, "most": 4}},
            "steps.least",
            "Let the slider go from one amount to another, in whole steps.",
        ),
        ({"steps": {"most": 4}, "amount_minor": 10**12}, "steps", "The largest amount is too large."),
        (
            {"kind": "percentage", "percent": 10, "steps": {"most": 4}},
            "steps",
            "Only amounts of money can be chosen on a slider.",
        ),
        ({"cart_share_percent": 0}, "cart_share_percent", "Use 1 to 100 % of the cart."),
        ({"cart_share_percent": 101}, "cart_share_percent", "Use 1 to 100 % of the cart."),
        (
            {"kind": "gift_card", "cart_share_percent": 50},
            "cart_share_percent",
            "Only an amount off an order can be capped as a share of the cart.",
        ),
        ({"minimum_cart_minor": -1}, "minimum_cart_minor", "Enter the smallest cart, or 0 if every cart will do."),
        ({"only_products": [0]}, "only_products", "Choose products from your shop, 100 at most."),
        ({"only_products": list(range(1, 102))}, "only_products", "Choose products from your shop, 100 at most."),
        ({"only_products": {"1": 2}}, "only_products", "Choose 100 products at most."),
        (
            {"kind": "gift_card", "only_products": [1]},
            "only_products",
            "Only an amount or a percentage off can be kept to some products.",
        ),
        ({"stock": {"count": 0}}, "stock.count", "Enter how many there are, 1 or more."),
        ({"per_member": {"count": -1}}, "per_member.count", "Enter how many each member may have, 1 or more."),
        ({"stock": {"count": 5, "period": "decade"}}, "stock.period", "Enter how many there are, 1 or more."),
        ({"budget": {"amount_minor": 0}}, "budget.amount_minor", "Enter an amount above zero."),
        (
            {"kind": "free_shipping", "amount_minor": None, "budget": {"amount_minor": 1}},
            "budget",
            "Say what one costs you, so that a budget can be kept.",
        ),
        ({"starts_at": "2026-12-24", "ends_at": None}, "starts_at", "Enter a day and a time."),
        ({"starts_at": "2026-12-24T12:00:00"}, "starts_at", "Enter a day and a time."),  # whose noon?
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at", "Enter a day and a time."),
        ({"ends_at": "9999-12-31T23:00:00-14:00"}, "ends_at", "Enter a day and a time."),
        (
            {"starts_at": "2026-12-24T12:00:00Z", "ends_at": "2026-12-24T13:00:00+01:00"},
            "ends_at",
            "Let it end after it starts.",
        ),
        (
            {"starts_at": "2026-12-24T12:00:00Z", "ends_at": "2026-12-01T12:00:00Z"},
            "ends_at",
            "Let it end after it starts.",
        ),
        ({"valid_days": 0}, "valid_days", "Use 1 to 365 days."),
        ({"valid_days": 366}, "valid_days", "Use 1 to 365 days."),
        ({"combines": {"order": "yes"}}, "combines.order", "Say which discounts may stand beside it."),
        ({"give_back": "half"}, "give_back", "Choose what comes back when an order is returned."),
        ({"title": "x" * 61}, "title", "Keep the title under 60 characters."),
        ({"title": "two\nlines"}, "title", "Give the reward a title of one line."),
        ({"title": "a\0b"}, "title", "Give the reward a title of one line."),
        ({"title": "\ud800"}, "title", "Give the reward a title of 60 characters at most."),
        ({"slot": "Off 1"}, "slot", "This reward has no place in the program."),
        ({"slot": "off\n"}, "slot", "This reward has no place in the program."),
        ({"discount": 5}, "discount", "A reward has no such setting."),
    ],
)
def test_each_mistake_has_its_words_beside_its_field(changes, field, message):
    assert errors(changes) == {field: message}


def test_every_mistake_is_told_at_once():
    found = errors({"points": 0, "valid_days": 0, "give_back": "half", "minimum_cart_minor": -1})
    assert set(found) == {"points", "valid_days", "give_back", "minimum_cart_minor"}


@pytest.mark.parametrize("sent", [None, [], "reward", 5, float("nan")])
def test_something_else_altogether_is_an_error_and_not_an_exception(sent):
    assert errors(sent) == {"": "This is not a reward."}


@given(st.sampled_from(sorted(Reward.model_fields)), hostile)
def test_hostile_values_give_errors_that_can_be_stored(field, value):
    try:
        known = Reward.model_validate({**document(), field: value})
    except ValidationError as error:
        said = reward_errors(error)
        assert said and all(said.values())
    else:
        stored = json.dumps(known.model_dump(mode="json"), ensure_ascii=False, allow_nan=False).encode()
        assert Reward.model_validate(json.loads(stored)) == known
        assert reward_id(known, "EUR") and reward_title(known, "EUR") and reward_summary(known, "EUR")


# --- the id ---------------------------------------------------------------------------------------------------------


@given(some_reward(), st.integers(1, 10_000), st.integers(0, 900))
def test_price_wording_and_cost_are_no_terms(known, points, cost_minor):
    other = known.model_copy(update={"title": "Something else", "points": points, "cost_minor": cost_minor})
    assert reward_id(other, "EUR") == reward_id(known, "EUR")


@given(some_reward(), some_reward())
def test_two_rewards_have_one_id_only_if_they_differ_in_nothing_else(a, b):
    no_terms = {"title": "", "points": 1, "cost_minor": None}
    same = a.model_copy(update=no_terms) == b.model_copy(update=no_terms)
    assert (reward_id(a, "EUR") == reward_id(b, "EUR")) is same


@given(some_reward(), some_reward(), st.data())
def test_every_other_term_that_changes_makes_another_id(a, b, data):
    changed = data.draw(st.sampled_from(sorted(Reward.model_fields.keys() - {"title", "points", "cost_minor"})))
    assume(getattr(a, changed) != getattr(b, changed))
    other = a.model_copy(update={changed: getattr(b, changed)})
    assert reward_id(other, "EUR") != reward_id(a, "EUR")


def test_another_currency_is_another_reward():
    assert reward_id(reward(), "EUR") != reward_id(reward(), "USD")


def test_the_price_of_a_free_product_is_a_term_and_its_title_is_not():
    mug = of_kind("free_product")
    assert reward_id(of_kind("free_product", product={**PRODUCT, "title": "Bowl"}), "EUR") == reward_id(mug, "EUR")
    assert reward_id(of_kind("free_product", product={**PRODUCT, "price_minor": 1}), "EUR") != reward_id(mug, "EUR")


def test_how_a_moment_or_a_list_is_written_is_no_term():
    utc, berlin = datetime(2026, 12, 1, tzinfo=UTC), timezone(timedelta(hours=1))
    a = reward(starts_at=utc.isoformat(), only_products=[3, 1, 3])
    b = reward(starts_at=utc.astimezone(berlin).isoformat(), only_products=[1, 3])
    assert a == b and reward_id(a, "EUR") == reward_id(b, "EUR")


def test_an_id_is_short_and_plain():
    assert reward_id(reward(), "EUR").isalnum() and len(reward_id(reward(), "EUR")) == 16


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (of_kind("free_product"), "one product is free"),
        (of_kind("gift_card"), "without a cart"),
        (of_kind("store_credit"), "without a cart"),
    ],
)
def test_a_smallest_cart_is_asked_for_only_where_shopify_can(known, said):
    with pytest.raises(ValidationError, match=said):
        Reward.model_validate({**known.model_dump(mode="json"), "minimum_cart_minor": 5000})


# --- amounts --------------------------------------------------------------------------------------------------------


@given(some_reward())
def test_amounts_are_few_and_each_step_is_worth_as_much_as_the_last(known):
    amounts = known.amounts()
    assert 1 <= len(amounts) <= 50
    if known.amount_minor is None:
        assert amounts == (None,)
    else:
        assert {b - a for a, b in pairwise(amounts)} <= {known.amount_minor}


@given(st.integers(1, 10**12), st.integers(1, 100), st.integers(0, 10**6))
def test_the_smallest_cart_is_the_first_of_which_the_amount_is_no_more_than_the_share(amount, share, minimum):
    known = reward(amount_minor=amount, cart_share_percent=share, minimum_cart_minor=minimum)
    least = known.minimum_for(amount)
    assert amount * 100 <= share * least
    assert least == minimum or amount * 100 > share * (least - 1)


@pytest.mark.parametrize(
    ("known", "cost"),
    [
        (reward(cost_minor=7), 500),  # what it takes off is what it costs
        (of_kind("free_shipping", cost_minor=490), 490),
        (of_kind("free_shipping"), None),
        (of_kind("gift_card"), 500),
    ],
)
def test_what_one_costs(known, cost):
    assert known.cost_of_one(known.amount_minor) == cost


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "title"),
    [
        (reward(), "€5\u00a0off"),
        (reward(title="A treat"), "A treat"),
        (reward(steps={"least": 1, "most": 10}), "€5 to €50 off"),
        (of_kind("percentage"), "10\u00a0% off"),
        (of_kind("free_shipping"), "Free shipping"),
        (of_kind("free_product"), "Free Ash mug"),
        (of_kind("gift_card"), "€5 gift card"),
        (of_kind("store_credit"), "€5 store credit"),
    ],
)
def test_what_shoppers_read(known, title):
    assert reward_title(known, "EUR") == title


def test_a_chosen_amount_is_what_it_says():
    slider = reward(title="As much as you like", steps={"least": 1, "most": 10})
    assert reward_title(slider, "EUR", 1500) == "€15\u00a0off"


def test_one_sentence_each_for_the_merchant():
    known = reward(
        minimum_cart_minor=2000, stock={"count": 50, "period": "month"}, per_member={"count": 1},
        budget={"amount_minor": 10_000, "period": "year"}, starts_at=START, valid_days=1,
    )  # fmt: skip
    assert reward_summary(known, "EUR") == (
        "100 points: €5\u00a0off. Carts from €20.00. 50 in all a month. 1 a member. Budget €100.00 a year. "
        "Unused for 1 day it is given back."
    )

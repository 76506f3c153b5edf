"""The margin guard: what one order can give away, where it is most, and how to keep it smaller."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.program.margin import given_away, margin_warnings, value_of_a_point, value_of_earning
from app.program.presets import preset
from app.program.rewards import Combines, Reward, RewardProduct, Steps
from app.program.settings import Margin, ProgramSettings

MUG = RewardProduct(product_id=1, variant_id=2, title="Ash mug", price_minor=2800)


def program(*rewards: Reward, points: int = 1, percent: int = 50, share: int = 50, **earning) -> ProgramSettings:
    base = preset("starter", "EUR")
    margin = Margin(percent=percent, most_share_percent=share)
    earning = base.earning.model_copy(update={"points": points, **earning})
    return base.model_copy(update={"rewards": rewards, "margin": margin, "earning": earning})


def five_off(**more) -> Reward:
    return Reward(**{"slot": "off", "kind": "amount_off", "points": 100, "amount_minor": 500, **more})


def sentences(*rewards: Reward, **more) -> list[str]:
    return [warning.sentence for warning in margin_warnings(program(*rewards, **more))]


def test_a_point_is_worth_what_the_best_reward_gives_for_it():
    mug = Reward(slot="mug", kind="free_product", points=280, product=MUG)  # 10 a point
    assert value_of_a_point(program(five_off())) == 5
    assert value_of_a_point(program(five_off(), mug)) == 10
    assert value_of_a_point(program(five_off(), mug.model_copy(update={"cost_minor": 700}))) == 5
    assert value_of_earning(program(five_off())) == Fraction(5, 100)


def test_without_a_reward_nothing_is_given_away():
    assert (value_of_a_point(program()), margin_warnings(program())) == (0, [])


def test_an_order_gives_away_its_reward_and_the_points_for_what_is_then_paid():
    found = given_away(program(five_off(minimum_cart_minor=2000)), five_off(minimum_cart_minor=2000))
    assert (found.cart_minor, found.used, found.earned) == (2000, Fraction(500, 2000), Fraction(15 * 5, 2000))


def test_too_much_of_the_margin_is_said_with_the_cart_that_would_do():
    assert sentences(five_off(minimum_cart_minor=2000)) == [
        "An order of €20.00 with €5\u00a0off gives away €5.75, 58\u00a0% of your margin. "
        "Ask for a cart of €23.75 to stay within 50\u00a0% of your margin."
    ]
    assert sentences(five_off(minimum_cart_minor=2375)) == []


def test_an_amount_without_a_smallest_cart_is_said_honestly():
    assert sentences(five_off()) == [
        "€5\u00a0off works on any cart, so a small order can cost nothing at all. "
        "Ask for a cart of €23.75 to stay within 50\u00a0% of your margin."
    ]


def test_a_cap_as_a_share_of_the_cart_is_a_smallest_cart():
    assert sentences(five_off(cart_share_percent=20)) == []
    assert "An order of €10.00" in sentences(five_off(cart_share_percent=50))[0]


def test_a_slider_is_judged_where_it_gives_most():
    slider = five_off(steps=Steps(least=1, most=10), minimum_cart_minor=6000)
    assert sentences(slider) == [
        "An order of €60.00 with €50\u00a0off gives away €50.50, 169\u00a0% of your margin. "
        "Cap it at 21\u00a0% of the cart to stay within 50\u00a0% of your margin."
    ]
    assert sentences(five_off(steps=Steps(least=1, most=10), cart_share_percent=21)) == []


@pytest.mark.parametrize(("percent", "warned"), [(21, 0), (22, 1), (100, 1)])
def test_a_percentage_is_the_same_share_of_every_cart(percent, warned):
    reward = Reward(slot="p", kind="percentage", points=500, percent=percent)
    assert len(sentences(five_off(minimum_cart_minor=10_000), reward)) == warned


def test_a_percentage_says_which_one_would_do():
    reward = Reward(slot="p", kind="percentage", points=500, percent=30)
    assert sentences(five_off(minimum_cart_minor=10_000), reward) == [
        "An order with 30\u00a0% off gives away 34\u00a0% of its price, 67\u00a0% of your margin. "
        "Take 21\u00a0% to stay within 50\u00a0% of your margin."
    ]


def test_a_free_product_alone_in_the_cart_costs_what_it_costs():
    mug = Reward(slot="mug", kind="free_product", points=1000, product=MUG)
    assert given_away(program(mug), mug).used == 1
    cheap = mug.model_copy(update={"cost_minor": 560})
    assert given_away(program(cheap), cheap).used == Fraction(1, 5)
    assert given_away(program(cheap), cheap).cart_minor == 2800


def test_shipping_counts_once_its_cost_is_known():
    shipping = Reward(slot="s", kind="free_shipping", points=100, minimum_cart_minor=1000)
    assert given_away(program(shipping), shipping) is None
    known = shipping.model_copy(update={"cost_minor": 490})
    assert given_away(program(known), known).used == Fraction(49, 100)


def test_cards_and_credit_are_money_by_the_time_an_order_is_paid_with_them():
    card = Reward(slot="c", kind="gift_card", points=100, amount_minor=1000)
    assert given_away(program(card), card) is None
    assert value_of_a_point(program(card)) == 10


def test_points_alone_can_be_too_much():
    assert sentences(Reward(slot="c", kind="gift_card", points=100, amount_minor=1000), points=4) == [
        "The points an order earns are worth 40\u00a0% of its price, 80\u00a0% of your margin, "
        "before any reward is used."
    ]


def test_rewards_that_go_together_are_counted_together():
    alone = five_off(minimum_cart_minor=3000)
    shipping = Reward(slot="s", kind="free_shipping", points=100, cost_minor=400)
    assert sentences(alone, shipping)[0].startswith("Free shipping works on any cart")
    willing = shipping.model_copy(update={"combines": Combines(order=True), "minimum_cart_minor": 3000})
    assert "with €5\u00a0off and Free shipping gives away €10.05" in sentences(alone, willing)[0]
    twice = alone.model_copy(update={"combines": Combines(order=True)})
    assert given_away(program(twice), twice).used == Fraction(1000, 3000)  # two codes of the same reward


def test_a_wider_guard_lets_more_through():
    assert sentences(five_off(minimum_cart_minor=2000), share=60) == []
    assert sentences(five_off(minimum_cart_minor=2000), percent=80) == []


REWARDS = st.builds(
    five_off,
    points=st.integers(10, 1000),
    amount_minor=st.integers(1, 5000),
    minimum_cart_minor=st.integers(0, 20_000),
    cart_share_percent=st.none() | st.integers(1, 100),
)


@settings(max_examples=200, deadline=None)
@given(reward=REWARDS, points=st.integers(1, 5), rounding=st.sampled_from(["down", "nearest", "up"]), data=st.data())
def test_what_is_advised_is_enough(reward, points, rounding, data):
    percent, share = data.draw(st.integers(1, 100)), data.draw(st.integers(1, 100))
    found = sentences(reward, points=points, percent=percent, share=share, rounding=rounding)
    advised = [words for words in found if "Ask for a cart of" in words]
    for words in advised:
        amount = words.partition("Ask for a cart of €")[2].split()[0].replace(",", "")
        wider = reward.model_copy(update={"minimum_cart_minor": int(amount.replace(".", ""))})
        assert sentences(wider, points=points, percent=percent, share=share, rounding=rounding) == []


@settings(max_examples=200, deadline=None)
@given(reward=REWARDS, cart=st.integers(1, 100_000), points=st.integers(1, 5))
def test_no_larger_cart_gives_away_a_larger_share(reward, cart, points):
    """An oracle that asks the earning rule alone, on any cart the reward works on."""
    rules = program(reward, points=points)
    found = given_away(rules, reward)
    cart = max(cart, reward.minimum_for(reward.amount_minor), reward.amount_minor)
    paid = cart - reward.amount_minor
    earned = (paid // 100) * points * Fraction(reward.amount_minor, reward.points)
    # A whole step more is earned for one cent more, so "smallest is worst" holds but for that step.
    step = points * Fraction(reward.amount_minor, reward.points) / cart
    if value_of_earning(rules) <= 1:
        assert (reward.amount_minor + earned) / cart <= found.share + step

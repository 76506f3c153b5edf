"""The presets say what DESIGN §8 says."""

import pytest

from app.program.earning import decide
from app.program.presets import PRESETS, preset
from app.program.rewards import reward_title
from app.program.settings import ProgramSettings
from tests.program.orders import line, order


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_each_is_a_complete_valid_document(name, currency):
    settings = preset(name, currency)
    assert ProgramSettings.model_validate(settings.document()) == settings
    assert settings.referral is None
    assert PRESETS[name].title and PRESETS[name].summary.endswith(".")


@pytest.mark.parametrize(
    ("name", "currency", "price", "points"),
    [
        ("starter", "EUR", "12.75", 12),
        ("starter-double", "EUR", "12.75", 24),
        ("starter", "JPY", "1275", 12),
        ("starter-double", "JPY", "1275", 24),
        ("starter", "KWD", "12.750", 12),
    ],
)
def test_points_for_a_whole_unit(name, currency, price, points):
    assert decide(order(line(price=price), currency=currency), preset(name, currency)).points == points


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(
    ("currency", "amount_minor", "title"),
    [("EUR", 500, "€5\u00a0off"), ("JPY", 500, "¥500\u00a0off"), ("KWD", 5000, "KWD\u00a05\u00a0off")],
)
def test_a_hundred_points_are_five_units_off_an_order_for_thirty_days(name, currency, amount_minor, title):
    (reward,) = preset(name, currency).rewards
    assert (reward.kind, reward.points, reward.amount_minor) == ("amount_off", 100, amount_minor)
    assert (reward.valid_days, reward.give_back, reward.minimum_cart_minor) == (30, "share", 0)
    assert reward_title(reward, currency) == title


def test_starter_counts_discounted_products_of_paid_orders_at_once():
    earning = preset("starter", "EUR").earning
    assert not earning.counts.tax and not earning.counts.shipping and not earning.test_orders
    assert (earning.trigger, earning.hold_days, earning.rounding) == ("paid", 0, "down")


def test_test_orders_count_only_when_asked():
    assert decide(order(test=True), preset("starter", "EUR")).reason == "test_order"
    assert decide(order(test=True), preset("starter", "EUR", test_orders=True)).points == 28


def test_there_is_no_other():
    with pytest.raises(KeyError):
        preset("stars", "EUR")

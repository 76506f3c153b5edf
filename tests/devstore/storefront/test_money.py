"""Money as the shop's format writes it."""

import pytest
from liquid import Environment

from app.devstore.storefront.dialect import HIDDEN_NAME, Page
from app.devstore.storefront.dialect.money import FILTERS, as_liquid_amount

ENV = Environment()
for name, function in FILTERS.items():
    ENV.add_filter(name, function)


def shown(expression: str, **page: object) -> str:
    return ENV.from_string("{{ " + expression + " }}").render(**{HIDDEN_NAME: Page(**page)})


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("2800 | money", "€28.00"),
        ("0 | money", "€0.00"),
        ("5 | money", "€0.05"),
        ("123456789 | money", "€1,234,567.89"),
        ("-500 | money", "€-5.00"),
        ("'2800' | money", "€28.00"),
        ("nil | money", ""),
        ("'pots' | money", ""),
        ("2800 | money_with_currency", "€28.00 EUR"),
        ("2800 | money_without_currency", "28.00"),
        ("500 | money_without_trailing_zeros", "€5"),
        ("550 | money_without_trailing_zeros", "€5.50"),
        ("100000 | money_without_trailing_zeros", "€1,000"),
        ("123456 | money_amount", "1234.56"),
    ],
)
def test_writes_hundredths_in_the_shops_format(expression, text):
    assert shown(expression) == text


@pytest.mark.parametrize(
    ("placeholder", "text"),
    [
        ("amount", "1,134.65"),
        ("amount_no_decimals", "1,135"),
        ("amount_with_comma_separator", "1.134,65"),
        ("amount_no_decimals_with_comma_separator", "1.135"),
        ("amount_with_apostrophe_separator", "1'134.65"),
        ("amount_no_decimals_with_space_separator", "1 135"),
        ("amount_with_space_separator", "1 134,65"),
        ("amount_with_period_and_space_separator", "1 134.65"),
    ],
)
def test_knows_every_placeholder_of_shopifys_formats(placeholder, text):
    assert shown("113465 | money", money_format="{{" + placeholder + "}}") == text


def test_yen_are_hundredths_in_liquid_and_whole_in_print():
    amount = as_liquid_amount(1000, 0)
    assert amount == 100_000
    assert shown(f"{amount} | money", money_format="¥{{amount_no_decimals}}", exponent=0) == "¥1,000"


def test_dinars_have_three_decimals():
    assert shown("1234 | money", money_format="{{amount}} KD", exponent=3) == "1.234 KD"

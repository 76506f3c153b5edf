"""Money is exact, and no float comes near it."""

import ast
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.program
from app.program.money import (
    exact_text,
    exponent,
    format_money,
    micro_per_minor,
    micro_text,
    parse_exact,
    parse_micro,
    to_minor,
)


@pytest.mark.parametrize(
    ("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("TND", 3), ("XXX", 2)]
)
def test_knows_the_digits_of_a_currency(currency, digits):
    assert exponent(currency) == digits


@pytest.mark.parametrize(
    ("amount", "micro"),
    [
        ("28.00", 28_000_000),
        ("0.0", 0),
        ("-0.50", -500_000),
        ("1200", 1_200_000_000),
        ("1.0000000", 1_000_000),
        (Decimal("1E+2"), 100_000_000),
        (Decimal("749.95"), 749_950_000),
        (12, 12_000_000),
    ],
)
def test_reads_amounts_as_shopify_writes_them(amount, micro):
    assert parse_micro(amount) == micro


@pytest.mark.parametrize(
    "amount",
    [
        "", ".5", "5.", "1,5", "1e9", "NaN", "--1", "+1", " 1", "1 ", "٣", "1.²", "0.1234567", "9" * 5000, "1" * 14,
        Decimal("NaN"), Decimal("Infinity"), Decimal("1e999999"), Decimal("1e-999999"), Decimal("0.1234567"),
        1.5, True, None, 10**13, -(10**400),
    ],
)  # fmt: skip
def test_refuses_what_is_no_amount(amount):
    with pytest.raises(ValueError):
        parse_micro(amount)


@given(st.integers(-(10**18), 10**18))
def test_text_of_an_amount_reads_back(micro):
    assert parse_micro(micro_text(micro)) == micro
    assert Fraction(micro_text(micro)) * 10**6 == micro


@given(st.fractions(max_denominator=10**9) | st.integers())
def test_exact_text_loses_nothing(micro):
    assert parse_exact(exact_text(micro)) == micro
    assert Fraction(exact_text(micro)) * 10**6 == micro


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (51_200_000, "51.2"),
        (Fraction(20_000_000, 3), "20/3"),
        (Fraction(1, 2), "0.0000005"),
        (Fraction(-5, 2), "-0.0000025"),
    ],
)
def test_exact_text_is_a_decimal_where_one_is_exact(micro, text):
    assert exact_text(micro) == text


def test_minor_units():
    assert to_minor("12.755", "EUR") == Fraction(2551, 2)
    assert to_minor("1200.00", "JPY") == 1200
    assert to_minor(Decimal("1.234"), "KWD") == 1234
    assert micro_per_minor("EUR") == 10_000


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        (5120, "EUR", "€51.20"),
        (123_456_789, "USD", "$1,234,567.89"),
        (1200, "JPY", "¥1,200"),
        (1234, "KWD", "KWD\u00a01.234"),
        (174_600, "PLN", "PLN\u00a01,746.00"),
        (-2800, "EUR", "−€28.00"),
        (Fraction(2000, 3), "EUR", "€6.66"),
        (Fraction(-1, 3), "EUR", "€0.00"),
    ],
)
def test_amounts_in_words_are_cut_and_keep_their_zeros(minor, currency, words):
    assert format_money(minor, currency) == words


def test_only_a_rate_drops_the_zeros():
    assert format_money(100, "EUR", whole=True) == "€1"
    assert format_money(250, "EUR", whole=True) == "€2.50"
    assert format_money(1000, "KWD", whole=True) == "KWD\u00a01"


def test_no_float_in_the_program():
    """Colour is the one exception: palette.py says why."""
    for path in Path(app.program.__file__).parent.rglob("*.py"):
        if path.name == "palette.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"{path.name}:{node.lineno}"
            assert not (isinstance(node, ast.Name) and node.id == "float"), f"{path.name}:{node.lineno}"
            if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
                assert "Fraction(" in ast.unparse(node), f"{path.name}:{node.lineno}"

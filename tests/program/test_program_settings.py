"""The settings document: every error beside its field, in words, whatever is sent."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.program.settings import ProgramSettings, describe_changes, errors_by_field, plain_summary
from tests.program.orders import program

DOCUMENT = program().document()
REWARD = {"slot": "off", "kind": "amount_off", "points": 100, "amount_minor": 500}


def fields(document, path=()):
    for key, value in document.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from fields(value, (*path, key))


def changed(path, value):
    document = copy.deepcopy(DOCUMENT)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return document


def errors(document):
    with pytest.raises(ValidationError) as caught:
        ProgramSettings.model_validate(document)
    return errors_by_field(caught.value)


def test_a_document_reads_back_as_the_same_settings():
    settings = program(exclude={"products": [5, 5, 4], "vendors": [" Acme ", "ACME", "Bo"]})
    assert settings.earning.exclude.products == (5, 4)
    assert settings.earning.exclude.vendors == ("Acme", "Bo")
    assert ProgramSettings.model_validate(json.loads(json.dumps(settings.document()))) == settings


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("earning.hold_days", 91, "Use 0 to 90 days. Most shops match their return window."),
        ("earning.hold_days", -1, "Use 0 to 90 days. Most shops match their return window."),
        ("earning.points", 0, "Use 1 to 1,000,000 points, without decimals."),
        ("earning.points", 1.5, "Use 1 to 1,000,000 points, without decimals."),
        ("earning.points", "1", "Use 1 to 1,000,000 points, without decimals."),
        ("earning.points", True, "Use 1 to 1,000,000 points, without decimals."),
        ("earning.per_minor", 0, "Enter an amount above zero."),
        ("earning.rounding", "bankers", "Choose down, to the nearest, or up."),
        ("earning.counts.tax", 1, "Say whether tax counts."),
        ("earning.minimum_order_minor", -1, "Enter the smallest order that earns, or 0 if every order does."),
        ("earning.exclude.products", [0], "Choose products from your shop, 500 at most."),
        ("earning.exclude.products", list(range(1, 502)), "Choose products from your shop, 500 at most."),
        ("earning.exclude.vendors", ["a\0b"], "Enter names of vendors, 100 at most."),
        ("earning.trigger", "shipped", "Choose paid or fulfilled."),
        ("look.accent", "blue", "Enter a colour as six digits, such as #2447a8."),
        ("look.accent", "#2447a8\n", "Enter a colour as six digits, such as #2447a8."),
        ("look.corner", "left", "Choose the start or the end corner."),
        ("look.launcher", None, "Choose a pill, a circle or a tab."),
        ("look.radius", 7, "Choose square, slight, soft or round corners."),
        ("look.radius", False, "Choose square, slight, soft or round corners."),
        ("look.offset", 201, "Use 0 to 200 pixels."),
        ("name", "", "Give the program a name of 1 to 40 characters."),
        ("name", "\ud800", "Give the program a name of 1 to 40 characters."),
        ("currency", "euro", "Use your shop's currency, as three capital letters."),
        ("rewards", {}, "A program has 50 rewards at most, each in a place of its own."),
        ("rewards", [REWARD, REWARD], "A program has 50 rewards at most, each in a place of its own."),
        (
            "rewards",
            [{**REWARD, "slot": f"r{n}"} for n in range(51)],
            "A program has 50 rewards at most, each in a place of its own.",
        ),
        ("margin.percent", 0, "Use 1 to 100 %."),
        ("margin.most_share_percent", 101, "Use 1 to 100 %."),
        ("margin.stop", 1, "Say whether publishing is refused."),
        ("referral", {}, "Leave this empty. The program has no referrals yet."),
        ("earning.tiers", [], "The program has no such setting."),
    ],
)
def test_each_mistake_has_its_words_beside_its_field(path, value, message):
    assert errors(changed(path.split("."), value)) == {path: message}


def test_every_mistake_is_told_at_once():
    document = changed(["earning", "hold_days"], 120)
    document["look"]["radius"], document["name"] = 5, " "
    assert set(errors(document)) == {"earning.hold_days", "look.radius", "name"}


def test_what_is_missing_is_named():
    assert errors({})["earning"] == "This is missing. Say how orders earn points."


@pytest.mark.parametrize("document", [None, [], "starter", 5, float("nan"), {1: 2}, {"\ud800\0": 1}])
def test_something_else_altogether_is_an_error_and_not_an_exception(document):
    assert errors(document)


hostile = st.recursive(
    st.sampled_from(
        [
            None,
            True,
            False,
            0,
            -0.0,
            -1,
            1e400,
            float("nan"),
            10**400,
            -(2**63),
            "",
            "\ud800",
            "\0",
            "x" * 10_000,
            "１",
            b"x",
        ]
    )
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(list(fields(DOCUMENT))), hostile)
def test_hostile_values_give_errors_that_can_be_stored(path, value):
    try:
        settings = ProgramSettings.model_validate(changed(path, value))
    except ValidationError as error:
        said = errors_by_field(error)
        assert said and all(said.values())
        assert "\0" not in json.dumps(said, ensure_ascii=False).encode().decode()
    else:
        json.dumps(settings.document(), ensure_ascii=False, allow_nan=False).encode()
        assert ProgramSettings.model_validate(settings.document()) == settings


def test_changes_in_words():
    old = program(exclude={"products": [1, 2], "vendors": ["Acme"]})
    new = program(
        points=2, hold_days=14, counts={"shipping": True}, minimum_order_minor=500,
        exclude={"products": [2, 3, 4], "vendors": ["Bo"]},
    )  # fmt: skip
    assert describe_changes(old, new) == [
        "Points for orders: 1 point for every €1 → 2 points for every €1",
        "Shipping: does not count → counts",
        "Smallest order that earns: none → €5.00",
        "Days pending: 0 → 14",
        "Never earns: Bo",
        "Never earns: 2 more products",
        "Earns again: Acme",
        "Earns again: 1 product",
    ]
    assert describe_changes(old, old) == []


def test_every_setting_that_differs_is_told():
    other = {
        "name": "Club", "currency": "USD", "earning.points": 9, "earning.per_minor": 9, "earning.rounding": "up",
        "earning.counts.tax": True, "earning.counts.shipping": True, "earning.minimum_order_minor": 9,
        "earning.exclude.products": [9], "earning.exclude.vendors": ["V"], "earning.trigger": "fulfilled",
        "earning.hold_days": 9, "earning.test_orders": True, "look.accent": "#000000", "look.corner": "start",
        "look.launcher": "tab", "look.radius": 0, "look.offset": 9, "margin.percent": 9,
        "margin.most_share_percent": 9, "margin.stop": True,
    }  # fmt: skip
    leaves = {".".join(path) for path in fields(DOCUMENT)}
    parents = {"earning", "earning.counts", "earning.exclude", "look", "margin", "rewards", "referral"}
    assert leaves - parents == set(other)
    for path, value in other.items():
        assert len(
            describe_changes(program(), ProgramSettings.model_validate(changed(path.split("."), value)))
        ) == 1 + (
            path == "currency"  # and the rate reads differently
        )


def test_summary():
    assert plain_summary(program()) == (
        "1 point for every €1 spent on products, after discounts. "
        "Points arrive once the order is paid. A return takes back its own points."
    )
    settings = program(
        counts={"tax": True, "shipping": True}, minimum_order_minor=2000, trigger="fulfilled", hold_days=14
    )
    assert plain_summary(settings) == (
        "1 point for every €1 spent on products, shipping and tax, after discounts. Orders from €20.00 earn. "
        "Points arrive once the order is fulfilled and 14 days have passed. A return takes back its own points."
    )

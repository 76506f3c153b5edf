"""A dev store whose app may write discounts, asked over HTTP, and the documents these tests ask with."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.devstore.records import Shop
from tests.devstore.platform.conftest import SHOP, Control, as_before, control, fake_app

__all__ = ["SHOP", "Control", "as_before", "control", "fake_app"]

Ask = Callable[..., Any]

CREATE = """mutation Make($input: DiscountCodeBasicInput!) { discountCodeBasicCreate(basicCodeDiscount: $input) {
  codeDiscountNode { id codeDiscount { __typename ... on DiscountCodeBasic {
    title status summary startsAt endsAt createdAt updatedAt asyncUsageCount discountClasses usageLimit tags
    combinesWith { productDiscounts orderDiscounts shippingDiscounts }
    codes(first: 2) { nodes { id code asyncUsageCount }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
    context { __typename ... on DiscountBuyerSelectionAll { all } }
    customerGets { value { __typename ... on DiscountPercentage { percentage }
        ... on DiscountAmount { amount { amount currencyCode } appliesOnEachItem } }
      items { __typename ... on AllDiscountItems { allItems }
        ... on DiscountProducts { products(first: 5) { nodes { id } } productVariants(first: 5) { nodes { id } } }
        ... on DiscountCollections { collections(first: 5) { nodes { id } } } }
      appliesOnOneTimePurchase appliesOnSubscription }
    minimumRequirement { __typename
      ... on DiscountMinimumSubtotal { greaterThanOrEqualToSubtotal { amount currencyCode } }
      ... on DiscountMinimumQuantity { greaterThanOrEqualToQuantity } } } } }
  userErrors { field message code extraInfo } } }"""


def fresh(word: str = "CODE") -> str:
    return f"{word}{uuid.uuid4().hex[:10].upper()}"


def terms(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Ten percent",
        "code": fresh(),
        "startsAt": "2026-01-01T00:00:00.123Z",
        "context": {"all": "ALL"},
        "customerGets": {"value": {"percentage": 0.1}, "items": {"all": True}},
        **changes,
    }


def gid(kind: str, id: int) -> str:
    return f"gid://shopify/{kind}/{id}"


@pytest.fixture(scope="module")
def token(control: Control) -> str:
    """Of an installation that may write discounts, whatever the app's TOML asks for today."""
    devstore = control.devstore
    devstore.app = replace(devstore.app, scopes=(*devstore.app.scopes, "write_discounts", "read_products"))
    devstore.apps.grant_scopes(devstore.shop(SHOP))
    return control.exchange().json()["access_token"]


@pytest.fixture
def ask(control: Control, token: str) -> Ask:
    def asked(document: str, /, **variables: Any) -> Any:
        answer = control.graphql(document, token=token, **variables).json()
        assert "errors" not in answer, answer["errors"]
        (payload,) = answer["data"].values()
        return payload

    return asked


@pytest.fixture
def made(ask: Ask) -> str:
    """A discount's GID."""
    return ask(CREATE, input=terms())["codeDiscountNode"]["id"]


@pytest.fixture
def shop(control: Control) -> Shop:
    return control.devstore.shop(SHOP)

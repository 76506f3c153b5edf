"""A dev store whose app may issue gift cards and store credit, asked over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.devstore.records import Customer, Shop
from tests.devstore.platform.conftest import SHOP, Control, as_before, control, fake_app

__all__ = ["SHOP", "Control", "as_before", "control", "fake_app"]

SCOPES = (
    *("write_gift_cards", "write_gift_card_transactions", "write_customers", "read_orders"),
    *("read_store_credit_accounts", "write_store_credit_account_transactions"),
)
Ask = Callable[..., Any]


def gid(kind: str, id: int) -> str:
    return f"gid://shopify/{kind}/{id}"


@pytest.fixture
def shop(control: Control) -> Shop:
    found = control.devstore.shop(SHOP)
    assert found is not None
    return found


@pytest.fixture
def customer(control: Control, shop: Shop) -> Iterator[Customer]:
    """One of this test's own."""
    yield control.devstore.create_customer(shop, email=f"{control.devstore.store.next_id('test')}@example.com")


@pytest.fixture
def grant(control: Control, shop: Shop) -> Callable[..., None]:
    """The scopes of the installation, whatever the app's TOML asks for today."""

    def granted(*scopes: str) -> None:
        installation = control.devstore.apps.installed(shop)
        assert installation is not None
        control.devstore.store.save(replace(installation, scopes=sorted(scopes)))

    return granted


@pytest.fixture
def ask(control: Control, grant: Callable[..., None]) -> Ask:
    """ask(document, **variables) -> the whole answer, with a token of this moment: tests move the clock."""
    grant(*SCOPES)

    def asked(document: str, /, **variables: Any) -> Any:
        response = control.graphql(document, **variables)
        assert response.status_code == 200, response.text
        return response.json()

    return asked


@pytest.fixture
def data(ask: Ask) -> Ask:
    """The one field that was asked for, when nothing may be wrong."""

    def asked(document: str, /, **variables: Any) -> Any:
        answer = ask(document, **variables)
        assert "errors" not in answer, answer["errors"]
        return next(iter(answer["data"].values()))

    return asked


@pytest.fixture(autouse=True)
def the_systems_time_afterwards(control: Control) -> Iterator[None]:
    yield
    control.post("clock", back=True)
    control.post("api/faults")

"""Gift cards and store credit by the control API: a tester's eyes and a merchant's hands."""

from __future__ import annotations

import requests

from .conftest import SHOP


def test_a_merchants_gift_card(control, customer):
    made = control.post(
        f"shops/{SHOP}/gift_cards", amount_minor=2500, code="MERCHANT 1234", customer_id=customer.id, note="Sorry"
    )
    assert (made["code"], made["last_characters"], made["source"]) == ("merchant1234", "1234", "manual")
    (listed,) = control.get(f"shops/{SHOP}/gift_cards?customer={customer.id}")
    assert listed == made
    assert made in control.get(f"shops/{SHOP}/gift_cards")
    again = requests.post(
        f"{control.root}/-/control/shops/{SHOP}/gift_cards", json={"amount_minor": 1, "code": "merchant1234"}, timeout=5
    )
    assert (again.status_code, again.json()) == (422, {"error": "another gift card has that code"})
    ended = control.post(f"shops/{SHOP}/gift_cards/{made['id']}/deactivate")
    assert ended["deactivated_at"]


def test_a_merchants_store_credit(control, customer):
    control.post(f"shops/{SHOP}/store_credit", customer_id=customer.id, amount_minor=1000)
    control.post(f"shops/{SHOP}/store_credit", customer_id=customer.id, amount_minor=-300)
    (account,) = control.get(f"shops/{SHOP}/store_credit?customer={customer.id}")
    assert (account["currency"], account["balance_minor"]) == ("EUR", 700)
    moved = [(t["kind"], t["amount_minor"], t["balance_after_minor"]) for t in account["transactions"]]
    assert moved == [("credit", 1000, 1000), ("debit", -300, 700)]
    for wrong in ({"customer_id": customer.id, "amount_minor": -701}, {"customer_id": 7, "amount_minor": 1}, {}):
        answer = requests.post(f"{control.root}/-/control/shops/{SHOP}/store_credit", json=wrong, timeout=5)
        assert answer.status_code == 422


def test_optional_scopes_are_granted(control):
    wanted = list(control.devstore.app.optional_scopes)
    assert wanted
    granted = control.post(f"shops/{SHOP}/grant_optional", scopes=wanted)
    assert set(wanted) <= set(granted["installation"]["scopes"])


def test_who_has_money_here_is_not_merged_and_takes_none_along(control, customer, shop):
    ines = control.devstore.customer_by_email(shop, "ines@example.com")
    control.post(f"shops/{SHOP}/store_credit", customer_id=customer.id, amount_minor=1000)
    merge = f"{control.root}/-/control/shops/{SHOP}/customers/{ines.id}/merge"
    refused = requests.post(merge, json={"gone_id": customer.id}, timeout=5)
    assert (refused.status_code, "has store credit and can’t be merged" in refused.json()["error"]) == (422, True)
    control.devstore.delete_customer(shop, customer.id)
    assert control.get(f"shops/{SHOP}/store_credit?customer={customer.id}") == []

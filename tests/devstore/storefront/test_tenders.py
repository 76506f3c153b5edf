"""Gift cards and store credit pay at the checkout, and get back what is refunded. They take nothing off an order."""

import re

import pytest

from .test_checkout import FORM, placed


@pytest.fixture
def card(devstore, shop):
    """A gift card of €10.00."""
    return devstore.gift_cards.issue(shop, 1000, code="tencoins2345")


@pytest.fixture
def ines(devstore, shop, visitor):
    """Logged in, with €12.50 of store credit."""
    customer = devstore.customer_by_email(shop, "ines@example.com")
    account = devstore.store_credit.open(shop, customer.id, shop.currency)
    devstore.store_credit.credit(shop, account.id, 1250)
    visitor.post("/account/login", data={"customer_id": customer.id})
    return customer


def choose(visitor, **choices):
    """The page after these choices."""
    return visitor.post("/checkout", data={**FORM, "shipping": "collect", **choices, "refresh": "1"}).text


def place(visitor, **choices):
    """Send the form as that page has it."""
    page = choose(visitor, **choices)
    hidden = {name: re.search(rf'name="{name}" value="(-?\d+)"', page)[1] for name in ("shown_total", "shown_due")}
    return visitor.post("/checkout", data={**FORM, "shipping": "collect", **choices, **hidden, "place": ""})


def paid(order):
    return [(t.kind, t.gateway, t.amount_minor) for t in order.transactions]


def credit(devstore, shop, customer):
    return devstore.store_credit.in_currency(shop, customer.id, shop.currency).balance_minor


def test_a_gift_card_pays_a_part_and_the_card_the_rest(visitor, devstore, shop, variant, card):
    visitor.add(variant("straw-mug"))
    page = choose(visitor, code="TENC-OINS 2345")
    assert "Gift card ending in 2345" in page
    assert re.search(r"data-due>€18\.00<", page)
    assert 'name="shown_total" value="2800"' in page  # a payment, not a discount
    assert place(visitor, gift_card="tencoins2345").status_code == 303
    order = placed(devstore, shop)
    assert paid(order) == [("sale", "gift_card", 1000), ("sale", "bogus", 1800)]
    figures = devstore.figures(order)
    assert (figures.total_minor, figures.discounts_minor, figures.financial_status) == (2800, 0, "paid")
    spent = devstore.gift_cards.get(shop, card.id)
    assert spent.balance_minor == 0
    assert [(t.amount_minor, t.order_id) for t in spent.transactions] == [(-1000, order.id)]


def test_a_gift_card_pays_it_all_and_keeps_the_rest(visitor, devstore, shop, variant):
    card = devstore.gift_cards.issue(shop, 5000)
    visitor.add(variant("straw-mug"))
    place(visitor, gift_card=card.code, payment="later")
    order = placed(devstore, shop)
    assert paid(order) == [("sale", "gift_card", 2800)]
    assert devstore.figures(order).financial_status == "paid"
    assert devstore.gift_cards.get(shop, card.id).balance_minor == 2200


def test_paying_the_rest_later(visitor, devstore, shop, variant, card):
    visitor.add(variant("straw-mug"))
    place(visitor, gift_card=card.code, payment="later")
    order = placed(devstore, shop)
    assert devstore.figures(order).financial_status == "partially_paid"
    devstore.pay_order(shop, order.id)
    assert paid(placed(devstore, shop)) == [("sale", "gift_card", 1000), ("sale", "bogus", 1800)]


def test_store_credit_and_a_gift_card_together(visitor, devstore, shop, variant, card, ines):
    visitor.add(variant("straw-mug"))
    assert "Use my store credit" in choose(visitor)
    place(visitor, gift_card=card.code, store_credit="on")
    order = placed(devstore, shop)
    wanted = [("sale", "gift_card", 1000), ("sale", "shopify_store_credit", 1250), ("sale", "bogus", 550)]
    assert paid(order) == wanted
    assert credit(devstore, shop, ines) == 0
    page = visitor.get(f"/{shop.id}/orders/{order.token}").text
    assert "Gift card" in page
    assert "Store credit" in page


def test_a_guest_with_the_address_spends_nothing_of_theirs(visitor, devstore, shop, variant, ines):
    visitor.post("/account/logout")
    visitor.add(variant("straw-mug"))
    assert "Use my store credit" not in choose(visitor, email=ines.email)
    place(visitor, email=ines.email, store_credit="on")
    assert paid(placed(devstore, shop)) == [("sale", "bogus", 2800)]
    assert credit(devstore, shop, ines) == 1250


def test_the_account_shows_store_credit(visitor, ines):
    assert re.search(r"data-store-credit>€12\.50<", visitor.get("/account").text)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (lambda devstore, shop, card: devstore.gift_cards.deactivate(shop, card.id), "That gift card was disabled."),
        (lambda devstore, shop, card: devstore.gift_cards.change(shop, card.id, -1000), "That gift card is used up."),
    ],
)
def test_a_card_that_cannot_be_used_says_why(visitor, devstore, shop, variant, card, end, words):
    end(devstore, shop, card)
    visitor.add(variant("straw-mug"))
    page = choose(visitor, code=card.code)
    assert words in page
    assert "Gift card ending" not in page


def test_an_expired_card_cannot_be_used(visitor, devstore, shop, variant):
    card = devstore.gift_cards.issue(shop, 1000, expires_on="2020-01-01")
    visitor.add(variant("straw-mug"))
    assert "That gift card has expired." in choose(visitor, code=card.code)


def test_a_card_spent_elsewhere_meanwhile_charges_nobody_unseen(visitor, devstore, shop, variant, card):
    visitor.add(variant("straw-mug"))
    page = choose(visitor, gift_card=card.code)
    assert 'name="shown_due" value="1800"' in page
    devstore.gift_cards.change(shop, card.id, -400)
    shown = {"shown_total": "2800", "shown_due": "1800", "place": ""}
    answer = visitor.post("/checkout", data={**FORM, "shipping": "collect", "gift_card": card.code, **shown})
    assert answer.status_code == 409
    assert "What pays for this has changed" in answer.text
    assert devstore.orders(shop) == []


def test_a_card_can_be_taken_out_again(visitor, variant, card):
    visitor.add(variant("straw-mug"))
    page = choose(visitor, gift_card=card.code, remove_card=card.code)
    assert "Gift card ending" not in page


def test_a_refund_goes_back_the_card_first_and_then_where_it_came_from(visitor, devstore, shop, variant, card, ines):
    visitor.add(variant("straw-mug"))
    place(visitor, gift_card=card.code, store_credit="on")
    order = placed(devstore, shop)
    devstore.refund_order(shop, order.id, amount_minor=1000)
    assert paid(placed(devstore, shop))[3:] == [("refund", "bogus", 550), ("refund", "shopify_store_credit", 450)]
    assert credit(devstore, shop, ines) == 450
    devstore.cancel_order(shop, order.id)
    order = placed(devstore, shop)
    assert devstore.figures(order).financial_status == "refunded"
    assert credit(devstore, shop, ines) == 1250
    assert devstore.gift_cards.get(shop, card.id).balance_minor == 1000
    account = devstore.store_credit.in_currency(shop, ines.id, shop.currency)
    assert [t.event for t in account.transactions] == ["ADJUSTMENT", "ORDER_PAYMENT", "ORDER_REFUND", "ORDER_REFUND"]


def test_two_orders_never_spend_one_card_twice(devstore, shop, variant, card):
    from app.devstore.errors import Refusal
    from app.devstore.state import CartLine

    lines = [CartLine(variant("straw-mug").id)]
    devstore.create_order(shop, lines, gift_cards=[card.code])
    with pytest.raises(Refusal, match="used up"):
        devstore.create_order(shop, lines, gift_cards=[card.code])
    assert len(devstore.orders(shop)) == 1

"""Orders and their money: every verb has the effects Shopify's would."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.devstore.bodies.orders import order_body
from app.devstore.bodies.refunds import refund_body
from app.devstore.errors import Refusal
from app.devstore.money import portion, share
from app.devstore.ordering.figures import figures
from app.devstore.settings import Settings
from app.devstore.state import CartLine, DevStore

from .conftest import SECRET, SHOP, TOML


@pytest.fixture(scope="module")
def devstore():
    made = DevStore(Settings(app_toml=TOML, data=None, port=0, secrets=(SECRET,), shops=(SHOP,), seed_history=False))
    made.apps.install(made.shop(SHOP))
    made.webhooks.control(hold=True)
    yield made
    made.store.close()


@pytest.fixture
def shop(devstore):
    return devstore.shop(SHOP)


def cart(devstore, shop, **wanted) -> list[CartLine]:
    """cart(cobalt_mug=2): lines by handle."""
    products = {p.handle: p for p in devstore.products(shop)}
    return [CartLine(products[h.replace("_", "-")].variants[0].id, n) for h, n in wanted.items()]


def topics(devstore, after: int) -> list[str]:
    return [d.topic for d in reversed(devstore.webhooks.deliveries(after=after))]


def newest(devstore) -> int:
    found = devstore.webhooks.deliveries(limit=1)
    return found[0].seq if found else 0


def adjustments(order) -> list[tuple[int, str]]:
    return [(a.amount_minor, a.reason) for r in order.refunds for a in r.adjustments]


def test_a_cart_is_priced_with_tax_inside(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=2), email="a@example.com")
    totals = figures(order)
    # 2 × 28.00 with 21 % inside: 56.00 × 21 / 121 = 9.72; shipping 4.95.
    assert (totals.subtotal_minor, totals.tax_minor, totals.shipping_minor, totals.total_minor) == (
        5600,
        972,
        495,
        6095,
    )
    assert (totals.financial_status, totals.outstanding_minor) == ("paid", 0)
    assert order.lines[0].title == "Cobalt mug"
    assert order_body(devstore, shop, order)["line_items"][0]["name"] == "Cobalt mug - 350 ml"


def test_tax_on_top(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com", taxes_included=False)
    totals = figures(order)
    assert (totals.subtotal_minor, totals.tax_minor, totals.total_minor) == (2800, 588, 2800 + 588 + 495)


def test_a_percentage_is_shared_over_lines_but_not_gift_cards(devstore, shop):
    order = devstore.create_order(
        shop, cart(devstore, shop, cobalt_mug=1, spoon_rest_rust=1, gift_card=1), email="a@example.com", code="tenoff"
    )
    # 10 % of 28.00 + 12.75 = 4.075, half up 4.08, by value 2.80 and 1.28.
    assert [[a.amount_minor for a in line.allocations] for line in order.lines] == [[280], [128], []]
    body = order_body(devstore, shop, order)
    assert body["total_discounts"] == "4.08"
    assert body["discount_codes"] == [{"code": "TENOFF", "amount": "4.08", "type": "percentage"}]
    assert body["discount_applications"][0]["value"] == "10.0"


def test_a_fixed_amount_adds_up(devstore, shop):
    order = devstore.create_order(
        shop, cart(devstore, shop, cobalt_mug=1, straw_mug=1, spoon_rest_rust=1), email="a@example.com", code="FIVER"
    )
    assert sum(a.amount_minor for line in order.lines for a in line.allocations) == 500


def test_free_shipping_is_a_discount_of_the_shipping_line(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com", code="FREESHIP")
    totals = figures(order)
    assert (totals.shipping_minor, totals.discounts_minor, totals.subtotal_minor) == (0, 495, 2800)


def test_an_automatic_discount_needs_no_code(devstore, shop):
    discount = devstore.create_discount(shop, title="Open day", kind="percentage", percent="50")
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com")
    devstore.store.delete(discount)
    body = order_body(devstore, shop, order)
    assert (
        body["discount_applications"][0] | {"type": "automatic", "title": "Open day"}
        == body["discount_applications"][0]
    )
    assert body["subtotal_price"] == "14.00"


def test_what_cannot_be_bought(devstore, shop):
    for lines, options in (
        ([], {}),
        ([CartLine(1, 1)], {}),
        (cart(devstore, shop, cobalt_mug=1), {"code": "NOPE"}),
        (cart(devstore, shop, gift_card=1), {"code": "TENOFF"}),
        (cart(devstore, shop, cobalt_mug=1), {"presentment_currency": "CHF"}),
    ):
        with pytest.raises(Refusal):
            devstore.create_order(shop, lines, **options)


def test_a_code_runs_out(devstore, shop):
    devstore.create_discount(shop, title="Once", kind="percentage", percent="10", code="ONCE", usage_limit=1)
    devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com", code="once")
    with pytest.raises(Refusal):
        devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com", code="ONCE")


def test_presentment_money_is_beside_shop_money(devstore, shop):
    order = devstore.create_order(
        shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com", presentment_currency="JPY"
    )
    body = order_body(devstore, shop, order)
    assert body["total_price_set"] == {
        "shop_money": {"amount": "32.95", "currency_code": "EUR"},
        "presentment_money": {"amount": "5384", "currency_code": "JPY"},  # 32.95 × 163.4
    }


def test_pay_later(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com", pay=False)
    assert figures(order).financial_status == "pending"
    seen = newest(devstore)
    order = devstore.pay_order(shop, order.id, amount_minor=1000)
    assert figures(order).financial_status == "partially_paid"
    assert topics(devstore, seen) == ["orders/updated"]
    order = devstore.pay_order(shop, order.id)
    assert figures(order).financial_status == "paid"
    assert "orders/paid" in topics(devstore, seen)
    with pytest.raises(Refusal):
        devstore.pay_order(shop, order.id)


def test_an_authorization_is_captured(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com", pay=False)
    order = devstore.authorize_order(shop, order.id)
    assert figures(order).financial_status == "authorized"
    order = devstore.pay_order(shop, order.id)
    assert [t.kind for t in order.transactions] == ["authorization", "capture"]
    assert figures(order).financial_status == "paid"


def test_gift_cards_are_sent_once_paid(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, gift_card=1), email="a@example.com", pay=False)
    assert figures(order).fulfilment_status is None
    order = devstore.pay_order(shop, order.id)
    assert figures(order).fulfilment_status == "fulfilled"
    assert not order.shipping


def test_fulfilling_in_two_parcels(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=3), email="a@example.com")
    line = order.lines[0].id
    seen = newest(devstore)
    order = devstore.fulfil_order(shop, order.id, lines={line: 2})
    assert figures(order).fulfilment_status == "partial"
    order = devstore.fulfil_order(shop, order.id)
    assert figures(order).fulfilment_status == "fulfilled"
    assert "orders/fulfilled" in topics(devstore, seen)
    with pytest.raises(Refusal):
        devstore.fulfil_order(shop, order.id)


def test_refunding_units(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=3), email="a@example.com", code="FIVER")
    seen = newest(devstore)
    order = devstore.refund_order(shop, order.id, lines={order.lines[0].id: 1})
    refund, totals = order.refunds[0], figures(order)
    # 84.00 − 5.00 = 79.00; a third of it, half up.
    assert refund.lines[0].subtotal_minor == 2633
    assert (totals.refunded_minor, totals.current_subtotal_minor, totals.outstanding_minor) == (2633, 5267, 0)
    assert totals.financial_status == "partially_refunded"
    assert topics(devstore, seen) == ["refunds/create", "orders/updated"]
    body = refund_body(shop, order, refund)
    assert body["refund_line_items"][0]["subtotal"] == 26.33
    assert body["refund_line_items"][0]["line_item"]["current_quantity"] == 2
    assert body["transactions"][0]["amount"] == "26.33"
    assert body["order_adjustments"] == []


def test_refunding_everything(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, straw_mug=2), email="a@example.com", code="FIVER")
    line = order.lines[0].id
    for _ in range(2):
        order = devstore.refund_order(shop, order.id, lines={line: 1})
    order = devstore.refund_order(shop, order.id, shipping_minor=figures(order).current_shipping_minor)
    totals = figures(order)
    assert totals.current_total_minor == totals.outstanding_minor == 0
    assert totals.financial_status == "refunded"
    with pytest.raises(Refusal):
        devstore.refund_order(shop, order.id, lines={line: 1})


def test_money_that_no_line_accounts_for_is_negative(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com")
    order = devstore.refund_order(shop, order.id, amount_minor=700)
    assert adjustments(order) == [(-700, "Refund discrepancy")]
    body = refund_body(shop, order, order.refunds[0])
    assert (
        body["order_adjustments"][0] | {"amount": "-7.00", "kind": "refund_discrepancy"} == body["order_adjustments"][0]
    )
    assert figures(order).outstanding_minor == 0


def test_a_restocking_fee_is_positive(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com")
    order = devstore.refund_order(shop, order.id, lines={order.lines[0].id: 1}, amount_minor=2500)
    assert adjustments(order) == [(300, "Refund discrepancy")]
    assert figures(order).outstanding_minor == 0


def test_refunding_shipping_is_no_discrepancy(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com")
    order = devstore.refund_order(shop, order.id, shipping_minor=495)
    body = refund_body(shop, order, order.refunds[0])
    assert [(a["kind"], a["amount"]) for a in body["order_adjustments"]] == [("shipping_refund", "-4.95")]
    assert body["refund_shipping_lines"][0]["subtotal_amount_set"]["shop_money"]["amount"] == "4.95"
    assert figures(order).current_subtotal_minor == 2800


def test_tax_on_top_goes_back_too(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=2), email="a@example.com", taxes_included=False)
    order = devstore.refund_order(shop, order.id, lines={order.lines[0].id: 1})
    back = order.refunds[0].lines[0]
    assert (back.subtotal_minor, back.tax_minor, figures(order).refunded_minor) == (2800, 588, 3388)


class TestEdits:
    @pytest.mark.parametrize("writes_refund", [True, False])
    def test_units_taken_out_are_owed_until_paid_back(self, devstore, shop, writes_refund):
        shop = devstore.update_shop(shop, edit_writes_refund=writes_refund)
        order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=3), email="a@example.com")
        line = order.lines[0].id
        order = devstore.edit_order(shop, order.id, quantities={line: 1})
        totals = figures(order)
        assert (order.lines[0].quantity, totals.lines[0].current) == (3, 1)
        assert (totals.outstanding_minor, totals.pending_refund_minor) == (-5600, 5600)
        assert adjustments(order) == ([(5600, "Pending refund discrepancy")] if writes_refund else [])
        order = devstore.refund_order(shop, order.id, amount_minor=5600)
        assert adjustments(order)[-1] == (-5600, "Pending refund discrepancy")
        assert (figures(order).outstanding_minor, figures(order).pending_refund_minor) == (0, 0)

    def test_units_put_in_are_outstanding_until_paid(self, devstore, shop):
        order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com")
        before = figures(order).total_minor
        order = devstore.edit_order(shop, order.id, add=cart(devstore, shop, spoon_rest_rust=1))
        totals = figures(order)
        assert (totals.outstanding_minor, totals.financial_status) == (1275, "partially_paid")
        assert (order.original_total_minor, totals.total_minor) == (before, before + 1275)
        order = devstore.pay_order(shop, order.id)
        assert (figures(order).outstanding_minor, figures(order).financial_status) == (0, "paid")

    def test_an_edit_up_then_down_owes_nothing(self, devstore, shop):
        order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com")
        order = devstore.edit_order(shop, order.id, quantities={order.lines[0].id: 3})
        order = devstore.edit_order(shop, order.id, quantities={order.lines[0].id: 1})
        assert (figures(order).outstanding_minor, adjustments(order)) == (0, [])

    def test_the_webhook_carries_no_order(self, devstore, shop):
        order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=2), email="a@example.com")
        seen = newest(devstore)
        devstore.edit_order(shop, order.id, quantities={order.lines[0].id: 1}, add=cart(devstore, shop, straw_mug=1))
        edited = next(d for d in devstore.webhooks.deliveries(after=seen) if d.topic == "orders/edited")
        import json

        body = json.loads(devstore.webhooks.body(edited.seq))["order_edit"]
        assert body["order_id"] == order.id
        assert body["line_items"]["removals"] == [{"id": order.lines[0].id, "delta": 1}]
        assert [a["delta"] for a in body["line_items"]["additions"]] == [1]

    def test_what_was_shipped_is_refunded_not_removed(self, devstore, shop):
        order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=2), email="a@example.com")
        devstore.fulfil_order(shop, order.id)
        with pytest.raises(Refusal):
            devstore.edit_order(shop, order.id, quantities={order.lines[0].id: 1})


class TestCancelling:
    def test_a_paid_order_is_refunded(self, devstore, shop):
        order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=2), email="a@example.com")
        seen = newest(devstore)
        order = devstore.cancel_order(shop, order.id)
        totals = figures(order)
        assert topics(devstore, seen) == ["refunds/create", "orders/cancelled", "orders/updated"]
        assert (totals.financial_status, totals.current_total_minor, totals.refunded_minor) == ("refunded", 0, 6095)
        assert order.refunds[0].lines[0].restock_type == "cancel"
        assert [reason for _, reason in adjustments(order)] == ["Shipping refund"]

    def test_an_unpaid_order_is_voided(self, devstore, shop):
        order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=2), email="a@example.com", pay=False)
        order = devstore.cancel_order(shop, order.id)
        totals = figures(order)
        assert (totals.financial_status, totals.current_total_minor, totals.outstanding_minor) == ("voided", 0, 0)

    def test_the_money_may_stay(self, devstore, shop):
        order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com")
        order = devstore.cancel_order(shop, order.id, refund=False)
        assert (order.refunds, figures(order).financial_status) == ([], "paid")


def test_an_order_moves_to_another_customer(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="guest@example.com")
    ada = devstore.customer_by_email(shop, "ada@example.com")
    order = devstore.set_order_customer(shop, order.id, ada.id)
    body = order_body(devstore, shop, order)
    assert (body["customer"]["id"], body["email"]) == (ada.id, "guest@example.com")
    assert devstore.set_order_customer(shop, order.id, None).customer_id is None


def test_ids_have_thirteen_digits_and_the_status_page_names_the_shop(devstore, shop):
    order = devstore.create_order(shop, cart(devstore, shop, cobalt_mug=1), email="a@example.com")
    assert {len(str(id)) for id in (shop.id, order.id, order.lines[0].id, order.lines[0].variant_id)} == {13}
    body = order_body(devstore, shop, order)
    assert body["order_status_url"].startswith(f"https://{SHOP}/{shop.id}/orders/{order.token}/authenticate?key=")


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**5), min_size=1, max_size=8))
def test_shares_add_up(total, weights):
    parts = share(total, weights)
    assert sum(parts) == (total if sum(weights) else 0)
    assert all(part >= 0 for part in parts)


@given(total=st.integers(0, 10**6), whole=st.integers(1, 50), data=st.data())
def test_portions_of_a_whole_add_up(total, whole, data):
    cut = data.draw(st.integers(0, whole))
    assert portion(total, cut, whole) + (total - portion(total, cut, whole)) == total
    assert portion(total, 0, whole) == 0
    assert portion(total, whole, whole) == total


VERBS = st.lists(
    st.tuples(st.sampled_from(["refund", "money", "edit", "raise", "fulfil", "pay", "shipping"]), st.integers(0, 3)),
    max_size=7,
)


@settings(max_examples=40, deadline=None)
@given(
    quantities=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    code=st.sampled_from([None, "TENOFF", "FIVER"]),
    included=st.booleans(),
    verbs=VERBS,
)
def test_whatever_happens_the_books_agree(devstore, quantities, code, included, verbs):
    """Received less refunded is what remains, plus what is outstanding, less money no line accounts for."""
    shop = devstore.update_shop(devstore.shop(SHOP), edit_writes_refund=True)
    handles = ("cobalt_mug", "spoon_rest_rust", "supper_bowl_celadon")
    order = devstore.create_order(
        shop,
        cart(devstore, shop, **dict(zip(handles, quantities, strict=False))),
        email="a@example.com",
        code=code if code != "FIVER" or sum(quantities) > 1 else None,
        taxes_included=included,
    )
    for verb, number in verbs:
        line = order.lines[number % len(order.lines)]
        left = figures(order).line(line.id).current
        try:
            match verb:
                case "refund":
                    order = devstore.refund_order(shop, order.id, lines={line.id: min(left, 1 + number)})
                case "money":
                    order = devstore.refund_order(shop, order.id, amount_minor=100 * number)
                case "edit":
                    order = devstore.edit_order(shop, order.id, quantities={line.id: max(0, left - 1)})
                case "raise":
                    order = devstore.edit_order(shop, order.id, quantities={line.id: left + 1})
                case "fulfil":
                    order = devstore.fulfil_order(shop, order.id)
                case "pay":
                    order = devstore.pay_order(shop, order.id)
                case "shipping":
                    order = devstore.refund_order(shop, order.id, shipping_minor=100)
        except Refusal:
            continue
        totals, body = figures(order), order_body(devstore, shop, order)
        settled = sum(
            a.amount_minor
            for r in order.refunds
            for a in r.adjustments
            if a.kind == "refund_discrepancy" and a.reason == "Refund discrepancy"
        )
        assert totals.received_minor - totals.refunded_minor == (
            totals.current_total_minor - totals.outstanding_minor + settled
        )
        for f in totals.lines:
            gone = sum(b.subtotal_minor for r in order.refunds for b in r.lines if b.line_id == f.line.id)
            assert gone + f.current_net_minor == f.net_minor
            assert 0 <= f.current <= f.line.quantity
        assert Decimal(body["current_total_price"]) * 100 == totals.current_total_minor
        assert sum(
            Decimal(a["amount"]) for item in body["line_items"] for a in item["discount_allocations"]
        ) == Decimal(body["total_discounts"])

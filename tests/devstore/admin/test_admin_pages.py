"""The merchant's pages: what a tester clicks there happens in the store, and is worded as it happened."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from app.devstore.ordering.creating import CartLine
from app.devstore.records import Order
from app.devstore.storefront import theme_settings

from .conftest import Admin
from .polaris_check import check_markup


def place(admin: Admin, *quantities: int, pay: bool = True) -> Order:
    """An order of the first products, so many units each, for the first customer."""
    variants = [product.variants[0] for product in admin.devstore.products(admin.shop) if not product.gift_card]
    lines = [CartLine(variant.id, quantity) for variant, quantity in zip(variants, quantities, strict=False)]
    customer = admin.devstore.customers(admin.shop)[0]
    return admin.devstore.create_order(admin.shop, lines, customer_id=customer.id, pay=pay)


def fresh(admin: Admin, order: Order) -> Order:
    return admin.devstore.order(admin.shop, order.id)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def field(page: Page, name: str) -> Locator:
    """A field of the dialog that is open. (What is slotted is no descendant of the <dialog> that shows it.)"""
    return page.get_by_label(name).filter(visible=True)


@pytest.fixture(scope="module", autouse=True)
def app_is_installed(admin: Admin) -> None:
    admin.devstore.apps.install(admin.shop)


def test_part_of_an_order_is_paid_fulfilled_and_refunded_by_clicking(admin: Admin, page: Page):
    order = place(admin, 3, 1, pay=False)
    page.goto(f"{admin.home}/orders/{order.id}")
    press(page, "Take payment…")
    press(page, "Take payment")
    expect(page.get_by_text("Payment taken.")).to_be_visible()
    press(page, "Fulfil…")
    press(page, "Fulfil")
    expect(page.get_by_text("Fulfilled.", exact=True)).to_be_visible()
    press(page, "Refund…")
    field(page, order.lines[0].title).fill("2")
    press(page, "Refund")
    expect(page.get_by_text("Refund made.")).to_be_visible()
    made = fresh(admin, order).refunds[0]
    assert [(line.line_id, line.quantity, line.restock_type) for line in made.lines] == [
        (order.lines[0].id, 2, "return")
    ]
    assert made.adjustments == []


def test_money_without_items_is_a_discrepancy_and_shipping_goes_back_by_itself(admin: Admin, page: Page):
    order = place(admin, 2)
    page.goto(f"{admin.home}/orders/{order.id}")
    press(page, "Refund…")
    field(page, "Amount in all").fill("4,50")
    field(page, "Put the items back in stock").uncheck()
    press(page, "Refund")
    expect(page.get_by_text("Money back without items")).to_be_visible()
    made = fresh(admin, order).refunds[0]
    assert (made.lines, made.restock) == ([], False)
    assert [(each.kind, each.amount_minor) for each in made.adjustments] == [("refund_discrepancy", -450)]


def test_a_refusal_is_shown_in_the_stores_words(admin: Admin, page: Page):
    order = place(admin, 1)
    page.goto(f"{admin.home}/orders/{order.id}")
    press(page, "Refund…")
    field(page, order.lines[0].title).fill("5")
    press(page, "Refund")
    expect(page.get_by_role("alert")).to_contain_text(f"Only 1 of {order.lines[0].title} can be refunded.")
    press(page, "Refund…")
    field(page, "Amount in all").fill("ten")
    press(page, "Refund")
    expect(page.get_by_role("alert")).to_contain_text("“ten” is not an amount in EUR.")
    assert fresh(admin, order).refunds == []


def test_an_order_is_edited_moved_and_cancelled(admin: Admin, page: Page):
    order = place(admin, 3)
    other = admin.devstore.customers(admin.shop)[1]
    extra = admin.devstore.products(admin.shop)[2]
    page.goto(f"{admin.home}/orders/{order.id}")
    press(page, "Edit…")
    field(page, order.lines[0].title).fill("1")
    field(page, "Add an item").select_option(str(extra.variants[0].id))
    press(page, "Save changes")
    expect(page.get_by_text("Order edited.")).to_be_visible()
    edited = fresh(admin, order)
    assert edited.lines[0].removed == 2
    assert edited.lines[1].product_id == extra.id
    press(page, "Change…")
    page.get_by_role("combobox", name="Customer").select_option(str(other.id))
    press(page, "Change customer")
    expect(page.get_by_role("link", name=other.name)).to_be_visible()
    press(page, "Cancel…")
    press(page, "Cancel order")
    expect(page.get_by_text("Order cancelled.")).to_be_visible()
    assert fresh(admin, order).cancelled_at is not None


def test_an_order_can_be_placed_by_hand(admin: Admin, page: Page):
    customer = admin.devstore.customers(admin.shop)[0]
    product = admin.devstore.products(admin.shop)[1]
    page.goto(f"{admin.home}/orders")
    page.get_by_role("link", name="Create order").click()
    page.get_by_label(f"Quantity of {product.title}").fill("2")
    page.get_by_role("combobox", name="Customer").select_option(str(customer.id))
    page.get_by_label("Test order").check()
    press(page, "Place order")
    expect(page.get_by_text("Order #")).to_be_visible()
    placed = admin.devstore.orders(admin.shop)[0]
    assert (placed.test, placed.customer_id, placed.lines[0].quantity) == (True, customer.id, 2)
    page.goto(f"{admin.home}/orders/new")
    press(page, "Place order")
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_customer_asks_for_their_data_and_to_be_forgotten(admin: Admin, page: Page):
    customer = admin.devstore.customers(admin.shop)[2]
    page.goto(f"{admin.home}/customers")
    page.get_by_role("link", name=customer.name).click()
    press(page, "Ask apps for their data")
    expect(page.get_by_text("The app was asked for this customer's data.")).to_be_visible()
    press(page, "Tell apps to erase them")
    expect(page.get_by_text("The app was told to erase this customer.")).to_be_visible()
    sent = [each.topic for each in admin.devstore.webhooks.deliveries(limit=2)]
    assert sent == ["customers/redact", "customers/data_request"]


def test_customers_are_added_merged_and_deleted(admin: Admin, page: Page):
    page.goto(f"{admin.home}/customers")
    for name in ("Lotte", "Mees"):
        press(page, "Add customer…")
        field(page, "First name").fill(name)
        field(page, "E-mail").fill(f"{name.lower()}@example.com")
        press(page, "Add customer")
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        page.get_by_role("link", name="Customers").first.click()
    kept, gone = (admin.devstore.customer_by_email(admin.shop, f"{name}@example.com") for name in ("lotte", "mees"))
    page.goto(f"{admin.home}/customers/{gone.id}")
    press(page, "Merge…")
    field(page, "The customer to keep").select_option(str(kept.id))
    press(page, "Merge")
    expect(page.get_by_role("heading", name="Lotte", level=1)).to_be_visible()
    assert admin.devstore.customer(admin.shop, gone.id) is None
    press(page, "Delete…")
    press(page, "Delete")
    expect(page.get_by_text("Customer deleted.")).to_be_visible()


def test_webhooks_are_held_sent_again_and_released(admin: Admin, page: Page):
    page.goto(f"{admin.home}/webhooks")
    page.get_by_label("Hold everything back").check()
    page.get_by_label("Duplicates of each").fill("1")
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    place(admin, 1)
    page.reload()
    expect(page.get_by_text("Held back").first).to_be_visible()
    held = admin.devstore.webhooks.deliveries(state="held")
    assert {each.note for each in held} == {None, "duplicate"}
    page.get_by_role("link", name="Order placed").first.click()
    expect(page.get_by_role("region", name="Body as sent")).to_contain_text("line_items")
    press(page, "Send again")
    expect(page.get_by_text("Sent again.")).to_be_visible()
    press(page, f"Release {len(held)} held back…")
    press(page, "Release")
    expect(page.get_by_text(f"{len(held)} held back, now on their way.")).to_be_visible()
    admin.devstore.webhooks.control(duplicates=0)


def test_the_log_says_what_the_app_did_and_fills_by_itself(admin: Admin, page: Page):
    traffic, domain = admin.devstore.traffic, admin.shop.domain
    page.goto(f"{admin.root}/-/log")
    traffic.add("webhook", domain, "POST", "/webhooks", "orders/paid", 200, 12)
    expect(page.get_by_text("Told Regulars: Order paid")).to_be_visible()
    traffic.add("proxy", domain, "GET", "/proxy/shopper?signature=abc", "logged in", 200, 21)
    expect(page.get_by_text("The storefront asked Regulars for a logged-in shopper")).to_be_visible()
    expect(page.get_by_text("abc")).to_be_hidden()
    traffic.add("api", domain, "POST", "/admin/api/2026-10/graphql.json", "OrdersSince", 200, 34)
    page.get_by_role("link", name="Admin API").click()
    expect(page.get_by_text("OrdersSince")).to_be_visible()
    expect(page.get_by_text("Told Regulars: Order paid")).to_be_hidden()


def test_deep_links_switch_the_embed_on_and_place_the_block_once_saved(admin: Admin, page: Page):
    client_id = admin.devstore.app.client_id
    shop_root = admin.root.replace("localhost", "saltmarsh.myshopify.com.localhost")
    editor = f"{shop_root}/admin/themes/current/editor"
    page.goto(f"{editor}?context=apps&template=index&activateAppId={client_id}/launcher")
    expect(page.get_by_role("switch", name="Rewards launcher")).to_be_checked()
    assert theme_settings.current(admin.devstore, admin.shop).embed("launcher") is None
    expect(page.frame_locator("iframe.preview").locator("body")).to_be_visible()
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert theme_settings.current(admin.devstore, admin.shop).embed("launcher").on
    page.goto(f"{editor}?template=product&addAppBlockId={client_id}/product-points&target=mainSection")
    expect(page.get_by_role("switch", name="Points for this product")).to_be_checked()
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    placed = theme_settings.current(admin.devstore, admin.shop).blocks
    assert [(each.handle, each.template, each.target) for each in placed] == [
        ("product-points", "product", "mainSection")
    ]
    page.get_by_role("switch", name="Points for this product").uncheck()
    page.get_by_role("switch", name="Rewards launcher").uncheck()
    press(page, "Save")
    expect(page.get_by_text("None of an app's.")).to_be_visible()
    assert not theme_settings.current(admin.devstore, admin.shop).embed("launcher").on


def test_a_deep_link_for_another_app_does_nothing(admin: Admin, page: Page):
    page.goto(f"{admin.home}/themes/current/editor?context=apps&activateAppId=somebodyelse/launcher")
    expect(page.get_by_role("switch", name="Rewards launcher")).not_to_be_checked()


def test_forms_of_other_sites_are_refused(admin: Admin, page: Page):
    order = place(admin, 1)
    url = f"{admin.home}/orders/{order.id}/cancel"
    assert page.context.request.post(url, headers={"Origin": "https://example.com"}).status == 403
    assert page.context.request.post(url, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert fresh(admin, order).cancelled_at is None


PATHS = [
    "",
    "/orders",
    "/orders/{order}",
    "/orders/new",
    "/products",
    "/customers",
    "/customers/{customer}",
    "/discounts",
    "/discounts/{discount}",
    "/apps",
    "/oauth/install",
    "/apps/regulars",
    "/themes/current/editor",
    "/webhooks",
    "/-/log",
]


def addresses(admin: Admin) -> list[str]:
    orders = admin.devstore.orders(admin.shop) or [place(admin, 1)]
    ids = {
        "order": orders[0].id,
        "customer": admin.devstore.customers(admin.shop)[0].id,
        "discount": admin.devstore.discount(admin.shop, "TENOFF").id,
    }
    filled = [path.format(**ids) for path in PATHS]
    return [admin.root + path if path.startswith("/-/") else admin.home + path for path in filled]


def test_pages_are_made_of_what_polaris_has(admin: Admin, page: Page):
    for address in addresses(admin):
        assert (address, check_markup(page.context.request.get(address).text())) == (address, [])


def test_pages_have_no_barriers_and_fit_a_phone(admin: Admin, page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    axe = Axe()
    for number, address in enumerate(addresses(admin)):
        page.goto(address)
        assert (address, page.evaluate("document.documentElement.scrollWidth") <= 390) == (address, True)
        if number % 2 == 0 or address.endswith(("/new", "/regulars", "/webhooks")):  # each kind of page once
            found = axe.run(page).response["violations"]
            assert [(address, each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == []


def test_time_is_moved_by_clicking(admin: Admin, page: Page):
    before = admin.devstore.now()
    page.goto(admin.home)
    try:
        press(page, "+30 days")
        expect(page.get_by_text("30 days ahead of the real date")).to_be_visible()
        press(page, "+1 day")
        expect(page.get_by_text("31 days ahead of the real date")).to_be_visible()
        assert (admin.devstore.now() - before).days == 31
        press(page, "Back to today")
        expect(page.get_by_text("ahead of the real date")).to_be_hidden()
        assert (admin.devstore.now() - before).days == 0
    finally:
        admin.devstore.move_clock(None)


def test_a_customers_page_shows_what_the_store_owes_them(admin: Admin, page: Page):
    devstore, shop = admin.devstore, admin.shop
    customer = devstore.create_customer(shop, email="owed@example.com", first_name="Odile", last_name="Wed")
    account = devstore.store_credit.open(shop, customer.id, shop.currency)
    devstore.store_credit.credit(shop, account.id, 1250)
    devstore.store_credit.debit(shop, account.id, 250)
    devstore.gift_cards.issue(shop, 1000, code="abcdefgh9876", customer_id=customer.id, expires_on="2020-01-01")
    address = f"{admin.home}/customers/{customer.id}"
    page.goto(address)
    expect(page.get_by_text("Store credit: €10.00")).to_be_visible()
    for words in ("Taken", "Given", "•••• 9876", "€10.00 of €10.00", "Expired"):
        expect(page.get_by_role("cell", name=words, exact=True)).to_be_visible()
    assert "abcdefgh" not in page.content()
    assert check_markup(page.context.request.get(address).text()) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert Axe().run(page).response["violations"] == []

"""App Bridge and the admin around it: tokens, addresses, menu, save bar, picker, extensions, permissions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from app.devstore.storefront import theme_settings

from .conftest import Admin

FRAME = "iframe#app"


@pytest.fixture
def installed(admin: Admin) -> Iterator[Admin]:
    admin.devstore.apps.install(admin.shop)
    yield admin


def open_app(page: Page, admin: Admin, path: str = "") -> FrameLocator:
    page.goto(f"{admin.home}/apps/regulars{path}")
    frame = page.frame_locator(FRAME)
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    return frame


def in_frame(page: Page, script: str, *arguments: object):
    return page.locator(FRAME).element_handle().content_frame().evaluate(script, *arguments)


def test_install_asks_in_words_and_opens_the_app_which_uninstalling_closes(admin: Admin, page: Page):
    if admin.devstore.apps.installed(admin.shop):
        admin.devstore.apps.uninstall(admin.shop)
    page.goto(f"{admin.home}/apps/regulars")
    expect(page.get_by_role("heading", name="Install Regulars")).to_be_visible()
    expect(page.get_by_text("See and change your customers")).to_be_visible()
    expect(page.get_by_text("See your customers", exact=True)).to_be_hidden()  # said by the line above
    page.get_by_role("button", name="Install").click()
    expect(page.frame_locator(FRAME).get_by_role("heading", name="Regulars", level=1)).to_be_visible()
    assert page.url == f"{admin.home}/apps/regulars"
    page.goto(f"{admin.home}/apps")
    page.get_by_role("button", name="Uninstall…").click()
    page.get_by_role("button", name="Uninstall", exact=True).click()
    expect(page.get_by_text("Regulars is uninstalled.")).to_be_visible()
    assert admin.devstore.apps.installed(admin.shop) is None


def test_fetches_carry_a_token_and_a_stale_one_is_renewed_once(installed: Admin, page: Page):
    open_app(page, installed)
    claims = in_frame(page, 'async () => (await fetch("/who", {method: "POST", body: "x"})).json()')
    assert claims["dest"] == "https://saltmarsh.myshopify.com"
    assert claims["aud"] == installed.devstore.app.client_id
    assert claims["exp"] - claims["iat"] == 60
    assert in_frame(page, "async () => (await shopify.idToken()).split('.').length") == 3


def test_fetches_to_elsewhere_carry_none(installed: Admin, page: Page):
    open_app(page, installed)
    sent = []
    page.on(
        "request",
        lambda request: sent.append(request.headers.get("authorization")) if "/-/log" in request.url else None,
    )
    in_frame(page, f'async () => {{ await fetch("{installed.root}/-/log", {{mode: "no-cors"}}).catch(() => null); }}')
    assert sent == [None]


def test_the_menu_and_the_address_follow_the_frame_and_lead_it(installed: Admin, page: Page):
    frame = open_app(page, installed)
    menu = page.get_by_role("navigation", name="Admin")
    expect(menu.get_by_role("link", name="Regulars")).to_have_attribute("aria-current", "page")
    menu.get_by_role("link", name="Program").click()
    expect(frame.get_by_role("heading", name="Program", level=1)).to_be_visible()
    expect(page).to_have_url(f"{installed.home}/apps/regulars/program")
    expect(page).to_have_title("Program · Regulars")
    page.go_back()
    expect(frame.get_by_role("heading", name="Regulars", level=1)).to_be_visible()
    expect(page).to_have_url(f"{installed.home}/apps/regulars")
    menu.get_by_role("link", name="Bridge").click()
    expect(menu.get_by_role("link", name="Bridge")).to_have_attribute("aria-current", "page")
    in_frame(page, '() => history.pushState(null, "", "/bridge/42?tab=a&id_token=secret")')
    expect(page).to_have_url(f"{installed.home}/apps/regulars/bridge/42?tab=a")
    expect(menu.get_by_role("link", name="Bridge")).to_have_attribute("aria-current", "page")


def test_an_address_inside_the_app_opens_there(installed: Admin, page: Page):
    frame = open_app(page, installed, "/members?page=2")
    expect(frame.get_by_role("heading", name="Ines Moreau", level=1)).to_be_visible()
    expect(page).to_have_url(f"{installed.home}/apps/regulars/members?page=2")
    assert in_frame(page, "() => new URLSearchParams(location.search).get('page')") == "2"
    known = f"{installed.home}/apps/{installed.devstore.app.client_id}/"
    page.goto(known)  # as an app sends the browser back that opened it outside the admin
    expect(page.frame_locator(FRAME).get_by_role("heading", name="Regulars", level=1)).to_be_visible()


def test_a_plain_link_goes_by_the_token_page_and_arrives(installed: Admin, page: Page):
    frame = open_app(page, installed, "/bridge")
    installed.seen.clear()
    installed.seen.append("stale")
    frame.get_by_role("link", name="Go to members").click()
    expect(frame.get_by_role("heading", name="Ines Moreau", level=1)).to_be_visible()
    assert installed.seen[1:] == ["no token on /members", "page /members"]
    expect(page).to_have_url(f"{installed.home}/apps/regulars/members")


def test_the_token_page_reloads_its_own_app_only(installed: Admin, page: Page):
    open_app(page, installed)
    target = "https://example.com/steal"
    in_frame(page, f'() => location.assign("/auth/token?shopify-reload={target}")')
    page.wait_for_timeout(300)
    assert page.locator(FRAME).element_handle().content_frame().url.startswith(installed.app_url)


def test_the_save_bar_shows_unsaved_changes_saves_discards_and_keeps_the_merchant_here(installed: Admin, page: Page):
    frame = open_app(page, installed, "/bridge")
    bar = page.get_by_role("region", name="Save bar")
    expect(bar).to_be_hidden()
    frame.get_by_label("Name").fill("Regulars")
    expect(bar).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Orders").click()
    frame.get_by_role("link", name="Go to members").click()
    expect(page).to_have_url(f"{installed.home}/apps/regulars/bridge")
    bar.get_by_role("button", name="Discard").click()
    expect(bar).to_be_hidden()
    expect(frame.get_by_label("Name")).to_have_value("Saltmarsh Club")
    frame.get_by_label("Live").check()
    bar.get_by_role("button", name="Save").click()
    expect(frame.locator("#out")).to_have_text("saved name=Saltmarsh+Club&live=yes")
    expect(bar).to_be_hidden()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("status")).to_be_empty()


def test_a_form_that_came_back_with_errors_is_still_unsaved(installed: Admin, page: Page):
    open_app(page, installed, "/program")  # its days are marked wrong
    expect(page.get_by_role("region", name="Save bar")).to_be_visible()


def test_the_resource_picker_lists_searches_and_returns_products(installed: Admin, page: Page):
    open_app(page, installed)
    first, second = (product for product in installed.devstore.products(installed.shop)[:2])
    ask = f"""() => {{
        const selectionIds = [{{id: "gid://shopify/Product/{first.id}"}}];
        window.picked = shopify.resourcePicker({{type: "product", multiple: true, action: "select", selectionIds}})
            .then((found) => found?.map((each) => each.id) ?? null);
    }}"""
    in_frame(page, ask)
    picker = page.get_by_role("dialog", name="Select products")
    expect(picker).to_be_visible()
    expect(page.get_by_label(first.title)).to_be_checked()
    page.get_by_label("Search products").fill(second.title)
    expect(page.get_by_label(first.title)).to_be_hidden()
    page.get_by_label(second.title).check()
    page.get_by_role("button", name="Select").click()
    assert in_frame(page, "() => picked") == [f"gid://shopify/Product/{each.id}" for each in (first, second)]
    in_frame(page, ask)
    expect(picker).to_be_visible()
    page.keyboard.press("Escape")
    expect(picker).to_be_hidden()
    assert in_frame(page, "() => picked") is None


def test_the_resource_picker_gives_one_variant_with_its_product(installed: Admin, page: Page):
    open_app(page, installed)
    product = next(each for each in installed.devstore.products(installed.shop) if len(each.variants) > 1)
    ask = """() => {
        window.picked = shopify.resourcePicker({type: "variant", multiple: false, action: "select"})
            .then(([{id, product}]) => [id, product.id]);
    }"""
    in_frame(page, ask)
    page.get_by_label(f"{product.title} – {product.variants[0].title}").check()
    page.get_by_label(f"{product.title} – {product.variants[1].title}").check()
    page.get_by_role("button", name="Select").click()
    chosen = [f"gid://shopify/ProductVariant/{product.variants[1].id}", f"gid://shopify/Product/{product.id}"]
    assert in_frame(page, "() => picked") == chosen


def test_extensions_say_what_the_live_theme_has(installed: Admin, page: Page):
    open_app(page, installed)
    ask = """async () => (await shopify.app.extensions())[0].activations.map((each) =>
        [each.handle, each.target, each.status, each.activations.length])"""
    assert in_frame(page, ask) == [["launcher", "body", "available", 0], ["product-points", "section", "available", 0]]
    theme_settings.set_embed(installed.devstore, installed.shop, "launcher", True)
    placed = theme_settings.place_block(installed.devstore, installed.shop, "product-points")
    assert in_frame(page, ask) == [["launcher", "body", "active", 1], ["product-points", "section", "active", 1]]
    kind = in_frame(page, "async () => { const [first] = await app.extensions(); return [first.handle, first.type]; }")
    assert kind == ["storefront", "theme_app_extension"]
    theme_settings.set_embed(installed.devstore, installed.shop, "launcher", False)
    theme_settings.remove_block(installed.devstore, installed.shop, placed)


def test_config_and_scopes_are_known_to_the_page(installed: Admin, page: Page):
    open_app(page, installed)
    known = in_frame(page, "async () => { await shopify.ready; return shopify.config; }")
    assert known["shop"] == "saltmarsh.myshopify.com"
    assert known["locale"] == "en"
    scopes = in_frame(page, "() => shopify.scopes.query()")
    assert scopes["granted"] == sorted(installed.devstore.app.scopes)
    in_frame(page, '() => { window.asked = shopify.scopes.request(["read_discounts"]); }')
    expect(page.get_by_text("See discounts and discount codes")).to_be_visible()
    page.get_by_role("button", name="Not now").click()
    assert in_frame(page, "async () => (await asked).result") == "declined-all"


@pytest.mark.parametrize(
    "way", ["window.open(location.origin + '/outside', '_top')", "fetch('/elsewhere', {method: 'POST'})"]
)
def test_a_page_may_leave_the_frame(installed: Admin, page: Page, way: str):
    open_app(page, installed)
    in_frame(page, f"() => {{ {way}; }}")
    page.wait_for_url(f"{installed.app_url}/outside")


def test_links_to_the_admin_by_shopifys_protocol_arrive(installed: Admin, page: Page):
    open_app(page, installed)
    in_frame(page, "() => { window.open('shopify://admin/orders', '_top'); }")
    page.wait_for_url(f"{installed.home}/orders")


def test_new_permissions_are_asked_for_before_the_app_opens(installed: Admin, page: Page):
    installation = installed.devstore.apps.installed(installed.shop)
    installation.scopes.remove("read_products")
    installed.devstore.store.save(installation)
    page.goto(f"{installed.home}/apps/regulars")
    expect(page.get_by_role("heading", name="Regulars asks for more")).to_be_visible()
    expect(page.get_by_text("See your products")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    expect(page.frame_locator(FRAME).get_by_role("heading", name="Regulars", level=1)).to_be_visible()


def test_the_menu_collapses_on_a_phone(installed: Admin, page: Page):
    page.set_viewport_size({"width": 390, "height": 800})
    frame = open_app(page, installed)
    menu = page.get_by_role("navigation", name="Admin")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    menu.get_by_role("link", name="Program").click()
    expect(menu).to_be_hidden()
    expect(frame.get_by_role("heading", name="Program", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_tokens_go_to_the_frame_page_alone(installed: Admin, page: Page):
    url = f"{installed.home}/frame/id-token"
    client = page.context.request
    assert client.post(url).status == 403
    page.goto(f"{installed.home}/apps/regulars")
    key = page.locator(FRAME).get_attribute("data-key")
    assert client.post(url, headers={"X-Frame-Key": key}).status == 200
    assert client.post(url, headers={"X-Frame-Key": f"x{key}"}).status == 403
    assert client.post(url, headers={"X-Frame-Key": key, "Origin": installed.app_url}).status == 403
    assert re.search("frame-ancestors 'none'", client.get(installed.home).headers["content-security-policy"])

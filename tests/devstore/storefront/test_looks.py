"""The theme in Chromium: nothing wider than the screen, nothing in the console, no accessibility violation."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from werkzeug.serving import make_server

from app.devstore.server import create_devstore
from app.devstore.settings import Settings
from tests.devstore.storefront.conftest import ROOT


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A dev store that really listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_devstore(
        Settings(app_toml=ROOT / "shopify.app.toml", data=None, port=port, secrets=("s" * 40,)), start=False
    )
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://saltmarsh.myshopify.com.localhost:{port}"
    server.shutdown()
    thread.join()
    app.extensions["devstore"].stop()


def shop_around(page: Page, origin: str) -> Iterator[str]:
    """Walk through the shop by clicking, and stop at every page worth looking at."""
    page.goto(f"{origin}/account/login")
    yield "login"
    page.click("text=Ines Duarte")
    page.wait_for_url("**/account")
    yield "account"
    page.goto(origin)
    yield "home"
    page.goto(f"{origin}/collections/all")
    yield "collection"
    page.click("text=Cobalt mug")
    page.wait_for_url("**/products/cobalt-mug")
    page.click("text=250 ml")
    assert page.inner_text("[data-price]") == "€24.00"
    yield "product"
    page.fill("[name=quantity]", "2")
    page.click("button[name=add]")
    page.wait_for_url("**/cart")
    assert page.inner_text(".total span:last-child") == "€48.00"
    yield "cart"
    page.click("button[name=checkout]")
    page.wait_for_url("**/checkout")
    yield "checkout"
    with page.expect_navigation():
        page.check("[value=collect]")
    assert page.inner_text("[data-total]") == "€48.00"
    page.click("button[name=place]")
    page.wait_for_url("**/orders/**")
    yield "order"


def test_looks_right_all_the_way_to_the_order(chromium, origin):
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for name in shop_around(page, origin):
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 860})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        report = Axe().run(page)
        assert report.violations_count == 0, (name, report.generate_report())
    assert said == []
    context.close()


def test_shopping_needs_no_javascript(chromium, origin):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{origin}/products/cobalt-mug")
    page.click("text=250 ml")
    page.click("button[name=add]")
    page.wait_for_url("**/cart")
    page.fill("[name='updates[]']", "3")
    page.click("button[name=update]")
    page.fill("[name=discount]", "TENOFF")
    page.click("button[name=apply]")
    assert page.inner_text(".total span:last-child") == "€64.80"
    page.click("button[name=checkout]")
    for name, value in (("email", "nojs@example.com"), ("last_name", "Vos")):
        page.fill(f"[name={name}]", value)
    page.check("[value=collect]")
    page.click("text=Work out the total again")
    page.click("button[name=place]")
    page.wait_for_url("**/orders/**")
    assert page.inner_text(".total span:last-child") == "€64.80"
    context.close()

"""Shopify paints it: what shoppers see comes from metafields, and the app is asked when somebody acts."""

from __future__ import annotations

import re

import requests

from .stores import eventually
from .worlds import Shop, World, words_of

MUGS = ("cobalt-mug", 3)


def switch_on(shop: Shop) -> None:
    """What the theme editor's Save sends, for the panel and the block on product pages."""
    editor = f"{shop.store.root}/{shop.domain}/admin/themes/current/editor"
    for form in (
        {"template": "index", "context": "apps", "embed-launcher": "on"},
        {"template": "product", "context": "apps", "embed-launcher": "on", "new-product-points": "on"},
    ):
        assert requests.post(editor, data=form, timeout=20, allow_redirects=False).status_code in (302, 303)


def painted(html: str) -> str | None:
    """The balance on the page as it left the theme."""
    found = re.search(r"data-available[^>]*>([^<]*)<", html)
    return found and re.sub(r"\D", "", found[1])


def test_the_balance_is_painted_without_asking_the_app(world: World) -> None:
    shop = world.shop(launched=False)
    switch_on(shop)
    ines = shop.customer()
    assert "rg-launch" not in shop.page("/", ines)  # not launched
    assert world.app.command("program", "launch", "--shop", shop.domain).exit_code == 0
    eventually(lambda: "rg-launch" in shop.page("/", ines), "the launcher is there")
    assert painted(shop.page("/", ines)) == "0"

    order = shop.order(MUGS)
    eventually(lambda: painted(shop.page("/", ines)) == "69", "the points are painted")
    shop.change(order, "refund", lines={"0": 1})
    eventually(lambda: painted(shop.page("/", ines)) == "46", "what is left is painted")
    document = shop.member_metafield()
    assert document is not None and (document["available"], document["pending"], document["debt"]) == (46, 0, 0)

    before = shop.now()
    for path in ("/", "/products/cobalt-mug", "/collections/all", "/cart"):
        assert painted(shop.page(path, ines)) == "46"
    assert painted(shop.page("/", shop.customer("tomas@example.com"))) == "0"
    assert "Join for free" in words_of(shop.page("/products/cobalt-mug"))
    assert shop.said(after=before) == []  # the app was not asked, and asked nothing

    answer = shop.asks(customer_id=ines).json()
    assert answer["member"]["available"] == 46
    assert [message["kind"] for message in shop.said(after=before)] == ["proxy"]
    assert [row["points"] for row in answer["history"]] == [-23, 69]


def test_what_the_merchant_changes_reaches_the_theme(world: World) -> None:
    shop = world.shop()
    switch_on(shop)
    eventually(lambda: "Earns up to 28 points." in words_of(shop.page("/products/straw-mug")), "the block is there")
    assert "1 point for every €1" in shop.page("/")
    assert "Gift cards do not earn points." in words_of(shop.page("/products/gift-card"))

    def command(*arguments: str) -> None:
        assert world.app.command("program", *arguments, "--shop", shop.domain).exit_code == 0

    command("launch", "--preset", "starter-double")
    eventually(lambda: "Earns up to 56 points." in words_of(shop.page("/products/straw-mug")), "the new rate")
    assert "2 points for every €1" in shop.page("/")
    command("pause")
    eventually(lambda: "Earns" not in words_of(shop.page("/products/straw-mug")), "the pause")
    command("launch")
    eventually(lambda: "Earns up to 56 points." in words_of(shop.page("/products/straw-mug")), "the end of the pause")


def test_a_customer_who_is_gone_keeps_nobody_from_their_balance(world: World) -> None:
    """25 balances go in one call, and the call is all or nothing."""
    shop = world.shop()
    people = [shop.customer(f"{name}@example.com") for name in ("ines", "tomas", "noor")]
    world.store.webhooks(drop_topics=["customers/delete", "customers/merge"], drop_percent=100)
    orders = [shop.order(MUGS, customer=person, pay=False) for person in people]
    shop.at_rest()
    gone = shop.do("customers", email="gone@example.com")["id"]
    order = shop.order(MUGS, customer=gone)
    shop.do(f"customers/{people[0]}/merge", gone_id=gone)  # and nobody tells us
    for other in orders:
        shop.change(other, "pay")
    eventually(
        lambda: [(shop.member_metafield(person) or {}).get("available") for person in people] == [69] * 3,
        "everybody else has theirs",
    )
    assert order["customer_id"] == gone

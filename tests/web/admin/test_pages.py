"""Every page of the admin: valid Polaris, framed for its shop alone, and deaf to markup in people's words."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

import pytest

from app.models import Member

from ...conftest import DOMAIN, SHOP_ID
from ...support import add_shop, deliver, drain, order_body, refund_body
from ..asking import bearer
from .conftest import Browser, words_of

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
PAGES = [
    "/",
    "/admin/",
    "/admin/storefront?panel=on&block=off",
    "/admin/program",
    "/admin/program/vendors",
    "/admin/program/versions",
    "/admin/program/versions/1",
    "/admin/members",
    "/admin/members?q=nobody",
    "/admin/rewards",
    "/admin/rewards/off",
    "/admin/rewards/off/edit",
    "/admin/rewards/new?start=slider",
    "/admin/rewards/product?variant=5",
    "/admin/activity",
    "/admin/activity?source=deliveries",
    "/admin/activity?source=staff",
    "/admin/privacy",
    "/admin/settings",
]


@pytest.fixture
def busy_shop(db, clock, shop):
    """An order, its refund, and a delivery that cannot be read."""
    deliver(db, "orders/paid", order_body(lines=[("28.00", 3)]))
    drain(db, clock)
    deliver(db, "refunds/create", refund_body(1, units={1: 1}))
    deliver(db, "orders/paid", {"id": 1}, webhook_id="bad")
    drain(db, clock)
    return shop


def test_every_page_is_there(merchant, busy_shop):
    for path in PAGES:
        answer = merchant.get(path)  # which checks its markup against the manifest, too
        assert answer.status == 200, words_of(answer)


def test_every_page_of_a_shop_that_only_just_installed_is_there(db, door):
    add_shop(db, program=None)
    for path in PAGES:
        assert Browser(door).get(path).status == (404 if path.endswith("versions/1") else 200)


def test_no_page_opens_without_a_token(door, shop):
    for path in PAGES:
        answer = door.get(path)
        assert answer.status == (200 if path == "/" else 401)  # "/" then says what this is, and nothing of a shop
        assert DOMAIN not in answer.text


def test_a_page_may_be_framed_by_its_own_shop_only_and_is_not_kept(merchant, shop):
    headers = merchant.get("/admin/program").headers
    assert f"frame-ancestors https://{DOMAIN} https://admin.shopify.com;" in headers["content-security-policy"]
    assert "unsafe-inline" not in re.search(r"script-src[^;]*", headers["content-security-policy"])[0]
    assert headers["cache-control"] == "no-store, private"
    assert 'rel="preload"; as="script"' in headers["link"]


def test_app_bridge_is_the_first_script(merchant, shop):
    scripts = re.findall(r'<script[^>]* src="([^"]+)"', merchant.get("/admin/").text)
    assert scripts[0] == "https://cdn.shopify.com/shopifycloud/app-bridge.js"
    assert scripts[1] == "https://cdn.shopify.com/shopifycloud/polaris-1.js"


def test_no_page_carries_script_in_its_markup(merchant, busy_shop):
    for path in PAGES:
        text = merchant.get(path).text
        assert not re.search(r"<script(?![^>]* src=)", text)
        assert not re.search(r"<[^>]+ on[a-z]+=", text)


def test_markup_in_titles_names_and_reasons_stays_inert(db, clock, merchant, shop):
    body = order_body(name=EVIL, lines=[("28.00", 2)])
    body["line_items"][0]["title"] = EVIL
    deliver(db, "orders/paid", body)
    drain(db, clock)
    deliver(db, "orders/paid", {"id": 2, "note_of": EVIL}, webhook_id="bad")
    drain(db, clock)
    with db.reading() as session:
        member_id = session.query(Member).one().member_id
    merchant.post(f"/admin/members/{member_id}/adjust", {"points": "5", "reason": EVIL, "key": "k"})
    program = fields(name=EVIL[:40], vendors=f'["{EVIL[:20]}"]')
    refused = merchant.post("/admin/program/draft", {**program, "points": EVIL, "trigger": EVIL})
    merchant.post("/admin/program/draft", program)
    pages = [merchant.get(path) for path in PAGES]
    pages += [merchant.get(f"/admin/members/{member_id}?order=5731"), merchant.get(f"/admin/members?q={EVIL}"), refused]
    pages.append(merchant.get(f"/admin/activity?topic={EVIL}&source={EVIL}&delivery={EVIL}&done={EVIL}"))
    assert any("&lt;script&gt;" in page.text for page in pages)
    for page in pages:
        assert "<script>" not in page.text
        assert "<img" not in page.text
        assert "49" not in re.findall(r"\{\{.*?\}\}", page.text)


def fields(**changes: str) -> dict[str, str]:
    """The program page's form as it stands for the starter preset."""
    return {
        "name": "Rewards", "points": "1", "per": "1.00", "rounding": "down", "minimum": "0.00", "products": "",
        "vendors": "[]", "trigger": "paid", "hold": "0", "margin": "50", "most_share": "50", **changes,
    }  # fmt: skip


def test_what_is_another_shops_and_what_does_not_exist_are_told_in_the_same_words(db, clock, door, busy_shop):
    add_shop(db, shop_id=2, domain="other.myshopify.com")
    deliver(db, "orders/paid", {"id": 1}, webhook_id="bad", domain="other.myshopify.com")
    drain(db, clock)
    other, here = Browser(door, "other.myshopify.com"), SHOP_ID
    with db.reading() as session:
        member_id = session.query(Member.member_id).filter(Member.shop_id == here).scalar()
    for foreign, nowhere in [
        (f"/admin/members/{member_id}", "/admin/members/12345"),
        (f"/admin/members/{member_id}?order=5731", "/admin/members/12345?order=5731"),
        ("/admin/program/versions/1", "/admin/program/versions/1"),
    ]:
        asked = other.get(foreign)
        if "versions" not in foreign:
            assert (asked.status, asked.body) == (404, other.get(nowhere).body)
    sent = {"points": "5", "reason": "x", "key": "k"}
    foreign = other.post(f"/admin/members/{member_id}/adjust", sent)
    assert (foreign.status, foreign.body) == (404, other.post("/admin/members/12345/adjust", sent).body)
    for path in ("/admin/members/99999999999999999999999", "/admin/program/versions/99999999999999999999"):
        assert other.get(path).status == 404
    assert door.get("/admin/members/1", headers=bearer("other.myshopify.com", secret="wrong" * 8)).status == 401


REWARD_FIELDS = (
    "kind title points amount percent variant product_id product_title price slider least most share minimum products "
    "combines stock stock_period member member_period budget budget_period cost starts_day starts_time ends_day "
    "ends_time valid back"
)
NASTY = [
    "\x00", "\x00a\u2028b", "-1", "9" * 60, "5--" + "9" * 40, "%", "'; --", "𝟙", "١", "",
    base64.urlsafe_b64encode(b"5." + b"9" * 30).decode(),  # a cursor beyond any number a database holds
]  # fmt: skip


def test_nothing_anybody_sends_is_more_than_refused(db, clock, merchant, busy_shop):
    with db.reading() as session:
        member = session.query(Member.member_id).scalar()
    for nasty in NASTY:
        asked = [
            merchant.door.get(f"{path}{quote(nasty)}", headers=merchant.token)
            for path in (
                "/admin/members?q=", "/admin/members?older=", "/admin/members?newer=", "/admin/activity?topic=",
                "/admin/activity?source=", "/admin/activity?delivery=", "/admin/storefront?panel=",
                "/admin/rewards/", "/admin/rewards/new?start=", "/admin/rewards/product?variant=",
                "/admin/rewards/off?older=", "/admin/rewards/redemptions/",
                f"/admin/members/{member}?older=", f"/admin/members/{member}?order=", f"/admin/members/{member}?on=",
            )
        ]  # fmt: skip
        sent = [
            merchant.post(path, dict.fromkeys(names.split(), nasty), follow=False)
            for path, names in (
                ("/admin/program/draft", "name points per rounding minimum counts products vendors trigger hold test"),
                ("/admin/program/publish", "points per when day time"),
                ("/admin/program/publish", "when"),
                ("/admin/program/start-from", "preset"),
                ("/admin/program/launch", "preset test asked_test when day time"),
                ("/admin/settings/look", "accent corner launcher radius offset"),
                ("/admin/guide", "show"),
                ("/admin/program/draft", "points per margin most_share stop"),
                ("/admin/rewards/off/draft", REWARD_FIELDS),
                ("/admin/rewards/off/preview", REWARD_FIELDS),
                (f"/admin/rewards/{quote(nasty or 'x')}/draft", REWARD_FIELDS),
                (f"/admin/rewards/{quote(nasty or 'x')}/remove", "x"),
                *(
                    (f"/admin/rewards/redemptions/{quote(nasty or 'x')}/{button}", "points already answer")
                    for button in ("reissue", "cancel", "give-back", "decide")
                ),
                ("/admin/deliveries/replay-all", "topic"),
                (f"/admin/members/{member}/adjust", "points reason key"),
                (f"/admin/deliveries/{quote(nasty or 'x')}/replay", "x"),
                (f"/admin/jobs/{quote(nasty or 'x')}/retry", "x"),
            )
        ]
        for kind in ("amount_off", "percentage", "free_product", "gift_card"):
            typed = {**dict.fromkeys(REWARD_FIELDS.split(), nasty), "kind": kind}
            sent.append(merchant.post("/admin/rewards/off/draft", typed))
            sent.append(merchant.post("/admin/rewards/off/preview", typed))
        sent.append(
            merchant.post(f"/admin/members/{member}/adjust", {"points": "1", "reason": f"a{nasty}", "key": "k"})
        )
        assert [answer.status for answer in asked + sent if answer.status >= 500] == [], nasty

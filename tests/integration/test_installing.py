"""A shop comes, stays, and goes: tokens had by exchange, by refresh and by code, over real HTTP."""

from __future__ import annotations

import hashlib
import hmac
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import requests

from app.clock import utcnow
from app.jobs.queue import enqueue
from app.models import DeliveryState, JobState, Lane, ShopToken
from app.models import Shop as ShopRow

from ..conftest import API_SECRET
from ..support import webhook_headers
from .stores import ROOT, eventually, next_second
from .worlds import LONG_AGO, Shop, World, adds_up, asked, grants, query_of, token, words_of

MUGS = ("cobalt-mug", 3)


def ask_for(shop: Shop, kind: str) -> None:
    with shop.app.db.transaction() as session:
        enqueue(session, shop.row().shop_id, kind, lane=Lane.NETWORK, now=utcnow())


def test_the_first_opening_trades_the_session_token(world: World) -> None:
    shop = world.shop(installed=False)
    before = shop.now()
    shop.install()
    assert shop.said(after=before) == []  # managed install: nobody tells the app
    page = shop.open()
    assert page.status_code == 200
    assert "Get set up" in page.text
    assert f"frame-ancestors https://{shop.domain} " in page.headers["Content-Security-Policy"]
    shop.at_rest()
    assert grants(shop) == [("token-exchange", "200")]
    assert {"Shop", "MetafieldDefinitionCreate", "MetafieldsSet", "OrderSightings"} <= set(asked(shop))
    row = shop.row()
    assert (row.shop_id, row.currency, row.timezone) == (shop.id, "EUR", "Europe/Amsterdam")
    assert row.app_installation_id.startswith("gid://shopify/AppInstallation/")
    assert shop.metafield("program") == {"v": 1, "live": False}
    # Opened again there is nothing to ask.
    before = shop.now()
    assert shop.open().status_code == 200
    assert grants(shop, after=before) == []


def test_two_openings_in_one_breath_make_one_shop(world: World) -> None:
    shop = world.shop(installed=False)
    shop.install()
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: shop.open().status_code, range(4)))
    assert pages == [200] * 4
    shop.at_rest()
    shop.launch()
    shop.order(MUGS)
    assert shop.points() == 69


class CodeGrant:
    """A browser that walks through the authorization code grant."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.browser = shop, requests.Session()

    def begin(self) -> str:
        """To the consent page's address."""
        answer = self.browser.get(
            f"{self.shop.app.url}/auth/install?shop={self.shop.domain}", allow_redirects=False, timeout=20
        )
        assert answer.status_code == 302
        return answer.headers["Location"]

    def agree(self, consent: str) -> str:
        """Press Install; the callback's address."""
        page = self.browser.get(consent, timeout=20)
        assert page.status_code == 200 and "read_orders" in page.text
        form = {name: query_of(consent)[name] for name in ("client_id", "redirect_uri", "state")}
        answer = self.browser.post(consent.partition("?")[0], data=form, allow_redirects=False, timeout=20)
        assert answer.status_code == 302
        return answer.headers["Location"]

    def call_back(self, callback: str) -> requests.Response:
        return self.browser.get(callback, allow_redirects=False, timeout=20)


def test_the_authorization_code_grant(world: World) -> None:
    shop = world.shop(installed=False)
    grant = CodeGrant(shop)
    callback = grant.agree(grant.begin())
    assert callback.startswith(f"{world.app.url}/auth/callback?")

    stranger = CodeGrant(shop)
    assert stranger.call_back(callback).status_code == 401  # another browser: no state cookie
    stranger.begin()
    assert stranger.call_back(callback).status_code == 401  # another browser's state
    assert grant.call_back(callback.replace("code=", "code=0")).status_code == 401  # not as it was signed

    done = grant.call_back(callback)
    assert done.status_code == 302
    assert done.headers["Location"].startswith(f"{world.store.root}/-/admin/store/")
    assert not grant.browser.cookies.get_dict()  # a state is good for one callback
    assert grant.call_back(callback).status_code == 401
    shop.at_rest()
    assert grants(shop) == [("authorization_code", "200")]
    assert token(shop).access_token.startswith("shpat_")
    assert "shpat_" not in str([message["path"] for message in shop.said()])
    # Opening it afterwards needs no further token, and the shop works.
    assert shop.open().status_code == 200
    shop.launch()
    shop.order(MUGS)
    assert shop.points() == 69
    assert grants(shop) == [("authorization_code", "200")]


def test_uninstalling_stops_all_work(world: World) -> None:
    shop = world.shop()
    ines = shop.customer()
    order = shop.order(MUGS)
    assert shop.points() == 69
    assert shop.asks(customer_id=ines).status_code == 200
    world.store.webhooks(hold=True)
    shop.change(order, "refund", lines={"0": 1})  # what Shopify told before, and delivers after
    before = shop.now()
    shop.do("uninstall")
    world.store.post("webhooks/release")
    shop.at_rest()
    assert not shop.row().is_installed
    assert shop.points() == 46  # the books go on while Shopify still tells
    with world.app.db.reading() as session:
        assert session.get(ShopToken, shop.id) is None
    # Whoever asks gets 404, with a good signature too; and the app asked Shopify nothing any more.
    assert signed_by_hand(shop, ines).status_code == 404
    for kind in ("reconcile", "sync_members", "publish_program", "set_up_store", "keep_alive", "refresh_shop"):
        ask_for(shop, kind)
    eventually(lambda: shop.jobs() == [], "nothing waits")
    assert [message for message in shop.said(after=before) if message["kind"] in ("api", "oauth")] == []


def signed_by_hand(shop: Shop, customer_id: int) -> requests.Response:
    """As the app proxy would ask, for a shop on which it answers no more."""
    query = {
        "shop": shop.domain, "logged_in_customer_id": str(customer_id), "path_prefix": "/apps/regulars",
        "timestamp": str(int(time.time())),
    }  # fmt: skip
    text = "".join(sorted(f"{name}={value}" for name, value in query.items()))
    query["signature"] = hmac.new(API_SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    return requests.get(f"{shop.app.url}/proxy/shopper?{urlencode(query)}", timeout=20)


def test_coming_back_and_a_late_uninstall(world: World) -> None:
    shop = world.shop()
    shop.order(MUGS)
    assert shop.points() == 69
    with world.app.db.transaction() as session:  # installed an hour ago, and not opened since
        row = session.get_one(ShopRow, shop.id)
        row.installed_at = row.opened_at = utcnow() - timedelta(hours=1)
    world.store.webhooks(hold=True)
    shop.do("uninstall")
    next_second()
    shop.install()
    before = shop.now()
    assert shop.open().status_code == 200  # the old token is dead, and nobody told the app yet
    shop.at_rest()
    world.store.post("webhooks/release")
    shop.at_rest()
    late = shop.deliveries("app/uninstalled")
    assert [(item.state, item.outcome) for item in late] == [
        (DeliveryState.IGNORED, "Ignored: the app was installed again since.")
    ]
    assert shop.row().is_installed
    shop.order(("straw-mug", 1))
    assert shop.points() == 92  # the books are whole
    assert shop.open().status_code == 200
    assert grants(shop, after=before)[-1][1] == "200"
    eventually(lambda: (shop.member_metafield() or {}).get("available") == 92, "the storefront has the balance")
    eventually(lambda: (shop.metafield("program") or {}).get("live"), "the storefront has the program")
    assert adds_up(world.app)


def test_orders_of_the_days_without_us_are_found_when_the_shop_comes_back(world: World) -> None:
    shop = world.shop()
    first = shop.order(MUGS)
    assert shop.points() == 69
    shop.do("uninstall")
    shop.at_rest()
    shop.order(("straw-mug", 1))  # nobody tells us
    shop.change(first, "refund", lines={"0": 1})
    assert shop.points() == 69
    next_time = shop.now()
    shop.install()
    assert shop.open().status_code == 200
    assert grants(shop, after=next_time) == [("token-exchange", "200")]
    assert shop.points() == 46 + 23


def test_shop_update_cannot_pass_for_an_uninstall(world: World) -> None:
    """One secret signs both, and the topic is an unsigned header."""
    shop = world.shop()
    world.store.patch(f"shops/{shop.domain}", name="Dunes Pottery")
    shop.at_rest()
    assert shop.row().name == "Dunes Pottery"
    sent = world.store.get("webhooks", shop=shop.domain)["deliveries"]
    seq = next(delivery["seq"] for delivery in sent if delivery["topic"] == "shop/update")
    body = world.store.http.get(f"{world.store.root}/-/control/webhooks/{seq}/body", timeout=20).content
    headers = webhook_headers("app/uninstalled", body, domain=shop.domain, webhook_id="replayed")
    assert requests.post(f"{world.app.url}/webhooks", data=body, headers=headers, timeout=20).status_code == 200
    shop.at_rest()
    assert shop.row().is_installed
    assert [item.state for item in shop.deliveries("app/uninstalled")] == [DeliveryState.PARKED]


def test_scopes_that_a_new_release_asks_for(world: World, tmp_path: Path) -> None:
    """Asked on the next open; what is granted then is told by app/scopes_update."""
    shop = world.shop()
    assert "read_discounts" not in shop.row().scopes
    text = (ROOT / "shopify.app.toml").read_text(encoding="utf-8")
    newer = tmp_path / "shopify.app.toml"
    newer.write_text(text.replace('scopes = "read_orders', 'scopes = "read_discounts,read_orders'), encoding="utf-8")
    try:
        world.store.post("app/reload", app_toml=str(newer))
        assert world.store.get(f"shops/{shop.domain}")["missing_scopes"] == ["read_discounts"]
        shop.do("grant_scopes")
        shop.at_rest()
        assert "read_discounts" in shop.row().scopes.split(",")
        assert shop.deliveries("app/scopes_update")[-1].outcome == "The granted scopes were noted."
    finally:
        world.store.post("app/reload")


def test_a_scope_that_is_missing_parks_the_work_and_says_so(world: World, tmp_path: Path) -> None:
    text = (ROOT / "shopify.app.toml").read_text(encoding="utf-8")
    poorer = tmp_path / "shopify.app.toml"
    poorer.write_text(text.replace("write_customers,", ""), encoding="utf-8")
    try:
        world.store.post("app/reload", app_toml=str(poorer))
        shop = world.shop()
    finally:
        world.store.post("app/reload")
    shop.order(MUGS)
    assert shop.points() == 69
    parked = eventually(
        lambda: [job for job in shop.jobs() if job.state == JobState.PARKED and job.kind == "sync_members"], "parked"
    )
    assert "write_customers" in parked[0].outcome
    said = words_of(shop.open().text) + words_of(shop.open("/admin/activity").text)
    assert "write_customers" in said
    # The merchant grants it, and the work that waited is done.
    shop.do("grant_scopes")
    eventually(lambda: (shop.member_metafield() or {}).get("available") == 69, "the storefront has the balance")


def test_times_are_the_worlds_own(world: World) -> None:
    """Launched long ago, installed now: an order from before the install is found by the first sweep, and counts."""
    shop = world.shop(installed=False)
    placed = utcnow().replace(microsecond=0) - timedelta(days=30)
    shop.order(MUGS, at=placed.isoformat())
    shop.install()
    shop.open()
    shop.launch(since=LONG_AGO)
    assert world.app.command("reconcile", "--shop", shop.domain).exit_code == 0
    assert shop.points() == 69

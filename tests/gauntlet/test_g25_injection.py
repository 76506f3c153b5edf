"""G25: texts that would like to be code, in every text of other people that we show; in a real Chromium.

Order names, product titles, vendors, customers' names (Shopify's answer), reasons, shop and program names, titles of
rewards and what is in their way, webhook topics, parked bodies and API errors. The pages are also opened without their
Content-Security-Policy, so that a text which is code would run, and is not saved by the second line of defence.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import responses
from sqlalchemy import select, update

from app.db import Database
from app.devstore.cdn import bundle
from app.jobs.queue import enqueue
from app.loyalty.adjust import adjust
from app.loyalty.programs import live_settings, publish, save_draft
from app.loyalty.redeem import Wanted, redeem
from app.models import Delivery, DeliveryState, Discount, Job, JobState, Lane, Member, Redemption, Shop
from app.program.presets import preset
from app.program.settings import ProgramSettings
from tests.extensions.storefront_pages import MUG, NORA, Storefront, answer, program, serving

from ..conftest import DOMAIN, SHOP_ID, Clock
from ..support import LAUNCHED, add_shop, deliver, drain, order_body, refund_body
from ..web.asking import Door, bearer, proxied
from ..web.shopify_stand_in import graphql_url
from .injections import EVALUATED, PAYLOADS

WATCH = """
window.__violations = [];
addEventListener("securitypolicyviolation",
(event) => window.__violations.push(event.violatedDirective + " " + event.blockedURI));
"""
# A handler of the element's own runs without bubbling; the page's own scripts are left alone.
TOUCH = """() => {
  for (const element of document.querySelectorAll("main *"))
    for (const kind of ["mouseover", "focus"]) element.dispatchEvent(new Event(kind));
}"""
STATE = "() => [window.__pwned || 0, document.documentElement.outerHTML.includes('55433')]"
ORIGIN = "https://regulars.test"
CUSTOMER = 7001


def settings_named(name: str, vendor: str) -> ProgramSettings:
    document = preset("starter", "EUR").document()
    document["name"] = name
    document["earning"]["exclude"]["vendors"] = [vendor]
    document["rewards"][0]["title"] = name
    gift = {"product_id": 9, "variant_id": 11, "title": vendor, "price_minor": 100}
    document["rewards"].append({"slot": "gift", "kind": "free_product", "points": 5, "product": gift})
    return ProgramSettings.model_validate(document)


def accepted_names() -> list[str]:
    """The payloads a merchant may call a program by: those short enough."""
    found = []
    for payload in PAYLOADS:
        with suppress(ValueError):
            found += [payload] if settings_named(payload, payload) else []
    return found


@pytest.fixture(scope="module")
def template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """A shop in which every text is a payload, and the moment it had come to."""
    path, clock = tmp_path_factory.mktemp("hostile") / "hostile.db", Clock()
    shutil.copy(sqlite_template, path)
    db = Database(f"sqlite:///{path}")
    add_shop(db, launched=LAUNCHED)
    with db.transaction() as session:
        shop = session.get_one(Shop, SHOP_ID)
        shop.name = PAYLOADS[0] + PAYLOADS[7]
        names = accepted_names()
        assert len(names) > 20
        for name, other in zip(names[:12], names[12:24], strict=True):
            publish(session, shop, settings_named(name, other), author=other, now=clock.now)
        save_draft(session, shop, settings_named(names[13], names[2]), author=PAYLOADS[14], now=clock.now)
    for number, payload in enumerate(PAYLOADS):
        at = clock.advance(seconds=1)
        body = order_body(6000 + number, customer_id=CUSTOMER, name=payload, created_at=at, lines=[("30.00", 2)])
        body["line_items"][0] |= {"title": payload, "vendor": payload}
        deliver(db, "orders/paid", body, now=at, webhook_id=f"o-{number}")
        deliver(db, "orders/paid", order_body(8000 + number, customer_id=9000 + number, created_at=at), now=at,
                webhook_id=f"m-{number}")  # fmt: skip
        if number % 3 == 0:
            back = refund_body(number + 1, 6000 + number, units={1: 1}, created_at=at)
            deliver(db, "refunds/create", back, now=at, webhook_id=f"r-{number}")
        deliver(db, payload, {"id": number, payload: payload}, now=at, webhook_id=f"t-{number}")
    for start in range(0, len(PAYLOADS), 20):
        some = PAYLOADS[start : start + 20]
        body = {"id": 1, "line_items": "none", "customer": {"id": 5}, "said": list(some), **dict.fromkeys(some, 1)}
        deliver(db, "orders/updated", body, now=clock.now, webhook_id=f"p-{start}")
    drain(db, clock)
    with db.transaction() as session:
        member_id = session.scalars(select(Member.member_id).where(
            Member.shop_id == SHOP_ID, Member.customer_id == CUSTOMER)).one()  # fmt: skip
        for number, payload in enumerate(PAYLOADS):
            clock.advance(seconds=1)
            adjust(
                session, SHOP_ID, member_id, points=1, reason=payload, key=f"k{number}", author=payload, now=clock.now
            )
        for number, payload in enumerate(PAYLOADS[:40]):
            enqueue(session, SHOP_ID, f"kind{number}", lane=Lane.NETWORK, now=clock.now)
            session.execute(update(Job).where(Job.shop_id == SHOP_ID, Job.kind == f"kind{number}").values(
                state=JobState.PARKED, outcome=payload, kind=payload))  # fmt: skip
        shop = session.get_one(Shop, SHOP_ID)
        for number, reward_id in enumerate(live_settings(session, SHOP_ID, clock.now).rewards_by_id):
            clock.advance(seconds=1)
            taken, _ = redeem(session, shop, member_id, Wanted(reward_id, f"k{number}"), now=clock.now)
            taken.problem, taken.by, taken.why = PAYLOADS[number], PAYLOADS[number + 3], "staff"
        session.execute(update(Discount).where(Discount.shop_id == SHOP_ID).values(problem=PAYLOADS[11]))
    db.dispose()
    return path, clock.now


@pytest.fixture
def hostile_db(template: tuple[Path, datetime], tmp_path: Path, clock: Clock) -> Iterator[Database]:
    path = tmp_path / "hostile.db"
    shutil.copy(template[0], path)
    clock.now = template[1]
    db = Database(f"sqlite:///{path}")
    yield db
    db.dispose()


@pytest.fixture
def hostile(hostile_db: Database, make_app: Any) -> Iterator[Door]:
    """The app on it, and a Shopify that tells names which are payloads too."""

    def told(request: Any) -> tuple[int, dict[str, str], str]:
        ids = json.loads(request.body)["variables"].get("ids", [])
        nodes = [{
            "title": PAYLOADS[13], "price": "5.00",
            "product": {"id": "gid://shopify/Product/9", "title": PAYLOADS[15], "hasOnlyDefaultVariant": False},
            "id": gid, "displayName": PAYLOADS[int(gid.rpartition("/")[2]) % len(PAYLOADS)],
            "defaultEmailAddress": {"emailAddress": PAYLOADS[int(gid.rpartition("/")[2]) * 7 % len(PAYLOADS)]},
        } for gid in ids]  # fmt: skip
        return 200, {}, json.dumps({"data": {"nodes": nodes}})

    with responses.mock:
        responses.mock.assert_all_requests_are_fired = False
        responses.add_callback(responses.POST, graphql_url(), callback=told)
        yield Door(make_app(hostile_db))
    responses.reset()


def admin_pages(door: Door, db: Any, clock: Any) -> dict[str, str]:
    """Address → HTML of every page with other people's texts on it, all of their further pages too."""
    said = bearer(now=clock.now)
    with db.reading() as session:
        member_id = session.scalars(select(Member.member_id).where(
            Member.shop_id == SHOP_ID, Member.customer_id == CUSTOMER)).one()  # fmt: skip
        redemptions = session.scalars(select(Redemption.redemption_id)).all()
        keys = session.scalars(select(Delivery.key).where(Delivery.state == DeliveryState.PARKED)).all()
    wanted = ["/admin/", "/admin/members", "/admin/activity", "/admin/privacy", "/admin/program", "/admin/settings",
              "/admin/program/versions", "/admin/program/versions/3", f"/admin/members/{member_id}?order=6001",
              "/admin/rewards", "/admin/rewards/off", "/admin/rewards/off/edit", "/admin/rewards/gift",
              "/admin/rewards/gift/edit", "/admin/rewards/product?variant=11",
              "/admin/activity?source=points", "/admin/activity?source=staff", "/admin/activity?source=deliveries",
              f"/admin/members?q={PAYLOADS[5][:20].replace('<', '%3C').replace('>', '%3E')}"]  # fmt: skip
    wanted += [f"/admin/rewards/redemptions/{redemption_id}" for redemption_id in redemptions]
    wanted += [f"/admin/activity?delivery={bytes(key).hex()}" for key in keys]
    found: dict[str, str] = {}
    while wanted:
        target = wanted.pop(0)
        answered = door.get(target, headers=said)
        assert answered.status == 200, target
        found[target] = answered.text
        following = re.findall(r'href="([^"]*[?&](?:amp;)?older=[^"]*)"', answered.text)
        wanted += [place for link in following if (place := html.unescape(link)) not in found]
    return found


class Reader(HTMLParser):
    """Notes every element and attribute that could run something."""

    def __init__(self) -> None:
        super().__init__()
        self.odd: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in (
            "iframe",
            "object",
            "embed",
            "base",
            "img",
            "video",
            "audio",
            "math",
            "marquee",
            "style",
            "portal",
            "xss",
        ):
            self.odd.append(tag)
        for name, value in attrs:
            place = re.sub(r"[\s\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or name in ("srcdoc", "formaction", "xlink:href"):
                self.odd.append(f"{tag} {name}")
            if name in ("href", "src", "action", "data-href") and place.startswith(
                ("javascript:", "data:", "vbscript:", "//")
            ):
                self.odd.append(f"{tag} {name}={value}")
        if tag == "script" and not dict(attrs).get("src", "").startswith(("https://cdn.shopify.com/", "/static/")):
            self.odd.append("script")
        if tag == "meta" and "http-equiv" in dict(attrs):
            self.odd.append("meta refresh")


def test_no_page_holds_a_text_as_anything_but_text(hostile, hostile_db, clock, gauntlet):
    pages = admin_pages(hostile, hostile_db, clock)
    wrong = []
    for target, page in pages.items():
        reader = Reader()
        reader.feed(page)
        wrong += [(target, odd) for odd in reader.odd]
        wrong += [(target, "evaluated")] if EVALUATED in page else []
    shown = html.unescape(" ".join(pages.values()))
    missing = [payload for payload in PAYLOADS if payload.strip() not in shown]
    gauntlet.record("G25", n=len(pages) * len(PAYLOADS), failures=len(wrong))
    assert len(PAYLOADS) >= 150
    assert not wrong
    assert len(PAYLOADS) - len(missing) >= 150, missing[:20]


def test_no_text_runs_in_chromium_in_any_admin_page(hostile, hostile_db, clock, chromium, gauntlet):
    """With the policy lifted: nothing but escaping stands between the texts and the browser."""
    every = admin_pages(hostile, hostile_db, clock)
    # Of the many pages of one member's ledger, every third: they differ in the texts alone, which the test above read.
    pages = {target: page for number, (target, page) in enumerate(every.items()) if number < 22 or number % 3 == 0}
    context = chromium.new_context(bypass_csp=True, viewport={"width": 1280, "height": 2000})
    problems = _visit_all(context, pages, hostile, clock)
    context.close()
    gauntlet.record("G25", n=len(pages), failures=len(problems))
    assert not problems


def test_no_text_offends_the_policy_in_chromium(hostile, hostile_db, clock, chromium, gauntlet):
    """With the policy as it is: had any text become code, the browser would have reported that it was stopped."""
    every = admin_pages(hostile, hostile_db, clock)
    pages = {target: every[target] for target in list(every)[:9]}
    context = chromium.new_context(viewport={"width": 390, "height": 2000})
    problems = _visit_all(context, pages, hostile, clock)
    context.close()
    gauntlet.record("G25", n=len(pages), failures=len(problems))
    assert not problems


def _visit_all(context: Any, pages: dict[str, str], door: Door, clock: Any) -> list[tuple[str, Any]]:
    problems: list[tuple[str, Any]] = []
    context.add_init_script(WATCH)
    page = context.new_page()
    page.on("dialog", lambda dialog: (problems.append((page.url, dialog.message)), dialog.dismiss()))

    def serve(route: Any) -> None:
        address = route.request.url
        name = address.rpartition("/")[2]
        if address.startswith(ORIGIN):
            body = (route.request.post_data_buffer or b"") if route.request.method == "POST" else b""
            answered = door.ask(
                route.request.method, address.removeprefix(ORIGIN), headers=bearer(now=clock.now), body=body
            )
            route.fulfill(status=answered.status, headers=dict(answered.headers), body=answered.body)
        elif name in ("polaris-1.js", "app-bridge.js"):
            route.fulfill(status=200, content_type="text/javascript", body=bundle(name))
        else:
            problems.append((page.url, f"asked for {address}"))
            route.abort()

    page.route("**/*", serve)
    for target in pages:
        page.goto(ORIGIN + target, wait_until="load")
        page.evaluate(TOUCH)
        page.wait_for_timeout(30)
        state = page.evaluate(
            "() => [window.__pwned || 0, window.__violations, document.documentElement.outerHTML.includes('55433')]"
        )
        offences = [said for said in state[1] if "style" not in said]
        if state[0] or offences or state[2]:
            problems.append((target, state))
    return problems


def test_no_text_runs_in_the_storefronts_panel(hostile, hostile_db, clock, chromium, gauntlet):
    """The panel's own answer, full of payloads, in the theme extension's real files."""
    rows: list[dict[str, Any]] = []
    cursor = None
    problems: list[Any] = []

    def dismiss(dialog: Any) -> None:
        problems.append(dialog.message)
        dialog.dismiss()

    while True:
        extra = [("cursor", cursor)] if cursor else []
        told = hostile.get(proxied("/proxy/shopper", CUSTOMER, now=clock.now, extra=extra)).json()
        rows += told["history"]
        cursor = told["history_next"]
        if cursor is None:
            break
    shown = json.dumps([told["program"], told["ways_to_earn"], rows], ensure_ascii=False)
    kept = [payload for payload in PAYLOADS if json.dumps(payload, ensure_ascii=False)[1:-1] in shown]
    assert len(kept) >= 150
    with serving() as shop:
        for bypass in (True, False):
            context = chromium.new_context(bypass_csp=bypass)
            context.add_init_script(WATCH)
            page = context.new_page()
            page.on("dialog", dismiss)
            page.on("pageerror", lambda error: problems.append(str(error)))  # noqa: B023 - one list for all
            for number, payload in enumerate(PAYLOADS if bypass else PAYLOADS[:1]):
                if number % 12:
                    continue
                other = PAYLOADS[(number + 3) % len(PAYLOADS)]
                storefront = Storefront(
                    program=program(
                        name=payload,
                        earn={"rate": other},
                        exclude={"vendors": [payload]},
                        rewards=[a_reward(payload)],
                    ),
                    customer={**NORA, "first_name": payload},
                    product={**MUG, "title": payload, "vendor": other},
                )
                body = answer() | {"history": rows if not number else rows[number : number + 10],
                "program": {"name": payload, "live": True, "paused": False},
                                   "ways_to_earn": [{"id": payload, "title": payload, "points": other}],
                                   "rewards": [a_reward(other) | {"affordable": True, "reason": None}]}  # fmt: skip
                shop.show(storefront, (200, body))
                page.goto(shop.origin + "/products/mug")
                page.locator(".rg-launch").click()
                page.wait_for_selector(".rg-panel[data-ready]")
                for view in page.locator(".rg-foot a").all()[:2]:
                    view.dispatch_event("click")
                page.wait_for_timeout(20)
                state = page.evaluate(STATE)
                problems += [(payload, state)] if any(state) else []
            context.close()
    gauntlet.record("G25", n=len(kept) + len(PAYLOADS) // 12, failures=len(problems))
    assert not problems


def a_reward(title: str) -> dict[str, Any]:
    return {"id": title, "title": title, "named": True, "points": 5, "kind": "free_product", "product": title}


def test_names_of_files_and_types_are_ours(hostile, hostile_db, clock, gauntlet):
    """What is downloaded is an attachment of a fixed name and of JSON: a browser never renders it."""
    deliver(hostile_db, "customers/data_request", {
        "shop_id": SHOP_ID, "shop_domain": DOMAIN, "customer": {"id": CUSTOMER, "email": PAYLOADS[0]},
        "orders_requested": [], "data_request": {"id": 9},
    }, now=clock.now)  # fmt: skip
    drain(hostile_db, clock)
    answered = hostile.get("/admin/privacy/9/download", headers=bearer(now=clock.now))
    gauntlet.record("G25", n=1, failures=answered.status != 200)
    assert answered.status == 200
    assert answered.headers["content-type"] == "application/json"
    assert answered.headers["content-disposition"] == f'attachment; filename="customer-{CUSTOMER}.json"'
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert PAYLOADS[7] in json.dumps(answered.json(), ensure_ascii=False).replace('\\"', '"')

"""G21: nobody can frame us, submit for a merchant, or keep what we said.

Every HTML answer there is, errors included, for three shops: ``frame-ancestors`` names exactly the shop whose token was
verified. Every route that changes something, asked in all the ways another site can make a browser ask.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from app.loyalty.programs import publish
from app.models import Shop
from app.program.presets import preset

from ..support import LAUNCHED, add_shop
from ..web.asking import FORM, Answer, Door, bearer, proxied, token
from ..web.conftest import without_network
from . import world
from .dumps import changed, counting_statements, rows_of
from .routes import TABLE, Call
from .world import A, B

THIRD = world.Somewhere("d", 91740864815, "elsewhere.myshopify.com")
THREE = (A, B, THIRD)
WRONG = "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"


@pytest.fixture
def app(sqlite_world, make_app):
    add_shop(sqlite_world, shop_id=THIRD.shop_id, domain=THIRD.domain)
    return without_network(make_app(sqlite_world))


def ancestors(answer: Answer) -> list[str]:
    found = re.findall(r"frame-ancestors ([^;]*);", answer.headers.get("content-security-policy", ""))
    return found[0].split() if len(found) == 1 else ["none or several policies"]


def every_html_answer(door: Door, now, shop: world.Somewhere) -> list[tuple[str, Answer]]:
    """(what was asked, answer) for every route, asked as this shop's staff: pages, refusals, mistakes."""
    said = {**FORM, **bearer(shop.domain, now=now)}
    asked: list[tuple[str, str, dict[str, str]]] = []
    for row in TABLE.values():
        for call in (*row.calls, *row.foreign):
            target = call.target.replace("{delivery}", "0" * 64).replace("{foreign}", "424242")
            asked.append((call.method, target, call.form))
            asked.append(("DELETE" if call.method != "DELETE" else "PUT", target, {}))
    asked += [("GET", "/admin/none", {}), ("POST", "/admin/none", {}), ("GET", "/admin/members/0", {}),
              ("GET", "/admin/members/x", {}), ("POST", "/admin/program/start-from", {"preset": "nothing"}),
              ("POST", "/admin/settings/look", {"accent": "\x00"}), ("GET", "/%ff", {})]  # fmt: skip
    answers = []
    for method, target, form in asked:
        answer = door.ask(method, target, headers=said, body=urlencode(form).encode())
        if answer.is_html:
            answers.append((f"{method} {target}", answer))
    return answers


def test_every_page_is_framed_by_its_own_shop_alone(app, clock, gauntlet):
    door, wrong, tried = Door(app), [], 0
    for shop in THREE:
        right = [f"https://{shop.domain}", "https://admin.shopify.com"]
        for asked, answer in every_html_answer(door, clock.now, shop):
            tried += 1
            public = not asked.split()[1].startswith("/admin") and asked != "GET /"
            allowed = (["'none'"], right) if public else (right,)
            if ancestors(answer) not in allowed:
                wrong.append((shop.letter, asked, answer.status, ancestors(answer)))
            if any(other.domain in repr(answer.headers) for other in THREE if other is not shop):
                wrong.append((shop.letter, asked, "names another shop"))
    gauntlet.record("G21", n=tried, failures=len(wrong))
    assert tried > 60
    assert not wrong


HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store, private",
    "cross-origin-opener-policy": "same-origin-allow-popups",
}


def test_every_page_carries_every_header(app, clock, gauntlet):
    door, wrong, tried = Door(app), [], 0
    pages = [answer for shop in THREE for answer in every_html_answer(door, clock.now, shop)]
    pages += [(path, door.get(path)) for path in ("/", "/privacy", "/support", "/none", "/auth/token", "/auth/install")]
    for asked, answer in pages:
        tried += 1
        policy = answer.headers.get("content-security-policy", "")
        script = re.findall(r"script-src ([^;]*);", policy)
        good = all(answer.headers.get(name) == value for name, value in HEADERS.items())
        good = good and "*" not in policy and not {"x-frame-options", "set-cookie"} & answer.headers.keys()
        good = good and script == ["'self' https://cdn.shopify.com"] and "object-src 'none'" in policy
        if not good:
            wrong.append((asked, policy, dict(answer.headers)))
    gauntlet.record("G21", n=tried, failures=len(wrong))
    assert not wrong


def test_no_page_needs_a_script_of_its_own(app, clock, gauntlet):
    """The policy forbids inline scripts and handlers, so a page that holds one is broken, or attacked."""
    door, wrong, tried = Door(app), [], 0
    for asked, answer in every_html_answer(door, clock.now, A):
        tried += 1
        if re.search(r"<script(?![^>]*\ssrc=)[^>]*>|\son\w+\s*=|javascript:", answer.text, re.I):
            wrong.append(asked)
    gauntlet.record("G21", n=tried, failures=len(wrong))
    assert not wrong


def mutations() -> list[Call]:
    return [call for row in TABLE.values() if row.kind == "merchant" for call in row.calls if call.method == "POST"]


def test_no_other_site_can_submit_for_a_merchant(app, sqlite_world, clock, gauntlet):
    """Cookies, tokens in addresses, plain forms, simple requests, method tricks: nothing of it changes a row."""
    door, tried, wrong = Door(app), 0, []
    before = rows_of(sqlite_world)
    said = token(now=clock.now)
    evil = {"Origin": "https://evil.example", "Referer": "https://evil.example/", "Sec-Fetch-Site": "cross-site"}
    for call in mutations():
        body = urlencode(call.form).encode()
        target = call.target.replace("{delivery}", world.parked_key(sqlite_world, A))
        in_address = f"{target}{'&' if '?' in target else '?'}id_token={said}"
        ways: list[tuple[str, str, bytes, dict[str, str]]] = [
            ("POST", target, body, FORM),
            ("POST", target, body, {**FORM, "Cookie": f"id_token={said}; session={said}; Authorization=Bearer {said}"}),
            ("POST", in_address, body, FORM),
            ("POST", in_address, body, {**FORM, **evil}),
            ("POST", target, body + b"&id_token=" + said.encode(), {**FORM, **evil}),
            ("POST", target, body, {"Content-Type": "text/plain", "Cookie": f"id_token={said}"}),
            ("POST", in_address, body, {"Content-Type": "multipart/form-data; boundary=x"}),
            ("GET", in_address, b"", {}),
            ("GET", f"{in_address}&{urlencode(call.form)}", b"", evil),
            ("HEAD", in_address, b"", {}),
            ("GET", in_address, body, {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"}),
            ("GET", f"{in_address}&_method=POST", b"", {}),
            ("OPTIONS", in_address, b"", {**evil, "Access-Control-Request-Method": "POST"}),
            ("POST", target, body, {**FORM, "Authorization": f"Basic {said}"}),
            ("POST", target, body, {**FORM, "Authorization": f"Bearer {token(secret=WRONG, now=clock.now)}"}),
            ("POST", proxied(target, 7001, now=clock.now), body, FORM),
        ]
        for method, asked, sent, headers in ways:
            answer = door.ask(method, asked, headers=headers, body=sent)
            tried += 1
            cors = [name for name in answer.headers if name.startswith("access-control")]
            if (answer.status < 400 and method != "OPTIONS" and answer.status != 302) or cors:
                wrong.append((method, asked[:60], answer.status))
    touched = changed(before, rows_of(sqlite_world))
    gauntlet.record("G21", n=tried, failures=len(wrong) + len(touched))
    assert not wrong
    assert not touched


def test_reading_a_page_writes_nothing(app, sqlite_world, clock, gauntlet):
    """Links are prefetched, reloaded and shared: no GET changes anything, but for the note that an export was taken."""
    door = Door(app)
    runtime = app.extensions["regulars"]
    gets = [call for row in TABLE.values() for call in row.calls
            if call.method == "GET" and row.kind == "merchant" and "download" not in call.target]  # fmt: skip
    before = rows_of(sqlite_world)
    with counting_statements(runtime.db.engine) as written:
        for call in gets:
            assert door.get(call.target, headers=bearer(now=clock.now)).status == call.status
    touched = changed(before, rows_of(sqlite_world))
    gauntlet.record("G21", n=len(gets), failures=len(touched) + len(written))
    assert not touched
    assert not written


def test_the_same_form_twice_is_one_adjustment(app, sqlite_world, clock, gauntlet):
    door = Door(app)
    form = {"points": "5", "reason": "Sorry", "key": "pressed-twice"}
    before = len(rows_of(sqlite_world, A.shop_id)["adjustments"])
    statuses = [
        door.post(f"/admin/members/{world.MEMBER_NORA}/adjust", form, headers={**FORM, **bearer(now=clock.now)}).status
        for _ in range(3)
    ]
    made = len(rows_of(sqlite_world, A.shop_id)["adjustments"]) - before
    gauntlet.record("G21", n=3, failures=made != 1)
    assert statuses == [303] * 3
    assert made == 1


def test_a_shop_name_cannot_write_a_header(app, sqlite_world, clock, gauntlet):
    """What a merchant types is never part of a header: a line break in it would be one."""
    with sqlite_world.transaction() as session:
        shop = session.get_one(Shop, A.shop_id)
        shop.name = "x\r\nSet-Cookie: evil=1\r\n\r\n<script>"
        settings = preset("starter", "EUR").model_copy(update={"name": "Evil; script-src *"})
        publish(session, shop, settings, author="x", now=clock.now)
    assert clock.now > LAUNCHED
    answers = every_html_answer(Door(app), clock.now, A)
    wrong = [asked for asked, answer in answers if "evil" in repr(answer.headers).lower()]
    gauntlet.record("G21", n=len(answers), failures=len(wrong))
    assert not wrong

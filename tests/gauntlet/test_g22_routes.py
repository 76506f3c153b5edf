"""G22: every route, every method, every kind of stranger. The table of what is allowed is `routes`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ..conftest import Clock
from ..web.asking import FORM, Answer, Door, bearer, proxied
from ..web.conftest import without_network
from . import routes, world
from .dumps import changed, counting_statements, rows_of
from .routes import IDENTITIES, METHODS, NOBODYS_IDS, TABLE, Call, expected
from .world import A, B, C

WRONG = "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"
SECRETS = ("shpat_", "shprt_", "hash-key-of-", "shpss_", "X-Shopify-Access-Token")


@pytest.fixture
def built(sqlite_world, make_app):
    return without_network(make_app(sqlite_world))


@pytest.fixture
def walker(built, sqlite_world, clock):
    return Walker(built, sqlite_world, clock)


@pytest.fixture
def walkers(worlds, make_app, clock):
    """On both databases, for what each might answer in its own way."""
    return Walker(without_network(make_app(worlds)), worlds, clock)


class Walker:
    """Asks as each identity would."""

    def __init__(self, app: Any, db: Any, clock: Clock) -> None:
        self.app, self.db, self.clock = app, db, clock
        self.door = Door(app)
        self.ids = {shop.letter: {"delivery": world.parked_key(db, shop)} for shop in (A, B)}

    def ask(
        self, identity: str, method: str, target: str, form: Mapping[str, str] | None = None, **headers: str
    ) -> Answer:
        target, said = self.presented(identity, target)
        body = dict(form or {})
        return self.door.ask(method, target, headers={**FORM, **said, **headers}, body=_encoded(body))

    def presented(self, identity: str, target: str) -> tuple[str, dict[str, str]]:
        now, old = self.clock.now, self.clock.now.replace(year=2025)
        letter = "b" if identity.startswith("B") else "c" if identity.startswith("uninstalled") else "a"
        shop = {"a": A, "b": B, "c": C}[letter]
        target = target.format(**self.ids.get(letter, self.ids["a"]), foreign="{foreign}")
        path, _, query = target.partition("?")
        customer = {"A customer 1": world.NORA, "A customer 2": world.OTTO, "B customer": world.NORA}.get(identity, "")

        def by_proxy(**more: Any) -> str:
            return proxied(path, customer, domain=shop.domain, **more) + (f"&{query}" if query else "")

        match identity:
            case "none":
                return target, {}
            case "bad":
                return by_proxy(now=now, secret=WRONG), bearer(shop.domain, now=now, secret=WRONG)
            case "expired":
                return by_proxy(now=old), bearer(shop.domain, now=old)
            case "uninstalled shop":
                return by_proxy(now=now), bearer(shop.domain, now=now)
            case "A owner" | "B owner":
                return target, bearer(shop.domain, now=now)
            case _:
                return by_proxy(now=now), {}


def _encoded(form: Mapping[str, str]) -> bytes:
    from urllib.parse import urlencode

    return urlencode(form).encode()


def test_every_route_has_its_row(built, gauntlet):
    endpoints = {rule.endpoint for rule in built.url_map.iter_rules()}
    unwritten, gone = endpoints - TABLE.keys(), TABLE.keys() - endpoints
    gauntlet.record("G22", n=len(endpoints), failures=len(unwritten) + len(gone))
    assert not unwritten, "write a row in tests/gauntlet/routes.py for each"
    assert not gone


def test_every_row_names_the_routes_methods_and_its_decorator(built):
    kinds = {"merchant": {"merchant"}, "shopper": {"shopper"}, "public": {"public", None}}
    for rule in built.url_map.iter_rules():
        row = TABLE[rule.endpoint]
        assert row.methods == set(rule.methods or ()) - {"HEAD", "OPTIONS"}, rule.endpoint
        worn = getattr(built.view_functions[rule.endpoint], "access", None)
        assert worn in kinds.get(row.kind, {"verifies itself"}), rule.endpoint


def test_no_stranger_gets_in_and_none_changes_anything(walkers, gauntlet):
    """Everybody but the shops' own staff, at every route with every method: the database is as it was.

    But for guesses at other people's rewards: those are counted.
    """
    before = rows_of(walkers.db, without=("failed_tries",))
    wrong, tried = [], 0
    for endpoint, row in TABLE.items():
        for call in row.calls:
            for identity in IDENTITIES:
                for method in METHODS:
                    allowed = method == call.method or (method == "HEAD" and call.method == "GET")
                    if allowed and identity in ("A owner", "B owner") and row.kind == "merchant" and method != "GET":
                        continue  # that is theirs to do: the next test
                    if endpoint == "admin.download" and identity in ("A owner", "B owner"):
                        continue
                    answer = walkers.ask(identity, method, call.target, call.form)
                    tried += 1
                    if method == "OPTIONS":
                        right = {200, 401, 302, 404, 503}
                        leaks = [name for name in answer.headers if name.startswith("access-control")]
                        good = answer.status in right and not answer.body and not leaks
                        good = good or answer.status != 200
                    else:
                        good = answer.status in (expected(row, call, identity) if allowed else {405})
                    if not good:
                        wrong.append((identity, method, call.target, answer.status))
    touched = changed(before, rows_of(walkers.db, without=("failed_tries",)))
    gauntlet.record("G22", n=tried, failures=len(wrong) + len(touched))
    assert not wrong
    assert not touched


def test_staff_can_do_what_the_table_says_and_only_to_their_own_shop(walkers, gauntlet):
    others = {shop.letter: rows_of(walkers.db, shop.shop_id) for shop in (B, C)}
    wrong, tried = [], 0
    for row in TABLE.values():
        for call in row.calls:
            if row.kind != "merchant":
                continue
            answer = walkers.ask("A owner", call.method, call.target, call.form)
            tried += 1
            if answer.status != call.status:
                wrong.append((call.method, call.target, answer.status))
            if any(secret in answer.text for secret in SECRETS):
                wrong.append((call.method, call.target, "shows a secret"))
            if B.canary in answer.text or C.canary in answer.text:
                wrong.append((call.method, call.target, "shows another shop's text"))
    touched = [name for shop in (B, C) for name in changed(others[shop.letter], rows_of(walkers.db, shop.shop_id))]
    gauntlet.record("G22", n=tried, failures=len(wrong) + len(touched))
    assert not wrong
    assert not touched


def foreign_calls() -> list[tuple[str, Call, str]]:
    return [(endpoint, call, row.ids) for endpoint, row in TABLE.items() for call in row.foreign]


def test_another_shops_id_is_an_id_nobody_has(walkers, gauntlet):
    """Same status, same body, same length, same headers; and nothing of B moves."""
    only_b = {
        "member": str(world.MEMBER_ONLY_B), "request": str(world.REQUEST_ONLY_B), "version": str(world.VERSION_ONLY_B),
        "delivery": walkers.ids["b"]["delivery"], "job": world.JOB_ONLY_B, "customer": str(world.ONLY_B),
        "slot": world.SLOT_ONLY_B, "redemption": world.REDEMPTION_ONLY_B,
    }  # fmt: skip
    before = rows_of(walkers.db)
    wrong = []
    for endpoint, call, kind in foreign_calls():
        answers = []
        for wanted in (only_b[kind], NOBODYS_IDS[kind]):
            answer = walkers.ask("A owner", call.method, call.target.replace("{foreign}", wanted), call.form)
            kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
            answers.append((answer.status, answer.text.replace(wanted, "∗" * len(wanted)) if kind == "customer" else
                            answer.text, kept))  # fmt: skip
        if answers[0] != answers[1] or answers[0][0] != call.status or B.canary in answers[0][1]:
            wrong.append((endpoint, answers[0][0], answers[1][0]))
    touched = changed(before, rows_of(walkers.db))
    gauntlet.record("G22", n=2 * len(foreign_calls()), failures=len(wrong) + len(touched))
    assert not wrong
    assert not touched


def test_an_order_of_another_member_or_shop_is_not_explained(walker, gauntlet):
    own = f"/admin/members/{world.MEMBER_NORA}"
    plain, theirs, strangers, nobodys = (
        walker.ask("A owner", "GET", f"{own}?order={order_id}").text
        for order_id in ("", "5733", str(world.ORDER_ONLY_B), "5799")
    )
    gauntlet.record("G22", n=3, failures=len({_still(page) for page in (theirs, strangers, nobodys)}) - 1)
    assert _still(theirs) == _still(strangers) == _still(nobodys) == _still(plain)


def _still(page: str) -> str:
    """A page without the one-time key in its form."""
    import re

    return re.sub(r'name="key" value="[^"]*"', "", page)


SWAPS: list[tuple[str, dict[str, str], dict[str, str]]] = [
    # query, headers, form: ids and shops in every place they do not belong
    ("shop=" + B.domain, {}, {}),
    ("shop_id=" + str(B.shop_id), {}, {"shop_id": str(B.shop_id), "shop": B.domain}),
    ("", {"X-Shopify-Shop-Domain": B.domain, "X-Shop-Id": str(B.shop_id)}, {}),
    ("", {"Cookie": f"shop={B.domain}; shop_id={B.shop_id}; session={B.shop_id}"}, {}),
    ("", {"Host": B.domain, "X-Forwarded-Host": B.domain, "Origin": f"https://{B.domain}"}, {}),
    ("member_id=102&customer_id=7002", {"X-Customer-Id": "7002"}, {"member_id": "102", "customer_id": "7002"}),
    ("id_token=x", {"Referer": f"https://{B.domain}/admin"}, {"id_token": "x"}),
]


def test_ids_and_shops_in_other_places_change_no_page(walker, gauntlet):
    wrong, tried = [], 0
    for row in TABLE.values():
        if row.kind != "merchant" or row.calls[0].method != "GET" or "download" in row.calls[0].target:
            continue
        target = row.calls[0].target
        plain = walker.ask("A owner", "GET", target)
        for query, headers, form in SWAPS:
            joint = "&" if "?" in target else "?"
            answer = walker.ask("A owner", "GET", target + (joint + query if query else ""), form, **headers)
            tried += 1
            same = _still(answer.text.replace(query, "")) == _still(plain.text) or answer.text.count(B.canary) == 0
            if answer.status != plain.status or not same or B.canary in answer.text or B.domain in answer.text:
                wrong.append((target, query or list(headers)))
    gauntlet.record("G22", n=tried, failures=len(wrong))
    assert not wrong


def test_a_shopper_is_who_the_signature_says_wherever_else_ids_stand(walker, gauntlet):
    plain = walker.ask("A customer 2", "GET", "/proxy/shopper")
    wrong = 0
    for query, headers, _ in SWAPS:
        extra = [tuple(part.split("=", 1)) for part in query.split("&") if part and not part.startswith("shop=")]
        target = proxied("/proxy/shopper", world.OTTO, now=walker.clock.now, extra=extra)
        answer = walker.door.get(target, headers=headers, body=b'{"customer_id":7001,"member_id":101}')
        wrong += (answer.status, answer.body) != (200, plain.body)
    gauntlet.record("G22", n=len(SWAPS), failures=wrong)
    assert wrong == 0


def test_answers_hold_only_the_fields_they_may(walker, gauntlet):
    stray, tried = [], 0
    for endpoint, row in TABLE.items():
        if row.json is None:
            continue
        for identity in ("A owner",) if row.kind == "merchant" else ("A customer 1", "A anonymous"):
            answer = walker.ask(identity, row.calls[0].method, row.calls[0].target, row.calls[0].form)
            tried += 1
            stray += [(endpoint, name) for name in _stray(answer.json(), row.json)]
    for target in ("/proxy/shopper", "/webhooks", "/proxy/nothing"):
        tried += 1
        error = walker.door.get(target).json()
        stray += [(target, name) for name in _stray(error, {"error": {"code", "message", "field"}})]
    gauntlet.record("G22", n=tried, failures=len(stray))
    assert not stray


def _stray(value: Any, allowed: Any) -> list[str]:
    """Names that are in the value and not in the list."""
    if allowed is ... or value is None:
        return []
    if isinstance(value, list):
        inner = allowed[0] if isinstance(allowed, list) else set()
        return [name for item in value for name in _stray(item, inner)]
    if isinstance(value, dict):
        names = set(allowed)
        below = allowed if isinstance(allowed, dict) else {}
        return [name for name in value if name not in names] + [
            stray for name, part in value.items() for stray in _stray(part, below.get(name, set()))
        ]
    return []


def test_adjusting_is_told_whom_by_the_path_alone(walker, gauntlet):
    """thMenu 2026: the member's id came from the body, and anybody's points could be spent."""
    before = _balances(walker.db)
    others = {"member_id": "102", "customer_id": "7002", "shop_id": str(B.shop_id)}
    form = {"points": "5", "reason": "x", "key": "k", **others}
    assert walker.ask("A owner", "POST", f"/admin/members/{world.MEMBER_NORA}/adjust", form).status == 303
    after = _balances(walker.db)
    moved = {key: after[key] - before[key] for key in before if after[key] != before[key]}
    gauntlet.record("G22", n=1, failures=moved != {(A.shop_id, world.MEMBER_NORA): 5})
    assert moved == {(A.shop_id, world.MEMBER_NORA): 5}


def _balances(db: Any) -> dict[tuple[int, int], int]:
    return {(row[0], row[1]): row[2] for row in rows_of(db)["balances"]}


CLIMBING = ("../config.py", "..%2f..%2fconfig.py", "%2e%2e/config.py", "....//config.py", "/etc/passwd", "%00",
            "..\\config.py", "public.css/../../../app/config.py")  # fmt: skip


def test_static_files_are_those_of_the_folder(walker, gauntlet):
    statuses = {name: walker.door.get(f"/static/{name}").status for name in CLIMBING}
    gauntlet.record("G22", n=len(CLIMBING), failures=sum(status != 404 for status in statuses.values()))
    assert set(statuses.values()) == {404}, statuses


def test_a_refused_stranger_costs_no_statement(walker, gauntlet):
    """Nobody who cannot prove who they are reaches the database."""
    runtime = walker.app.extensions["regulars"]
    reached = []
    with counting_statements(runtime.db.engine, runtime.db.reader) as seen:
        for endpoint, row in TABLE.items():
            if row.kind in ("public", "front"):
                continue
            for identity in ("none", "bad", "expired"):
                seen.clear()
                walker.ask(identity, row.calls[0].method, row.calls[0].target, row.calls[0].form)
                reached += [endpoint] if seen else []
    gauntlet.record("G22", n=3 * len(TABLE), failures=len(reached))
    assert not reached


def test_the_table_is_for_people_to_read():
    assert json.dumps(sorted(routes.TABLE)) and len(routes.IDENTITIES) == 10

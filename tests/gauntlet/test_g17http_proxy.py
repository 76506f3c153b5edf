"""G17 over HTTP: 10,000 queries that try to be somebody else, asked of the real endpoint.

Every customer of the shop has a balance of their own, so whose answer came back can be read off it.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from random import Random
from urllib.parse import quote, urlencode

import pytest

from app.loyalty.adjust import adjust
from app.loyalty.members import join

from ..conftest import API_SECRET, DOMAIN, NOW, SHOP_ID
from ..shopify.signing import digest, proxy_pairs, proxy_query, proxy_text
from ..support import add_shop
from ..web.asking import Answer, Door, proxied, stamp
from ..web.conftest import without_network
from .test_g17_proxy_forging import CASES, VICTIM, other_cuts, poisons, tampered

# customer → points, each recognisable in an answer
POINTS = {7001: 101, 7002: 202, int(VICTIM): 999_999}


@pytest.fixture
def shop(sqlite_db, make_app):
    add_shop(sqlite_db)
    with sqlite_db.transaction() as session:
        for customer_id, member_id in join(session, SHOP_ID, POINTS, NOW).items():
            adjust(session, SHOP_ID, member_id, points=POINTS[customer_id], reason="x", key=f"k{customer_id}",
                   author="staff 1", now=NOW)  # fmt: skip
    return Door(without_network(make_app(sqlite_db)))


def seen_as(answer: Answer) -> int | str | None:
    """Whose points were shown: a number of points, None for a visitor, or the refusal."""
    if answer.status != 200:
        return f"refused {answer.status}"
    member = answer.json()["member"]
    return None if member is None else member["available"]


def ask(door: Door, query: bytes, method: str = "GET") -> Answer:
    return door.ask(method, "/proxy/shopper?" + query.decode("latin-1"))


def pairs_for(customer: str, random: Random) -> list[tuple[str, str]]:
    extra = [(random.choice(["cursor", "v", "lang", "q"]), random.choice(["", "1", "a b", "é", "%", "&", "x,y"]))]
    return proxy_pairs(customer, shop=DOMAIN, stamp=stamp(), extra=extra[: random.randrange(2)])


def test_nobody_is_taken_for_somebody_else(shop, gauntlet):
    random, wrong, tried = gauntlet.random("G17"), [], 0
    while tried < CASES:
        customer = random.choice(["7001", "7002", ""])
        own = POINTS.get(int(customer)) if customer else None
        pairs = pairs_for(customer, random)
        signature = digest(proxy_text(pairs), API_SECRET).hex()
        forged = [urlencode(query, quote_via=quote).encode() for query in tampered(pairs, signature, random)]
        forged += islice(other_cuts(proxy_text(pairs), signature, random), 4)
        for query in forged:
            answer = ask(shop, query)
            tried += 1
            if answer.status >= 500 or seen_as(answer) not in (own, "refused 401"):
                wrong.append((customer, query, seen_as(answer)))
        for poison in poisons(random):
            visitor = proxy_pairs("", shop=DOMAIN, stamp=stamp(), extra=poison)
            text = proxy_text(visitor)
            right = digest(text, API_SECRET).hex()
            for query in (proxy_query(visitor, API_SECRET), *islice(other_cuts(text, right, random), 3)):
                answer = ask(shop, query)
                tried += 1
                if answer.status >= 500 or seen_as(answer) not in (None, "refused 401"):
                    wrong.append(("", query, seen_as(answer)))
    gauntlet.record("G17", n=tried, failures=len(wrong))
    assert not wrong


IDS = (
    "", "0", "-1", "1e3", " 7001", "7001 ", "\u0661", str(2**63), str(2**64), "9" * 400, "07001", "+7001", "7001.0",
    "[7001]", "7001,7002", "{}", "null", "\x00", "7001\x00", "7001\n", "true", "0x1b59", "%37001", "gid://x/7001",
)  # fmt: skip


def test_ids_that_are_none_are_nobody(shop, gauntlet):
    seen = {text: seen_as(shop.get(proxied("/proxy/shopper", text))) for text in IDS}
    gauntlet.record("G17", n=len(IDS), failures=sum(who is not None for who in seen.values()))
    assert set(seen.values()) == {None}, seen


@pytest.mark.parametrize(
    ("seconds", "status"), [(-91, 401), (-90, 200), (-89, 200), (0, 200), (89, 200), (90, 200), (91, 401)]
)
def test_a_signature_lives_ninety_seconds(shop, gauntlet, seconds, status):
    answer = shop.get(proxied("/proxy/shopper", 7001, now=NOW + timedelta(seconds=seconds)))
    gauntlet.record("G17", n=1, failures=answer.status != status)
    assert answer.status == status


STAMPS = ("", "0", "-1", f"{int(NOW.timestamp())}.0", f"{int(NOW.timestamp())}e0", f"+{int(NOW.timestamp())}", "9" * 13,
          "9" * 5000, "NaN", "Infinity", f" {int(NOW.timestamp())}", "\u0661" * 10)  # fmt: skip


def test_a_timestamp_that_is_none_is_refused(shop, gauntlet):
    statuses = set()
    for text in STAMPS:
        pairs = proxy_pairs("7001", shop=DOMAIN, stamp=text)
        statuses.add(ask(shop, proxy_query(pairs, API_SECRET)).status)
    gauntlet.record("G17", n=len(STAMPS), failures=statuses != {401})
    assert statuses == {401}


def test_a_body_and_a_method_add_nothing(shop, gauntlet):
    """The signature covers neither: the same address answers the same to a body, and nothing but GET is taken."""
    target = proxied("/proxy/shopper", 7001)
    plain = shop.get(target)
    for body in (b"", b'{"logged_in_customer_id":"999"}', b"logged_in_customer_id=999", b"\xff" * 100):
        for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
            assert shop.ask("GET", target, body=body, headers={"Content-Type": kind}).body == plain.body
    statuses = {shop.ask(method, target).status for method in ("POST", "PUT", "PATCH", "DELETE")}
    override = shop.ask("POST", target, headers={"X-HTTP-Method-Override": "GET"}).status
    gauntlet.record("G17", n=17, failures=(statuses != {405}) + (override != 405))
    assert statuses == {405} and override == 405


def test_no_redirect_hands_a_signature_out(shop, gauntlet):
    """An address that is nearly right is not repaired by a redirect: it would repeat the signed query."""
    query = proxied("/proxy/shopper", "").partition("?")[2]
    paths = (
        "//proxy/shopper", "/proxy//shopper", "/proxy/shopper/", "/proxy/./shopper", "/proxy/shopper//", "/proxy",
        "/proxy/../proxy/shopper", "/PROXY/shopper", "/proxy%2fshopper", "/proxy/shopper%00", "///proxy/shopper",
    )  # fmt: skip
    answers = [shop.get(f"{path}?{query}") for path in paths]
    signature = query.rpartition("signature=")[2]
    leaked = [answer.status for answer in answers if "location" in answer.headers or signature in answer.text]
    gauntlet.record("G17", n=len(paths), failures=len(leaked))
    assert not leaked
    assert {answer.status for answer in answers} <= {404, 200}


def test_no_answer_repeats_what_was_asked(shop, gauntlet):
    """Neither page nor header holds the signature, or a text of the shopper's: what is not said cannot be stolen."""
    marker = "m4rk3r<b>"
    for extra in ([("x", marker)], [("cursor", marker)], [(marker, "1")]):
        target = proxied("/proxy/shopper", "", extra=extra)
        signature = target.rpartition("signature=")[2]
        for asked in (target, target + "0", target.replace("/shopper", "/nothing")):
            answer = shop.get(asked)
            said = answer.text + repr(answer.headers)
            assert "m4rk3r" not in said and signature not in said
    gauntlet.record("G17", n=9)


def test_nothing_of_a_signature_is_logged(shop, caplog, gauntlet):
    caplog.set_level("DEBUG")
    target = proxied("/proxy/shopper", 7001)
    for asked in (target, target + "0", target.replace("/shopper", "/nothing")):
        shop.get(asked)
    signature = target.rpartition("signature=")[2]
    gauntlet.record("G17", n=3, failures=signature in caplog.text)
    assert signature not in caplog.text


@pytest.mark.parametrize("query", ["", "&", "=", "a", "%", "%zz", "\xff", "signature=", "a=" * 300, "a=b&" * 5_000,
                                   "x" * 20_000, "%00=%00", "shop[]=a&shop[]=b", "signature=%ff"])  # fmt: skip
def test_a_query_of_any_kind_is_an_answer(shop, query):
    assert shop.get(f"/proxy/shopper?{query}").status == 401

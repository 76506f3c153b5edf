"""G20 over HTTP: shops that are none, states that are stolen, redirects that lead away, and 32 workers refreshing."""

from __future__ import annotations

import base64
import json
import threading
import time
from datetime import timedelta
from urllib.parse import quote, urlencode, urlsplit

import pytest
import requests
import responses

from app.db import Database
from app.loyalty.access import Access
from app.models import ShopToken
from app.shopify.origins import Origins
from app.shopify.tokens import TokenEndpoint
from app.shopify.transport import new_http
from app.web.runtime import EXTENSION

from ..conftest import API_KEY, API_SECRET, DOMAIN, NOW, SHOP_ID
from ..support import NoNetwork, add_shop
from ..web.asking import Door, oauth, token
from ..web.shopify_stand_in import gives, token_answer, token_url
from .dumps import changed, rows_of

EVIL = "evil.example"


class Watched(NoNetwork):
    """Notes every address that would have been asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def request(self, method, url, **kwargs):  # type: ignore[no-untyped-def, override]
        self.asked.append(url)
        return super().request(method, url, **kwargs)


@pytest.fixture
def watched(sqlite_db, make_app):
    add_shop(sqlite_db)
    app = make_app(sqlite_db)
    access = app.extensions[EXTENSION].access
    access.http = Watched()
    access.endpoint = TokenEndpoint(access.origins, API_KEY, API_SECRET, access.http)
    return Door(app), access.http


def bad_shops() -> list[str]:
    """More than two hundred names that are no shop's."""
    good, found = "saltmarsh.myshopify.com", []
    for letter in ("@", "/", "\\", "#", "?", ":", "%", "&", ";", ",", " ", "\t", "\n", "\r\n", "\x00", "\u3002",
                   "\uff0e", "\u200b", "\u00ad", "\u202e", "%2e", "%2f", "%00", "%0a", "%09", "%5c", "..", "//", "|",
                   "^", "`",
                   "*", "~", "'", '"', "<", ">", "(", ")", "{", "}", "[", "]", "=", "+", "$", "!"):  # fmt: skip
        found += [
            f"{good}{letter}{EVIL}",
            f"{EVIL}{letter}{good}",
            f"{good}{letter}",
            f"salt{letter}marsh.myshopify.com",
        ]
    found += [
        f"{good}.{EVIL}", f"x.{good}", f".{good}", f"{good}.", f"-{good}", "myshopify.com", ".myshopify.com", "",
        "saltmarsh", "saltmarsh.myshopify.co", "saltmarsh.myshopify.com:443", "https://" + good, "//" + good,
        good.upper(), "Saltmarsh.myshopify.com", "saltmarsh.MYSHOPIFY.com", "127.0.0.1", "[::1]", "2130706433",
        "169.254.169.254", "localhost", "0x7f.1", "xn--sltmarsh-8za.myshopify.com", "säaltmarsh.myshopify.com",
        "ѕaltmarsh.myshopify.com", "saltmarsh_1.myshopify.com", "a" * 64 + ".myshopify.com",
        "a" * 300 + ".myshopify.com",
        "saltmarsh.myshopifycom", "saltmarshXmyshopify.com", "saltmarsh.myshopify.com/admin", "user:pw@" + good,
        "saltmarsh.shopify.com", "admin.shopify.com", "null", "undefined", "[]", "{shop}.myshopify.com",
    ]  # fmt: skip
    return found


def test_no_bad_shop_is_spoken_to(watched, gauntlet):
    door, http = watched
    wrong = []
    shops = bad_shops()
    assert len(shops) >= 200
    for shop in shops:
        answers = {
            "install": door.get("/auth/install?" + urlencode({"shop": shop})),
            "token": door.get("/auth/token?" + urlencode({"shop": shop, "shopify-reload": "/"})),
            "front": door.get("/?" + urlencode({"shop": shop, "embedded": "1"})),
            "callback": door.get("/auth/callback?" + oauth({"shop": shop, "code": "c", "state": "s"})),
            "admin": door.get("/", headers={"Authorization": f"Bearer {token(shop)}"}),
        }
        if any(answer.status < 400 for name, answer in answers.items() if name != "front"):
            wrong.append((shop, {name: answer.status for name, answer in answers.items()}))
        if any("location" in answer.headers for answer in answers.values()):
            wrong.append((shop, "redirected"))
    gauntlet.record("G20", n=5 * len(shops), failures=len(wrong) + len(http.asked))
    assert not wrong
    assert not http.asked


def places() -> list[str]:
    """A hundred and more addresses somebody would like us to send a merchant to."""
    bare = [
        f"//{EVIL}", f"///{EVIL}", f"////{EVIL}", f"/\\{EVIL}", f"\\\\{EVIL}", f"\\/{EVIL}", f"/\t/{EVIL}",
        f"/\n/{EVIL}",
        f"/\r/{EVIL}", f"https://{EVIL}", f"http://{EVIL}", f"https:{EVIL}", f"https:/{EVIL}", f"HTTPS://{EVIL}",
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x",
        "file:///",
        f"https://regulars.test@{EVIL}", f"https://regulars.test:x@{EVIL}", f"https://regulars.test.{EVIL}",
        f"https://regulars.test\\@{EVIL}", f"https://{EVIL}#regulars.test", f"https://{EVIL}?regulars.test",
        f"https://{EVIL}/regulars.test", "https://regulars.testing", "https://regulars.test:8443/", "//regulars.test",
        f"/%2f{EVIL}", f"/%5c{EVIL}", f"/..//{EVIL}", f"/.//{EVIL}", f"/%2e%2e//{EVIL}", f"/a/..//{EVIL}",
        f"/%09/{EVIL}",
        f"?//{EVIL}", f"#//{EVIL}", f".{EVIL}", f"@{EVIL}", EVIL, f" //{EVIL}", f"\x00//{EVIL}",
        "https://admin.shopify.com.evil.example", "https://admin.shopify.com@evil.example", "blob:x", "about:blank",
        f"/\u2028/{EVIL}", f"/\uff0f{EVIL}", f"\uff0f\uff0f{EVIL}",
    ]  # fmt: skip
    return bare + [quote(place, safe="") for place in bare] + [place + "/" for place in bare]


def base64_hosts() -> list[str]:
    wanted = [
        EVIL, f"{EVIL}/admin", "admin.shopify.com.evil.example/store/x", "admin.shopify.com@evil.example/store/x",
        "evil.example/admin.shopify.com/store/x", "admin.shopify.com/store/x/../../evil",
        "admin.shopify.com//evil.example",
        "admin.shopify.com/store/", "admin.shopify.com/store/x?y=z", "admin.shopify.com/store/x#y",
        "javascript:alert(1)",
        "saltmarsh.myshopify.com.evil.example/admin", "saltmarsh.myshopify.com@evil.example/admin",
        "http://evil.example",
        "saltmarsh.myshopify.com/admin/../evil", "admin.shopify.com\n.evil.example/store/x", "", "/",
        "\\\\evil.example",
        "ADMIN.SHOPIFY.COM/store/x", "admin.shopify.com:443/store/x", "x@admin.shopify.com/store/x", "\x00",
        "ädmin/store/x",
    ]  # fmt: skip
    encoded = [base64.b64encode(text.encode()).decode() for text in wanted]
    return encoded + [text.rstrip("=") for text in encoded] + [*wanted, "%%%", "A" * 10_000]


def our_places(location: str) -> bool:
    parts = urlsplit(location)
    if not parts.netloc:
        return location.startswith("/") and not location.startswith(("//", "/\\"))
    return parts.scheme == "https" and (parts.netloc in ("admin.shopify.com", "regulars.test", DOMAIN))


def test_no_redirect_leaves_for_elsewhere(watched, gauntlet):
    door, http = watched
    wrong, tried = [], 0
    asked: list[str] = []
    for place in places():
        for name in ("shopify-reload", "return_to", "next", "returnUrl", "redirect_uri", "url"):
            query = urlencode({"shop": DOMAIN, "embedded": "1", name: place})
            asked += [f"/auth/token?{query}", f"/?{query}", f"/auth/install?{query}"]
    for host in base64_hosts():
        query = urlencode({"shop": DOMAIN, "embedded": "0", "host": host})
        asked += [f"/?{query}", f"/auth/install?{query}", f"/admin/?{query}"]
    for target in asked:
        answer = door.get(target)
        tried += 1
        location = answer.headers.get("location")
        if location is not None and not our_places(location):
            wrong.append((target, location))
        if answer.status == 200 and EVIL in answer.text:
            wrong.append((target, "shown"))
        if target.startswith("/auth/token") and answer.status == 200 and "shopify-reload" in target:
            wrong.append((target, "reloaded"))
    gauntlet.record("G20", n=tried, failures=len(wrong) + len(http.asked))
    assert not wrong
    assert not http.asked


def test_an_address_without_its_last_slash_is_not_redirected(watched, gauntlet):
    """Werkzeug would build that redirect from the Host header, with the token in its query."""
    door, _ = watched
    paths = ("/admin", "//admin/", "/admin//")
    answers = [door.get(f"{path}?id_token={token()}", headers={"Host": EVIL}) for path in paths]
    wrong = [answer.headers["location"] for answer in answers if EVIL in answer.headers.get("location", "")]
    gauntlet.record("G20", n=3, failures=len(wrong))
    assert not wrong


def test_states_are_good_for_one_browser_one_shop_and_once(sqlite_db, make_app, gauntlet):
    """50 stolen, swapped, cut or invented states: nothing is asked of Shopify, nothing is stored."""
    door, random, wrong = Door(make_app(sqlite_db)), gauntlet.random("G20"), 0
    with responses.mock:
        gives()

        def begin(shop: str = DOMAIN) -> tuple[str, str]:
            answer = door.get(f"/auth/install?shop={shop}")
            place = dict(part.split("=", 1) for part in urlsplit(answer.headers["location"]).query.split("&"))
            return place["state"], answer.headers["set-cookie"].partition(";")[0]

        before = rows_of(sqlite_db)
        for _ in range(50):
            state, cookie = begin()
            other, others_cookie = begin(random.choice([DOMAIN, "other.myshopify.com"]))
            name, _, value = cookie.partition("=")
            place = random.randrange(len(value))
            tries = [
                (None, state), (others_cookie, state), (cookie, other), (cookie, ""), (cookie, state[:-1]),
                (f"{name}=", state),
                (f"{name}={value[:place]}{'A' if value[place] != 'A' else 'B'}{value[place + 1:]}", state),
                (f"{name}={value.rpartition('.')[0]}", state), (f"{name}={json.dumps([state, DOMAIN])}", state),
            ]  # fmt: skip
            sent, said = random.choice(tries)
            headers = {"Cookie": sent} if sent else {}
            answer = door.get("/auth/callback?" + oauth({"code": "c", "state": said}), headers=headers)
            wrong += answer.status != 401
        touched, asked = changed(before, rows_of(sqlite_db)), len(responses.calls)
    responses.reset()
    gauntlet.record("G20", n=50, failures=wrong + len(touched) + asked)
    assert (wrong, touched, asked) == (0, [], 0)


def test_a_replayed_callback_gets_no_second_install(sqlite_db, make_app, gauntlet):
    """A code is Shopify's to refuse; the browser that used it has lost its state."""
    door = Door(make_app(sqlite_db))
    with responses.mock:
        responses.post(token_url(), json=token_answer())
        responses.post(token_url(), status=400, json={"error": "invalid_request"})
        gives()
        begun = door.get(f"/auth/install?shop={DOMAIN}")
        cookie = begun.headers["set-cookie"].partition(";")[0]
        state = dict(part.split("=", 1) for part in urlsplit(begun.headers["location"]).query.split("&"))["state"]
        target = "/auth/callback?" + oauth({"code": "c", "state": state})
        first = door.get(target, headers={"Cookie": cookie})
        again = door.get(target, headers={"Cookie": cookie})
    responses.reset()
    assert first.status == 302 and "regulars_oauth_state=;" in first.headers["set-cookie"]
    gauntlet.record("G20", n=1, failures=again.status != 401)
    assert again.status == 401


def stored_token(db: Database) -> str:
    with db.reading() as session:
        return session.get_one(ShopToken, SHOP_ID).access_token


@pytest.mark.parametrize("workers", [32])
def test_thirty_two_workers_refresh_once(db, clock, gauntlet, workers):
    add_shop(db)
    with db.transaction() as session:
        session.get(ShopToken, SHOP_ID).access_expires_at = NOW + timedelta(seconds=10)
    asked: list[str] = []

    def answer(request):
        asked.append(json.loads(request.body)["refresh_token"])
        time.sleep(0.3)
        return 200, {}, json.dumps(token_answer(7))

    origins = Origins(None)
    http = new_http(origins, connections=workers)
    access = Access(db, origins, TokenEndpoint(origins, API_KEY, API_SECRET, http), http, clock)
    got: list[str] = []
    with responses.RequestsMock() as mock:
        mock.add_callback(responses.POST, token_url(), callback=answer)
        start = threading.Barrier(workers)

        def ask() -> None:
            start.wait()
            access.client(SHOP_ID)
            got.append(stored_token(db))

        threads = [threading.Thread(target=ask) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    gauntlet.record("G20", n=workers, failures=(len(asked) - 1) + sum(text != "shpat_given_7" for text in got))
    assert asked == ["shprt_test"]
    assert got == ["shpat_given_7"] * workers


def test_a_lost_refresh_answer_is_asked_for_again_with_the_same_token(db, clock, gauntlet):
    add_shop(db)
    with db.transaction() as session:
        session.get(ShopToken, SHOP_ID).access_expires_at = NOW
    origins = Origins(None)
    http = new_http(origins)
    access = Access(db, origins, TokenEndpoint(origins, API_KEY, API_SECRET, http), http, clock)
    with responses.RequestsMock() as mock:
        mock.post(token_url(), body=requests.ConnectionError("reset"))
        mock.post(token_url(), json=token_answer(8))
        with pytest.raises(Exception, match="no whole answer"):
            access.client(SHOP_ID)
        access.client(SHOP_ID)
        assert stored_token(db) == "shpat_given_8"
        used = [json.loads(call.request.body)["refresh_token"] for call in mock.calls]
    gauntlet.record("G20", n=1, failures=used != ["shprt_test", "shprt_test"])
    assert used == ["shprt_test", "shprt_test"]


def test_no_token_is_in_an_address_or_a_log(sqlite_db, make_app, gauntlet, caplog):
    caplog.set_level("DEBUG")
    app = make_app(sqlite_db)
    door = Door(app)
    with responses.mock:
        gives()
        said = token()
        answer = door.get(f"/?embedded=1&shop={DOMAIN}&id_token={said}")
        urls = " ".join(call.request.url for call in responses.calls)
    responses.reset()
    leaks = [word for word in ("shpat_given", "shprt_given", API_SECRET, said) if word in caplog.text or word in urls]
    leaks += [word for word in ("shpat_given", "shprt_given", API_SECRET) if word in answer.text]
    gauntlet.record("G20", n=1, failures=len(leaks))
    assert not leaks

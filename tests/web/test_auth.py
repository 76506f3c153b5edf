"""Who is asking the admin: tokens, the token page, and what a request without one is told (PLATFORM §2.1)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import pytest

from ..conftest import API_KEY, API_SECRET, DOMAIN, NOW
from ..support import add_shop
from .asking import Door, bearer, token
from .conftest import without_network

RETRY = "x-shopify-retry-invalid-session-request"
HOST = "YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvc2FsdG1hcnNo"  # admin.shopify.com/store/saltmarsh
IN_ADMIN = f"https://admin.shopify.com/store/saltmarsh/apps/{API_KEY}/"


NEW = "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"
THIRD = "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"


def opened(**changes: str) -> str:
    """The address Shopify opens in the frame, without its token."""
    query = {"embedded": "1", "host": HOST, "shop": DOMAIN, "locale": "en", "session": "abc", **changes}
    return "/?" + urlencode(query)


def test_a_document_with_a_token_is_the_merchants_home(quick_door, sqlite_db):
    add_shop(sqlite_db)
    answer = quick_door.get(opened(id_token=token()))
    assert (answer.status, answer.is_html) == (200, True)


def test_a_fetch_with_a_token_is_the_merchants_home(quick_door, sqlite_db):
    add_shop(sqlite_db)
    assert quick_door.get("/", headers=bearer()).status == 200


def test_a_document_without_a_token_goes_by_the_token_page_and_keeps_its_parameters(quick_door, sqlite_db):
    add_shop(sqlite_db)
    answer = quick_door.get(opened(id_token="stale") + "&ids=1&ids=2&q=%26a%3Db%C3%A9")
    assert answer.status == 302
    place = urlsplit(answer.headers["location"])
    assert (place.scheme, place.netloc, place.path) == ("", "", "/auth/token")
    sent = parse_qs(place.query)
    assert "id_token" not in sent
    assert (sent["shop"], sent["embedded"], sent["ids"], sent["q"]) == ([DOMAIN], ["1"], ["1", "2"], ["&a=bé"])
    reload = urlsplit(sent["shopify-reload"][0])
    assert (reload.scheme, reload.netloc, reload.path) == ("https", "regulars.test", "/")
    kept = dict(parse_qsl(reload.query))
    assert "id_token" not in kept
    assert (kept["host"], kept["shop"], kept["q"]) == (HOST, DOMAIN, "&a=bé")
    assert quick_door.get(answer.headers["location"]).status == 200


def test_the_redirect_is_built_from_app_url_not_from_the_host_header(quick_door, sqlite_db):
    add_shop(sqlite_db)
    answer = quick_door.get(opened(), headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in answer.headers["location"]


def test_a_fetch_with_a_bad_token_is_401_with_the_retry_header(quick_door, sqlite_db):
    add_shop(sqlite_db)
    answer = quick_door.get("/", headers={"Authorization": "Bearer not-a-token"})
    assert (answer.status, answer.headers[RETRY]) == (401, "1")
    assert "location" not in answer.headers


def test_a_document_that_names_no_shop_is_401_not_a_redirect(quick_door):
    answer = quick_door.get("/?id_token=stale")
    assert (answer.status, answer.headers[RETRY]) == (401, "1")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(NOW.timestamp()) - 11},
        {"nbf": int(NOW.timestamp()) + 11},
        {"aud": "another-app"},
        {"aud": [API_KEY]},
        {"dest": "https://other.myshopify.com"},
        {"iss": "https://other.myshopify.com/admin"},
        {"sub": "gid://shopify/Customer/7001"},
        {"exp": ...},
        {"dest": ...},
    ],
)
def test_a_token_that_is_not_in_order_is_none(quick_door, sqlite_db, changes):
    add_shop(sqlite_db)
    answer = quick_door.get("/", headers={"Authorization": f"Bearer {token(**changes)}"})
    assert (answer.status, answer.headers.get(RETRY)) == (401, "1")


def test_ten_seconds_of_skew_are_forgiven(quick_door, sqlite_db):
    add_shop(sqlite_db)
    at = int(NOW.timestamp())
    for changes in ({"exp": at - 9}, {"nbf": at + 9, "iat": at + 9}):
        assert quick_door.get("/", headers=bearer(**changes)).status == 200


def test_tokens_of_both_secrets_count_while_rotating(db, make_app):
    add_shop(db)
    door = Door(without_network(make_app(db, shopify_api_secret=NEW, shopify_api_secret_old=API_SECRET)))
    assert door.get("/", headers=bearer()).status == 200
    assert door.get("/", headers=bearer(secret=NEW)).status == 200
    assert door.get("/", headers=bearer(secret=THIRD)).status == 401


@pytest.mark.parametrize("scheme", ["Basic", "bearer", "BEARER", "Token", "Bearer:"])
def test_only_a_bearer_bears_a_token(quick_door, sqlite_db, scheme):
    add_shop(sqlite_db)
    answer = quick_door.get("/", headers={"Authorization": f"{scheme} {token()}"})
    assert answer.status == (200 if scheme.lower() == "bearer" else 401)


def test_another_header_is_not_helped_by_a_token_in_the_address(quick_door, sqlite_db):
    """Authorization says who asks; an id_token beside it is not a second chance."""
    add_shop(sqlite_db)
    answer = quick_door.get(opened(id_token=token()), headers={"Authorization": "Basic abc"})
    assert answer.status == 401


def test_the_shop_is_the_tokens_and_not_the_addresss(quick_door, sqlite_db):
    add_shop(sqlite_db)
    add_shop(sqlite_db, shop_id=2, domain="other.myshopify.com")
    answer = quick_door.get(opened(shop="other.myshopify.com", id_token=token()))
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert f"https://{DOMAIN}" in policy and "other.myshopify.com" not in policy


def test_without_a_shop_the_front_page_is_public(quick_door):
    answer = quick_door.get("/")
    assert (answer.status, answer.is_html) == (200, True)
    assert "<input" not in answer.text and "<form" not in answer.text  # App Store 2.3.1: no shop field
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("shop", ["", "evil.example", "saltmarsh", "saltmarsh.myshopify.com.evil.example"])
def test_what_is_no_shop_is_no_shop(quick_door, shop):
    assert quick_door.get(f"/?shop={quote(shop)}&embedded=1").status == 200


@pytest.mark.parametrize("embedded", ["0", "", None, "yes"])
def test_opened_outside_the_admin_it_goes_into_the_admin(quick_door, sqlite_db, embedded):
    add_shop(sqlite_db)
    target = opened(embedded=embedded or "") if embedded is not None else opened().replace("embedded=1&", "")
    answer = quick_door.get(target)
    assert (answer.status, answer.headers["location"]) == (302, IN_ADMIN)


def test_an_old_admin_is_a_place_too(quick_door, sqlite_db):
    add_shop(sqlite_db)
    old = "c2FsdG1hcnNoLm15c2hvcGlmeS5jb20vYWRtaW4"  # saltmarsh.myshopify.com/admin
    answer = quick_door.get(opened(embedded="0", host=old))
    assert answer.headers["location"] == f"https://{DOMAIN}/admin/apps/{API_KEY}/"


@pytest.mark.parametrize("reload", ["https://regulars.test/", "/", "/admin/members?page=2&q=a%20b", "/?shop=x#y"])
def test_the_token_page_holds_app_bridge_and_nothing_else(quick_door, reload):
    answer = quick_door.get("/auth/token?" + urlencode({"shop": DOMAIN, "shopify-reload": reload}))
    assert answer.status == 200
    assert f'data-api-key="{API_KEY}"' in answer.text
    assert "https://cdn.shopify.com/shopifycloud/app-bridge.js" in answer.text
    assert reload == "/" or reload not in answer.text
    assert DOMAIN not in answer.text
    policy = answer.headers["content-security-policy"]
    assert f"frame-ancestors https://{DOMAIN} https://admin.shopify.com;" in policy


ELSEWHERE = [
    "", "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/%5cevil.example",
    "https://regulars.test@evil.example/", "https://regulars.test.evil.example/", "https://regulars.test:444/",
    "http://regulars.test/", "HTTPS://REGULARS.TEST/", "javascript:alert(1)", "data:text/html,x", "/\t/evil.example",
    "/\n/evil.example", "///evil.example", "/..//evil.example", "/.//evil.example", "/%2f/evil.example", "evil.example",
    "https:evil.example", "https:/evil.example", "/%2e%2e//evil.example", " /", "/\u2028", "/" + "a" * 5_000,
    "https://regulars.test", "https://regulars.testevil.example/", "/\x00", "blob:https://regulars.test/x",
]  # fmt: skip


@pytest.mark.parametrize("reload", ELSEWHERE)
def test_a_token_page_asked_to_reload_elsewhere_is_400(quick_door, reload):
    answer = quick_door.get("/auth/token?" + urlencode({"shop": DOMAIN, "shopify-reload": reload}))
    assert answer.status == 400
    assert "app-bridge" not in answer.text and "evil" not in answer.text


def test_a_token_page_told_two_places_is_400(quick_door):
    for places in (["/", "//evil.example"], ["//evil.example", "/"], ["/", "/"]):
        query = urlencode([("shop", DOMAIN), *(("shopify-reload", place) for place in places)])
        assert quick_door.get(f"/auth/token?{query}").status == 400


def test_a_place_somebody_else_wrote_is_not_passed_on(quick_door, sqlite_db):
    add_shop(sqlite_db)
    location = quick_door.get(opened() + "&shopify-reload=//evil.example").headers["location"]
    assert parse_qs(urlsplit(location).query)["shopify-reload"] == [f"https://regulars.test{opened()}"]


@pytest.mark.parametrize("shop", ["", "evil.example", "SALTMARSH.MYSHOPIFY.COM", "a.myshopify.com\n", "*.myshopify.com",
                                  "a.myshopify.com; script-src *", "xn--a.myshopify.com"])  # fmt: skip
def test_a_token_page_for_no_shop_is_400(quick_door, shop):
    answer = quick_door.get("/auth/token?" + urlencode({"shop": shop, "shopify-reload": "/"}))
    assert answer.status == 400
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_a_session_token_expires_between_two_requests(quick_door, sqlite_db, clock):
    add_shop(sqlite_db)
    said = bearer()
    assert quick_door.get("/", headers=said).status == 200
    clock.now = NOW + timedelta(seconds=71)
    assert quick_door.get("/", headers=said).status == 401

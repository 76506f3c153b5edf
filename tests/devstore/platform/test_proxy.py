"""The app proxy: signed, without cookies, nothing else lost on the way."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, parse_qsl

import pytest
import requests

from app.devstore.signing import proxy_signature

from .conftest import SECRET, SHOP


def call(control, path: str = "/shopper", *, method: str = "GET", session=requests, **options) -> requests.Response:
    return session.request(method, control.shop_url(f"/apps/regulars{path}"), timeout=10, **options)


def forwarded(fake_app):
    (request,) = [r for r in fake_app.received if r.path.startswith("/proxy")]
    return request


def signed(query: str) -> bool:
    pairs = parse_qsl(query, keep_blank_values=True)
    rest = [(name, value) for name, value in pairs if name != "signature"]
    return dict(pairs)["signature"] == proxy_signature(SECRET, rest)


def test_the_documented_signature():
    # From Shopify's "Authenticate app proxies": secret "hush".
    pairs = parse_qsl(
        "extra=1&extra=2&shop=shop-name.myshopify.com&path_prefix=%2Fapps%2Fawesome_reviews&timestamp=1317327555"
        "&logged_in_customer_id=1"
    )
    signature = "4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb"
    assert proxy_signature("hush", pairs) == signature


def test_a_visitor_is_nobody(control, fake_app):
    assert call(control).status_code == 200
    request = forwarded(fake_app)
    params = parse_qs(request.query, keep_blank_values=True)
    assert request.path == "/proxy/shopper"
    assert params["shop"] == [SHOP]
    assert params["logged_in_customer_id"] == [""]
    assert params["path_prefix"] == ["/apps/regulars"]
    assert abs(int(params["timestamp"][0]) - time.time()) < 5
    assert signed(request.query)


def test_a_customer_is_named(control, fake_app):
    customer = control.devstore.customer_by_email(control.devstore.shop(SHOP), "ines@example.com")
    session = requests.Session()
    session.post(f"{control.root}/-/control/shops/{SHOP}/login", json={"customer_id": customer.id}, timeout=5)
    call(control, session=session)
    request = forwarded(fake_app)
    assert parse_qs(request.query)["logged_in_customer_id"] == [str(customer.id)]
    assert signed(request.query)
    assert "cookie" not in request.headers


def test_method_body_query_and_path_go_through(control, fake_app):
    answer = call(control, "/a%20b/ü?x=1&x=2&y=%26%3D&empty=", method="POST", json={"points": 100})
    request = forwarded(fake_app)
    assert answer.status_code == 200
    assert (request.method, request.path, request.json) == ("POST", "/proxy/a%20b/%C3%BC", {"points": 100})
    assert request.query.startswith("x=1&x=2&y=%26%3D&empty=&shop=")
    assert request.headers["content-type"] == "application/json"
    assert signed(request.query)


def test_forwarding_headers_are_the_platforms(control, fake_app):
    call(control, headers={"X-Forwarded-For": "9.9.9.9", "X-Forwarded-Host": "evil.example", "X-Kept": "yes"})
    headers = forwarded(fake_app).headers
    assert (headers["x-forwarded-for"], headers["x-forwarded-host"]) == ("127.0.0.1", SHOP)
    assert headers["x-kept"] == "yes"


def test_a_made_up_customer_reaches_the_app_beside_the_real_one(control, fake_app):
    call(control, "/shopper?logged_in_customer_id=999")
    request = forwarded(fake_app)
    assert parse_qs(request.query, keep_blank_values=True)["logged_in_customer_id"] == ["999", ""]
    assert signed(request.query)


def test_answers_come_back_without_cookies(control, fake_app):
    fake_app.answer = lambda r: (
        409,
        {"Content-Type": "application/json", "Set-Cookie": "a=b", "Cache-Control": "no-store", "X-Powered-By": "x"},
        b'{"error": {"code": "price_changed"}}',
    )
    answer = call(control)
    assert (answer.status_code, answer.json()) == (409, {"error": {"code": "price_changed"}})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert "X-Powered-By" not in answer.headers


def test_an_uninstalled_app_has_no_proxy(control, fake_app):
    shop = control.devstore.shop(SHOP)
    control.devstore.apps.uninstall(shop)
    try:
        assert call(control).status_code == 404
    finally:
        control.devstore.apps.install(shop)
    assert not [r for r in fake_app.received if r.path.startswith("/proxy")]


def test_liquid_answers_are_not_rendered(control, fake_app):
    fake_app.answer = lambda r: (200, {"Content-Type": "application/liquid"}, b"{{ shop.name }}")
    assert call(control).status_code == 501


@pytest.mark.parametrize("style", ["host", "path"])
def test_both_spellings_of_a_shop(control, fake_app, style):
    if style == "host":
        headers = {"Host": f"{SHOP}.localhost:{control.root.rpartition(':')[2]}"}
        answer = requests.get(f"{control.root}/apps/regulars/shopper", headers=headers, timeout=5)
    else:
        answer = call(control)
    assert answer.status_code == 200
    assert parse_qs(forwarded(fake_app).query)["shop"] == [SHOP]


def test_the_call_is_in_the_log(control, fake_app):
    before = control.get("traffic?limit=1")
    call(control, "/shopper?secret=1")
    newest = control.get(f"traffic?kind=proxy&after={before[0]['seq'] if before else 0}")[0]
    assert (newest["method"], newest["path"], newest["status"]) == ("GET", "/proxy/shopper", "200")
    assert "secret" not in str(newest)

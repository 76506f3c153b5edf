"""Tokens: exchanged, refreshed, had by code, and dead when they should be."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from app.devstore import clock
from app.devstore.oauth import tokens
from app.devstore.records import Token
from app.devstore.signing import make_jwt, query_hmac, read_jwt

from .conftest import ONLINE, OTHER_SHOP, SECRET, SHOP

SCOPES = {
    "read_orders",
    "read_customers",
    "write_customers",
    "read_customer_merge",
    "read_products",
    "write_discounts",
    "write_app_proxy",
}


@pytest.fixture(autouse=True)
def installed(control):
    """Every test starts with the app on the first shop, and only there."""
    devstore = control.devstore
    devstore.apps.install(devstore.shop(SHOP))
    yield
    devstore.apps.secrets.live[:] = [SECRET]
    devstore.apps.secrets.sign_with("new")


def refresh(control, token: str, **params):
    return control.token_request(grant_type="refresh_token", refresh_token=token, **params)


def works(control, token: str) -> bool:
    return control.graphql("{ shop { id } }", token=token).status_code == 200


def test_an_exchange_gives_an_expiring_pair(control):
    answer = control.exchange()
    assert answer.headers["Content-Type"].startswith("application/json")
    pair = answer.json()
    assert (pair["expires_in"], pair["refresh_token_expires_in"]) == (3600, 7776000)
    assert pair["access_token"].startswith("shpat_")
    assert pair["refresh_token"].startswith("shprt_")
    assert set(pair["scope"].split(",")) == SCOPES
    assert works(control, pair["access_token"])


def test_tokens_that_never_expire_are_not_issued(control):
    for expiring in ("0", ""):
        assert control.exchange(expiring=expiring).status_code == 400


def test_an_online_token_names_its_user(control):
    answer = control.exchange(requested_token_type=ONLINE, expiring="").json()
    assert answer["expires_in"] == 86399
    assert answer["associated_user"]["account_owner"] is True
    assert works(control, answer["access_token"])


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 60},
        {"aud": "another app"},
        {"dest": f"https://{OTHER_SHOP}"},
        {"nbf": int(time.time()) + 600},
        {"exp": None},
        {"sub": "gid://shopify/Customer/1"},
    ],
)
def test_a_session_token_must_be_right(control, claims):
    devstore = control.devstore
    good = read_jwt([SECRET], devstore.apps.id_token(devstore.shop(SHOP)))
    answer = control.exchange(subject_token=make_jwt(SECRET, {**good, **claims}))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_subject_token")


def test_a_session_token_of_another_secret_is_refused(control):
    token = make_jwt("hush", read_jwt([SECRET], control.devstore.apps.id_token(control.devstore.shop(SHOP))))
    assert control.exchange(subject_token=token).json()["error"] == "invalid_subject_token"


def test_the_session_token_is_that_of_the_platform(control):
    shop = control.devstore.shop(SHOP)
    claims = read_jwt([SECRET], control.devstore.apps.id_token(shop))
    assert (claims["iss"], claims["dest"]) == (f"https://{SHOP}/admin", f"https://{SHOP}")
    assert claims["aud"] == control.devstore.app.client_id
    assert claims["exp"] - claims["iat"] == 60
    other = read_jwt([SECRET], control.devstore.apps.id_token(shop))
    assert (claims["sid"], claims["sub"]) == (other["sid"], other["sub"])
    assert claims["jti"] != other["jti"]


def test_wrong_credentials_are_an_invalid_client(control):
    for wrong in ({"client_secret": "hush"}, {"client_id": "x"}):
        answer = control.exchange(**wrong)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_a_newer_pair_retires_the_refresh_token_not_the_access_token(control):
    older, newer = control.exchange().json(), control.exchange().json()
    assert refresh(control, older["refresh_token"]).json()["error"] == "invalid_grant"
    assert works(control, older["access_token"])
    assert works(control, newer["access_token"])


def test_a_refresh_may_be_retried_until_its_replacement_is_used(control):
    first = control.exchange().json()
    lost = refresh(control, first["refresh_token"]).json()
    found = refresh(control, first["refresh_token"]).json()
    assert lost["refresh_token"] != found["refresh_token"]
    assert works(control, found["access_token"])
    again = refresh(control, first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert refresh(control, found["refresh_token"]).status_code == 200


def test_a_refresh_token_is_retried_for_thirty_days_at_most(control):
    devstore = control.devstore
    shop = devstore.shop(SHOP)
    first = control.exchange().json()
    refresh(control, first["refresh_token"])
    spent = next(t for t in devstore.store.list(Token, shop.id) if t.first_refreshed_at and not t.dead)
    spent.first_refreshed_at = clock.now() - timedelta(days=31)
    devstore.store.save(spent)
    assert refresh(control, first["refresh_token"]).json()["error"] == "invalid_grant"


def test_an_expired_token_is_401(control):
    pair = control.exchange().json()
    tokens.expire(control.devstore, control.devstore.shop(SHOP))
    answer = control.graphql("{ shop { id } }", token=pair["access_token"])
    assert answer.status_code == 401
    assert works(control, refresh(control, pair["refresh_token"]).json()["access_token"])


def test_a_token_is_of_one_shop(control):
    pair = control.exchange().json()
    control.devstore.apps.install(control.devstore.shop(OTHER_SHOP))
    assert control.graphql("{ shop { id } }", shop=OTHER_SHOP, token=pair["access_token"]).status_code == 401
    control.devstore.apps.uninstall(control.devstore.shop(OTHER_SHOP))


def test_uninstalling_kills_the_tokens_before_it_tells(control, fake_app):
    pair = control.exchange().json()
    seen = []

    def when_told(request):
        if request.topic == "app/uninstalled":
            seen.append(works(control, pair["access_token"]))
        return 200, {}, b""

    fake_app.answer = when_told
    control.post(f"shops/{SHOP}/uninstall")
    told = fake_app.wait(1, "app/uninstalled")[0]
    control.idle()
    assert seen == [False]
    assert told.json["myshopify_domain"] == SHOP
    assert control.exchange().json()["error"] == "invalid_client"
    assert refresh(control, pair["refresh_token"]).json()["error"] == "invalid_client"


def test_shop_redact_follows_an_uninstall_only(control, fake_app):
    url = f"{control.root}/-/control/shops/{SHOP}/redact"
    assert requests.post(url, json={}, timeout=5).status_code == 422
    control.post(f"shops/{SHOP}/uninstall")
    control.post(f"shops/{SHOP}/redact")
    assert fake_app.wait(1, "shop/redact")[0].json == {
        "shop_id": control.devstore.shop(SHOP).id,
        "shop_domain": SHOP,
    }
    control.post(f"shops/{SHOP}/install")
    assert requests.post(url, json={}, timeout=5).status_code == 422
    control.post(f"shops/{SHOP}/redact", even_if_installed=True)
    fake_app.wait(2, "shop/redact")


def test_new_scopes_are_asked_for_and_told(control, fake_app, tmp_path):
    devstore = control.devstore
    text = devstore.settings.app_toml.read_text()
    wider = tmp_path / "shopify.app.toml"
    wider.write_text(text.replace("write_app_proxy", "write_app_proxy,read_locations"))
    control.post("app/reload", app_toml=str(wider))
    assert control.get(f"shops/{SHOP}")["missing_scopes"] == ["read_locations"]
    assert "read_locations" not in control.exchange().json()["scope"]
    control.post(f"shops/{SHOP}/grant_scopes")
    told = fake_app.wait(1, "app/scopes_update")[0].json
    assert set(told["current"]) - set(told["previous"]) == {"read_locations"}
    assert "read_locations" in control.exchange().json()["scope"]
    control.post("app/reload")
    control.post(f"shops/{SHOP}/grant_scopes")
    assert set(control.exchange().json()["scope"].split(",")) == SCOPES


def test_the_launch_is_signed_and_embedded(control):
    launch = control.get(f"shops/{SHOP}/launch")
    params = dict(parse_qsl(urlsplit(launch["url"]).query))
    assert params["hmac"] == query_hmac(SECRET, params)
    assert (params["embedded"], params["shop"], params["locale"]) == ("1", SHOP, "en")
    assert not params["host"].endswith("=")
    assert control.exchange(subject_token=params["id_token"]).status_code == 200


def test_an_answer_may_be_lost(control):
    first = control.exchange().json()
    control.post("oauth/faults", next=["lost", "500", "429"])
    with pytest.raises(requests.RequestException):
        refresh(control, first["refresh_token"])
    assert [refresh(control, first["refresh_token"]).status_code for _ in range(3)] == [500, 429, 200]


class TestCodeGrant:
    def authorize(self, control, **params) -> requests.Response:
        app = control.devstore.app
        sent = {"client_id": app.client_id, "redirect_uri": app.redirect_urls[0], "state": "n0nce", **params}
        return requests.get(control.shop_url("/admin/oauth/authorize"), params=sent, allow_redirects=False, timeout=5)

    def test_an_installed_app_is_sent_straight_back(self, control):
        answer = self.authorize(control)
        url = urlsplit(answer.headers["Location"])
        params = dict(parse_qsl(url.query))
        assert answer.status_code == 302
        assert url._replace(query="").geturl() == control.devstore.app.redirect_urls[0]
        assert (params["state"], params["shop"]) == ("n0nce", SHOP)
        assert params["hmac"] == query_hmac(SECRET, params)
        pair = control.token_request(code=params["code"], expiring="1").json()
        assert works(control, pair["access_token"])

    def test_a_code_works_once(self, control):
        code = parse_qs(urlsplit(self.authorize(control).headers["Location"]).query)["code"][0]
        assert control.token_request(code=code, expiring="1").status_code == 200
        assert control.token_request(code=code, expiring="1").status_code == 400

    def test_the_merchant_is_asked_first(self, control):
        control.post(f"shops/{SHOP}/uninstall")
        asked = self.authorize(control)
        assert asked.status_code == 200
        assert "read_orders" in asked.text
        app = control.devstore.app
        agreed = requests.post(
            control.shop_url("/admin/oauth/authorize"),
            data={"client_id": app.client_id, "redirect_uri": app.redirect_urls[0], "state": "n0nce"},
            allow_redirects=False,
            timeout=5,
        )
        assert agreed.status_code == 302
        assert control.get(f"shops/{SHOP}")["installation"]

    def test_a_redirect_must_be_in_the_toml(self, control):
        for uri in ("https://evil.example/auth/callback", f"{control.devstore.app.redirect_urls[0]}/x"):
            assert self.authorize(control, redirect_uri=uri).status_code == 400


class TestRotation:
    def test_both_secrets_are_accepted_until_the_old_one_is_revoked(self, control, fake_app):
        pair = control.exchange().json()
        new = control.post("secret/rotate")["secret"]
        assert refresh(control, pair["refresh_token"]).status_code == 200
        kept = control.exchange(client_secret=new).json()
        control.post("secret/revoke_old")
        assert control.exchange().json()["error"] == "invalid_client"
        assert not works(control, pair["access_token"])
        assert works(control, kept["access_token"])

    def test_shopify_signs_with_either(self, control):
        new = control.post("secret/rotate")["secret"]
        shop = control.devstore.shop(SHOP)
        assert read_jwt([SECRET], control.devstore.apps.id_token(shop))
        control.post("secret/sign_with", which="new")
        assert read_jwt([new], control.devstore.apps.id_token(shop))
        control.post("secret/sign_with", which="old")
        assert read_jwt([SECRET], control.devstore.apps.id_token(shop))

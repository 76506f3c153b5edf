from datetime import timedelta

import pytest
import requests
import responses

from app.errors import AccessRevoked, Rejected, Throttled, Unauthenticated
from app.shopify.origins import Origins
from app.shopify.tokens import TokenEndpoint
from tests.shopify.signing import NOW, SECRET, SHOP

URL = f"https://{SHOP}/admin/oauth/access_token"
GOOD = {
    "access_token": "shpat_access-canary",
    "scope": "write_customers,read_orders",
    "expires_in": 3600,
    "refresh_token": "shprt_refresh-canary",
    "refresh_token_expires_in": 7776000,
}
ENDPOINT = TokenEndpoint(Origins(), "client-id", SECRET)


def asked() -> dict[str, str]:
    import json

    return json.loads(responses.calls[-1].request.body)


@responses.activate
def test_exchanges_a_session_token_for_an_expiring_offline_pair():
    responses.post(URL, json=GOOD)
    pair = ENDPOINT.exchange(SHOP, "jwt", now=NOW)
    assert asked() == {
        "client_id": "client-id",
        "client_secret": SECRET,
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": "jwt",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
        "expiring": "1",
    }
    assert (pair.access_token, pair.refresh_token) == ("shpat_access-canary", "shprt_refresh-canary")
    assert (pair.expires_at, pair.refresh_expires_at) == (NOW + timedelta(hours=1), NOW + timedelta(days=90))
    assert pair.scopes == ("read_orders", "write_customers")


@responses.activate
def test_refreshes_and_redeems_a_code():
    responses.post(URL, json=GOOD)
    ENDPOINT.refresh(SHOP, "shprt_old", now=NOW)
    assert asked() == {
        "client_id": "client-id", "client_secret": SECRET, "grant_type": "refresh_token", "refresh_token": "shprt_old",
    }  # fmt: skip
    ENDPOINT.redeem_code(SHOP, "abc", now=NOW)
    assert asked() == {"client_id": "client-id", "client_secret": SECRET, "code": "abc", "expiring": "1"}


@responses.activate
def test_shows_no_token_and_puts_none_into_an_address():
    responses.post(URL, json=GOOD)
    pair = ENDPOINT.exchange(SHOP, "jwt-canary", now=NOW)
    assert "canary" not in repr(pair) + repr(ENDPOINT) and SECRET not in repr(ENDPOINT)
    assert responses.calls[0].request.url == URL


@pytest.mark.parametrize(
    ("status", "content", "error", "code"),
    [
        (400, {"error": "invalid_subject_token"}, Unauthenticated, "invalid_subject_token"),
        (400, {"error": "invalid_grant"}, AccessRevoked, "invalid_grant"),
        (400, {"error": "invalid_client"}, AccessRevoked, "invalid_client"),
        (401, {"error": "invalid_client"}, AccessRevoked, "invalid_client"),
        (400, {"error": "invalid_request", "error_description": "code used"}, Unauthenticated, "invalid_request"),
        (400, {"error": "unsupported_grant_type"}, Rejected, "unsupported_grant_type"),
        (400, {"error": "Canary <b>"}, Rejected, "http_400"),
        (402, {}, AccessRevoked, "http_402"),
        (404, {}, AccessRevoked, "http_404"),
        (423, {}, AccessRevoked, "http_423"),
        (302, {}, Rejected, "http_302"),
        (503, {}, Throttled, "shopify_busy"),
    ],
)
@responses.activate
def test_says_what_went_wrong_in_our_own_words(status, content, error, code):
    responses.post(URL, status=status, json=content, headers={"Location": "https://evil.example/"})
    with pytest.raises(error) as refusal:
        ENDPOINT.refresh(SHOP, "shprt_canary", now=NOW)
    assert refusal.value.code == code
    assert "anary" not in str(refusal.value) and SECRET not in str(refusal.value)


@responses.activate
def test_waits_as_long_as_shopify_says():
    responses.post(URL, status=429, headers={"Retry-After": "12"})
    with pytest.raises(Throttled) as busy:
        ENDPOINT.refresh(SHOP, "x", now=NOW)
    assert busy.value.retry_after == 12


@pytest.mark.parametrize("body", ["<html>", '{"access_token": "shpat_ca', "[]", ""])
@responses.activate
def test_half_a_token_is_none(body):
    responses.post(URL, body=body)
    with pytest.raises(Throttled):
        ENDPOINT.refresh(SHOP, "x", now=NOW)


@pytest.mark.parametrize(
    "changes",
    [{"refresh_token": None}, {"access_token": ""}, {"expires_in": None}, {"expires_in": "3600"}, {"expires_in": 0},
     {"refresh_token_expires_in": None}, {"refresh_token_expires_in": True}, {"scope": 7}, {"expires_in": 10**12}],
)  # fmt: skip
@responses.activate
def test_refuses_a_token_that_never_expires(changes):
    responses.post(URL, json={**GOOD, **changes})
    with pytest.raises(Rejected):
        ENDPOINT.exchange(SHOP, "x", now=NOW)


@pytest.mark.parametrize(
    "failure", [requests.ConnectTimeout("canary"), requests.ReadTimeout(), requests.ConnectionError()]
)
@responses.activate
def test_a_lost_answer_may_be_asked_for_again(failure):
    responses.post(URL, body=failure)
    with pytest.raises(Throttled) as lost:
        ENDPOINT.refresh(SHOP, "x", now=NOW)
    assert "canary" not in str(lost.value)


@responses.activate
def test_asks_nobody_but_a_shop():
    for host in ("evil.com", "saltmarsh.myshopify.com.evil.com", "saltmarsh.myshopify.com:444", "localhost"):
        with pytest.raises(ValueError, match="shop"):
            ENDPOINT.exchange(host, "x", now=NOW)
    assert len(responses.calls) == 0

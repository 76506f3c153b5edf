import json
from datetime import timedelta
from pathlib import Path

import pytest

from app.errors import Unauthenticated
from app.shopify.oauth import _signer, authorize_url, reload_target, verify_oauth_query
from app.shopify.origins import Origins
from tests.shopify.signing import NOW, OTHER_SECRET, SECRETS, SHOP, STAMP, digest, oauth_query, oauth_text

VECTORS = json.loads((Path(__file__).parents[1] / "data/shopify/vectors.json").read_text())["vectors"]
CALLBACK = {"code": "0907a61c0c8d55e99db179b68161bc00", "shop": SHOP, "state": "nonce", "timestamp": STAMP}


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"].startswith("oauth_hmac")], ids=lambda v: v["name"])
def test_published_vectors(vector):
    """The library we lean on, and our own signing helper, agree with Shopify's examples."""
    if "hmac" in vector:
        assert _signer(vector["secret"]).validate_hmac({**vector["params"], "hmac": vector["hmac"]})
    if not any(name.endswith("[]") for name in vector["params"]):
        assert oauth_text(vector["params"]) == vector["message"]


@pytest.mark.parametrize("secret", SECRETS)
def test_accepts_a_callback_under_either_secret(secret):
    query = verify_oauth_query(oauth_query(CALLBACK, secret), SECRETS, now=NOW)
    assert query.shop == SHOP
    assert dict(query.params) == {"code": CALLBACK["code"], "state": "nonce"}
    assert CALLBACK["code"] not in repr(query)


def test_accepts_an_admin_link_with_a_list_of_ids():
    text = f'ids=["1", "2"]&shop={SHOP}&timestamp={STAMP}'
    raw = f"ids%5B%5D=1&ids%5B%5D=2&shop={SHOP}&timestamp={STAMP}&hmac={digest(text).hex()}".encode()
    assert verify_oauth_query(raw, SECRETS, now=NOW).shop == SHOP


@pytest.mark.parametrize("seconds", [-91, 91, 86_000, -86_000])
def test_refuses_what_the_library_would_accept_for_a_day(seconds):
    with pytest.raises(Unauthenticated):
        verify_oauth_query(oauth_query(CALLBACK), SECRETS, now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "query",
    [b"", b"hmac=", b"\xff", oauth_query(CALLBACK, OTHER_SECRET), oauth_query({**CALLBACK, "shop": "evil.com"}),
     oauth_query({**CALLBACK, "timestamp": "x"}), oauth_query(CALLBACK) + b"&shop=b.myshopify.com",
     oauth_query(CALLBACK) + b"&x=1", oauth_query(CALLBACK).replace(b"nonce", b"other"),
     oauth_query({"code": "x", "timestamp": STAMP}), oauth_query({"shop": SHOP}), b"a=1&" * 200, b"x" * 20_000],
    ids=range(13),
)  # fmt: skip
def test_refuses_everything_else(query):
    with pytest.raises(Unauthenticated):
        verify_oauth_query(query, SECRETS, now=NOW)


def test_the_authorize_address_names_no_scopes():
    assert authorize_url(Origins(), SHOP, "abc", "https://app.example.org/auth/callback", "n1") == (
        "https://saltmarsh.myshopify.com/admin/oauth/authorize"
        "?client_id=abc&redirect_uri=https%3A%2F%2Fapp.example.org%2Fauth%2Fcallback&state=n1"
    )
    assert authorize_url(Origins("http://127.0.0.1:9292/{shop}"), SHOP, "abc", "x", "n").startswith(
        "http://127.0.0.1:9292/saltmarsh.myshopify.com/admin/oauth/authorize?"
    )


APP = "https://app.example.org"


@pytest.mark.parametrize("value", [f"{APP}/admin/?shop=a&host=b", "/admin/members?page=2", "/", f"{APP}/"])
def test_reloads_our_own_pages(value):
    target = reload_target(value, APP)
    assert target is not None
    assert target == (value if value.startswith(APP) else APP + value)


@pytest.mark.parametrize("value", [None, "", APP, "//evil.com", f"{APP}.evil.com/", f"{APP}@evil.com/", "/\\evil.com"])
def test_reloads_nothing_else(value):
    assert reload_target(value, APP) is None

import json
from pathlib import Path

import pytest

from app.errors import Unauthenticated
from app.shopify.webhooks import signature_matches, verify_webhook
from tests.shopify.signing import OLD_SECRET, OTHER_SECRET, SECRET, SECRETS, webhook_signature

BODY = b'{"id":450789469}'
VECTORS = json.loads((Path(__file__).parents[1] / "data/shopify/vectors.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"] == "webhook_hmac"], ids=lambda v: v["name"])
def test_published_vectors(vector):
    assert signature_matches(vector["body"].encode(), vector["header"], [vector["secret"]])
    assert not signature_matches(vector["body"].encode() + b" ", vector["header"], [vector["secret"]])


@pytest.mark.parametrize("name", ["X-Shopify-Hmac-SHA256", "shopify-hmac-sha256"])
@pytest.mark.parametrize("secret", SECRETS)
def test_accepts_both_header_names_and_both_secrets(name, secret):
    verify_webhook(BODY, {name: webhook_signature(BODY, secret)}, SECRETS)


def test_refuses_a_missing_wrong_or_foreign_signature():
    for headers in (
        {},
        {"X-Shopify-Hmac-SHA256": ""},
        {"X-Shopify-Hmac-SHA256": webhook_signature(BODY, OTHER_SECRET)},
    ):
        with pytest.raises(Unauthenticated):
            verify_webhook(BODY, headers, SECRETS)


def test_two_headers_must_both_be_right():
    good, bad = webhook_signature(BODY), webhook_signature(b"{}")
    verify_webhook(BODY, {"X-Shopify-Hmac-SHA256": good, "shopify-hmac-sha256": good}, SECRETS)
    with pytest.raises(Unauthenticated):
        verify_webhook(BODY, {"X-Shopify-Hmac-SHA256": good, "shopify-hmac-sha256": bad}, SECRETS)


def test_a_retired_secret_is_refused():
    with pytest.raises(Unauthenticated):
        verify_webhook(BODY, {"X-Shopify-Hmac-SHA256": webhook_signature(BODY, OLD_SECRET)}, (SECRET,))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"text"', b"NaN", b" {}", b"\xff\xfe"])
def test_what_shopify_signed_is_accepted_also_when_it_is_no_order(body):
    """It is stored and parked with its reason; only texts signed for another purpose are refused."""
    verify_webhook(body, {"X-Shopify-Hmac-SHA256": webhook_signature(body)}, SECRETS)

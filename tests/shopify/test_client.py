import json

import pytest
import requests
import responses

from app.errors import AccessRevoked, MissingScope, Rejected, Throttled
from app.shopify.client import AdminClient
from app.shopify.origins import Origins
from tests.shopify.signing import SHOP

URL = f"https://{SHOP}/admin/api/2026-10/graphql.json"
DENIED = {
    "message": "Access denied for orders field. Required access: `read_orders` access scope.",
    "path": ["orders"],
    "extensions": {"code": "ACCESS_DENIED", "requiredAccess": "`read_orders` access scope."},
}


def client() -> AdminClient:
    return AdminClient(Origins(), SHOP, "shpat_canary")


def ask(document: str = "shop", **options):
    return client().execute(document, {}, **options)


@responses.activate
def test_sends_the_document_with_this_shops_token():
    responses.post(URL, json={"data": {"shop": {"id": "gid://shopify/Shop/1"}}})
    assert ask() == {"shop": {"id": "gid://shopify/Shop/1"}}
    request = responses.calls[0].request
    assert request.headers["X-Shopify-Access-Token"] == "shpat_canary"
    assert json.loads(request.body)["query"].startswith("# Who this shop is")
    assert "canary" not in repr(client())


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (401, '{"errors": "[API] Invalid API key or access token"}', AccessRevoked, "token_invalid"),
        (402, "{}", AccessRevoked, "shop_frozen"),
        (404, '{"errors": "Not Found"}', AccessRevoked, "shop_gone"),
        (423, "", AccessRevoked, "shop_locked"),
        (403, "{}", MissingScope, "missing_scope"),
        (429, "", Throttled, "shopify_busy"),
        (430, "", Throttled, "shopify_busy"),
        (500, "<html>", Throttled, "shopify_busy"),
        (502, "", Throttled, "shopify_busy"),
        (200, "<html>", Throttled, "shopify_busy"),
        (200, '{"data": {"shop"', Throttled, "shopify_busy"),
        (200, "[]", Throttled, "shopify_busy"),
        (200, "{}", Rejected, "no_data"),
        (200, '{"data": null}', Rejected, "no_data"),
        (302, "{}", Rejected, "http_302"),
        (400, '{"errors": "bad"}', Rejected, "http_400"),
        (408, "{}", Throttled, "shopify_busy"),
        (409, '{"errors": "conflict"}', Throttled, "shopify_busy"),
        (422, '{"errors": "bad"}', Rejected, "http_422"),
    ],
)
@responses.activate
def test_the_transports_errors(status, body, error, code):
    responses.post(URL, status=status, body=body, headers={"Location": "https://evil.example/"})
    with pytest.raises(error) as refusal:
        ask()
    assert refusal.value.code == code
    assert "canary" not in str(refusal.value)


@responses.activate
def test_a_throttled_answer_says_how_long_until_the_query_is_affordable():
    cost = {"requestedQueryCost": 700, "throttleStatus": {"currentlyAvailable": 200, "restoreRate": 100.0}}
    responses.post(URL, json={"errors": [{"extensions": {"code": "THROTTLED"}}], "extensions": {"cost": cost}})
    with pytest.raises(Throttled) as busy:
        ask()
    assert busy.value.retry_after == 5.0


@pytest.mark.parametrize("extensions", [None, {}, {"cost": None}, {"cost": {"throttleStatus": {"restoreRate": 0}}}])
@responses.activate
def test_a_throttled_answer_may_say_nothing(extensions):
    responses.post(URL, json={"errors": [{"extensions": {"code": "THROTTLED"}}], "extensions": extensions})
    with pytest.raises(Throttled) as busy:
        ask()
    assert busy.value.retry_after == 1.0


@pytest.mark.parametrize(
    ("errors", "error"),
    [
        ([{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}], Throttled),
        ([{"message": "x", "extensions": {"code": "SHOP_INACTIVE"}}], AccessRevoked),
        ([{"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}], Rejected),
        ([{"message": "no extensions"}], Rejected),
        (["not an object"], Rejected),
        ("a bare sentence", Rejected),
    ],
)
@responses.activate
def test_graphqls_errors(errors, error):
    responses.post(URL, json={"errors": errors, "data": {"shop": None}})
    with pytest.raises(error):
        ask()


@responses.activate
def test_a_missing_scope_is_named():
    responses.post(URL, json={"errors": [DENIED], "data": None})
    with pytest.raises(MissingScope, match="read_orders"):
        ask()
    responses.replace("POST", URL, status=403, json={"errors": [DENIED]})
    with pytest.raises(MissingScope, match="read_orders"):
        ask()


@responses.activate
def test_peoples_data_may_be_withheld_without_failing_the_rest():
    withheld = {
        **DENIED,
        "message": "not approved",
        "path": ["order", "email"],
        "extensions": {"code": "ACCESS_DENIED"},
    }
    responses.post(URL, json={"errors": [withheld], "data": {"order": {"email": None}}})
    assert ask("order", may_be_withheld=["email"]) == {"order": {"email": None}}
    with pytest.raises(MissingScope):
        ask("order")
    responses.replace("POST", URL, json={"errors": [withheld, DENIED], "data": {"order": {"email": None}}})
    with pytest.raises(MissingScope):
        ask("order", may_be_withheld=["email"])


@responses.activate
def test_user_errors_name_the_field():
    gone = {"field": ["metafields", "3", "ownerId"], "message": "Owner does not exist.", "code": "INVALID"}
    responses.post(URL, json={"data": {"metafieldsSet": {"metafields": None, "userErrors": [gone]}}})
    with pytest.raises(Rejected, match="Owner does not exist") as refusal:
        ask("metafields_set")
    assert (refusal.value.code, refusal.value.field) == ("INVALID", "metafields.3.ownerId")


@responses.activate
def test_notes_when_shopify_serves_another_version():
    responses.post(URL, json={"data": {}}, headers={"X-Shopify-API-Version": "2027-01"})
    admin = client()
    admin.execute("shop")
    assert admin.fell_forward_to == "2027-01"
    responses.replace("POST", URL, json={"data": {}}, headers={"X-Shopify-API-Version": "2026-10"})
    admin.execute("shop")
    assert admin.fell_forward_to is None


@responses.activate
def test_a_time_out_is_throttling():
    responses.post(URL, body=requests.ReadTimeout("shpat_canary"))
    with pytest.raises(Throttled) as busy:
        ask()
    assert "canary" not in str(busy.value)

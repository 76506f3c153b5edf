import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.errors import Unauthenticated
from app.shopify.proxy import customer_id_of, verify_proxy
from tests.shopify.signing import NOW, OLD_SECRET, OTHER_SECRET, SECRETS, SHOP, proxy_pairs, proxy_query

VECTORS = json.loads((Path(__file__).parents[1] / "data/shopify/vectors.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"] == "app_proxy"], ids=lambda v: v["name"])
def test_published_vectors(vector):
    accepted = vector.get("accepted", vector["valid"])
    stamp = int(vector["query_string"].split("timestamp=")[1].split("&")[0])
    ask = (vector["query_string"].encode(), [vector["secret"]])
    if accepted:
        request = verify_proxy(*ask, now=datetime.fromtimestamp(stamp, UTC))
        assert (request.shop, request.customer_id) == ("shop-name.myshopify.com", 1)
    else:
        with pytest.raises(Unauthenticated):
            verify_proxy(*ask, now=datetime.fromtimestamp(stamp, UTC))


def test_a_visitor_and_a_customer():
    visitor = verify_proxy(proxy_query(proxy_pairs()), SECRETS, now=NOW)
    assert (visitor.shop, visitor.customer_id, visitor.path_prefix) == (SHOP, None, "/apps/regulars")
    customer = verify_proxy(proxy_query(proxy_pairs("6971943256278"), OLD_SECRET), SECRETS, now=NOW)
    assert customer.customer_id == 6971943256278


def test_hands_over_what_else_was_asked():
    query = proxy_query(proxy_pairs(extra=[("cursor", "abc"), ("cursor", "def"), ("empty", "")]))
    assert dict(verify_proxy(query, SECRETS, now=NOW).params) == {"cursor": "abc", "empty": ""}


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "1e3", " 1", "1 ", "١", "01", "+1", "1.0", "1,2", str(2**63), "9" * 40]
)
def test_a_customer_id_that_is_no_positive_63_bit_number_is_nobody(text):
    assert customer_id_of(text) is None
    assert verify_proxy(proxy_query(proxy_pairs(text)), SECRETS, now=NOW).customer_id is None


def test_the_greatest_customer_id():
    assert customer_id_of(str(2**63 - 1)) == 2**63 - 1


@pytest.mark.parametrize(("seconds", "accepted"), [(-91, False), (-90, True), (0, True), (90, True), (91, False)])
def test_a_signature_is_good_for_ninety_seconds(seconds, accepted):
    query = proxy_query(proxy_pairs())
    now = NOW + timedelta(seconds=seconds)
    if accepted:
        verify_proxy(query, SECRETS, now=now)
    else:
        with pytest.raises(Unauthenticated):
            verify_proxy(query, SECRETS, now=now)


@pytest.mark.parametrize("name", ["shop", "logged_in_customer_id", "path_prefix", "timestamp"])
def test_each_of_shopifys_parameters_is_there_exactly_once(name):
    without = [pair for pair in proxy_pairs("7") if pair[0] != name]
    twice = [*proxy_pairs("7"), (name, dict(proxy_pairs("999"))[name])]
    for pairs in (without, twice):
        with pytest.raises(Unauthenticated):
            verify_proxy(proxy_query(pairs), SECRETS, now=NOW)


@pytest.mark.parametrize("extra", [("workshop", "1"), ("note", "shop=x"), ("a", "timestamp=1"), ("x_path_prefix", "")])
def test_a_second_reserved_token_anywhere_in_the_text_is_refused(extra):
    with pytest.raises(Unauthenticated):
        verify_proxy(proxy_query(proxy_pairs(extra=[extra])), SECRETS, now=NOW)


@pytest.mark.parametrize(
    "query",
    [b"", b"?", b"shop", b"%ff=%ff", b"\xff", b"&" * 200, b"a=1&" * 101, b"signature=", b"a" * 9_000,
     proxy_query(proxy_pairs(shop="evil.com")), proxy_query(proxy_pairs(shop="A.myshopify.com")),
     proxy_query(proxy_pairs(stamp="-1")), proxy_query(proxy_pairs(stamp="1e9")),
     proxy_query(proxy_pairs(stamp="9" * 13)),
     proxy_query(proxy_pairs(), OTHER_SECRET), proxy_query(proxy_pairs(), signature="é" * 64)],
    ids=range(16),
)  # fmt: skip
def test_anything_else_is_refused_without_an_accident(query):
    with pytest.raises(Unauthenticated):
        verify_proxy(query, SECRETS, now=NOW)

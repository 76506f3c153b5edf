"""The small questions: shop, customers, products, metafields."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from app.errors import MissingScope, Rejected
from app.shopify.client import AdminClient
from app.shopify.customers import (
    CustomerName,
    KnownCustomer,
    customer_names,
    known_customers,
    search_customers,
    search_words,
)
from app.shopify.metafields import define_member_metafield, set_member_metafields, set_program_metafield
from app.shopify.origins import Origins
from app.shopify.products import (
    ProductName,
    VariantFacts,
    product_titles,
    product_variants,
    product_vendors,
    search_products,
)
from app.shopify.shop import ShopFacts, fetch_shop
from tests.shopify.signing import SHOP

URL = f"https://{SHOP}/admin/api/2026-10/graphql.json"
CLIENT = AdminClient(Origins(), SHOP, "shpat_x")


def answers(*data, errors=None) -> None:
    """Queue answers; the last one is repeated."""
    for content in data:
        responses.post(URL, json={"data": content, **({"errors": errors} if errors else {})})


def sent(call: int = -1) -> dict:
    return json.loads(responses.calls[call].request.body)["variables"]


SHOP_DATA = {
    "shop": {
        "id": "gid://shopify/Shop/548380009", "name": "Saltmarsh", "myshopifyDomain": SHOP, "currencyCode": "EUR",
        "ianaTimezone": "Europe/Berlin", "primaryDomain": {"url": "https://saltmarsh.example/"},
        "plan": {"partnerDevelopment": True},
    },
    "currentAppInstallation": {
        "id": "gid://shopify/AppInstallation/7", "accessScopes": [{"handle": "write_customers"},
        {"handle": "read_orders"}],
    },
}  # fmt: skip


@responses.activate
def test_a_shop_says_who_it_is():
    answers(SHOP_DATA)
    assert fetch_shop(CLIENT) == ShopFacts(
        548380009, SHOP, "Saltmarsh", "EUR", "Europe/Berlin", "https://saltmarsh.example", True,
        "gid://shopify/AppInstallation/7", ("read_orders", "write_customers"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [{"myshopifyDomain": "other.myshopify.com"}, {"id": "548380009x"}, {"currencyCode": None}, {"ianaTimezone": 1}],
)
@responses.activate
def test_another_shop_or_half_of_one_is_refused(changes):
    answers({**SHOP_DATA, "shop": {**SHOP_DATA["shop"], **changes}})
    with pytest.raises(Rejected):
        fetch_shop(CLIENT)


def person(number: int, name: str | None = "Ada", email: str | None = "ada@example.com") -> dict:
    return {
        "id": f"gid://shopify/Customer/{number}",
        "displayName": name,
        "defaultEmailAddress": {"emailAddress": email} if email else None,
    }


@responses.activate
def test_names_by_id_a_hundred_at_a_time():
    answers({"nodes": [person(1), None, person(3, "Bo", None)]}, {"nodes": [person(150)]})
    names = customer_names(CLIENT, [*range(1, 151), 1])
    assert names == {
        1: CustomerName(1, "Ada", "ada@example.com"),
        3: CustomerName(3, "Bo", ""),
        150: CustomerName(150, "Ada", "ada@example.com"),
    }
    assert [len(sent(call)["ids"]) for call in (0, 1)] == [100, 50]


@responses.activate
def test_names_may_be_withheld():
    denied = {"message": "not approved", "path": ["nodes", 0, "displayName"], "extensions": {"code": "ACCESS_DENIED"}}
    answers({"nodes": [None, person(2, "Bo", None)]}, errors=[denied])
    assert customer_names(CLIENT, [1, 2]) == {2: CustomerName(2, "Bo", "")}
    responses.replace("POST", URL, json={"data": None, "errors": [{**denied, "path": ["nodes"]}]})
    with pytest.raises(MissingScope):
        customer_names(CLIENT, [1])


@responses.activate
def test_a_search_pages():
    answers({"customers": {"nodes": [person(1)], "pageInfo": {"hasNextPage": True, "endCursor": "c" * 400}}},
            {"customers": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}})  # fmt: skip
    page = search_customers(CLIENT, "ada lovelace", first=10)
    assert (page.customers[0].customer_id, page.next_cursor) == (1, "c" * 400)
    assert sent() == {"query": "ada lovelace", "first": 10, "after": None}
    assert search_customers(CLIENT, "", after=page.next_cursor).next_cursor is None


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("ada", "ada"), ("Ada Lovelace", "Ada Lovelace"), ("ada@example.com", '"ada@example.com"'), ("O'Brien",
        '"O\'Brien"'),
        ("+49 30", '"+49" 30'), ("tag:vip OR id:>1", "tag vip id 1"), ('"x" (y) z*', "x y z"), ("-vip NOT a", "vip a"),
        ("李 雷", "李 雷"), ("\\", ""), ("x" * 500, "x" * 200),
    ],
)  # fmt: skip
def test_what_somebody_typed_is_words_and_no_query(typed, words):
    assert search_words(typed) == words


@responses.activate
def test_customers_the_shop_has_and_whose_address_is_proven():
    def known(number, *, verified, **more):
        return {**person(number, **more), "updatedAt": "2026-11-21T12:00:00Z", "verifiedEmail": verified}

    answers({"nodes": [
        known(7, verified=True), None, known(9, verified=False), known(10, verified=None),
        known(11, verified=True, email=None), {},
    ]})  # fmt: skip
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert known_customers(CLIENT, [7, 8, 9, 10, 11, 12]) == [
        KnownCustomer(7, at, "ada@example.com"), KnownCustomer(9, at, None), KnownCustomer(10, at, None),
        KnownCustomer(11, at, None),
    ]  # fmt: skip
    assert sent() == {"ids": [f"gid://shopify/Customer/{number}" for number in range(7, 13)]}


@responses.activate
def test_products_by_id_and_by_words():
    bowl = {"id": "gid://shopify/Product/9", "title": "Bowl", "vendor": "Saltmarsh"}
    answers({"nodes": [bowl, None]}, {"products": {"nodes": [bowl]}})
    assert product_titles(CLIENT, [9, 10]) == {9: ProductName(9, "Bowl", "Saltmarsh")}
    assert search_products(CLIENT, "bowl") == [ProductName(9, "Bowl", "Saltmarsh")]


def variant(number: int, **more: Any) -> dict[str, Any]:
    product = {"id": "gid://shopify/Product/9", "title": "Bowl", "hasOnlyDefaultVariant": False}
    return {
        "id": f"gid://shopify/ProductVariant/{number}",
        "title": "Blue",
        "price": "28.00",
        "product": product,
    } | more


@responses.activate
def test_variants_with_their_price_and_without_those_that_are_gone():
    alone = {"id": "gid://shopify/Product/9", "title": "Bowl", "hasOnlyDefaultVariant": True}
    answers({"nodes": [variant(1), None, {}, variant(2, title="Default Title", product=alone)]})
    assert product_variants(CLIENT, [1, 5, 6, 2]) == {
        1: VariantFacts(1, 9, "Bowl, Blue", 28_000_000),
        2: VariantFacts(2, 9, "Bowl", 28_000_000),
    }
    assert sent()["ids"][0] == "gid://shopify/ProductVariant/1"


@pytest.mark.parametrize("nodes", [[variant(1, price=28.0)], [variant(1, price="free")], [variant(1, product=None)], 5])
@responses.activate
def test_variants_that_cannot_be_read_are_no_answer(nodes):
    answers({"nodes": nodes})
    with pytest.raises(Rejected):
        product_variants(CLIENT, [1])


@responses.activate
def test_vendors_of_every_page():
    answers({"productVendors": {"nodes": ["B", "A", ""], "pageInfo": {"hasNextPage": True, "endCursor": "x"}}},
            {"productVendors": {"nodes": ["C", "A"], "pageInfo": {"hasNextPage": False,
            "endCursor": None}}})  # fmt: skip
    assert product_vendors(CLIENT) == ["A", "B", "C"]
    assert sent()["after"] == "x"


DONE = {"metafieldsSet": {"metafields": [{"id": "gid://shopify/Metafield/1"}], "userErrors": []}}


@responses.activate
def test_members_and_the_program_are_json_metafields():
    answers(DONE)
    set_member_metafields(CLIENT, {7: {"v": 1, "available": 240}, 8: {"v": 1}})
    assert sent()["metafields"][0] == {
        "ownerId": "gid://shopify/Customer/7", "namespace": "$app:loyalty", "key": "member", "type": "json",
        "value": '{"v":1,"available":240}',
    }  # fmt: skip
    set_program_metafield(CLIENT, "gid://shopify/AppInstallation/7", {"v": 1, "live": False})
    assert sent()["metafields"] == [
        {"ownerId": "gid://shopify/AppInstallation/7", "namespace": "regulars", "key": "program", "type": "json",
         "value": '{"v":1,"live":false}'}
    ]  # fmt: skip


@responses.activate
def test_nothing_to_write_asks_nobody():
    set_member_metafields(CLIENT, {})
    with pytest.raises(ValueError, match="25"):
        set_member_metafields(CLIENT, {number: {} for number in range(26)})
    assert len(responses.calls) == 0


@responses.activate
def test_a_definition_that_exists_is_enough():
    taken = {"field": ["definition", "key"], "message": "Key is in use", "code": "TAKEN"}
    answers({"metafieldDefinitionCreate": {"createdDefinition": None, "userErrors": [taken]}})
    define_member_metafield(CLIENT)
    assert sent()["definition"]["access"] == {"admin": "MERCHANT_READ", "customerAccount": "READ", "storefront": "NONE"}
    responses.replace(
        "POST", URL, json={"data": {"metafieldDefinitionCreate": {"userErrors": [{**taken, "code": "INVALID"}]}}}
    )
    with pytest.raises(Rejected):
        define_member_metafield(CLIENT)

"""The Admin API: the real schema, the real rules, and nothing silently missing."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
import requests

from app.devstore import clock
from app.devstore.graphql.costs import Costs
from app.devstore.graphql.schema import required_access, schema
from app.devstore.graphql.searching import Search

from .conftest import ROOT, SHOP


@pytest.fixture(scope="module")
def token(control):
    return control.exchange().json()["access_token"]


@pytest.fixture
def ask(control, token):
    """ask("{ shop { id } }") -> the whole answer."""

    def asked(document, /, **variables):
        response = control.graphql(document, token=token, **variables)
        assert response.status_code == 200, response.text
        return response.json()

    return asked


@pytest.fixture
def data(ask):
    """The same, when nothing may be wrong."""

    def asked(document, /, **variables):
        answer = ask(document, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    return asked


ORDER = """
query ($id: ID!) { order(id: $id) {
  id legacyResourceId name createdAt processedAt updatedAt cancelledAt test currencyCode taxesIncluded email sourceName
  displayFinancialStatus displayFulfillmentStatus statusPageUrl
  customer { id legacyResourceId verifiedEmail }
  totalOutstandingSet { shopMoney { amount } } originalTotalPriceSet { shopMoney { amount currencyCode } }
  currentTotalPriceSet { presentmentMoney { amount currencyCode } }
  lineItems(first: 10) { nodes { id title vendor quantity currentQuantity isGiftCard product { id } variant { id }
    originalUnitPriceSet { shopMoney { amount } }
    discountAllocations { allocatedAmountSet { shopMoney { amount } } discountApplication { index targetType } }
    taxLines { title rate priceSet { shopMoney { amount } } } } }
  shippingLines(first: 5) { nodes { title originalPriceSet { shopMoney { amount } } } }
  refunds(first: 10) { id createdAt
    refundLineItems(first: 10) { nodes { quantity restockType lineItem { id } subtotalSet { shopMoney { amount } } } }
    refundShippingLines(first: 5) { nodes { subtotalAmountSet { shopMoney { amount } } } }
    orderAdjustments(first: 5) { nodes { reason amountSet { shopMoney { amount } } } } }
  fulfillments { id createdAt status }
  transactions { kind status processedAt amountSet { shopMoney { amount } } }
} }
"""


def test_an_order_reads_like_its_webhook(control, data):
    made = control.order(code="FIVER", presentment_currency="GBP")
    line = made["line_ids"][0]
    control.change(made, "fulfil")
    control.change(made, "refund", lines={str(line): 1}, shipping_minor=100, amount_minor=3000)
    rest = control.get(f"shops/{SHOP}/orders/{made['id']}")["order"]
    found = data(ORDER, id=f"gid://shopify/Order/{made['id']}")["order"]
    same = {
        found["legacyResourceId"]: str(rest["id"]),
        found["id"]: rest["admin_graphql_api_id"],
        found["displayFinancialStatus"]: rest["financial_status"].upper(),
        found["displayFulfillmentStatus"]: rest["fulfillment_status"].upper(),
        found["statusPageUrl"]: rest["order_status_url"],
        found["customer"]["legacyResourceId"]: str(rest["customer"]["id"]),
    }
    assert list(same.keys()) == list(same.values())
    item, rest_item = found["lineItems"]["nodes"][0], rest["line_items"][0]
    assert (item["quantity"], item["currentQuantity"]) == (rest_item["quantity"], rest_item["current_quantity"])
    allocated = item["discountAllocations"][0]["allocatedAmountSet"]["shopMoney"]["amount"]
    assert float(allocated) == float(rest_item["discount_allocations"][0]["amount"])
    refund, rest_refund = found["refunds"][0], rest["refunds"][0]
    back, rest_back = refund["refundLineItems"]["nodes"][0], rest_refund["refund_line_items"][0]
    assert float(back["subtotalSet"]["shopMoney"]["amount"]) == rest_back["subtotal"]
    # GraphQL lists discrepancies alone; REST lists the shipping refund beside them.
    (adjusted,) = refund["orderAdjustments"]["nodes"]
    (rest_adjusted,) = [a for a in rest_refund["order_adjustments"] if a["kind"] == "refund_discrepancy"]
    assert float(adjusted["amountSet"]["shopMoney"]["amount"]) == float(rest_adjusted["amount"])
    assert [t["kind"] for t in found["transactions"]] == ["SALE", "REFUND"]
    assert found["currentTotalPriceSet"]["presentmentMoney"]["currencyCode"] == "GBP"


def test_amounts_have_no_trailing_zeros(control, data):
    made = control.order(quantity=1)
    found = data(ORDER, id=f"gid://shopify/Order/{made['id']}")["order"]
    assert found["lineItems"]["nodes"][0]["originalUnitPriceSet"]["shopMoney"]["amount"] == "28.0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["createdAt"])


def test_paging_by_cursor_sees_every_order_once(control, data):
    since = clock.now()
    made = [control.order()["id"] for _ in range(5)]
    document = """query ($after: String, $query: String) { orders(first: 2, after: $after, query: $query,
      sortKey: UPDATED_AT) { nodes { legacyResourceId updatedAt } pageInfo { hasNextPage endCursor } } }"""
    seen, after = [], None
    while True:
        page = data(document, after=after, query=f"updated_at:>='{since.isoformat()}'")["orders"]
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    ids = [int(node["legacyResourceId"]) for node in seen]
    assert len(ids) == len(set(ids))
    assert set(made) <= set(ids)
    assert [n["updatedAt"] for n in seen] == sorted(n["updatedAt"] for n in seen)


def test_pages_go_backwards_too(control, data):
    query = """{ a: orders(first: 3, sortKey: ID) { nodes { id } pageInfo { hasNextPage } }
      b: orders(last: 2, sortKey: ID) { nodes { id } pageInfo { hasPreviousPage startCursor } }
      c: orders(first: 2, sortKey: ID, reverse: true) { nodes { id } } }"""
    for _ in range(3):
        control.order()
    found = data(query)
    newest = [node["id"] for node in found["c"]["nodes"]]
    assert [node["id"] for node in found["b"]["nodes"]] == newest[::-1]
    assert found["b"]["pageInfo"]["hasPreviousPage"] is True


def test_orders_older_than_sixty_days_are_not_seen(control, data):
    devstore = control.devstore
    old = [o for o in devstore.orders(devstore.shop(SHOP)) if o.created_at < clock.now() - timedelta(days=60)]
    assert old
    assert data(ORDER, id=f"gid://shopify/Order/{old[0].id}") == {"order": None}


def test_customers_by_id_and_by_words(control, data):
    found = data(
        '{ customers(first: 5, query: "duarte") { nodes { id displayName defaultEmailAddress { emailAddress } } } }'
    )
    (ines,) = found["customers"]["nodes"]
    assert (ines["displayName"], ines["defaultEmailAddress"]) == ("Ines Duarte", {"emailAddress": "ines@example.com"})
    nodes = data(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Customer { displayName } } }",
        ids=[ines["id"], "gid://shopify/Customer/1"],
    )["nodes"]
    assert nodes == [{"__typename": "Customer", "displayName": "Ines Duarte"}, None]


def test_products_and_vendors(data):
    found = data('{ products(first: 3, query: "vendor:Noordhout") { nodes { title handle isGiftCard vendor } } }')
    assert [p["title"] for p in found["products"]["nodes"]] == ["Serving tray, oak"]
    vendors = data("{ shop { productVendors(first: 10) { nodes } } }")["shop"]["productVendors"]["nodes"]
    assert vendors == ["Noordhout", "Saltmarsh Pottery"]


def test_the_installation_tells_its_scopes(data):
    found = data("{ currentAppInstallation { id accessScopes { handle } } shop { id myshopifyDomain currencyCode } }")
    handles = {scope["handle"] for scope in found["currentAppInstallation"]["accessScopes"]}
    assert {"read_orders", "write_customers"} <= handles
    assert (found["shop"]["myshopifyDomain"], found["shop"]["currencyCode"]) == (SHOP, "EUR")


class TestSearch:
    FIELDS = {
        "id": lambda r: r["id"],
        "tag": lambda r: r["tags"],
        "email": lambda r: r["email"],
        "at": lambda r: r["at"],
    }
    ROW = {"id": 7, "tags": ["VIP", "keyed"], "email": "ines@example.com", "at": clock.now()}

    @pytest.mark.parametrize(
        ("query", "matches"),
        [
            ("", True),
            ("id:7", True),
            ("id:>=8", False),
            ("tag:vip", True),
            ("tag:vip id:8", False),
            ("tag:vip OR id:8", True),
            ("(tag:none OR id:7) tag:keyed", True),
            ("tag:keyed -tag:vip", False),
            ("NOT tag:none", True),
            ("email:ines*", True),
            ("ines", True),
            ("'ines@example.com' AND tag:VIP", True),
            ("at:>='2020-01-01T00:00:00Z'", True),
            ("at:<2020-01-01", False),
        ],
    )
    def test_the_syntax(self, query, matches):
        assert Search(query, self.FIELDS, lambda r: r["email"]).matches(self.ROW) is matches

    def test_a_lower_bound_is_known_only_when_all_of_it_demands_it(self):
        assert Search("at:>=2026-01-01 id:7", self.FIELDS).lower("at")
        assert Search("at:>=2026-01-01 OR id:7", self.FIELDS).lower("at") is None

    def test_a_field_we_do_not_know_is_an_error(self, ask):
        (error,) = ask('{ orders(first: 1, query: "gateway:x") { nodes { id } } }')["errors"]
        assert error["message"] == "not in the dev store: search by gateway"


class TestRefusals:
    def test_without_a_token(self, control):
        url = control.shop_url("/admin/api/2026-10/graphql.json")
        assert requests.post(url, json={"query": "{ shop { id } }"}, timeout=5).status_code == 401

    def test_what_the_dev_store_does_not_know_says_so(self, control, ask):
        control.order()
        answer = ask("{ orders(first: 1) { nodes { risk { recommendation } } } }")
        assert answer["errors"][0]["message"] == "not in the dev store: Order.risk"
        answer = ask('{ orders(first: 1, savedSearchId: "gid://shopify/SavedSearch/1") { nodes { id } } }')
        assert answer["errors"][0]["message"] == "not in the dev store: QueryRoot.orders(savedSearchId:)"

    def test_an_unknown_field_of_the_schema(self, ask):
        answer = ask("{ shop { loyalty } }")
        assert "data" not in answer
        assert "loyalty" in answer["errors"][0]["message"]

    def test_a_missing_scope_is_named_in_the_schemas_words(self, ask):
        (error,) = ask("{ giftCards(first: 1) { nodes { id } } }")["errors"]
        words = required_access()["GiftCard"][0]
        assert error["extensions"]["code"] == "ACCESS_DENIED"
        assert error["extensions"]["requiredAccess"] == words
        assert error["message"] == f"Access denied for giftCards field. Required access: {words}"

    def test_scopes_taken_back_are_denied(self, control, ask):
        devstore = control.devstore
        installation = devstore.apps.installed(devstore.shop(SHOP))
        granted, installation.scopes = installation.scopes, ["read_orders"]
        devstore.store.save(installation)
        try:
            answer = ask("{ customers(first: 1) { nodes { id } } shop { name } }")
        finally:
            installation.scopes = granted
            devstore.store.save(installation)
        assert answer["errors"][0]["extensions"]["requiredAccess"] == "`read_customers` access scope."

    def test_a_page_needs_a_size(self, ask):
        for page in ("", "(first: 251)", "(first: 1, last: 1)"):
            assert ask("{ orders" + page + " { nodes { id } } }")["errors"]

    def test_a_cursor_of_elsewhere(self, ask):
        assert "Invalid cursor" in ask('{ orders(first: 1, after: "x") { nodes { id } } }')["errors"][0]["message"]

    def test_which_operation(self, control, token):
        url = control.shop_url("/admin/api/2026-10/graphql.json")
        query = "query First { shop { id } } query Second { shop { name } }"
        headers = {"X-Shopify-Access-Token": token}
        asked = requests.post(url, json={"query": query}, headers=headers, timeout=5).json()
        assert asked == {"errors": [{"message": "An operation name is required"}]}
        asked = requests.post(url, json={"query": query, "operationName": "Second"}, headers=headers, timeout=5).json()
        assert list(asked["data"]["shop"]) == ["name"]


SET = """mutation ($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) {
  metafields { id namespace key value compareDigest } userErrors { field message code elementIndex } } }"""


class TestMetafields:
    @pytest.fixture
    def owner(self, control):
        ines = control.devstore.customer_by_email(control.devstore.shop(SHOP), "ines@example.com")
        return f"gid://shopify/Customer/{ines.id}"

    def field(self, owner, **changes):
        member = {"ownerId": owner, "namespace": "$app:loyalty", "key": "member", "type": "json", "value": '{"v": 1}'}
        return {**member, **changes}

    def test_a_customers_metafield_is_what_liquid_reads(self, control, data, owner):
        (made,) = data(SET, m=[self.field(owner)])["metafieldsSet"]["metafields"]
        devstore = control.devstore
        assert made["namespace"] == f"app--{devstore.app.id}--loyalty"
        assert devstore.metafield(devstore.shop(SHOP), owner, "$app:loyalty", "member").value == '{"v": 1}'
        found = data(
            'query ($id: ID!) { customer(id: $id) { metafield(namespace: "$app:loyalty", key: "member")'
            " { jsonValue } } }",
            id=owner,
        )
        assert found["customer"]["metafield"]["jsonValue"] == {"v": 1}

    def test_the_apps_own_metafield(self, control, data):
        installation = data("{ currentAppInstallation { id } }")["currentAppInstallation"]["id"]
        data(SET, m=[self.field(installation, namespace="regulars", key="program")])
        (program,) = control.get(f"shops/{SHOP}/metafields")
        assert (program["namespace"], program["key"]) == ("regulars", "program")

    def test_all_or_none(self, data, owner):
        good, bad = self.field(owner, key="other"), self.field(owner, value="{")
        answer = data(SET, m=[good, bad])["metafieldsSet"]
        assert answer["metafields"] is None
        (error,) = answer["userErrors"]
        assert (error["code"], error["elementIndex"]) == ("INVALID_VALUE", 1)
        assert error["field"] == ["metafields", "1", "value"]
        found = data(
            'query ($id: ID!) { customer(id: $id) { metafield(namespace: "$app:loyalty", key: "other") { id } } }',
            id=owner,
        )
        assert found["customer"]["metafield"] is None

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"ownerId": "gid://shopify/Customer/1"}, "INVALID"),
            ({"ownerId": "gid://shopify/AppInstallation/1"}, "INVALID"),
            ({"namespace": "ab"}, "TOO_SHORT"),
            ({"key": "x" * 65}, "TOO_LONG"),
            ({"type": "nonsense"}, "INCLUSION"),
            ({"namespace": "app--1--loyalty"}, "APP_NOT_AUTHORIZED"),
            ({"compareDigest": "0" * 64}, "STALE_OBJECT"),
        ],
    )
    def test_user_errors_have_codes(self, data, owner, changes, code):
        (error,) = data(SET, m=[self.field(owner, **changes)])["metafieldsSet"]["userErrors"]
        assert error["code"] == code

    def test_at_most_twenty_five(self, data, owner):
        many = [self.field(owner, key=f"key{n}") for n in range(26)]
        (error,) = data(SET, m=many)["metafieldsSet"]["userErrors"]
        assert error["code"] == "LESS_THAN_OR_EQUAL_TO"

    def test_deleting(self, data, owner):
        data(SET, m=[self.field(owner, key="gone")])
        which = {"ownerId": owner, "namespace": "$app:loyalty", "key": "gone"}
        query = """mutation ($m: [MetafieldIdentifierInput!]!) { metafieldsDelete(metafields: $m) {
          deletedMetafields { key } userErrors { message } } }"""
        assert data(query, m=[which])["metafieldsDelete"]["deletedMetafields"] == [{"key": "gone"}]
        assert data(query, m=[which])["metafieldsDelete"]["deletedMetafields"] == [None]

    def test_a_definition_is_made_once(self, data):
        query = """mutation ($d: MetafieldDefinitionInput!) { metafieldDefinitionCreate(definition: $d) {
          createdDefinition { namespace access { admin storefront customerAccount } } userErrors { field code } } }"""
        definition = {
            "namespace": "$app:loyalty",
            "key": "member",
            "name": "Member",
            "ownerType": "CUSTOMER",
            "type": "json",
            "access": {"admin": "MERCHANT_READ", "customerAccount": "READ"},
        }
        made = data(query, d=definition)["metafieldDefinitionCreate"]
        assert made["createdDefinition"]["access"] == {
            "admin": "MERCHANT_READ",
            "storefront": "NONE",
            "customerAccount": "READ",
        }
        again = data(query, d=definition)["metafieldDefinitionCreate"]
        assert again == {"createdDefinition": None, "userErrors": [{"field": ["definition", "key"], "code": "TAKEN"}]}

    # From recordings of the real API, 2025-01.
    @pytest.mark.parametrize(
        ("changes", "errors"),
        [
            (
                {"namespace": "ab", "key": "x"},
                [(["definition", "namespace"], "TOO_SHORT"), (["definition", "key"], "TOO_SHORT")],
            ),
            ({"namespace": "my space"}, [(["definition", "namespace"], "INVALID_CHARACTER")]),
            ({"key": "bad.key!"}, [(["definition", "key"], "INVALID_CHARACTER")]),
            ({"type": "totally_made_up_type"}, [(["definition", "type"], "INCLUSION")]),
        ],
    )
    def test_a_definition_is_checked(self, data, changes, errors):
        query = """mutation ($d: MetafieldDefinitionInput!) { metafieldDefinitionCreate(definition: $d) {
          createdDefinition { id } userErrors { field code } } }"""
        definition = {"namespace": "loyalty", "key": "tier", "name": "T", "ownerType": "CUSTOMER", "type": "json"}
        answer = data(query, d={**definition, **changes})["metafieldDefinitionCreate"]
        assert [(e["field"], e["code"]) for e in answer["userErrors"]] == errors


class TestCosts:
    # Requested costs as recorded from the real API (2025-01 to 2026-04).
    @pytest.mark.parametrize(
        ("query", "cost"),
        [
            ("{ shop { id } }", 1),
            ("{ products(first: 0) { nodes { id } } }", 2),
            ("{ customers(first: 1) { nodes { id } } }", 3),
            ("{ customers(first: 5) { edges { cursor node { id displayName } } pageInfo { hasNextPage } } }", 5),
            ("{ locations(first: 10) { nodes { id name isActive } } }", 6),
            ('{ customer(id: "gid://shopify/Customer/1") { id defaultEmailAddress { emailAddress } } }', 2),
            (
                '{ order(id: "gid://shopify/Order/1") { id lineItems(first: 10) { nodes { title } }'
                " shippingLines(first: 10) { nodes { title } } totalPriceSet { shopMoney { amount } } } }",
                13,
            ),
            ("{ draftOrders(first: 5) { nodes { id } } draftOrdersCount { count } }", 15),
            ("{ shopifyFunctions(first: 50) { nodes { id app { id } } } }", 16),
            (
                "mutation { metafieldsSet(metafields: []) { metafields { id namespace } userErrors { field } } }",
                10,
            ),
            (
                'mutation { customerCreate(input: {email: "a@example.com"}) { customer { id defaultEmailAddress'
                " { emailAddress } } userErrors { message } } }",
                11,
            ),
        ],
    )
    def test_as_recorded(self, query, cost):
        from graphql import parse

        document = parse(query)
        assert Costs(schema(), document, document.definitions[0], {}).requested() == cost

    def test_the_bucket_is_emptied_and_refills(self, control, ask):
        control.post("api/bucket", size=20, restore=10)
        try:
            query = "{ orders(first: 50) { nodes { id customer { id } } } }"
            first = ask(query)
            throttle = first["extensions"]["cost"]["throttleStatus"]
            assert (throttle["maximumAvailable"], throttle["restoreRate"]) == (20, 10)
            refused = ask(query)
            assert refused["errors"][0]["extensions"]["code"] == "THROTTLED"
            assert "data" not in refused
            cost = refused["extensions"]["cost"]
            missing = cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]
            assert 0 < missing <= 20
            time.sleep(missing / 10 + 0.05)
            assert "data" in ask(query)
        finally:
            control.post("api/bucket")

    def test_a_query_may_be_too_dear(self, ask):
        inner = "lineItems(first: 250) { nodes { id product { id variants(first: 100) { nodes { id } } } } }"
        (error,) = ask("{ orders(first: 250) { nodes { id " + inner + " } } }")["errors"]
        assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"


def test_faults_on_request(control, token):
    control.post("api/faults", next=["500", "429", "html", "truncated", "ok", "throttled"])
    answers = [control.graphql("{ shop { id } }", token=token) for _ in range(6)]
    assert [a.status_code for a in answers] == [500, 429, 200, 200, 200, 200]
    assert answers[1].headers["Retry-After"] == "1.0"
    for broken in answers[2:4]:
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            broken.json()
    assert answers[4].json()["data"]
    assert answers[5].json()["errors"][0]["extensions"]["code"] == "THROTTLED"
    control.post("api/faults", next=["reset", "lost"])
    for _ in range(2):
        with pytest.raises(requests.RequestException):
            control.graphql("{ shop { id } }", token=token)
    control.post("api/faults")


def test_the_log_names_operations_without_tokens(control, token):
    control.graphql("query WhoAmI { shop { name } }", token=token)
    newest = control.get("traffic?kind=api&limit=1")[0]
    assert (newest["name"], newest["status"]) == ("WhoAmI", "200")
    assert token not in str(newest)


def documents():
    folder = ROOT / "app" / "shopify" / "documents"
    return sorted(folder.glob("*.graphql")) if folder.is_dir() else []


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.stem)
def test_the_apps_documents_find_all_their_fields_here(control, path):
    """Every field on our own types has a resolver: a document that asks for one we lack fails here, not in the demo."""
    from graphql import GraphQLObjectType, TypeInfo, TypeInfoVisitor, Visitor, get_named_type, parse, validate, visit

    from app.devstore.graphql import resolving

    document = parse(path.read_text(encoding="utf-8"))
    assert validate(schema(), document) == []
    missing = []
    info = TypeInfo(schema())

    class Fields(Visitor):
        def enter_field(self, node, *_):
            parent, field = info.get_parent_type(), info.get_field_def()
            if not isinstance(parent, GraphQLObjectType) or field is None or node.name.value == "__typename":
                return
            table = resolving._TABLES.get(parent.name)
            if table is not None and node.name.value not in table:
                missing.append(f"{parent.name}.{node.name.value}: {get_named_type(field.type)}")

    visit(document, TypeInfoVisitor(info, Fields()))
    assert missing == []

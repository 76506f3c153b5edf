"""The Admin API's discounts: one record of terms, many codes, the words and codes recorded of the real API."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import CREATE, SHOP, Control, fresh, gid, terms

FREE_SHIPPING = """mutation Make($input: DiscountCodeFreeShippingInput!) {
  discountCodeFreeShippingCreate(freeShippingCodeDiscount: $input) {
  codeDiscountNode { codeDiscount { __typename ... on DiscountCodeFreeShipping { summary discountClasses usageLimit
    maximumShippingPrice { amount } destinationSelection { __typename ... on DiscountCountryAll { allCountries } } } } }
  userErrors { field message code } } }"""
BXGY = """mutation Make($input: DiscountCodeBxgyInput!) { discountCodeBxgyCreate(bxgyCodeDiscount: $input) {
  codeDiscountNode { codeDiscount { __typename ... on DiscountCodeBxgy { summary discountClasses usesPerOrderLimit
    customerBuys { value { __typename ... on DiscountQuantity { quantity } ... on DiscountPurchaseAmount { amount } }
      items { __typename } }
    customerGets { value { __typename ... on DiscountOnQuantity { quantity { quantity }
      effect { __typename ... on DiscountPercentage { percentage } } } } items { __typename } } } } }
  userErrors { field message code } } }"""


def test_a_basic_discount_reads_as_recorded(control, ask):
    code = fresh()
    answer = ask(
        CREATE,
        input=terms(
            code=code,
            title="Recorded",
            usageLimit=1,
            tags=["loyalty"],
            combinesWith={"orderDiscounts": True},
            minimumRequirement={"subtotal": {"greaterThanOrEqualToSubtotal": "1.00"}},
        ),
    )
    assert answer["userErrors"] == []
    found = answer["codeDiscountNode"]["codeDiscount"]
    (redeem,) = found["codes"]["nodes"]
    assert (redeem["code"], redeem["asyncUsageCount"]) == (code, 0)
    assert found | {"codes": 0, "createdAt": 0, "updatedAt": 0} == {
        "__typename": "DiscountCodeBasic",
        "title": "Recorded",
        "status": "ACTIVE",
        "summary": "10% off entire order • Minimum purchase of €1.00",
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": None,
        "createdAt": 0,
        "updatedAt": 0,
        "asyncUsageCount": 0,
        "discountClasses": ["ORDER"],
        "usageLimit": 1,
        "tags": ["loyalty"],
        "combinesWith": {"productDiscounts": False, "orderDiscounts": True, "shippingDiscounts": False},
        "codes": 0,
        "context": {"__typename": "DiscountBuyerSelectionAll", "all": "ALL"},
        "customerGets": {
            "value": {"__typename": "DiscountPercentage", "percentage": 0.1},
            "items": {"__typename": "AllDiscountItems", "allItems": True},
            "appliesOnOneTimePurchase": True,
            "appliesOnSubscription": False,
        },
        "minimumRequirement": {
            "__typename": "DiscountMinimumSubtotal",
            "greaterThanOrEqualToSubtotal": {"amount": "1.0", "currencyCode": "EUR"},
        },
    }
    stored = control.devstore.discount(control.devstore.shop(SHOP), code.lower())
    assert (stored.by_app, stored.usage_limit, stored.minimum_minor) == (True, 1, 100)


def test_amounts_products_variants_and_collections(control, ask):
    shop = control.devstore.shop(SHOP)
    mug = control.devstore.product_by_handle(shop, "cobalt-mug")
    vases = next(c for c in control.devstore.collections(shop) if c.handle == "vases")

    def gets(value: dict, items: dict) -> dict:
        found = ask(CREATE, input=terms(customerGets={"value": value, "items": items}))
        assert found["userErrors"] == []
        return found["codeDiscountNode"]["codeDiscount"]

    each = gets(
        {"discountAmount": {"amount": "10.00", "appliesOnEachItem": True}},
        {"products": {"productsToAdd": [gid("Product", mug.id)]}},
    )
    assert each["customerGets"]["value"] == {
        "__typename": "DiscountAmount",
        "amount": {"amount": "10.0", "currencyCode": "EUR"},
        "appliesOnEachItem": True,
    }
    assert each["customerGets"]["items"]["products"]["nodes"] == [{"id": gid("Product", mug.id)}]
    assert each["discountClasses"] == ["PRODUCT"]
    variant = gid("ProductVariant", mug.variants[1].id)
    one = gets({"percentage": 1.0}, {"products": {"productVariantsToAdd": [variant]}})
    assert one["customerGets"]["items"]["productVariants"]["nodes"] == [{"id": variant}]
    collected = gets({"percentage": 0.25}, {"collections": {"add": [gid("Collection", vases.id)]}})
    assert collected["customerGets"]["items"]["collections"]["nodes"] == [{"id": gid("Collection", vases.id)}]
    assert (collected["discountClasses"], collected["summary"]) == (["PRODUCT"], "25% off 1 collection")


def without(sent: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if name not in names}


def test_free_shipping_reads_as_recorded(ask):
    wanted = terms(
        destination={"all": True},
        maximumShippingPrice="25.00",
        minimumRequirement={"subtotal": {"greaterThanOrEqualToSubtotal": "10.00"}},
    )
    answer = ask(FREE_SHIPPING, input=without(wanted, "customerGets"))
    assert answer["userErrors"] == []
    assert answer["codeDiscountNode"]["codeDiscount"] == {
        "__typename": "DiscountCodeFreeShipping",
        "summary": "Free shipping on all products • Minimum purchase of €10.00 • For all countries"
        " • Applies to shipping rates under €25.00",
        "discountClasses": ["SHIPPING"],
        "usageLimit": None,
        "maximumShippingPrice": {"amount": "25.0"},
        "destinationSelection": {"__typename": "DiscountCountryAll", "allCountries": True},
    }
    combined = without(wanted, "customerGets") | {"code": fresh(), "combinesWith": {"shippingDiscounts": True}}
    assert ask(FREE_SHIPPING, input=combined)["userErrors"] == [
        {
            "field": ["freeShippingCodeDiscount", "combinesWith"],
            "message": "The combinesWith settings are not valid for the discount class.",
            "code": "INVALID_COMBINES_WITH_FOR_DISCOUNT_CLASS",
        }
    ]


def bxgy_terms(control: Control, **changes: Any) -> dict[str, Any]:
    shop = control.devstore.shop(SHOP)
    mug, plate = (control.devstore.product_by_handle(shop, handle) for handle in ("straw-mug", "side-plate-ash"))
    return terms(
        **{
            "customerBuys": {
                "value": {"quantity": "2"},
                "items": {"products": {"productsToAdd": [gid("Product", mug.id)]}},
            },
            "customerGets": {
                "value": {"discountOnQuantity": {"quantity": "1", "effect": {"percentage": 1}}},
                "items": {"products": {"productVariantsToAdd": [gid("ProductVariant", plate.variants[0].id)]}},
            },
            "usesPerOrderLimit": 1,
            **changes,
        }
    )


def test_bxgy_reads_as_recorded(control, ask):
    answer = ask(BXGY, input=bxgy_terms(control))
    assert answer["userErrors"] == []
    assert answer["codeDiscountNode"]["codeDiscount"] == {
        "__typename": "DiscountCodeBxgy",
        "summary": "Buy 2 items, get 1 item free",
        "discountClasses": ["PRODUCT"],
        "usesPerOrderLimit": 1,
        "customerBuys": {
            "value": {"__typename": "DiscountQuantity", "quantity": "2"},
            "items": {"__typename": "DiscountProducts"},
        },
        "customerGets": {
            "value": {
                "__typename": "DiscountOnQuantity",
                "quantity": {"quantity": "1"},
                "effect": {"__typename": "DiscountPercentage", "percentage": 1},
            },
            "items": {"__typename": "DiscountProducts"},
        },
    }


def test_bxgy_refuses_shapes_of_other_discounts(control, ask):
    gets = bxgy_terms(control)["customerGets"]
    answer = ask(BXGY, input=bxgy_terms(control, customerGets={**gets, "value": {"percentage": 0.5}}))
    assert [(e["field"][1:], e["message"], e["code"]) for e in answer["userErrors"]] == [
        (["customerGets", "value", "percentage"], "Only discountOnQuantity permitted with bxgy discounts.", "INVALID"),
        (["customerGets", "value", "discountOnQuantity", "quantity"], "Quantity cannot be blank.", "BLANK"),
    ]
    everything = bxgy_terms(
        control,
        title="",
        customerGets={**gets, "items": {"all": True}},
        customerBuys={"value": {"quantity": "1"}, "items": {"all": True}},
    )
    assert [(e["field"][1:], e["message"], e["code"]) for e in ask(BXGY, input=everything)["userErrors"]] == [
        (["customerGets"], "Items in 'customer get' cannot be set to all", "INVALID"),
        (["title"], "Title can't be blank", "BLANK"),
        (["customerBuys", "items"], "Items in 'customer buys' must be defined", "BLANK"),
    ]


ALL = {"all": True}
PERCENT = {"percentage": 0.1}


@pytest.mark.parametrize(
    ("changes", "field", "message", "code"),
    [
        ({"title": ""}, "title", "Title can't be blank", "BLANK"),
        ({"title": "x" * 256}, "title", "Title is too long (maximum is 255 characters)", "TOO_LONG"),
        ({"code": None}, "code", "Code can't be blank", "BLANK"),
        ({"code": "x" * 256}, "code", "Code is too long (maximum is 255 characters)", "TOO_LONG"),
        ({"code": "tenoff"}, "code", "Code must be unique. Please try a different code.", "TAKEN"),
        ({"startsAt": None}, "startsAt", "Starts at can't be blank", "BLANK"),
        ({"endsAt": "2025-12-31T00:00:00Z"}, "endsAt", "Ends at needs to be after starts_at", "INVALID"),
        ({"context": None}, "context", "Context can't be blank", "BLANK"),
        ({"usageLimit": 0}, "usageLimit", "Usage limit must be greater than 0", "GREATER_THAN"),
        ({"tags": list("abcdef")}, "tags", "The number of tags exceeds the maximum of 5.", "TOO_MANY_TAGS"),
        (
            {"customerGets": {"value": {"percentage": 1.5}, "items": ALL}},
            "customerGets.value.percentage",
            "Value must be between 0.0 and 1.0",
            "VALUE_OUTSIDE_RANGE",
        ),
        (
            {"customerGets": {"value": {"discountAmount": {"amount": "-5"}}, "items": ALL}},
            "customerGets.value.discountAmount.amount",
            "Value must be less than or equal to 0",
            "LESS_THAN_OR_EQUAL_TO",
        ),
        (
            {"customerGets": {"value": PERCENT, "items": {"products": {"productsToAdd": ["gid://shopify/Product/9"]}}}},
            "customerGets.items.products.productsToAdd",
            "Product with id: 9 is invalid",
            "INVALID",
        ),
        (
            {"customerGets": {"value": PERCENT, "items": ALL, "appliesOnOneTimePurchase": False}},
            "customerGets.appliesOnOneTimePurchase",
            "A discount cannot have both appliesOnOneTimePurchase and appliesOnSubscription set to false.",
            "APPLIES_ON_NOTHING",
        ),
        (
            {"minimumRequirement": {"quantity": {"greaterThanOrEqualToQuantity": "9999999999"}}},
            "minimumRequirement.quantity.greaterThanOrEqualToQuantity",
            "Minimum quantity must be less than 2147483647",
            "LESS_THAN",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(ask, changes, field, message, code):
    answer = ask(CREATE, input=terms(**changes))
    assert answer["codeDiscountNode"] is None
    path = ["basicCodeDiscount", *field.split(".")]
    assert answer["userErrors"] == [{"field": path, "message": message, "code": code, "extraInfo": None}]


def test_a_minimum_is_of_one_kind(ask):
    both = {"subtotal": {"greaterThanOrEqualToSubtotal": "1"}, "quantity": {"greaterThanOrEqualToQuantity": "2"}}
    errors = ask(CREATE, input=terms(minimumRequirement=both))["userErrors"]
    assert [(e["field"][-1], e["code"]) for e in errors] == [
        ("greaterThanOrEqualToSubtotal", "CONFLICT"),
        ("greaterThanOrEqualToQuantity", "CONFLICT"),
    ]


def test_what_the_dev_store_does_not_do_is_an_error_not_a_discount(control, token, made):
    for changes in ({"appliesOncePerCustomer": True}, {"context": {"customers": {"add": []}}}):
        answer = control.graphql(CREATE, token=token, input=terms(**changes)).json()
        assert answer["errors"][0]["extensions"]["code"] == "NOT_IN_THE_DEV_STORE"
    nonsense = terms(customerGets={"value": {"discountAmount": {"amount": "abc"}}, "items": ALL})
    answer = control.graphql(CREATE, token=token, input=nonsense).json()
    assert "invalid decimal 'abc'" in answer["errors"][0]["message"]


def test_a_discount_is_stopped_started_and_deleted(ask, made):
    look = (
        "query ($id: ID!) { codeDiscountNode(id: $id) { codeDiscount { ... on DiscountCodeBasic { status endsAt } } } }"
    )
    verb = """mutation ($id: ID!) { discountCode%s(id: $id) { codeDiscountNode { codeDiscount {
      ... on DiscountCodeBasic { status endsAt } } } userErrors { field message code } } }"""
    stopped = ask(verb % "Deactivate", id=made)["codeDiscountNode"]["codeDiscount"]
    assert stopped["status"] == "EXPIRED"
    assert stopped["endsAt"]
    started = ask(verb % "Activate", id=made)["codeDiscountNode"]["codeDiscount"]
    assert started == {"status": "ACTIVE", "endsAt": None}
    delete = """mutation ($id: ID!) { discountCodeDelete(id: $id) { deletedCodeDiscountId
      userErrors { field message code } } }"""
    assert ask(delete, id=made) == {"deletedCodeDiscountId": made, "userErrors": []}
    assert ask(look, id=made) is None
    gone = {"field": ["id"], "message": "Code discount does not exist.", "code": "INVALID"}
    assert ask(delete, id=made) == {"deletedCodeDiscountId": None, "userErrors": [gone]}
    assert ask(verb % "Activate", id=made)["userErrors"] == [gone]


def test_statuses_follow_the_dates(ask):
    for dates, status in (
        ({"startsAt": "2099-01-01T00:00:00Z"}, "SCHEDULED"),
        ({"startsAt": "2019-01-01T00:00:00Z", "endsAt": "2020-01-01T00:00:00Z"}, "EXPIRED"),
    ):
        assert ask(CREATE, input=terms(**dates))["codeDiscountNode"]["codeDiscount"]["status"] == status


def test_discounts_are_found_by_tag_title_and_code(ask):
    tag, code = fresh("tag").lower(), fresh()
    node = ask(CREATE, input=terms(code=code, title=f"Reward {tag}", tags=[tag]))["codeDiscountNode"]
    search = "query ($query: String) { codeDiscountNodes(first: 5, query: $query) { nodes { id } } }"
    assert ask(search, query=f"tag:{tag} status:active")["nodes"] == [{"id": node["id"]}]
    assert ask(search, query=f"title:'Reward {tag}'")["nodes"] == [{"id": node["id"]}]
    assert ask(search, query=f"tag:{tag} status:expired")["nodes"] == []
    by_code = "query ($code: String!) { codeDiscountNodeByCode(code: $code) { id } }"
    assert ask(by_code, code=code.lower()) == {"id": node["id"]}
    assert ask(by_code, code=fresh()) is None


def test_a_missing_scope_is_named(control):
    other = "dunes.myshopify.com"
    devstore = control.devstore
    installed = devstore.apps.install(devstore.shop(other))
    installed.scopes = ["read_orders"]
    devstore.store.save(installed)
    token = control.exchange(shop=other).json()["access_token"]
    answer = control.graphql(CREATE, shop=other, token=token, input=terms()).json()
    assert answer["errors"][0]["extensions"] == {
        "code": "ACCESS_DENIED",
        "documentation": "https://shopify.dev/api/usage/access-scopes",
        "requiredAccess": "Apps must have `write_discounts` access scope.",
    }
    read = control.graphql('{ codeDiscountNodeByCode(code: "TENOFF") { id } }', shop=other, token=token).json()
    assert "`read_discounts`" in read["errors"][0]["message"]


def test_costs_are_as_recorded(control, token):
    """10 for the mutation, and as many for what it reads: recorded of this very document."""
    goods = CREATE.index("... on DiscountProducts"), CREATE.index("}\n      appliesOnOneTime")
    plain = (CREATE[: goods[0]] + CREATE[goods[1] :]).replace("usageLimit tags", "")
    cost = control.graphql(plain, token=token, input=terms()).json()["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 20

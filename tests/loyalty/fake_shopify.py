"""Shopify as the app's own HTTP session meets it: a transport adapter with orders, customers and tokens in memory.

No patching: `http()` is a real `requests` session that ends here instead of at a socket, so everything between a
loyalty verb and the wire runs. Orders are kept as webhook bodies and shown as GraphQL nodes.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from ..conftest import DOMAIN, SHOP_ID
from ..support import customer_node

PAGE = 250
Answer = tuple[int, dict[str, Any]]


class FakeShopify(BaseAdapter):
    """One shop. ``calls`` names what was asked; ``trouble`` may answer first."""

    def __init__(self, *, shop_id: int = SHOP_ID, domain: str = DOMAIN) -> None:
        super().__init__()
        self.shop_id, self.domain = shop_id, domain
        self.orders: dict[int, dict[str, Any]] = {}
        self.customers: dict[int, dict[str, Any]] = {}  # as customers/* bodies
        self.gone_customers: set[int] = set()
        self.metafields: dict[tuple[str, str], dict[str, Any]] = {}
        self.metafields_a_call: list[int] = []
        self.access_tokens = {"shpat_test"}
        self.refresh_tokens: dict[str, str | None] = {"shprt_test": None}  # token → the access token it gave
        self.scopes = ["read_customers", "read_orders", "write_customers"]
        self.calls: list[str] = []
        self.trouble: Callable[[str, dict[str, Any]], Answer | Exception | None] = lambda name, asked: None
        self._lock = threading.Lock()
        self._given = 0

    def http(self) -> requests.Session:
        session = requests.Session()
        session.mount("https://", self)
        return session

    def count(self, name: str) -> int:
        return self.calls.count(name)

    # --- the wire --------------------------------------------------------------------------------------------------

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert urlsplit(request.url or "").hostname == self.domain
        asked = json.loads(request.body or b"{}")
        token_asked = str(request.url).endswith("/admin/oauth/access_token")
        name = asked.get("grant_type", "code").split(":")[-1] if token_asked else _operation(asked["query"])
        with self._lock:
            self.calls.append(name)
        answer = self.trouble(name, asked)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            with self._lock:
                answer = self._tokens(asked) if token_asked else self._graphql(name, asked, request)
        status, content = answer
        response = requests.Response()
        response.status_code, response.url, response.request = status, str(request.url), request
        response.raw = HTTPResponse(io.BytesIO(json.dumps(content).encode()), status=status, preload_content=False)
        return response

    def close(self) -> None:
        pass

    # --- tokens ----------------------------------------------------------------------------------------------------

    def _tokens(self, asked: dict[str, Any]) -> Answer:
        refresh_token = asked.get("refresh_token")
        if refresh_token is not None:
            if refresh_token not in self.refresh_tokens:
                return 400, {"error": "invalid_grant"}
            if given := self.refresh_tokens[refresh_token]:
                return 200, self._pair(given)  # the answer was lost: the same pair again
        self._given += 1
        access_token = f"shpat_{self._given}"
        if refresh_token is not None:
            self.refresh_tokens[refresh_token] = access_token
        self.access_tokens.add(access_token)
        self.refresh_tokens[f"shprt_{access_token}"] = None
        return 200, self._pair(access_token)

    def _pair(self, access_token: str) -> dict[str, Any]:
        return {
            "access_token": access_token, "expires_in": 3600, "refresh_token": f"shprt_{access_token}",
            "refresh_token_expires_in": 7_776_000, "scope": ",".join(self.scopes),
        }  # fmt: skip

    # --- GraphQL ---------------------------------------------------------------------------------------------------

    def _graphql(self, name: str, asked: dict[str, Any], request: requests.PreparedRequest) -> Answer:
        if request.headers["X-Shopify-Access-Token"] not in self.access_tokens:
            return 401, {"errors": "[API] Invalid API key or access token"}
        answer = {
            "Shop": self._shop, "Order": self._order, "OrderSightings": self._sightings,
            "MetafieldsSet": self._set_metafields, "MetafieldDefinitionCreate": self._define,
            "CustomersKnown": self._known,
        }[name](asked["variables"])  # fmt: skip
        return 200, {"data": answer}

    def _known(self, variables: dict[str, Any]) -> dict[str, Any]:
        bodies = [self.customers.get(int(gid.rpartition("/")[2])) for gid in variables["ids"]]
        return {"nodes": [body and customer_node(body) for body in bodies]}

    def _shop(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "shop": {
                "id": f"gid://shopify/Shop/{self.shop_id}", "name": "Saltmarsh Pottery", "myshopifyDomain": self.domain,
                "currencyCode": "EUR", "ianaTimezone": "Europe/Berlin", "primaryDomain": {"url": "https://saltmarsh.test"},
                "plan": {"partnerDevelopment": False},
            },
            "currentAppInstallation": {
                "id": "gid://shopify/AppInstallation/9", "accessScopes": [{"handle": scope} for scope in self.scopes],
            },
        }  # fmt: skip

    def _order(self, variables: dict[str, Any]) -> dict[str, Any]:
        body = self.orders.get(int(variables["id"].rsplit("/", 1)[1]))
        return {"order": order_node(body) if body else None}

    def _sightings(self, variables: dict[str, Any]) -> dict[str, Any]:
        since = datetime.fromisoformat(variables["query"].split("'")[1].replace("Z", "+00:00"))
        changed = [body for body in self.orders.values() if datetime.fromisoformat(body["updated_at"]) >= since]
        changed.sort(key=lambda body: (body["updated_at"], body["id"]))
        start = int(variables["after"] or 0)
        names = ("id", "updatedAt", "cancelledAt", "displayFinancialStatus", "displayFulfillmentStatus")
        nodes = [order_node(body) for body in changed[start : start + PAGE]]
        page = {"hasNextPage": start + PAGE < len(changed), "endCursor": str(start + PAGE)}
        return {"orders": {"nodes": [{name: node[name] for name in names} for node in nodes], "pageInfo": page}}

    def _set_metafields(self, variables: dict[str, Any]) -> dict[str, Any]:
        metafields = variables["metafields"]
        self.metafields_a_call.append(len(metafields))
        errors = [
            {
                "field": ["metafields", str(place), "ownerId"], "message": "Owner does not exist", "code": "INVALID",
                "elementIndex": place,
            }
            for place, metafield in enumerate(metafields)
            if int(metafield["ownerId"].rsplit("/", 1)[1]) in self.gone_customers
        ]  # fmt: skip
        if len(metafields) > 25:
            errors.append({"field": ["metafields"], "message": "too many", "code": "TOO_MANY", "elementIndex": None})
        if not errors:  # all or none
            for metafield in metafields:
                self.metafields[metafield["ownerId"], metafield["key"]] = json.loads(metafield["value"])
        return {"metafieldsSet": {"metafields": [], "userErrors": errors}}

    def _define(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"metafieldDefinitionCreate": {"createdDefinition": {"id": "gid://shopify/M/1"}, "userErrors": []}}

    def member(self, customer_id: int) -> dict[str, Any] | None:
        """The member's metafield as this shop shows it."""
        return self.metafields.get((f"gid://shopify/Customer/{customer_id}", "member"))


def order_node(body: dict[str, Any]) -> dict[str, Any]:
    """A webhook's order body as the Admin API shows the same order."""
    status, customer = body["financial_status"], body["customer"]
    total = str(sum(float(line["price"]) * line["quantity"] for line in body["line_items"]))
    return {
        "id": f"gid://shopify/Order/{body['id']}", "name": body["name"], "createdAt": body["created_at"],
        "updatedAt": body["updated_at"], "cancelledAt": body["cancelled_at"], "test": body["test"],
        "currencyCode": body["currency"], "taxesIncluded": body["taxes_included"],
        "displayFinancialStatus": status.upper(),
        "displayFulfillmentStatus": (body["fulfillment_status"] or "unfulfilled").upper(),
        "sourceName": body["source_name"], "email": body["email"], "discountCodes": [],
        "customer": {"id": f"gid://shopify/Customer/{customer['id']}", "verifiedEmail": True} if customer else None,
        "totalOutstandingSet": bag(body["total_outstanding"]), "originalTotalPriceSet": bag(total),
        "lineItems": connection([_line_node(line) for line in body["line_items"]]), "shippingLines": connection([]),
        "refunds": [_refund_node(refund) for refund in body["refunds"]],
        "fulfillments": [{"createdAt": made["created_at"], "status": "SUCCESS"} for made in body["fulfillments"]],
        "transactions": [] if status == "pending" else [
            {"kind": "SALE", "status": "SUCCESS", "processedAt": body["created_at"], "amountSet": bag(total)}
        ],
    }  # fmt: skip


def _line_node(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{line['id']}", "title": line["title"], "quantity": line["quantity"],
        "currentQuantity": line["current_quantity"], "isGiftCard": line["gift_card"], "vendor": line["vendor"],
        "originalUnitPriceSet": bag(line["price"]), "discountAllocations": [], "taxLines": [],
        "product": {"id": f"gid://shopify/Product/{line['product_id']}"},
        "variant": {"id": f"gid://shopify/ProductVariant/{line['variant_id']}"},
    }  # fmt: skip


def _refund_node(refund: dict[str, Any]) -> dict[str, Any]:
    items = [
        {"quantity": item["quantity"], "lineItem": {"id": f"gid://shopify/LineItem/{item['line_item_id']}"}}
        for item in refund["refund_line_items"]
    ]
    return {
        "id": f"gid://shopify/Refund/{refund['id']}", "createdAt": refund["created_at"],
        "refundLineItems": connection(items), "refundShippingLines": connection([]),
        "orderAdjustments": connection([{"amountSet": bag(a["amount"])} for a in refund["order_adjustments"]]),
    }  # fmt: skip


def bag(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}


def connection(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}


def _operation(query: str) -> str:
    """The operation's name: "query Order(" → Order."""
    line = next(line for line in query.splitlines() if line.startswith(("query ", "mutation ")))
    return line.split()[1].split("(")[0].rstrip("{")

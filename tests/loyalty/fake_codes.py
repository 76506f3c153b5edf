"""`FakeShopify` with discounts and their codes, for what is called back."""

from __future__ import annotations

from typing import Any

import requests

from .fake_shopify import Answer, FakeShopify, connection


class ShopifyWithCodes(FakeShopify):
    """``codes``: discount → code → how often it was used. A deletion is done when it is asked for, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[str, dict[str, int]] = {}
        self.refuses: set[str] = set()  # discounts whose codes it does not delete
        self.finishes = True
        self.orders_of: dict[str, list[int]] = {}  # what its search knows

    def _graphql(self, name: str, asked: dict[str, Any], request: requests.PreparedRequest) -> Answer:
        answers = {
            "DiscountCodes": self._codes, "DiscountCodesDelete": self._delete, "Job": self._job,
            "OrdersOfCode": self._orders_of_code,
        }  # fmt: skip
        if name.startswith("Discount") and name not in answers:
            return 503, {}  # it makes none
        if name not in answers:
            return super()._graphql(name, asked, request)
        return 200, {"data": answers[name](asked["variables"])}

    def _codes(self, variables: dict[str, Any]) -> dict[str, Any]:
        codes = self.codes.get(variables["id"])
        if codes is None:
            return {"node": None}
        nodes = [{"id": f"gid://c/{code}", "code": code, "asyncUsageCount": uses} for code, uses in codes.items()]
        return {"node": {"codeDiscount": {"codes": connection(nodes)}}}

    def _delete(self, variables: dict[str, Any]) -> dict[str, Any]:
        discount = variables["id"]
        if discount in self.refuses:
            error = {"field": ["ids"], "message": "Discount is locked", "code": "INVALID"}
            return {"discountCodeRedeemCodeBulkDelete": {"job": None, "userErrors": [error]}}
        if self.finishes:
            for gid in variables["codes"]:
                self.codes[discount].pop(gid.rpartition("/")[2], None)
        return {"discountCodeRedeemCodeBulkDelete": {"job": {"id": "gid://shopify/Job/1"}, "userErrors": []}}

    def _job(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"job": {"done": self.finishes}}

    def _orders_of_code(self, variables: dict[str, Any]) -> dict[str, Any]:
        code = variables["query"].split('"')[1]
        return {"orders": connection([{"id": f"gid://shopify/Order/{each}"} for each in self.orders_of.get(code, [])])}

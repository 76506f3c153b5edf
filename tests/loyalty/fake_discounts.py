"""`ShopifyWithCodes` that also makes discounts and codes, and sells products: for pools and what becomes of them."""

from __future__ import annotations

from typing import Any

import requests

from .fake_codes import ShopifyWithCodes
from .fake_shopify import Answer, connection

DENIED = {"data": {}, "errors": [{"message": "No.", "extensions": {"code": "ACCESS_DENIED"}}]}


class ShopifyWithDiscounts(ShopifyWithCodes):
    """Codes are made when they are asked for. ``adding`` says what becomes of the next bulk additions: "lost" (made,
    and nobody knows of the addition), "vanished" (not made, nor known), "slow" (never done).
    """

    def __init__(self) -> None:
        super().__init__()
        self.discounts: dict[str, dict[str, Any]] = {}  # gid → the input it was made of
        self.prices: dict[int, str] = {12: "28.00"}  # variant → price
        self.adding: list[str] = []
        self.denied = False
        self._additions: dict[str, list[str] | None] = {}

    @property
    def all_codes(self) -> set[str]:
        return {code for codes in self.codes.values() for code in codes}

    def delete(self, gid: str) -> None:
        """What a merchant does."""
        del self.discounts[gid], self.codes[gid]

    def _graphql(self, name: str, asked: dict[str, Any], request: requests.PreparedRequest) -> Answer:
        answers = {
            "DiscountBasicCreate": self._create, "DiscountCodesAdd": self._add, "DiscountCodesAdded": self._added,
            "DiscountStanding": self._standing, "DiscountDelete": self._delete_discount,
            "DiscountOfCode": self._of_code, "ProductVariants": self._variants,
        }  # fmt: skip
        if name not in answers:
            return super()._graphql(name, asked, request)
        if self.denied:
            return 200, DENIED
        return 200, {"data": answers[name](asked["variables"])}

    def _create(self, variables: dict[str, Any]) -> dict[str, Any]:
        discount = variables["discount"]
        if discount["code"] in self.all_codes:
            return {"discountCodeBasicCreate": {"codeDiscountNode": None, "userErrors": [_error("code", "TAKEN")]}}
        gid = f"gid://shopify/DiscountCodeNode/{1000 + len(self.calls)}"
        self.discounts[gid], self.codes[gid] = discount, {discount["code"]: 0}
        return {"discountCodeBasicCreate": {"codeDiscountNode": {"id": gid}, "userErrors": []}}

    def _add(self, variables: dict[str, Any]) -> dict[str, Any]:
        codes = self.codes.get(variables["id"])
        if codes is None:
            return {
                "discountRedeemCodeBulkAdd": {"bulkCreation": None, "userErrors": [_error("discountId", "INVALID")]}
            }
        wanted = [each["code"] for each in variables["codes"]]
        fate = self.adding.pop(0) if self.adding else "made"
        if fate in ("made", "lost"):
            codes.update(dict.fromkeys(wanted, 0))
        gid = f"gid://shopify/DiscountRedeemCodeBulkCreation/{len(self.calls)}"
        if fate in ("made", "slow"):
            self._additions[gid] = wanted if fate == "made" else None
        return {"discountRedeemCodeBulkAdd": {"bulkCreation": {"id": gid}, "userErrors": []}}

    def _added(self, variables: dict[str, Any]) -> dict[str, Any]:
        if variables["id"] not in self._additions:
            return {"discountRedeemCodeBulkCreation": None}
        codes = self._additions[variables["id"]]
        nodes = [{"code": code, "discountRedeemCode": {"id": f"gid://c/{code}"}, "errors": []} for code in codes or []]
        return {"discountRedeemCodeBulkCreation": {"done": codes is not None, "codes": connection(nodes)}}

    def _standing(self, variables: dict[str, Any]) -> dict[str, Any]:
        codes = self.codes.get(variables["id"])
        if codes is None:
            return {"node": None}
        return {"node": {"codeDiscount": {"codesCount": {"count": len(codes), "precision": "EXACT"}}}}

    def _delete(self, variables: dict[str, Any]) -> dict[str, Any]:
        if variables["id"] not in self.codes:
            error = _error("discountId", "INVALID")
            return {"discountCodeRedeemCodeBulkDelete": {"job": None, "userErrors": [error]}}
        return super()._delete(variables)

    def _delete_discount(self, variables: dict[str, Any]) -> dict[str, Any]:
        if variables["id"] in self.refuses or variables["id"] not in self.codes:
            error = _error("id", "INTERNAL_ERROR" if variables["id"] in self.codes else "INVALID")
            return {"discountCodeDelete": {"deletedCodeDiscountId": None, "userErrors": [error]}}
        self.delete(variables["id"])
        return {"discountCodeDelete": {"deletedCodeDiscountId": variables["id"], "userErrors": []}}

    def _of_code(self, variables: dict[str, Any]) -> dict[str, Any]:
        gid = next((gid for gid, codes in self.codes.items() if variables["code"] in codes), None)
        node = {"id": gid, "codeDiscount": {"tags": self.discounts[gid]["tags"]}} if gid else None
        return {"codeDiscountNodeByCode": node}

    def _variants(self, variables: dict[str, Any]) -> dict[str, Any]:
        ids = [int(gid.rpartition("/")[2]) for gid in variables["ids"]]
        return {"nodes": [self._variant(each) if each in self.prices else None for each in ids]}

    def _variant(self, variant_id: int) -> dict[str, Any]:
        product = {"id": "gid://shopify/Product/11", "title": "Ash mug", "hasOnlyDefaultVariant": True}
        return {
            "id": f"gid://shopify/ProductVariant/{variant_id}", "title": "Default Title",
            "price": self.prices[variant_id], "product": product,
        }  # fmt: skip


def _error(field: str, code: str) -> dict[str, Any]:
    return {"field": [field], "message": "It cannot be.", "code": code}

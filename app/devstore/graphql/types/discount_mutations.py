"""Making, stopping and deleting discounts, and adding and deleting their codes by the hundred."""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLError

from ...discounts import bulk, keeping
from ...discounts.codes import Taken
from ...discounts.records import Discount
from ...faults import polls_until_done, struck
from ..gids import gid, number
from ..resolving import Asked, register
from .discount_codes import SEARCH, job_gid, search, view_of
from .discount_terms import READERS, Problem, Terms, problem
from .discounts import DiscountNodeView, by_gid

_MOST = 250
_FIELD = re.compile(r"([A-Za-z_]\w*):")
_NO_DISCOUNT = "Code discount does not exist."


def create(asked: Asked, argument: str, sent: dict[str, Any]) -> dict[str, Any]:
    """discountCode…Create, whose input is that argument."""
    terms = Terms(asked, argument, sent)
    READERS[argument](terms)
    if terms.problems:
        return {"codeDiscountNode": None, "userErrors": terms.problems}
    if struck(asked.fault, "taken"):
        _merchants(asked, terms.found["code"])
    try:
        # A transaction of its own: one whose code is taken leaves no discount without codes behind.
        made = keeping.create(asked.devstore, asked.shop, by_app=True, **terms.found)
    except Taken:
        taken = problem([argument, "code"], "Code must be unique. Please try a different code.", "TAKEN")
        return {"codeDiscountNode": None, "userErrors": [taken]}
    return {"codeDiscountNode": DiscountNodeView(made), "userErrors": []}


def bulk_add(_: Any, asked: Asked, discountId: str, codes: list[dict[str, str]]) -> dict[str, Any]:
    _not_too_many(codes)
    discount = by_gid(asked, discountId)
    if discount is None:
        return _no_creation(problem(["discountId"], _NO_DISCOUNT, "INVALID"))
    if not codes:
        return _no_creation(problem(["codes"], "Codes can't be blank", "BLANK"))
    texts = [code["code"] for code in codes]
    with asked.devstore.store.writing():
        for place in struck(asked.fault, "taken", len(texts)):
            _merchants(asked, texts[place])
        made = bulk.add(
            asked.devstore,
            asked.shop,
            discount,
            texts,
            unlucky=struck(asked.fault, "partial", len(texts)),
            polls=polls_until_done(asked.fault),
        )
        return {"bulkCreation": view_of(asked, made), "userErrors": []}


def bulk_delete(
    _: Any,
    asked: Asked,
    discountId: str,
    ids: list[str] | None = None,
    savedSearchId: str | None = None,
    search: str | None = None,
) -> dict[str, Any]:
    given = [way for way in (ids, search, savedSearchId) if way is not None]
    if not given:
        message = "Missing expected argument key: 'ids', 'search' or 'saved_search_id'."
        return _no_job(problem(None, message, "MISSING_ARGUMENT"))
    if len(given) > 1:
        message = "Only one of 'ids', 'search' or 'saved_search_id' is allowed."
        return _no_job(problem(None, message, "TOO_MANY_ARGUMENTS"))
    discount = by_gid(asked, discountId)
    if discount is None:
        return _no_job(problem(["discountId"], _NO_DISCOUNT, "INVALID"))
    if savedSearchId is not None:
        return _no_job(problem(["savedSearchId"], "Invalid 'saved_search_id'.", "INVALID"))
    chosen = _by_search(asked, discount, search) if search is not None else _by_ids(ids or [])
    if isinstance(chosen, dict):
        return _no_job(chosen)
    job = job_gid(bulk.remove(asked.devstore, asked.shop, discount, chosen))
    return {"job": {"id": job, "done": asked.devstore.jobs.done(asked.shop, job[-36:])}, "userErrors": []}


def _by_ids(ids: list[str]) -> list[int] | Problem:
    _not_too_many(ids)
    if not ids:
        return problem(None, "Something went wrong, please try again.", None)
    return [number(id, "DiscountRedeemCode") or 0 for id in ids]


def _by_search(asked: Asked, discount: Discount, query: str) -> list[int] | Problem:
    if not query.strip():
        return problem(["search"], "'Search' can't be blank.", "BLANK")
    if unknown := {name for name in _FIELD.findall(query) if name not in SEARCH}:
        message = f"Invalid search field(s): {', '.join(sorted(unknown))}. Check the query syntax."
        return problem(["search"], message, "INVALID")
    wanted = search(query)
    return [code.id for code in asked.devstore.codes.page(asked.shop, discount.id) if wanted.matches(code)]


def change(name: str, asked: Asked, id: str) -> dict[str, Any]:
    """discountCodeActivate and discountCodeDeactivate."""
    discount = by_gid(asked, id)
    if discount is None:
        return {"codeDiscountNode": None, "userErrors": [problem(["id"], _NO_DISCOUNT, "INVALID")]}
    verb = {"activate": keeping.activate, "deactivate": keeping.deactivate}[name]
    return {"codeDiscountNode": DiscountNodeView(verb(asked.devstore, asked.shop, discount)), "userErrors": []}


def delete(_: Any, asked: Asked, id: str) -> dict[str, Any]:
    discount = by_gid(asked, id)
    if discount is None:
        return {"deletedCodeDiscountId": None, "userErrors": [problem(["id"], _NO_DISCOUNT, "INVALID")]}
    keeping.delete(asked.devstore, asked.shop, discount)
    return {"deletedCodeDiscountId": gid("DiscountCodeNode", discount.id), "userErrors": []}


def _merchants(asked: Asked, code: str) -> None:
    """The merchant makes a code of their own, a moment before the app would."""
    if not keeping.code_problem(code) and asked.devstore.codes.find(asked.shop, code) is None:
        asked.devstore.create_discount(
            asked.shop, title="The merchant's own", kind="percentage", percent="5", code=code
        )


def _not_too_many(sent: list[Any]) -> None:
    if len(sent) > _MOST:
        raise GraphQLError(f"The input array size of {len(sent)} is greater than the maximum allowed of {_MOST}.")


def _no_creation(wrong: Problem) -> dict[str, Any]:
    return {"bulkCreation": None, "userErrors": [wrong]}


def _no_job(wrong: Problem) -> dict[str, Any]:
    return {"job": None, "userErrors": [wrong]}


register(
    "Mutation",
    {
        "discountCodeBasicCreate": lambda _, asked, basicCodeDiscount: create(
            asked, "basicCodeDiscount", basicCodeDiscount
        ),
        "discountCodeFreeShippingCreate": lambda _, asked, freeShippingCodeDiscount: create(
            asked, "freeShippingCodeDiscount", freeShippingCodeDiscount
        ),
        "discountCodeBxgyCreate": lambda _, asked, bxgyCodeDiscount: create(
            asked, "bxgyCodeDiscount", bxgyCodeDiscount
        ),
        "discountRedeemCodeBulkAdd": bulk_add,
        "discountCodeRedeemCodeBulkDelete": bulk_delete,
        "discountCodeActivate": lambda _, asked, id: change("activate", asked, id),
        "discountCodeDeactivate": lambda _, asked, id: change("deactivate", asked, id),
        "discountCodeDelete": delete,
    },
)

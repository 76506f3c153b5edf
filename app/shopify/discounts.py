"""Discounts and their codes: one discount a reward's terms, many single-use codes under it.

Nothing here is tried twice. A call that failed with Throttled may have been carried out all the same, and a code is
the name by which that is found out: `find_discount_of_code` after `create_discount`, `find_codes` after the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import Rejected
from app.shopify.asking import ask
from app.shopify.client import AdminClient
from app.shopify.discount_terms import DiscountTerms, discount_input
from app.shopify.finding_codes import CodeCount, RedeemCode, count_codes, find_codes
from app.shopify.reading import (
    Misshapen,
    each,
    flag,
    following_page,
    optional_text,
    part,
    required_part,
    text,
)

__all__ = [
    "CODES_A_CALL", "BulkResult", "CodeCount", "DiscountTerms", "FoundCode", "RedeemCode", "add_codes", "bulk_result",
    "count_codes", "create_discount", "delete_codes", "delete_discount", "find_codes", "find_discount_of_code",
    "job_done",
]  # fmt: skip

CODES_A_CALL = 250


@dataclass(frozen=True, slots=True)
class FoundCode:
    """Whose a code is: ours when the tags hold ``regulars-{key}``. Only of ours is the code itself looked up."""

    discount_gid: str
    tags: tuple[str, ...]
    redeem_code_gid: str | None = None
    uses: int | None = None


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of the codes of one `add_codes`: code → its gid, or code → why not (TAKEN, DUPLICATE, INVALID…)."""

    imported: dict[str, str]
    failed: dict[str, str]


def create_discount(client: AdminClient, terms: DiscountTerms, first_code: str) -> str:
    """Make the discount with its first code, live at once, and return its gid.

    Raises Rejected ``TAKEN`` when the shop has the code already, be it ours from a call whose answer was lost.
    """
    document, mutation = "discount_basic_create", "discountCodeBasicCreate"
    if terms.reward.kind == "free_shipping":
        document, mutation = "discount_free_shipping_create", "discountCodeFreeShippingCreate"
    return ask(
        client,
        document,
        {"discount": discount_input(terms, first_code)},
        lambda data: text(required_part(required_part(data, mutation), "codeDiscountNode"), "id"),
    )


def find_discount_of_code(client: AdminClient, code: str) -> FoundCode | None:
    """The discount that a code unlocks, whoever made it, in any case of letters."""
    found = ask(client, "discount_of_code", {"code": code}, _found)
    if found is None or "regulars" not in found.tags:
        return found
    known = find_codes(client, found.discount_gid, [code]).get(code)
    return FoundCode(found.discount_gid, found.tags, known.gid, known.uses) if known else found


def add_codes(client: AdminClient, discount_gid: str, codes: Sequence[str]) -> str:
    """Have codes made, ``CODES_A_CALL`` at most. Returns what `bulk_result` asks about."""
    _not_too_many(codes)
    return ask(
        client,
        "discount_codes_add",
        {"id": discount_gid, "codes": [{"code": code} for code in codes]},
        lambda data: text(required_part(required_part(data, "discountRedeemCodeBulkAdd"), "bulkCreation"), "id"),
    )


def bulk_result(client: AdminClient, bulk_gid: str) -> BulkResult | None:
    """What became of every code; None while Shopify is not done. Raises Rejected ``bulk_gone`` for an unknown one."""
    imported: dict[str, str] = {}
    failed: dict[str, str] = {}
    cursor: str | None = None

    def read(data: dict[str, Any]) -> bool:
        """Whether it is done; with a page of outcomes noted, and where the next begins."""
        nonlocal cursor
        creation = part(data, "discountRedeemCodeBulkCreation")
        if creation is None:
            raise Rejected("Shopify does not know these new codes.", code="bulk_gone")
        if not flag(creation, "done"):
            return False
        connection = required_part(creation, "codes")
        for code, gid, refusal in each(connection, "nodes", _outcome):
            if gid is not None:
                imported[code] = gid
            else:
                failed[code] = refusal
        cursor = following_page(connection, cursor)
        return True

    while ask(client, "discount_codes_added", {"id": bulk_gid, "after": cursor}, read):
        if cursor is None:
            # The same code twice in one call is made once, and refused once.
            return BulkResult(imported, {code: why for code, why in failed.items() if code not in imported})
    return None


def delete_codes(client: AdminClient, discount_gid: str, redeem_code_gids: Sequence[str]) -> str:
    """Have codes deleted, ``CODES_A_CALL`` at most. Returns the job; for codes that are gone it does nothing."""
    _not_too_many(redeem_code_gids)
    return ask(
        client,
        "discount_codes_delete",
        {"id": discount_gid, "codes": list(redeem_code_gids)},
        lambda data: text(required_part(required_part(data, "discountCodeRedeemCodeBulkDelete"), "job"), "id"),
    )


def job_done(client: AdminClient, job_gid: str) -> bool:
    """Whether one of Shopify's jobs is done. Raises Rejected ``job_gone`` for one it does not know."""
    done = ask(client, "job", {"id": job_gid}, lambda data: flag(job, "done") if (job := part(data, "job")) else None)
    if done is None:
        raise Rejected("Shopify does not know this job.", code="job_gone")
    return done


def delete_discount(client: AdminClient, discount_gid: str) -> None:
    """Delete it with all of its codes. One that is gone already is as good as deleted."""
    try:
        ask(client, "discount_delete", {"id": discount_gid}, lambda data: required_part(data, "discountCodeDelete"))
    except Rejected as refusal:
        if (refusal.code, refusal.field) != ("INVALID", "id"):
            raise


def _not_too_many(sent: Sequence[str]) -> None:
    if not 0 < len(sent) <= CODES_A_CALL:
        raise ValueError(f"1 to {CODES_A_CALL} codes a call")


def _found(data: dict[str, Any]) -> FoundCode | None:
    node = part(data, "codeDiscountNodeByCode")
    if node is None:
        return None
    tags = required_part(node, "codeDiscount").get("tags")
    if type(tags) is not list or not all(type(tag) is str for tag in tags):
        raise Misshapen("tags", "is not a list of words")
    return FoundCode(text(node, "id"), tuple(tags))


def _outcome(node: dict[str, Any]) -> tuple[str, str | None, str]:
    """(code, its gid once made, else why not). UNKNOWN is neither: it was made, perhaps, and is gone again."""
    made = part(node, "discountRedeemCode")
    refusals = each(node, "errors", _why_not)
    return text(node, "code"), text(made, "id") if made else None, refusals[0] if refusals else "UNKNOWN"


def _why_not(error: dict[str, Any]) -> str:
    """Shopify leaves the error code of one code among many empty, and says it in words alone."""
    if code := optional_text(error, "code"):
        return code
    message = text(error, "message")
    if "unique within" in message:
        return "DUPLICATE"
    if "must be unique" in message:
        return "TAKEN"
    return "INTERNAL_ERROR" if "went wrong" in message else "INVALID"

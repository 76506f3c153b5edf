"""Find out which codes a discount has, exactly and for few points of Shopify's budget.

Somebody's points are given back once a code is gone, so "not found" must be certain. A list of codes is; Shopify's
search may lag behind, and what it does not find is asked for by its exact name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from app.errors import Throttled
from app.shopify.asking import ask
from app.shopify.client import AdminClient
from app.shopify.reading import Misshapen, count, each, following_page, part, required_part, text

CODES_A_QUESTION = 50
_PLAIN = re.compile(r"[A-Z0-9]{4,}", re.ASCII)  # a word of a search, and none of AND, OR, NOT


@dataclass(frozen=True, slots=True)
class RedeemCode:
    """One code of a discount. ``uses`` lags behind, so 0 proves nothing: only orders know."""

    gid: str
    code: str
    uses: int


@dataclass(frozen=True, slots=True)
class CodeCount:
    """Shopify stops counting somewhere: ``is_exact`` is False when there are at least so many."""

    codes: int
    is_exact: bool


def find_codes(client: AdminClient, discount_gid: str, codes: Collection[str]) -> dict[str, RedeemCode]:
    """Those of the codes that are under this discount now, in any case of letters; the others certainly are not.

    First the newest page of its codes: all of a small discount's, and any whose making was not answered. Of a large
    discount the rest is searched for, fifty at a time. Keys are as asked for.
    """
    wanted = {code.upper(): code for code in codes}
    found: dict[str, RedeemCode] = {}
    if wanted:
        newest, cursor = _page(client, discount_gid)
        found = _among(wanted, newest)
        if cursor is not None and (missing := wanted.keys() - found.keys()):
            found |= _in_a_large_discount(client, discount_gid, sorted(missing))
    return {asked: found[code] for code, asked in wanted.items() if code in found}


def count_codes(client: AdminClient, discount_gid: str) -> CodeCount | None:
    """How many codes a discount has; None for one that is not there (any more)."""

    def read(data: dict[str, Any]) -> CodeCount | None:
        node = part(data, "node")
        if node is None:
            return None
        codes = required_part(required_part(node, "codeDiscount"), "codesCount")
        return CodeCount(count(codes, "count"), text(codes, "precision") == "EXACT")

    return ask(client, "discount_standing", {"id": discount_gid}, read)


def _in_a_large_discount(client: AdminClient, discount_gid: str, wanted: list[str]) -> dict[str, RedeemCode]:
    found: dict[str, RedeemCode] = {}
    for some in _fifties([code for code in wanted if _PLAIN.fullmatch(code)]):
        found |= _among(some, _page(client, discount_gid, query=" OR ".join(some))[0])
    overlooked = {
        code
        for some in _fifties([code for code in wanted if code not in found])
        for code, gid in zip(some, _discounts_of(client, some), strict=True)
        if gid == discount_gid
    }
    cursor: str | None = None
    while overlooked:
        page, cursor = _page(client, discount_gid, after=cursor)
        listed = _among(overlooked, page)
        found |= listed
        overlooked -= listed.keys()
        if cursor is None and overlooked:
            # There by name, and not in the list: it was made or deleted in between.
            raise Throttled("Shopify's answers about a code do not agree yet.", retry_after=5.0)
    return found


def _page(
    client: AdminClient, discount_gid: str, *, query: str | None = None, after: str | None = None
) -> tuple[list[RedeemCode], str | None]:
    """Up to 250 codes, the newest first, and where the next page begins. A discount that is gone has none."""

    def read(data: dict[str, Any]) -> tuple[list[RedeemCode], str | None]:
        node = part(data, "node")
        if node is None:
            return [], None
        connection = required_part(required_part(node, "codeDiscount"), "codes")
        return each(connection, "nodes", _code), following_page(connection, after)

    return ask(client, "discount_codes", {"id": discount_gid, "query": query, "after": after}, read)


def _code(node: dict[str, Any]) -> RedeemCode:
    return RedeemCode(text(node, "id"), text(node, "code"), count(node, "asyncUsageCount"))


def _among(wanted: Collection[str], codes: list[RedeemCode]) -> dict[str, RedeemCode]:
    return {name: code for code in codes if (name := code.code.upper()) in wanted}


def _discounts_of(client: AdminClient, codes: list[str]) -> list[str | None]:
    """The discount each code unlocks, by its exact name."""
    padded = [*codes, *codes[:1] * (CODES_A_QUESTION - len(codes))]

    def read(data: dict[str, Any]) -> list[str | None]:
        if len(data) < len(codes):
            raise Misshapen("data", "is not about every code")
        return [text(node, "id") if (node := part(data, f"c{place}")) else None for place in range(len(codes))]

    return ask(client, "discounts_of_codes", {f"c{place}": code for place, code in enumerate(padded)}, read)


def _fifties(codes: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(codes), CODES_A_QUESTION):
        yield codes[start : start + CODES_A_QUESTION]

"""Redeem codes, the bulk creations that make them, and the jobs that delete them."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from graphql import GraphQLError

from ... import clock
from ...discounts import bulk
from ...discounts.records import BulkCode, BulkCreation, Discount, RedeemCode
from ..gids import gid, number
from ..paging import Page, connection, decode, encode, pages
from ..resolving import Asked, register, unknown
from ..searching import Search

SEARCH = {"id": lambda code: code.id, "times_used": lambda code: code.used}
"""What the real API lets codes be searched by, beside words: not by ``code:``."""
_JOB = re.compile(r"gid://shopify/Job/([0-9a-f-]{36})")


@dataclass(frozen=True)
class CreationView:
    record: BulkCreation
    done: bool
    codes: list[BulkCode]
    typename: ClassVar[str] = "DiscountRedeemCodeBulkCreation"


def codes(asked: Asked, discount: Discount, page: Page, query: str | None, sort_key: str) -> dict[str, Any]:
    """A page of a discount's codes, read from where the page begins; codes are created in the order of their ids."""
    if sort_key not in ("ID", "CREATED_AT"):
        raise unknown(f"codes(sortKey: {sort_key})")
    size, backwards = page.size, page.last is not None
    cursor = page.before if backwards else page.after
    wanted = search(query)
    found = asked.devstore.codes.page(
        asked.shop, discount.id, after=decode(cursor, "id")[1] if cursor else None, reverse=page.reverse != backwards
    )
    kept = list(itertools.islice((code for code in found if wanted.matches(code)), size + 1))
    more, kept = len(kept) > size, kept[:size]
    if backwards:
        kept.reverse()
    cursors = [encode(code.id, str(code.id)) for code in kept]
    return connection(kept, cursors, bool(cursor) if backwards else more, more if backwards else bool(cursor))


def search(query: str | None) -> Search:
    return Search(query or "", SEARCH, lambda code: code.code)


def count(asked: Asked, discount: Discount) -> dict[str, Any]:
    return {"count": asked.devstore.codes.count(asked.shop, discount.id), "precision": "EXACT"}


def find_creation(asked: Asked, id: str) -> CreationView | None:
    record = asked.devstore.store.get(BulkCreation, asked.shop.id, number(id, "DiscountRedeemCodeBulkCreation") or 0)
    return view_of(asked, record) if record else None


def view_of(asked: Asked, record: BulkCreation) -> CreationView:
    # In this order: what is done has all its codes.
    done = bulk.look(asked.devstore, asked.shop, record)
    return CreationView(record, done, bulk.codes_of(asked.devstore, record))


def job(_: Any, asked: Asked, id: str) -> dict[str, Any] | None:
    found = _JOB.fullmatch(id)
    if found is None:
        raise GraphQLError(f"Invalid global id '{id}'", extensions={"code": "argumentLiteralsIncompatible"})
    done = asked.devstore.jobs.done(asked.shop, found[1])
    return None if done is None else {"id": id, "done": done}


def job_gid(id: str) -> str:
    return f"gid://shopify/Job/{id}"


def _discount(v: CreationView, asked: Asked) -> Any:
    from .discounts import find

    return find(asked, v.record.discount_id)


def _made(v: BulkCode, asked: Asked) -> RedeemCode | None:
    return asked.devstore.codes.get(asked.shop, v.redeem_code_id) if v.redeem_code_id else None


def _errors(v: BulkCode, _: Asked) -> list[dict[str, Any]]:
    if v.error is None:
        return []
    # Recorded: what is wrong with one code of many has no error code.
    return [{"field": ["code"], "message": v.error, "code": None, "extraInfo": None}]


register(
    "DiscountRedeemCode",
    {
        "id": lambda c, _: gid("DiscountRedeemCode", c.id),
        "code": lambda c, _: c.code,
        "asyncUsageCount": lambda c, _: c.used,
    },
)
register(
    "DiscountRedeemCodeBulkCreation",
    {
        "id": lambda v, _: gid("DiscountRedeemCodeBulkCreation", v.record.id),
        "createdAt": lambda v, _: clock.graphql(v.record.created_at),
        "done": lambda v, _: v.done,
        "codesCount": lambda v, _: len(v.codes),
        "importedCount": lambda v, _: sum(code.redeem_code_id is not None for code in v.codes),
        "failedCount": lambda v, _: sum(code.error is not None for code in v.codes),
        "codes": lambda v, _, page: pages(v.codes, lambda code: code.place, page),
        "discountCode": _discount,
    },
)
register(
    "DiscountRedeemCodeBulkCreationCode",
    {"code": lambda v, _: v.code, "discountRedeemCode": _made, "errors": _errors},
)
register(
    "QueryRoot",
    {"discountRedeemCodeBulkCreation": lambda _, asked, id: find_creation(asked, id), "job": job},
)

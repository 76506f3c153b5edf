"""Codes by the hundred: discountRedeemCodeBulkAdd and discountCodeRedeemCodeBulkDelete, and the jobs they leave.

Adding never refuses a call because of a code: each code succeeds or fails by itself, later, and says why.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from .. import clock
from ..errors import Refusal
from ..records import Shop
from .codes import Taken
from .keeping import add_code, code_problem, delete_code, touch
from .records import BulkCode, BulkCreation, Discount, RedeemCode

if TYPE_CHECKING:
    from ..state import DevStore

_AT_ONCE = 100
_TWICE = "Codes must be unique within BulkDiscountCodeCreation"
_TAKEN = "must be unique. Please try a different code."
_UNLUCKY = "Something went wrong, please try again."


def add(
    devstore: DevStore, shop: Shop, discount: Discount, texts: Sequence[str], *, unlucky: Collection[int] = (),
    polls: int = 0,
) -> BulkCreation:  # fmt: skip
    """Queue the codes. ``unlucky`` names, by their places, those that will fail for no reason of their own; for
    ``polls`` looks the creation will not admit to being done."""
    with devstore.store.writing() as connection:
        id = devstore.store.next_id("bulk_creation")
        for place, text in enumerate(texts):
            connection.execute(
                "INSERT INTO bulk_codes (creation_id, place, code, unlucky) VALUES (?, ?, ?, ?)",
                (id, place, text, place in unlucky),
            )
        job = devstore.jobs.add(shop, "add_codes", {"creation": id})
        return devstore.store.add(
            BulkCreation(
                id=id, shop_id=shop.id, discount_id=discount.id, created_at=clock.now(), job=job, polls_left=polls
            )
        )


def add_some(devstore: DevStore, shop: Shop, facts: dict[str, Any]) -> bool:
    """The job of ``add``: the next codes of a creation."""
    creation_id = facts["creation"]
    creation = devstore.store.get(BulkCreation, shop.id, creation_id)
    discount = devstore.discount_by_id(shop, creation.discount_id) if creation else None
    with devstore.store.writing() as connection:
        waiting = connection.execute(
            "SELECT place, code, unlucky FROM bulk_codes WHERE creation_id = ? AND redeem_code_id IS NULL "
            "AND error IS NULL ORDER BY place LIMIT ?",
            (creation_id, _AT_ONCE + 1),
        ).fetchall()
        for place, code, unlucky in waiting[:_AT_ONCE]:
            made, error = (
                _one(devstore, shop, discount, creation_id, code) if discount and not unlucky else (None, _UNLUCKY)
            )
            connection.execute(
                "UPDATE bulk_codes SET redeem_code_id = ?, error = ? WHERE creation_id = ? AND place = ?",
                (made, error, creation_id, place),
            )
        if discount:
            touch(devstore, shop, discount)
    return len(waiting) <= _AT_ONCE


def _one(
    devstore: DevStore, shop: Shop, discount: Discount, creation_id: int, code: str
) -> tuple[int | None, str | None]:
    """The new code's id, or what is wrong with it."""
    if problem := code_problem(code):
        return None, problem
    try:
        return add_code(devstore, shop, discount, code).id, None
    except Taken:
        found = devstore.codes.find(shop, code)
        ours = devstore.store.rows(
            "SELECT 1 FROM bulk_codes WHERE creation_id = ? AND redeem_code_id = ?", creation_id, found and found.id
        )
        return None, _TWICE if ours else _TAKEN


def codes_of(devstore: DevStore, creation: BulkCreation) -> list[BulkCode]:
    """Its codes in the order they were sent."""
    rows = devstore.store.rows(
        "SELECT place, code, redeem_code_id, error FROM bulk_codes WHERE creation_id = ? ORDER BY place", creation.id
    )
    return [BulkCode(*row) for row in rows]


def look(devstore: DevStore, shop: Shop, creation: BulkCreation) -> bool:
    """Whether it is done, as Shopify would say at this look."""
    if creation.polls_left > 0:
        creation.polls_left -= 1
        devstore.store.save(creation)
        return False
    return bool(devstore.jobs.done(shop, creation.job))


def remove(devstore: DevStore, shop: Shop, discount: Discount, ids: Sequence[int]) -> str:
    """Queue the deletion of codes, and return its job. A single code goes at once, as on Shopify."""
    if not ids:
        raise Refusal("there is no code to delete")
    with devstore.store.writing():
        job = devstore.jobs.add(shop, "delete_codes", {"discount": discount.id, "codes": list(ids)})
        if len(ids) == 1:
            devstore.jobs.finish(job)
        return job


def remove_all(devstore: DevStore, shop: Shop, facts: dict[str, Any]) -> bool:
    """The job of ``remove``. Codes that are gone, or another discount's, are left alone."""
    for id in facts["codes"]:
        code: RedeemCode | None = devstore.codes.get(shop, id)
        if code and code.discount_id == facts["discount"]:
            delete_code(devstore, shop, code)
    return True

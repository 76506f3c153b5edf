"""The shop's redeem codes: unique per shop in any case, counted, and quick to find among a hundred thousand.

find(shop, text)  get(shop, id)          one code or None
page(shop, discount_id, …)               those of a discount in order of id, read in batches
count(shop, discount_id)
add(shop, discount, text)                raises Taken
use(shop, code, limit)                   one more use, or False when it is used up: the check and the count are one
delete(shop, code)
"""

from __future__ import annotations

from collections.abc import Iterator

from .. import clock
from ..errors import Refusal
from ..records import Shop
from ..store import Store
from .records import Discount, RedeemCode

_COLUMNS = "id, discount_id, code, used, created_at"


class Taken(Refusal):
    """Another code of this shop reads the same."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the code {code} is taken")


class RedeemCodes:
    def __init__(self, store: Store) -> None:
        self.store = store

    def find(self, shop: Shop, text: str) -> RedeemCode | None:
        """By what a shopper types, in any case, as Shopify compares codes."""
        found = self.store.rows(
            f"SELECT {_COLUMNS} FROM redeem_codes WHERE shop_id = ? AND folded = ?",  # noqa: S608
            shop.id,
            fold(text),
        )
        return RedeemCode(*found[0]) if found else None

    def get(self, shop: Shop, id: int) -> RedeemCode | None:
        found = self.store.rows(
            f"SELECT {_COLUMNS} FROM redeem_codes WHERE shop_id = ? AND id = ?",  # noqa: S608
            shop.id,
            id,
        )
        return RedeemCode(*found[0]) if found else None

    def page(
        self,
        shop: Shop,
        discount_id: int,
        *,
        after: int | None = None,
        reverse: bool = False,
        contains: str = "",
        used: bool | None = None,
    ) -> Iterator[RedeemCode]:
        """Codes from just beyond the id ``after``: those that hold ``contains``, in any case; (not) ``used``."""
        direction, beyond = ("DESC", "<") if reverse else ("ASC", ">")
        wanted = fold(contains).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        while True:
            where = f"AND id {beyond} ?" if after is not None else ""
            sql = (
                f"SELECT {_COLUMNS} FROM redeem_codes WHERE shop_id = ? AND discount_id = ? {where} "  # noqa: S608
                f"AND folded LIKE ? ESCAPE '\\' AND (? IS NULL OR (used > 0) = ?) ORDER BY id {direction} LIMIT 250"
            )
            values = (shop.id, discount_id, *((after,) if after is not None else ()), f"%{wanted}%", used, used)
            batch = [RedeemCode(*row) for row in self.store.rows(sql, *values)]
            yield from batch
            if len(batch) < 250:
                return
            after = batch[-1].id

    def count(self, shop: Shop, discount_id: int) -> int:
        return self.store.rows(
            "SELECT count(*) FROM redeem_codes WHERE shop_id = ? AND discount_id = ?", shop.id, discount_id
        )[0][0]

    def counts(self, shop: Shop) -> dict[int, int]:
        """How many codes each discount has."""
        return dict(
            self.store.rows(
                "SELECT discount_id, count(*) FROM redeem_codes WHERE shop_id = ? GROUP BY discount_id", shop.id
            )
        )

    def add(self, shop: Shop, discount: Discount, text: str) -> RedeemCode:
        with self.store.writing() as connection:
            if self.find(shop, text):
                raise Taken(text)
            made = RedeemCode(self.store.next_id("redeem_code"), discount.id, text, 0, clock.now().isoformat())
            connection.execute(
                f"INSERT INTO redeem_codes (shop_id, folded, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (shop.id, fold(text), *made),
            )
            return made

    def use(self, shop: Shop, code: RedeemCode, limit: int | None) -> bool:
        """Count one use; False, and nothing counted, when the code is used up or gone by now."""
        with self.store.writing() as connection:
            counted = connection.execute(
                "UPDATE redeem_codes SET used = used + 1 WHERE shop_id = ? AND id = ? AND (? IS NULL OR used < ?)",
                (shop.id, code.id, limit, limit),
            )
            return counted.rowcount == 1

    def delete(self, shop: Shop, code: RedeemCode) -> None:
        with self.store.writing() as connection:
            connection.execute("DELETE FROM redeem_codes WHERE shop_id = ? AND id = ?", (shop.id, code.id))

    def delete_all(self, shop: Shop, discount_id: int) -> None:
        with self.store.writing() as connection:
            connection.execute("DELETE FROM redeem_codes WHERE shop_id = ? AND discount_id = ?", (shop.id, discount_id))


def fold(text: str) -> str:
    """What two spellings of one code have in common."""
    return text.strip().casefold()
